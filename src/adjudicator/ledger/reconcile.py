"""Reconciliation with a hospital (对账): its totals [3201] and its settlements [3202] against the journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from adjudicator import payers
from adjudicator.dates import is_date
from adjudicator.errors import E, refuse
from adjudicator.ledger import keys as names
from adjudicator.ledger.connection import Connection
from adjudicator.ledger.journal import Chunk, scan
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.names import parse_scheme
from adjudicator.ledger.record import Record
from adjudicator.payers import Fund
from adjudicator.v1 import pooling_pb2, settlement_pb2

FUNDS = tuple(payer.fund for payer in payers.FUNDS if payer.fund is not None)
"""The funds of fund_pay_sumamt (identity F1)."""

LineKey = tuple[str, int, int]
"""Encounter, sequence, direction."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a statement compares, fen."""

    total_fen: int
    fund_total_fen: int
    account_fen: int

    @classmethod
    def of(cls, record: Record) -> Amounts:
        """Those of a settlement or reversal."""
        return cls(record.amount(Fund.TOTAL_COST), record.amount(*FUNDS), record.amount(Fund.ACCOUNT))


async def history(
    connection: Connection, pool: str, institution: str, from_date: int, to_date: int, scheme: str = ""
) -> AsyncIterator[Record]:
    """Settlements and reversals of an institution, by date of settlement or reversal (YYYYMMDD, both days included)."""
    wanted = int(parse_scheme(scheme)) if scheme else 0
    months = await connection.persist(lambda: connection.client.smembers(names.months(pool)))
    for month in sorted(map(int, months)):
        if from_date // 100 <= month <= to_date // 100:
            async for chunk in scan(connection, pool, month):
                if chunk.unreadable:
                    raise chunk.refusal()
                for row in _rows(chunk, institution.encode(), from_date, to_date, wanted):
                    yield chunk.record(row)


def _rows(chunk: Chunk, institution: bytes, from_date: int, to_date: int, scheme: int) -> list[int]:
    """Rows that belong to the statement."""
    fits = (chunk.dates >= from_date) & (chunk.dates <= to_date)
    fits &= (chunk.kinds != Kind.POSTING) & (chunk.institutions == institution)
    if scheme:
        fits &= chunk.schemes == scheme
    return np.flatnonzero(fits).tolist()


async def reconcile(connection: Connection, statement: pooling_pb2.Statement) -> pooling_pb2.ReconcileResult:
    """Compare totals; with lines, name each settlement that differs, in the order of encounter, sequence, direction.

    Refunds count as settlements with negative money (section 7 of the national interface).
    Errors: E.UNKNOWN_SCHEME, E.INVALID_DATE, E.DATE_ORDER, E.LEDGER_CORRUPT, E.STORE_AWAY.
    """
    _check_statement(statement)
    ours: dict[LineKey, Amounts] = {}
    async for record in history(
        connection,
        statement.pool,
        statement.institution_code,
        statement.from_date,
        statement.to_date,
        statement.scheme,
    ):
        ours[record.encounter, record.sequence, int(record.kind)] = Amounts.of(record)
    result = pooling_pb2.ReconcileResult(
        total_fen=sum(amounts.total_fen for amounts in ours.values()),
        fund_total_fen=sum(amounts.fund_total_fen for amounts in ours.values()),
        account_fen=sum(amounts.account_fen for amounts in ours.values()),
        settlements=len(ours),
    )
    result.equal = all(
        getattr(result, name) == getattr(statement, name)
        for name in ("total_fen", "fund_total_fen", "account_fen", "settlements")
    )
    if statement.lines:
        result.differences.extend(_differences(list(statement.lines), ours))
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


def _differences(
    lines: list[pooling_pb2.StatementLine], ours: dict[LineKey, Amounts]
) -> list[pooling_pb2.StatementDifference]:
    kinds = pooling_pb2.StatementDifference
    left, found = dict(ours), []
    for line in lines:
        # A line that stands twice in the statement finds its settlement taken: the second one is theirs alone.
        amounts = left.pop((line.encounter_id, line.settlement_sequence, int(line.direction) or Kind.SETTLE), None)
        if amounts is None:
            found.append(kinds(kind=kinds.KIND_ONLY_STATEMENT, statement=line))
        elif amounts != Amounts(line.total_fen, line.fund_total_fen, line.account_fen):
            found.append(kinds(kind=kinds.KIND_AMOUNT, statement=line, ledger=_line(_key(line), amounts)))
    found += (kinds(kind=kinds.KIND_ONLY_LEDGER, ledger=_line(key, amounts)) for key, amounts in left.items())
    return sorted(found, key=lambda one: _key(one.statement if one.HasField("statement") else one.ledger))


def _key(line: pooling_pb2.StatementLine) -> LineKey:
    return line.encounter_id, line.settlement_sequence, int(line.direction) or int(Kind.SETTLE)


def _line(key: LineKey, amounts: Amounts) -> pooling_pb2.StatementLine:
    return pooling_pb2.StatementLine(
        encounter_id=key[0],
        settlement_sequence=key[1],
        direction=settlement_pb2.Direction.Name(key[2]),
        total_fen=amounts.total_fen,
        fund_total_fen=amounts.fund_total_fen,
        account_fen=amounts.account_fen,
    )
