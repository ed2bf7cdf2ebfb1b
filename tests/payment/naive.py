"""Provider payment, slowly and plainly, from the documents (docs/law.md); the twin of each method is in its folder."""

from __future__ import annotations

from fractions import Fraction

from adjudicator.codes import Method
from tests.payment.bed_day import naive as bed_day
from tests.payment.drg import naive as drg_points
from tests.payment.naive_rules import Given, Refused, date_of, holds, method_of
from tests.payment.package import naive as package


def pay(rules, claim, split, benefit, group, drg: str, codes=((), ())) -> dict:
    """Method, points, value and amount due of one claim, or the error number."""
    nothing = {"method": 0, "points": Fraction(0), "value": Fraction(0), "due_fen": 0, "by_item": 0}
    given = Given(rules, claim, split, benefit, group, drg, codes, date_of(rules, claim))
    try:
        return {**_pay(given), "error": 0}
    except Refused as refused:
        return {**nothing, "error": int(refused.number)}


def _pay(given: Given) -> dict:
    row, rules = method_of(given), given.rules
    by_item = given.clearing
    result = {"method": int(row.method), "points": Fraction(0), "value": Fraction(0), "due_fen": 0, "by_item": by_item}
    if row.method is Method.BY_ITEM:
        return {**result, "due_fen": by_item}
    if row.method is Method.CAPITATION:
        return result
    if row.method is Method.DRG_POINTS:
        return drg_points.pay(given, result)
    if row.method is Method.BED_DAY:
        return bed_day.pay(given, _table(given, rules.bed_days, row), result)
    return package.pay(given, _table(given, rules.packages, row), result)


def _table(given: Given, tables, row):
    return next(table for table in tables if table.name == row.table and holds(table, given.date))
