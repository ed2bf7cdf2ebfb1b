"""A made-up year of one city: claims, points, monthly values, year clearing, deficit shares; conservation at each step.

The city is Taohuayuan with its own payment and pooling rules, five counties and a register widened to twenty hospitals.
Claims are made column by column from a seed; benefits are a plain share of the cost. Everything after that is the real
engine: the payment kernel, month and year settlement, deficit sharing.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from adjudicator.codes import SCHEME_CODES, CareKind, GroupStatus, Method
from adjudicator.columns import BENEFIT, CLAIM, GROUP, PAYMENT, SPLIT
from adjudicator.money import fen_to_yuan, split_by_weight
from adjudicator.payers import Fund
from adjudicator.payment.conditions import PackView
from adjudicator.payment.pay import pay
from adjudicator.payment.section import compile_packs, read_payment
from adjudicator.pooling.cases import CASE, Cases
from adjudicator.pooling.counties.figures import CountyYear
from adjudicator.pooling.counties.year import PoolYear, pool_year
from adjudicator.pooling.hospitals.settlement import POOLS, Settlement, pool_of, settle_standing, standing_points
from adjudicator.pooling.periods.context import PoolContext, load_context
from adjudicator.rulefile.faults import Faults
from adjudicator.rules.load import PACKS

PACK = "taohuayuan"
HOSPITALS = 20
CHUNK = 100_000
KINDS = (
    (CareKind.OUTPATIENT, 60), (CareKind.INPATIENT, 30), (CareKind.BED_DAY_INPATIENT, 3), (CareKind.DAY_SURGERY, 3),
    (CareKind.MATERNITY_INPATIENT, 1), (CareKind.CHRONIC, 3),
)  # fmt: skip
"""Kinds of care in percent."""
SCHEMES = ("310", "390")


@dataclass(slots=True)
class Year:
    """The year and what each step made of it."""

    context: PoolContext
    payment: SimpleNamespace
    """A bundle that holds the compiled payment rules."""
    cases: Cases
    paid: dict[str, int]
    """Totals of the payment kernel: claims, points_e8, due_fen, by_item_fen, and claims by method."""
    months: list[Settlement]
    year: Settlement
    pool: PoolYear
    seconds: dict[str, float]


def city() -> tuple[PoolContext, SimpleNamespace]:
    """Return the city's rules with twenty hospitals; the added ones take the coefficient of their level."""
    context = load_context(PACK)
    view = context.payment.view
    added = [f"H990000{number:05d}" for number in range(1, HOSPITALS - len(_hospitals(view)) + 1)]
    ranks = [view.classes[number % len(view.classes)] for number in range(len(added))]
    view = replace(view, hospitals=(*view.hospitals, *added), hospital_classes=(*view.hospital_classes, *ranks))
    faults = Faults()
    context.payment = read_payment(PACKS / PACK, view, context.payment.groupings, faults)
    faults.raise_if_any(f"rule pack {PACK}")
    return context, SimpleNamespace(payment=compile_packs([context.payment]))


def _hospitals(view: PackView) -> list[int]:
    """Rows of the register with a payment class; a pharmacy has none."""
    return [row for row, name in enumerate(view.hospital_classes) if name]


def make_claims(context: PoolContext, count: int, year: int, generator: np.random.Generator) -> SimpleNamespace:
    """Columns of ``count`` claims: claims, splits, benefits, groups and the person of each."""
    view = context.payment.view
    codes = context.payment.groupings.on(year * 10_000 + 601)
    assert codes is not None
    pick = generator.choice
    claims = np.zeros(count, CLAIM)
    claims["care_kind"] = pick([int(kind) for kind, _ in KINDS], count, p=[share / 100 for _, share in KINDS])
    claims["scheme"] = pick([int(SCHEME_CODES[code]) for code in SCHEMES], count, p=[0.55, 0.45])
    claims["hospital"] = pick(_hospitals(view), count)
    claims["county"] = generator.integers(0, 5, count)
    claims["disease"], claims["age_years"] = -1, generator.integers(0, 95, count)
    claims["maternity_type"] = np.where(claims["care_kind"] == CareKind.MATERNITY_INPATIENT, pick([1, 2, 3], count), 0)
    claims["at_signed_institution"] = generator.random(count) < 0.3
    claims["discharge_way"] = pick([1, 1, 1, 1, 1, 1, 1, 2, 4, 5], count)
    inpatient = np.isin(
        claims["care_kind"], [CareKind.INPATIENT, CareKind.BED_DAY_INPATIENT, CareKind.MATERNITY_INPATIENT]
    )
    claims["stay_days"] = np.where(inpatient, np.minimum(generator.geometric(0.12, count), 59), 0)
    days = np.datetime64(f"{year}-01-01") + generator.integers(0, 365, count)
    claims["settlement_date"] = claims["discharge_date"] = _dates(days)
    claims["admission_date"] = _dates(days - claims["stay_days"])
    points = [drg for drg in codes.points_needed]
    drgs = np.array([codes.drgs[drg] for drg in points])
    terms = context.drg_terms(year * 10_000 + 601)
    assert terms is not None
    averages = np.array([terms.groups[drg].average_fen or 900_000 for drg in points])
    chosen = generator.integers(0, len(drgs), count)
    groups = np.zeros(count, GROUP)
    groups["drg"], groups["status"] = drgs[chosen], GroupStatus.GROUPED
    ungrouped = generator.random(count) < 0.01
    groups["drg"][ungrouped], groups["status"][ungrouped] = -1, GroupStatus.UNGROUPED
    spread = generator.lognormal(-0.08, 0.4, count)
    cost = np.where(inpatient, averages[chosen], 20_000) * spread
    claims["total_fen"] = np.maximum(cost.astype(np.int64), 100)
    benefits = _benefits(claims, inpatient, generator)
    persons = generator.integers(0, max(1, count // 4), count).astype(np.uint64)
    return SimpleNamespace(
        claims=claims, splits=np.zeros(count, SPLIT), benefits=benefits, groups=groups, persons=persons
    )


def _benefits(claims: np.ndarray, inpatient: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a plain share of the cost to each fund; whole fen, adding up."""
    benefits = np.zeros(len(claims), BENEFIT)
    total = claims["total_fen"]
    benefits["pooled_fen"] = total * np.where(inpatient, generator.integers(55, 80, len(total)), 50) // 100
    benefits["catastrophic_fen"] = np.maximum(total - benefits["pooled_fen"] - 2_500_000, 0) * 6 // 10
    benefits["fund_total_fen"] = benefits["pooled_fen"] + benefits["catastrophic_fen"]
    benefits["personal_total_fen"] = total - benefits["fund_total_fen"]
    return benefits


def _dates(days: np.ndarray) -> np.ndarray:
    months = days.astype("datetime64[M]")
    year_month = months.astype(int)
    day = (days - months.astype("datetime64[D]")).astype(int) + 1
    dates: np.ndarray = (year_month // 12 + 1970) * 10_000 + (year_month % 12 + 1) * 100 + day
    return dates


def pay_all(
    context: PoolContext, bundle: SimpleNamespace, count: int, year: int, seed: int
) -> tuple[Cases, dict[str, int], float]:
    """Make and pays all claims in chunks; return them as cases with the totals of the kernel and its seconds."""
    rows = np.zeros(count, CASE)
    totals = dict.fromkeys(("claims", "refused", "points_e8", "due_fen", "by_item_fen"), 0)
    totals |= {method.name.lower(): 0 for method in Method}
    codes = context.payment.groupings.on(year * 10_000 + 601)
    assert codes is not None
    spent = 0.0
    for number, start in enumerate(range(0, count, CHUNK)):
        size = min(CHUNK, count - start)
        made = make_claims(context, size, year, np.random.default_rng([seed, number]))
        out = np.zeros(size, PAYMENT)
        begin = time.perf_counter()
        pay(bundle, made.claims, made.splits, made.benefits, made.groups, out)
        spent += time.perf_counter() - begin
        _to_cases(rows[start : start + size], made, out)
        totals["claims"] += size
        totals["refused"] += int((out["error"] != 0).sum())
        for name in ("points_e8", "due_fen", "by_item_fen"):
            totals[name] += int(out[name].sum())
        for method in Method:
            totals[method.name.lower()] += int((out["method"] == method).sum())
    names = sorted(codes.drgs, key=codes.drgs.__getitem__)
    counties = list(context.areas)[:5]
    ids = np.arange(count).astype(object)
    cases = Cases(rows, ids, list(context.payment.view.hospitals), counties, list(SCHEMES), [*names, "ungrouped"])
    return cases, totals, spent


def _to_cases(rows: np.ndarray, made: SimpleNamespace, out: np.ndarray) -> None:
    claims, benefits = made.claims, made.benefits
    for name in ("hospital", "county", "admission_date", "discharge_date", "total_fen"):
        rows[name] = claims[name]
    rows["scheme"] = claims["scheme"] - int(SCHEME_CODES[SCHEMES[0]])
    rows["group"], rows["person"], rows["sign"] = made.groups["drg"], made.persons, 1
    rows["group"][made.groups["drg"] < 0] = -1
    rows["method"], rows["month"] = out["method"], claims["settlement_date"] // 100
    rows["points_e8"], rows["fund_fen"], rows["due_fen"] = out["points_e8"], out["by_item_fen"], out["due_fen"]
    rows["patient_fen"] = benefits["personal_total_fen"]
    rows["others_fen"] = benefits["fund_total_fen"] - out["by_item_fen"]


def run(count: int, year: int, seed: int) -> Year:
    """Run the whole year; every step asserts that nothing is lost."""
    seconds: dict[str, float] = {}
    begin = time.perf_counter()
    context, bundle = city()
    seconds["rules"] = time.perf_counter() - begin
    begin = time.perf_counter()
    cases, totals, spent = pay_all(context, bundle, count, year, seed)
    seconds["claims made"] = time.perf_counter() - begin - spent
    seconds["claims paid"] = spent
    assert totals["refused"] == 0 and int(cases.rows["points_e8"].sum()) == totals["points_e8"]
    begin = time.perf_counter()
    rules = context.rules(year * 10_000 + 1231)
    standing, points = standing_points(cases, rules)
    yearly = _budgets(standing)
    monthly = {code: split_by_weight(amount, [1] * 12) for code, amount in yearly.items()}
    months = []
    for number in range(12):
        money = {code: parts[number] for code, parts in monthly.items()}
        months.append(settle_standing(standing, points, year * 100 + number + 1, money, rules))
    seconds["months settled"] = time.perf_counter() - begin
    begin = time.perf_counter()
    scores = {name: 55 + 3 * place % 45 for place, name in enumerate(cases.hospitals)}
    cleared = settle_standing(standing, points, year, yearly, rules, scores)
    seconds["year cleared"] = time.perf_counter() - begin
    check(standing, points, months, cleared)
    begin = time.perf_counter()
    counties = county_years(context, cleared)
    pool = pool_year(context.pooling, year, counties, {f"{code}:reserve": 10**10 for code in SCHEMES})
    pool.refuse_open()
    seconds["deficit shared"] = time.perf_counter() - begin
    for row in pool.rows:
        assert sum(row.shares.payments.values()) == max(0, row.shares.year.gap_fen)
    return Year(context, bundle, cases, totals, months, cleared, pool, seconds)


def _budgets(standing: Cases) -> dict[str, int]:
    """Return a budget a little under (employees) and over (residents) what was spent by item, for each kind of
    points.
    """
    result, pools = {}, pool_of(standing.rows)
    for place, code in enumerate(standing.schemes):
        for pool, suffix in enumerate(POOLS):
            chosen = (standing.rows["scheme"] == place) & (pools == pool)
            spent = int(standing.rows["fund_fen"][chosen].sum())
            result[code + suffix] = spent * (97 if code == "310" else 104) // 100
    return result


def check(standing: Cases, points: np.ndarray, months: list[Settlement], year: Settlement) -> None:
    """Points of the months are the year's; hospital money is county money is the fund's, month by month."""
    for settlement in (*months, year):
        cleared = sum(clearing.fund_fen for clearing in settlement.clearings.values())
        owed = cleared + sum(settlement.kept.values())
        final = sum(amount for place, amount in settlement.targets().items() if place[2] == Fund.PROVIDER_FINAL)
        assert sum(settlement.hospital_fen().values()) == final == owed
    for code, clearing in year.clearings.items():
        assert clearing.points_e8 == sum(month.clearings[code].points_e8 for month in months if code in month.clearings)
    assert sum(year.kept.values()) == sum(sum(month.kept.values()) for month in months)
    in_pools = pool_of(standing.rows) >= 0
    assert int(points[in_pools].sum()) == sum(clearing.points_e8 for clearing in year.clearings.values())


def county_years(context: PoolContext, year: Settlement) -> list[CountyYear]:
    """Each county's year: spending is what it owes institutions for all methods; income is near it."""
    spent = {place[:2]: amount for place, amount in year.targets().items() if place[2] == Fund.PROVIDER_FINAL}
    assert sum(spent.values()) == sum(year.hospital_fen().values())
    result = []
    for code in SCHEMES:
        for county, name in enumerate(year.cases.counties):
            amount = spent[int(name), int(SCHEME_CODES[code])]
            income = amount * (88 + 6 * county) // 100
            result.append(
                CountyYear(
                    name, context.areas[name], code, income, amount, amount * county // 10, financing_fen=income,
                    last_financing_fen=income * 9 // 10, last_expenditure_fen=amount * 92 // 100,
                )
            )  # fmt: skip
    return result


def run_command(arguments: argparse.Namespace) -> int:
    """``adjudicator settle-year --synthetic N``: prints each step, its time, and the memory of the process."""
    begin = time.perf_counter()
    done = run(arguments.synthetic, arguments.year, arguments.seed)
    elapsed = time.perf_counter() - begin
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    data = _summary(done) | {"seconds": round(elapsed, 2), "memory_mb": memory_mb}
    if arguments.json:
        print(json.dumps(data, ensure_ascii=False, indent=1))
    else:
        _show(done, elapsed, memory_mb)
    return 0


def _summary(done: Year) -> dict[str, Any]:
    return {
        "paid": done.paid,
        "steps": {name: round(value, 3) for name, value in done.seconds.items()},
        "year": {
            code: {name: getattr(c, name) for name in ("value_yuan", "points_e8", "budget_fen", "fund_fen")}
            for code, c in done.year.clearings.items()
        },
        "deficit": {
            f"{row.shares.year.scheme} {row.shares.year.county}": row.shares.payments
            for row in done.pool.rows if row.shares.payments
        },
    }  # fmt: skip


def _show(done: Year, elapsed: float, memory_mb: int) -> None:
    methods: Mapping[str, int] = {
        m.name.lower(): done.paid[m.name.lower()] for m in Method if done.paid[m.name.lower()]
    }
    print(f"{done.paid['claims']:,} claims, {HOSPITALS} hospitals, 5 counties: " + ", ".join(
        f"{name} {count:,}" for name, count in methods.items()))  # fmt: skip
    for code in done.year.clearings:
        values = " ".join(month.clearings[code].value_yuan[:-4] for month in done.months)
        clearing = done.year.clearings[code]
        print(f"scheme {code}: monthly values {values}")
        print(
            f"  year: {clearing.points_e8 / 1e8:,.4f} points, value {clearing.value_yuan} yuan, budget "
            f"{fen_to_yuan(clearing.budget_fen)}, fund pays {fen_to_yuan(clearing.fund_fen)} = hospitals = counties"
        )
    for row in done.pool.rows:
        if row.shares.payments:
            shares = ", ".join(f"{payer} {fen_to_yuan(amount)}" for payer, amount in row.shares.payments.items())
            county = row.shares.year
            print(f"  {county.name} {county.scheme}: gap {fen_to_yuan(county.gap_fen)} = {shares}")
    print("steps: " + ", ".join(f"{name} {value:.2f} s" for name, value in done.seconds.items()))
    rate = done.paid["claims"] / max(done.seconds["claims paid"], 1e-9)
    print(f"payment kernel {rate:,.0f} claims/s; whole run {elapsed:.1f} s, {memory_mb} MB")
