"""Supplementary insurance (惠民保) as a programme with parts: equal to the twin over years, limits, faults."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from adjudicator.columns import SLOT
from adjudicator.rulefile.faults import PackError
from adjudicator.rules.inline import inline_bundle
from tests.benefit.made import compare_with_twin, random_claims, settle_all
from tests.benefit.random_plans import random_plan

BURDEN = ("in_scope", "first_pay", "over_ceiling", "self_paid")


def product(*parts: dict) -> dict:
    """A programme of the given parts."""
    return {
        "id": "supplement", "name": "supplement", "name_zh": "惠民保", "from": datetime.date(2010, 1, 1),
        "document": "test", "evidence": "demonstration", "part": list(parts),
    }  # fmt: skip


def random_part(rng: np.random.Generator) -> dict:
    counts = {name: int(rng.integers(0, 101)) for name in BURDEN if rng.random() < 0.5} or {"self_paid": 100}
    part: dict = {"counts_percent": counts, "percent": int(rng.integers(0, 101))}
    if rng.random() < 0.7:
        part["threshold_yuan"] = int(rng.integers(0, 30_000))
    if rng.random() < 0.5:
        part["cap_yuan"] = int(rng.integers(0, 20_000))
    return part


@pytest.mark.parametrize("seed", range(8))
def test_random_products_are_equal_over_years(seed: int) -> None:
    rng = np.random.default_rng([24, seed])
    parts = [random_part(rng) for _ in range(int(rng.integers(1, 4)))]
    bundle = inline_bundle(random_plan(rng) | {"programmes": [product(*parts)]})
    claims, splits = random_claims(rng, bundle, 30, 12)
    claims["programme"] = 1
    seen = compare_with_twin(bundle, claims, splits)
    assert seen["other_fen"] > 5


def test_the_cap_and_the_threshold_are_of_the_year() -> None:
    part = {"counts_percent": {"self_paid": 100}, "threshold_yuan": 1000, "percent": 50, "cap_yuan": 400}
    bundle = inline_bundle({"rate_percent": 80, "programmes": [product(part)]})
    claims, splits = random_claims(np.random.default_rng(1), bundle, 1, 1)
    claims, splits = np.repeat(claims, 3), np.repeat(splits, 3)
    for name in splits.dtype.names or ():
        splits[name] = 0
    for name in ("other_payer_fen", "hospital_borne_fen", "suspended"):
        claims[name] = 0
    claims["programme"], claims["person_type"] = 1, 1
    claims["total_fen"] = splits["wholly_self_paid_fen"] = 1_500_00
    out, states, _ = settle_all(bundle, claims, splits)
    assert out["other_fen"].tolist() == [250_00, 150_00, 0]
    assert states[0, SLOT["supplementary_base_1_fen"]] == 4_500_00


def test_a_suspended_person_has_no_supplement() -> None:
    part = {"counts_percent": {"in_scope": 100}, "percent": 100}
    bundle = inline_bundle({"rate_percent": 80, "programmes": [product(part)]})
    claims, splits = random_claims(np.random.default_rng(1), bundle, 5, 1)
    claims["programme"], claims["suspended"], claims["other_payer_fen"] = 1, 1, 0
    assert not settle_all(bundle, claims, splits)[0]["other_fen"].any()


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"percent": 50}, "counts_percent: is missing — write a table with the keys in_scope, first_"),
        (
            {"counts_percent": {"moon": 1}, "percent": 50},
            "moon: unknown key — the keys are in_scope, first_pay",
        ),
        ({"counts_percent": {"in_scope": 101}, "percent": 50}, "101 is a rate over 100 percent"),
        ({"counts_percent": {"in_scope": 100}}, "percent: is missing — write percent from 0 to 100"),
        ({"counts_percent": {"in_scope": 100}, "percent": 50, "treshold_yuan": 1}, "did you mean"),
    ],
)
def test_faults_say_what_to_write(part: dict, says: str) -> None:
    with pytest.raises(PackError) as caught:
        inline_bundle({"rate_percent": 80, "programmes": [product(part)]})
    assert says in str(caught.value)


def test_too_many_parts() -> None:
    part = {"counts_percent": {"in_scope": 10}, "percent": 50}
    with pytest.raises(PackError, match="4 parts are more than 3"):
        inline_bundle({"rate_percent": 80, "programmes": [product(*[part] * 4)]})
