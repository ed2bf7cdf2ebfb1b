"""DRG points, slowly and plainly (docs/law.md, DRG points)."""

from __future__ import annotations

from fractions import Fraction

from adjudicator.codes import GroupStatus, Method
from adjudicator.errors import E
from tests.payment.naive_rules import HUNDRED_MILLION, Given, Refused, half_up, highest, holds, point_value, to_decimals


def level_values(coefficients, classes, drg: str) -> dict[str, Fraction]:
    """Zigong: a missing level takes 90 % of the next higher one, else 110 % of the next lower one."""
    found: list[Fraction | None] = []
    for name in classes:
        value = coefficients.values_e8.get(("level", name, drg), coefficients.values_e8.get(("level", name, "")))
        found.append(None if value is None else Fraction(value, HUNDRED_MILLION))
    for i in range(1, len(found)):
        if found[i] is None and found[i - 1] is not None and coefficients.missing_up_ppm >= 0:
            found[i] = to_decimals(found[i - 1] * Fraction(coefficients.missing_up_ppm, 10**6), 8)
    for i in reversed(range(len(found) - 1)):
        if found[i] is None and found[i + 1] is not None and coefficients.missing_down_ppm >= 0:
            found[i] = to_decimals(found[i + 1] * Fraction(coefficients.missing_down_ppm, 10**6), 8)
    return {name: value for name, value in zip(classes, found, strict=True) if value is not None}


def coefficient_of(rules, terms, hospital: int, drg: str) -> Fraction | None:
    c = terms.coefficients
    if drg in c.no_coefficient or drg in c.new_groups:
        return Fraction(1)
    code, rank = rules.view.hospitals[hospital], rules.view.hospital_classes[hospital]

    def of(component: str) -> Fraction | None:
        value = c.values_e8.get((component, code, drg), c.values_e8.get((component, code, "")))
        return None if value is None else Fraction(value, HUNDRED_MILLION)

    level = level_values(c, rules.view.classes, drg).get(rank)
    own = of("hospital")
    if own is None and c.missing_hospital == "level":
        own = level
    if own is None:
        return None
    total = Fraction(0)
    for component, weight in c.weights_ppm.items():
        value = {"hospital": own, "level": level}.get(component, of(component))
        if value is None:
            return None
        total += value * Fraction(weight, 10**6)
    total = to_decimals(total, c.decimals)
    return min(max(total, Fraction(c.floor_e8, HUNDRED_MILLION)), Fraction(c.cap_e8, HUNDRED_MILLION))


def decimals_of(terms) -> int:
    return 8 - (len(str(int(terms.row["rounding_unit_e8"]))) - 1)


def case_points(rules, terms, claim, drg: str, value: Fraction) -> Fraction:
    """Points of a grouped case. ``value`` is fen a point."""
    row, decimals = terms.row, decimals_of(terms)
    points = terms.groups.get(drg)
    if points is None:
        raise Refused(E.GROUP_WITHOUT_POINTS)
    base = Fraction(points.base_e8, HUNDRED_MILLION)
    cost, average = int(claim["total_fen"]), points.average_fen
    if points.bed_day:
        return base * int(claim["stay_days"])
    incomplete = (row["incomplete_mid_stay"] and claim["mid_stay"]) or (
        int(row["incomplete_ways"]) >> int(claim["discharge_way"])
    ) & 1
    if incomplete and not row["incomplete_coefficient"]:
        found = to_decimals(base * cost / average, decimals)
        return min(found, base) if row["incomplete_cap"] == 1 else found
    hospital = int(claim["hospital"])
    coefficient = coefficient_of(rules, terms, hospital, drg) if hospital >= 0 else None
    if coefficient is None:
        raise Refused(E.HOSPITAL_WITHOUT_COEFFICIENT)
    full = to_decimals(base * coefficient, decimals)
    if incomplete:
        found = to_decimals(base * coefficient * cost / average, decimals)
        return min(found, {0: found, 1: base, 2: full}[int(row["incomplete_cap"])])
    return _unusual(rules, terms, claim, points, base, coefficient, full, value)


def _unusual(rules, terms, claim, points, base, coefficient, full, value) -> Fraction:
    row, decimals, cost = terms.row, decimals_of(terms), int(claim["total_fen"])
    level = points.class_average_fen.get(rules.view.hospital_classes[int(claim["hospital"])], 0)

    def reference(to: int) -> Fraction:
        return {
            0: Fraction(points.average_fen),
            1: Fraction(level),
            2: points.average_fen * coefficient,
            3: Fraction(half_up(full * value)),
        }[to]

    def average(to: int) -> int:
        return level if to == 1 else points.average_fen

    low, high = int(row["low_strategy"]), int(row["high_strategy"])
    if (low and average(int(row["low_ratio_to"])) <= 0) or (high and average(int(row["high_ratio_to"])) <= 0):
        raise Refused(E.PAYMENT_RULE_UNDEFINED)
    if low:
        line = reference(int(row["low_ratio_to"])) * Fraction(int(row["low_multiple_ppm"]), 10**6)
        if cost < line or (cost == line and row["low_inclusive"]):
            factor = coefficient if row["low_coefficient"] else 1
            actual = base * factor * cost / average(int(row["low_ratio_to"]))
            return to_decimals(actual, decimals) if low == 2 else full
    if high:
        upper = Fraction(next(m for limit, m in terms.high_bands if base * HUNDRED_MILLION <= limit), 10**6)
        line = reference(int(row["high_ratio_to"])) * upper
        if cost > line or (cost == line and row["high_inclusive"]):
            ratio = Fraction(cost, average(int(row["high_ratio_to"])))
            factor = coefficient if row["high_coefficient"] else 1
            if high == 2:
                return full + to_decimals(max(Fraction(0), base * factor * (ratio - upper)), decimals)
            if high == 3:
                return to_decimals(max(Fraction(0), base * factor * (ratio - 1)), decimals)
            if high == 4:
                return to_decimals(base * ratio, decimals) - to_decimals(full * (upper - 1), decimals)
    return full


def pay(given: Given, result: dict, factor: Fraction = Fraction(1)) -> dict:
    """Points, value and amount due of a case; ``factor`` of the points is what a package may leave."""
    rules, claim = given.rules, given.claim
    terms = next((t for t in rules.drg if holds(t, given.date)), None)
    if terms is None:
        raise Refused(E.GROUP_WITHOUT_POINTS)
    decimals = decimals_of(terms)
    if given.group["status"] != GroupStatus.GROUPED or len(given.drg) <= 3:
        if terms.row["ungrouped"] == 1:
            return {**result, "method": int(Method.BY_ITEM), "due_fen": given.clearing}
        if terms.row["ungrouped"] == 0:
            raise Refused(E.PAYMENT_RULE_UNDEFINED)
        scale = Fraction(int(terms.row["scale_e8"]), HUNDRED_MILLION)
        points = to_decimals(scale * int(claim["total_fen"]) / int(terms.row["all_average_fen"]), decimals)
        value = point_value(given, 0)
    else:
        try:
            value = point_value(given, 0)
        except Refused:
            value = Fraction(0)
        points = case_points(rules, terms, claim, given.drg, value)
    if factor != 1:
        points = to_decimals(points * factor, decimals)
    addition = highest(given, terms.supports)
    if addition:
        points = to_decimals(points * (1 + addition), decimals)
    value = point_value(given, 0)
    due = half_up(points * value)
    if terms.row["mode"] == 0:
        due -= given.others
    if terms.row["mode"] == 2:
        split, benefit = given.split, given.benefit
        in_scope = due - int(split["wholly_self_paid_fen"]) - int(benefit["first_pay_fen"])
        in_scope -= int(benefit["deductible_fen"])
        due = half_up(max(0, in_scope) * Fraction(int(benefit["pooled_rate_ppm"]), 10**6))
    return {**result, "points": points, "value": value, "due_fen": due}
