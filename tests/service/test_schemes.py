"""Limits of medical assistance are the person's, whatever the scheme: settled, explained, taken back, raced for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import grpc
import pytest

from adjudicator.v1 import claim_pb2, settlement_pb2

from .test_years import ITEM, STAY, TERTIARY, toy  # noqa: F401  the service of the toy city

LIMIT_FEN = 50_000_00
"""Yearly limits of assistance and of tilt assistance of the category low_edge in the toy city, 30,000 and 20,000."""
RESIDENT, EMPLOYEE = ("390", "15"), ("310", "11")


def stay(person: str, encounter: str, scheme: tuple[str, str], date: int, fen: int) -> claim_pb2.Claim:
    claim = claim_pb2.Claim(
        institution_code=TERTIARY, encounter_id=f"{person}-{encounter}", settlement_sequence=1, person_id=person,
        insured_area="990002", scheme=scheme[0], person_type=scheme[1], care_type=STAY, settlement_date=date,
        admission_date=date, discharge_date=date, sex=1, age_years=50, assistance_category="low_edge",
        diagnoses=["I10.x00x002"], total_fen=fen,
    )  # fmt: skip
    line = claim.lines.add(line_id="1", item_code=ITEM, fee_date=date, unit_price_e4=fen, quantity_e4=10_000 * 10_000)
    line.amount_fen = fen
    return claim


def key_of(claim: claim_pb2.Claim) -> settlement_pb2.SettlementKey:
    return settlement_pb2.SettlementKey(
        institution_code=claim.institution_code, encounter_id=claim.encounter_id, settlement_sequence=1,
        insured_area=claim.insured_area,
    )  # fmt: skip


def reverse(stubs: SimpleNamespace, claim: claim_pb2.Claim) -> settlement_pb2.Settlement:
    return stubs.adjudication.Reverse(
        settlement_pb2.ReverseRequest(settlement=key_of(claim), person_id=claim.person_id)
    )


def test_what_one_scheme_paid_counts_in_the_other_and_back(toy) -> None:  # noqa: F811
    first = stay("both", "1", RESIDENT, 20240301, 400_000_00)
    assert toy.adjudication.Settle(first).assistance_fen == LIMIT_FEN
    second = stay("both", "2", EMPLOYEE, 20240901, 400_000_00)
    assert toy.adjudication.PreSettle(second).assistance_fen == 0
    settled = toy.adjudication.Settle(second)
    assert settled.assistance_fen == 0
    steps = toy.adjudication.Explain(key_of(second)).steps
    assert sum(step.amount_fen for step in steps if step.stage == "cash") == settled.cash_fen
    assert toy.adjudication.Settle(stay("alone", "2", EMPLOYEE, 20240901, 400_000_00)).assistance_fen > 0


def test_a_settlement_is_not_taken_back_under_one_of_another_scheme_that_it_changed(toy) -> None:  # noqa: F811
    first = stay("back", "1", RESIDENT, 20240301, 400_000_00)
    second = stay("back", "2", EMPLOYEE, 20240901, 400_000_00)
    for claim in (first, second):
        toy.adjudication.Settle(claim)
    with pytest.raises(grpc.RpcError) as refused:
        reverse(toy, first)
    assert "ADJ-9003" in refused.value.details() and second.encounter_id in refused.value.details()
    assert reverse(toy, second).outcome == settlement_pb2.OUTCOME_REVERSED
    assert reverse(toy, first).assistance_fen == -LIMIT_FEN


def test_one_that_does_not_change_the_other_scheme_is_taken_back(toy) -> None:  # noqa: F811
    first = stay("free", "1", EMPLOYEE, 20240301, 4_000_00)  # it adds to what counts, and the limit is reached anyway
    second = stay("free", "2", RESIDENT, 20240901, 400_000_00)
    for claim in (first, second):
        toy.adjudication.Settle(claim)
    alone = toy.adjudication.Settle(stay("free too", "2", RESIDENT, 20240901, 400_000_00))
    assert toy.adjudication.GetSettlement(key_of(second)).assistance_fen == alone.assistance_fen == LIMIT_FEN
    assert reverse(toy, first).outcome == settlement_pb2.OUTCOME_REVERSED


def test_two_schemes_at_the_same_instant_do_not_pay_the_limit_twice(toy) -> None:  # noqa: F811
    for number in range(12):
        claims = [
            stay(f"race {number}", "1", RESIDENT, 20240301, 400_000_00),
            stay(f"race {number}", "2", EMPLOYEE, 20240901, 400_000_00),
        ]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(toy.adjudication.Settle, claims))
        assert sum(answer.assistance_fen for answer in answers) == LIMIT_FEN
        batch = claim_pb2.ClaimBatch(claims=claims)
        for claim in batch.claims:
            claim.person_id, claim.encounter_id = f"batch {number}", f"b{claim.encounter_id}"
        both = toy.adjudication.SettleBatch(batch).settlements
        assert [answer.assistance_fen for answer in both] == [LIMIT_FEN, 0]
