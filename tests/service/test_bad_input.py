"""Each bad input of a hospital system ends with its code of the error table, in both languages, and records nothing."""

from __future__ import annotations

import random

import grpc
import pytest
from google.rpc import error_details_pb2

from adjudicator import limits
from adjudicator.client import code_of, status_of
from adjudicator.errors import E
from adjudicator.v1 import claim_pb2, settlement_pb2

from .claims import HOSPITAL, POOL, claim, key_of, line


def on_day(date: int) -> claim_pb2.Claim:
    """A stay of one day, its fee lines included."""
    message = claim(settlement_date=date, admission_date=date, discharge_date=date)
    for fee in message.lines:
        fee.fee_date = date
    return message


def spoiled(**fields: object) -> claim_pb2.Claim:
    """A good claim with some fields replaced."""
    return claim(**fields)


def with_line(**fields: object) -> claim_pb2.Claim:
    """A good claim whose second line is spoiled."""
    message = claim(10_000, 20_000)
    for name, value in fields.items():
        setattr(message.lines[1], name, value)
    return message


def two_times_the_same_line_id() -> claim_pb2.Claim:
    message = claim(10_000, 20_000)
    message.lines[1].line_id = message.lines[0].line_id
    return message


def refund_of_nothing() -> claim_pb2.Claim:
    message = claim(10_000)
    refund = line(9, -1_000)
    refund.unit_price_e4, refund.quantity_e4 = 10_000_000, -10_000
    message.lines.append(refund)
    message.total_fen = 9_000
    return message


def accumulators(name: str, value: int, *further: str, year: int = 2025) -> claim_pb2.Claim:
    message = claim()
    message.accumulators.year = year
    for each in (name, *further):
        message.accumulators.entries.add(name=each, value=value)
    return message


BAD_CLAIMS = [
    (E.MISSING_INSTITUTION, "institution_code", spoiled(institution_code="")),
    (E.MISSING_ENCOUNTER, "encounter_id", spoiled(encounter_id="")),
    (E.MISSING_SEQUENCE, "settlement_sequence", spoiled(settlement_sequence=0)),
    (E.MISSING_PERSON, "person_id", spoiled(person_id="")),
    (E.ID_TOO_LONG, "encounter_id", spoiled(encounter_id="x" * 65)),
    (E.UNKNOWN_AREA, "insured_area", spoiled(insured_area="440100")),
    (E.UNKNOWN_AREA, "insured_area", spoiled(insured_area="杭州")),
    (E.UNKNOWN_CARE_AREA, "care_area", spoiled(care_area="3301")),
    (E.UNKNOWN_SCHEME, "scheme", spoiled(scheme="999")),
    (E.UNKNOWN_PERSON_TYPE, "person_type", spoiled(person_type="77")),
    (E.UNKNOWN_CARE_TYPE, "care_type", spoiled(care_type="99")),
    (E.UNKNOWN_INSTITUTION, "institution_code", spoiled(institution_code="H33019999999")),
    (E.UNKNOWN_ASSISTANCE_CATEGORY, "assistance_category", spoiled(assistance_category="rich")),
    (E.UNKNOWN_PROGRAMME, "programme", spoiled(programme="flood")),
    (E.UNKNOWN_DISEASE, "disease_code", spoiled(disease_code="M99999")),
    (E.UNKNOWN_CARE_AREA, "care_area", spoiled(care_area="000000")),
    (E.INVALID_CODE_VALUE, "sex", spoiled(sex=7)),
    (E.INVALID_CODE_VALUE, "enrolment_status", spoiled(enrolment_status=3)),
    (E.INVALID_CODE_VALUE, "discharge_way", spoiled(discharge_way=7)),
    (E.INVALID_CODE_VALUE, "lines[1].before_admission", with_line(before_admission=3)),
    (E.ID_TOO_LONG, "lines[1].item_code", with_line(item_code="X" * 65)),
    (E.STAY_OUT_OF_RANGE, "icu_hours", spoiled(icu_hours=10**6)),
    (E.INVALID_DATE, "settlement_date", spoiled(settlement_date=20250231)),
    (E.INVALID_DATE, "settlement_date", spoiled(settlement_date=14032025)),
    (E.DATE_ORDER, "discharge_date", spoiled(discharge_date=20250301)),
    (E.MISSING_DATE, "discharge_date", spoiled(discharge_date=0)),
    (E.AMOUNT_OUT_OF_RANGE, "total_fen", spoiled(total_fen=limits.MAX_AMOUNT_FEN + 1)),
    (E.NEGATIVE_AMOUNT, "total_fen", spoiled(total_fen=-1)),
    (E.NO_LINES, "lines", spoiled(lines=[], total_fen=0)),
    (E.TOO_MANY_LINES, "lines", claim(*[100] * (limits.MAX_LINES_PER_CLAIM + 1))),
    (E.LINES_DO_NOT_ADD_UP, "total_fen", spoiled(total_fen=350_001)),
    (E.TOO_MANY_CODES, "diagnoses", spoiled(diagnoses=["I10.x00x002"] * 201)),
    (E.AGE_OUT_OF_RANGE, "age_years", spoiled(age_years=151)),
    (E.STAY_OUT_OF_RANGE, "stay_days", spoiled(stay_days=limits.MAX_STAY_DAYS + 1)),
    (E.PAYERS_EXCEED_TOTAL, "other_payer_fen", spoiled(other_payer_fen=400_000)),
    (E.INVALID_ACCUMULATOR, "accumulators", accumulators("no_such_amount", 1)),
    (E.INVALID_ACCUMULATOR, "accumulators", accumulators("reserved_11", 1)),
    (E.INVALID_ACCUMULATOR, "accumulators", accumulators("deductible_charged_fen", -1)),
    (E.INVALID_ACCUMULATOR, "accumulators", accumulators("stays", 1, year=2024)),
    (E.INVALID_ACCUMULATOR, "accumulators", accumulators("stays", 1, "stays")),
    (E.MISSING_LINE_ID, "lines[1].line_id", with_line(line_id="")),
    (E.DUPLICATE_LINE_ID, "lines[1].line_id", two_times_the_same_line_id()),
    (E.UNKNOWN_ITEM, "lines[1].item_code", with_line(item_code="XA01AAA000A001010000000")),
    (E.ZERO_QUANTITY, "lines[1].quantity_e4", with_line(quantity_e4=0)),
    (E.QUANTITY_OUT_OF_RANGE, "lines[1].quantity_e4", with_line(quantity_e4=limits.MAX_QUANTITY_E4 + 1)),
    (E.PRICE_OUT_OF_RANGE, "lines[1].unit_price_e4", with_line(unit_price_e4=-1)),
    (E.LINE_SIGN, "lines[1].amount_fen", with_line(quantity_e4=-10_000)),
    (E.INVALID_FEE_DATE, "lines[1].fee_date", with_line(fee_date=20251301)),
    (E.REFUND_WITHOUT_ORIGINAL, "lines[1].original_line_id", refund_of_nothing()),
    (E.NO_RULE_ON_DATE, "", on_day(19950303)),
    (E.NO_DIAGNOSIS, "diagnoses", spoiled(diagnoses=[])),
]


def refusal(call, message) -> grpc.RpcError:
    """The error that a call ends with."""
    with pytest.raises(grpc.RpcError) as caught:
        call(message, timeout=30)
    return caught.value


def assert_refused(error: grpc.RpcError, number: E, field: str = "") -> None:
    """The error has the code, the status, the field and both languages."""
    row_code = f"ADJ-{int(number):04d}"
    assert code_of(error) == row_code, error.details()
    details = {packed.TypeName(): packed for packed in status_of(error).details}
    chinese = error_details_pb2.LocalizedMessage.FromString(details["google.rpc.LocalizedMessage"].value)
    assert chinese.locale == "zh-CN"
    assert row_code in chinese.message
    if field:
        violations = error_details_pb2.BadRequest.FromString(details["google.rpc.BadRequest"].value).field_violations
        assert field in [violation.field for violation in violations]


@pytest.mark.parametrize(("number", "field", "message"), BAD_CLAIMS, ids=lambda value: getattr(value, "name", ""))
def test_a_bad_claim_is_refused_with_its_code_and_field_and_leaves_nothing(stubs, number, field, message):
    assert_refused(refusal(stubs.adjudication.Settle, message), number, field)
    assert_refused(refusal(stubs.adjudication.PreSettle, message), number, field)
    if message.institution_code and len(message.encounter_id) in range(1, 65) and message.settlement_sequence:
        key = key_of(message)
        key.insured_area = "330106"
        assert_refused(refusal(stubs.adjudication.GetSettlement, key), E.SETTLEMENT_NOT_FOUND)


def test_a_key_reused_with_other_content_names_the_field(stubs):
    first = claim(300_000)
    stubs.adjudication.Settle(first)
    second = claim_pb2.Claim()
    second.CopyFrom(first)
    second.age_years = 61
    error = refusal(stubs.adjudication.Settle, second)
    assert error.code() == grpc.StatusCode.ALREADY_EXISTS
    assert_refused(error, E.KEY_REUSED, "age_years")


def test_random_bytes_are_refused_as_malformed_by_every_call(service):
    source = random.Random(7)
    methods = ["Settle", "PreSettle", "SettleBatch", "Reverse", "GetSettlement", "Explain", "Group", "GetAccumulators"]
    paths = [f"/adjudicator.v1.Adjudication/{name}" for name in methods]
    paths += [f"/adjudicator.v1.PoolingLedger/{name}" for name in ("GetCountyTotals", "Reconcile")]
    with grpc.insecure_channel(service.address) as channel:
        for path in paths:
            call = channel.unary_unary(path)
            assert_refused(refusal(call, b"\xff" * 40), E.MALFORMED_MESSAGE)
            for _ in range(20):
                error = refusal(call, source.randbytes(source.randrange(1, 300)))
                assert code_of(error).startswith("ADJ-"), path
                assert error.code() != grpc.StatusCode.INTERNAL, path


def test_a_truncated_claim_is_malformed(service):
    whole = claim().SerializeToString()
    with grpc.insecure_channel(service.address) as channel:
        call = channel.unary_unary("/adjudicator.v1.Adjudication/Settle")
        assert_refused(refusal(call, whole[:-1]), E.MALFORMED_MESSAGE)


def test_a_message_over_the_limit_is_refused_before_it_is_read(service):
    with grpc.insecure_channel(service.address, options=[("grpc.max_send_message_length", -1)]) as channel:
        call = channel.unary_unary("/adjudicator.v1.Adjudication/SettleBatch")
        error = refusal(call, bytes(limits.MAX_MESSAGE_BYTES + 1))
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert_refused(error, E.MESSAGE_TOO_LARGE)


def test_batches_of_no_claim_and_of_too_many(stubs):
    assert_refused(refusal(stubs.adjudication.SettleBatch, claim_pb2.ClaimBatch()), E.EMPTY_BATCH, "claims")
    many = claim_pb2.ClaimBatch(claims=[claim_pb2.Claim()] * (limits.MAX_CLAIMS_PER_BATCH + 1))
    assert_refused(refusal(stubs.adjudication.SettleBatch, many), E.TOO_MANY_CLAIMS, "claims")


def test_in_a_batch_each_claim_is_refused_on_its_own(stubs):
    good, bad = claim(300_000), claim(300_000, insured_area="440100")
    answers = stubs.adjudication.SettleBatch(claim_pb2.ClaimBatch(claims=[bad, good, bad])).settlements
    assert [answer.outcome for answer in answers] == [
        settlement_pb2.OUTCOME_REFUSED, settlement_pb2.OUTCOME_SETTLED, settlement_pb2.OUTCOME_REFUSED,
    ]  # fmt: skip
    assert answers[0].encounter_id == bad.encounter_id
    assert answers[0].problems[0].code == "ADJ-2010"
    assert "参保地" in answers[0].problems[0].message_zh


def test_calls_about_records_check_what_they_are_asked(stubs):
    known = stubs.adjudication
    settled = claim(300_000)
    known.Settle(settled)
    nobody = key_of(claim())
    assert_refused(refusal(known.GetSettlement, nobody), E.SETTLEMENT_NOT_FOUND)
    assert_refused(refusal(known.Explain, nobody), E.SETTLEMENT_NOT_FOUND)
    assert_refused(refusal(known.GetSettlement, settlement_pb2.SettlementKey()), E.MISSING_INSTITUTION)
    reverse = settlement_pb2.ReverseRequest(settlement=key_of(settled), person_id="somebody else")
    assert_refused(refusal(known.Reverse, reverse), E.PERSON_MISMATCH)
    reverse.person_id = ""
    assert_refused(refusal(known.Reverse, reverse), E.MISSING_PERSON, "person_id")
    reverse.person_id, reverse.reversal_date = settled.person_id, 20250230
    assert_refused(refusal(known.Reverse, reverse), E.INVALID_DATE, "reversal_date")
    reverse.reversal_date, reverse.settlement.direction = 0, settlement_pb2.DIRECTION_REVERSE
    assert_refused(refusal(known.Reverse, reverse), E.REVERSAL_OF_REVERSAL)


def test_only_the_latest_settlement_of_a_person_can_be_taken_back(stubs):
    first = claim(300_000)
    second = claim(100_000, person_id=first.person_id)
    for message in (first, second):
        stubs.adjudication.Settle(message)
    early = settlement_pb2.ReverseRequest(settlement=key_of(first), person_id=first.person_id)
    error = refusal(stubs.adjudication.Reverse, early)
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert_refused(error, E.NOT_LATEST_SETTLEMENT)
    assert second.encounter_id in error.details()


def test_unknown_pool_scheme_rules_and_grouping_scheme(stubs):
    from adjudicator.v1 import adjudication_pb2, grouping_pb2, pooling_pb2

    pooling, calls = stubs.pooling, stubs.adjudication
    assert_refused(refusal(pooling.GetCountyTotals, pooling_pb2.TotalsQuery(pool="999999")), E.UNKNOWN_POOL, "pool")
    query = pooling_pb2.TotalsQuery(pool=POOL, county="440103", month=202513, scheme="1")
    assert_refused(refusal(pooling.GetCountyTotals, query), E.UNKNOWN_AREA, "month")
    statement = pooling_pb2.Statement(pool="999999", institution_code=HOSPITAL)
    assert_refused(refusal(pooling.Reconcile, statement), E.UNKNOWN_POOL)
    accumulators = adjudication_pb2.AccumulatorQuery(insured_area="330106", person_id="P", scheme="7", year=2025)
    assert_refused(refusal(calls.GetAccumulators, accumulators), E.UNKNOWN_SCHEME, "scheme")
    records = grouping_pb2.GroupBatch(scheme="no such", records=[grouping_pb2.GroupRecord(id="1")])
    assert_refused(refusal(calls.Group, records), E.UNKNOWN_GROUPING_SCHEME, "scheme")
    stream = calls.Reprice(iter([claim_pb2.ClaimBatch(claims=[claim()])]), metadata=(("x-adjudicator-rules", "nope"),))
    with pytest.raises(grpc.RpcError) as caught:
        next(iter(stream))
    assert_refused(caught.value, E.UNKNOWN_RULES)
