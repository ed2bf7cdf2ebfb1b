"""What belongs to a stay is given once, also where the ledger is what knows of the earlier parts."""

from __future__ import annotations

import asyncio

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.rules import engine_of
from adjudicator.cases.run import run_case
from adjudicator.service.records import Records
from adjudicator.v1 import settlement_pb2
from tests.golden.test_golden import FOLDER

from .claims import key_of
from .test_settling import settle, settler

CASES = {case.name: case for case in read_cases([FOLDER / "toy" / "parts_of_stays.yaml"])}


@pytest.mark.parametrize("name", CASES)
def test_parts_of_a_stay_settle_and_are_explained_as_the_case_says(name, store_url) -> None:
    case, number = CASES[name], list(CASES).index(name)
    settled = run_case(case)
    engine = engine_of(case, by_amounts=True)

    async def stay() -> None:
        async with settler(engine, store_url) as one:
            for expected in settled:
                expected.claim.encounter_id = expected.claim.person_id = f"case {number}"
                (answer,) = await settle(one, expected.claim)
                assert not isinstance(answer, int), answer
                for field in ("deductible_fen", "pooled_fund_fen", "hospital_borne_fen", "cash_fen"):
                    assert getattr(answer, field) == getattr(expected.answer, field), field
                key = key_of(expected.claim).SerializeToString()
                told = settlement_pb2.Explanation.FromString(await Records(engine, one.store).explain(key))
                steps = {step.stage: step for step in told.steps}
                assert steps["pooled"].amount_fen == answer.pooled_fund_fen

    asyncio.run(stay())
