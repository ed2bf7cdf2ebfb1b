"""The one reader of rule files: TOML tables and CSV rows become structs, and one run names every key that is wrong.

The types of a struct's fields say what may be written (:mod:`adjudicator.rulefile.fields`). A field of the type
:class:`Source`, :class:`Support` or :class:`Where` is filled from the table itself: its dates and evidence, its
evidence alone, its place in the file.
"""

from __future__ import annotations

import csv
import tomllib
import types
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import msgspec

from adjudicator.rulefile.dated import SOURCE_KEYS, Source, read_source
from adjudicator.rulefile.evidence import EVIDENCE_KEYS, Support, read_support
from adjudicator.rulefile.faults import Faults, nearest
from adjudicator.rulefile.fields import (
    Codes,
    Day,
    Member,
    Members,
    Number,
    Where,
    Word,
    read_codes,
    read_day,
    read_member,
    read_members,
    read_number,
    read_word,
)

T = TypeVar("T", bound=msgspec.Struct)
_FAULTY = object()
"""In place of a value that could not be read."""


def read_toml(path: Path, label: str, faults: Faults) -> dict[str, Any] | None:
    """Return a TOML file with decimals kept exact; None and a fault when it is missing, not UTF-8 or not TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        faults.add(label, "file", "is missing", "add it; docs/your-city.md shows a small one")
    except UnicodeDecodeError as error:
        faults.add(label, f"byte {error.start}", "is not UTF-8 text", "save the file as UTF-8")
    except (tomllib.TOMLDecodeError, OSError) as error:
        faults.add(label, "file", f"is not valid TOML: {error}", "correct the line")
    return None


def read_struct(kind: type[T], raw: Any, file: str, key: str, faults: Faults, cells: bool = False) -> T | None:
    """Return one struct; unknown keys, missing keys and wrong values are faults, each with what to write.

    ``cells``: ``raw`` is a row of a CSV table. Its values are texts, an empty one counts as left out.
    """
    if not isinstance(raw, Mapping):
        faults.add(file, key, "is not a table", f"write [[{key.split('[')[0]}]] blocks")
        return None
    written = {name: value for name, value in raw.items() if value != ""} if cells else raw
    fields = fields_of(kind)
    unknown_keys(written, keys_of(kind), file, key, faults)
    before = len(faults)
    values: dict[str, Any] = {}
    for field in fields:
        where = f"{key}.{field.encode_name}" if key else field.encode_name
        if field.type is Source:
            values[field.name] = read_source(written, file, key, faults)
        elif field.type is Support:
            values[field.name] = read_support(written, file, key, faults)
        elif field.type is Where:
            values[field.name] = Where(file, key)
        elif field.encode_name in written:
            value = _value(field.type, written[field.encode_name], file, where, faults, cells)
            if value is not _FAULTY:
                values[field.name] = value
        elif field.required:
            faults.add(file, where, "is missing", f"write {described(field.type)}")
    return kind(**values) if len(faults) == before else None


@cache
def fields_of(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Return the fields of a kind of table; finding them out takes longer than reading a row."""
    return msgspec.structs.fields(kind)


@cache
def keys_of(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the keys that may be written in a table of a kind, in order."""
    keys: list[str] = []
    for field in fields_of(kind):
        if field.type is Source:
            keys += SOURCE_KEYS
        elif field.type is Support:
            keys += EVIDENCE_KEYS
        elif field.type is not Where:
            keys.append(field.encode_name)
    return tuple(keys)


def read_structs(kind: type[T], raw: Any, file: str, key: str, faults: Faults) -> tuple[T, ...]:
    """Return an array of tables; entries with faults are left out."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        faults.add(file, key, "is not an array of tables", f"write [[{key}]] blocks")
        return ()
    read = (read_struct(kind, entry, file, f"{key}[{number}]", faults) for number, entry in enumerate(raw))
    return tuple(entry for entry in read if entry is not None)


class CsvLine(NamedTuple):
    """One row of a CSV file as read: where it is, and its cells by column."""

    where: Where
    cells: dict[str, str]


class CsvTable(NamedTuple):
    """A CSV file as read."""

    columns: tuple[str, ...]
    lines: list[CsvLine]


def read_csv(folder: Path, name: str, faults: Faults) -> CsvTable | None:
    """Return the rows of a CSV file; None and a fault where it cannot be read.

    A row with more or fewer cells than the header is a fault and left out.
    """
    path, lines = folder / name, []
    if not name or not path.is_file():
        faults.add(name or "file", "file", "does not exist", "add the file or correct its name")
        return None
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        try:
            columns = tuple(next(reader, ()))
            for row in reader:
                where = Where(name, f"line {reader.line_num}")
                if len(row) == len(columns):
                    lines.append(CsvLine(where, dict(zip(columns, row, strict=True))))
                elif row:
                    faults.add(*where, "has more or fewer cells than the header", "correct the row")
        except (UnicodeDecodeError, csv.Error) as error:
            faults.add(name, f"line {reader.line_num + 1}", f"cannot be read: {error}", "save the file as CSV in UTF-8")
            return None
    return CsvTable(columns, lines)


def read_rows(kind: type[T], folder: Path, name: str, faults: Faults) -> list[T]:
    """Return the rows of a CSV file as structs; a missing or unknown column is one fault, a wrong cell one each.

    Every field of ``kind`` is a column; one with a default may be left out or empty.
    """
    table = read_csv(folder, name, faults)
    if table is None or not check_columns(kind, table.columns, name, faults):
        return []
    rows = (read_line(kind, line, faults) for line in table.lines)
    return [row for row in rows if row is not None]


def read_line(kind: type[T], line: CsvLine, faults: Faults) -> T | None:
    """Return one row of a CSV file as a struct; None and a fault for each cell that is wrong."""
    return read_struct(kind, line.cells, line.where.file, line.where.key, faults, cells=True)


def read_value(kind: Any, cell: str, where: Where, column: str, faults: Faults) -> Any:
    """Return one cell of a CSV row whose column no struct names; None where it is empty, or wrong and a fault."""
    if cell == "":
        return None
    value = _value(kind, cell, where.file, f"{where.key}.{column}", faults, True)
    return None if value is _FAULTY else value


def check_columns(kind: type[msgspec.Struct], columns: Collection[str], name: str, faults: Faults) -> bool:
    """Note a fault for each column that is missing or that nothing reads; tell whether there was none."""
    before = len(faults)
    needed = [field.encode_name for field in fields_of(kind) if field.required and field.type is not Where]
    missing = [column for column in needed if column not in columns]
    unknown = [column for column in columns if column not in keys_of(kind)]
    for column in unknown:
        remedy = nearest(column, keys_of(kind), "the columns are " + ", ".join(keys_of(kind)))
        faults.add(name, "line 1", f"unknown column {column!r}", remedy)
    if missing:
        faults.add(name, "line 1", f"has no column {', '.join(missing)}", "add the column to the header")
    return len(faults) == before


def unknown_keys(raw: Mapping[str, Any], known: Collection[str], file: str, key: str, faults: Faults) -> None:
    """Note a fault for each key that nothing reads, with the nearest one that exists."""
    for name in raw:
        if name not in known:
            remedy = nearest(str(name), known, "the keys are " + ", ".join(known))
            faults.add(file, f"{key}.{name}" if key else str(name), "unknown key", remedy)


def without_none(kind: Any) -> Any:
    """Return the type of a field without ``None``, which only says that it may be left out."""
    if get_origin(kind) in (Union, types.UnionType):
        parts = [part for part in get_args(kind) if part is not type(None)]
        return parts[0] if len(parts) == 1 else kind
    return kind


Marker = Number | Members | Member | Word | Codes | Day


def marker_of(kind: Any) -> Marker | None:
    """Return what a type of :mod:`adjudicator.rulefile.fields` says of its values."""
    if get_origin(kind) is Annotated:
        return next((part for part in get_args(kind)[1:] if isinstance(part, Marker)), None)
    return None


def _value(kind: Any, raw: Any, file: str, where: str, faults: Faults, cells: bool) -> Any:
    """Return one value of a field's type, or ``_FAULTY`` with a fault."""
    kind = without_none(kind)
    marker = marker_of(kind)
    before = len(faults)
    value: Any
    if marker is not None:
        value = _marked(marker, raw, file, where, faults, cells)
    elif get_origin(kind) is dict:
        value = _by_name(get_args(kind)[1], raw, file, where, faults)
    elif get_origin(kind) is tuple and marker_of(get_args(kind)[0]) is not None:
        value = _several(get_args(kind)[0], raw, file, where, faults)
    elif _is_struct(kind):
        value = read_struct(kind, raw, file, where, faults)
    elif get_origin(kind) is tuple and _is_struct(get_args(kind)[0]):
        value = read_structs(get_args(kind)[0], raw, file, where, faults)
    elif get_origin(kind) is Literal:
        value = raw
        if raw not in get_args(kind):
            faults.add(file, where, f"{raw!r} is not a choice", "write one of " + ", ".join(map(str, get_args(kind))))
    else:
        value = _plain(kind, raw, file, where, faults, cells)
    return value if len(faults) == before else _FAULTY


def _marked(marker: Marker, raw: Any, file: str, where: str, faults: Faults, cells: bool) -> Any:
    """Return one value of a kind of :mod:`adjudicator.rulefile.fields`."""
    if isinstance(marker, Number):
        return read_number(marker, raw, file, where, faults, cells)
    if isinstance(marker, Members):
        return read_members(marker, raw.split() if cells else raw, file, where, faults)
    if isinstance(marker, Member):
        return read_member(marker, raw, file, where, faults)
    if isinstance(marker, Word):
        return read_word(marker, raw, file, where, faults)
    if isinstance(marker, Codes):
        return read_codes(raw, file, where, faults, cells)
    return read_day(raw, file, where, faults, cells)


def _by_name(kind: Any, raw: Any, file: str, where: str, faults: Faults) -> dict[str, Any]:
    """Return a table whose keys are names of the pack, such as payment classes."""
    if not isinstance(raw, Mapping):
        faults.add(file, where, f"{raw!r} is not a table", f"write {{ NAME = {described(kind)} }}")
        return {}
    return {str(name): _value(kind, entry, file, f"{where}.{name}", faults, False) for name, entry in raw.items()}


def _several(kind: Any, raw: Any, file: str, where: str, faults: Faults) -> tuple[Any, ...]:
    """Return a list of values of one kind."""
    if not isinstance(raw, list):
        faults.add(file, where, f"{raw!r} is not a list", f"write a list of entries, each {described(kind)}")
        return ()
    return tuple(_value(kind, entry, file, f"{where}[{number}]", faults, False) for number, entry in enumerate(raw))


def _plain(kind: Any, raw: Any, file: str, where: str, faults: Faults, cells: bool) -> Any:
    """Return a text, a whole number, true or false, a date, or a list of them."""
    if cells and kind is not str:
        raw = {"true": True, "false": False}.get(raw, raw.split() if get_origin(kind) is tuple else raw)
    try:
        return msgspec.convert(raw, kind, strict=not cells)
    except msgspec.ValidationError as error:
        faults.add(file, where, str(error), f"write {described(kind)}")
        return _FAULTY


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def described(kind: Any) -> str:
    """Return what to write for a type, in words."""
    kind = without_none(kind)
    marker = marker_of(kind)
    if isinstance(marker, Number):
        return marker.remedy.removeprefix("write ")
    if isinstance(marker, Members):
        return "one or some of " + ", ".join(marker.words)
    if isinstance(marker, Member | Word):
        return "one of " + ", ".join(marker.words)
    if isinstance(marker, Codes):
        return "a code in quotes or a list of them"
    if isinstance(marker, Day):
        return "a date such as 2025-01-31"
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if _is_struct(kind):
        return "a table with the keys " + ", ".join(keys_of(kind))
    if get_origin(kind) is dict:
        return f"a table of names, each with {described(get_args(kind)[1])}"
    names = {str: "a text in quotes", int: "a whole number", bool: "true or false"}
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        return "[[ ]] blocks" if _is_struct(inner) else f"a list of entries, each {described(inner)}"
    return names.get(kind, f"a value of type {getattr(kind, '__name__', None) or str(kind).replace('typing.', '')}")
