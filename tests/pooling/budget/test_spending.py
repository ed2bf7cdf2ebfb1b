"""What counts as spending of a fund: which accounts of the ledger, month by month and over the year."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudicator.codes import Scheme
from adjudicator.ledger.totals import Total
from adjudicator.payers import FUNDS, Fund
from adjudicator.pooling.budget.figures import added
from adjudicator.pooling.budget.spending import of_totals
from adjudicator.pooling.budget.terms import Place
from tests.pooling.budget import naive

HERE = Place("310", "990001")


def total(month: int, fund: Fund, amount: int, county: str = "990001") -> Total:
    return Total(county, month, Scheme.EMPLOYEE, fund, amount)


def test_the_settled_month_replaces_the_provisional_one_and_prepayments_never_count() -> None:
    rows = [
        total(202501, Fund.PROVIDER_DUE, 1_000), total(202501, Fund.PROVIDER_FINAL, 900),
        total(202501, Fund.PROVIDER_PREPAID, 765), total(202501, Fund.POOLED, 950),
        total(202502, Fund.PROVIDER_DUE, 500), total(202502, Fund.POOLED, 480),
        total(202502, Fund.CLAIMS, 7), total(202502, Fund.TOTAL_COST, 9_999), total(202502, Fund.ACCOUNT, 44),
    ]  # fmt: skip
    found = of_totals(rows, ["pooled"])
    assert found.months_fen(HERE, 2025)[:3] == [900, 500, None]
    assert found.provisional == {202502}
    assert found.places([2025]) == {HERE}


def test_a_county_without_settlements_in_a_settled_month_spent_nothing() -> None:
    rows = [total(202501, Fund.PROVIDER_FINAL, 900), total(202501, Fund.PROVIDER_DUE, 30, "990002")]
    found = of_totals(rows, ["pooled"])
    assert found.month_fen(Place("310", "990002"), 202501) == 0
    assert found.month_fen(Place("310", "990003"), 202501) == 0
    assert found.month_fen(Place("310", "990003"), 202502) is None


def test_other_funds_are_apart_and_leave_the_basic_fund_where_clearing_replaces_them() -> None:
    rows = [
        total(202501, Fund.PROVIDER_DUE, 1_000), total(202501, Fund.POOLED, 700),
        total(202501, Fund.LARGE_SUM, 200), total(202501, Fund.CATASTROPHIC, 50),
    ]  # fmt: skip
    both = of_totals(rows, ["pooled", "large_sum"])
    assert both.month_fen(HERE, 202501) == 800
    assert both.month_fen(Place("310", "990001", "large_sum"), 202501) == 200
    assert both.month_fen(Place("310", "990001", "catastrophic"), 202501) == 50
    assert of_totals(rows, ["pooled"]).month_fen(HERE, 202501) == 1_000
    assert of_totals(rows, ["large_sum"]).month_fen(HERE, 202501) == 1_500  # the pooled fund pays by item beside it


def test_the_year_s_clearing_is_apart_from_its_months() -> None:
    rows = [
        total(202411, Fund.PROVIDER_FINAL, 400), total(202412, Fund.PROVIDER_DUE, 300),
        total(202412, Fund.PROVIDER_YEAR, 350), total(202412, Fund.PROVIDER_CAPITATION, 20),
    ]  # fmt: skip
    found = of_totals(rows, ["pooled"])
    assert found.months_fen(HERE, 2024)[10:] == [400, 300]
    assert found.clearing_fen(HERE, 2024) == 350 - 300 + 20  # the clearing holds all of December
    assert found.cleared == {2024}


amounts = st.integers(-10_000, 100_000)
ACCOUNTS = [payer.fund for payer in FUNDS] + [
    Fund.PROVIDER_DUE, Fund.PROVIDER_FINAL, Fund.PROVIDER_PREPAID, Fund.PROVIDER_YEAR, Fund.PROVIDER_CAPITATION,
]  # fmt: skip


@st.composite
def ledgers(draw: st.DrawFn) -> list[Total]:
    """Totals of a made year; yearly accounts stand in December."""
    found = {}
    for _ in range(draw(st.integers(1, 40))):
        fund = draw(st.sampled_from(ACCOUNTS))
        yearly = fund in (Fund.PROVIDER_YEAR, Fund.PROVIDER_CAPITATION)
        month = 202412 if yearly else 202400 + draw(st.integers(1, 12))
        county = draw(st.sampled_from(["990001", "990002"]))
        found[month, fund, county] = total(month, fund, draw(amounts), county)
    return list(found.values())


@pytest.mark.parametrize("clearing", [["pooled"], ["pooled", "large_sum"], ["catastrophic"]])
@given(rows=ledgers())
def test_months_and_clearing_add_up_to_the_accounts_of_the_year(clearing: list[str], rows: list[Total]) -> None:
    found = of_totals(rows, clearing)
    for county in ("990001", "990002"):
        for payer in FUNDS:
            place = Place("310", county, payer.id)
            known = [amount or 0 for amount in found.months_fen(place, 2024)]
            year = (added(known) or 0) + found.clearing_fen(place, 2024)
            assert year == naive.year_spending(rows, county, "310", payer.id, 2024, set(clearing))
