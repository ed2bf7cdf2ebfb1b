"""The Group call: DRG grouping alone, for coders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adjudicator import limits
from adjudicator.claim.engine import Engine
from adjudicator.codes import GroupStatus
from adjudicator.columns import GROUP
from adjudicator.errors import E, Problem, refuse
from adjudicator.grouping import coding
from adjudicator.grouping.group import columns_from_records, describe, group, invalid_reason
from adjudicator.grouping.scheme.load import Scheme
from adjudicator.grouping.trace import trace_records
from adjudicator.service.calls import parse
from adjudicator.service.status import problem_message
from adjudicator.v1 import grouping_pb2


def group_batch(engine: Engine, message: bytes) -> bytes:
    """Group the records of a GroupBatch, with their failed coding checks, and their traces where asked for.

    A record with too many codes is refused on its own. Errors: UNKNOWN_GROUPING_SCHEME, EMPTY_BATCH, TOO_MANY_CLAIMS.
    """
    request = parse(grouping_pb2.GroupBatch, message)
    scheme = _scheme(engine, request.scheme)
    if not request.records:
        raise refuse(E.EMPTY_BATCH, "records")
    if len(request.records) > limits.MAX_CLAIMS_PER_BATCH:
        raise refuse(E.TOO_MANY_CLAIMS, "records", str(limits.MAX_CLAIMS_PER_BATCH))
    answer, good = grouping_pb2.GroupingBatch(), []
    for record in request.records:
        result = answer.results.add(id=record.id)
        result.grouping.scheme = scheme.name
        problem = _too_many_codes(record)
        if problem is None:
            good.append((record, result))
        else:
            result.grouping.status = GroupStatus.INVALID
            result.problems.append(problem_message(problem))
    if good:
        _group(engine, scheme, [record for record, _ in good], [result for _, result in good], request.trace)
    return answer.SerializeToString()


def _group(
    engine: Engine, scheme: Scheme, records: Sequence[grouping_pb2.GroupRecord],
    results: Sequence[grouping_pb2.GroupedRecord], trace: bool,
) -> None:  # fmt: skip
    """Fill the results of records that are in order."""
    columns, rows = columns_from_records(scheme, records), np.zeros(len(records), GROUP)
    group(scheme, columns, rows)
    for position, (row, result) in enumerate(zip(rows, results, strict=True)):
        result.grouping.status = int(row["status"])
        if row["status"] == GroupStatus.INVALID:
            problem = Problem(E.GROUPING_INVALID_RECORD, "", invalid_reason(columns, position))
            result.problems.append(problem_message(problem))
        result.grouping.mdc, result.grouping.adrg, result.grouping.drg = describe(scheme, row)
    if trace:
        for lines, result in zip(trace_records(scheme, columns, rows), results, strict=True):
            result.trace.extend(lines)
    rules = engine.bundle.coding.by_pack[0]
    texts = coding.texts_of([record.diagnoses for record in records], [record.procedures for record in records])
    findings = coding.check(rules, columns, texts)
    for finding, problem in zip(findings, coding.problems(rules, findings, columns, texts), strict=True):
        results[int(finding["record"])].problems.append(problem_message(problem))


def _scheme(engine: Engine, name: str) -> Scheme:
    schemes: Sequence[Scheme] = engine.bundle.schemes
    for scheme in schemes:
        if name in ("", scheme.name):
            return scheme
    raise refuse(E.UNKNOWN_GROUPING_SCHEME, "scheme")


def _too_many_codes(record: grouping_pb2.GroupRecord) -> Problem | None:
    for name, most in (("diagnoses", limits.MAX_DIAGNOSES_PER_CLAIM), ("procedures", limits.MAX_PROCEDURES_PER_CLAIM)):
        if len(getattr(record, name)) > most:
            return Problem(E.TOO_MANY_CODES, name, str(most))
    return None
