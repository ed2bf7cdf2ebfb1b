"""A reduction lowers what the pooled fund pays, never a payer below zero, and what is owed by all stays the bill."""

from __future__ import annotations

import numpy as np
import pytest

from adjudicator.codes import Filing, Place, Referral
from adjudicator.columns import BENEFIT
from adjudicator.rules.inline import inline_bundle
from tests.benefit.made import random_claims, settle_all
from tests.benefit.random_plans import random_plan

AMOUNTS = [name for name in BENEFIT.names or () if name.endswith("_fen")]
REDUCED = {
    "extra first pay": {"extra_first_pay_percent": 20},
    "points": {"minus_points": 95},
    "factor": {"factor_percent": 10},
    "higher deductible": {"deductible_yuan": 5000},
    "deductible of the cost": {"deductible_percent": 20, "deductible_at_least_yuan": 2000},
    "everything": {"extra_first_pay_percent": 100, "minus_points": 100, "factor_percent": 0, "no_tilt": True},
}
"""Entries of ``cross_region``, some larger than any rate."""


def without_and_with(seed: int, entry: dict, **changes: int):
    """(claims, results without the reduction, results with it) of single claims under a plan drawn at random."""
    rng = np.random.default_rng([12, seed])
    plan = random_plan(rng)
    # A standard that is lower elsewhere is no reduction.
    plan["deductible_yuan"], plan["deductible_counting"] = 400, "per_stay"
    plan |= {"unreferred_points": 90, "unreferred_extra_percent": 30}
    plan["cross_region"] = [{"place": "province", "filing": "any"}, {"place": "outside", "filing": "any", **entry}]
    bundle = inline_bundle(plan)
    claims, splits = random_claims(rng, bundle, 150, 1)
    claims["place"], claims["filing"], claims["referral"] = Place.PROVINCE, Filing.TEMPORARY, Referral.UNSPECIFIED
    claims["programme"] = 0
    reduced = claims.copy()
    for name, value in changes.items():
        reduced[name] = value
    return claims, settle_all(bundle, claims, splits)[0], settle_all(bundle, reduced, splits)[0]


def check(claims: np.ndarray, full: np.ndarray, less: np.ndarray) -> int:
    good = (full["error"] == 0) & (less["error"] == 0)
    for paid in (full[good], less[good]):
        assert all((paid[name] >= 0).all() for name in AMOUNTS)
        owed = paid["fund_total_fen"] + paid["personal_total_fen"] + paid["hospital_borne_fen"]
        assert (owed == claims["total_fen"][good]).all()
    assert (less["pooled_fen"][good] <= full["pooled_fen"][good]).all()
    return int((less["pooled_fen"][good] < full["pooled_fen"][good]).sum())


@pytest.mark.parametrize("entry", REDUCED.values(), ids=REDUCED)
def test_care_elsewhere(entry: dict) -> None:
    lowered = sum(check(*without_and_with(seed, entry, place=Place.OUTSIDE)) for seed in range(6))
    assert lowered > 10, "the reduction never took effect"


def test_a_missing_referral() -> None:
    lowered = sum(check(*without_and_with(seed, {}, referral=Referral.MISSING)) for seed in range(6))
    assert lowered > 10


def test_suspended_enrolment_leaves_everything_to_the_person() -> None:
    claims, full, less = without_and_with(1, {}, suspended=1)
    check(claims, full, less)
    assert not less["pooled_fen"].any() and not less["assistance_fen"].any() and not less["catastrophic_fen"].any()
