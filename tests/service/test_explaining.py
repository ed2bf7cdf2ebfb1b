"""An explanation on the wire: stable ids, both names, two chains that each start from the total."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import Settled, run_case
from adjudicator.service.explaining import explain, message_of
from adjudicator.steps import BURDEN, COST, STEP_NAMES
from adjudicator.v1 import settlement_pb2

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture(scope="module")
def settlements() -> list[Settled]:
    """Every settlement of the cases of the invented city and of its variants."""
    cases = read_cases(sorted((GOLDEN / "toy").glob("*.yaml")))
    return [settled for case in cases for settled in run_case(case) if settled.steps]


def check(explanation: settlement_pb2.Explanation, answer: settlement_pb2.Settlement) -> None:
    for step in explanation.steps:
        name = STEP_NAMES[step.stage]
        assert (step.chain, step.stage_en, step.stage_zh) == (name.chain, name.en, name.zh)
        assert step.after_fen == step.before_fen - step.amount_fen
    for chain in (COST, BURDEN):
        steps = [step for step in explanation.steps if step.chain == chain]
        assert all(one.after_fen == other.before_fen for one, other in pairwise(steps))
        assert not steps or steps[0].before_fen == answer.total_fen
    paid = [step for step in explanation.steps if step.chain == BURDEN]
    assert sum(step.amount_fen for step in paid) == answer.total_fen


def test_every_step_has_its_id_its_names_and_its_chain(settlements: list[Settled]) -> None:
    assert len(settlements) > 200
    for settled in settlements:
        explanation = message_of(settlement_pb2.SettlementKey(), settled.answer.rules_hash, settled.steps)
        assert explanation.steps
        check(explanation, settled.answer)


def test_steps_read_off_the_answer_speak_the_same_words(settlements: list[Settled]) -> None:
    for settled in settlements:
        check(explain(settlement_pb2.SettlementKey(), settled.answer), settled.answer)
