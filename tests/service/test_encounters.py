"""An encounter is paid once: numbers that do not follow, other persons, lines that were settled, callers that race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from adjudicator.v1 import adjudication_pb2, claim_pb2, settlement_pb2

from .claims import COUNTY, claim, key_of, line
from .test_calls import totals


def again(message: claim_pb2.Claim, sequence: int, **fields: object) -> claim_pb2.Claim:
    """The same stay under another number."""
    copy = claim_pb2.Claim()
    copy.CopyFrom(message)
    copy.settlement_sequence = sequence
    for name, value in fields.items():
        setattr(copy, name, value)
    return copy


def code_of(stubs, message: claim_pb2.Claim) -> str:
    """The code with which the claim is refused, "" where it is settled."""
    try:
        stubs.adjudication.Settle(message)
    except grpc.RpcError as error:
        return error.details().split()[0]
    return ""


def test_a_stay_that_stands_is_not_settled_under_another_number(stubs):
    message = claim(900_000)
    stubs.adjudication.Settle(message)
    before = totals(stubs)
    assert code_of(stubs, again(message, 2)) == "ADJ-9012"
    assert code_of(stubs, again(message, 2, person_id="somebody else")) == "ADJ-9014"
    assert code_of(stubs, again(message, 5)) == "ADJ-9013"
    assert code_of(stubs, claim(900_000, settlement_sequence=3)) == "ADJ-9013"
    assert totals(stubs) == before


def test_the_refusal_says_what_stands_and_what_to_do(stubs):
    message = claim(900_000)
    stubs.adjudication.Settle(message)
    with pytest.raises(grpc.RpcError) as refused:
        stubs.adjudication.Settle(again(message, 2))
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "Settlement 1 of this encounter stands" in refused.value.details()
    assert "GetSettlement" in refused.value.details() and "Reverse" in refused.value.details()


def test_after_a_reversal_the_next_number_is_taken_and_only_that(stubs):
    message = claim(900_000)
    settled = stubs.adjudication.Settle(message)
    stubs.adjudication.Reverse(settlement_pb2.ReverseRequest(settlement=key_of(message), person_id=message.person_id))
    assert code_of(stubs, again(message, 3)) == "ADJ-9013"
    corrected = again(message, 2)
    assert stubs.adjudication.Settle(corrected).fund_total_fen == settled.fund_total_fen
    assert stubs.adjudication.Settle(corrected).fund_total_fen == settled.fund_total_fen  # the same call again
    assert code_of(stubs, again(message, 3)) == "ADJ-9012"


def test_numbers_of_one_encounter_in_one_batch_follow_each_other(stubs):
    message = claim(900_000)
    batch = claim_pb2.ClaimBatch(claims=[again(message, 3), again(message, 2), message, message])
    answers = stubs.adjudication.SettleBatch(batch).settlements
    assert [answer.outcome for answer in answers[2:]] == [settlement_pb2.OUTCOME_SETTLED] * 2
    assert [answer.problems[0].code for answer in answers[:2]] == ["ADJ-9013", "ADJ-9012"]


def test_parts_of_a_stay_follow_each_other_and_no_line_is_settled_twice(stubs):
    first = claim(900_000, mid_stay=True, discharge_date=0)
    assert stubs.adjudication.Settle(first).outcome == settlement_pb2.OUTCOME_SETTLED
    same_line = claim(500_000, person_id=first.person_id, encounter_id=first.encounter_id, settlement_sequence=2)
    assert code_of(stubs, same_line) == "ADJ-9015"
    last = again(same_line, 2)
    last.lines[0].CopyFrom(line(2, 500_000))
    trial = stubs.adjudication.PreSettle(last)
    whole = stubs.adjudication.Settle(claim(900_000, 500_000))
    parts = stubs.adjudication.Settle(first), stubs.adjudication.Settle(last)
    assert trial.deductible_fen == parts[1].deductible_fen
    assert parts[0].deductible_fen + parts[1].deductible_fen == whole.deductible_fen
    assert code_of(stubs, again(last, 3)) == "ADJ-9012"
    assert stubs.adjudication.Settle(claim(900_000, person_id=first.person_id)).deductible_fen < whole.deductible_fen
    steps = stubs.adjudication.Explain(key_of(last)).steps
    assert [step.amount_fen for step in steps if step.stage == "deductible"] == [parts[1].deductible_fen]
    query = adjudication_pb2.AccumulatorQuery(insured_area=COUNTY, person_id=first.person_id, scheme="390", year=2025)
    year = {entry.name: entry.value for entry in stubs.adjudication.GetAccumulators(query).entries}
    assert year["stays"] == 2  # the stay in parts is one


def test_of_many_callers_that_raise_the_number_one_is_paid(stubs):
    message = claim(900_000)
    before = totals(stubs)
    with ThreadPoolExecutor(12) as callers:
        codes = list(callers.map(lambda number: code_of(stubs, again(message, 1 + number % 4)), range(48)))
    assert set(codes) <= {"", "ADJ-9012", "ADJ-9013"}
    after = totals(stubs)
    assert after["total_cost"] - before.get("total_cost", 0) == message.total_fen
    assert after["claims"] - before.get("claims", 0) == 1
