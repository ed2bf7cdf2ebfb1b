"""Each thing that can be wrong with a claim has its number, its field, and leaves the others alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adjudicator import limits
from adjudicator.errors import E
from adjudicator.v1 import claim_pb2, settlement_pb2
from tests.claim.claims import inpatient, prepare, settle

Change = Callable[[claim_pb2.Claim], object]


def _set(**values) -> Change:
    return lambda claim: [setattr(claim, name, value) for name, value in values.items()]


def _line(**values) -> Change:
    return lambda claim: [setattr(claim.lines[1], name, value) for name, value in values.items()]


def _refund(**values) -> Change:
    def change(claim: claim_pb2.Claim) -> None:
        line = claim.lines.add(line_id="R", item_code=claim.lines[0].item_code, fee_date=20240603)
        line.unit_price_e4, line.quantity_e4, line.amount_fen = 10_000_000, -20_000, -2_000
        line.original_line_id = "L0"
        for name, value in values.items():
            setattr(line, name, value)
        claim.total_fen = sum(entry.amount_fen for entry in claim.lines)

    return change


def _whole_stay(date: int) -> Change:
    """The stay and its fee lines on one day."""

    def change(claim: claim_pb2.Claim) -> None:
        claim.admission_date = claim.discharge_date = claim.settlement_date = date
        for line in claim.lines:
            line.fee_date = date

    return change


CASES: list[tuple[E, str, Change]] = [
    (E.MISSING_INSTITUTION, "institution_code", _set(institution_code="")),
    (E.MISSING_ENCOUNTER, "encounter_id", _set(encounter_id="")),
    (E.MISSING_SEQUENCE, "settlement_sequence", _set(settlement_sequence=0)),
    (E.MISSING_PERSON, "person_id", _set(person_id="")),
    (E.ID_TOO_LONG, "encounter_id", _set(encounter_id="x" * 65)),
    (E.ID_TOO_LONG, "lines[1].line_id", _line(line_id="x" * 65)),
    (E.UNKNOWN_AREA, "insured_area", _set(insured_area="110101")),
    (E.UNKNOWN_AREA, "insured_area", _set(insured_area="33010")),
    (E.UNKNOWN_CARE_AREA, "care_area", _set(care_area="Beijing")),
    (E.UNKNOWN_SCHEME, "scheme", _set(scheme="999")),
    (E.UNKNOWN_PERSON_TYPE, "person_type", _set(person_type="77")),
    (E.UNKNOWN_CARE_TYPE, "care_type", _set(care_type="7777")),
    (E.UNKNOWN_INSTITUTION, "institution_code", _set(institution_code="H00000000000")),
    (E.UNKNOWN_HOSPITAL_LEVEL, "hospital_level", _set(institution_code="H1", care_area="110101", hospital_level="12")),
    (E.UNKNOWN_ASSISTANCE_CATEGORY, "assistance_category", _set(assistance_category="rich")),
    (E.UNKNOWN_PROGRAMME, "programme", _set(programme="nothing")),
    (E.UNKNOWN_DISEASE, "disease_code", _set(disease_code="M99999")),
    (E.INVALID_CODE_VALUE, "sex", _set(sex=5)),
    (E.INVALID_CODE_VALUE, "filing", lambda claim: claim.MergeFromString(b"\xd8\x01\x63")),
    (E.INVALID_CODE_VALUE, "lines[1].approval", _line(approval=3)),
    (E.INVALID_DATE, "admission_date", _set(admission_date=20240230)),
    (E.INVALID_DATE, "settlement_date", _set(settlement_date=20241301)),
    (E.DATE_OUT_OF_RANGE, "admission_date", _set(admission_date=18990101)),
    (E.MISSING_DATE, "discharge_date", _set(discharge_date=0)),
    (E.MISSING_DATE, "settlement_date", _set(settlement_date=0)),
    (E.DATE_ORDER, "discharge_date", _set(admission_date=20240611)),
    (E.AMOUNT_OUT_OF_RANGE, "total_fen", _set(total_fen=limits.MAX_AMOUNT_FEN + 1)),
    (E.NEGATIVE_AMOUNT, "account_current_fen", _set(account_current_fen=-1)),
    (E.PAYERS_EXCEED_TOTAL, "other_payer_fen", _set(other_payer_fen=7_000)),
    (E.NO_LINES, "lines", lambda claim: claim.ClearField("lines")),
    (E.LINES_DO_NOT_ADD_UP, "total_fen", _set(total_fen=6_001)),
    (E.TOO_MANY_CODES, "diagnoses", lambda claim: claim.diagnoses.extend(["I10.x00"] * 200)),
    (E.NO_DIAGNOSIS, "diagnoses", lambda claim: claim.ClearField("diagnoses")),
    (E.AGE_OUT_OF_RANGE, "age_years", _set(age_years=151)),
    (E.STAY_OUT_OF_RANGE, "stay_days", _set(stay_days=40_000)),
    (E.MISSING_LINE_ID, "lines[1].line_id", _line(line_id="")),
    (E.DUPLICATE_LINE_ID, "lines[1].line_id", _line(line_id="L0")),
    (E.ZERO_QUANTITY, "lines[1].quantity_e4", _line(quantity_e4=0)),
    (E.QUANTITY_OUT_OF_RANGE, "lines[1].quantity_e4", _line(quantity_e4=limits.MAX_QUANTITY_E4 + 1)),
    (E.PRICE_OUT_OF_RANGE, "lines[1].unit_price_e4", _line(unit_price_e4=-1)),
    (E.LINE_AMOUNT_OUT_OF_RANGE, "lines[1].amount_fen", _line(amount_fen=limits.MAX_AMOUNT_FEN + 1)),
    (E.LINE_SIGN, "lines[1].amount_fen", _line(amount_fen=-2_000)),
    (E.INVALID_FEE_DATE, "lines[1].fee_date", _line(fee_date=20240631)),
    (E.FEE_AFTER_SETTLEMENT, "lines[1].fee_date", _line(fee_date=20240611)),
    (E.UNKNOWN_ITEM, "lines[1].item_code", _line(item_code="NOSUCHITEM")),
    (E.REFUND_WITHOUT_ORIGINAL, "lines[3].original_line_id", _refund(original_line_id="L9")),
    (E.REFUND_EXCEEDS_ORIGINAL, "lines[3].amount_fen", _refund(quantity_e4=-30_000, amount_fen=-3_000)),
    (E.NO_RULE_ON_DATE, "", _whole_stay(20100101)),
]  # fmt: skip


@pytest.mark.parametrize(("number", "field", "change"), CASES, ids=[f"{case[0].name}-{case[1]}" for case in CASES])
def test_refusal(number: E, field: str, change: Change) -> None:
    claim = inpatient()
    change(claim)
    answer, neighbour = settle(claim, inpatient(person_id="P2", encounter_id="E2"))
    assert answer.outcome == settlement_pb2.OUTCOME_REFUSED
    found = {(problem.code, problem.field) for problem in answer.problems}
    assert (f"ADJ-{number:04d}", field) in found, found
    assert answer.total_fen == 0 and not answer.lines and not answer.funds
    assert neighbour.outcome == settlement_pb2.OUTCOME_TRIAL
    for problem in answer.problems:
        assert problem.message and problem.message_zh and "P1" not in problem.message


def test_all_problems_are_reported_and_the_lowest_number_decides() -> None:
    claim = inpatient(person_id="", scheme="999", total_fen=1)
    batch = prepare(claim)
    numbers = [problem.number for problem in batch.problems(0)]
    assert numbers == [E.MISSING_PERSON, E.UNKNOWN_SCHEME, E.LINES_DO_NOT_ADD_UP]
    assert batch.claims["error"][0] == E.MISSING_PERSON


def test_malformed_message_refuses_itself_only() -> None:
    good = inpatient()
    broken = good.SerializeToString()[:-1]
    answers = settle(b"\xff\xff\xff", good, broken)
    assert [answer.outcome for answer in answers] == [
        settlement_pb2.OUTCOME_REFUSED, settlement_pb2.OUTCOME_TRIAL, settlement_pb2.OUTCOME_REFUSED,
    ]  # fmt: skip
    assert answers[0].problems[0].code == "ADJ-1001"


def test_too_many_lines() -> None:
    answer, _ = settle(inpatient(limits.MAX_LINES_PER_CLAIM + 1), inpatient())
    assert [problem.code for problem in answer.problems] == ["ADJ-3008"]


def test_ten_thousand_lines_settle() -> None:
    claim = inpatient(limits.MAX_LINES_PER_CLAIM)
    (answer,) = settle(claim)
    assert answer.outcome == settlement_pb2.OUTCOME_TRIAL and len(answer.lines) == limits.MAX_LINES_PER_CLAIM
    assert answer.total_fen == claim.total_fen


def test_an_undefined_rule_is_named() -> None:
    """What the documents do not say is an error that says what is missing, never a guess."""
    claim = inpatient(care_area="110101", institution_code="H11010100001", hospital_level="02", filing=7)
    (answer,) = settle(claim)
    (problem,) = answer.problems
    assert problem.code == f"ADJ-{E.RULE_UNDEFINED:04d}"
    assert "define no rule for this case: " in problem.message and "this case: ." not in problem.message


@pytest.mark.compiled
def test_a_small_message_of_empty_lines_takes_no_room() -> None:
    """Two bytes a line: half a million empty lines are refused before they get rows."""
    (answer,) = settle(inpatient().SerializeToString() + b"\x72\x00" * 500_000)
    assert [problem.code for problem in answer.problems] == [f"ADJ-{E.TOO_MANY_LINES:04d}"]


@pytest.mark.compiled
def test_a_claim_full_of_problems_does_not_hide_those_of_others() -> None:
    """Each claim keeps problems of its own: countless wrong lines of one never let another one through."""
    full = inpatient(5_000)
    for line in full.lines:
        line.quantity_e4, line.unit_price_e4, line.fee_date, line.approval, line.line_id = 0, -1, 1, 9, ""
    wrong = inpatient(person_id="P2", encounter_id="E2", scheme="999")
    answers = settle(full, wrong, inpatient(person_id="P3"))
    assert [answer.outcome for answer in answers] == [
        settlement_pb2.OUTCOME_REFUSED, settlement_pb2.OUTCOME_REFUSED, settlement_pb2.OUTCOME_TRIAL,
    ]  # fmt: skip
    assert answers[1].problems[0].code == f"ADJ-{E.UNKNOWN_SCHEME:04d}"
    assert len(answers[0].problems) <= 17


def test_a_line_without_a_date_is_refused() -> None:
    """The kernel checks a date once for lines of one day, and took 0 for a day that it had checked."""
    claim = inpatient()
    for line in claim.lines:
        line.fee_date = 0
    (answer,) = settle(claim)
    assert [(problem.code, problem.field) for problem in answer.problems] == [
        ("ADJ-4009", f"lines[{number}].fee_date") for number in range(3)
    ]
