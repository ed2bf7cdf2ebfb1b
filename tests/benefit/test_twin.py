"""Kernel and naive twin are equal, to the fen, over every pack, option and a person's whole year."""

from __future__ import annotations

import numpy as np
import pytest

from adjudicator.rules.inline import inline_bundle
from tests.benefit.made import NAMES, PACKS, benefit_bundle, compare_with_twin, random_claims
from tests.benefit.random_plans import random_plan


@pytest.mark.parametrize("pack", PACKS)
def test_random_years_are_equal(pack: str) -> None:
    rng = np.random.default_rng([2026, PACKS.index(pack)])
    seen = compare_with_twin(benefit_bundle(pack), *random_claims(rng, benefit_bundle(pack), 60, 30))
    assert seen["pooled_fen"] > 50


def test_all_packs_in_one_bundle() -> None:
    bundle = benefit_bundle(*PACKS)
    seen = compare_with_twin(bundle, *random_claims(np.random.default_rng(7), bundle, 300, 12))
    # Errors are reached too: no plan, no rule on the day, undefined, not covered, programme that does not run.
    assert {"NO_PLAN", "NO_RULE_ON_DATE", "RULE_UNDEFINED", "CARE_NOT_COVERED", "UNKNOWN_PROGRAMME"} <= set(seen)


def test_the_toy_city_reaches_every_payer() -> None:
    bundle = benefit_bundle("taohuayuan")
    seen = compare_with_twin(bundle, *random_claims(np.random.default_rng(3), bundle, 80, 30))
    assert set(NAMES) <= set(seen), set(NAMES) - set(seen)


@pytest.mark.full
def test_a_million_claims_are_equal() -> None:
    bundle = benefit_bundle(*PACKS)
    rng = np.random.default_rng(2026_11)
    done = 0
    while done < 1_000_000:
        claims, splits = random_claims(rng, bundle, 2_000, 30)
        compare_with_twin(bundle, claims, splits)
        done += len(claims)


@pytest.mark.parametrize("seed", range(25))
def test_plans_drawn_at_random_are_equal(seed: int) -> None:
    rng = np.random.default_rng([99, seed])
    bundle = inline_bundle(random_plan(rng))
    compare_with_twin(bundle, *random_claims(rng, bundle, 8, 20))


@pytest.mark.full
def test_many_plans_drawn_at_random_are_equal() -> None:
    for seed in range(3_000):
        test_plans_drawn_at_random_are_equal(1_000 + seed)
