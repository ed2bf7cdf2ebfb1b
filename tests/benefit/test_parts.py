"""A stay settled in parts gets what the same stay gets as one: quotas, prices, tiers and guarantees are of the stay."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from adjudicator.benefit.plan.keys import NO_LIMIT
from adjudicator.benefit.records import PART, WORK, years_of
from adjudicator.benefit.settle import NO_LINES, run
from adjudicator.benefit.tables import Claims, Stays, part_words
from adjudicator.claim.lookup import INPATIENT_KINDS
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, QUOTA
from adjudicator.options import Account, CapMeasure, DeductiblePosition, FloorBase, TierMeasure
from adjudicator.rules.bundle import Bundle
from adjudicator.rules.inline import inline_bundle
from tests.benefit.desk import Desk
from tests.benefit.made import PACKS, benefit_bundle, random_claims
from tests.benefit.random_plans import random_plan

SPLIT_AMOUNTS = ("wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen")


def settle_in_parts(bundle: Bundle, claim: np.ndarray, splits: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """BENEFIT[n]: a stay CLAIM[1] settled in parts SPLIT[n], over a year int64[1, slots] that is updated."""
    begun, sums, out = slots.copy(), np.zeros(2, PART), np.zeros(len(splits), BENEFIT)
    quotas, charged = np.zeros(1, QUOTA), 0
    for number in range(len(splits)):
        own, part = claim.copy(), np.zeros(1, PART)
        own["total_fen"] = sum(splits[name][number] for name in SPLIT_AMOUNTS)
        if number:
            own["stay_row"] = own["stay_row_over_years"] = 1
            own["stay_charged_fen"] = own["stay_charged_over_years_fen"] = charged
        one = slice(number, number + 1)
        batch = Claims.over(own, splits[one], NO_LINES, slots, quotas, Stays(begun, sums), part)
        run(bundle.benefit, batch, out[one], np.empty(1, WORK))
        part_words(sums)[1:] += part_words(part)
        charged += int(out["deductible_fen"][number])
    return out


def cut(rng: np.random.Generator, split: np.ndarray, count: int) -> np.ndarray:
    """SPLIT[count] that add up to SPLIT[1]; what is a part of another amount stays with it in proportion."""
    parts = np.repeat(split, count)
    for name in SPLIT_AMOUNTS:
        points = np.sort(rng.integers(0, int(split[name][0]) + 1, count - 1))
        parts[name] = np.diff(points, prepend=0, append=int(split[name][0]))
    for name, whole in (("copay_free_fen", "in_scope_fen"), ("hospital_borne_fen", "over_ceiling_fen")):
        shares = parts[whole] * int(split[name][0]) // max(int(split[whole][0]), 1)
        shares[-1] = min(int(split[name][0]) - shares[:-1].sum(), int(parts[whole][-1]))
        parts[name] = shares
        split[name] = shares.sum()
    return parts


def stays_of(rng: np.random.Generator, bundle: Bundle, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Random single stays: CLAIM[n], SPLIT[n]."""
    claims, splits = random_claims(rng, bundle, count, 1)
    kept = np.isin(claims["care_kind"], tuple(INPATIENT_KINDS))
    claims, splits = claims[kept], splits[kept]
    claims["state"], claims["hospital_borne_fen"], claims["other_payer_fen"] = 0, 0, 0
    claims["use_account"] = 0
    claims["quota"] = np.where(claims["disease"] >= 0, 0, -1)
    for name in ("special_drug_fen", "special_self_paid_fen"):
        splits[name] = 0
    # Under a cap on payment these fill the room of their claim first, so that another cost lies above it.
    splits["copay_free_fen"][rng.random(len(splits)) < 0.7] = 0
    return claims, splits


def is_exact(plan: np.void, claim: np.void) -> bool:
    """Whether the plan counts what it limits, and no part can owe more than it costs.

    A guarantee that is a share of the whole bill, and a deductible that is one, may fall due with a part that has no
    cost in scope to pay it from; nothing is taken back from an earlier part.
    """
    category = 1 << int(plan["paid_category"])
    caps = bool(plan["cap_counts"] & category) or plan["cap_measure"] == CapMeasure.COST
    limits = bool(plan["limit_counts"] & category) or bool((plan["limit_fen"] >= NO_LIMIT).all())
    before_rate = plan["deductible_position"] == DeductiblePosition.BEFORE_RATE
    counted = plan["cost_account"] == plan["deductible_account"] == Account.INPATIENT and before_rate
    scale = counted or plan["tier_measure"] != TierMeasure.YEAR_AFTER_DEDUCTIBLE
    of_bill = plan["floor_ppm"] > 0 and plan["floor_base"] == FloorBase.TOTAL
    of_bill |= plan["cross_deductible_ppm"][claim["place"]].any()
    return caps and limits and scale and plan["cost_account"] == Account.INPATIENT and not of_bill


def compare(rng: np.random.Generator, bundle: Bundle, count: int) -> int:
    """Settle random stays as one and in two or three parts; return how many were compared."""
    compared = 0
    claims, splits = stays_of(rng, bundle, count)
    for row in range(len(claims)):
        claim, split = claims[row : row + 1], splits[row : row + 1].copy()
        parts = cut(rng, split, int(rng.integers(2, 4)))
        years = np.zeros((2, ACCUMULATOR_COUNT), np.int64)
        whole = settle_in_parts(bundle, claim, split, years[:1])
        if whole["error"][0] or not is_exact(bundle.benefit.rules.plans[whole["plan"][0]], claim[0]):
            continue
        out = settle_in_parts(bundle, claim, parts, years[1:])
        assert not out["error"].any(), ("error", out, whole, claim, parts)
        for name in BENEFIT.names or ():
            assert not name.endswith("_fen") or (out[name] >= 0).all(), (name, out, whole, claim, parts)
        for name in ("deductible_fen", "pooled_fen", "hospital_borne_fen"):
            assert abs(int(out[name].sum()) - int(whole[name][0])) <= 3 * len(parts), (name, out, whole, claim, parts)
        one, several = years_of(years)
        if split["copay_free_fen"][0]:
            several["large_sum_fen"] = one["large_sum_fen"]
        for name in ("stays", "large_sum_fen", "cost_inpatient_fen", "deductible_shortfall_fen"):
            assert abs(int(several[name]) - int(one[name])) <= 3 * len(parts), (name, out, whole, claim, parts)
        compared += 1
    return compared


@pytest.mark.parametrize("pack", PACKS)
def test_the_packs_pay_a_stay_in_parts_as_one(pack: str) -> None:
    assert compare(np.random.default_rng([5, PACKS.index(pack)]), benefit_bundle(pack), 300) > 25


@pytest.mark.parametrize("seed", range(25))
def test_plans_drawn_at_random_pay_a_stay_in_parts_as_one(seed: int) -> None:
    rng = np.random.default_rng([17, seed])
    compare(rng, inline_bundle(random_plan(rng) | {"cost_account": "inpatient"}), 60)


def settle_parts(plan: dict[str, Any], *in_scope: int, **claim: Any) -> list[dict[str, Decimal]]:
    """Amounts in yuan of a stay settled in parts of so many yuan in scope."""
    desk = Desk(plan)
    row, split = desk.columns(in_scope[0], **claim)
    splits = np.repeat(split, len(in_scope))
    splits["in_scope_fen"] = 100 * np.array(in_scope)
    out = settle_in_parts(desk.bundle, row, splits, desk.states)
    assert not out["error"].any()
    names = [name for name in BENEFIT.names or () if name.endswith("_fen")]
    return [{name.removesuffix("_fen"): Decimal(int(one[name])) / 100 for name in names} for one in out]


QUOTA_PLAN = {
    "care": ["maternity_inpatient"], "quota_mode": "cost_up_to_quota", "maternity_quota_yuan": {"normal": 4000},
    "quota_excess_percent": 50, "deductible_counting": "none",
}  # fmt: skip


def test_a_maternity_quota_is_granted_once_a_stay() -> None:
    birth = {"care": "maternity_inpatient", "maternity": 1}
    assert [part["pooled"] for part in settle_parts(QUOTA_PLAN, 4100, **birth)] == [4050]
    assert [part["pooled"] for part in settle_parts(QUOTA_PLAN, 2100, 2000, **birth)] == [2100, 1950]
    assert [part["pooled"] for part in settle_parts(QUOTA_PLAN, 5000, 1000, **birth)] == [4500, 500]


def test_a_payment_up_to_a_quota_is_made_once_a_stay() -> None:
    birth = {"care": "maternity_inpatient", "maternity": 1}
    plan = {**QUOTA_PLAN, "quota_mode": "payment_up_to_quota", "rate_percent": 80}
    assert [part["pooled"] for part in settle_parts(plan, 4000, 4000, **birth)] == [3200, 800]


def test_tiers_of_the_stay_go_on_in_a_later_part() -> None:
    tiers = {"tier_from_yuan": [0, 10_000], "rate_percent": [50, 90], "deductible_yuan": 1000}
    for measure, paid in (("stay_cost", 4500 + 4500), ("stay_after_deductible", 5000 + 3600)):
        plan = {**tiers, "tier_measure": measure}
        assert sum(part["pooled"] for part in settle_parts(plan, 15_000)) == paid
        assert sum(part["pooled"] for part in settle_parts(plan, 800, 8200, 6000)) == paid


def test_the_guaranteed_payment_is_one_of_the_stay() -> None:
    plan = {"rate_percent": 60, "deductible_yuan": 1000, "floor_percent": 45}
    assert [part["pooled"] for part in settle_parts(plan, 5000)] == [2400]
    # 45 % of 2,000 are more than 60 % above the deductible; the later part is paid what the whole stay is paid more.
    assert [part["pooled"] for part in settle_parts(plan, 2000, 3000)] == [900, 1500]


def test_a_guaranteed_payment_may_be_paid_from_cost_above_the_cap_of_the_last_part() -> None:
    plan = {"rate_percent": 60, "floor_percent": 50, "cap_measure": "cost", "cap_yuan": 10_000, "deductible_yuan": 0}
    paid = [part["pooled"] for part in settle_parts({**plan, "above_cap_percent": 90}, 16_000)]
    assert paid == [8000]
    parts = settle_parts({**plan, "above_cap_percent": 90}, 12_000, 4000)
    assert [part["pooled"] for part in parts] == [6000, 2000]
    assert [part["large_sum"] for part in parts] == [1800, 2000]  # the rest of the part, not 90 % of 4,000


def test_a_deductible_after_the_rate_that_a_part_cannot_bear_is_left_to_the_next() -> None:
    plan = {"rate_percent": 50, "deductible_yuan": 1000, "deductible_position": "after_rate"}
    assert [part["pooled"] for part in settle_parts(plan, 5000)] == [1500]
    assert [part["pooled"] for part in settle_parts(plan, 1200, 3800)] == [0, 1500]


def test_a_deductible_that_is_a_share_of_the_cost_is_one_of_the_stay() -> None:
    elsewhere = {"place": "outside", "filing": "any", "deductible_percent": 20, "deductible_at_least_yuan": 2000}
    plan = {"rate_percent": 50, "deductible_yuan": 1000, "cross_region": [elsewhere]}
    claim = {"place": "outside", "filing": "temporary"}
    assert [part["deductible"] for part in settle_parts(plan, 3000, 10_000, **claim)] == [2000, 600]
    assert [part["deductible"] for part in settle_parts(plan, 13_000, **claim)] == [2600]
