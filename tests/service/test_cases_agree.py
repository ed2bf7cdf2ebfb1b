"""A case comes out as the running service answers: the same claims, the same reversal, field for field."""

from __future__ import annotations

from pathlib import Path

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import run_case
from adjudicator.v1 import claim_pb2, settlement_pb2

from .claims import DRUG, key_of

CASE = f"""
case: agree
pack: hangzhou
person: {{scheme: resident, age: 60}}
claims:
  - &stay
    admission: 2025-03-11
    discharge: 2025-03-14
    hospital: H33010200001
    diagnoses: [I50.900, J96.000]
    lines: [{{item: {DRUG}, price: 30000, quantity: 1}}, {{item: {DRUG}, price: 12.345, quantity: 3}}]
  - {{reverse: 1, settlement: 2025-03-20}}
  - *stay
  - *stay
"""


def test_a_case_and_the_service_agree(stubs, tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(CASE, "utf-8")
    settled = run_case(next(read_cases([path])))
    first, _, again, second = settled
    assert first.answer.deductible_fen == again.answer.deductible_fen > second.answer.deductible_fen
    assert first.answer.grouping.drg and first.answer.payment.due_fen
    for one in settled:
        claim = claim_pb2.Claim.FromString(one.claim.SerializeToString())
        claim.encounter_id, claim.person_id = f"agree-{claim.encounter_id}", "agree"
        if one.answer.outcome == settlement_pb2.OUTCOME_REVERSED:
            request = settlement_pb2.ReverseRequest(
                settlement=key_of(claim), person_id=claim.person_id, reversal_date=20250320
            )
            answer = stubs.adjudication.Reverse(request)
        else:
            answer = stubs.adjudication.Settle(claim)
        expected = settlement_pb2.Settlement.FromString(one.answer.SerializeToString())
        expected.encounter_id, expected.settlement_id = answer.encounter_id, answer.settlement_id
        expected.rules_hash = answer.rules_hash  # the case adds a hospital of each level to the register
        assert answer == expected
