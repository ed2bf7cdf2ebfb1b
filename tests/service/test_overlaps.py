"""The ledger knows the days of a person's stays and visits; what overlaps is told, or refused by the pack."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import grpc
import pytest

from adjudicator.rules.load import PACKS
from adjudicator.service.process import ServiceProcess
from adjudicator.v1 import claim_pb2, settlement_pb2

from .claims import claim, key_of
from .conftest import connect

HERE, ELSEWHERE = "H33010200001", "H33010600001"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Stubs of a service whose pack refuses overlapping stays and visits in stays, and allows the same stay twice."""
    folder = tmp_path_factory.mktemp("overlaps")
    shutil.copytree(PACKS, folder / "packs")
    text = (folder / "packs" / "hangzhou" / "pack.toml").read_text(encoding="utf-8")
    assert text.count("[options]\n") == 1
    choices = 'same_stay = "allow"\noverlapping_stays = "refuse"\nvisit_in_stay = "refuse"\n'
    (folder / "packs" / "hangzhou" / "pack.toml").write_text(text.replace("[options]\n", "[options]\n" + choices))
    options = ("--pack", str(folder / "packs" / "hangzhou"), "--listen", "127.0.0.1:0", "--data", str(folder / "data"))
    with ServiceProcess(*options, log=folder / "log") as process:
        process.wait_until_serving()
        stubs = connect(process.address)
        yield stubs
        stubs.channel.close()


def stay(first: int, last: int, hospital: str = HERE, **fields: object) -> claim_pb2.Claim:
    message = claim(300_000, admission_date=first, discharge_date=last, settlement_date=last, **fields)
    message.institution_code, message.lines[0].fee_date = hospital, first
    return message


def visit(day: int, hospital: str = ELSEWHERE, **fields: object) -> claim_pb2.Claim:
    message = claim(30_000, admission_date=day, settlement_date=day, discharge_date=0, care_type="11", **fields)
    message.institution_code, message.lines[0].fee_date = hospital, day
    return message


def told(stubs: SimpleNamespace, message: claim_pb2.Claim) -> list[str]:
    """Settle the claim; the codes of the warnings."""
    answer = stubs.adjudication.Settle(message)
    assert answer.outcome == settlement_pb2.OUTCOME_SETTLED
    return [problem.code for problem in answer.problems]


def test_the_same_stay_under_another_encounter_id_is_told_with_its_days(stubs) -> None:
    first = stay(20250311, 20250314)
    assert told(stubs, first) == []
    again = stay(20250311, 20250314, person_id=first.person_id)
    assert [one.code for one in stubs.adjudication.PreSettle(again).problems] == ["ADJ-9018"]
    (problem,) = stubs.adjudication.Settle(again).problems
    assert (problem.code, problem.field, problem.warning) == ("ADJ-9018", "encounter_id", True)
    assert "2025-03-11 to 2025-03-14" in problem.message and "2025-03-11 至 2025-03-14" in problem.message_zh


def test_stays_of_two_hospitals_at_one_time_are_told_without_saying_where(stubs) -> None:
    first = stay(20250311, 20250320)
    told(stubs, first)
    (problem,) = stubs.adjudication.Settle(stay(20250318, 20250325, ELSEWHERE, person_id=first.person_id)).problems
    assert (problem.code, problem.warning) == ("ADJ-9019", True)
    for secret in (HERE, first.encounter_id, "2025-03"):
        assert secret not in problem.message + problem.message_zh


def test_a_visit_within_a_stay_is_told_whichever_is_settled_first(stubs) -> None:
    first = stay(20250311, 20250320)
    person = first.person_id
    assert told(stubs, visit(20250317, person_id=person)) == []
    assert told(stubs, first) == ["ADJ-9020"]
    assert told(stubs, visit(20250315, person_id=person)) == ["ADJ-9020"]
    for day in (20250311, 20250320):  # on the day of admission and of discharge it is in order
        assert told(stubs, visit(day, person_id=person)) == []


def test_a_transfer_on_one_day_and_a_later_stay_are_in_order(stubs) -> None:
    first = stay(20250311, 20250314)
    assert told(stubs, first) == []
    assert told(stubs, stay(20250314, 20250318, ELSEWHERE, person_id=first.person_id)) == []
    assert told(stubs, stay(20250318, 20250320, person_id=first.person_id)) == []
    assert told(stubs, stay(20250311, 20250314)) == []  # somebody else


def test_another_scheme_and_the_turn_of_the_year_hide_nothing(stubs) -> None:
    first = stay(20250311, 20250320)
    told(stubs, first)
    employee = stay(20250312, 20250316, ELSEWHERE, person_id=first.person_id, scheme="310", person_type="11")
    assert told(stubs, employee) == ["ADJ-9019"]
    over_new_year = stay(20241228, 20250105)
    visited = visit(20241230, person_id=over_new_year.person_id)
    told(stubs, visited)
    assert told(stubs, over_new_year) == ["ADJ-9020"]
    late = visit(20241231, person_id=over_new_year.person_id)  # of the old year, brought in the new one
    late.settlement_date = 20250201
    assert told(stubs, late) == ["ADJ-9020"]


def test_a_stay_that_was_taken_back_takes_no_days(stubs) -> None:
    first = stay(20250311, 20250314)
    told(stubs, first)
    request = settlement_pb2.ReverseRequest(settlement=key_of(first), person_id=first.person_id)
    stubs.adjudication.Reverse(request)
    first.settlement_sequence = 2
    assert told(stubs, first) == []
    assert told(stubs, stay(20250311, 20250314, person_id=first.person_id)) == ["ADJ-9018"]


def test_the_parts_of_one_stay_do_not_overlap(stubs) -> None:
    first = stay(20250311, 20250314, mid_stay=True)
    first.discharge_date = 0
    assert told(stubs, first) == []
    second = stay(20250311, 20250320, person_id=first.person_id, encounter_id=first.encounter_id)
    second.settlement_sequence, second.lines[0].line_id = 2, "2"
    assert told(stubs, second) == []


def test_claims_of_one_batch_see_each_other(stubs) -> None:
    first = stay(20250311, 20250314)
    others = [stay(20250311, 20250314, person_id=first.person_id), visit(20250312, person_id=first.person_id)]
    batch = claim_pb2.ClaimBatch(claims=[first, *others, stay(20250311, 20250314)])
    answers = stubs.adjudication.SettleBatch(batch).settlements
    assert [[one.code for one in answer.problems] for answer in answers] == [[], ["ADJ-9018"], ["ADJ-9020"], []]


def test_a_pack_that_refuses_pays_one_of_two_and_one_that_allows_says_nothing(strict) -> None:
    first = stay(20250311, 20250320)
    person = first.person_id
    assert told(strict, first) == []
    assert told(strict, stay(20250311, 20250320, person_id=person)) == []  # same_stay = "allow"
    for message, code in (
        (stay(20250318, 20250325, ELSEWHERE, person_id=person), "ADJ-9019"),
        (visit(20250315, person_id=person), "ADJ-9020"),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            strict.adjudication.Settle(message)
        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert refused.value.details().startswith(code)
    visited = stay(20250311, 20250320)
    told(strict, visit(20250315, person_id=visited.person_id))
    assert told(strict, visited) == ["ADJ-9020"]  # its hospital can do nothing about the visit


def test_of_two_hospitals_at_the_same_instant_one_is_paid_whatever_the_scheme(strict) -> None:
    def settle(message: claim_pb2.Claim) -> str:
        try:
            strict.adjudication.Settle(message)
        except grpc.RpcError as error:
            return error.details().split()[0]
        return ""

    for _ in range(12):
        one = stay(20250311, 20250320)
        other = stay(20250312, 20250316, ELSEWHERE, person_id=one.person_id, scheme="310", person_type="11")
        with ThreadPoolExecutor(2) as threads:
            assert sorted(threads.map(settle, (one, other))) == ["", "ADJ-9019"]
