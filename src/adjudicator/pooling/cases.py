"""Cases: what the clearing of a month or year needs of each settled claim, as columns and as files.

A case file is CSV or Parquet with the columns of :data:`COLUMNS`; amounts in fen, points in 1e-8, dates YYYYMMDD. A
reversal is a line of its own with ``sign`` -1 and the case id of the settlement that it takes back.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adjudicator.codes import SCHEME_CODES, Method
from adjudicator.dates import EPOCH, days_between
from adjudicator.errors import E, refuse
from adjudicator.rulefile.faults import Faults

CASE = np.dtype(
    [
        ("hospital", "i4"), ("county", "i4"), ("scheme", "i4"), ("group", "i4"), ("method", "i4"), ("month", "i4"),
        ("admission_date", "i4"), ("discharge_date", "i4"),
        ("person", "u8"),  # digest of the person number
        ("exempt", "i1"),  # not halved on readmission (chemotherapy, radiotherapy and the like)
        ("sign", "i1"),  # 1 settlement, -1 reversal
        ("points_e8", "i8"), ("total_fen", "i8"), ("patient_fen", "i8"), ("others_fen", "i8"), ("fund_fen", "i8"),
        ("due_fen", "i8"),
    ],
    align=True,
)  # fmt: skip
"""One case. ``fund_fen`` is what the clearing funds owe by item, ``others_fen`` what other funds pay, ``due_fen`` what
the case was priced at: final for methods that share no point value."""

COLUMNS = (
    "case", "hospital", "county", "scheme", "group", "method", "month", "admission_date", "discharge_date", "person",
    "exempt", "sign", "points_e8", "total_fen", "patient_fen", "others_fen", "fund_fen", "due_fen",
)  # fmt: skip
TEXT_COLUMNS = frozenset({"case", "hospital", "county", "scheme", "group", "person"})


@dataclass(slots=True)
class Cases:
    """Columns of cases and the names that their numbers stand for."""

    rows: np.ndarray
    ids: np.ndarray
    """Case ids, texts."""
    hospitals: list[str]
    counties: list[str]
    schemes: list[str]
    groups: list[str]
    diagnoses: np.ndarray | None = None
    """Principal diagnoses, texts; ``None`` where the file has no such column."""
    reasons: np.ndarray | None = None
    """Why a case has no price, codes of the error table, "" where it has one; ``None``: no such column."""

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, chosen: np.ndarray) -> Cases:
        """Return some of the cases, with the same names."""
        texts = [None if own is None else own[chosen] for own in (self.diagnoses, self.reasons)]
        names = (self.hospitals, self.counties, self.schemes, self.groups)
        return Cases(self.rows[chosen], self.ids[chosen], *names, *texts)


def read_cases(path: Path) -> Cases:
    """Read a case file. Raises :class:`adjudicator.rulefile.faults.PackError` naming each line that cannot be read."""
    table = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    faults = Faults()
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        faults.add(path.name, "columns", f"has no column {', '.join(missing)}", "write all columns of a case file")
        faults.raise_if_any("case file")
    return from_columns(table, path.name, faults)


def _read_csv(path: Path) -> dict[str, Sequence[Any]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    header = rows[0] if rows else []
    width = len(header)
    bad = [number for number, row in enumerate(rows[1:], 2) if len(row) != width]
    if bad:
        faults = Faults()
        for number in bad:
            faults.add(path.name, f"line {number}", "has more or fewer cells than the header", "correct the row")
        faults.raise_if_any("case file")
    return {name: [row[place] for row in rows[1:]] for place, name in enumerate(header)}


def _read_parquet(path: Path) -> dict[str, Sequence[Any]]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    return {name: table.column(name).to_pylist() for name in table.column_names}


def from_columns(table: Mapping[str, Sequence[Any]], name: str = "cases", faults: Faults | None = None) -> Cases:
    """Build cases from columns of texts or numbers; every value that cannot be read is a fault with its line."""
    faults = Faults() if faults is None else faults
    count = len(table["case"])
    rows = np.zeros(count, CASE)
    names: dict[str, list[str]] = {}
    for column in COLUMNS[1:]:
        values = table[column]
        if column == "person":
            rows["person"] = [_digest(value) for value in values]
        elif column in TEXT_COLUMNS:
            names[column] = sorted({str(value) for value in values})
            place = {text: number for number, text in enumerate(names[column])}
            rows[column] = [place[str(value)] for value in values]
        else:
            rows[column] = _integers(values, column, name, faults)
    for line in np.flatnonzero(np.abs(rows["sign"]) != 1):
        faults.add(name, f"line {line + 2}", "sign is neither 1 nor -1", "write 1 for a settlement, -1 for a reversal")
    for line in np.flatnonzero(rows["points_e8"] < 0):
        faults.add(
            name, f"line {line + 2}", "points are negative", "write the points of the case; sign -1 takes it back"
        )
    faults.raise_if_any("case file")
    ids = np.array([str(value) for value in table["case"]], dtype=object)
    texts = [
        None if (given := table.get(column)) is None else np.array([str(text) for text in given], dtype=object)
        for column in ("diagnosis", "reason")
    ]
    return Cases(rows, ids, names["hospital"], names["county"], names["scheme"], names["group"], *texts)


def _digest(value: object) -> int:
    import hashlib

    return int.from_bytes(hashlib.blake2b(str(value).encode(), digest_size=8).digest(), "little")


def _integers(values: Sequence[Any], column: str, name: str, faults: Faults) -> list[int]:
    numbers = []
    for line, value in enumerate(values, 2):
        try:
            numbers.append(int(value))
        except (TypeError, ValueError):
            faults.add(name, f"line {line}", f"{column} is {value!r}", "write a whole number")
            numbers.append(0)
    return numbers


def inside(cases: Cases, period: int) -> np.ndarray:
    """Return which cases are of a month YYYYMM or a year YYYY, bool[n]."""
    months = cases.rows["month"]
    found: np.ndarray = months // 100 == period if period < 10_000 else months == period
    return found


def net(cases: Cases) -> Cases:
    """Cases that stand: a settlement and its reversal cancel, in whatever order they are given.

    A settlement or reversal that is there twice, and a reversal of nothing, are refused.
    """
    settled: dict[str, int] = {}
    taken_back: set[str] = set()
    for position, (case, sign) in enumerate(zip(cases.ids.tolist(), cases.rows["sign"].tolist(), strict=True)):
        if case in (settled if sign == 1 else taken_back):
            what, what_zh = ("is there", "出现") if sign == 1 else ("is taken back", "被冲销")
            detail = f"case {case} {what} twice; keep one line"
            raise refuse(E.CANNOT_CLEAR, "case", detail, f"病例 {case} {what_zh}两次，请只保留一行")
        if sign == 1:
            settled[case] = position
        else:
            taken_back.add(case)
    strays = taken_back - settled.keys()
    if strays:
        case = min(strays)
        raise refuse(
            E.CANNOT_CLEAR, "case",
            f"case {case} is taken back but not settled in these months; give the file with its settlement",
            f"病例 {case} 有冲销而这些月份中没有其结算，请一并提供含该结算的文件",
        )  # fmt: skip
    return cases.select(np.array([place for case, place in settled.items() if case not in taken_back], np.int64))


def check_cases(cases: Cases, counties: Collection[str], hospitals: Collection[str], groups: Collection[str]) -> Faults:
    """Names in the cases that the pack does not know, each once with its first case.

    Cases with points need an institution of the register and a group of the grouping scheme; others may be elsewhere.
    Whether every group has base points is checked when the pack is read.
    """
    faults, rows = Faults(), cases.rows
    everywhere = np.ones(len(cases), bool)
    with_points = rows["points_e8"] > 0
    grouped = with_points & (rows["method"] == Method.DRG_POINTS)
    checks = (
        ("county", cases.counties, set(counties), everywhere, "is not a county of the pool", "correct it"),
        ("scheme", cases.schemes, set(SCHEME_CODES), everywhere, "is not a scheme", "write " + ", ".join(SCHEME_CODES)),
        ("hospital", cases.hospitals, set(hospitals), with_points, "has points but is not in hospitals.csv", "add it"),
        ("group", cases.groups, {"", *groups}, grouped, "has points but is no group of the pack", "correct it"),
    )
    for column, names, known, where, message, remedy in checks:
        for number, name in enumerate(names):
            if name in known:
                continue
            found = np.flatnonzero(where & (rows[column] == number))
            if len(found):
                faults.add(f"case {cases.ids[found[0]]}", column, f"{name!r} {message} ({len(found)} cases)", remedy)
    methods = {int(method) for method in Method}
    for row in np.flatnonzero(~np.isin(rows["method"], list(methods)))[:20]:
        number = int(rows["method"][row])
        faults.add(
            f"case {cases.ids[row]}", "method", f"{number} is not a method", f"write {min(methods)} to {max(methods)}"
        )
    return faults


def days_since_epoch(dates: np.ndarray) -> np.ndarray:
    """Return int64 days from 1970-01-01 to dates YYYYMMDD, -1 for 0. Errors: ValueError for what is no date."""
    known, back = np.unique(dates, return_inverse=True)
    days = [days_between(EPOCH, date) if date > 0 else -1 for date in known.tolist()]
    return np.array(days, np.int64)[back]


def join(parts: Sequence[Cases]) -> Cases:
    """Cases of several files as one, with one list of names each."""
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.rows for part in parts])
    names: dict[str, list[str]] = {}
    for column, slot in (("hospital", "hospitals"), ("county", "counties"), ("scheme", "schemes"), ("group", "groups")):
        names[slot] = sorted({name for part in parts for name in getattr(part, slot)})
        place = {name: number for number, name in enumerate(names[slot])}
        moved = []
        for part in parts:
            new = np.array([place[name] for name in getattr(part, slot)], np.int32)
            moved.append(new[part.rows[column]] if len(new) else part.rows[column])
        rows[column] = np.concatenate(moved)
    texts = [_joined([(getattr(part, slot), len(part)) for part in parts]) for slot in ("diagnoses", "reasons")]
    ids = np.concatenate([part.ids for part in parts])
    return Cases(rows, ids, names["hospitals"], names["counties"], names["schemes"], names["groups"], *texts)


def _joined(parts: Sequence[tuple[np.ndarray | None, int]]) -> np.ndarray | None:
    """Return texts of several files, "" for the cases of a file without them; ``None`` where no file has any."""
    if all(texts is None for texts, _ in parts):
        return None
    return np.concatenate([np.full(count, "", object) if texts is None else texts for texts, count in parts])
