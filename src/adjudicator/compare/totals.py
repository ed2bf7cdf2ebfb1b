"""Totals of two answers: by county, scheme, level, kind of care, class of person and month; by hospital; by group.

Every batch is added up by itself and the sums of all batches once more, so memory grows with the groups and not with
the claims. Amounts are int64 fen throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from adjudicator.compare.answers import BURDEN, MONEY, is_priced
from adjudicator.compare.differences import Batch, names_of
from adjudicator.errors import E, refuse

COUNTS = (
    "claims", "claims_differ", "claims_pay_less", "claims_pay_more", "claims_only_old", "claims_only_new",
)  # fmt: skip
"""Claims that one of the rules priced; of them those whose answer differs; those that both priced and whose person pays
less, and more; those that only one of them priced."""


class Cube(NamedTuple):
    """One table of totals: the file that it becomes, and what it counts by."""

    file: str
    keys: tuple[str, ...]
    only_differing: bool = False


TOTALS = Cube("totals", ("county", "scheme", "level", "care_kind", "person_type", "month"))
HOSPITALS = Cube("hospitals", ("institution_code", "scheme", "care_kind", "month"))
GROUPS = Cube(
    "groups", ("institution_code", "grouping_scheme_old", "drg_old", "grouping_scheme_new", "drg_new"),
)  # fmt: skip
STAGES_OF = Cube("stages", ("stage", "county"), only_differing=True)
CUBES = (TOTALS, HOSPITALS, GROUPS, STAGES_OF)
_FLUSH = 64
"""Batches after which the partial sums are added up."""


class Sums:
    """Adds up the answers of both sides."""

    def __init__(self) -> None:
        self.old = dict.fromkeys(MONEY, 0)
        self.new = dict.fromkeys(MONEY, 0)
        self.difference = dict.fromkeys(MONEY, 0)
        """Sum of the differences of the differing claims alone."""
        self.counts = dict.fromkeys(COUNTS, 0)
        self._parts: dict[Cube, list[pa.Table]] = {cube: [] for cube in CUBES}

    def add(self, batch: Batch, stages: np.ndarray, stage_names: pa.Array) -> None:
        """Add a batch; ``stages`` int8[n] are -1 where the answers are the same."""
        answers = batch.answers
        differs = stages >= 0
        for name in MONEY:
            old, new = answers.old[name], answers.new[name]
            self.old[name] += int(old.sum())
            self.new[name] += int(new.sum())
            self.difference[name] += int((new - old)[differs].sum())
        columns = _columns(batch, differs)
        for name in COUNTS:
            self.counts[name] += int(np.asarray(columns[name]).sum())
        columns["stage"] = stage_names
        table = pa.table(columns)
        differing = pa.array(differs)
        for cube, parts in self._parts.items():
            chosen = table.filter(differing) if cube.only_differing else table
            parts.append(_summed(_plain(chosen.select([*cube.keys, *_SUMMED]), cube.keys), cube.keys))
            if len(parts) >= _FLUSH:
                parts[:] = [_summed(pa.concat_tables(parts), cube.keys)]

    def table(self, cube: Cube) -> pa.Table:
        """Return a table of totals in the order of its keys: counts, then each amount old, new and difference."""
        whole = _summed(pa.concat_tables(self._parts[cube]), cube.keys)
        whole = whole.sort_by([(key, "ascending") for key in cube.keys])
        return with_differences(whole, cube.keys)

    def reconcile(self, claimed: Sequence[Mapping[str, int] | None]) -> None:
        """Prove that the differences are the difference of the sums, per payer and in every table.

        ``claimed``: totals that the manifest of each side states. Errors: E.INTERNAL with the first that is not.
        """
        for name in MONEY:
            _hold(self.difference[name] == self.new[name] - self.old[name], f"differences of {name}")
            for stated, own in zip(claimed, (self.old, self.new), strict=True):
                if stated is not None and name in stated:
                    _hold(stated[name] == own[name], f"totals of {name} in the manifest")
        for cube in CUBES:
            table = self.table(cube)
            for name in MONEY:
                old, new, difference = (int(np.asarray(table.column(one)).sum()) for one in names_of(name))
                _hold(difference == self.difference[name], f"{name} of the table {cube.file}")
                if not cube.only_differing:
                    _hold((old, new) == (self.old[name], self.new[name]), f"{name} of the table {cube.file}")


_SUMMED = (*COUNTS, *(column for name in MONEY for column in names_of(name)[:2]))


def _hold(holds: bool, what: str) -> None:
    if not holds:
        raise refuse(E.INTERNAL, detail=f"{what} do not add up")


def _columns(batch: Batch, differs: np.ndarray) -> dict[str, Any]:
    """Return the columns that are counted by, and those that are added up."""
    answers, facts = batch.answers, batch.facts
    columns: dict[str, Any] = {name: facts.column(name) for name in TOTALS.keys}
    columns["institution_code"] = batch.keys.column("institution_code")
    for name in ("grouping_scheme", "drg"):
        columns[f"{name}_old"], columns[f"{name}_new"] = answers.texts[name][:2]
    less = answers.new[BURDEN] - answers.old[BURDEN]
    old, new = is_priced(answers.old), is_priced(answers.new)
    both = old & new
    columns["claims"] = (old | new).astype(np.int64)
    columns["claims_only_old"], columns["claims_only_new"] = (
        (old & ~new).astype(np.int64),
        (new & ~old).astype(np.int64),
    )
    columns["claims_differ"] = differs.astype(np.int64)
    columns["claims_pay_less"] = (both & (less < 0)).astype(np.int64)
    columns["claims_pay_more"] = (both & (less > 0)).astype(np.int64)
    for name in MONEY:
        before, after, _ = names_of(name)
        columns[before], columns[after] = answers.old[name], answers.new[name]
    return columns


def _plain(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return a table whose keys are dictionaries of one chunk; what is not known is "" or 0."""
    for place, name in enumerate(keys):
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.unify_dictionaries().combine_chunks()
        table = table.set_column(place, name, column)
    return table


def _summed(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return the sums by keys, keys as plain texts and numbers; what is not known is "" or 0."""
    found = table.group_by(list(keys), use_threads=False).aggregate([(name, "sum") for name in _SUMMED])
    columns: dict[str, Any] = {}
    for name in keys:
        column = found.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        columns[name] = column.fill_null("" if pa.types.is_string(column.type) else 0)
    columns |= {name: found.column(f"{name}_sum") for name in _SUMMED}
    return pa.table(columns)


def with_differences(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return a table of sums with the difference of each amount after its old and new sum."""
    columns: dict[str, Any] = {name: table.column(name) for name in (*keys, *COUNTS)}
    for name in MONEY:
        old, new, difference = names_of(name)
        columns[old], columns[new] = table.column(old), table.column(new)
        columns[difference] = np.asarray(table.column(new)) - np.asarray(table.column(old))
    return pa.table(columns)


def rolled_up(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return a table of totals by fewer keys, in their order; without keys one row."""
    summed = [name for name in table.column_names if name in COUNTS or name.endswith("_fen")]
    if not keys:
        return pa.table({name: [int(np.asarray(table.column(name)).sum())] for name in summed})
    found = table.group_by(list(keys), use_threads=False).aggregate([(name, "sum") for name in summed])
    columns = {name: found.column(name) for name in keys} | {name: found.column(f"{name}_sum") for name in summed}
    return pa.table(columns).sort_by([(key, "ascending") for key in keys])
