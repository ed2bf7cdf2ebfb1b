"""The two sides of a comparison: a finished run in its folder, or the answers that are recorded in the input."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.claim.engine import OUTCOME_TRIAL
from adjudicator.compare.answers import MONEY, NUMBERS, TEXTS, dictionary_of
from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.payers import PAYERS, Identity
from adjudicator.reprice import facts, lines
from adjudicator.reprice.convert import Note, check_type, numbers_of
from adjudicator.reprice.fields import RECORDED_PREFIX
from adjudicator.reprice.job import Job
from adjudicator.reprice.manifest import MANIFEST
from adjudicator.reprice.mapping import Column, own_names
from adjudicator.reprice.results import REFUSED, ROWS_AT_ONCE
from adjudicator.rules.as_on import load_rules
from adjudicator.rules.bundle import Bundle

KEY = ("institution_code", "encounter_id", "settlement_sequence")
"""What names a claim in the results."""
_READ = tuple(dict.fromkeys((*KEY, *NUMBERS, *MONEY, *TEXTS)))


class Folder:
    """The output folder of a finished run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise not_comparable(f"{folder.name} holds no finished run", f"{folder.name} 中没有已完成的任务") from error
        self.label = ", ".join(Path(name).name for name in self.manifest["packs"])
        self.files = sorted((folder / "settlements").glob("part-*.parquet"))

    @property
    def units(self) -> int:
        """How many units the input has."""
        return len(self.files)

    @property
    def has_facts(self) -> bool:
        """Whether the run wrote what claims are counted by."""
        return facts.path_of(self.folder, 0).is_file()

    @property
    def has_lines(self) -> bool:
        """Whether the run wrote the results of fee lines; claims that came without lines have none."""
        return bool(self.manifest.get("with_lines")) and self.manifest["layout"] != "amounts"

    def check_columns(self, with_lines: bool) -> None:
        """Refuse files that lack a column that a comparison reads. Errors: E.NOT_COMPARABLE for the first."""
        for unit in range(self.units):
            _check_columns(self.files[unit], _READ, "")
            if self.has_facts:
                _check_columns(facts.path_of(self.folder, unit), facts.SCHEMA.names, "--facts")
            if with_lines:
                _check_columns(lines.lines_path(self.folder, unit), lines.SCHEMA.names, "--lines")

    @cached_property
    def bundle(self) -> Bundle:
        """The rules of the run. Errors: E.OUTPUT_CHANGED where they are not what they were."""
        bundle = load_rules(self.manifest["packs"])
        if bundle.hash != self.manifest["rules_hash"]:
            raise refuse(E.OUTPUT_CHANGED, self.folder.name, f"rules of {', '.join(self.manifest['packs'])}")
        return bundle

    def parts(self, unit: int, rows: int) -> Iterator[pa.Table]:
        """Yield the answers of a unit, at most ``rows`` at a time."""
        return _parts(self.files[unit], list(_READ), rows)

    def facts(self, unit: int, rows: int) -> Iterator[pa.Table]:
        """Yield the facts of a unit, row by row those of ``parts``."""
        return _parts(facts.path_of(self.folder, unit), facts.SCHEMA.names, rows)

    def refusals(self) -> tuple[np.ndarray, pa.DictionaryArray]:
        """Return the rows of the claims that were refused, ascending, and the code of the first problem of each."""
        table = pq.read_table(self.folder / "rejected.parquet", columns=["row", "code"], read_dictionary=["code"])
        rows, firsts = np.unique(table.column("row").to_numpy(), return_index=True)
        return rows, dictionary_of(table.column("code").take(pa.array(firsts)))

    def count(self, column: str, value: int) -> int:
        """Return how many answers have a number in a column."""
        found = 0
        for path in self.files:
            found += int((pq.read_table(path, columns=[column]).column(column).to_numpy() == value).sum())
        return found

    def count_lines(self) -> int:
        """Return how many fee lines the run wrote."""
        paths = (lines.lines_path(self.folder, unit) for unit in range(self.units))
        return sum(pq.read_metadata(path).num_rows for path in paths)


def _check_columns(path: Path, names: Sequence[str], option: str) -> None:
    """Refuse a file without some columns, or that is none. Errors: E.NOT_COMPARABLE."""
    again, again_zh = (
        f"price the claims again{option and ' with ' + option}",
        f"请重新计算{option and '（' + option + '）'}",
    )
    place = "/".join(path.parts[-3:])
    try:
        known = pq.read_schema(path).names
    except (OSError, pa.ArrowInvalid) as error:
        none = f"{place} is not there or no Parquet file; {again}"
        raise not_comparable(none, f"{place} 不存在或不是 Parquet 文件，{again_zh}", place) from error
    lacks = ", ".join(name for name in names if name not in known)
    if lacks:
        older = f"{place} has no column {lacks}, as runs of earlier versions; {again}"
        raise not_comparable(older, f"{place} 缺少列 {lacks}（由较早版本写出），{again_zh}", place)


def _parts(path: Path, names: list[str], rows: int) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(rows, row_groups=[group], columns=names, use_threads=False):
                yield pa.Table.from_batches([batch])


class Recorded:
    """What was answered at the time, in columns ``recorded_…`` of the claims: every payer that the year had.

    A payer without a column paid nothing; other results without a column are not compared. A claim whose recorded
    amounts are all null was refused.
    """

    label = "recorded"

    def __init__(self, job: Job) -> None:
        self._units = job.source.units
        if job.source.layout == "messages":
            lacks = "messages hold no recorded answers; give tables with columns recorded_…"
            raise not_comparable(lacks, "消息文件不含已结算结果，请使用带 recorded_ 列的数据表")
        known, mapping = pq.read_schema(job.source.files[0]), job.columns()
        recorded = {**own_names().recorded, **mapping.recorded}
        self._amounts = {name: one for name, one in recorded.items() if one.name in known.names}
        self._others = {name: RECORDED_PREFIX + name for name in _READ if RECORDED_PREFIX + name in known.names}
        self._others = {name: column for name, column in self._others.items() if name not in recorded}
        self._total = mapping.claim["total_fen"]
        if not any(payer.field in self._amounts for payer in PAYERS):
            none = "the claims have no column of a recorded payer, such as recorded_pooled_fund_fen"
            raise not_comparable(none, "claims 表中没有已结算金额列，例如 recorded_pooled_fund_fen")
        for one in self._amounts.values():
            check_type(one, known.field(one.name).type)

    def parts(self, unit: int, rows: int) -> Iterator[pa.Table]:
        """Yield the recorded answers of a unit, at most ``rows`` at a time.

        Errors: E.NOT_COMPARABLE where payers do not add up to the total.
        """
        one = self._units[unit]
        names = [column.name for column in (*self._amounts.values(), self._total)]
        with pq.ParquetFile(one.file) as file:
            groups = list(range(one.begin, one.end))
            whole = file.read_row_groups(groups, [*names, *self._others.values()], use_threads=False)
        for group in range(0, one.claims, ROWS_AT_ONCE):
            own = whole.slice(group, ROWS_AT_ONCE)
            for first in range(0, len(own), rows):
                yield self._answers(own.slice(first, rows), one.first + group + first)

    def _answers(self, came: pa.Table, first: int) -> pa.Table:
        amounts, present = {}, np.zeros(len(came), np.bool_)
        for name, one in self._amounts.items():
            amounts[name], there = _amount(one, came, first)
            if name in _PAYERS:
                present |= there
        for name in _PAYERS:
            amounts.setdefault(name, np.zeros(len(came), np.int64))
        total = np.where(present, _amount(self._total, came, first)[0], 0)
        wrong = np.flatnonzero(np.add.reduce([amounts[name] for name in _PAYERS]) != total)
        if wrong.size:
            row = first + int(wrong[0])
            differ = f"the recorded payers of row {row} do not add up to its total"
            raise not_comparable(differ, f"第 {row} 行各支付方已结算金额之和不等于医疗费总额")
        sums = {"fund_total_fen": (Identity.FUND,), "personal_total_fen": (Identity.ACCOUNT, Identity.CASH)}
        for name, kinds in sums.items():
            amounts[name] = np.add.reduce([amounts[payer.field] for payer in PAYERS if payer.identity in kinds])
        columns: dict[str, Any] = {name: came.column(column) for name, column in self._others.items()}
        columns.setdefault("outcome", pa.array(np.where(present, OUTCOME_TRIAL, REFUSED).astype(np.int8)))
        return pa.table(columns | amounts | {"total_fen": total})


_PAYERS = tuple(payer.field for payer in PAYERS)


def _amount(column: Column, came: pa.Table, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Return fen int64[n] and bool[n] where there is an amount. Errors: E.NOT_COMPARABLE for what is none."""
    notes: list[Note] = []
    if column.value is not None:
        return np.full(len(came), int(column.value), np.int64), np.ones(len(came), np.bool_)
    values, present = numbers_of(column, came.column(column.name).combine_chunks(), notes)
    bad = np.concatenate([np.zeros(0, np.int64), *(note.rows for note in notes if note.number == E.NOT_AN_AMOUNT)])
    if bad.size:
        row = first + int(bad[0])
        raise not_comparable(f"{column.name} of row {row} is no amount", f"第 {row} 行的 {column.name} 不是金额")
    return values, np.ones(len(came), np.bool_) if present is None else present


def not_comparable(detail: str, chinese: str, field: str = "") -> AdjudicatorError:
    """Return the refusal of answers that cannot be compared; ``field`` names a file."""
    return refuse(E.NOT_COMPARABLE, field, detail, chinese)


def check_same_claims(old: pa.Table, new: pa.Table, first: int) -> None:
    """Refuse two sides that are not of the same claims. Errors: E.NOT_COMPARABLE."""
    for name in KEY:
        if name in old.column_names and not _same(old.column(name), new.column(name)):
            differ = f"the claims from row {first} are not the same in both runs ({name})"
            raise not_comparable(differ, f"自第 {first} 行起两次结果不是同一批结算（{name}）")


def _same(first: pa.ChunkedArray, second: pa.ChunkedArray) -> bool:
    def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
        kind = column.type
        return column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column

    return bool(plain(first).equals(plain(second)))
