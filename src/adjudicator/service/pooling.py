"""The PoolingLedger service: what each county's fund owes, for fund managers of city and counties."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc

from adjudicator.codes import SCHEME_CODES
from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.ledger.totals import Totals
from adjudicator.service.application import Application
from adjudicator.service.calls import Context, parse, server_stream, unary
from adjudicator.v1 import pooling_pb2

SERVICE_NAME = "adjudicator.v1.PoolingLedger"


class PoolingCalls:
    """Handlers of all calls of the service."""

    def __init__(self, application: Application):
        self.application = application

    def handlers(self) -> grpc.GenericRpcHandler:
        """Return the table of calls for the gRPC server."""
        shared = (self.application.metrics, self.application.door)
        table = {
            "GetCountyTotals": unary("GetCountyTotals", self.totals, *shared),
            "WatchCountyTotals": server_stream("WatchCountyTotals", self.watch, *shared),
            "Reconcile": unary("Reconcile", self.reconcile, *shared),
        }
        return grpc.method_handlers_generic_handler(SERVICE_NAME, table)

    async def totals(self, message: bytes, _context: Context) -> bytes:
        """Totals now."""
        query = self._query(message)
        ledger = self.application.store.ledger()
        return totals_message(await ledger.totals(query.pool, query.county, query.month, query.scheme))

    async def watch(self, message: bytes, _context: Context) -> AsyncIterator[bytes]:
        """Totals now and after each change, until the caller or the service ends."""
        query = self._query(message)
        changes = self.application.store.ledger().watch(query.pool, query.county, query.month, query.scheme)
        async for totals in self.application.until_stop(changes):
            yield totals_message(totals)

    async def reconcile(self, message: bytes, _context: Context) -> bytes:
        """Return a hospital's statement against the ledger."""
        statement = parse(pooling_pb2.Statement, message)
        self._check_pool(statement.pool)
        if not statement.institution_code:
            raise refuse(E.MISSING_INSTITUTION, "institution_code")
        return (await self.application.store.ledger().reconcile(statement)).SerializeToString()

    def _query(self, message: bytes) -> pooling_pb2.TotalsQuery:
        query = parse(pooling_pb2.TotalsQuery, message)
        self._check_pool(query.pool)
        problems = []
        if query.county and not self._is_county(query.pool, query.county):
            problems.append(Problem(E.UNKNOWN_AREA, "county"))
        if query.month and not (1990_01 <= query.month <= 2099_12 and 1 <= query.month % 100 <= 12):
            problems.append(Problem(E.INVALID_DATE, "month"))
        if query.scheme and query.scheme not in SCHEME_CODES:
            problems.append(Problem(E.UNKNOWN_SCHEME, "scheme"))
        if problems:
            raise AdjudicatorError(*problems)
        return query

    def _check_pool(self, pool: str) -> None:
        packs = self.application.engines().settling.bundle.packs
        if pool not in {f"{int(pack.pool):06d}" for pack in packs}:
            raise refuse(E.UNKNOWN_POOL, "pool")

    def _is_county(self, pool: str, county: str) -> bool:
        packs = self.application.engines().settling.bundle.packs
        areas = next(pack.areas for pack in packs if f"{int(pack.pool):06d}" == pool)
        return county in {f"{area.code:06d}" for area in areas}


def totals_message(totals: Totals) -> bytes:
    """Totals on the wire."""
    answer = pooling_pb2.CountyTotals(pool=totals.pool, version=totals.version)
    for row in totals.rows:
        answer.rows.add(
            county=row.county, month=row.month, scheme=row.scheme_code, fund=row.fund_code, amount_fen=row.amount_fen
        )
    return answer.SerializeToString()
