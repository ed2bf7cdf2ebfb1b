"""Fee lines that two rules split differently: item, class, ceiling and first pay old and new, and the money.

Both runs wrote their lines (``reprice --lines``). Lines of claims that both rules price are compared; what they add up
to is proved against the claims, side by side, before anything is shown.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.compare.answers import is_priced
from adjudicator.compare.differences import Batch, names_of
from adjudicator.compare.sides import KEY, Folder, not_comparable
from adjudicator.compare.writing import table_writer
from adjudicator.errors import E, refuse
from adjudicator.reprice import lines
from adjudicator.rulefile.pack import Pack

FILE, ITEMS = "lines_that_differ.parquet", "items_that_differ"
TERMS = ("item_class", "first_pay_ppm", "price_ceiling_e4", "note")
"""What the catalogue says of a line, old and new."""
PARTS = lines.AMOUNTS
LINES_IN_MEMORY = 200_000
"""Lines of a side that are in memory at once, of claims with as many lines as they have on the average."""
_LINES_AT_ONCE = 65_536
_TEXT = pa.dictionary(pa.int32(), pa.string())
_ITEM_TERMS = tuple(f"{name}_{side}" for name in TERMS[:3] for side in ("old", "new"))
_BY_ITEM = ("item_code", *_ITEM_TERMS)
_SUMMED = ("lines", "amount_fen", *(column for name in PARTS for column in names_of(name)))
_FLUSH = 64
"""Sums of chunks after which they are added up."""


def schema() -> pa.Schema:
    """Return the columns of the lines that differ."""
    fields: list[tuple[str, pa.DataType]] = [("row", pa.int64()), (KEY[0], _TEXT), (KEY[1], pa.string())]
    fields += [(KEY[2], pa.int32()), ("line", pa.int32()), ("line_id", pa.string()), ("item_code", _TEXT)]
    fields += [(f"{name}_{side}", lines.NUMBERS[name]) for name in TERMS for side in ("old", "new")]
    fields += [("amount_fen", pa.int64())]
    fields += [(column, pa.int64()) for name in PARTS for column in names_of(name)]
    return pa.schema(fields)


class Found(NamedTuple):
    """What the lines come to."""

    compared: int
    differ: int
    differences: dict[str, int]
    """Part of a line -> sum of the differences of all lines."""
    first_pay_of_claims_fen: int
    """Difference of the first pay that is taken of whole claims, for care elsewhere or without a referral: the claims
    have it, their lines do not."""

    def summary(self) -> dict[str, Any]:
        """Return it as the summary of a comparison has it."""
        return {
            "compared": self.compared, "differ": self.differ, "difference": self.differences,
            "first_pay_of_claims_difference_fen": self.first_pay_of_claims_fen,
        }  # fmt: skip


class Lines:
    """Compares the lines of two runs batch by batch, and writes those that differ."""

    def __init__(self, old: Folder, new: Folder, output: Path) -> None:
        self._sides = _Reader(old), _Reader(new)
        claims = int(new.manifest["summary"]["claims"])
        self._at_once = max(1, LINES_IN_MEMORY * claims // max(new.count_lines(), 1))
        self._packs = (*new.bundle.packs, *old.bundle.packs)
        self._schema = schema()
        self._writer = table_writer(output / FILE, self._schema)
        self._items: list[pa.Table] = []
        self._compared = self._differ = self._first_pay_of_claims = 0
        self._differences = dict.fromkeys(PARTS, 0)
        self._claims = dict.fromkeys(PARTS, 0)

    def add(self, batch: Batch) -> None:
        """Compare the lines of the claims of a batch. Errors: E.NOT_COMPARABLE, E.INTERNAL where sums differ."""
        answers = batch.answers
        priced = is_priced(answers.old) & is_priced(answers.new)
        for begin in range(0, answers.claims, self._at_once):
            end = min(begin + self._at_once, answers.claims)
            own = priced[begin:end]
            old, new = (side.until(batch.first + end).of(batch.first + begin, own) for side in self._sides)
            _check_same_lines(old, new, batch.first + begin)
            for side, numbers in ((old, answers.old), (new, answers.new)):
                _prove(side, {name: numbers[name][begin:end] for name in PARTS}, own)
            for name in PARTS:
                change = answers.new[name][begin:end] - answers.old[name][begin:end]
                self._claims[name] += int(change[own].sum())
            self._compared += len(new.claims)
            self._take(batch, old, new)

    def _take(self, batch: Batch, old: _Chunk, new: _Chunk) -> None:
        """Write the lines that differ, and add them up by item."""
        differs = np.zeros(len(new.claims), np.bool_)
        for name in (*TERMS, *PARTS):
            differs |= old.numbers[name] != new.numbers[name]
        chosen = np.flatnonzero(differs)
        if not chosen.size:
            return
        self._differ += len(chosen)
        table = _rows_of(batch, old, new, chosen, self._schema)
        self._writer.write(table)
        for name in PARTS:
            self._differences[name] += int(np.asarray(table.column(names_of(name)[2])).sum())
        self._items.append(_by_item(table.append_column("lines", pa.array(np.ones(len(chosen), np.int64)))))
        if len(self._items) >= _FLUSH:
            self._items = [_by_item(pa.concat_tables(self._items))]

    def finish(self) -> tuple[Found, dict[str, pa.Table]]:
        """Close the file; return what the lines come to, and the table of items. Errors: E.INTERNAL."""
        self._writer.close()
        of_claims = self._claims["first_pay_fen"] - self._differences["first_pay_fen"]
        for name, beyond in zip(PARTS, (0, 0, of_claims, -of_claims), strict=True):
            if self._claims[name] != self._differences[name] + beyond:
                raise refuse(E.INTERNAL, detail=f"the differences of {name} of lines and claims do not add up")
        empty = pa.table({name: pa.array([], self._kind(name)) for name in (*_BY_ITEM, *_SUMMED)})
        items = _by_item(pa.concat_tables(self._items)) if self._items else empty
        named = _item_names(self._packs, set(items.column("item_code").to_pylist()))
        names = pa.array([named.get(code, "") for code in items.column("item_code").to_pylist()], pa.string())
        order = np.lexsort(
            [*(items.column(name).to_numpy() for name in reversed(_ITEM_TERMS)), _rank(items.column("item_code")),
             -np.abs(items.column("in_scope_difference_fen").to_numpy())]
        )  # fmt: skip
        items = items.add_column(1, "item_name", names).take(pa.array(order))
        return Found(self._compared, self._differ, self._differences, of_claims), {ITEMS: items}

    def _kind(self, name: str) -> pa.DataType:
        if name == "item_code":
            return pa.string()
        return self._schema.field(name).type if name in _ITEM_TERMS else pa.int64()


def _rank(texts: pa.ChunkedArray) -> np.ndarray:
    _, places = np.unique(np.array(texts.to_pylist(), object), return_inverse=True)
    return places


class _Chunk(NamedTuple):
    """Lines of some claims."""

    claims: np.ndarray
    """int64: place of the claim among those of the chunk, ascending."""
    numbers: Mapping[str, np.ndarray]
    table: pa.Table

    def of(self, first: int, chosen: np.ndarray) -> _Chunk:
        """Return the lines of the claims from row ``first`` where ``chosen`` bool[n]."""
        table = self.table
        if len(self.claims):
            table = table.filter(pa.array(chosen[self.claims - first]))
        claims = table.column("claim").to_numpy() - first
        return _Chunk(claims, {name: table.column(name).to_numpy() for name in ("line", *lines.NUMBERS)}, table)


class _Reader:
    """Reads the lines of a run in the order of the claims."""

    def __init__(self, side: Folder) -> None:
        self._batches = _batches(side)
        self._waiting: pa.RecordBatch | None = None

    def until(self, end: int) -> _Chunk:
        """Return the lines that follow, of claims below a row."""
        parts: list[pa.RecordBatch] = []
        while (one := self._waiting or next(self._batches, None)) is not None:
            cut = int(np.searchsorted(one.column("claim").to_numpy(), end))
            parts.append(one.slice(0, cut))
            self._waiting = one.slice(cut) if cut < one.num_rows else None
            if self._waiting is not None:
                break
        table = pa.Table.from_batches(parts, _READ)
        return _Chunk(table.column("claim").to_numpy(), {}, table)


_READ = pa.schema([one.with_type(_TEXT) if one.name == "item_code" else one for one in lines.SCHEMA])


def _batches(side: Folder) -> Iterator[pa.RecordBatch]:
    for unit in range(side.units):
        with pq.ParquetFile(lines.lines_path(side.folder, unit), read_dictionary=["item_code"]) as file:
            yield from file.iter_batches(_LINES_AT_ONCE, columns=lines.SCHEMA.names, use_threads=False)


def _check_same_lines(old: _Chunk, new: _Chunk, first: int) -> None:
    """Refuse sides whose claims have other lines. Errors: E.NOT_COMPARABLE."""
    same = np.array_equal(old.claims, new.claims)
    same = same and all(np.array_equal(old.numbers[name], new.numbers[name]) for name in ("line", "amount_fen"))
    if not same:
        differ = f"the fee lines of the claims from row {first} are not the same in both runs"
        raise not_comparable(differ, f"自第 {first} 行起两次结果的费用明细不同")


def _prove(side: _Chunk, claims: Mapping[str, np.ndarray], priced: np.ndarray) -> None:
    """Prove that the lines of each claim add up to its parts; first pay of a whole claim is taken of what is in scope.

    Errors: E.INTERNAL with the first part that does not.
    """
    ends = np.searchsorted(side.claims, np.arange(len(priced) + 1))
    sums = {}
    for name in PARTS:
        so_far = np.concatenate(([0], np.cumsum(side.numbers[name])))
        sums[name] = so_far[ends[1:]] - so_far[ends[:-1]]
    wholly, over, first_pay, in_scope = ((claims[name] - sums[name])[priced] for name in PARTS)
    for name, rest in ((PARTS[0], wholly), (PARTS[1], over), (PARTS[3], first_pay + in_scope)):
        if rest.any():
            raise refuse(E.INTERNAL, detail=f"{name} of the fee lines of a claim does not add up to the claim")


def _rows_of(batch: Batch, old: _Chunk, new: _Chunk, chosen: np.ndarray, kinds: pa.Schema) -> pa.Table:
    """Return the columns of some lines."""
    taken = pa.array(chosen)
    rows = new.table.column("claim").take(taken)
    places = pa.array(rows.to_numpy() - batch.first)
    columns: dict[str, Any] = {"row": rows}
    columns |= {name: batch.keys.column(name).take(places) for name in KEY}
    columns |= {name: new.table.column(name).take(taken) for name in ("line", "line_id", "item_code", "amount_fen")}
    for name in TERMS:
        columns[f"{name}_old"], columns[f"{name}_new"] = old.numbers[name][chosen], new.numbers[name][chosen]
    for name in PARTS:
        before, after = old.numbers[name][chosen], new.numbers[name][chosen]
        columns |= dict(zip(names_of(name), (before, after, after - before), strict=True))
    return pa.table([columns[name] for name in kinds.names], kinds)


def _by_item(table: pa.Table) -> pa.Table:
    """Return the sums by item, class, first pay and ceiling, old and new."""
    plain = table.column("item_code").cast(pa.string())
    table = table.set_column(table.schema.get_field_index("item_code"), "item_code", plain)
    found = table.group_by(list(_BY_ITEM), use_threads=False).aggregate([(name, "sum") for name in _SUMMED])
    return found.select([*_BY_ITEM, *(f"{name}_sum" for name in _SUMMED)]).rename_columns([*_BY_ITEM, *_SUMMED])


def _item_names(packs: Sequence[Pack], codes: set[str]) -> dict[str, str]:
    """Return what some items are called, by the first pack that has each."""
    found: dict[str, str] = {}
    for path in (folder / "catalogue" / "item.csv" for pack in packs for folder in (pack.folder, *pack.includes)):
        if path.is_file():
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    if row["code"] in codes:
                        found.setdefault(row["code"], row["name"])
    return found
