"""Refusals on the wire: every row of the error table, with the details a caller can act on."""

import grpc
import pytest
from google.rpc import error_details_pb2

from adjudicator.errors import TABLE, AdjudicatorError, E, Problem, refuse
from adjudicator.service.status import MAX_DETAIL_BYTES, rich_status
from adjudicator.v1 import settlement_pb2


def detail_of(status, kind):
    """The detail of one kind, or None."""
    for packed in status.details:
        if packed.Is(kind.DESCRIPTOR):
            return kind.FromString(packed.value)
    return None


@pytest.mark.parametrize("number", sorted(TABLE))
def test_every_row_of_the_table_has_a_status_with_its_code_and_a_chinese_text(number):
    status = rich_status(AdjudicatorError(Problem(number, detail="330100")))
    row = TABLE[number]
    assert status.code == grpc.StatusCode[row.status].value[0]
    info = detail_of(status, error_details_pb2.ErrorInfo)
    assert (info.reason, info.domain) == (row.code, "adjudicator")
    chinese = detail_of(status, error_details_pb2.LocalizedMessage)
    assert chinese.locale == "zh-CN"
    assert chinese.message.startswith(row.code)


@pytest.mark.parametrize("number", [n for n in sorted(TABLE) if TABLE[n].status in ("UNAVAILABLE", "ABORTED")])
def test_what_goes_away_by_itself_says_when_to_come_back(number):
    delay = detail_of(rich_status(refuse(number)), error_details_pb2.RetryInfo).retry_delay
    assert delay.seconds + delay.nanos / 1e9 > 0


def test_what_does_not_go_away_names_no_delay():
    for number in (E.NO_LINES, E.KEY_REUSED, E.MESSAGE_TOO_LARGE, E.UNKNOWN_AREA):
        assert detail_of(rich_status(refuse(number)), error_details_pb2.RetryInfo) is None


def test_every_field_that_is_wrong_is_named_and_the_first_of_the_table_decides():
    error = AdjudicatorError(
        Problem(E.UNKNOWN_ITEM, "lines[3].item_code"), Problem(E.UNKNOWN_AREA, "insured_area"), Problem(E.CONFLICT)
    )
    status = rich_status(error)
    assert status.message.startswith("ADJ-2010")
    violations = detail_of(status, error_details_pb2.BadRequest).field_violations
    assert [(violation.field, violation.reason) for violation in violations] == [
        ("insured_area", "ADJ_2010"),
        ("lines[3].item_code", "ADJ_4003"),
    ]


def test_a_claim_with_thousands_of_faults_still_fits_into_the_trailers():
    error = AdjudicatorError(*(Problem(E.UNKNOWN_ITEM, f"lines[{line}].item_code") for line in range(10_000)))
    status = rich_status(error)
    assert status.ByteSize() < MAX_DETAIL_BYTES + 500
    assert detail_of(status, error_details_pb2.BadRequest).field_violations
    assert detail_of(status, error_details_pb2.ErrorInfo).metadata["problems"] == "10000"


def test_a_reused_key_names_the_field_that_differs():
    status = rich_status(refuse(E.KEY_REUSED, detail="total_fen"))
    assert status.code == grpc.StatusCode.ALREADY_EXISTS.value[0]
    assert detail_of(status, error_details_pb2.ErrorInfo).metadata["different_field"] == "total_fen"


def test_outcome_of_a_refused_claim_in_a_batch():
    from adjudicator.service.status import refused_settlement

    answer = settlement_pb2.Settlement.FromString(refused_settlement(b"\xff\xff\xff", refuse(E.MALFORMED_MESSAGE)))
    assert answer.outcome == settlement_pb2.OUTCOME_REFUSED
    assert [problem.code for problem in answer.problems] == ["ADJ-1001"]
