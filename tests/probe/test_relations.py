"""Each relation finds the mistake that it is for, and a plan without mistakes has no finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adjudicator.probe.findings import findings_of
from adjudicator.probe.relations import BY_NAME, FAMILIES, RELATIONS
from adjudicator.probe.scenes import PERSONAL, double
from adjudicator.probe.sweep import sweep
from tests.probe.plans import PLAIN, found, probed

CROSS = [
    {"place": "local"},
    {"place": ["province", "outside"], "filing": "none", "minus_points": 10},
    {"place": ["province", "outside"], "filing": ["resettled", "long_term", "posted", "referred", "temporary"]},
]
RATES = {"active": {"primary": [90], "tertiary": [80]}, "retired": {"primary": [95], "tertiary": [85]}}

BROKEN: list[tuple[str, dict[str, Any]]] = [
    # A limit of assistance that is lower where the burden is higher: one fen more costs thousands.
    ("no_cliff-assistance", {
        "assistance_from_yuan": [0, 30_000],
        "assistance_cap_yuan": {"destitute": [50_000, 10_000], "low_income": [50_000, 10_000]},
    }),
    ("no_fund_falls-assistance", {
        "assistance_from_yuan": [0, 30_000],
        "assistance_cap_yuan": {"destitute": [50_000, 10_000], "low_income": [50_000, 10_000]},
    }),
    # A deductible that is a larger share of the bill than the fund pays of it.
    ("slope_of_funds-deductible", {
        "deductible_position": "after_rate", "tier_from_yuan": [0, 10_000],
        "rate_percent": {"active": [90, 30], "retired": [90, 30]},
        "cross_region": [{"place": "local", "deductible_percent": 60, "deductible_at_least_yuan": 100}],
    }),
    ("slope_of_share-deductible", {
        "deductible_position": "after_rate", "tier_from_yuan": [0, 10_000],
        "rate_percent": {"active": [90, 30], "retired": [90, 30]},
        "cross_region": [{"place": "local", "deductible_percent": 60, "deductible_at_least_yuan": 100}],
    }),
    ("poorer_pay_no_more-assistance", {"assistance_percent": {"destitute": 70, "low_income": 80}}),
    ("retired_pay_no_more-pooled", {"rate_percent": {**RATES, "retired": {"primary": [85], "tertiary": [85]}}}),
    ("lower_level_pays_no_more-pooled", {"rate_percent": {**RATES, "active": {"primary": [70], "tertiary": [80]}}}),
    ("lower_level_pays_no_more-deductible", {"deductible_yuan": {"primary": 900, "tertiary": 600}}),
    ("filed_pay_no_more-pooled", {
        "cross_region": [CROSS[0], CROSS[1] | {"minus_points": 0}, CROSS[2] | {"minus_points": 5}],
    }),
    ("order_does_not_matter-deductible", {"deductible_nth_percent": [100, 50], "counts_admission": True}),
    ("cutting_gains_nothing-pooled", {
        "tier_measure": "stay_cost", "tier_from_yuan": [0, 10_000],
        "rate_percent": {"active": [90, 60], "retired": [95, 60]},
        "deductible_counting": "none", "deductible_yuan": {},
    }),
    ("second_deductible_no_higher-deductible", {"deductible_carried": True, "counts_admission": True}),
]  # fmt: skip


def test_a_plan_without_mistakes_has_no_finding():
    assert found(PLAIN) == {}


@pytest.mark.parametrize(("name", "changed"), BROKEN, ids=[name for name, _ in BROKEN])
def test_a_mistake_is_found(name: str, changed: dict[str, Any]):
    plan = {key: value for key, value in (PLAIN | changed).items() if value != {}}
    findings = found(plan)
    assert name in findings, sorted(findings)
    assert findings[name].by_fen > findings[name].relation.most_fen


def test_the_witness_of_a_cliff_is_the_fen_before_it():
    finding = found(PLAIN | dict(BROKEN)["no_cliff-assistance"])["no_cliff-assistance"]
    a, b = finding.sides
    assert b is not None and (b.fen - a.fen).sum() == 1
    assert "assistance_from_yuan" in finding.keys
    assert finding.by_fen > 100_000


def test_payers_add_up_and_none_is_negative_whatever_the_costs():
    probe = probed(PLAIN)
    sweep(probe, claims=2 * probe.claims, seed=7)
    assert {name for name, _, _ in probe.broken} & {"payers_add_up", "no_negative_payer", "limits_hold"} == set()


def test_the_walk_goes_on_to_the_claims_that_were_asked_for_and_repeats_itself():
    plan = PLAIN | {"deductible_nth_percent": [100, 50], "counts_admission": True}
    first, second = probed(plan), probed(plan)
    before = first.claims
    for probe in (first, second):
        sweep(probe, claims=before + 300_000, seed=3)
    assert first.claims >= before + 300_000 and first.claims == second.claims
    same = [[(one.name, one.count, one.by_fen) for one in findings_of(probe)] for probe in (first, second)]
    assert same[0] == same[1]


def test_scenes_are_priced_alike_alone_and_in_a_batch():
    probe = probed(PLAIN)
    cell, first, second = np.array([0, 1, 2]), np.array([10**6, 10**7, 3]), np.array([5, 10**6, 10**8])
    together = probe.pricer.price(double(cell, first, second)).paid[:, PERSONAL].copy()
    alone = [probe.pricer.price(double(cell[n : n + 1], first[n : n + 1], second[n : n + 1])) for n in range(3)]
    assert together.tolist() == [int(one.paid[0, PERSONAL]) for one in alone]


def test_every_relation_has_a_family_texts_and_a_line_in_the_docs(root: Path):
    page = (root / "docs" / "probe.md").read_text("utf-8")
    assert len(RELATIONS) >= 20 and len(BY_NAME) == len(RELATIONS)
    for relation in RELATIONS:
        assert relation.family in FAMILIES
        assert relation.en.endswith(".") and relation.zh.endswith("。")
        assert f"| `{relation.name}` | {relation.en} | {relation.zh} |" in page
