"""Reads a grouping scheme: a folder of CSV tables in the layout of ``docs/grouping.md``.

The tables say which diagnosis and procedure codes lead to which group. Columns that only local variants need may be
left out, as may whole optional tables. Every fault is collected with file, line and remedy; nothing is guessed.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from adjudicator.rulefile.evidence import Evidence, read_support
from adjudicator.rulefile.faults import Faults, nearest
from adjudicator.rulefile.fields import Word
from adjudicator.rulefile.reader import read_struct, read_toml

LIMIT_COLUMNS = (
    "sex",
    "age_years_min", "age_years_max", "age_days_min", "age_days_max", "weight_min_g", "weight_below_g",
    "stay_days_min", "stay_days_max", "icu_hours_min", "icu_hours_max", "discharge_way", "department",
)  # fmt: skip
"""Conditions that an ADRG rule or a DRG may carry besides its code lists."""

MATCH_COLUMNS = ("diagnosis_match", "procedure_match", "combination")


@dataclass(frozen=True)
class TableShape:
    """Columns of one table; ``key`` is what a duplicate row would repeat."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    optional_file: bool = False


SHAPES: dict[str, TableShape] = {
    "mdc": TableShape(("order", "mdc", "gate"), ("sex", "age_years_max", "min_regions", "ambiguity", "name"), ("mdc",)),
    "mdc_principal_diagnosis": TableShape(("mdc", "code"), ("region",), ("mdc", "code")),
    "mdc_procedure": TableShape(("mdc", "code"), (), ("mdc", "code"), optional_file=True),
    "adrg": TableShape(
        ("mdc", "order", "adrg", "section", "diagnosis_match", "procedure_match"),
        ("combination", "rule", "no_drg", *LIMIT_COLUMNS, "name"),
        ("adrg", "rule"),
    ),
    "adrg_code": TableShape(("adrg", "system", "list", "code"), ("rule",), ("adrg", "rule", "system", "list", "code")),
    "drg": TableShape(
        ("adrg", "order", "drg", "severity"),
        ("rule", *MATCH_COLUMNS, *LIMIT_COLUMNS, "name"),
        ("adrg", "rule", "order"),
    ),
    "drg_code": TableShape(
        ("drg", "system", "list", "code"), (), ("drg", "system", "list", "code"), optional_file=True
    ),
    "valid_procedure": TableShape(("code",), (), ("code",)),
    "mcc": TableShape(("code", "exclusion_table"), (), ("code",)),
    "cc": TableShape(("code", "exclusion_table"), (), ("code",)),
    "exclusion": TableShape(("principal_code", "exclusion_table"), (), ("principal_code",)),
    "code_map": TableShape(("system", "from_code", "to_code"), (), ("system", "from_code"), optional_file=True),
    "code_name": TableShape(("system", "code", "name"), (), ("system", "code"), optional_file=True),
}
"""The tables of a scheme; ``<name>.csv`` or ``<name>.csv.gz``."""

FILE = "scheme.toml"


class SchemeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a grouping scheme says of itself; all of it may be left out."""

    name: str = ""
    """Name of the scheme; left out: that of its folder."""
    name_zh: str = ""
    document: str = ""
    clause: str = ""
    link: str = ""
    checked_on: datetime.date | None = None
    evidence: Annotated[str, Word(tuple(str(grade) for grade in Evidence))] = ""
    version: str = ""
    licence: str = ""
    no_drg_fits: Literal["", "bare_adrg", "next_adrg"] = ""
    """What a record gets that no DRG of its ADRG takes; left out: a fault where that can happen."""
    retry_other_procedures: bool = False
    as_published: bool = False
    """Oddities of the publisher (groups that no record reaches, ADRGs without a last DRG) are notes, not faults."""


@dataclass
class SchemeTables:
    """Rows of every table as read: ``rows[table]`` is a list of (line, {column: text})."""

    folder: Path
    options: SchemeOptions = field(default_factory=SchemeOptions)
    rows: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)

    def __getitem__(self, table: str) -> list[tuple[int, dict[str, str]]]:
        return self.rows.get(table, [])


def source_files(folder: Path) -> list[Path]:
    """Return the files of a scheme that exist, in a fixed order."""
    names = [FILE, *(f"{table}.csv{suffix}" for table in SHAPES for suffix in ("", ".gz"))]
    return [folder / name for name in names if (folder / name).is_file()]


def read_tables(folder: Path, faults: Faults) -> SchemeTables:
    """Read all tables of ``folder``; faults are added, rows that have one are left out."""
    tables = SchemeTables(folder, _read_options(folder, faults))
    for name, shape in SHAPES.items():
        text = _read_text(folder, name, shape, faults)
        tables.rows[name] = [] if text is None else _read_rows(name, text, shape, faults)
    return tables


def _read_options(folder: Path, faults: Faults) -> SchemeOptions:
    raw = read_toml(folder / FILE, FILE, faults) if (folder / FILE).is_file() else None
    read = read_struct(SchemeOptions, raw or {}, FILE, "", faults) or SchemeOptions()
    if raw is not None and read.evidence:
        read_support(raw, FILE, "", faults)
    return read if read.name else msgspec.structs.replace(read, name=folder.name)


def _read_text(folder: Path, name: str, shape: TableShape, faults: Faults) -> str | None:
    plain, packed = folder / f"{name}.csv", folder / f"{name}.csv.gz"
    if not plain.is_file() and not packed.is_file():
        if not shape.optional_file:
            faults.add(f"{name}.csv", "file", "missing", "add the table; a header line alone says that it is empty")
        return None
    path = plain if plain.is_file() else packed
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        faults.add(path.name, f"line {line}", "not UTF-8", "save the table as UTF-8")
    except (OSError, EOFError) as error:
        faults.add(path.name, "file", f"cannot be read: {error}")
    return None


def _read_rows(name: str, text: str, shape: TableShape, faults: Faults) -> list[tuple[int, dict[str, str]]]:
    file = f"{name}.csv"
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, None)
    if header is None:
        faults.add(file, "line 1", "no header line", f"write {','.join(shape.required)}")
        return []
    missing = [column for column in shape.required if column not in header]
    unknown = [column for column in header if column not in shape.required + shape.optional]
    for column in missing:
        faults.add(file, "line 1", f"column {column} is missing", f"write {','.join(shape.required)}")
    for column in unknown:
        known = shape.required + shape.optional
        faults.add(
            file, "line 1", f"unknown column {column!r}", nearest(column, known, "the columns are " + ", ".join(known))
        )
    if missing or unknown or len(set(header)) != len(header):
        if len(set(header)) != len(header):
            faults.add(file, "line 1", "a column stands twice")
        return []
    rows: list[tuple[int, dict[str, str]]] = []
    seen: dict[tuple[str, ...], int] = {}
    for values in reader:
        line = reader.line_num
        if len(values) != len(header):
            if values:
                faults.add(file, f"line {line}", f"{len(values)} values for {len(header)} columns")
            continue
        row = {column: value.strip() for column, value in zip(header, values, strict=True)}
        key = tuple(row.get(column, "") for column in shape.key)
        first = seen.setdefault(key, line)
        if first != line:
            faults.add(file, f"line {line}", f"repeats line {first} ({', '.join(key)})", "leave one of them out")
            continue
        rows.append((line, row))
    return rows
