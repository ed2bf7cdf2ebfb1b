"""Every mistake of the table is refused or named by the running service; claims in order are settled without a word."""

from __future__ import annotations

import re
from collections import Counter

import grpc
import pytest
from google.rpc import error_details_pb2

from adjudicator.client import status_of
from adjudicator.v1 import claim_pb2, settlement_pb2

from . import mistakes as table
from .mistakes import EMPLOYEE, LEDGER_MISTAKES, MISTAKES, NEWBORN, OUTPATIENT, message_of, put, right_claim

LEAST_MISTAKES = 150
ENGLISH = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")
"""Two English words in a row: field names have underscores, codes digits."""

Seen = set[tuple[str, str]]
"""Code and field of the problems."""


def send(service_stub: object, message: bytes) -> tuple[str, Seen, list[str]]:
    """Settle a claim; return refused, warned or silent, the problems, and their texts in Chinese."""
    try:
        answer = service_stub(message, timeout=30)
    except grpc.RpcError as error:
        details = {packed.TypeName(): packed for packed in status_of(error).details}
        info = error_details_pb2.ErrorInfo.FromString(details["google.rpc.ErrorInfo"].value)
        chinese = error_details_pb2.LocalizedMessage.FromString(details["google.rpc.LocalizedMessage"].value)
        fields = details["google.rpc.BadRequest"].value if "google.rpc.BadRequest" in details else b""
        violations = error_details_pb2.BadRequest.FromString(fields).field_violations
        seen = {(one.reason.replace("_", "-"), one.field) for one in violations} | {(info.reason, "")}
        return table.REFUSED, seen, [chinese.message, *(one.localized_message.message for one in violations)]
    problems = settlement_pb2.Settlement.FromString(answer).problems
    seen = {(one.code, one.field) for one in problems}
    return (table.WARNED if problems else "silent"), seen, [one.message_zh for one in problems]


@pytest.fixture
def settle(service):
    """The call on bytes, so that a text in another encoding can be sent."""
    with grpc.insecure_channel(service.address) as channel:
        yield channel.unary_unary("/adjudicator.v1.Adjudication/Settle")


def test_no_mistake_passes_in_silence(settle) -> None:
    outcomes, wrong = Counter(), []
    for mistake in MISTAKES:
        outcome, seen, chinese = send(settle, message_of(mistake))
        outcomes[outcome] += 1
        named = {field for code, field in seen if code == f"ADJ-{mistake.code:04d}"}
        if outcome != mistake.outcome or not named:
            wrong.append((mistake.field, mistake.kind, mistake.sent, mistake.outcome, mistake.code.name, outcome, seen))
        wrong += [(mistake.field, text) for text in chinese if ENGLISH.search(text)]
    print(f"\nmistakes: {len(MISTAKES)}, {dict(outcomes)}")
    assert not wrong, "\n".join(map(str, wrong))
    assert len(MISTAKES) >= LEAST_MISTAKES
    assert not outcomes["silent"]


def test_what_only_the_ledger_sees_does_not_pass_in_silence_either(settle) -> None:
    outcomes, wrong = Counter(), []
    for before, settled, _, mistake in LEDGER_MISTAKES:
        right = right_claim("L")
        earlier = message_of(mistake._replace(changes=before), right)
        assert send(settle, earlier) == ("silent", set(), []), settled
        claim = claim_pb2.Claim.FromString(message_of(mistake, right))
        for line in claim.lines:
            line.fee_date = min(max(line.fee_date, claim.admission_date), claim.discharge_date or claim.admission_date)
        outcome, seen, chinese = send(settle, claim.SerializeToString())
        outcomes[outcome] += 1
        if outcome != mistake.outcome or f"ADJ-{mistake.code:04d}" not in {code for code, _ in seen}:
            wrong.append((mistake.field, mistake.kind, settled, mistake.outcome, mistake.code.name, outcome, seen))
        wrong += [(mistake.field, text) for text in chinese if ENGLISH.search(text)]
    print(f"\nmistakes that only the ledger sees: {len(LEDGER_MISTAKES)}, {dict(outcomes)}")
    assert not wrong, "\n".join(map(str, wrong))


def test_the_table_has_every_field_of_a_claim_and_of_a_line() -> None:
    fields = {re.sub(r"\[\d+\]", "", mistake.field).split(".")[0] for mistake in MISTAKES}
    of_lines = {mistake.field.split(".")[1] for mistake in MISTAKES if mistake.field.startswith("lines[")}
    free = {"family_doctor_signed", "at_signed_institution", "use_account"}
    assert set(claim_pb2.Claim.DESCRIPTOR.fields_by_name) - fields == free
    assert set(claim_pb2.Line.DESCRIPTOR.fields_by_name) - of_lines == {"external_prescription", "maternity"}


LINE = "lines[1]."
RIGHT: dict[str, dict[str, object]] = {
    "as it is": {},
    "an outpatient visit": OUTPATIENT | {"admission_date": 20250312, "settlement_date": 20250312, "diagnoses": None},
    "a visit settled a week later": OUTPATIENT | {"settlement_date": 20250319},
    "a newborn": NEWBORN,
    "an employee": EMPLOYEE,
    "a retired employee": EMPLOYEE | {"person_type": "12", "age_years": 66},
    "a settlement in mid-stay": {"mid_stay": True, "discharge_date": 0},
    "care in another city": {
        "institution_code": "H33070200001", "care_area": "330702", "hospital_level": "03", "filing": 4,
    },
    "a bill claimed at the counter": {"settled_at_counter": True},
    "a bill of another city claimed at the counter": {
        "institution_code": "H33070200001", "care_area": "330702", "hospital_level": "03", "filing": 2,
        "settled_at_counter": True,
    },
    "a stay of one day": {"admission_date": 20250314, "stay_days": 1, "lines": None, "total_fen": 0},
    "days that count the day of discharge": {"stay_days": 4},
    "a stay without its days": {"stay_days": None},
    "emergency care before admission": {LINE + "fee_date": 20250310, LINE + "before_admission": 1},
    "tests before surgery": {LINE + "fee_date": 20250301, LINE + "before_admission": 2},
    "a drug taken home": {LINE + "discharge_drug": True},
    "a prescription filled outside": {LINE + "external_prescription": True},
    "half a fen rounded up": {
        LINE + "unit_price_e4": 333_335_000, LINE + "quantity_e4": 15_000,
    },
    "a fen of rounding": {LINE + "amount_fen": 50_001, "total_fen": 360_001},
    "a fraction of a unit": {LINE + "unit_price_e4": 1_000_000_000, LINE + "quantity_e4": 5_000},
    "ids of thirty characters": {"encounter_id": "E" * 30, "person_id": "P" * 30, LINE + "line_id": "L" * 30},
    "an id with a blank inside": {"encounter_id": "ZY 2025-0314/1"},
    "the level of the register": {"hospital_level": "02"},
    "an account with a balance": EMPLOYEE | {"use_account": True, "account_current_fen": 153_000},
    "a part that the hospital waives": {"hospital_borne_fen": 10_000, "other_payer_fen": 5_000},
    "a family doctor": {"family_doctor_signed": True, "at_signed_institution": True},
    "intensive care": {"icu_hours": 48},
    "a settlement five months later": {"settlement_date": 20250810},
    "the year to date": {
        "accumulators.year": 2025, "accumulators.entries[0].name": "stays", "accumulators.entries[0].value": 1,
    },
    "own codes": {LINE + "institution_item_code": "YPBM-0001", LINE + "department": "A04.02"},
}  # fmt: skip
"""Claims in order, as changes of the right claim."""


@pytest.mark.parametrize("name", RIGHT)
def test_a_claim_in_order_raises_no_alarm(settle, name: str) -> None:
    claim = right_claim("R")
    for path, value in RIGHT[name].items():
        put(claim, path, value)
    if not claim.lines:
        line = claim.lines.add(line_id="1", item_code=table.DRUG, fee_date=20250314, unit_price_e4=10**8)
        line.quantity_e4, line.amount_fen, claim.total_fen = 10_000, 10_000, 10_000
    if claim.care_type == "11":
        for line in claim.lines:
            line.fee_date = claim.admission_date
    outcome, seen, _ = send(settle, claim.SerializeToString())
    assert (outcome, seen) == ("silent", set())


def test_messages_hold_no_value_of_a_person(settle) -> None:
    secret = MISTAKES[0]._replace(changes={"age_days": 4_711, "birth_weight_g": 3_217, "maternity_type": 3})
    answer = settlement_pb2.Settlement.FromString(settle(message_of(secret), timeout=30))
    texts = " ".join(f"{one.message} {one.message_zh}" for one in answer.problems)
    assert len(answer.problems) >= 3
    assert not re.search("4711|3217|M-", texts)
