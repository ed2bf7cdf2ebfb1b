"""A city's year at random: claims on time and late, reversals, reviews and new prices, months that close, the year.

A second way to the same money, written out below without the product's code, says what each closing must post, to the
fen by hospital and county; at the end every account together is the year, and a pool takes the counties' spending.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

from adjudicator.codes import Method, Scheme
from adjudicator.columns import PAYMENT
from adjudicator.ledger.acts import Draft
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from adjudicator.pooling.counties.figures import CountyYear
from adjudicator.pooling.counties.year import pool_year
from adjudicator.pooling.periods import decisions, resettle
from adjudicator.pooling.periods.context import load_context
from adjudicator.pooling.periods.posting import standing_of
from adjudicator.pooling.periods.run import Request, run_period
from tests.ledger import made
from tests.pooling.settled import POOL, DrgCase

HOSPITALS = ("H99000100001", "H99000200001", "H99000300001")
COUNTIES = (990001, 990002, 990003)
MONTHS = (202501, 202502, 202503, 202504)
BUDGETS = {"310": 9_000_00, "390": 6_000_00}
YEAR_BUDGETS = {"310": 40_000_00, "390": 25_000_00}
PREPAID = {"310": 85, "390": 90}
RESERVE = {"310": 5, "390": 3}
E8 = 10**8


@dataclass
class Event:
    """One claim and what became of it, by the number of the step."""

    case: DrgCase
    code: str
    since: int
    until: int = 10**9
    points: list[tuple[int, int]] = field(default_factory=list)
    """From which step on it has how many points, 1e-8; a review has the last word."""
    dues: list[tuple[int, int]] = field(default_factory=list)
    """From which step on it is priced at how much, fen: what counts where its month had no value of a point."""
    review: tuple[int, int] | None = None

    @property
    def month(self) -> int:
        return self.case.date // 100

    def points_at(self, step: int) -> int:
        if self.review is not None and self.review[0] <= step:
            return self.review[1]
        return [points for since, points in self.points if since <= step][-1]

    @property
    def person_fen(self) -> int:
        return self.case.total_fen - self.case.pooled_fen - self.case.catastrophic_fen


def half_up(value: Fraction) -> int:
    """Round half away from zero."""
    whole = abs(value) + Fraction(1, 2)
    return (whole.numerator // whole.denominator) * (1 if value >= 0 else -1)


def parts(total: int, weights: list[int]) -> list[int]:
    """Split by weights: whole parts first, what is left by the largest remainders, the first of equal ones."""
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    found = [value.numerator // value.denominator for value in exact]
    order = sorted(range(len(weights)), key=lambda place: (found[place] - exact[place], place))
    for place in order[: total - sum(found)]:
        found[place] += 1
    return found


def standing(events: list[Event], step: int, period: int) -> list[Event]:
    """The claims of a month or year that stand after a step."""
    months = {period} if period > 10_000 else {period * 100 + month for month in range(1, 13)}
    return [one for one in events if one.month in months and one.since <= step < one.until]


def value_of(code: str, own: list[Event], step: int, budget: int, is_year: bool) -> tuple[Fraction, int]:
    """Value of a point in fen per 1e-8, and the money that is split."""
    reserve = half_up(Fraction(budget * RESERVE[code], 100))
    fund = budget - reserve
    if is_year and code == "310":
        by_item = sum(one.case.pooled_fen for one in own)
        rest = budget - by_item
        if rest >= 0:
            fund = by_item + half_up(Fraction(rest * 85, 100))
        else:
            fund = budget + (-rest - half_up(Fraction(-rest * 85, 100)))
    money = fund
    if code == "310":
        money += sum(one.person_fen + one.case.catastrophic_fen for one in own)
    return Fraction(money, sum(one.points_at(step) for one in own)), money


def owed(events: list[Event], step: int, period: int, budgets: dict[str, int]) -> tuple[dict, dict, dict]:
    """What is owed by (county, scheme, hospital), what is prepaid, and the values."""
    final, prepaid, values = {}, {}, {}
    for code, budget in budgets.items():
        own = [one for one in standing(events, step, period) if one.code == code]
        if not own:
            continue
        values[code], money = value_of(code, own, step, budget, period < 10_000)
        hospitals = sorted({one.case.institution for one in own})
        weights = [sum(one.points_at(step) for one in own if one.case.institution == name) for name in hospitals]
        for name, part in zip(hospitals, parts(money, weights), strict=True):
            mine = [one for one in own if one.case.institution == name]
            counties = sorted({one.case.county for one in mine})
            shares = parts(part, [sum(one.points_at(step) for one in mine if one.case.county == c) for c in counties])
            net = {}
            for county, share in zip(counties, shares, strict=True):
                paid = [one for one in mine if one.case.county == county]
                taken = sum(one.person_fen + one.case.catastrophic_fen for one in paid) if code == "310" else 0
                net[county] = share - taken
                final[county, code, name] = share - taken
            ahead = half_up(Fraction(max(0, sum(net.values())) * PREPAID[code], 100))
            if ahead:
                split = parts(ahead, [max(0, fen) for fen in net.values()])
                for county, fen in zip(net, split, strict=True):
                    prepaid[county, code, name] = fen
    return final, prepaid, values


def late(events: list[Event], then: int, now: int, period: int, values: dict[str, Fraction]) -> dict:
    """What came to a closed month, at its own values."""
    found: dict = {}
    for sign, step in ((1, now), (-1, then)):
        for one in standing(events, step, period):
            place = (one.case.county, one.code, one.case.institution)
            if one.code in values:
                due = half_up(values[one.code] * one.points_at(step))
                due -= one.person_fen + one.case.catastrophic_fen if one.code == "310" else 0
            else:
                due = [fen for since, fen in one.dues if since <= step][-1]
            found[place] = found.get(place, 0) + sign * due
    return found


def lines(found: dict, fund: Fund) -> dict:
    """Lines as the ledger has them."""
    numbers = {"310": int(Scheme.EMPLOYEE), "390": int(Scheme.RESIDENT)}
    return {(county, numbers[code], int(fund), name): fen for (county, code, name), fen in found.items() if fen}


class City:
    """The random city: what it does to the ledger, and what it remembers of it."""

    def __init__(self, ledger: Ledger, seed: int):
        self.ledger, self.random = ledger, random.Random(seed)
        self.events: list[Event] = []
        self.step = 0

    async def settle(self, month: int) -> None:
        chance, number = self.random, len(self.events)
        total = chance.randrange(50_000, 900_000)
        pooled = total * chance.randrange(40, 80) // 100
        code = chance.choice(list(BUDGETS))
        case = DrgCase(
            f"p{number}", f"E{number}", institution=chance.choice(HOSPITALS), county=chance.choice(COUNTIES),
            scheme=Scheme.EMPLOYEE if code == "310" else Scheme.RESIDENT, date=month * 100 + chance.randrange(1, 27),
            total_fen=total, pooled_fen=pooled, catastrophic_fen=chance.choice((0, 0, total // 10)),
            points_e8=chance.randrange(20 * E8, 300 * E8, 10_000),
        )  # fmt: skip
        await made.settle(self.ledger, [case], POOL)
        first = {"points": [(self.step, case.points_e8)], "dues": [(self.step, case.due_fen)]}
        self.events.append(Event(case, code, self.step, **first))

    def someone(self) -> Event | None:
        alive = [one for one in self.events if one.until > self.step]
        return self.random.choice(alive) if len(alive) > 12 else None

    async def take_back(self, month: int) -> None:
        if (one := self.someone()) is not None:
            date = max(one.case.date, month * 100 + 28)
            await self.ledger.reverse(POOL, one.case.key, one.case.reversal_key, date=date)
            one.until = self.step

    async def price_again(self) -> None:
        if (one := self.someone()) is None:
            return
        record = await self.ledger.get(POOL, one.case.key)
        assert record is not None
        (stored,) = await resettle.newest(self.ledger, POOL, [record])
        row = np.zeros(1, PAYMENT)[0]
        points = self.random.randrange(20 * E8, 300 * E8, 10_000)
        row["method"], row["points_e8"], row["by_item_fen"] = int(Method.DRG_POINTS), points, one.case.pooled_fen
        row["due_fen"] = points // E8 * 700
        assert await resettle.post(self.ledger, POOL, resettle.Priced(stored, row, stored.answer.grouping))
        one.points.append((self.step, points))
        one.dues.append((self.step, int(row["due_fen"])))

    async def review(self) -> None:
        one = self.someone()
        if one is None or any(each.review for each in self.events):
            return
        points = self.random.randrange(20 * E8, 400 * E8, 10_000)
        name = f"{one.case.institution}/{one.case.encounter}/1"
        rows = [[name, {"points_e8": points, "reasonable_cost_fen": -1, "replaces": ""}]]
        draft = Draft("review", one.month, "test", {"rows": rows})
        assert await decisions.record(self.ledger, POOL, draft, lambda acts: None)
        one.review = (self.step, points)

    async def live(self, month: int, steps: int) -> None:
        for _ in range(steps):
            self.step += 1
            what = self.random.random()
            if what < 0.72:
                early = [one for one in MONTHS if one <= month]
                await self.settle(month if self.random.random() < 0.8 else self.random.choice(early))
            elif what < 0.86:
                await self.take_back(month)
            elif what < 0.96:
                await self.price_again()
            else:
                await self.review()


async def year(url: str, seed: int) -> None:
    context = load_context("taohuayuan")
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        city = City(ledger, seed)
        closed: dict[int, tuple[int, dict]] = {}
        carried: dict[int, dict] = {}
        for month in MONTHS:
            for _ in range(4):
                city.step += 1
                await city.settle(month)
            await city.live(month, 30)
            request = Request(
                month, from_ledger=True, budget=[f"{code}={fen // 100}.00" for code, fen in BUDGETS.items()],
                post=True, by="test",
            )  # fmt: skip
            if city.random.random() < 0.5:  # posted before it is closed, and something happens between
                await run_period(ledger, context, request)
                await city.live(month, 4)
            run = await run_period(
                ledger,
                context,
                Request(month, from_ledger=True, post=True, close=True, by="test", budget=request.budget),
            )
            final, prepaid, values = owed(city.events, city.step, month, BUDGETS)
            expected = lines(final, Fund.PROVIDER_FINAL) | lines(prepaid, Fund.PROVIDER_PREPAID)
            differences: dict = {}
            for before, (then, old) in closed.items():
                found = late(city.events, then, city.step, before, old)
                known = carried.setdefault(before, {})
                for place in found.keys() | known.keys():
                    fen = found.get(place, 0)
                    differences[place] = differences.get(place, 0) + fen - known.get(place, 0)
                    known[place] = fen
            expected |= lines(differences, Fund.PROVIDER_PRIOR)
            held = {place: fen for place, fen in (await standing_of(ledger, POOL, month)).lines.items() if fen}
            assert held == expected, month
            assert run.done
            closed[month] = (city.step, values)
        await city.live(MONTHS[-1], 10)
        budget = [f"{code}={fen // 100}.00" for code, fen in YEAR_BUDGETS.items()]
        run = await run_period(ledger, context, Request(2025, from_ledger=True, post=True, by="test", budget=budget))
        final, _, _ = owed(city.events, city.step, 2025, YEAR_BUDGETS)
        whole: dict = {}
        for month in range(202501, 202513):
            for (county, scheme, fund, name), fen in (await standing_of(ledger, POOL, month)).lines.items():
                if fund != Fund.PROVIDER_PREPAID:
                    whole[county, scheme, name] = whole.get((county, scheme, name), 0) + fen
        assert {place: fen for place, fen in whole.items() if fen} == {
            (county, scheme, name): fen for (county, scheme, _, name), fen in lines(final, Fund.PROVIDER_YEAR).items()
        }
        assert sum(run.settlement.hospital_fen().values()) == sum(final.values())
        assert (await ledger.verify(POOL)).holds
        share_the_year(context, final, city.random)


def share_the_year(context, final: dict, chance: random.Random) -> None:
    """The counties' spending goes on to the pool: what a county has is what came less what went, levies and shares."""
    counties = []
    for county in COUNTIES:
        spent = max(1, sum(fen for (own, code, _), fen in final.items() if own == county and code == "390"))
        counties.append(
            CountyYear(
                str(county), f"c{county}", "390", income_fen=spent * chance.randrange(80, 120) // 100,
                expenditure_fen=spent, carried_fen=chance.randrange(0, spent), financing_fen=spent,
                last_financing_fen=spent, last_expenditure_fen=spent, plan_expenditure_fen=spent,
            )
        )  # fmt: skip
    result = pool_year(context.pooling, 2025, counties, {})
    assert len(result.rows) == len(COUNTIES)
    for row in result.rows:
        one, shares = row.shares.year, row.shares
        if shares.problem is not None or row.balance_fen is None:
            continue
        helped = sum(fen for payer, fen in shares.payments.items() if payer != "own_surplus")
        levied = sum(levy.paid_fen or 0 for levy in row.levies.values())
        assert (one.carried_fen or 0) + one.income_fen - one.expenditure_fen - levied + helped == row.balance_fen


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_money_in_is_money_out(store_url: str, seed: int) -> None:
    asyncio.run(year(store_url, seed))


@pytest.mark.check
@pytest.mark.parametrize("seed", range(100, 110))
def test_money_in_is_money_out_in_many_years(store_url: str, seed: int) -> None:
    asyncio.run(year(store_url, seed))
