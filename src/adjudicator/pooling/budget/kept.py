"""Budgets, income and scores of the counties as rows of the ledger's acts, so that they last (区县预算登记)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from adjudicator.errors import E, refuse
from adjudicator.pooling.budget.figures import in_order, named, place_zh
from adjudicator.pooling.budget.files import Income, read_income, read_plan, read_scores
from adjudicator.pooling.budget.plan import Plan, PlanLine, typed_plan
from adjudicator.pooling.budget.terms import Place

Row = tuple[str, Any]
"""Natural key of a row, and what it says as plain data."""
SAID = tuple(one.name for one in fields(PlanLine) if one.name not in ("place", "is_expected"))
"""What an act keeps of a line of a budget."""


def key_of(place: Place) -> str:
    """Return the natural key of a place.

    >>> key_of(Place("310", "990001"))
    '990001|310|pooled'
    """
    return f"{place.county}|{place.scheme}|{place.fund}"


def place_of_key(key: str) -> Place:
    """Return the place of a key, whatever follows it.

    >>> place_of_key("990001|310|pooled|202501")
    Place(scheme='310', county='990001', fund='pooled')
    """
    county, scheme, fund = key.split("|")[:3]
    return Place(scheme, county, fund)


def plan_rows(plan: Plan) -> list[Row]:
    """Return the lines of a budget as rows. Errors: E.CANNOT_CLEAR for a line without spending."""
    for line in plan.lines:
        if line.spending_fen is None:
            where, where_zh = named(line.place), place_zh(line.place, line.name)
            raise refuse(
                E.CANNOT_CLEAR, "expenditure_yuan",
                f"expenditure_yuan: {where} has no planned spending, so the budget is not kept; complete it first",
                f"{where_zh} 没有支出预算，预算未登记，请先补全",
            )  # fmt: skip
    return [(key_of(line.place), {name: getattr(line, name) for name in SAID}) for line in plan.lines]


def kept_plan(name: str, year: int, rows: Mapping[str, Any]) -> Plan:
    """Return the budget that the ledger keeps of a year."""
    lines = {place_of_key(key): PlanLine(place_of_key(key), **said) for key, said in rows.items()}
    return Plan(name, year, [lines[place] for place in in_order(lines)])


def kept_income(rows: Mapping[str, Any]) -> Income:
    """Return the income that the ledger keeps."""
    result = Income()
    for key, (income_fen, financing_fen) in rows.items():
        place, month = place_of_key(key), int(key.rpartition("|")[2])
        result.income.setdefault(place, {})[month] = income_fen
        if financing_fen is not None:
            result.financing.setdefault(place, {})[month] = financing_fen
    return result


def kept_scores(rows: Mapping[str, int]) -> dict[tuple[Place, str], int]:
    """Return the scores that the ledger keeps, in hundredths."""
    return {(place_of_key(key), key.rpartition("|")[2]): score for key, score in rows.items()}


def read_plan_rows(path: Path, areas: Mapping[str, str]) -> list[Row]:
    """Read a budget's file as rows."""
    return plan_rows(typed_plan("", 0, read_plan(path, areas), areas))


def read_income_rows(path: Path, areas: Mapping[str, str]) -> list[Row]:
    """Read a file of income as rows: county, scheme, fund and month; income and financing in fen."""
    income = read_income(path, areas)
    return [
        (f"{key_of(place)}|{month}", [amount, income.financing.get(place, {}).get(month)])
        for place, months in income.income.items()
        for month, amount in months.items()
    ]


def read_score_rows(path: Path, areas: Mapping[str, str]) -> list[Row]:
    """Read a file of counties' scores as rows: county, scheme, fund and indicator; hundredths."""
    scores: Iterable[tuple[tuple[Place, str], int]] = read_scores(path, areas, None).items()
    return [(f"{key_of(place)}|{indicator}", score) for (place, indicator), score in scores]
