"""Columns of claims and fee lines become the very tables that ``wire.decode`` makes of messages."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from adjudicator.claim.fields import CLAIM_SCHEMA, INT, UNSIGNED, as_numbers, place_of
from adjudicator.claim.incoming import ID_BYTES, Incoming
from adjudicator.columns import SPLIT
from adjudicator.errors import E, Problem
from adjudicator.limits import LAST_DATE, MAX_LINES_PER_CLAIM
from adjudicator.reprice.brought import BROUGHT, fill_brought
from adjudicator.reprice.convert import Heap, Note, list_of, numbers_of, texts_of
from adjudicator.reprice.fields import CLAIM_FIELDS, LINE_FIELDS, LINE_NUMBER, ORIGINAL_NUMBER, Kind
from adjudicator.reprice.kernels import (
    PLACE,
    ClaimColumns,
    LineColumns,
    Texts,
    fill_claims,
    fill_lines,
    find_texts,
)
from adjudicator.reprice.mapping import Column, Mapping
from adjudicator.wire.decode import MALFORMED, Decoded
from adjudicator.wire.schema import STRING_TABLE

WIRE_CLAIM, WIRE_LINE = CLAIM_SCHEMA.dtype(), CLAIM_SCHEMA.dtype("lines")
_LINE_ARRAYS = {"unit_price_e4": np.int64, "quantity_e4": np.int64, "amount_fen": np.int64, "fee_date": np.int32,
                "approval": np.uint32}  # fmt: skip
"""Numbers of a line that the kernel writes, by the form that it takes them in."""
_KERNEL_LINE = {"line_id", "item_code", "original_line_id", *_LINE_ARRAYS}
_SERIALS = pa.array([str(number) for number in range(1, MAX_LINES_PER_CLAIM + 1)])


class Rows(NamedTuple):
    """Some claims and their lines as they were read; ``ends`` int64[n + 1] are where the lines of each begin."""

    first: int
    """Row of the first claim in the whole input."""
    claims: dict[str, pa.Array]
    """Own name of the column -> its values."""
    lines: dict[str, pa.Array]
    ends: np.ndarray

    def __len__(self) -> int:
        return len(next(iter(self.claims.values())))


def incoming_of(rows: Rows, mapping: Mapping) -> tuple[Incoming, dict[int, list[Problem]]]:
    """Return the claims as the engine takes them, and what cannot be read, by row of the batch.

    A row that cannot be read has the status of a malformed message, so that nothing is priced.
    """
    count, heap = len(rows), Heap()
    claims, notes = np.zeros(count, WIRE_CLAIM), list[Note]()
    tables = {path: np.zeros(0, CLAIM_SCHEMA.dtype(path)) for path in CLAIM_SCHEMA.paths}
    _fill_claims(rows, mapping, claims, tables, heap, notes)
    of_lines = list[Note]()
    tables["lines"] = _lines(rows, mapping, heap, of_lines)
    claims["lines_start"], claims["lines_end"] = rows.ends[:-1], rows.ends[1:]
    claims[BROUGHT] = -1
    if BROUGHT in rows.claims:
        fill_brought(rows.claims[BROUGHT], claims, tables, heap, notes)
    tables[""] = claims
    status = np.zeros(count, np.int32)
    problems = _problems(notes, of_lines, rows.ends, status)
    octets, nowhere = heap.array(ID_BYTES), np.zeros(count, np.int64)
    decoded = Decoded(tables, status)  # type: ignore[arg-type]  # a plain dict: nobody encodes these tables
    return Incoming(
        octets, len(octets) - ID_BYTES, nowhere, nowhere, decoded, claims, tables["lines"], LAST_DATE
    ), problems


def _problems(
    notes: list[Note], of_lines: list[Note], ends: np.ndarray, status: np.ndarray
) -> dict[int, list[Problem]]:
    """Return the notes by claim, the lowest number first, and mark these claims."""
    found: dict[int, list[Problem]] = {}
    for number, name, bad in notes:
        for row in bad.tolist():
            found.setdefault(row, []).append(Problem(number, name, _detail(number)))
    for number, name, bad in of_lines:
        owners = np.searchsorted(ends, bad, "right") - 1
        for row, line in zip(owners.tolist(), bad.tolist(), strict=True):
            problem = Problem(number, f"lines[{line - int(ends[row])}].{name}", _detail(number))
            found.setdefault(row, []).append(problem)
    for row, problems in found.items():
        status[row] = MALFORMED
        problems.sort(key=lambda problem: problem.number)
    return found


def _detail(number: int) -> str:
    return "a number with more digits than the unit has" if number == E.NOT_AN_AMOUNT else ""


# ---------------------------------------------------------------- claims


@lru_cache(maxsize=64)
def _target(name: str) -> tuple[int, int]:
    place, kind = place_of(WIRE_CLAIM, name)
    return place, INT if kind == UNSIGNED else kind


def _fill_claims(
    rows: Rows, mapping: Mapping, claims: np.ndarray, tables: dict[str, np.ndarray], heap: Heap, notes: list[Note]
) -> None:
    """Write every field of the claims but their lines."""
    count = len(rows)
    numbers: dict[str, np.ndarray] = {}
    for name, column in mapping.claim.items():
        array = _array(column, rows.claims, count)
        if array is None:
            continue
        kind = CLAIM_FIELDS[name].kind
        if kind is Kind.TEXTS:
            offsets, entries = list_of(array)
            tables[name] = _texts(column, entries, heap, notes, offsets)
            claims[f"{name}_start"], claims[f"{name}_end"] = offsets[:-1], offsets[1:]
        elif kind is Kind.TEXT:
            starts, sizes = np.empty(count, np.int64), np.empty(count, np.int64)
            find_texts(texts_of(column, array, heap, notes), starts, sizes)
            numbers[f"{name}_start"], numbers[f"{name}_size"] = starts, sizes
        else:
            values, present = numbers_of(column, array, notes)
            numbers[name] = values
            if f"has_{name}" in (WIRE_CLAIM.names or ()):
                claims[f"has_{name}"] = 1 if present is None else present
    places = np.zeros(len(numbers), PLACE)
    for place, name in zip(places, numbers, strict=True):
        place["target"], place["target_kind"] = _target(name)
    columns = np.stack(list(numbers.values())) if numbers else np.zeros((0, count), np.int64)
    fill_claims(ClaimColumns(columns, places), as_numbers(claims))


def _array(column: Column, columns: dict[str, pa.Array], count: int) -> pa.Array | None:
    """Return the values of a column, None where the table does not have it."""
    if column.value is not None:
        return pa.repeat(pa.scalar(column.value), count)
    return columns.get(column.name)


def _texts(column: Column, entries: pa.Array, heap: Heap, notes: list[Note], offsets: np.ndarray) -> np.ndarray:
    """Return the rows of a repeated text."""
    own = list[Note]()
    texts = texts_of(column, entries, heap, own)
    notes += [note._replace(rows=np.searchsorted(offsets, note.rows, "right") - 1) for note in own]
    out = np.zeros(len(entries), STRING_TABLE)
    starts, sizes = np.empty(len(entries), np.int64), np.empty(len(entries), np.int64)
    find_texts(texts, starts, sizes)
    out["start"], out["size"] = starts, sizes
    return out


def parts_of(rows: Rows, mapping: Mapping) -> tuple[np.ndarray, dict[int, list[Problem]]]:
    """Return SPLIT[n] of claims without lines, and what of it cannot be read, by row of the batch."""
    splits, notes = np.zeros(len(rows), SPLIT), list[Note]()
    for name, column in mapping.parts.items():
        array = _array(column, rows.claims, len(rows))
        if array is not None:
            splits[name] = numbers_of(column, array, notes)[0]
    return splits, _problems(notes, [], rows.ends, np.zeros(len(rows), np.int32))


# ---------------------------------------------------------------- lines


def _lines(rows: Rows, mapping: Mapping, heap: Heap, notes: list[Note]) -> np.ndarray:
    """Return the wire table of the fee lines."""
    count = int(rows.ends[-1])
    serials = _serials(rows, heap) if {LINE_NUMBER, ORIGINAL_NUMBER} & rows.lines.keys() else {}

    def texts(name: str) -> Texts:
        column = mapping.line.get(name)
        array = _array(column, rows.lines, count) if column is not None else None
        if column is None or array is None:
            return serials.get(name, _NO_TEXTS(count))
        return texts_of(column, array, heap, notes)

    def numbers(name: str) -> np.ndarray:
        column = mapping.line.get(name)
        array = _array(column, rows.lines, count) if column is not None else None
        form = _LINE_ARRAYS[name]
        if column is None or array is None:
            return np.zeros(count, form)
        return np.ascontiguousarray(numbers_of(column, array, notes)[0].astype(form, copy=False))

    columns = LineColumns(
        texts("line_id"), texts("item_code"), texts("original_line_id"), *(numbers(name) for name in _LINE_ARRAYS)
    )  # fmt: skip
    out = np.empty(count, WIRE_LINE)
    fill_lines(columns, out)
    for name, column in mapping.line.items():
        array = None if name in _KERNEL_LINE else _array(column, rows.lines, count)
        if array is None:
            continue
        if LINE_FIELDS[name].kind is Kind.TEXT:
            starts, sizes = np.empty(count, np.int64), np.empty(count, np.int64)
            find_texts(texts_of(column, array, heap, notes), starts, sizes)
            out[f"{name}_start"], out[f"{name}_size"] = starts, sizes
        else:
            out[name] = numbers_of(column, array, notes)[0]
    return out


def _NO_TEXTS(count: int) -> Texts:
    return Texts(np.full(count, -1, np.int32), np.zeros(1, np.int64), np.zeros(1, np.int32))


def _serials(rows: Rows, heap: Heap) -> dict[str, Texts]:
    """Return line ids and original line ids from the numbers that ``synth`` writes; no line has one out of range."""
    start = heap.add(np.frombuffer(_SERIALS.buffers()[2], np.uint8))
    ends = np.frombuffer(_SERIALS.buffers()[1], np.int32)[: len(_SERIALS) + 1]
    starts, sizes = start + ends[:-1].astype(np.int64), np.diff(ends)
    found = {}
    for name, own in (("line_id", LINE_NUMBER), ("original_line_id", ORIGINAL_NUMBER)):
        if own in rows.lines:
            array = rows.lines[own]
            array = array.fill_null(-1) if array.null_count else array
            index = array.to_numpy(zero_copy_only=False)
            if index.dtype != np.int32 or (len(index) and not (index.min() >= -1 and index.max() < len(_SERIALS))):
                index = np.where((index >= 0) & (index < len(_SERIALS)), index, -1).astype(np.int32)
            found[name] = Texts(index, starts, sizes)
    return found
