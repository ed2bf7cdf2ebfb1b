"""From the error table to the wire: ``google.rpc.Status`` with every detail a caller can act on.

A refused unary call ends with the gRPC status of its first problem (the table is in order of precedence) and carries
*all* problems: ``BadRequest`` names the fields, ``ErrorInfo`` the stable code, ``RetryInfo`` when to come back,
``LocalizedMessage`` the Chinese text. In a batch the same problems travel in the refused claim's own answer.
"""

from __future__ import annotations

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from adjudicator.errors import AdjudicatorError, E, Problem
from adjudicator.v1 import claim_pb2, settlement_pb2

DOMAIN = "adjudicator"
DETAILS_KEY = "grpc-status-details-bin"
MAX_DETAIL_BYTES = 4096
"""Trailers share 8 kB with everything else a proxy adds; problems beyond this are counted, not sent."""

RETRY_DELAY_MILLISECONDS: dict[int, int] = {
    E.STORE_AWAY: 500,
    E.STORE_FULL: 5000,
    E.OVERLOADED: 100,
    E.CONFLICT: 20,
    E.NOT_READY: 1000,
    E.SHUTTING_DOWN: 100,
    E.AUDIT_UNWRITABLE: 5000,
}
"""Problems that go away by themselves, and when to send the same message again."""

SERVICE_PROBLEMS = frozenset(
    {*RETRY_DELAY_MILLISECONDS, E.DEADLINE, E.STORE_NOT_DURABLE, E.STORE_EVICTS, E.STORE_LACKS, E.INTERNAL}
)
"""Problems of this service, not of the claim: when every claim of a batch has one, the call itself fails."""

METADATA_KEYS: dict[int, str] = {
    E.KEY_REUSED: "different_field",
    E.NOT_LATEST_SETTLEMENT: "reverse_first",
    E.MESSAGE_TOO_LARGE: "limit_bytes",
    E.ALREADY_REVERSED: "reversal_date",
}
"""Name under which the detail of a problem travels in ``ErrorInfo.metadata``; ``detail`` for all others."""


def status_code(error: AdjudicatorError) -> grpc.StatusCode:
    """gRPC status of the first problem.

    >>> from adjudicator.errors import refuse
    >>> status_code(refuse(E.STORE_AWAY)).name
    'UNAVAILABLE'
    """
    return grpc.StatusCode[error.problems[0].row.status]


def is_of_service(error: AdjudicatorError) -> bool:
    """Return whether the claim itself may be in order, so that the same message can be sent again.

    >>> from adjudicator.errors import refuse
    >>> is_of_service(refuse(E.NO_LINES))
    False
    """
    return error.problems[0].number in SERVICE_PROBLEMS


def rich_status(error: AdjudicatorError) -> status_pb2.Status:
    """All problems of a refusal as ``google.rpc.Status``; the code is that of the first.

    >>> from adjudicator.errors import refuse
    >>> rich_status(refuse(E.NO_LINES, "lines")).message
    'ADJ-3007 The claim has no fee lines. Send the fee lines.'
    """
    first = error.problems[0]
    status = status_pb2.Status(code=status_code(error).value[0], message=f"{first.row.code} {first.message}")
    _attach(status, _error_info(first, len(error.problems)))
    _attach(status, error_details_pb2.LocalizedMessage(locale="zh-CN", message=f"{first.row.code} {first.message_zh}"))
    if delay := RETRY_DELAY_MILLISECONDS.get(first.number):
        pause = duration_pb2.Duration(seconds=delay // 1000, nanos=delay % 1000 * 1_000_000)
        _attach(status, error_details_pb2.RetryInfo(retry_delay=pause))
    violations = _violations(error.problems, MAX_DETAIL_BYTES - status.ByteSize())
    if violations.field_violations:
        _attach(status, violations)
    return status


async def abort(context: grpc.aio.ServicerContext, error: AdjudicatorError) -> None:
    """End a call with the refusal; raise, as ``context.abort`` does."""
    status = rich_status(error)
    await context.abort(status_code(error), status.message, ((DETAILS_KEY, status.SerializeToString()),))


def problem_message(problem: Problem) -> settlement_pb2.Problem:
    """One problem as it stands in an answer."""
    return settlement_pb2.Problem(
        code=problem.row.code,
        field=problem.field,
        message=problem.message,
        message_zh=problem.message_zh,
        warning=problem.warning,
    )


def reversed_notice(reversal_date: int) -> bytes:
    """Return what follows the answer of a settlement on the wire when it has been reversed since: one more problem.

    >>> settlement_pb2.Settlement.FromString(reversed_notice(20240531)).problems[0].code
    'ADJ-9004'
    """
    warning = Problem(E.ALREADY_REVERSED, "", str(reversal_date), warning=True)
    return settlement_pb2.Settlement(problems=[problem_message(warning)]).SerializeToString()


def refused_settlement(claim: bytes | memoryview, error: AdjudicatorError) -> bytes:
    """Answer to one refused claim of a batch: its identity, where it can be read, and its problems.

    >>> from adjudicator.errors import refuse
    >>> claim = claim_pb2.Claim(encounter_id="E1", settlement_sequence=1)
    >>> answer = settlement_pb2.Settlement.FromString(
    ...     refused_settlement(claim.SerializeToString(), refuse(E.NO_LINES, "lines")))
    >>> answer.encounter_id, answer.outcome == settlement_pb2.OUTCOME_REFUSED, answer.problems[0].code
    ('E1', True, 'ADJ-3007')
    """
    answer = settlement_pb2.Settlement(outcome=settlement_pb2.OUTCOME_REFUSED)
    try:
        asked = claim_pb2.Claim.FromString(bytes(claim))
    except Exception:  # the protobuf library has one exception class per implementation; the bytes are no claim
        asked = claim_pb2.Claim()
    answer.institution_code = asked.institution_code
    answer.encounter_id = asked.encounter_id
    answer.settlement_sequence = asked.settlement_sequence
    answer.direction = settlement_pb2.DIRECTION_SETTLE
    answer.problems.extend(problem_message(problem) for problem in error.problems)
    return answer.SerializeToString()


def _error_info(first: Problem, count: int) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo(reason=first.row.code, domain=DOMAIN)
    info.metadata["problems"] = str(count)
    if first.field:
        info.metadata["field"] = first.field
    if first.detail:
        info.metadata[METADATA_KEYS.get(first.number, "detail")] = first.detail
    return info


def _violations(problems: tuple[Problem, ...], room_bytes: int) -> error_details_pb2.BadRequest:
    """Field violations of as many problems as there is room for."""
    bad_request = error_details_pb2.BadRequest()
    for problem in problems:
        if not problem.field:
            continue
        violation = bad_request.field_violations.add(
            field=problem.field, description=problem.message, reason=problem.row.code.replace("-", "_")
        )
        violation.localized_message.locale = "zh-CN"
        violation.localized_message.message = problem.message_zh
        if bad_request.ByteSize() > room_bytes:
            del bad_request.field_violations[-1]
            break
    return bad_request


def _attach(status: status_pb2.Status, detail: Message) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)
