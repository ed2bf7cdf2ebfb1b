"""What differs between two answers, and in which stage first; tenths of burden; all on tables of a few rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from adjudicator.compare.answers import MONEY, NUMBERS, STAGES, TEXTS, both, first_stage
from adjudicator.compare.causes import OF_STAGE, Case, Causes, Cells
from adjudicator.compare.differences import Batch, Placed
from adjudicator.compare.people import People
from adjudicator.compare.totals import CUBES, Sums
from adjudicator.errors import AdjudicatorError
from adjudicator.payers import PAYERS
from adjudicator.reprice import facts
from adjudicator.rules.as_on import load_rules, split_name
from adjudicator.steps import STEP_NAMES


def results(count: int, **columns: Any) -> pa.Table:
    """Results of priced claims, all zero but for what is given."""
    whole = {name: [1 if name == "outcome" else 0] * count for name in dict.fromkeys((*NUMBERS, *MONEY))}
    return pa.table(whole | {name: [""] * count for name in TEXTS} | columns)


def batch(old: pa.Table, new: pa.Table, persons: list[int], assistance: list[str]) -> Batch:
    count = len(new)
    known = {"person": persons, "assistance": assistance}
    table = {
        one.name: known.get(one.name, [""] * count if pa.types.is_dictionary(one.type) else [0] * count)
        for one in facts.SCHEMA
    }
    keys = pa.table({"institution_code": pa.array(["H"] * count).dictionary_encode()})
    answers = both(old, new)
    nowhere = np.zeros((2, count), np.int64)
    return Batch(0, answers, keys, pa.table(table, facts.SCHEMA), Placed(nowhere, nowhere))


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.id)
def test_each_column_is_seen_in_its_own_stage(stage):
    for name in (*stage.numbers, *stage.texts):
        changed = ["x"] if name in TEXTS else [4 if name == "outcome" else 5]
        answers = both(results(2), results(2, **{name: [*changed, "" if name in TEXTS else int(name == "outcome")]}))
        assert first_stage(answers).tolist() == [STAGES.index(stage), -1]


def test_the_earliest_stage_is_told():
    new = results(1, cash_fen=[3], pooled_fund_fen=[2], due_fen=[1], drg=["AA19"])
    assert STAGES[int(first_stage(both(results(1), new))[0])].id == "pooled"


def test_each_stage_that_a_plan_decides_is_one_of_an_explanation():
    assert OF_STAGE.keys() <= STEP_NAMES.keys()
    assert {payer.id for payer in PAYERS} <= {stage.id for stage in STAGES}


def test_a_stage_without_a_changed_value_follows_from_an_earlier_claim():
    bundle = load_rules(["taohuayuan"])
    cells = Cells(0, 0, 0, 0, 0, 0, -1, 0, 1)
    assert Causes(bundle, bundle).of(Case("deductible", "taohuayuan", cells, 0, "")).kind == "earlier"
    other = Causes(bundle, bundle).of(Case("deductible", "taohuayuan", cells._replace(level=1), 0, ""))
    assert (other.kind, other.keys) == ("rule", "level primary → secondary")
    assert Causes(None, bundle).of(Case("deductible", "taohuayuan", cells, 0, "")).kind == "unknown"


def test_tenths_are_by_old_burden_and_assisted_people_stand_apart():
    persons = list(range(22))
    old = results(22, personal_total_fen=[100 * person for person in persons])
    new = results(22, personal_total_fen=[100 * person + (person % 3 - 1) for person in persons])
    people = People(22)
    people.add(batch(old, new, persons, [""] * 20 + ["destitute", "low_income"]))
    found = {(row["who"], row["category"], row["tenth"]): row for row in people.tenths().to_pylist()}
    assert found["all", "", 0]["persons"] == 22
    assert [found["ordinary", "", tenth]["persons"] for tenth in range(1, 11)] == [2] * 10
    assert found["ordinary", "", 1]["burden_old_fen"] == 100
    assert found["ordinary", "", 1]["persons_pay_less"] == 1
    assert found["assisted", "destitute", 0]["burden_old_fen"] == 2000
    people.reconcile(sum(100 * person for person in persons), int(people.new.sum()))
    with pytest.raises(AdjudicatorError):
        people.reconcile(1, 1)


def test_sums_that_do_not_add_up_are_refused():
    old, new = results(3, cash_fen=[1, 2, 3]), results(3, cash_fen=[1, 5, 3])
    sums, one = Sums(), batch(old, new, [0, 1, 2], [""] * 3)
    stages = first_stage(one.answers)
    names = pa.array([STAGES[place].id if place >= 0 else None for place in stages.tolist()]).dictionary_encode()
    sums.add(one, stages, names)
    sums.reconcile([{"cash_fen": 6}, {"cash_fen": 9}])
    assert sum(sums.table(CUBES[0]).column("cash_difference_fen").to_pylist()) == 3
    with pytest.raises(AdjudicatorError):
        sums.reconcile([{"cash_fen": 6}, {"cash_fen": 8}])
    sums.difference["cash_fen"] += 1
    with pytest.raises(AdjudicatorError):
        sums.reconcile([None, None])


@pytest.mark.parametrize("name", ["taohuayuan@2024-13-01", "taohuayuan@soon"])
def test_a_day_that_is_none_is_refused(name):
    with pytest.raises(ValueError):
        split_name(name)
