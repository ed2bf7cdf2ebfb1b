"""Reads the tables of the unified catalogue (统一目录) of one folder into columns, with every fault that is in them.

The files are the three dated tables of the national interface, the list of items and the rules for groups of items:

``item.csv``        code, name, list_type, charge_category, flags
``class.csv``       code, area, class, restricted_use, from, to                                     (1312 医保目录)
``ceiling.csv``     code, area, level_group, ceiling_yuan, handling, from, to                       (1318 限价)
``ratio.csv``       code, area, person_class, ratio_class, first_pay_percent, from, to              (1319 先自付比例)
``ratio_rule.csv``  the same for a pattern of codes such as ``XA10*``, with list_type and class

A row may end in ``document, clause, link, checked_on, evidence``; what it leaves out stands in ``catalogue.toml`` for
the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from adjudicator import limits
from adjudicator.catalogue.layout import Handling, VersionFlag
from adjudicator.codes import ItemClass
from adjudicator.dates import day_number, is_date
from adjudicator.money import MoneyError, decimal_to_scaled
from adjudicator.rulefile.evidence import EVIDENCE_KEYS, Support, read_support
from adjudicator.rulefile.faults import Faults

LIST_TYPES = ("101", "102", "103", "104", "201", "301")
"""List types (目录类别) [list_type]: drugs, herbs, own preparations, ethnic drugs, services, consumables."""

CHARGE_CATEGORIES = tuple(f"{number:02d}" for number in range(1, 15))
"""Charge categories (医疗收费项目类别) [med_chrgitm_type]."""

ITEM_FLAGS = {
    "co_pay_free": int(VersionFlag.CO_PAY_FREE), "special_drug": int(VersionFlag.SPECIAL_DRUG),
    "negotiated": 32, "essential": 64, "paediatric": 128, "special_item": 256,
}  # fmt: skip
"""Flags of an item and their bits in a version; the first two change the sums of a claim."""

HANDLING = {way.name.lower(): int(way) for way in Handling}
"""Handling ways as the files write them."""

RATIO_CLASSES = {"*": 0, "local": 1, "cross_region": 2}
"""Ratio classes (目录自付比例类别) [selfpay_prop_type]."""

ITEM_CLASSES = {"A": ItemClass.A, "B": ItemClass.B, "C": ItemClass.C}
YES_NO = {"true": 1, "false": 0, "1": 1, "0": 0, "yes": 1, "no": 0, "": 0}

PROVENANCE = EVIDENCE_KEYS
"""Columns that may follow; a row that leaves them empty has the evidence of its file."""
COLUMNS: dict[str, tuple[str, ...]] = {
    "item.csv": ("code", "name", "list_type", "charge_category", "flags"),
    "class.csv": ("code", "area", "class", "restricted_use", "from", "to"),
    "ceiling.csv": ("code", "area", "level_group", "ceiling_yuan", "handling", "from", "to"),
    "ratio.csv": ("code", "area", "person_class", "ratio_class", "first_pay_percent", "from", "to"),
    "ratio_rule.csv": (
        "code",
        "list_type",
        "class",
        "area",
        "person_class",
        "ratio_class",
        "first_pay_percent",
        "from",
        "to",
    ),
}
"""Columns of each file; a file that a pack does not need may be missing as a whole."""

OPTIONAL = {"item.csv": ("listed_price_yuan",)}
"""Columns that may be there: the listed price (挂网价) is what made-up claims charge, no rule reads it."""

MOST_FAULTS_PER_COLUMN = 200
"""A column that is wrong throughout would print 300,000 lines; the rest is counted."""

_AREA = re.compile(r"\d{6}\Z")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})\Z")
OPEN_END = day_number(limits.LAST_DATE)


@dataclass(frozen=True, slots=True)
class FileHeader:
    """What ``catalogue.toml`` says of a file; ``name`` is the file as faults print it."""

    name: str
    support: Support | None = None
    """Evidence of the rows that have none of their own; None where it has a fault."""


@dataclass(slots=True)
class Table:
    """Rows of one file of one or several folders as columns of equal length.

    ``columns`` holds int64 arrays (and ``S`` arrays for codes), ``line`` the line in the file, ``origin`` the file's
    position in ``headers``. Dates are days since 1970; ``to`` is inclusive.
    """

    columns: dict[str, np.ndarray] = field(default_factory=dict)
    line: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    origin: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    headers: list[FileHeader] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.line)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def place(self, row: int) -> tuple[str, str]:
        """File and ``line N`` of a row, as a fault names them."""
        return self.headers[self.origin[row]].name, f"line {self.line[row]}"

    def take(self, rows: np.ndarray) -> Table:
        """Return the rows of a mask or an index."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Table(columns, self.line[rows], self.origin[rows], self.headers)


def join(tables: Sequence[Table]) -> Table:
    """One table of the rows of several; texts are widened as needed."""
    tables = [table for table in tables if table.columns]
    if not tables:
        return Table()
    headers: list[FileHeader] = []
    origins = []
    for table in tables:
        origins.append(table.origin + len(headers))
        headers.extend(table.headers)
    columns = {name: np.concatenate([table[name] for table in tables]) for name in tables[0].columns}
    return Table(columns, np.concatenate([table.line for table in tables]), np.concatenate(origins), headers)


class Texts:
    """The values of a column that are spelt out: area codes, level groups, person classes, programmes.

    >>> texts = Texts()
    >>> texts("330100"), texts("*"), texts("330100"), texts.values
    (0, 1, 0, ['330100', '*'])
    """

    def __init__(self) -> None:
        self.values: list[str] = []
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        number = self._numbers.setdefault(text, len(self.values))
        if number == len(self.values):
            self.values.append(text)
        return number


def read_table(path: Path, header: FileHeader, texts: Texts, faults: Faults) -> Table:
    """Read and check one file; every fault is noted with its line, and rows with a fault are left out."""
    text_columns = _read_csv(path, header.name, faults)
    if text_columns is None:
        return Table()
    count = len(next(iter(text_columns.values())))
    table = Table({}, np.arange(2, count + 2), np.zeros(count, np.int64), [header])
    good = named = np.ones(count, bool)
    for name, column in text_columns.items():
        if name == "name":
            continue
        parse = _parser(path.name, name, texts)
        if name == "code":
            table.columns["code"] = _codes(column, path.name == "ratio_rule.csv", header.name, good, faults)
            named = good.copy()
        elif parse is not None:
            table.columns[name] = _numbers(column, name, parse, header.name, good, faults)
    table.columns["verified"] = _verified(text_columns, count, header, faults)
    if "from" in table.columns:
        _check_period(table, good, faults)
    # An item with another fault is still an item: its rows in the other files are not faulty for it.
    return table.take(named if path.name == "item.csv" else good)


def _verified(text_columns: dict[str, Any], count: int, header: FileHeader, faults: Faults) -> np.ndarray:
    """Return int64[rows], 1 where a row is verified; each different evidence is checked once."""
    own = header.support
    given = [name for name in PROVENANCE if name in text_columns]
    verified = np.full(count, int(own is not None and own.evidence.verified))
    if not given:
        return verified
    seen: dict[tuple[str, ...], int] = {}
    for row, texts in enumerate(zip(*(text_columns[name].to_pylist() for name in given), strict=True)):
        if any(texts):
            if texts not in seen:
                block = {name: text for name, text in zip(given, texts, strict=True) if text}
                support = read_support(block, header.name, f"line {row + 2}", faults)
                seen[texts] = int(support is not None and support.evidence.verified)
            verified[row] = seen[texts]
    return verified


def _read_csv(path: Path, label: str, faults: Faults) -> dict[str, Any] | None:
    """Columns of a file as Arrow strings, or None with a fault."""
    import pyarrow as pa
    from pyarrow import csv

    wrong: list[tuple[int, int, int]] = []

    def on_wrong_row(row: Any) -> str:
        wrong.append((row.number or 0, row.expected_columns, row.actual_columns))
        return "skip"

    raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    first_line = raw.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    names = [name.strip() for name in first_line.split(",")] if first_line else []
    if not _check_header(names, path.name, label, faults):
        return None
    try:
        table = csv.read_csv(
            pa.BufferReader(raw),
            read_options=csv.ReadOptions(use_threads=False, column_names=names, skip_rows=1),
            parse_options=csv.ParseOptions(invalid_row_handler=on_wrong_row, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        faults.add(label, "file", f"is not readable: {error}", "write it as UTF-8 with commas, one row a line")
        return None
    for number, expected, actual in wrong:
        faults.add(label, f"line {number}", f"has {actual} columns instead of {expected}", "quote texts with commas")
    if wrong:
        return None
    return {name: table[name].combine_chunks() for name in names}


def _check_header(names: list[str], file: str, label: str, faults: Faults) -> bool:
    needed = COLUMNS[file]
    missing = [name for name in needed if name not in names]
    allowed = (*needed, *OPTIONAL.get(file, ()), *PROVENANCE)
    unknown = [name for name in names if name not in allowed]
    doubled = sorted({name for name in names if names.count(name) > 1})
    for name in missing:
        faults.add(label, "line 1", f"the column {name} is missing", f"the columns are {', '.join(needed)}")
    for name in unknown:
        faults.add(label, "line 1", f"unknown column {name!r}", f"the columns are {', '.join(allowed)}")
    for name in doubled:
        faults.add(label, "line 1", f"the column {name!r} stands twice", "leave one out")
    return not (missing or unknown or doubled)


def _parser(file: str, name: str, texts: Texts) -> Callable[[str], int] | None:
    """How a cell of a column becomes a number; None for columns that only people read."""
    choices: dict[str, Mapping[str, Any]] = {
        "list_type": dict.fromkeys(LIST_TYPES) | ({"*": None} if file == "ratio_rule.csv" else {}),
        "charge_category": dict.fromkeys(CHARGE_CATEGORIES),
        "class": ITEM_CLASSES,
        "handling": HANDLING,
        "ratio_class": RATIO_CLASSES,
        "restricted_use": YES_NO,
    }
    if name in ("list_type", "charge_category"):
        return lambda text: 0 if text == "*" and text in choices[name] else int(_one_of(text, choices[name], text))
    if name in choices:
        return lambda text: int(_one_of(text, choices[name], choices[name].get(text)))
    return {
        "flags": _parse_flags,
        "area": lambda text: texts(_matching(text, _AREA, "a six-digit area code such as 330100")),
        "level_group": lambda text: texts(_filled(text, "a level group of the pack, or *")),
        "person_class": lambda text: texts(_filled(text, "a scheme, a person type, a person group of the pack, or *")),
        "ceiling_yuan": _parse_price_e4,
        "first_pay_percent": _parse_percent,
        "from": _parse_date,
        "to": lambda text: OPEN_END if text == "" else _parse_date(text),
    }.get(name)


def _one_of(text: str, choices: Mapping[str, Any], value: Any) -> Any:
    if text not in choices:
        raise ValueError(f"{text!r} is not one of {', '.join(choice for choice in choices if choice)}")
    return value


def _matching(text: str, pattern: re.Pattern[str], what: str) -> str:
    if not pattern.match(text):
        raise ValueError(f"{text!r} is not {what}")
    return text


def _filled(text: str, what: str) -> str:
    if not text or text != text.strip():
        raise ValueError(f"{text!r} is not {what}")
    return text


def _parse_flags(text: str) -> int:
    bits = 0
    for flag in text.split():
        bits |= _one_of(flag, ITEM_FLAGS, ITEM_FLAGS.get(flag))
    return bits


def _parse_price_e4(text: str) -> int:
    try:
        price_e4 = decimal_to_scaled(text, 6, "a price has at most six decimals")
    except MoneyError as error:
        raise ValueError(str(error)) from None
    if not 0 <= price_e4 <= limits.MAX_UNIT_PRICE_E4:
        raise ValueError(f"{text!r} is not a price from 0 to {limits.MAX_UNIT_PRICE_E4 // 1_000_000} yuan")
    return price_e4


def _parse_percent(text: str) -> int:
    try:
        ratio_ppm = decimal_to_scaled(text, 4, "a percentage has at most four decimals")
    except MoneyError as error:
        raise ValueError(str(error)) from None
    if not 0 <= ratio_ppm <= 1_000_000:
        raise ValueError(f"{text!r} is not a percentage from 0 to 100; write 5 for 5 %")
    return ratio_ppm


def _parse_date(text: str) -> int:
    match = _DATE.match(text)
    date = int("".join(match.groups())) if match else 0
    if not is_date(date) or not limits.FIRST_DATE <= date <= limits.LAST_DATE:
        raise ValueError(f"{text!r} is not a date such as 2022-01-01")
    return day_number(date)


def yyyymmdd(days: np.ndarray) -> np.ndarray:
    """Days since 1970 as YYYYMMDD integers (int32).

    >>> yyyymmdd(np.array([18993])).tolist()
    [20220101]
    """
    dates = days.astype("datetime64[D]")
    years, months = dates.astype("datetime64[Y]"), dates.astype("datetime64[M]")
    year = years.astype(np.int64) + 1970
    month = (months - years).astype(np.int64) + 1
    numbers: np.ndarray = year * 10_000 + month * 100 + (dates - months).astype(np.int64) + 1
    return numbers.astype(np.int32)


def _numbers(
    column: Any, name: str, parse: Callable[[str], int], label: str, good: np.ndarray, faults: Faults
) -> np.ndarray:
    """Return a column as int64; each different text is parsed once."""
    encoded = column.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    indices: np.ndarray = encoded.indices.to_numpy(zero_copy_only=False)
    values = np.zeros(max(len(distinct), 1), np.int64)
    for position, text in enumerate(distinct):
        try:
            values[position] = parse(text)
        except ValueError as error:
            rows = np.flatnonzero(indices == position)
            good[rows] = False
            _report(rows, label, name, str(error), faults)
    numbers: np.ndarray = values[indices]
    return numbers


def _codes(column: Any, pattern: bool, label: str, good: np.ndarray, faults: Faults) -> np.ndarray:
    """Item codes as an ``S`` array; ``pattern`` allows a star at the end."""
    import pyarrow.compute as pc

    if len(column) == 0:
        return np.zeros(0, "S1")
    expression = r"^[A-Z0-9][A-Z0-9._-]*$" if not pattern else r"^([A-Z0-9][A-Z0-9._-]*)?\*$"
    fits = pc.and_(
        pc.match_substring_regex(column, expression), pc.less_equal(pc.binary_length(column), limits.MAX_CODE_BYTES)
    )
    fits = fits.to_numpy(zero_copy_only=False)
    what = "a pattern such as XA10*" if pattern else "a national code of capital letters and digits"
    rows = np.flatnonzero(~fits)
    good[rows] = False
    for row in rows[:MOST_FAULTS_PER_COLUMN]:
        faults.add(label, f"line {row + 2}", f"{column[int(row)].as_py()!r} is not {what}", "see [med_list_codg]")
    _count_the_rest(rows, label, "code", faults)
    return _fixed_width(column, fits)


def _fixed_width(column: Any, fits: np.ndarray) -> np.ndarray:
    """Arrow strings as a numpy ``S`` array without a Python object for each."""
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1].astype(
        np.int64
    )
    data = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    lengths = np.where(fits, np.diff(offsets), 0)
    width = max(int(lengths.max(initial=1)), 1)
    cells = np.zeros((len(column), width), np.uint8)
    present = np.arange(width) < lengths[:, None]
    positions = offsets[:-1, None] + np.arange(width)
    cells[present] = data[positions[present]]
    return cells.view(f"S{width}").reshape(-1)


def _check_period(table: Table, good: np.ndarray, faults: Faults) -> None:
    for row in np.flatnonzero(good & (table["to"] < table["from"]))[:MOST_FAULTS_PER_COLUMN]:
        file, key = table.place(row)
        faults.add(file, key, "`to` is before `from`", "write the last day on which the row holds, or leave `to` empty")
        good[row] = False


def _report(rows: np.ndarray, label: str, name: str, message: str, faults: Faults) -> None:
    for row in rows[:MOST_FAULTS_PER_COLUMN]:
        faults.add(label, f"line {row + 2}", f"{name}: {message}")
    _count_the_rest(rows, label, name, faults)


def _count_the_rest(rows: np.ndarray, label: str, name: str, faults: Faults) -> None:
    if len(rows) > MOST_FAULTS_PER_COLUMN:
        faults.add(label, name, f"{len(rows) - MOST_FAULTS_PER_COLUMN} more lines have the same fault")
