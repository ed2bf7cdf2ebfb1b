"""Settling again posts only the difference, and ends where a run from nothing ends; on a real ledger."""

from __future__ import annotations

import asyncio

from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from adjudicator.payment.methods.drg.terms import Readmission
from adjudicator.pooling.hospitals.clearing import Terms
from adjudicator.pooling.hospitals.review import Decision
from adjudicator.pooling.hospitals.settlement import Rules, Settlement, settle, sums_of
from adjudicator.pooling.periods.posting import accounts_of, differences, post_lines, posted
from adjudicator.pooling.periods.run import targets_of
from tests.pooling.made import case, cases, random_cases

BUDGET = {"310": 9_999_999_937, "390": 7_777_777_773}
RULES = Rules(
    {"310": Terms(reserve_ppm=50_000), "390": Terms(mode="fund_only", prepay_ppm=900_000)},
    Readmission(15, 500_000, frozenset(), (), True),
)
ACCOUNTS = {Fund.PROVIDER_FINAL, Fund.PROVIDER_PREPAID, Fund.PROVIDER_YEAR}
MONTH = 202503


def with_reversal(made, place: int):
    """The same cases, one of them taken back."""
    taken = case(made.ids[place], **{name: made.rows[place][name] for name in made.rows.dtype.names})
    taken["sign"] = -1
    rows = [
        case(made.ids[number], **{name: made.rows[number][name] for name in made.rows.dtype.names})
        for number in range(len(made))
    ]
    return cases(*rows, taken)


async def post(ledger: Ledger, pool: str, settlement: Settlement) -> dict:
    """Post a settlement and return its differences by hospital and county."""
    targets = await targets_of(ledger, pool, settlement, {})
    return await post_lines(ledger, pool, accounts_of(settlement), targets)


async def standing(ledger: Ledger, pool: str) -> dict:
    return await posted(ledger, pool, MONTH, ACCOUNTS)


def run(coroutine):
    return asyncio.run(coroutine)


def test_a_month_again_after_a_reversal_and_a_review_posts_only_the_difference(store_url: str) -> None:
    made = random_cases(200, seed=11)
    late = with_reversal(made, 17)
    decisions = {made.ids[3]: Decision(points_e8=777 * 10**8)}
    first = settle(made, MONTH, BUDGET, RULES)
    again = settle(late, MONTH, BUDGET, RULES, decisions)

    async def steps() -> None:
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            posted_first = await post(ledger, "990000", first)
            assert sums_of(posted_first) == first.targets() == await standing(ledger, "990000")
            assert await post(ledger, "990000", first) == {}
            change = await post(ledger, "990000", again)
            assert change == differences(again.lines(), first.lines())
            assert 0 < len(change) <= len(first.lines())
            assert await standing(ledger, "990000") == again.targets()
            await post(ledger, "980000", again)
            assert await standing(ledger, "980000") == await standing(ledger, "990000")
            assert await post(ledger, "990000", again) == {}

    run(steps())


def test_going_back_to_the_first_state_is_posted_too(store_url: str) -> None:
    """The same target over another ledger state is another posting, not a repetition."""
    first, other = (settle(random_cases(50, seed), MONTH, BUDGET, RULES) for seed in (1, 2))

    async def steps() -> None:
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            for settlement in (first, other, first, other, first):
                await post(ledger, "990000", settlement)
                assert await standing(ledger, "990000") == settlement.targets()

    run(steps())


def test_a_year_posts_what_it_differs_from_its_months(store_url: str) -> None:
    made = random_cases(120, seed=21)
    year_rules = Rules({"310": Terms(year_total="shared", surplus_kept_ppm=850_000), "390": Terms(mode="fund_only")})
    month = settle(made, MONTH, BUDGET, RULES)
    year = settle(made, 2025, BUDGET, year_rules)
    corrected = settle(with_reversal(made, 5), MONTH, BUDGET, RULES)

    async def owed(ledger: Ledger) -> dict:
        totals: dict = {}
        for row in (await ledger.totals("990000")).rows:
            if row.fund in (Fund.PROVIDER_FINAL, Fund.PROVIDER_YEAR):
                place = (int(row.county), int(row.scheme))
                totals[place] = totals.get(place, 0) + row.amount_fen
        return {place: amount for place, amount in totals.items() if amount}

    async def steps() -> None:
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            await post(ledger, "990000", month)
            await post(ledger, "990000", year)
            expected = {place[:2]: v for place, v in year.targets().items() if place[2] == Fund.PROVIDER_FINAL and v}
            assert await owed(ledger) == expected
            assert await post(ledger, "990000", year) == {}
            await post(ledger, "990000", corrected)
            assert await owed(ledger) != expected
            await post(ledger, "990000", year)
            assert await owed(ledger) == expected

    run(steps())


def test_counties_add_up_to_hospitals_in_the_postings() -> None:
    settlement = settle(random_cases(300, seed=4), MONTH, BUDGET, RULES)
    final = sum(amount for place, amount in settlement.targets().items() if place[2] == Fund.PROVIDER_FINAL)
    assert final == sum(sum(c.hospital_fen().values()) for c in settlement.clearings.values())
    prepaid = sum(amount for place, amount in settlement.targets().items() if place[2] == Fund.PROVIDER_PREPAID)
    assert prepaid == sum(settlement.prepaid.values())
