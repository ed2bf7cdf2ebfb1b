"""An explanation on the wire: stable ids, both names, two chains that each start from the total."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import Settled, run_case
from adjudicator.errors import E
from adjudicator.money import fen_to_yuan
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


def test_every_amount_has_its_arithmetic(settlements: list[Settled]) -> None:
    """A payer whose amount follows from a rate shows cost × rate = amount, or says what it was cut to."""
    by_rate = {
        "above_cap",
        "catastrophic",
        "civil_servant",
        "enterprise",
        "assistance",
        "tilt",
        "cross_region_first_pay",
    }
    seen = set()
    for settled in settlements:
        for step in settled.steps:
            assert step.text and step.text_zh
            if step.stage in by_rate and step.amount_fen:
                seen.add(step.stage)
                assert re.search(rf"×.*(= |paid ){fen_to_yuan(step.amount_fen)}", step.text), step
    assert seen == by_rate


@pytest.mark.parametrize(("place", "cites"), [("local", False), ("outside", True)])
def test_only_clauses_that_had_a_part_are_named(tmp_path: Path, place: str, cites: bool) -> None:
    """A local claim does not cite the document of care elsewhere."""
    path = tmp_path / "case.yaml"
    path.write_text(
        "case: X\npack: taohuayuan\n"
        f"claim: {{level: tertiary, place: {place}, filing: temporary, amounts: {{in_scope: 20000}}}}\n"
    )
    (settled,) = run_case(next(read_cases([path])))
    assert settled.error == E.NONE
    assert any("〔2020〕31号" in step.document for step in settled.steps) is cites
