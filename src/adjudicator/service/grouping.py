"""The Group call: DRG grouping alone, for coders."""

from __future__ import annotations

import numpy as np

from adjudicator import limits
from adjudicator.codes import GroupStatus
from adjudicator.columns import GROUP
from adjudicator.engine.adjudicate import Engine
from adjudicator.engine.grouping import columns_from_records, describe, group
from adjudicator.errors import E, Problem, refuse
from adjudicator.rules.scheme import Scheme
from adjudicator.service.calls import parse
from adjudicator.service.status import problem_message
from adjudicator.v1 import grouping_pb2


def group_batch(engine: Engine, message: bytes) -> bytes:
    """Groups the records of a GroupBatch; a record with too many codes is refused on its own.

    Errors: UNKNOWN_GROUPING_SCHEME, EMPTY_BATCH, TOO_MANY_CLAIMS.
    """
    request = parse(grouping_pb2.GroupBatch, message)
    scheme = _scheme(engine, request.scheme)
    if not request.records:
        raise refuse(E.EMPTY_BATCH, "records")
    if len(request.records) > limits.MAX_CLAIMS_PER_BATCH:
        raise refuse(E.TOO_MANY_CLAIMS, "records", str(limits.MAX_CLAIMS_PER_BATCH))
    problems = [_too_many_codes(record) for record in request.records]
    good = [record for record, problem in zip(request.records, problems, strict=True) if problem is None]
    rows = np.zeros(len(good), GROUP)
    if good:
        group(scheme, columns_from_records(scheme, good), rows)
    answer, grouped = grouping_pb2.GroupingBatch(), iter(rows)
    for record, problem in zip(request.records, problems, strict=True):
        result = answer.results.add(id=record.id)
        result.grouping.scheme = scheme.name
        if problem is not None:
            result.grouping.status = GroupStatus.INVALID
            result.problems.append(problem_message(problem))
            continue
        row = next(grouped)
        result.grouping.status = int(row["status"])
        result.grouping.mdc, result.grouping.adrg, result.grouping.drg = describe(scheme, row)
    return answer.SerializeToString()


def _scheme(engine: Engine, name: str) -> Scheme:
    for scheme in engine.bundle.schemes:
        if name in ("", scheme.name):
            return scheme
    raise refuse(E.UNKNOWN_GROUPING_SCHEME, "scheme")


def _too_many_codes(record: grouping_pb2.GroupRecord) -> Problem | None:
    for name, most in (("diagnoses", limits.MAX_DIAGNOSES_PER_CLAIM), ("procedures", limits.MAX_PROCEDURES_PER_CLAIM)):
        if len(getattr(record, name)) > most:
            return Problem(E.TOO_MANY_CODES, name, str(most))
    return None
