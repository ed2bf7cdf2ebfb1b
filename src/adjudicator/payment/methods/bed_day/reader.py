"""Reads and compiles ``[[bed_day]]`` tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adjudicator.codes import Method
from adjudicator.limits import MAX_STAY_DAYS
from adjudicator.payment.conditions import Condition, read_condition
from adjudicator.payment.method import Compiling, Reading
from adjudicator.payment.methods.bed_day.terms import BED_DAY_RATE, BED_DAY_SET, BedDayFormula
from adjudicator.payment.reader import Node, read_csv, read_member
from adjudicator.rounding import PPM
from adjudicator.rulefile.dated import Source

COLUMNS = ("set", "payment_class", "day_from", "day_to", "rate")


@dataclass(slots=True)
class BedDays:
    """One ``[[bed_day]]`` table; ``rates`` are rank, first day, last day and rate."""

    name: str
    key: str
    source: Source
    row: np.ndarray
    rates: list[tuple[int, int, int, int]]
    factors: list[Condition]


def read_bed_days(reading: Reading, node: Node) -> BedDays:
    """Read one table of bed-day rates: by payment class and by tier of the length of stay."""
    source = node.source()
    row = np.zeros((), BED_DAY_SET)
    formula = read_member(node, "formula", BedDayFormula)
    row["formula"] = formula
    if formula == BedDayFormula.FUND_SHARE:
        row["fund_ppm"] = node.ppm("fund_share")
    if formula == BedDayFormula.CLASS_SHARE:
        row["rate_a_ppm"], row["rate_b_ppm"] = node.ppm("rate_a"), node.ppm("rate_b")
        row["cap_ppm"] = node.ppm("cap", 0, 10 * PPM)
    row["unverified"] = int(not source.verified)
    rates = _read_rates(reading, node, in_points=formula == BedDayFormula.POINTS)
    result = BedDays(node.text("id"), node.key, source, row, sorted(rates), [])
    _check_days(node, result)
    result.factors = [_read_factor(reading, child) for child in node.children("factor")]
    node.finish()
    return result


def _read_rates(reading: Reading, node: Node, in_points: bool) -> list[tuple[int, int, int, int]]:
    classes, rates = reading.pack.classes, []
    for line in read_csv(reading.folder, node.text("file"), COLUMNS, node.faults):
        if line.text("set") != node.data.get("id"):
            continue
        name = line.text("payment_class", "")
        if name and name not in classes:
            line.fault("payment_class", f"{name!r} is not a class of the pack", "write one of " + ", ".join(classes))
        day_from, day_to = line.integer("day_from", low=1), line.integer("day_to", MAX_STAY_DAYS)
        rate = line.e8("rate") if in_points else line.fen("rate")
        line.text("note", "")
        line.finish()
        rates.append((classes.index(name) if name in classes else -1, day_from, day_to, rate))
    return rates


def _check_days(node: Node, table: BedDays) -> None:
    """Add a fault unless the days of each class follow each other from day 1 to the longest stay without gap."""
    if not table.rates:
        node.fault("file", f"has no rate of the set {table.name!r}", "add the rates")
    for number in sorted({rate[0] for rate in table.rates}):
        expected = 1
        for _, day_from, day_to, _ in (rate for rate in table.rates if rate[0] == number):
            if day_from != expected or day_to < day_from:
                node.fault(
                    "file", f"days of set {table.name} have a gap or overlap at day {day_from}", f"begin at {expected}"
                )
            expected = day_to + 1
        if expected <= MAX_STAY_DAYS:
            node.fault("file", f"set {table.name} ends at day {expected - 1}", "leave day_to of the last tier empty")


def _read_factor(reading: Reading, node: Node) -> Condition:
    condition = read_condition(node, reading.pack, reading.groupings, Method.NONE)
    node.finish()
    return condition


def compile_bed_days(compiling: Compiling, table: BedDays) -> int:
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
