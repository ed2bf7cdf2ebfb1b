"""The input: which files hold claims and fee lines, cut into units of work whose rows are counted beforehand.

A unit is some row groups of one file, or some messages; it depends on the files alone. Rows of claims are numbered
from 0 over all files in the order of their names, and results come in this order.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.reprice import messages
from adjudicator.reprice.brought import BROUGHT, check_brought
from adjudicator.reprice.convert import check_type, list_of
from adjudicator.reprice.fields import (
    CLAIM_FIELDS,
    CLAIM_ROW,
    LINE_FIELDS,
    LINE_KEYS,
    LINE_NUMBER,
    ORIGINAL_NUMBER,
    PARTS,
    Field,
    Kind,
)
from adjudicator.reprice.mapping import Column, Mapping
from adjudicator.reprice.tables import Rows

UNIT_ROWS = 131_072
"""Claims of a unit, unless one row group has more."""
MOST_LINES_READ = 1 << 17
"""Lines that are read at once."""
NESTED = "lines"
_PLAIN = frozenset({"encounter_id", "line_id", "original_line_id", "referral_from_encounter"})
"""Texts that hardly come twice; of the others the dictionary is read once."""


class Unit(NamedTuple):
    """One unit of work: ``claims`` claims from row ``first`` of the input, from ``begin`` to ``end`` of a file.

    ``begin`` and ``end`` are row groups, or bytes of a file of messages; ``row_in_file`` is the first row there.
    """

    number: int
    file: str
    begin: int
    end: int
    first: int
    claims: int
    row_in_file: int


class Span(NamedTuple):
    """One row group of a table of lines: the first and the last row of the claims that it has lines of."""

    file: str
    group: int
    least: int
    most: int


class Source(NamedTuple):
    """The input as it lies on disk."""

    layout: str
    """``nested``, ``tables``, ``amounts`` (claims without lines) or ``messages``."""
    files: list[str]
    """All files, for the manifest."""
    units: list[Unit]
    spans: list[Span]
    loose: tuple[Unit, ...] = ()
    """Parts of a table of lines that are not in the order of their claims; ``arrange`` sorts them."""

    @property
    def claims(self) -> int:
        """Claims of the input."""
        return sum(unit.claims for unit in self.units)

    @property
    def firsts(self) -> np.ndarray:
        """First row of each unit, and the number of rows: int64[units + 1]."""
        return np.array([*(unit.first for unit in self.units), self.claims], np.int64)


def open_source(folder: Path, mapping: Mapping, arrange: bool = False) -> Source:
    """Look at the files of a folder, or at one file, and check the columns; ``arrange``: lines are in any order.

    Errors: E.INPUT_UNREADABLE, E.INPUT_COLUMN, E.INPUT_TYPE, all that the tables have.
    """
    if not folder.exists():
        raise refuse(E.INPUT_UNREADABLE, folder.name, f"{folder.name} is not there", f"{folder.name} 不存在")
    claims, lines = _parquet_files(folder, mapping)
    if not claims:
        found = [folder] if folder.is_file() else sorted(folder.rglob("*.pb"))
        if not found or any(path.suffix != ".pb" for path in found):
            neither = f"{folder.name} has neither claims in .parquet nor .pb files"
            raise refuse(E.INPUT_UNREADABLE, folder.name, neither, f"{folder.name} 中没有 .parquet 或 .pb 文件")
        return Source("messages", [str(path) for path in found], _units_of_messages(found), [])
    layout = "tables" if lines else _layout_without_lines(claims, mapping)
    check_claims(_same_schema(claims), mapping, layout)
    units = _units(claims)
    files = [str(path) for path in (*claims, *lines)]
    if not lines:
        return Source(layout, files, units, [])
    schema = _same_schema(lines)
    _check_columns(schema, mapping.line, LINE_FIELDS, _line_stand_ins(schema))
    if arrange or CLAIM_ROW not in schema.names:
        _check_keys(schema, mapping)
        return Source("tables", files, units, [], tuple(_units(lines, MOST_LINES_READ)))
    return Source("tables", files, units, spans_of(lines, sum(unit.claims for unit in units)))


def _check_keys(schema: pa.Schema, mapping: Mapping) -> None:
    """Refuse lines that say neither the row nor the encounter of their claim. Errors: E.INPUT_COLUMN, E.INPUT_TYPE."""
    if CLAIM_ROW in schema.names:
        if not pa.types.is_integer(schema.field(CLAIM_ROW).type):
            raise refuse(E.INPUT_TYPE, CLAIM_ROW, f"{CLAIM_ROW} is {schema.field(CLAIM_ROW).type}")
        return
    if mapping.line_keys.get("encounter_id") not in schema.names:
        either = f"{CLAIM_ROW}, or {mapping.line_keys.get('encounter_id', 'encounter_id')}"
        raise refuse(E.INPUT_COLUMN, CLAIM_ROW, either, either.replace(", or ", " 或 "))
    for name in mapping.line_keys.values():
        if name in schema.names:
            kind = schema.field(name).type
            kind = kind.value_type if pa.types.is_dictionary(kind) else kind
            if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
                raise refuse(E.INPUT_TYPE, name, f"{name} is {kind}, and must be a text or a whole number")


def _parquet_files(folder: Path, mapping: Mapping) -> tuple[list[Path], list[Path]]:
    """Return the files of the claims and those of the lines, none where the claims hold their lines."""
    if folder.is_file():
        return ([folder] if folder.suffix == ".parquet" else []), []
    if mapping.claims_at or mapping.lines_at:
        both = sorted(folder.glob(mapping.claims_at or "claims*")), sorted(folder.glob(mapping.lines_at or "lines*"))
        if not all(both):
            none = "[tables] of the mapping names no file of the folder"
            raise refuse(E.INPUT_UNREADABLE, folder.name, none, "映射文件 [tables] 所指文件在目录中不存在")
        return both
    lines = _under(folder, "lines")
    claims = _under(folder, "claims")
    if lines and not claims:
        alone = f"{folder.name} has lines.parquet and no claims.parquet"
        raise refuse(E.INPUT_UNREADABLE, folder.name, alone, f"{folder.name} 中有 lines.parquet 而无 claims.parquet")
    return (claims, lines) if claims else (sorted(folder.rglob("*.parquet")), [])


def _under(folder: Path, name: str) -> list[Path]:
    one = folder / f"{name}.parquet"
    return [one] if one.is_file() else sorted((folder / name).rglob("*.parquet"))


def _open(path: Path, **options: Any) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, **options)
    except (OSError, pa.ArrowInvalid) as error:
        raise refuse(E.INPUT_UNREADABLE, path.name, f"{path.name}: {error}") from error


# ---------------------------------------------------------------- columns


def _same_schema(files: list[Path]) -> pa.Schema:
    """Return the schema of some files, which must have the same columns. Errors: E.INPUT_UNREADABLE."""
    first = _open(files[0]).schema_arrow
    for path in files[1:]:
        other = _open(path).schema_arrow
        if other.names != first.names:
            differs = f"{path.name} has other columns than {files[0].name}"
            raise refuse(E.INPUT_UNREADABLE, path.name, differs, f"{path.name} 与 {files[0].name} 的列不同")
    return first


def _layout_without_lines(files: list[Path], mapping: Mapping) -> str:
    """Return whether claims hold their lines, or have none and bring the amount in scope."""
    names, column = _same_schema(files).names, mapping.parts.get("in_scope_fen")
    brings = column is not None and (column.value is not None or column.name in names)
    return "amounts" if brings and NESTED not in names else "nested"


def check_claims(schema: pa.Schema, mapping: Mapping, layout: str) -> None:
    """Check the columns of the claims, and of the lines inside them. Errors: E.INPUT_COLUMN, E.INPUT_TYPE."""
    if BROUGHT in schema.names and not mapping.source:
        check_brought(schema.field(BROUGHT).type)
    if layout == "nested":
        if NESTED not in schema.names:
            raise refuse(E.INPUT_COLUMN, NESTED, NESTED)
        kind = schema.field(NESTED).type
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)) or not pa.types.is_struct(kind.value_type):
            raise refuse(E.INPUT_TYPE, NESTED, f"{NESTED} is {kind}, and must be a list of records")
        inner = pa.schema([kind.value_type.field(place) for place in range(kind.value_type.num_fields)])
        _check_columns(inner, mapping.line, LINE_FIELDS, _line_stand_ins(inner))
    parts, required = (mapping.parts, PARTS) if layout == "amounts" else ({}, {})
    _check_columns(schema, {**mapping.claim, **parts}, CLAIM_FIELDS | required, {})


def _line_stand_ins(schema: pa.Schema) -> dict[str, str]:
    """Return the columns of numbers that may take the place of a required field."""
    return {"line_id": LINE_NUMBER} if LINE_NUMBER in schema.names else {}


def _check_columns(schema: pa.Schema, columns: Any, fields: dict[str, Field], stand_ins: dict[str, str]) -> None:
    """Refuse missing columns and wrong types, all at once."""
    problems: list[Problem] = []
    required = [field for field in fields.values() if field.required]
    for field in required:
        column: Column | None = columns.get(field.name)
        there = column is not None and (column.value is not None or column.name in schema.names)
        if not there and field.name not in stand_ins:
            name = column.name if column is not None else field.name
            problems.append(Problem(int(E.INPUT_COLUMN), field.name, name))
    for column in columns.values():
        if column.name in schema.names:
            try:
                check_type(column, schema.field(column.name).type)
            except AdjudicatorError as error:
                problems += error.problems
    if problems:
        raise AdjudicatorError(*problems)


# ---------------------------------------------------------------- units


def _units(files: list[Path], least: int = UNIT_ROWS) -> list[Unit]:
    units: list[Unit] = []
    first = 0
    for path in files:
        metadata = _open(path).metadata
        begin = rows = row_in_file = 0
        for group in range(metadata.num_row_groups):
            rows += metadata.row_group(group).num_rows
            if rows >= least or group == metadata.num_row_groups - 1:
                if rows:
                    units.append(Unit(len(units), str(path), begin, group + 1, first, rows, row_in_file))
                first, row_in_file = first + rows, row_in_file + rows
                begin, rows = group + 1, 0
    return units


def _units_of_messages(files: list[Path]) -> list[Unit]:
    units: list[Unit] = []
    first = 0
    for path in files:
        row_in_file = 0
        for begin, end, count in messages.spans(path, UNIT_ROWS):
            units.append(Unit(len(units), str(path), begin, end, first, count, row_in_file))
            first, row_in_file = first + count, row_in_file + count
    return units


def _disorder() -> AdjudicatorError:
    mixed = "the lines are not in the order of their claims; --arrange sorts them first"
    return refuse(E.INPUT_UNREADABLE, CLAIM_ROW, mixed, "明细未按结算单的顺序排列，可加 --arrange 先行排序")


def spans_of(files: list[Path], count: int) -> list[Span]:
    """Return the row groups of the lines in the order of their claims. Errors: E.INPUT_UNREADABLE, E.INPUT_COLUMN."""
    spans: list[Span] = []
    for path in files:
        file = _open(path)
        if CLAIM_ROW not in file.schema_arrow.names:
            raise refuse(E.INPUT_COLUMN, CLAIM_ROW, CLAIM_ROW)
        if not pa.types.is_integer(file.schema_arrow.field(CLAIM_ROW).type):
            raise refuse(E.INPUT_TYPE, CLAIM_ROW, f"{CLAIM_ROW} is {file.schema_arrow.field(CLAIM_ROW).type}")
        place = file.schema_arrow.names.index(CLAIM_ROW)
        for group in range(file.metadata.num_row_groups):
            if file.metadata.row_group(group).num_rows:
                spans.append(Span(str(path), group, *_claims_of(file, group, place)))
    for one, other in itertools.pairwise(spans):
        if other.least < one.most:
            raise _disorder()
    if spans and (spans[0].least < 0 or spans[-1].most >= count):
        raise refuse(E.INPUT_UNREADABLE, CLAIM_ROW, f"a line names a claim outside 0 to {count - 1}")
    return spans


def _claims_of(file: pq.ParquetFile, group: int, place: int) -> tuple[int, int]:
    """Return the least and the largest claim row of a row group of lines."""
    statistics = file.metadata.row_group(group).column(place).statistics
    if statistics is not None and statistics.has_min_max and not statistics.null_count:
        return int(statistics.min), int(statistics.max)
    column = file.read_row_group(group, [CLAIM_ROW], use_threads=False).column(0)
    if column.null_count:
        raise refuse(E.INPUT_UNREADABLE, CLAIM_ROW, "a line names no claim")
    extremes = pc.min_max(column)
    return extremes["min"].as_py(), extremes["max"].as_py()


# ---------------------------------------------------------------- reading


def _wanted(schema: pa.Schema, columns: Any, more: tuple[str, ...] = ()) -> list[str]:
    """Return the columns that are read."""
    names = {column.name for column in columns.values()} | set(more)
    return [name for name in schema.names if name in names]


def _with_dictionaries(path: Path, columns: Any) -> pq.ParquetFile:
    """Open a file so that texts which come again and again are read as dictionaries."""
    metadata = _open(path).metadata
    wanted = {
        column.name
        for name, column in columns.items()
        if column.name and column.field.kind is Kind.TEXT and name not in _PLAIN
    }
    leaves = [metadata.schema.column(place) for place in range(metadata.num_columns)]
    texts = [leaf.path for leaf in leaves if leaf.path in wanted and leaf.physical_type == "BYTE_ARRAY"]
    return _open(path, read_dictionary=texts, metadata=metadata)


def read_unit(source: Source, unit: Unit, mapping: Mapping, batch: int) -> Iterator[Rows]:
    """Yield the claims of a unit of Parquet tables with their lines, at most ``batch`` at once."""
    nested = source.layout == "nested"
    # Not inside lists: Arrow cannot read a list of records whose dictionary changes from page to page.
    file = _with_dictionaries(Path(unit.file), mapping.claim)
    parts = mapping.parts if source.layout == "amounts" else {}
    more = (*((NESTED,) if nested else ()), *(() if mapping.source else (BROUGHT,)))
    names = _wanted(file.schema_arrow, {**mapping.claim, **parts}, more)
    lines = _Lines(source.spans, mapping)
    first = unit.first
    groups = (file.iter_batches(batch, [group], names, use_threads=False) for group in range(unit.begin, unit.end))
    for read in itertools.chain.from_iterable(groups):
        columns = dict(zip(read.schema.names, read.columns, strict=True))
        if nested:
            ends, entries = list_of(columns.pop(NESTED))
            of_lines = dict(zip(entries.type.names, entries.flatten(), strict=True))
        else:
            ends, of_lines = lines.take(first, first + read.num_rows)
        yield Rows(first, columns, of_lines, ends)
        first += read.num_rows


class _Lines:
    """Reads a table of lines from front to back, some claims at a time."""

    def __init__(self, spans: list[Span], mapping: Mapping) -> None:
        self._spans, self._mapping = spans, mapping
        self._next: int | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._files: dict[str, pq.ParquetFile] = {}

    def take(self, first: int, end: int) -> tuple[np.ndarray, dict[str, pa.Array]]:
        """Return the lines of the claims from row ``first`` up to ``end``, and where those of each begin."""
        if self._next is None:
            self._next = next((at for at, span in enumerate(self._spans) if span.most >= first), len(self._spans))
        parts = []
        while True:
            if not self._waiting:
                read = next(self._batches, None)
                if read is None:
                    if self._next >= len(self._spans) or self._spans[self._next].least >= end:
                        break
                    self._batches = self._read(self._spans[self._next])
                    self._next += 1
                    continue
                self._waiting.append(read)
            part = self._waiting.pop()
            claims = _claim_rows(part)
            low, high = np.searchsorted(claims, (first, end)).tolist()
            if high > low:
                parts.append(part.slice(low, high - low))
            if high < part.num_rows:
                self._waiting.append(part.slice(high))
                break
        if not parts:
            return np.zeros(end - first + 1, np.int64), {}
        joined = parts[0] if len(parts) == 1 else pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
        ends = np.searchsorted(_claim_rows(joined), np.arange(first, end + 1)).astype(np.int64)
        return ends, dict(zip(joined.schema.names, joined.columns, strict=True))

    def _read(self, span: Span) -> Iterator[pa.RecordBatch]:
        if span.file not in self._files:
            self._files = {span.file: _with_dictionaries(Path(span.file), self._mapping.line)}
        file = self._files[span.file]
        names = _wanted(file.schema_arrow, self._mapping.line, (CLAIM_ROW, LINE_NUMBER, ORIGINAL_NUMBER))
        return iter(file.iter_batches(MOST_LINES_READ, [span.group], names, use_threads=False))


def _claim_rows(part: pa.RecordBatch) -> np.ndarray:
    """Return the claim row of each line. Errors: E.INPUT_UNREADABLE where they do not ascend."""
    column = part.column(CLAIM_ROW)
    if column.null_count:
        raise refuse(E.INPUT_UNREADABLE, CLAIM_ROW, "a line names no claim")
    rows: np.ndarray = column.to_numpy()
    if (np.diff(rows) < 0).any():
        raise _disorder()
    return rows


def identity_of(source: Source, unit: Unit, mapping: Mapping) -> dict[str, pa.ChunkedArray]:
    """Return institution, encounter and sequence of every claim of a unit, as they came."""
    if source.layout == "messages":
        return messages.identity(Path(unit.file), unit.begin, unit.end)
    file = _open(Path(unit.file))
    names = [mapping.claim[name].name for name in LINE_KEYS if mapping.claim[name].name]
    table = file.read_row_groups(list(range(unit.begin, unit.end)), names, use_threads=False)
    return identity_in(table, mapping)


def identity_in(table: pa.Table, mapping: Mapping) -> dict[str, pa.ChunkedArray]:
    """Return institution, encounter and sequence of a table of claims, as they came."""
    found = {}
    for name in LINE_KEYS:
        column = mapping.claim[name]
        own = column.value is None
        found[name] = table.column(column.name) if own else pa.chunked_array([pa.repeat(column.value, len(table))])
    return found
