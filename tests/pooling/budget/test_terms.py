"""Estimates, funding and assessment of counties against slow twins; money in is money out."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudicator.pooling.budget.estimates import by_last_year_fen, straight_line_fen
from adjudicator.pooling.budget.funding import fund
from adjudicator.pooling.budget.performance import Assessed, assess
from adjudicator.pooling.budget.terms import Funding, Indicator, Performance, Place
from tests.pooling.budget import naive

fen = st.integers(0, 10**12)


@given(spent=st.integers(-(10**9), 10**12), months=st.integers(1, 12), same=st.integers(1, 10**12), whole=fen)
def test_expected_years_equal_the_twin(spent: int, months: int, same: int, whole: int) -> None:
    assert straight_line_fen(spent, months) == naive.half_up(Fraction(spent * 12, months))
    assert by_last_year_fen(spent, same, whole) == naive.half_up(Fraction(spent) * whole / same)


def test_nothing_is_expected_by_a_year_that_spent_nothing() -> None:
    assert by_last_year_fen(5, 0, 100) is None


@given(
    plan=fen, spent=st.lists(st.integers(-(10**6), 10**11), max_size=12), every=st.sampled_from([1, 2, 3, 4, 6, 12]),
    months_e2=st.integers(1, 600), supply=st.one_of(st.none(), st.integers(-(10**9), 10**12)),
)  # fmt: skip
def test_transfers_equal_the_twin_and_pay_all_that_is_spent(
    plan: int, spent: list[int], every: int, months_e2: int, supply: int | None
) -> None:
    found = fund(Place("310", "430202"), "荷塘区", Funding(months_e2, every), plan, spent, supply)
    transfers, settled = naive.transfers(plan, spent, Fraction(months_e2, 100), every)
    assert [one.transfer_fen for one in found.periods] == transfers
    assert found.settled_at_end_fen == settled
    paid = sum(one.spent_fen for one in found.periods)
    assert sum(transfers) + settled == paid
    assert found.transferred_fen + found.to_fund_fen == paid
    if not spent:
        assert paid == plan
    if supply is not None:
        assert found.agency_fen + (found.city_fen or 0) == supply - sum(spent)
    assert min(transfers) >= 0


def test_zhuzhou_a_quarter_ahead_and_then_what_was_spent() -> None:
    """株政办发〔2020〕5号: one quarter prepaid, then by quarter, a float of three months."""
    found = fund(Place("310", "430202"), "荷塘区", Funding(300, 3), 1_200, [90, 110, 130, 100, 80], 2_000)
    assert [one.transfer_fen for one in found.periods] == [300, 330, 280, 300]
    assert [one.is_actual for one in found.periods] == [True, True, False, False]
    assert (found.transferred_fen, found.agency_fen, found.city_fen) == (630, 120, 1_370)
    assert found.settled_at_end_fen == 0 and found.to_fund_fen == 90 + 110 + 130 + 100 + 80 + 700 - 630


def terms(redistributes: bool) -> Performance:
    return Performance(
        10_000, redistributes, ((0, 0), (60, 500_000), (90, 1_000_000)),
        (
            Indicator("growth", "支出增幅", 600_000, "", "growth", ((1000, 10_000), (1500, 6_000), (None, 0))),
            Indicator("people", "参保任务", 400_000, "", "scored", ()),
        ),
    )  # fmt: skip


@given(data=st.data(), redistributes=st.booleans(), count=st.integers(1, 6))
def test_a_pot_is_paid_kept_or_open_and_scores_equal_the_twin(
    data: st.DataObject, redistributes: bool, count: int
) -> None:
    counties, scores = [], {}
    for number in range(count):
        place = Place("310", f"99000{number}")
        growth = data.draw(st.one_of(st.none(), st.fractions(-1, 1)))
        plan = data.draw(st.integers(0, 10**10))
        counties.append(Assessed(place, "x", plan, {"growth": growth}))
        score = data.draw(st.one_of(st.none(), st.integers(0, 10_000)))
        if score is not None:
            scores[place, "people"] = score
    result, lacking = assess("310", terms(redistributes), counties, scores)
    unknown = [one for one in result.counties if one.total is None]
    assert {one.place for one in lacking} == {one.place for one in unknown}
    for one, county in zip(result.counties, counties, strict=True):
        growth = county.measures["growth"]
        if one.total is not None and growth is not None:
            measured = 10_000 if growth <= Fraction(1, 10) else 6_000 if growth <= Fraction(3, 20) else 0
            assert one.total == naive.weighted([measured, scores[one.place, "people"]], [600_000, 400_000])
    if sum(county.plan_fen for county in counties) == 0:
        assert result.pot_fen is None
        return
    assert result.pot_fen == naive.half_up(Fraction(sum(county.plan_fen for county in counties), 100))
    assert result.paid_fen + result.open_fen + result.kept_fen == result.pot_fen
    assert sum(one.part_fen or 0 for one in result.counties) == result.pot_fen
    released = sum(one.released_fen or 0 for one in result.counties)
    if redistributes and not unknown and released:
        assert result.kept_fen == 0
    else:
        assert result.paid_fen == released and result.kept_fen >= 0


@pytest.mark.parametrize(("growth", "total"), [("1/10", 100), ("11/100", 76), ("2/10", 40)])
def test_a_measured_indicator_is_scored_by_its_bands(growth: str, total: int) -> None:
    place = Place("310", "990001")
    county = Assessed(place, "武陵县", 1_000_000, {"growth": Fraction(growth)})
    result, _ = assess("310", terms(False), [county], {(place, "people"): 10_000})
    assert result.counties[0].total == total
    assert result.counties[0].paid_fen == {100: 10_000, 76: 5_000, 40: 0}[total]
