"""What is doubtful about a claim is a warning that names the fields; the claim is settled all the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from adjudicator.errors import E, Problem
from adjudicator.v1 import claim_pb2, settlement_pb2
from tests.claim.claims import engine, inpatient, settle

Change = Callable[[claim_pb2.Claim], object]


def _set(**values: object) -> Change:
    return lambda claim: [setattr(claim, name, value) for name, value in values.items()]


def _line(**values: object) -> Change:
    return lambda claim: [setattr(claim.lines[1], name, value) for name, value in values.items()]


def _after_discharge(claim: claim_pb2.Claim) -> None:
    claim.settlement_date, claim.lines[1].fee_date = 20240620, 20240612


DOUBTS: list[tuple[E, str, Change]] = [
    (E.FEE_OUTSIDE_STAY, "lines[1].fee_date", _line(fee_date=20230602)),
    (E.FEE_OUTSIDE_STAY, "lines[1].fee_date", _after_discharge),
    (E.FEE_OUTSIDE_STAY, "lines[1].fee_date", _line(fee_date=20240401, before_admission=2)),
    (E.FIELDS_CONTRADICT, "lines[1].before_admission", _line(fee_date=20240605, before_admission=1)),
    (E.FIELDS_CONTRADICT, "lines[1].quantity_e4", _line(original_line_id="L0")),
    (E.STAY_CONTRADICTS_DATES, "stay_days", _set(stay_days=300)),
    (E.LATE_SETTLEMENT, "settlement_date", _set(settlement_date=20250610)),
    (E.CONTRADICTS_REGISTER, "hospital_level", _set(hospital_level="11")),
    (E.CONTRADICTS_REGISTER, "care_area", _set(care_area="330702", filing=4)),
    (E.FIELDS_CONTRADICT, "maternity_type", _set(maternity_type=3)),
    (E.FIELDS_CONTRADICT, "birth_weight_g", _set(birth_weight_g=3_200)),
    (E.FIELDS_CONTRADICT, "age_days", _set(age_days=12)),
    (E.FIELDS_CONTRADICT, "person_type", _set(person_type="12", age_years=20)),
    (E.UNLIKELY_VALUE, "birth_weight_g", _set(birth_weight_g=3, age_years=0, age_days=2)),
    (E.UNLIKELY_VALUE, "age_years", _set(age_years=130)),
    (E.FIELDS_CONTRADICT, "icu_hours", _set(icu_hours=720)),
    (E.FIELDS_CONTRADICT, "mid_stay", _set(mid_stay=True)),
    (E.FIELDS_CONTRADICT, "settled_at_counter", _set(settled_at_counter=True, mid_stay=True, discharge_date=0)),
    (E.FIELDS_CONTRADICT, "contribution_tier", _set(contribution_tier=2)),
    (E.FIELDS_CONTRADICT, "filing", _set(filing=6)),
]  # fmt: skip


@pytest.mark.parametrize(("number", "field", "change"), DOUBTS, ids=[f"{one[0].name}-{one[1]}" for one in DOUBTS])
def test_a_doubt_is_a_warning(number: E, field: str, change: Change) -> None:
    claim = inpatient()
    change(claim)
    (answer,) = settle(claim)
    assert answer.outcome == settlement_pb2.OUTCOME_TRIAL
    found = {(problem.code, problem.field) for problem in answer.problems if problem.warning}
    assert (f"ADJ-{number:04d}", field) in found, found


def test_a_claim_in_order_has_no_warning() -> None:
    (answer,) = settle(inpatient())
    assert not answer.problems


def test_the_value_is_shown_and_never_a_persons() -> None:
    (answer,) = settle(inpatient(stay_days=300, birth_weight_g=3_217, maternity_type=3))
    messages = {problem.field: problem.message for problem in answer.problems}
    assert messages["stay_days"].startswith("The days of the stay contradict its dates, which give 9 (received: 300). ")
    assert "3217" not in messages["birth_weight_g"]
    chinese = [problem.message_zh for problem in answer.problems]
    assert "字段相互矛盾：maternity_type、sex。请逐一核对；本次按所填内容结算。" in chinese


def test_ids_that_look_alike_are_refused() -> None:
    for person in ("P ", " P", "P\0", "P\n", "Ｐ"):
        (answer,) = settle(inpatient(person_id=person))
        assert [(one.code, one.field) for one in answer.problems] == [("ADJ-2006", "person_id")], repr(person)
        assert "received" not in answer.problems[0].message
    (answer,) = settle(inpatient(encounter_id="E1 "))
    assert "(received: 'E1 ')" in answer.problems[0].message
    assert "（收到：'E1 '）" in answer.problems[0].message_zh


@pytest.mark.parametrize("field", ["encounter_id", "department", "diagnoses[1]", "lines[2].line_id"])
def test_a_text_in_gbk_is_named(field: str) -> None:
    claim = inpatient()
    if field == "diagnoses[1]":
        claim.diagnoses.append("@@@@")
    elif field == "lines[2].line_id":
        claim.lines[2].line_id = "@@@@"
    else:
        setattr(claim, field, "@@@@")
    (answer,) = settle(claim.SerializeToString().replace(b"@@@@", "中文".encode("gbk")))
    (problem,) = answer.problems
    assert (problem.code, problem.field) == ("ADJ-1005", field)
    assert "GBK" in problem.message
    assert "GBK" in problem.message_zh


def test_a_settlement_in_the_future_is_refused_where_the_caller_has_a_clock() -> None:
    data = inpatient().SerializeToString()
    starts, ends = np.zeros(1, np.int64), np.array([len(data)])
    (problem,) = engine().prepare(data, starts, ends, latest=20240609).problems(0)
    assert problem == Problem(int(E.SETTLED_IN_FUTURE), "settlement_date", "20240609", value="20240610")
    assert not engine().prepare(data, starts, ends, latest=20240610).problems(0)
    assert not engine().prepare(data, starts, ends).problems(0)


def test_the_remedy_is_that_of_the_field() -> None:
    (answer,) = settle(inpatient(discharge_date=0))
    assert answer.problems[0].message.endswith("Send discharge_date, or set mid_stay for a settlement in mid-stay.")
    (answer,) = settle(inpatient(account_past_fen=-1))
    assert answer.problems[0].message_zh.endswith("请填写账户余额，单位为分，不得为负。")
