"""The steps of an explanation add up to the answer, for every claim of random years."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from adjudicator.benefit.explain import explain
from adjudicator.benefit.settle import settle
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, QUOTA
from adjudicator.steps import BURDEN, COST
from tests.benefit.made import benefit_bundle, random_claims

PAYERS = {
    "pooled": "pooled_fen",
    "civil_servant": "civil_servant_fen", "enterprise": "enterprise_fen",
    "assistance": "assistance_fen", "tilt": "tilt_fen", "hospital_borne": "hospital_borne_fen",
    "account_current": "account_current_fen", "account_past": "account_past_fen",
    "family_account": "account_family_fen", "cash": "cash_fen",
}  # fmt: skip


def test_steps_add_up_to_the_answer() -> None:
    bundle = benefit_bundle("taohuayuan", "hangzhou")
    claims, splits = random_claims(np.random.default_rng(17), bundle, 40, 15)
    states, quota = np.zeros((40, ACCUMULATOR_COUNT), np.int64), np.zeros(1, QUOTA)
    explained = 0
    for row in range(len(claims)):
        claim, split = claims[row : row + 1].copy(), splits[row : row + 1]
        before, out = states[claim["state"][0]].copy(), np.zeros(1, BENEFIT)
        settle(bundle.benefit, claim, split, states, quota, out)
        steps = explain(bundle.benefit, claims[row : row + 1], split, before)
        if out["error"][0]:
            assert steps == ()
            continue
        explained += 1
        burden = [step for step in steps if step.chain == BURDEN]
        cost = [step for step in steps if step.chain == COST]
        for chain in (burden, cost):
            assert all(step.after_fen == step.before_fen - step.amount_fen for step in chain)
            assert all(one.after_fen == other.before_fen for one, other in pairwise(chain))
        if burden:
            assert burden[0].before_fen == claim["total_fen"][0]
            assert sum(step.amount_fen for step in burden) == claim["total_fen"][0]
        got = {step.stage: step.amount_fen for step in burden}
        for stage, column in PAYERS.items():
            assert got.get(stage, 0) == out[column][0], stage
        above = got.get("above_cap", 0) + got.get("catastrophic", 0)
        assert above == out["large_sum_fen"][0] + out["catastrophic_fen"][0]
        assert all(step.amount_fen >= 0 for step in steps)
    assert explained > 200


def test_the_pooled_fund_is_written_out_tier_by_tier() -> None:
    # DER-01: Hangzhou 2021, active, tertiary, 100,000 in scope.
    bundle = benefit_bundle("hangzhou")
    claims, splits = random_claims(np.random.default_rng(1), bundle, 1, 1)
    claim, split = claims[:1], splits[:1]
    for name in claim.dtype.names:
        claim[name] = 0
    for name in split.dtype.names:
        split[name] = 0
    claim["scheme"], claim["person_type"], claim["care_kind"], claim["deductible_level"] = 1, 1, 7, 3
    claim["quota"] = claim["disease"] = -1
    claim["rule_date"] = claim["admission_date"] = claim["settlement_date"] = 20210601
    claim["total_fen"] = split["in_scope_fen"] = 10_000_000
    steps = {step.stage: step for step in explain(bundle.benefit, claim, split, np.zeros(ACCUMULATOR_COUNT, np.int64))}
    assert steps["pooled"].text == "39200.00 × 82% + 60000.00 × 88% = 84944.00"
    assert steps["pooled"].document and not steps["pooled"].verified  # read in a guide, not in 杭政〔2020〕56号
    assert steps["deductible"].amount_fen == 80_000
