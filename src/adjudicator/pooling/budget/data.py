"""Budgets, executions and final accounts as plain data for JSON; ``null`` is what cannot be computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from adjudicator.pooling.budget.execution import Executed, Execution
from adjudicator.pooling.budget.figures import Lacking
from adjudicator.pooling.budget.final import Account, Final
from adjudicator.pooling.budget.funding import Funded
from adjudicator.pooling.budget.performance import Assessment
from adjudicator.pooling.budget.plan import Plan
from adjudicator.pooling.budget.terms import Place
from adjudicator.pooling.counties.warning import Figures, Warning, decimal
from adjudicator.pooling.counties.year import as_data
from adjudicator.rounding import PPM


def _place(place: Place, name: str) -> dict[str, Any]:
    return {"county": place.county, "name": name, "scheme": place.scheme, "fund": place.fund}


def _ppm(value: Fraction | None) -> int | None:
    """Return a rate in ppm, rounded down; amounts are never computed from it."""
    return None if value is None else int(value * PPM // 1)


def _figures(figures: Figures) -> dict[str, Any]:
    months = figures.months
    return {
        "capacity_months": None if months is None else decimal(months),
        "surplus_ppm": _ppm(figures.surplus),
        "growth_ppm": _ppm(figures.growth),
    }


def _warnings(warnings: Iterable[Warning]) -> list[dict[str, Any]]:
    return [{slot: getattr(entry, slot) for slot in entry.__slots__} for entry in warnings]


def _lacking(lacking: Iterable[Lacking]) -> list[dict[str, Any]]:
    return [
        _place(one.place, one.name)
        | {"what": one.what, "is_money": one.is_money, "code": one.problem.row.code, "field": one.field,
           "message": one.problem.message, "message_zh": one.problem.message_zh}
        for one in lacking
    ]  # fmt: skip


def plan_data(plan: Plan, funding: Sequence[Funded]) -> dict[str, Any]:
    """Return a budget."""
    lines = [
        _place(line.place, line.name)
        | {name: getattr(line, name) for name in (
            "income_fen", "income_growth_ppm", "spending_fen", "growth_ppm", "carried_fen", "last_income_fen",
            "last_spending_fen", "is_expected", "financing_fen", "last_financing_fen", "balance_fen",
        )}
        | {"growth_on_last_year_ppm": _ppm(line.growth)}
        for line in plan.lines
    ]  # fmt: skip
    pool = None if plan.pool is None else as_data(plan.pool)
    return {
        "pool": plan.name, "year": plan.year, "lines": lines, "pooling_year": pool,
        "funding": [_funded(one) for one in funding], "notes": plan.notes, "lacking": _lacking(plan.lacking),
    }  # fmt: skip


def _funded(one: Funded) -> dict[str, Any]:
    periods = [{slot: getattr(period, slot) for slot in period.__slots__} for period in one.periods]
    return _place(one.place, one.name) | {
        "float_fen": one.float_fen, "periods": periods, "through": one.through, "spent_fen": one.spent_fen,
        "supply_fen": one.supply_fen, "transferred_fen": one.transferred_fen, "agency_fen": one.agency_fen,
        "city_fen": one.city_fen, "to_fund_fen": one.to_fund_fen, "settled_at_end_fen": one.settled_at_end_fen,
    }  # fmt: skip


def execution_data(result: Execution) -> dict[str, Any]:
    """Return an execution."""
    return {
        "pool": result.name, "year": result.year, "months": result.months,
        "rows": [_executed(row) for row in result.rows], "sums": [_executed(row) for row in result.sums],
        "funding": [_funded(one) for one in result.funding], "notes": result.notes,
        "lacking": _lacking(result.lacking),
    }  # fmt: skip


def _executed(row: Executed) -> dict[str, Any]:
    return _place(row.place, row.name) | {
        "months_fen": row.months, "last_months_fen": row.last_months, "spent_fen": row.spent_fen,
        "last_spent_fen": row.last_spent_fen, "plan_fen": row.plan_fen, "plan_income_fen": row.plan_income_fen,
        "share_ppm": _ppm(row.share), "time_ppm": _ppm(row.time),
        "expected_fen": {"straight_line": row.straight_line_fen, "by_last_year": row.by_last_year_fen},
        "carried_fen": row.carried_fen, "income_fen": row.income_fen, "balance_fen": row.balance_fen,
        **_figures(row.figures), "warnings": _warnings(row.warnings),
    }  # fmt: skip


def final_data(result: Final) -> dict[str, Any]:
    """Return a final account."""
    return {
        "pool": result.name, "year": result.year, "is_provisional": result.is_provisional,
        "accounts": [_account(one) for one in result.accounts],
        "assessments": [_assessment(one) for one in result.assessments],
        "notes": result.notes, "lacking": _lacking(result.lacking),
    }  # fmt: skip


def _account(one: Account) -> dict[str, Any]:
    return _place(one.place, one.name) | {
        name: getattr(one, name) for name in (
            "income_fen", "plan_income_fen", "income_difference_fen", "months_fen", "clearing_fen", "spending_fen",
            "plan_spending_fen", "spending_difference_fen", "carried_fen", "balance_fen", "last_spending_fen",
            "financing_fen", "last_financing_fen",
        )
    } | {
        **_figures(one.figures), "plan_share_ppm": _ppm(one.plan_share), "warnings": _warnings(one.warnings),
    }  # fmt: skip


def _assessment(one: Assessment) -> dict[str, Any]:
    counties = [
        _place(county.place, county.name)
        | {"scores_e2": county.scores, "total": None if county.total is None else decimal(county.total),
           "part_fen": county.part_fen, "released_fen": county.released_fen,
           "redistributed_fen": county.redistributed_fen, "paid_fen": county.paid_fen}
        for county in one.counties
    ]  # fmt: skip
    return {
        "scheme": one.scheme, "pot_fen": one.pot_fen, "paid_fen": one.paid_fen, "open_fen": one.open_fen,
        "kept_fen": one.kept_fen, "counties": counties,
    }  # fmt: skip
