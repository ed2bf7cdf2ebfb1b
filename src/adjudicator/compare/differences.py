"""The claims whose answer differs, one row each: both answers, the first stage that differs, the rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.compare.answers import MONEY, STAGES, Both, text_of
from adjudicator.compare.causes import EARLIER, REFUSAL, RULE, UNKNOWN, Case, Cause, Causes, Cells
from adjudicator.compare.sides import KEY
from adjudicator.compare.writing import table_writer

FILE = "differences.parquet"
_TEXT = pa.dictionary(pa.int32(), pa.string())
COUNTED_BY = ("county", "scheme", "level", "care_kind", "person_type", "assistance")
"""Texts of the facts that a row repeats."""
PAIRS = ("in_scope_fen", "deductible_fen", "payment_method", "points_e8", "outcome", "grouping_status")
"""Numbers that are shown old and new, beside the money."""
NAMES = ("grouping_scheme", "adrg", "drg")
_CELLS = ("person_group", "category", "disease", "programme", "place")
"""Facts that name a claim's cells in the tables of a plan."""
_BY_MONTH = ("payment",)
"""Stages whose rules are looked up by month; so are the lists of a disease and of a programme."""


def names_of(amount: str) -> tuple[str, str, str]:
    """Return the columns of an amount: old, new, difference.

    >>> names_of("cash_fen")
    ('cash_old_fen', 'cash_new_fen', 'cash_difference_fen')
    """
    stem, _, unit = amount.rpartition("_")
    return f"{stem}_old_{unit}", f"{stem}_new_{unit}", f"{stem}_difference_{unit}"


def schema() -> pa.Schema:
    """Return the columns of the file."""
    fields: list[tuple[str, pa.DataType]] = [
        ("row", pa.int64()),
        (KEY[0], _TEXT),
        (KEY[1], pa.string()),
        (KEY[2], pa.int32()),
    ]
    fields += [(name, _TEXT) for name in COUNTED_BY] + [("month", pa.int32()), ("person", pa.int64())]
    fields += [("stage", _TEXT), ("cause", _TEXT), ("keys", _TEXT), ("document", _TEXT), ("clause", _TEXT)]
    fields += [("follows_row", pa.int64())]
    for name in MONEY:
        fields += [(column, pa.int64()) for column in names_of(name)]
    for name in PAIRS:
        fields += [(f"{name}_old", pa.int64()), (f"{name}_new", pa.int64())]
    for name in NAMES:
        fields += [(f"{name}_old", _TEXT), (f"{name}_new", _TEXT)]
    return pa.schema(fields)


PLACED = ("plan", "level_number")
"""Facts that each side has of its own: row of its plans, level of the institution in its register."""


class Placed(NamedTuple):
    """Where the claims stand in the rules of each side: int64[PLACED, n], -1 where that is not known."""

    old: np.ndarray
    new: np.ndarray


class Batch(NamedTuple):
    """Some claims of both sides, row by row."""

    first: int
    """Row of the first claim in the input."""
    answers: Both
    keys: pa.Table
    facts: pa.Table
    placed: Placed


class Refusals(NamedTuple):
    """Rows that were refused, ascending, and the code of each."""

    rows: np.ndarray
    codes: pa.DictionaryArray

    def code_of(self, row: int) -> str:
        """Return the code of a row, "" where it was not refused."""
        place = int(np.searchsorted(self.rows, row))
        return self.codes[place].as_py() if place < len(self.rows) and self.rows[place] == row else ""


NOBODY = Refusals(np.zeros(0, np.int64), pa.array([], pa.string()).dictionary_encode())


class Collector:
    """Finds the differing claims batch by batch, keeps them on disk, and writes the file when all are known.

    A claim that differs because of an earlier one names that claim and its rule, so the first pass notes for each
    person the first claim that a rule changed, and the second pass writes.
    """

    def __init__(self, causes: Causes, refusals: tuple[Refusals, Refusals], claims: int, work: Path) -> None:
        self._causes, self._refusals = causes, refusals
        self._number: dict[Cause, int] = {}
        self._first_day = np.full(claims, np.iinfo(np.int32).max, np.int32)
        self._first_row = np.full(claims, -1, np.int64)
        self._first_cause = np.full(claims, -1, np.int32)
        self._draft = work / f"{FILE}.draft"
        self._schema = schema()
        names = [self._schema.field(name) for name in self._schema.names if name not in _OF_CAUSE]
        self._kept = pa.schema([*names, pa.field("cause_number", pa.int32()), pa.field("day", pa.int32())])
        work.mkdir(parents=True, exist_ok=True)
        self._writer = pa.OSFile(str(self._draft), "wb")
        self._stream = pa.ipc.new_stream(
            self._writer, self._kept, options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=False)
        )
        self.count = 0

    @property
    def causes(self) -> list[Cause]:
        """Every cause so far, by its number."""
        return list(self._number)

    def add(self, batch: Batch, stages: np.ndarray) -> None:
        """Take the claims of a batch whose stage is not -1."""
        chosen = np.flatnonzero(stages >= 0)
        if not chosen.size:
            return
        numbers = self._causes_of(batch, stages, chosen)
        days = batch.facts.column("settlement_date").fill_null(0).to_numpy().astype(np.int32)[chosen]
        persons = batch.facts.column("person").fill_null(-1).to_numpy().astype(np.int64)[chosen]
        self._note_firsts(persons, days, batch.first + chosen, numbers)
        table = _rows_of(batch, stages, chosen)
        table = table.append_column("cause_number", pa.array(numbers, pa.int32())).append_column("day", pa.array(days))
        self._stream.write_table(table.select(self._kept.names).cast(self._kept))
        self.count += len(chosen)

    def _causes_of(self, batch: Batch, stages: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Return int32[k]: number of the cause of each chosen claim, each kind of difference looked up once."""
        facts, answers = batch.facts, batch.answers
        whats, names = _whats(answers, stages, chosen)
        pack = text_of(facts, "pack")
        packs = pack.indices.fill_null(-1).to_numpy(zero_copy_only=False)[chosen]
        dated = np.isin(stages[chosen], [place for place, one in enumerate(STAGES) if one.id in _BY_MONTH])
        for name, least in (("disease", 0), ("programme", 1)):
            dated |= _number(facts, name)[chosen] >= least
        months = np.where(dated, _number(facts, "month", 0)[chosen], 0)
        columns = [
            stages[chosen], packs, *batch.placed.old[:, chosen], *batch.placed.new[:, chosen],
            *(_number(facts, name)[chosen] for name in _CELLS),
            months, whats,
        ]  # fmt: skip
        table = np.stack([np.asarray(column, np.int64) for column in columns], axis=1)
        kinds, which = np.unique(table, axis=0, return_inverse=True)
        found = np.empty(len(kinds), np.int32)
        refused = [place for place, kind in enumerate(kinds.tolist()) if STAGES[kind[0]].id == "outcome"]
        for place, kind in enumerate(kinds.tolist()):
            if place not in refused:
                texts = pack.dictionary[kind[1]].as_py() if kind[1] >= 0 else ""
                case = Case(STAGES[kind[0]].id, texts, Cells(*kind[2:11]), kind[11], names[kind[12]])
                found[place] = self._number.setdefault(self._causes.of(case), len(self._number))
        numbers: np.ndarray = found[which.reshape(-1)]
        for position in np.flatnonzero(stages[chosen] == 0).tolist():
            row = batch.first + int(chosen[position])
            codes = [side.code_of(row) for side in self._refusals]
            cause = Cause(REFUSAL, " → ".join(code or "—" for code in codes))
            numbers[position] = self._number.setdefault(cause, len(self._number))
        return numbers

    def _note_firsts(self, persons: np.ndarray, days: np.ndarray, rows: np.ndarray, numbers: np.ndarray) -> None:
        """Note the earliest claim of each person that a rule changed."""
        earlier = [number for number, cause in enumerate(self.causes) if cause.kind == EARLIER]
        ruled = np.flatnonzero((persons >= 0) & ~np.isin(numbers, earlier))
        order = ruled[np.lexsort((rows[ruled], days[ruled], persons[ruled]))]
        _, places = np.unique(persons[order], return_index=True)
        firsts = order[places]
        better = firsts[days[firsts] < self._first_day[persons[firsts]]]
        self._first_day[persons[better]], self._first_row[persons[better]] = days[better], rows[better]
        self._first_cause[persons[better]] = numbers[better]

    def write(self, path: Path) -> None:
        """Write the file."""
        self._stream.close()
        self._writer.close()
        writer = table_writer(path, self._schema)
        with pa.OSFile(str(self._draft)) as source:
            for part in pa.ipc.open_stream(source):
                writer.write(self._with_causes(pa.Table.from_batches([part])))
        writer.close()
        self._draft.unlink()

    def _with_causes(self, table: pa.Table) -> pa.Table:
        """Return the columns of the file; a claim that follows from an earlier one has the rule of that one."""
        numbers, days = table.column("cause_number").to_numpy(), table.column("day").to_numpy()
        persons = table.column("person").fill_null(-1).to_numpy()
        earlier = np.array([cause.kind == EARLIER for cause in self.causes], np.bool_)
        follows = earlier[numbers] & (persons >= 0) & (self._first_day[persons] <= days)
        rows = np.where(follows, self._first_row[persons], -1)
        named = np.where(follows, self._first_cause[persons], numbers)
        # Where no earlier claim of the person differs, another value of the plan did it, or nothing that is known.
        lost = [RULE if cause.keys else UNKNOWN for cause in self.causes]
        kinds = [*(cause.kind for cause in self.causes), *lost]
        alone = earlier[numbers] & ~follows
        shown: dict[str, Any] = {"cause": _taken(kinds, np.where(alone, numbers + len(lost), numbers))}
        for name in ("keys", "document", "clause"):
            shown[name] = _taken([getattr(cause, name) for cause in self.causes], named)
        shown["follows_row"] = pa.array(rows, pa.int64(), mask=rows < 0)
        return pa.table([shown[one] if one in shown else table.column(one) for one in self._schema.names], self._schema)


_OF_CAUSE = ("cause", "keys", "document", "clause", "follows_row")


def _number(table: pa.Table, name: str, without: int = -1) -> np.ndarray:
    values: np.ndarray = table.column(name).fill_null(without).to_numpy().astype(np.int64)
    return values


def _taken(texts: list[str], numbers: np.ndarray) -> pa.DictionaryArray:
    """Return texts by number; the dictionary has each text once."""
    own = list(dict.fromkeys(texts))
    places = np.array([own.index(text) for text in texts] or [0], np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(places[numbers]), pa.array(own, pa.string()))


def _whats(answers: Both, stages: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return int64[k] and texts by number: what of a payment differs, or both grouping schemes; else ""."""
    names = ["", "method", "points", "point_value", "due"]
    whats = np.zeros(len(chosen), np.int64)
    own = [stage.id for stage in STAGES]
    paid = stages[chosen] == own.index("payment")
    for number, column in ((4, "due_fen"), (3, "point_value_e4"), (2, "points_e8"), (1, "payment_method")):
        whats[paid & answers.differs(column)[chosen]] = number
    grouped = np.flatnonzero(stages[chosen] == own.index("grouping"))
    old, new, _ = answers.texts["grouping_scheme"]
    known: dict[str, int] = {}
    taken = pa.array(chosen[grouped])
    sides = old.take(taken).to_pylist(), new.take(taken).to_pylist()
    for position, before, after in zip(grouped.tolist(), *sides, strict=True):
        whats[position] = known.setdefault(f"{before or ''}→{after or ''}", len(names) + len(known))
    return whats, [*names, *known]


def _rows_of(batch: Batch, stages: np.ndarray, chosen: np.ndarray) -> pa.Table:
    """Return the columns of some claims but those of their causes."""
    taken, answers = pa.array(chosen), batch.answers
    columns: dict[str, Any] = {"row": pa.array(batch.first + chosen)}
    columns |= {name: batch.keys.column(name).take(taken) for name in KEY}
    columns |= {name: batch.facts.column(name).take(taken) for name in (*COUNTED_BY, "month", "person")}
    columns["stage"] = _taken([stage.id for stage in STAGES], stages[chosen])
    for name in MONEY:
        old, new = answers.old[name][chosen], answers.new[name][chosen]
        columns |= dict(zip(names_of(name), map(pa.array, (old, new, new - old)), strict=True))
    for name in PAIRS:
        columns |= {f"{name}_old": _side(answers.old, name, chosen), f"{name}_new": _side(answers.new, name, chosen)}
    for name in NAMES:
        first, second, _ = answers.texts[name]
        columns |= {f"{name}_old": first.take(taken), f"{name}_new": second.take(taken)}
    return pa.table(columns)


def _side(side: Any, name: str, chosen: np.ndarray) -> pa.Array:
    return pa.array(side[name][chosen])


BY_CAUSE = ("stage", "cause", "keys", "document", "clause")
COUNTED = ("claims", "fund_total_difference_fen", "personal_total_difference_fen", "due_difference_fen")


def by_cause(path: Path) -> pa.Table:
    """Return how many claims of the file differ by each stage and cause, and what they come to, most claims first."""
    kinds = [(name, pa.string()) for name in BY_CAUSE] + [(name, pa.int64()) for name in COUNTED]
    whole = pa.schema(kinds).empty_table()
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            part = file.read_row_group(number, columns=[*BY_CAUSE, *COUNTED[1:]], use_threads=False)
            plain = [part.column(name).cast(pa.string()) for name in BY_CAUSE]
            ones = pa.array(np.ones(len(part), np.int64))
            own = pa.table([*plain, ones, *part.columns[len(BY_CAUSE) :]], [*BY_CAUSE, *COUNTED])
            whole = _summed_by_cause(pa.concat_tables([whole, own]))
    return whole.sort_by([("claims", "descending"), *((name, "ascending") for name in BY_CAUSE)])


def _summed_by_cause(table: pa.Table) -> pa.Table:
    found = table.group_by(list(BY_CAUSE), use_threads=False).aggregate([(name, "sum") for name in COUNTED])
    return found.select([*BY_CAUSE, *(f"{name}_sum" for name in COUNTED)]).rename_columns([*BY_CAUSE, *COUNTED])
