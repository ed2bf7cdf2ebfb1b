"""A whole made-up year: claims, points, monthly values, year clearing, deficit shares."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from adjudicator.columns import PAYMENT
from adjudicator.payment.pay import pay
from adjudicator.synth import year as made
from tests.payment import naive

YEAR = 2025


def check_sample(count: int, seed: int) -> None:
    """The naive twin on a sample of the same claims."""
    context, bundle = made.city()
    claims = made.make_claims(context, count, YEAR, np.random.default_rng([seed, 0]))
    out = np.zeros(count, PAYMENT)
    pay(bundle, claims.claims, claims.splits, claims.benefits, claims.groups, out)
    codes = context.payment.groupings.on(20250601)
    names = {number: drg for drg, number in codes.drgs.items()}
    for i in range(count):
        drg = names.get(int(claims.groups["drg"][i]), "")
        expected = naive.pay(
            context.payment, claims.claims[i], claims.splits[i], claims.benefits[i], claims.groups[i], drg
        )
        assert int(out["due_fen"][i]) == expected["due_fen"]
        assert Fraction(int(out["points_e8"][i]), 10**8) == expected["points"]
        assert int(out["method"][i]) == expected["method"]


def test_every_step_keeps_every_fen() -> None:
    done = made.run(20_000, YEAR, seed=7)
    assert done.paid["claims"] == 20_000 and done.paid["refused"] == 0
    assert min(done.paid[name] for name in ("drg_points", "bed_day", "capitation", "outpatient_points", "quota")) > 0
    assert len({row["hospital"] for row in done.cases.rows}) == 20
    assert len(done.cases.counties) == 5
    for code, clearing in done.year.clearings.items():
        assert clearing.points_e8 == sum(month.clearings[code].points_e8 for month in done.months)
    for row in done.pool.rows:
        assert sum(row.shares.payments.values()) == max(0, row.shares.year.gap_fen)


def test_the_same_seed_gives_the_same_year() -> None:
    first, second = (made.run(3_000, YEAR, seed=5) for _ in range(2))
    assert first.paid == second.paid
    assert [c.value for c in first.year.clearings.values()] == [c.value for c in second.year.clearings.values()]


def test_the_twin_agrees_on_a_sample() -> None:
    check_sample(1_000, seed=7)


@pytest.mark.full
def test_a_million_claims() -> None:
    done = made.run(1_000_000, YEAR, seed=1)
    assert done.paid["claims"] == 1_000_000
    check_sample(20_000, seed=1)
