"""Every call of both services, over a socket, in the order of a hospital's day."""

from __future__ import annotations

import pytest

from adjudicator.codes import GroupStatus
from adjudicator.v1 import adjudication_pb2, claim_pb2, grouping_pb2, pooling_pb2, settlement_pb2

from .claims import COUNTY, HOSPITAL, POOL, claim, key_of


def assert_identities(answer: settlement_pb2.Settlement) -> None:
    """H1, H2, F1, F2, P1, D1 of the national result, L1 of each line."""
    parts = answer.wholly_self_paid_fen + answer.over_ceiling_fen + answer.first_pay_fen + answer.in_scope_fen
    assert answer.total_fen == parts
    assert answer.total_fen == sum(line.amount_fen for line in answer.lines)
    for line in answer.lines:
        assert line.amount_fen == (
            line.wholly_self_paid_fen + line.over_ceiling_fen + line.first_pay_fen + line.in_scope_fen
        )
    funds = (
        answer.pooled_fund_fen, answer.large_sum_fen, answer.catastrophic_fen, answer.civil_servant_fen,
        answer.enterprise_fen, answer.assistance_fen, answer.other_fund_fen,
    )  # fmt: skip
    assert answer.fund_total_fen == sum(funds)
    assert answer.total_fen == answer.fund_total_fen + answer.personal_total_fen + answer.hospital_borne_fen
    assert answer.personal_total_fen == answer.account_fen + answer.family_account_fen + answer.cash_fen


def totals(stubs) -> dict[str, int]:
    """Fund -> fen over all counties of the pool."""
    sums: dict[str, int] = {}
    for row in stubs.pooling.GetCountyTotals(pooling_pb2.TotalsQuery(pool=POOL)).rows:
        sums[row.fund] = sums.get(row.fund, 0) + row.amount_fen
    return sums


def test_a_trial_changes_nothing_and_the_settlement_pays_what_the_trial_said(stubs):
    message = claim(900_000, 250_000)
    before = totals(stubs)
    trial = stubs.adjudication.PreSettle(message)
    assert trial.outcome == settlement_pb2.OUTCOME_TRIAL
    assert totals(stubs) == before
    settled = stubs.adjudication.Settle(message)
    assert settled.outcome == settlement_pb2.OUTCOME_SETTLED
    assert len(settled.settlement_id) == 32
    assert_identities(settled)
    assert (trial.fund_total_fen, trial.cash_fen) == (settled.fund_total_fen, settled.cash_fen)
    after = totals(stubs)
    assert after["total_cost"] - before.get("total_cost", 0) == message.total_fen
    assert after["claims"] - before.get("claims", 0) == 1


def test_the_same_claim_again_gets_the_same_answer_and_counts_once(stubs):
    message = claim(900_000)
    first = stubs.adjudication.Settle(message)
    counted = totals(stubs)
    assert [stubs.adjudication.Settle(message) for _ in range(3)] == [first] * 3
    assert stubs.adjudication.GetSettlement(key_of(message)) == first
    assert totals(stubs) == counted


def test_a_persons_claims_of_one_batch_run_in_order_and_duplicates_get_the_first_answer(stubs):
    first = claim(900_000)
    second = claim(900_000, person_id=first.person_id)
    batch = claim_pb2.ClaimBatch(claims=[first, second, first, second])
    answers = stubs.adjudication.SettleBatch(batch).settlements
    assert answers[0] == answers[2]
    assert answers[1] == answers[3]
    assert answers[0].deductible_fen >= answers[1].deductible_fen
    one_by_one = [stubs.adjudication.Settle(claim(900_000, person_id=f"again {first.person_id}")) for _ in range(2)]
    paid = [answer.fund_total_fen for answer in answers[:2]]
    assert paid == [answer.fund_total_fen for answer in one_by_one]


def test_a_reversal_is_the_negative_and_the_year_is_as_before(stubs):
    message = claim(900_000)
    before = totals(stubs)
    settled = stubs.adjudication.Settle(message)
    request = settlement_pb2.ReverseRequest(settlement=key_of(message), person_id=message.person_id)
    taken_back = stubs.adjudication.Reverse(request)
    assert taken_back.outcome == settlement_pb2.OUTCOME_REVERSED
    assert taken_back.fund_total_fen == -settled.fund_total_fen
    assert_identities(taken_back)
    assert stubs.adjudication.Reverse(request) == taken_back
    asked = stubs.adjudication.GetSettlement(key_of(message))
    assert asked.fund_total_fen == settled.fund_total_fen
    assert [(problem.code, problem.warning) for problem in asked.problems][-1] == ("ADJ-9004", True)
    assert stubs.adjudication.Settle(message) == asked
    after = totals(stubs)
    assert all(after[fund] == before.get(fund, 0) for fund in after if fund != "claims")
    again = claim(900_000, person_id=message.person_id)
    again.encounter_id, again.settlement_sequence = message.encounter_id, 2
    assert stubs.adjudication.Settle(again).fund_total_fen == settled.fund_total_fen


def test_a_persons_year_can_be_asked_for(stubs):
    message = claim(900_000)
    settled = stubs.adjudication.Settle(message)
    query = adjudication_pb2.AccumulatorQuery(
        insured_area=COUNTY, person_id=message.person_id, scheme="390", year=settled.benefit_year
    )
    year = {entry.name: entry.value for entry in stubs.adjudication.GetAccumulators(query).entries}
    assert year["deductible_charged_fen"] == settled.deductible_fen
    assert year["pooled_inpatient_fen"] == settled.pooled_fund_fen
    assert year["stays"] == 1


def test_a_claim_that_brings_its_year_is_priced_over_it(stubs):
    fresh, late = claim(900_000), claim(900_000)
    late.accumulators.year = 2025
    late.accumulators.entries.add(name="deductible_charged_fen", value=10_000_000)
    late.accumulators.entries.add(name="stays", value=3)
    answer = stubs.adjudication.PreSettle(late)
    assert answer.deductible_fen <= stubs.adjudication.PreSettle(fresh).deductible_fen


def test_streams_answer_batch_by_batch_in_order(stubs):
    batches = [claim_pb2.ClaimBatch(claims=[claim(300_000) for _ in range(size)]) for size in (1, 3, 2)]
    answers = list(stubs.adjudication.SettleStream(iter(batches)))
    assert [[one.encounter_id for one in answer.settlements] for answer in answers] == [
        [one.encounter_id for one in batch.claims] for batch in batches
    ]
    assert all(one.outcome == settlement_pb2.OUTCOME_SETTLED for answer in answers for one in answer.settlements)


def test_repricing_keeps_a_persons_year_for_the_stream_and_records_nothing(stubs):
    first = claim(900_000)
    second = claim(900_000, person_id=first.person_id)
    before = totals(stubs)
    one_by_one = [claim_pb2.ClaimBatch(claims=[first]), claim_pb2.ClaimBatch(claims=[second])]
    answers = list(stubs.adjudication.Reprice(iter(one_by_one), metadata=(("x-adjudicator-rules", "again"),)))
    paid = [answer.settlements[0].fund_total_fen for answer in answers]
    together = next(iter(stubs.adjudication.Reprice(iter([claim_pb2.ClaimBatch(claims=[first, second])]))))
    assert paid == [answer.fund_total_fen for answer in together.settlements]
    assert totals(stubs) == before
    settled = stubs.adjudication.SettleBatch(claim_pb2.ClaimBatch(claims=[first, second])).settlements
    assert paid == [answer.fund_total_fen for answer in settled]


def test_grouping_alone(stubs):
    record = grouping_pb2.GroupRecord(id="r1", sex=1, age_years=60, stay_days=3, diagnoses=["I10.x00x002"])
    too_long = grouping_pb2.GroupRecord(id="r2", sex=1, diagnoses=["I10.x00x002"] * 300)
    answer = stubs.adjudication.Group(grouping_pb2.GroupBatch(records=[record, too_long, record]))
    assert [result.id for result in answer.results] == ["r1", "r2", "r1"]
    assert answer.results[0].grouping.status == 1
    assert answer.results[0].grouping.drg.startswith("FV2")
    assert not answer.results[0].trace
    assert [problem.code for problem in answer.results[1].problems] == ["ADJ-3010"]


def test_a_record_that_cannot_be_grouped_says_why(stubs):
    record = grouping_pb2.GroupRecord(id="1", sex=1, diagnoses=["K35.300"])
    (answer,) = stubs.adjudication.Group(grouping_pb2.GroupBatch(records=[record])).results
    assert answer.grouping.status == GroupStatus.INVALID
    assert [problem.code for problem in answer.problems] == ["ADJ-7001"]
    assert "age_years is missing" in answer.problems[0].message


def test_grouping_tells_what_a_group_rests_on_and_which_coding_checks_failed(stubs):
    mother = grouping_pb2.GroupRecord(id="m", sex=1, age_years=30, stay_days=3, diagnoses=["O80.000x001"])
    answer = stubs.adjudication.Group(grouping_pb2.GroupBatch(records=[mother], trace=True))
    assert answer.results[0].trace
    assert "ADJ-7003" in [problem.code for problem in answer.results[0].problems]
    assert answer.results[0].problems[0].field == "diagnoses[0]"


def test_totals_are_watched(stubs):
    query = pooling_pb2.TotalsQuery(pool=POOL, county=COUNTY)
    stream = stubs.pooling.WatchCountyTotals(query)
    first = next(stream)
    stubs.adjudication.Settle(claim(100_000))
    second = next(stream)
    assert second.version > first.version
    assert {row.county for row in second.rows} == {COUNTY}
    stream.cancel()


def test_a_hospital_reconciles_its_month(stubs):
    hospital_day = 20250627
    dates = {"admission_date": 20250626, "discharge_date": hospital_day, "settlement_date": hospital_day}
    messages = [claim(300_000, **dates), claim(200_000, **dates)]
    answers = [stubs.adjudication.Settle(message) for message in messages]
    statement = pooling_pb2.Statement(
        pool=POOL, institution_code=HOSPITAL, from_date=hospital_day, to_date=hospital_day, settlements=2,
        total_fen=500_000, fund_total_fen=sum(answer.fund_total_fen for answer in answers), account_fen=0,
    )  # fmt: skip
    assert stubs.pooling.Reconcile(statement).equal
    for answer in answers:
        statement.lines.add(
            encounter_id=answer.encounter_id, settlement_sequence=1, direction=1, total_fen=answer.total_fen,
            fund_total_fen=answer.fund_total_fen,
        )  # fmt: skip
    statement.lines[1].total_fen += 1
    statement.total_fen += 1
    result = stubs.pooling.Reconcile(statement)
    assert not result.equal
    assert [difference.ledger.encounter_id for difference in result.differences] == [messages[1].encounter_id]


def test_an_explanation_adds_up_to_the_answer(stubs):
    message = claim(900_000, 250_000)
    settled = stubs.adjudication.Settle(message)
    explanation = stubs.adjudication.Explain(key_of(message))
    assert explanation.rules_hash == settled.rules_hash
    paid = {step.stage: step.amount_fen for step in explanation.steps}
    assert paid.get("deductible", 0) == settled.deductible_fen
    assert all(step.before_fen - step.amount_fen == step.after_fen for step in explanation.steps)


@pytest.mark.parametrize("cents", [1, 99, 100_00])
def test_identities_hold_for_the_smallest_claims(stubs, cents):
    assert_identities(stubs.adjudication.Settle(claim(cents)))


def test_an_explanation_of_a_reversal_adds_up_to_its_answer(stubs):
    message = claim(700_000, 150_000)
    stubs.adjudication.Settle(message)
    key = key_of(message)
    reversed_ = stubs.adjudication.Reverse(settlement_pb2.ReverseRequest(settlement=key, person_id=message.person_id))
    key.direction = settlement_pb2.DIRECTION_REVERSE
    steps = stubs.adjudication.Explain(key).steps
    assert all(step.before_fen - step.amount_fen == step.after_fen for step in steps)
    assert {step.stage: step.amount_fen for step in steps}["cash"] == reversed_.cash_fen < 0
