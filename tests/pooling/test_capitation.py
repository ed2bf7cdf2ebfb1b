"""Capitation: quotas by month and weight, care outside charged, surplus and overspend, consortia, outpatient points."""

from __future__ import annotations

from fractions import Fraction

import pytest

from adjudicator.errors import AdjudicatorError
from adjudicator.pooling.heads.capitation import (
    CapitationTerms,
    Care,
    Enrolment,
    Weights,
    check_enrolments,
    package_fen,
    settle_year,
    share_surplus,
    year_budget_fen,
)
from adjudicator.pooling.heads.visit_packages import Visits, settle_packages
from adjudicator.rulefile.faults import PackError

PPM = 10**6
QUOTA = 42_000


def person(name: str, institution: str = "A", first: int = 202501, last: int = 202512, **given) -> Enrolment:
    return Enrolment(name, institution, first, last, **given)


def settled(people, own=None, outside=None, weights: Weights | None = None, consortia=None):
    terms = CapitationTerms(QUOTA, weights or Weights(), 800_000, 500_000)
    results = settle_year(2025, people, terms, Care(own or {}, outside or {}, consortia or {}))
    return {result.name: result for result in results}


def test_the_quota_is_paid_by_month_of_contract() -> None:
    """A contract that begins in July or ended in the year before counts its months of this year only."""
    people = [
        person("p1"),
        person("p2", first=202507),
        person("p3", first=202301, last=202503),
        person("p4", first=202401, last=202412),
    ]
    assert settled(people)["A"].person_months == 12 + 6 + 3
    assert settled(people)["A"].quota_fen == QUOTA * 21 // 12


def test_age_and_chronic_disease_weigh() -> None:
    weights = Weights(((17, 800_000), (59, PPM), (200, 1_500_000)), 1_600_000)
    people = [person("child", age_years=5), person("adult"), person("old", age_years=80, chronic=True)]
    expected = Fraction(QUOTA) * (Fraction(8, 10) + 1 + Fraction(15, 10) * Fraction(16, 10))
    assert settled(people, weights=weights)["A"].quota_fen == expected
    with pytest.raises(AdjudicatorError, match="no age band takes 40 years"):
        settled([person("p")], weights=Weights(((17, PPM),)))


def test_a_surplus_is_kept_in_part() -> None:
    result = settled([person("p")], own={"A": 30_000}, outside={"A": 2_000})["A"]
    assert (result.balance_fen, result.settled_fen, result.fund_fen) == (10_000, 38_000, 2_000)


def test_an_overspend_is_shared_and_care_outside_is_charged() -> None:
    result = settled([person("p")], own={"A": 35_000}, outside={"A": 17_000})["A"]
    assert (result.balance_fen, result.settled_fen, result.fund_fen) == (-10_000, 30_000, -5_000)


def test_a_contract_s_own_quota_holds_for_its_months() -> None:
    """A contract from July on at 30,000; before it, and for other schemes, the city's quota."""

    def own(institution: str, scheme: str, month: int) -> int:
        return 30_000 if (institution, scheme) == ("A", "310") and month >= 202507 else 0

    people = [person("p1", scheme="310"), person("p2", scheme="390"), person("p3", "B", scheme="310")]
    found = settle_year(2025, people, CapitationTerms(QUOTA, Weights(), PPM, 0), contract_fen=own)
    assert [result.quota_fen for result in found] == [QUOTA // 2 + 15_000 + QUOTA, QUOTA]


def test_a_consortium_is_settled_as_one() -> None:
    people = [person("p1", "A"), person("p2", "B")]
    result = settled(people, {"A": 50_000, "B": 20_000}, {"B": 4_000}, consortia={"A": "union", "B": "union"})
    assert list(result) == ["union"]
    assert result["union"].balance_fen == 2 * QUOTA - 74_000
    assert share_surplus(8_001, {"county": 6, "town": 3, "village": 1}) == {
        "county": 4801,
        "town": 2400,
        "village": 800,
    }


def test_months_that_overlap_are_named_without_naming_the_person() -> None:
    people = [person("13370000", last=202506), person("13370000", "B", first=202506)]
    faults = check_enrolments(people)
    assert [str(fault) for fault in faults] == [
        "enrolments: line 3: months overlap another contract of the person — end one first"
    ]
    with pytest.raises(PackError) as refused:
        settled(people)
    assert "13370000" not in str(refused.value)
    assert not check_enrolments([person("p", last=202506), person("p", "B", first=202507)])


def test_cost_without_contract_a_quota_of_zero_and_a_budget_of_zero_are_refused() -> None:
    with pytest.raises(AdjudicatorError, match="B has cost under capitation but no contract"):
        settled([person("p")], own={"B": 1})
    with pytest.raises(AdjudicatorError, match="quota a head is not positive"):
        settle_year(2025, [person("p")], CapitationTerms(0, Weights(), PPM, 0))
    with pytest.raises(AdjudicatorError, match="nothing is left of a budget of"):
        package_fen(0, {})


def test_the_package_after_its_deductions() -> None:
    """Weighted share of the fund with growth, less catastrophic insurance, signing fees and physical checks."""
    budget = year_budget_fen(1_000_000, 301_000, 50_000)
    assert budget == 316_050
    assert package_fen(budget, {"catastrophic": 20_000, "signing": 10_000, "checks": 6_050}) == 280_000


def test_outpatient_points_divide_the_packages() -> None:
    """What signed people use anywhere is charged to their institution; used and earned add up to the packages."""
    packages = {"A": 600_000, "B": 400_001}
    visits = [Visits("A", "A", 30 * 10**8), Visits("A", "B", 10 * 10**8), Visits("B", "hospital", 27 * 10**8)]
    value, rows = settle_packages(packages, visits)
    assert value == Fraction(1_000_001, 67)
    assert sum(row.used_fen for row in rows) == sum(row.earned_fen for row in rows) == 1_000_001
    by_name = {row.name: row for row in rows}
    assert by_name["hospital"].package_fen == 0 and by_name["hospital"].earned_fen == by_name["B"].used_fen
    with pytest.raises(AdjudicatorError, match="C has visits but no package"):
        settle_packages(packages, [Visits("C", "A", 1)])
    with pytest.raises(AdjudicatorError, match="0 points"):
        settle_packages(packages, [])
