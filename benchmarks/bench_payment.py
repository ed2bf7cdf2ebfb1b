"""Provider payment: the kernel beside its slow twin over the same claims of a made-up city, in one run.

Aim (design, section 9): all kernels together at least 2,000,000 claims/s on one core, so payment alone well above it.
The twin is tests/payment/naive.py (fractions, one claim at a time) on a part of the claims. Run by ``./dev bench``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from tests.payment import naive

from adjudicator.codes import Method
from adjudicator.columns import PAYMENT
from adjudicator.payment.pay import pay
from adjudicator.synth import year as made

AIM_CLAIMS_PER_SECOND = 2_000_000
CLAIMS, TWIN_CLAIMS, YEAR = 100_000, 2_000, 2025


@pytest.fixture(scope="module")
def city():
    context, bundle = made.city()
    claims = made.make_claims(context, CLAIMS, YEAR, np.random.default_rng(1))
    return context, bundle, claims


def run_kernel(bundle, claims, out) -> None:
    pay(bundle, claims.claims, claims.splits, claims.benefits, claims.groups, out)


def run_twin(context, claims, count: int) -> list[dict]:
    names = {number: drg for drg, number in context.payment.groupings.on(YEAR * 10_000 + 601).drgs.items()}
    columns = (claims.claims, claims.splits, claims.benefits, claims.groups)
    return [
        naive.pay(context.payment, *rows, names.get(int(rows[3]["drg"]), ""))
        for rows in zip(*(column[:count] for column in columns), strict=True)
    ]


def test_payment_kernel(benchmark, city) -> None:
    """All methods mixed: points, bed-days, packages, visits, capitation, by item."""
    context, bundle, claims = city
    out = np.zeros(CLAIMS, PAYMENT)
    run_kernel(bundle, claims, out)
    begin = time.perf_counter()
    expected = run_twin(context, claims, TWIN_CLAIMS)
    twin_rate = TWIN_CLAIMS / (time.perf_counter() - begin)
    assert [int(due) for due in out["due_fen"][:TWIN_CLAIMS]] == [row["due_fen"] for row in expected]
    benchmark(run_kernel, bundle, claims, out)
    rate = CLAIMS / benchmark.stats.stats.min
    benchmark.extra_info.update(claims_per_second=round(rate), twin_claims_per_second=round(twin_rate))
    met = "met" if rate >= AIM_CLAIMS_PER_SECOND else "not met"
    mixed = {m.name.lower(): int((out["method"] == m).sum()) for m in Method if (out["method"] == m).any()}
    print(
        f"\npayment: {rate:,.0f} claims/s on one core ({1e9 / rate:.0f} ns), twin {twin_rate:,.0f} claims/s: "
        f"x {rate / twin_rate:,.0f}; aim {AIM_CLAIMS_PER_SECOND:,}: {met}; {mixed}"
    )


def test_month_of_a_city(benchmark) -> None:
    """A month's clearing of 100,000 standing cases: pools, hospitals, counties, prepayments."""
    done = made.run(CLAIMS, YEAR, seed=1)
    rules = done.context.rules(YEAR * 10_000 + 1231)
    standing, points = made.standing_points(done.cases, rules)
    budgets = {code: clearing.budget_fen for code, clearing in done.year.clearings.items()}
    result = benchmark(made.settle_standing, standing, points, YEAR * 100 + 6, budgets, rules)
    assert sum(result.hospital_fen().values()) > 0
