"""The steps of an explanation add up to the answer, and each number follows from what is written beside it."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from adjudicator.benefit.explain import Step, explain
from adjudicator.benefit.settle import settle
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, QUOTA
from adjudicator.rounding import divide_half_up
from adjudicator.steps import BURDEN, COST
from tests.benefit.desk import Desk
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


TERM = r"[\d.]+(?: × [\d.]+%)?"
ARITHMETIC = re.compile(rf"({TERM}(?: [+-] {TERM})*) = ([\d.]+)(?:, paid ([\d.]+))?( \(.+\))?")


def value(sum_text: str) -> Fraction:
    """The value of ``100.00 × 50% - 10.00`` and the like."""
    terms = re.findall(r"([+-]?) ?([\d.]+)(?: × ([\d.]+)%)?", sum_text)
    return sum(
        (Fraction(cost) * Fraction(percent or 100) / 100 * (-1 if sign == "-" else 1) for sign, cost, percent in terms),
        Fraction(0),
    )


@pytest.mark.compiled
def test_the_arithmetic_of_every_step_gives_its_amount() -> None:
    """What is written is true to the fen; an amount that is not the product says why."""
    bundle = benefit_bundle("taohuayuan", "hangzhou", "zhuzhou")
    claims, splits = random_claims(np.random.default_rng(23), bundle, 300, 15)
    states, quota = np.zeros((300, ACCUMULATOR_COUNT), np.int64), np.zeros(1, QUOTA)
    seen, cut = set(), set()
    for row in range(len(claims)):
        before = states[claims["state"][row]].copy()
        settle(bundle.benefit, claims[row : row + 1].copy(), splits[row : row + 1], states, quota, np.zeros(1, BENEFIT))
        for step in explain(bundle.benefit, claims[row : row + 1], splits[row : row + 1], before):
            if "×" not in step.text:
                continue
            written = ARITHMETIC.fullmatch(step.text)
            assert written, step.text
            assert divide_half_up(*(value(written[1]) * 100).as_integer_ratio()) == Decimal(written[2]) * 100, step
            assert Decimal(written[3] or written[2]) * 100 == step.amount_fen, step
            seen.add(step.stage)
            if written[3]:
                assert written[4], f"{step.stage} was cut to {written[3]} without a reason: {step.text}"
                cut.add(step.stage)
    payers = {"pooled", "above_cap", "catastrophic", "civil_servant", "enterprise", "assistance", "tilt", "programme"}
    assert payers | {"cross_region_first_pay"} <= seen and {"pooled", "catastrophic"} <= cut


def steps_of(desk: Desk, in_scope: int, **claim: Any) -> dict[str, Step]:
    """The steps of a claim over what the desk has settled so far."""
    row, split = desk.columns(in_scope, **claim)
    return {step.stage: step for step in explain(desk.bundle.benefit, row, split, desk.states[0])}


def test_a_deductible_of_nothing_says_why() -> None:
    desk = Desk({"rate_percent": 80, "deductible_yuan": 1000, "deductible_counting": "year_highest"})
    assert "due now 1000.00" in steps_of(desk, 5000)["deductible"].text
    desk.settle(5000)
    step = steps_of(desk, 5000)["deductible"]
    assert step.amount_fen == 0
    assert step.text.endswith("due now 0.00, taken 0.00; less what the year counted already")
    assert step.text_zh.endswith("扣减本年度已计")


def test_a_cap_says_so_only_where_it_binds() -> None:
    desk = Desk({"rate_percent": 80, "enterprise_percent": 50, "enterprise_cap_yuan": 150})
    assert steps_of(desk, 1000)["enterprise"].text == "200.00 × 50% = 100.00"
    desk.settle(1000)
    assert steps_of(desk, 1000)["enterprise"].text == "200.00 × 50% = 100.00, paid 50.00 (up to the yearly cap)"


def test_the_supplement_stands_where_it_was_paid() -> None:
    """The steps follow the cascade, also where civil servants are paid before catastrophic insurance (R35)."""
    rules = {
        "rate_percent": 50, "civil_servant_percent": 10, "catastrophic_percent": 50, "catastrophic_from_yuan": [0],
        "catastrophic_threshold_yuan": 0, "catastrophic_base": ["in_scope"],
    }  # fmt: skip
    for position, first in (("before_catastrophic", "civil_servant"), ("after_catastrophic", "catastrophic")):
        steps = steps_of(Desk(rules | {"civil_servant_position": position}), 1000, civil_servant=1)
        paid = [stage for stage in steps if stage in ("civil_servant", "catastrophic")]
        assert paid[0] == first and len(paid) == 2


def test_the_documents_of_a_programme_and_of_a_disease_are_named() -> None:
    bundle = benefit_bundle("taohuayuan")
    programme = bundle.packs[0].programmes[0]
    steps = steps_of(Desk(bundle), 20_000, level="tertiary", programme=programme.id, date=programme.source.from_date)
    assert programme.source.document in steps["programme"].document
