"""A settlement is taken back out of order where no later one of the year depends on it."""

from __future__ import annotations

import grpc
import pytest

from adjudicator.v1 import adjudication_pb2, claim_pb2, settlement_pb2

from .claims import COUNTY, claim, key_of

OTHER_HOSPITAL = "H33010600001"


def stays(stubs, count: int, **fields: object) -> list[claim_pb2.Claim]:
    """Stays of one new person, settled in order."""
    first = claim(900_000, **fields)
    messages = [first, *(claim(900_000, person_id=first.person_id) for _ in range(count - 1))]
    for message in messages:
        stubs.adjudication.Settle(message)
    return messages


def reverse(stubs, message: claim_pb2.Claim) -> settlement_pb2.Settlement:
    return stubs.adjudication.Reverse(
        settlement_pb2.ReverseRequest(settlement=key_of(message), person_id=message.person_id)
    )


def year_of(stubs, message: claim_pb2.Claim) -> dict[str, int]:
    query = adjudication_pb2.AccumulatorQuery(insured_area=COUNTY, person_id=message.person_id, scheme="390", year=2025)
    return {entry.name: entry.value for entry in stubs.adjudication.GetAccumulators(query).entries}


def test_the_middle_one_of_three_is_taken_back_and_the_year_is_that_of_the_others(stubs):
    first, second, third = stays(stubs, 3)
    paid = stubs.adjudication.GetSettlement(key_of(second))
    before = year_of(stubs, first)
    assert reverse(stubs, second).fund_total_fen == -paid.fund_total_fen
    after = year_of(stubs, first)
    assert before["pooled_inpatient_fen"] - after["pooled_inpatient_fen"] == paid.pooled_fund_fen
    assert after["stays"] == 2
    with pytest.raises(grpc.RpcError) as refused:
        reverse(stubs, first)  # the third would owe the deductible
    assert f"{third.institution_code}/{third.encounter_id}/1" in refused.value.details()
    assert reverse(stubs, third).outcome == settlement_pb2.OUTCOME_REVERSED
    assert reverse(stubs, first).outcome == settlement_pb2.OUTCOME_REVERSED
    assert year_of(stubs, first) == {}


def test_a_later_settlement_of_another_hospital_is_named_by_its_date_alone(stubs):
    first = claim(900_000)
    later = claim(900_000, person_id=first.person_id, institution_code=OTHER_HOSPITAL)
    for message in (first, later):
        stubs.adjudication.Settle(message)
    with pytest.raises(grpc.RpcError) as refused:
        reverse(stubs, first)
    assert "2025-03-14" in refused.value.details()
    assert OTHER_HOSPITAL not in str(refused.value) and later.encounter_id not in refused.value.details()


def test_a_part_is_not_taken_back_while_a_part_of_the_next_year_stands(stubs):
    dates = {"admission_date": 20241220, "mid_stay": True, "discharge_date": 0, "settlement_date": 20241231}
    first = claim(900_000, **dates)
    first.lines[0].fee_date = 20241225
    second = claim(1_000, person_id=first.person_id, encounter_id=first.encounter_id, settlement_sequence=2)
    second.admission_date, second.lines[0].line_id = 20241220, "2"
    for message in (first, second):
        stubs.adjudication.Settle(message)
    with pytest.raises(grpc.RpcError) as refused:
        reverse(stubs, first)
    assert refused.value.details().startswith("ADJ-9003") and "/2" in refused.value.details()
    reverse(stubs, second)
    assert reverse(stubs, first).outcome == settlement_pb2.OUTCOME_REVERSED


def test_a_part_is_not_taken_back_while_a_later_part_of_the_stay_stands(stubs):
    first = claim(900_000, mid_stay=True, discharge_date=0)
    second = claim(1_000, person_id=first.person_id, encounter_id=first.encounter_id, settlement_sequence=2)
    second.lines[0].line_id = "2"
    for message in (first, second):
        stubs.adjudication.Settle(message)
    with pytest.raises(grpc.RpcError) as refused:
        reverse(stubs, first)
    assert refused.value.details().startswith("ADJ-9003")
    reverse(stubs, second)
    assert reverse(stubs, first).outcome == settlement_pb2.OUTCOME_REVERSED
