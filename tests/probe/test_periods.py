"""Days on which a rule follows another, and combinations that no rule covers."""

from __future__ import annotations

import pytest

from adjudicator.errors import E
from adjudicator.probe.periods import steps_of
from adjudicator.probe.sweep import Probe, probe_of, undefined_of
from adjudicator.rules.bundle import load_bundle


@pytest.fixture(scope="module")
def probe() -> Probe:
    return probe_of(load_bundle(["zhuzhou"]))


def test_the_same_claims_are_compared_on_the_last_day_and_on_the_next(probe):
    (step,) = steps_of(probe)
    assert (step.plan, step.day) == ("employee-outpatient", 20_230_601)
    # From a yearly deductible of 200 or 300 to one of 50 or 100 a visit; nobody pays more, and no rule is missing.
    assert step.least_fen < 0 == step.most_fen and 0 < step.changed < step.claims and step.refused == 0


def test_a_combination_without_a_rule_is_told_by_plan_with_what_has_none_at_all(probe):
    pack = probe.bundle.packs[0]
    (outpatient,) = [one for one in undefined_of(probe) if one.plan == "employee-outpatient"]
    assert outpatient.error == E.RULE_UNDEFINED and len(outpatient.cells) > 0
    assert set(outpatient.whole) >= {
        ("deductible_level", pack.level_ids.index("provincial")),
        ("settled_at_counter", 1),
    }


def test_a_day_takes_only_the_plans_of_that_day():
    bundle = load_bundle(["zhuzhou"])
    days = [set(probe_of(bundle, day).cells.claims["rule_date"].tolist()) for day in (20_230_531, 20_230_601)]
    assert days == [{20_230_531}, {20_230_601}]
