"""Price tables of payment: bed-days, packages (single disease, day surgery, maternity, quota, outpatient points),
provisional point values, and which institutions have a capitation contract.

Formulas: payment-rules 2.1 (bed-day), 4.1 to 4.3 (packages), 3.1 (outpatient points), 3.3 (capitation).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adjudicator.codes import SCHEME_CODES, CareKind, Method
from adjudicator.limits import LAST_DATE, MAX_STAY_DAYS
from adjudicator.payment.conditions import Codes, Condition, Groupings, PackView, read_condition
from adjudicator.payment.reader import Node, Source, read_csv
from adjudicator.rounding import PPM
from adjudicator.rulefile.faults import Faults

BED_DAY_SET = np.dtype(
    [
        ("formula", "i8"), ("rate_start", "i8"), ("rate_end", "i8"), ("factor_start", "i8"), ("factor_end", "i8"),
        ("fund_ppm", "i8"), ("rate_a_ppm", "i8"), ("rate_b_ppm", "i8"), ("cap_ppm", "i8"), ("unverified", "i8"),
    ],
    align=True,
)  # fmt: skip
BED_DAY_RATE = np.dtype([("class", "i8"), ("day_from", "i8"), ("day_to", "i8"), ("rate", "i8")], align=True)
"""``rate`` is fen a day, or points of 1e-8 a day in the points form; class -1 is any."""

BED_DAY_FORMULAS = ("less_patient", "fund_share", "class_share", "points")

PACKAGE_SET = np.dtype(
    [
        ("formula", "i8"), ("key", "i8"), ("keys", "i8"), ("classes", "i8"), ("index_start", "i8"),
        ("reward_ppm", "i8"), ("reward_cap_ppm", "i8"), ("band_ppm", "i8"), ("band_share_ppm", "i8"),
        ("above_defined", "i8"), ("per_head", "i8"), ("unverified", "i8"),
    ],
    align=True,
)  # fmt: skip
PACKAGE_ROW = np.dtype(
    [
        ("price_fen", "i8"), ("fund_fen", "i8"), ("second_fen", "i8"), ("first_ppm", "i8"), ("second_ppm", "i8"),
        ("points_e8", "i8"), ("extra_fetus_fen", "i8"), ("unverified", "i8"),
    ],
    align=True,
)  # fmt: skip

PACKAGE_FORMULAS = (
    "fixed", "package", "ceiling", "fund_on_limit", "quota_bands", "cost_bands", "actual_up_to", "average_limit",
    "points", "drg_share",
)  # fmt: skip
"""How a package pays; each is described in docs/payment.md."""

PACKAGE_KEYS = ("none", "disease", "maternity_type", "care_kind", "drg")
PACKAGE_METHODS = {
    Method.SINGLE_DISEASE: "single_disease",
    Method.DAY_SURGERY: "day_surgery",
    Method.QUOTA: "quota",
    Method.OUTPATIENT_POINTS: "outpatient_points",
}
POINT_KINDS = ("drg", "outpatient")


@dataclass(slots=True)
class BedDays:
    """One ``[[bed_day]]`` table."""

    name: str
    key: str
    source: Source
    row: np.ndarray
    rates: list[tuple[int, int, int, int]]
    factors: list[Condition]


@dataclass(slots=True)
class Package:
    """One ``[[package]]`` table."""

    name: str
    key: str
    source: Source
    row: np.ndarray
    prices: dict[tuple[int, int], tuple[int, ...]]
    keys: int


@dataclass(frozen=True, slots=True)
class PointValue:
    """A provisional value of a point for one scheme and kind of points."""

    scheme: int
    kind: int
    value_e4: int
    source: Source


@dataclass(frozen=True, slots=True)
class Contract:
    """A capitation contract of one institution for some months."""

    id: str
    hospital: int
    scheme: int
    quota_fen: int
    source: Source


def read_bed_days(folder: Path, node: Node, pack: PackView, groupings: Groupings) -> BedDays:
    """Reads one table of bed-day rates: by payment class and by tier of the length of stay."""
    source = node.source()
    row = np.zeros((), BED_DAY_SET)
    formula = node.choice("formula", BED_DAY_FORMULAS)
    row["formula"] = BED_DAY_FORMULAS.index(formula)
    if formula == "fund_share":
        row["fund_ppm"] = node.ppm("fund_share")
    if formula == "class_share":
        row["rate_a_ppm"], row["rate_b_ppm"] = node.ppm("rate_a"), node.ppm("rate_b")
        row["cap_ppm"] = node.ppm("cap", 0, 10 * PPM)
    row["unverified"] = int(not source.verified)
    rates = []
    for line in read_csv(
        folder, node.text("file"), ("set", "payment_class", "day_from", "day_to", "rate"), node.faults
    ):
        if line.text("set") != node.data.get("id"):
            continue
        name = line.text("payment_class", "")
        if name and name not in pack.classes:
            line.fault(
                "payment_class", f"{name!r} is not a class of the pack", "write one of " + ", ".join(pack.classes)
            )
        day_from, day_to = line.integer("day_from", low=1), line.integer("day_to", MAX_STAY_DAYS)
        rate = line.e8("rate") if formula == "points" else line.fen("rate")
        line.text("note", "")
        line.finish()
        rates.append((pack.classes.index(name) if name in pack.classes else -1, day_from, day_to, rate))
    result = BedDays(node.text("id"), node.key, source, row, sorted(rates), [])
    _check_days(node, result)
    result.factors = [_read_factor(child, pack, groupings) for child in node.children("factor")]
    node.finish()
    return result


def _check_days(node: Node, table: BedDays) -> None:
    """Days of each class follow each other from day 1 to the longest stay, without gap or overlap."""
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


def _read_factor(node: Node, pack: PackView, groupings: Groupings) -> Condition:
    condition = read_condition(node, pack, groupings, Method.NONE)
    node.finish()
    return condition


def read_package(folder: Path, node: Node, pack: PackView, groupings: Groupings) -> Package:
    """Reads one table of package prices."""
    source = node.source()
    row = np.zeros((), PACKAGE_SET)
    formula = node.choice("formula", PACKAGE_FORMULAS)
    key = node.choice("by", PACKAGE_KEYS)
    row["formula"], row["key"] = PACKAGE_FORMULAS.index(formula), PACKAGE_KEYS.index(key)
    row["reward_ppm"], row["reward_cap_ppm"] = node.ppm("reward", 0), node.ppm("reward_cap", PPM)
    row["band_ppm"], row["band_share_ppm"] = node.ppm("band", 0), node.ppm("band_share", 0)
    row["above_defined"] = int(node.boolean("above_limit_hospital_bears", False))
    row["per_head"] = int(node.boolean("per_head", False))
    row["unverified"] = int(not source.verified)
    if key == "drg" and groupings.spans(source):
        node.fault("to", "the grouping scheme changes while this table holds", "end it with the scheme, add another")
    names = _key_names(key, pack, groupings.on(source.from_date))
    result = Package(node.text("id"), node.key, source, row, {}, len(names))
    row["keys"], row["classes"] = len(names), len(pack.classes)
    for line in read_csv(folder, node.text("file"), ("set", "code", "payment_class"), node.faults):
        if line.text("set") == result.name:
            _read_price(line, result, formula, names, pack)
    if not result.prices:
        node.fault("file", f"has no price of the set {result.name!r}", "add the prices")
    node.finish()
    return result


def _key_names(key: str, pack: PackView, codes: Codes | None) -> dict[str, int]:
    if key == "disease":
        return {code: number for number, code in enumerate(pack.diseases)}
    if key == "maternity_type":
        return {str(number): number for number in range(10)}
    if key == "care_kind":
        return {kind.name.lower(): int(kind) for kind in CareKind}
    if key == "drg":
        return dict(codes.drgs) if codes else {}
    return {"": 0}


def _read_price(line: Node, table: Package, formula: str, names: dict[str, int], pack: PackView) -> None:
    code, name = line.text("code", ""), line.text("payment_class", "")
    if code not in names:
        line.fault("code", f"{code!r} is not known", "write a code of the pack's list")
    if name and name not in pack.classes:
        line.fault("payment_class", f"{name!r} is not a class of the pack", "write one of " + ", ".join(pack.classes))
    values = (
        line.fen("price", 0),
        line.fen("fund", 0),
        line.fen("second", 0),
        line.ppm("first_rate", 0),
        line.ppm("second_rate", 0),
        line.e8("points", 0),
        line.fen("extra_fetus", 0),
    )
    needed = {"fixed": "fund", "points": "points", "drg_share": "first_rate"}.get(formula, "price")
    if not line.has(needed):
        line.fault(needed, "is missing", f"the formula {formula} needs it")
    line.text("note", "")
    line.finish()
    place = (names.get(code, 0), pack.classes.index(name) if name in pack.classes else -1)
    if place in table.prices:
        line.fault("code", f"{code} has two prices for {name or 'any class'}", "keep one row")
    table.prices[place] = values


def read_point_value(node: Node) -> PointValue:
    """Reads a provisional point value; ``value`` is yuan a point with up to six decimals."""
    scheme = node.choice("scheme", SCHEME_CODES)
    kind = POINT_KINDS.index(node.choice("kind", POINT_KINDS, "drg"))
    value = node.scaled("value", 6, low=1)
    source = node.source()
    node.text("note", "")
    node.finish()
    return PointValue(int(SCHEME_CODES.get(scheme, 0)), kind, value, source)


def check_point_values(file: str, values: list[PointValue], faults: Faults) -> None:
    """Two values of one scheme and kind must not hold on one day."""
    for position, one in enumerate(values):
        for other in values[:position]:
            if (one.scheme, one.kind) == (other.scheme, other.kind) and one.source.overlaps(other.source):
                day = max(one.source.from_date, other.source.from_date)
                faults.add(
                    file, f"point_value[{position}]", f"two values hold on {day}", "end the earlier one the day before"
                )


def read_contract(node: Node, pack: PackView) -> Contract:
    """Reads a capitation contract: institution, scheme, quota a person and year, months."""
    hospital = node.text("institution")
    if hospital not in pack.hospitals:
        node.fault("institution", f"{hospital!r} is not in the hospital register", "add it to hospitals.csv")
    scheme = node.choice("scheme", SCHEME_CODES)
    row = pack.hospitals.index(hospital) if hospital in pack.hospitals else -1
    contract = Contract(
        node.text("id"), row, int(SCHEME_CODES.get(scheme, 0)), node.fen("quota_per_person", 0), node.source()
    )
    node.text("note", "")
    node.finish()
    return contract


def check_contracts(file: str, contracts: list[Contract], faults: Faults) -> None:
    """Months of contracts of one institution and scheme must not overlap."""
    for position, one in enumerate(contracts):
        for other in contracts[:position]:
            same = (one.hospital, one.scheme) == (other.hospital, other.scheme)
            if same and one.source.overlaps(other.source):
                faults.add(
                    file,
                    f"contract[{position}]",
                    f"months of {one.id} and {other.id} overlap",
                    "end one before the other",
                )


def dense_point_values(values: list[PointValue]) -> tuple[int, np.ndarray, np.ndarray]:
    """First month (as 12 x year + month - 1), values and unverified marks by month, scheme (5) and kind (2)."""
    if not values:
        return 0, np.zeros((0, 5, 2), np.int64), np.zeros((0, 5, 2), np.int64)
    last_date = max(min(value.source.to_date, LAST_DATE) for value in values)
    first, last = month_number(min(value.source.from_date for value in values)), month_number(last_date)
    table, unverified = np.zeros((last - first + 1, 5, 2), np.int64), np.zeros((last - first + 1, 5, 2), np.int64)
    for value in values:
        months = slice(month_number(value.source.from_date) - first, month_number(value.source.to_date) - first + 1)
        table[months, value.scheme, value.kind] = value.value_e4
        unverified[months, value.scheme, value.kind] = int(not value.source.verified)
    return first, table, unverified


def month_number(date: int) -> int:
    """Months since year 0 of a date YYYYMMDD.

    >>> month_number(20250301) - month_number(20241231)
    3
    """
    return date // 10_000 * 12 + date // 100 % 100 - 1
