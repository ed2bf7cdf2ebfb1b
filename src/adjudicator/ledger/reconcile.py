"""Reconciliation with a hospital (对账): its totals [3201] and its settlements [3202] against the journal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import numpy as np

from adjudicator.claim.keys import settlement_key
from adjudicator.dates import is_date
from adjudicator.errors import E, refuse
from adjudicator.ledger.connection import Connection
from adjudicator.ledger.journal import read_places, records_at
from adjudicator.ledger.layout import ZERO_DIGEST, Kind
from adjudicator.ledger.names import parse_scheme
from adjudicator.ledger.record import Record
from adjudicator.ledger.statements import Entries, settled_by
from adjudicator.limits import MAX_ID_BYTES
from adjudicator.v1 import pooling_pb2, settlement_pb2

LineKey = tuple[str, int, int]
"""Encounter, sequence, direction."""


async def history(
    connection: Connection, pool: str, institution: str, from_date: int, to_date: int, scheme: str = ""
) -> AsyncIterator[Record]:
    """Settlements and reversals of an institution, by month and position (days YYYYMMDD, both included)."""
    entries = await _settled(connection, pool, institution, (from_date, to_date), scheme)
    async for record in records_at(connection, pool, entries.dates // 100, entries.positions):
        yield record


async def _settled(connection: Connection, pool: str, institution: str, days: tuple[int, int], scheme: str) -> Entries:
    wanted = int(parse_scheme(scheme)) if scheme else 0
    entries = await settled_by(connection, pool, institution, *days)
    return entries.take(entries.schemes == wanted) if wanted else entries


async def reconcile(connection: Connection, statement: pooling_pb2.Statement) -> pooling_pb2.ReconcileResult:
    """Compare totals; with lines, name each settlement that differs, in the order of encounter, sequence, direction.

    Refunds count as settlements with negative money (section 7 of the national interface). Nothing of the journal is
    read but the settlements that the statement lacks.
    Errors: E.UNKNOWN_SCHEME, E.INVALID_DATE, E.DATE_ORDER, E.LEDGER_CORRUPT, E.STORE_AWAY.
    """
    _check_statement(statement)
    days = (statement.from_date, statement.to_date)
    ours = await _settled(connection, statement.pool, statement.institution_code, days, statement.scheme)
    sums = ours.amounts.astype(object).sum(axis=0).tolist() if len(ours.positions) else [0, 0, 0]
    result = pooling_pb2.ReconcileResult(
        total_fen=sums[0], fund_total_fen=sums[1], account_fen=sums[2], settlements=len(ours.positions)
    )
    result.equal = all(
        getattr(result, name) == getattr(statement, name)
        for name in ("total_fen", "fund_total_fen", "account_fen", "settlements")
    )
    if statement.lines:
        result.differences.extend(await _differences(connection, statement, ours))
        result.equal = result.equal and not result.differences
    return result


def _check_statement(statement: pooling_pb2.Statement) -> None:
    if statement.scheme:
        parse_scheme(statement.scheme)
    for name in ("from_date", "to_date"):
        date = getattr(statement, name)
        if not (19_000_101 <= date <= 29_991_231 and is_date(date)):
            raise refuse(E.INVALID_DATE, name)
    if statement.from_date > statement.to_date:
        raise refuse(E.DATE_ORDER, "to_date")


async def _differences(
    connection: Connection, statement: pooling_pb2.Statement, ours: Entries
) -> list[pooling_pb2.StatementDifference]:
    kinds, found = pooling_pb2.StatementDifference, []
    left = dict(zip(ours.positions.tolist(), zip(ours.dates.tolist(), ours.amounts.tolist(), strict=True), strict=True))
    places = await _places(connection, statement)
    for line, position in zip(statement.lines, places, strict=True):
        # A line that stands twice in the statement finds its settlement taken: the second one is theirs alone.
        _, amounts = left.pop(position, (0, None))
        if amounts is None:
            found.append(kinds(kind=kinds.KIND_ONLY_STATEMENT, statement=line))
        elif amounts != [line.total_fen, line.fund_total_fen, line.account_fen]:
            found.append(kinds(kind=kinds.KIND_AMOUNT, statement=line, ledger=_line(_key(line), amounts)))
    months, positions = (np.array(column, np.int64) for column in ([date // 100 for date, _ in left.values()], [*left]))
    async for record in records_at(connection, statement.pool, months, positions):
        key = (record.encounter, record.sequence, int(record.kind))
        found.append(kinds(kind=kinds.KIND_ONLY_LEDGER, ledger=_line(key, left[record.position][1])))
    return sorted(found, key=lambda one: _key(one.statement if one.HasField("statement") else one.ledger))


async def _places(connection: Connection, statement: pooling_pb2.Statement) -> list[int]:
    """Return the position in the journal of each line of a statement, 0 where there is none."""
    keys = b"".join(_settlement_key(statement.institution_code, *_key(line)) for line in statement.lines)
    stored = await read_places(connection, statement.pool, keys)
    return [int(place.partition(b"-")[2] or 0) for place in stored]


def _settlement_key(institution: str, encounter: str, sequence: int, direction: int) -> bytes:
    """Return the key of a settlement; zeros, which name none, where the ledger has no such names."""
    if max(len(institution.encode()), len(encounter.encode())) > MAX_ID_BYTES or direction not in tuple(Kind)[:2]:
        return ZERO_DIGEST
    return settlement_key(institution, encounter, sequence, direction)


def _key(line: pooling_pb2.StatementLine) -> LineKey:
    return line.encounter_id, line.settlement_sequence, int(line.direction) or int(Kind.SETTLE)


def _line(key: LineKey, amounts: Sequence[int]) -> pooling_pb2.StatementLine:
    return pooling_pb2.StatementLine(
        encounter_id=key[0],
        settlement_sequence=key[1],
        direction=settlement_pb2.Direction.Name(key[2]),
        total_fen=amounts[0],
        fund_total_fen=amounts[1],
        account_fen=amounts[2],
    )
