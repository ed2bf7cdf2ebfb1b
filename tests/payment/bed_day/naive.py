"""Payment by bed-days, slowly and plainly (docs/law.md, bed-days)."""

from __future__ import annotations

from fractions import Fraction

from adjudicator.errors import E
from tests.payment.naive_rules import HUNDRED_MILLION, Given, Refused, half_up, highest, point_value, to_decimals


def pay(given: Given, table, result: dict) -> dict:
    """Points, value and amount due of a stay that is paid by the day."""
    rules, claim, split = given.rules, given.claim, given.split
    days = max(1, int(claim["stay_days"]))
    hospital = int(claim["hospital"])
    name = rules.view.hospital_classes[hospital] if hospital >= 0 else ""
    rank = rules.view.classes.index(name) if name in rules.view.classes else -1
    ranks = {rate[0] for rate in table.rates}
    if rank not in ranks:
        rank = -1
    rates = [rate for rate in table.rates if rate[0] == rank]
    if not rates:
        raise Refused(E.NO_BED_DAY_RATE)
    amount = Fraction(sum(next(r[3] for r in rates if r[1] <= day <= r[2]) for day in range(1, days + 1)))
    factor = highest(given, table.factors)
    formula = int(table.row["formula"])
    if formula == 3:
        points = amount / HUNDRED_MILLION
        points = to_decimals(points * factor, 8) if factor else points
        value = point_value(given, 0)
        return {**result, "points": points, "value": value, "due_fen": half_up(points * value) - given.others}
    if factor:
        amount = Fraction(half_up(amount * factor))
    if formula == 0:
        return {**result, "due_fen": int(amount) - given.others}
    if formula == 1:
        return {**result, "due_fen": half_up(amount * Fraction(int(table.row["fund_ppm"]), 10**6))}
    if not claim["total_fen"]:
        return result
    rate_a, rate_b = (Fraction(int(table.row[f"rate_{letter}_ppm"]), 10**6) for letter in "ab")
    weighted = (rate_a * int(split["class_a_fen"]) + rate_b * int(split["class_b_fen"])) / int(claim["total_fen"])
    due = half_up(max(Fraction(0), weighted) * amount)
    if table.row["cap_ppm"]:
        due = min(due, half_up(given.clearing * Fraction(int(table.row["cap_ppm"]), 10**6)))
    return {**result, "due_fen": due}
