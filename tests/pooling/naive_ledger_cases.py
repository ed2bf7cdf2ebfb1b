"""The slow twin of ``pooling.ledger_columns``: each record taken apart, its answer read by the protobuf library."""

from __future__ import annotations

from typing import Any

from adjudicator.claim.basis import read_basis
from adjudicator.codes import SCHEME_NATIONAL, Scheme
from adjudicator.ledger import journal
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.record import Record
from adjudicator.ledger.store import Ledger
from adjudicator.payment.funds import CLEARING_FUNDS
from adjudicator.v1 import settlement_pb2


async def lines(ledger: Ledger, pool: str, month: int, clearing_funds: tuple[str, ...]) -> list[dict[str, Any]]:
    """The records of a month as lines of a case file, in the order of the journal."""
    found = []
    async for chunk in journal.scan(ledger.connection, pool, month):
        records = [chunk.record(row) for row in range(len(chunk))]
        kinds = (Kind.SETTLE, Kind.RESETTLE, Kind.REVERSE)
        found += [line(record, month, clearing_funds) for record in records if record.kind in kinds]
    return found


def line(record: Record, month: int, clearing_funds: tuple[str, ...]) -> dict[str, Any]:
    answer = settlement_pb2.Settlement.FromString(record.answer)
    sign = -1 if record.kind == Kind.REVERSE else 1
    kept, paid = read_basis(record.basis), answer.payment
    if paid.method:
        by_item = paid.due_fen - paid.difference_fen
    else:
        by_item = sum(getattr(answer, CLEARING_FUNDS[word].field) for word in clearing_funds)
    why = [problem.code for problem in answer.problems if problem.field == "payment"]
    return {
        "case": record.name, "hospital": record.institution, "county": f"{record.county:06d}",
        "scheme": SCHEME_NATIONAL.get(Scheme(record.scheme), str(record.scheme)), "group": answer.grouping.drg,
        "method": paid.method, "month": month,
        "admission_date": 0 if kept is None else kept.facts.admission_date,
        "discharge_date": 0 if kept is None else kept.facts.discharge_date,
        "person": int.from_bytes(record.person[:8], "little"), "exempt": 0, "sign": sign,
        "points_e8": abs(paid.points_e8), "total_fen": sign * answer.total_fen,
        "patient_fen": sign * answer.personal_total_fen, "others_fen": sign * (answer.fund_total_fen - by_item),
        "fund_fen": sign * by_item, "due_fen": sign * paid.due_fen,
        "diagnosis": "" if kept is None else kept.principal_diagnosis,
        "reason": "" if paid.method or not why else why[0],
    }  # fmt: skip
