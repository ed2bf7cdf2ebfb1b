"""Prices of packages and quotas, slowly and plainly (docs/law.md, packages)."""

from __future__ import annotations

from fractions import Fraction

from adjudicator.errors import E
from tests.payment.drg import naive as drg
from tests.payment.naive_rules import HUNDRED_MILLION, Given, Refused, half_up, point_value


def pay(given: Given, table, result: dict) -> dict:
    """Points, value and amount due of a case at a known price."""
    rules, claim, clearing, others = given.rules, given.claim, given.clearing, given.others
    row = table.row
    key = {
        0: 0,
        1: int(claim["disease"]),
        2: int(claim["maternity_type"]),
        3: int(claim["care_kind"]),
        4: int(given.group["drg"]),
    }[int(row["key"])]
    hospital = int(claim["hospital"])
    name = rules.view.hospital_classes[hospital] if hospital >= 0 else ""
    rank = rules.view.classes.index(name) if name in rules.view.classes else -1
    prices = table.prices.get((key, rank)) or table.prices.get((key, -1))
    if prices is None:
        raise Refused(E.PAYMENT_RULE_UNDEFINED)
    price, fund, second, first_ppm, second_ppm, points_e8, extra = prices
    more = extra * max(0, int(claim["fetus_count"]) - 1)
    price += more
    cost = int(claim["total_fen"])

    def part(amount: int, ppm) -> int:
        return half_up(amount * Fraction(int(ppm), 10**6))

    formula = int(row["formula"])
    if formula == 9:
        return drg.pay(given, result, Fraction(first_ppm, 10**6))
    if formula == 8:
        points = Fraction(points_e8, HUNDRED_MILLION)
        if row["per_head"]:
            return {**result, "points": points}
        value = point_value(given, 1)
        return {**result, "points": points, "value": value, "due_fen": half_up(points * value)}
    if formula == 0:
        due = fund + more
    elif formula == 1:
        due = price - others
    elif formula == 2:
        due = clearing + part(price - cost, row["reward_ppm"]) if cost <= price else price - others
    elif formula == 3:
        if cost > price and not row["above_defined"]:
            raise Refused(E.PAYMENT_RULE_UNDEFINED)
        due = price - others
    elif formula == 4:
        if cost <= price:
            payable = cost + min(part(price - cost, row["reward_ppm"]), part(price, row["reward_cap_ppm"]))
        else:
            payable = price + part(min(cost - price, part(price, row["band_ppm"])), row["band_share_ppm"])
        due = payable - others
    elif formula == 5:
        due = cost - part(max(0, min(cost, second) - price), first_ppm) - part(max(0, cost - second), second_ppm)
    elif formula == 6:
        due = min(cost, price)
    else:
        due = clearing
    return {**result, "due_fen": due}
