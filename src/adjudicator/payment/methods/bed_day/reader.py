"""Reads and compiles ``[[bed_day]]`` tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np

from adjudicator.limits import MAX_STAY_DAYS
from adjudicator.payment.arrays import Compiling
from adjudicator.payment.conditions import FILE, Condition, ConditionTable, Reading, condition_of
from adjudicator.payment.methods.bed_day.terms import BED_DAY_RATE, BED_DAY_SET, BedDayFormula
from adjudicator.rounding import PPM
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.fields import Member, Number, Percent, Points, Where, Yuan, count
from adjudicator.rulefile.reader import check_columns, read_csv, read_line, read_struct

Cap = Annotated[int, Number("percent", 4, 0, 10 * PPM)]
READ_BY = {
    "fund_share_percent": BedDayFormula.FUND_SHARE, "rate_a_percent": BedDayFormula.CLASS_SHARE,
    "rate_b_percent": BedDayFormula.CLASS_SHARE, "cap_percent": BedDayFormula.CLASS_SHARE,
}  # fmt: skip
"""Keys that only one formula reads."""


class FactorTable(ConditionTable, frozen=True, kw_only=True):
    """Persons for whom the rates are multiplied; the highest that fits counts."""

    rate_percent: Annotated[int, Number("percent", 4, 1, 10 * PPM)]


class BedDayTable(msgspec.Struct, frozen=True, kw_only=True):
    """Rates of a day by payment class and length of stay."""

    where: Where
    source: Source
    id: str
    note: str = ""
    formula: Annotated[BedDayFormula, Member(BedDayFormula)]
    file: str
    """CSV of the rates."""
    fund_share_percent: Percent | None = None
    rate_a_percent: Percent | None = None
    rate_b_percent: Percent | None = None
    cap_percent: Cap | None = None
    """Of what the funds pay by item."""
    factor: tuple[FactorTable, ...] = ()


class RateRow(msgspec.Struct, frozen=True, kw_only=True):
    """Rate of some days of a stay; ``rate_points`` in the points form, else ``rate_yuan``."""

    where: Where
    table: str
    payment_class: str = ""
    day_from: Annotated[int, count(1, MAX_STAY_DAYS)]
    day_to: Annotated[int, count(1, MAX_STAY_DAYS)] = MAX_STAY_DAYS
    rate_yuan: Yuan | None = None
    rate_points: Points | None = None
    note: str = ""


@dataclass(slots=True)
class BedDays:
    """One ``[[bed_day]]`` table; ``rates`` are rank, first day, last day and rate."""

    name: str
    key: str
    source: Source
    row: np.ndarray
    rates: list[tuple[int, int, int, int]]
    factors: list[Condition]


TABLE = BedDayTable


def read(reading: Reading, raw: Mapping[str, Any], key: str) -> BedDays | None:
    """Read one table of bed-day rates: by payment class and by tier of the length of stay."""
    table = read_struct(BedDayTable, raw, FILE, key, reading.faults)
    if table is None:
        return None
    row = np.zeros((), BED_DAY_SET)
    row["formula"], row["unverified"] = table.formula, int(not table.source.verified)
    row["fund_ppm"], row["rate_a_ppm"], row["rate_b_ppm"], row["cap_ppm"] = (
        _of_formula(reading, table, name) for name in READ_BY
    )
    rates = sorted(_read_rates(reading, table))
    _check_days(reading, table, rates)
    factors = [condition_of(reading, entry, rate_ppm=entry.rate_percent) for entry in table.factor]
    return BedDays(table.id, key, table.source, row, rates, factors)


def _of_formula(reading: Reading, table: BedDayTable, name: str) -> int:
    """Return a value that one formula reads; a fault where it is missing there, or written elsewhere."""
    value: int | None = getattr(table, name)
    formula = READ_BY[name].name.lower()
    if table.formula is READ_BY[name] and name != "cap_percent":
        return reading.needed(value, table.where, name, f"the formula {formula}")
    if value is not None and table.formula is not READ_BY[name]:
        reading.fault(table.where, name, "is not read by this formula", f"remove it; only {formula} reads it")
    return value or 0


def _read_rates(reading: Reading, table: BedDayTable) -> list[tuple[int, int, int, int]]:
    classes, rates = reading.pack.classes, []
    name = "rate_points" if table.formula is BedDayFormula.POINTS else "rate_yuan"
    file = read_csv(reading.folder, table.file, reading.faults)
    if file is None or not check_columns(RateRow, file.columns, table.file, reading.faults):
        return []
    for line in (line for line in file.lines if line.cells["table"] == table.id):
        row = read_line(RateRow, line, reading.faults)
        if row is None:
            continue
        if row.payment_class and row.payment_class not in classes:
            message = f"{row.payment_class!r} is not a class of the pack"
            reading.fault(row.where, "payment_class", message, "write one of " + ", ".join(classes))
        rate = reading.needed(getattr(row, name), row.where, name, f"the formula {table.formula.name.lower()}")
        rank = classes.index(row.payment_class) if row.payment_class in classes else -1
        rates.append((rank, row.day_from, row.day_to, rate))
    return rates


def _check_days(reading: Reading, table: BedDayTable, rates: list[tuple[int, int, int, int]]) -> None:
    """Add a fault unless the days of each class follow each other from day 1 to the longest stay without gap."""
    where, file = table.where, table.file
    if not rates:
        reading.fault(where, "file", f"{file} has no rate of the table {table.id!r}", "add the rates")
    for number in sorted({rate[0] for rate in rates}):
        expected = 1
        for _, day_from, day_to, _ in (rate for rate in rates if rate[0] == number):
            if day_from != expected or day_to < day_from:
                message = f"days of table {table.id} in {file} have a gap or overlap at day {day_from}"
                reading.fault(where, "file", message, f"begin at {expected}")
            expected = day_to + 1
        if expected <= MAX_STAY_DAYS:
            message = f"table {table.id} in {file} ends at day {expected - 1}"
            reading.fault(where, "file", message, "leave day_to of the last tier empty")


def compile_table(compiling: Compiling, table: BedDays) -> int:
    """Return the row of ``bed_day_sets`` of a table."""
    arrays, key = compiling.arrays, (compiling.number, table.key)
    known = arrays.known("bed_day_sets", key)
    if known is not None:
        return known
    row = table.row.copy()
    row["rate_start"] = arrays.add("bed_day_rates", np.array(table.rates, BED_DAY_RATE))
    row["rate_end"] = row["rate_start"] + len(table.rates)
    _, row["factor_start"], row["factor_end"] = compiling.conditions(table.factors)
    return arrays.add("bed_day_sets", row, key)
