"""Two answers to the same claims side by side: what of them is compared, and in which stage they first differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from adjudicator.claim.engine import OUTCOME_TRIAL
from adjudicator.payers import PAYERS
from adjudicator.reprice.results import PAYER_FIELDS, REFUSED
from adjudicator.steps import STEP_NAMES


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage in which two answers may differ, and the columns that show it."""

    id: str
    en: str
    zh: str
    numbers: tuple[str, ...]
    texts: tuple[str, ...] = ()


def _step(id: str, *numbers: str) -> Stage:
    return Stage(id, STEP_NAMES[id].en, STEP_NAMES[id].zh, numbers)


STAGES: tuple[Stage, ...] = (
    Stage("outcome", "priced or refused", "是否受理", ("outcome",)),
    _step("wholly_self_paid", "wholly_self_paid_fen"),
    _step("over_ceiling", "over_ceiling_fen"),
    _step("first_pay", "first_pay_fen", "in_scope_fen"),
    _step("deductible", "deductible_standard_fen", "deductible_fen"),
    *(
        _step(payer.id, *(("pooled_rate_ppm", payer.field) if payer.id == "pooled" else (payer.field,)))
        for payer in PAYERS
    ),
    Stage(
        "year", "the person's year", "个人年度",
        ("account_balance_fen", "benefit_year", "counts_as_admission", "total_fen"),
    ),
    Stage("grouping", "grouping", "分组", ("grouping_status",), ("grouping_scheme", "mdc", "adrg", "drg")),
    Stage(
        "payment", "payment of the institution", "医疗机构支付",
        ("clearing_method", "payment_method", "points_e8", "point_value_e4", "due_fen", "difference_fen"),
    ),
)  # fmt: skip
"""In the order in which an answer comes about; a claim is counted at the first stage that differs."""
STAGE: dict[str, Stage] = {stage.id: stage for stage in STAGES}
NUMBERS: tuple[str, ...] = tuple(name for stage in STAGES for name in stage.numbers)
TEXTS: tuple[str, ...] = tuple(name for stage in STAGES for name in stage.texts)

MONEY: tuple[str, ...] = (
    *(payer.field for payer in PAYERS), "fund_total_fen", "personal_total_fen", "total_fen", "due_fen",
)  # fmt: skip
"""Amounts that are added up, old and new: every payer, their two sums, the cost, what is owed to the institution."""
assert {*PAYER_FIELDS} <= {*MONEY}
BURDEN = "personal_total_fen"
"""What the person pays: accounts and cash."""


class Both(NamedTuple):
    """The answers to some claims under both rules; a column that the old answers do not have is that of the new."""

    old: Mapping[str, np.ndarray]
    new: Mapping[str, np.ndarray]
    texts: Mapping[str, tuple[pa.Array, pa.Array, np.ndarray]]
    """Name -> (old, new, bool[n] where they differ)."""

    @property
    def claims(self) -> int:
        """How many claims there are."""
        return len(self.new["outcome"])

    def differs(self, name: str) -> np.ndarray:
        """Return bool[n]: where a column differs."""
        found: np.ndarray = self.texts[name][2] if name in self.texts else self.old[name] != self.new[name]
        return found


def both(old: pa.Table, new: pa.Table) -> Both:
    """Return two tables of results, row by row."""
    numbers = (*NUMBERS, *(name for name in MONEY if name not in NUMBERS))
    news = {name: number_of(new, name) for name in numbers}
    olds = {name: number_of(old, name) if name in old.column_names else news[name] for name in numbers}
    for side in (olds, news):  # what was settled and what is a trial are both priced
        side["outcome"] = np.where(side["outcome"] == REFUSED, REFUSED, OUTCOME_TRIAL)
    texts = {}
    for name in TEXTS:
        second = text_of(new, name)
        first = text_of(old, name) if name in old.column_names else second
        texts[name] = first, second, _different(first, second)
    return Both(olds, news, texts)


def number_of(table: pa.Table, name: str) -> np.ndarray:
    """Return int64[n] of a column of numbers or flags."""
    column = table.column(name).combine_chunks()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    values: np.ndarray = column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    return values


def text_of(table: pa.Table, name: str) -> pa.DictionaryArray:
    """Return a column of texts as one dictionary."""
    return dictionary_of(table.column(name))


def dictionary_of(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return texts as one dictionary array."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole: Any = column.unify_dictionaries().combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _different(first: pa.DictionaryArray, second: pa.DictionaryArray) -> np.ndarray:
    """Return bool[n]: where two columns of texts differ."""
    if first is second:
        return np.zeros(len(second), np.bool_)
    numbers: dict[str | None, int] = {}

    def coded(texts: pa.DictionaryArray) -> np.ndarray:
        own = np.array([numbers.setdefault(text, len(numbers)) for text in (*texts.dictionary.to_pylist(), None)])
        places: np.ndarray = texts.indices.fill_null(len(own) - 1).to_numpy(zero_copy_only=False)
        found: np.ndarray = own[places]
        return found

    differ: np.ndarray = coded(first) != coded(second)
    return differ


def first_stage(answers: Both, stages: Iterable[Stage] = STAGES) -> np.ndarray:
    """Return int8[n]: place in ``STAGES`` of the first stage that differs, -1 where the answers are the same."""
    found = np.full(answers.claims, -1, np.int8)
    for place, stage in reversed(list(enumerate(stages))):
        for name in (*stage.numbers, *stage.texts):
            found[answers.differs(name)] = place
    return found


def is_priced(numbers: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return bool[n]: which claims were priced."""
    priced: np.ndarray = numbers["outcome"] != REFUSED
    return priced
