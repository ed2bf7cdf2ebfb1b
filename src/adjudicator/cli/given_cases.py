"""Where a command takes past cases from: files, or the journal of a ledger."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from adjudicator.cli import settle_month
from adjudicator.cli.addresses import store_url

if TYPE_CHECKING:
    from adjudicator.pooling.cases import Cases
    from adjudicator.pooling.periods.context import PoolContext


def add_cases(action: argparse.ArgumentParser, pack: str) -> None:
    """Register where the cases come from."""
    action.add_argument("--pack", required=True, help=pack)
    where = action.add_mutually_exclusive_group(required=True)
    where.add_argument("--cases", type=Path, action="append", metavar="FILE", help="cases, CSV or Parquet; repeatable")
    where.add_argument("--from-ledger", action="store_true", help="take the cases from the ledger's journal")
    action.add_argument("--redis", metavar="URL", type=store_url, help="ledger store")
    action.add_argument("--data", type=Path, metavar="DIR", help="folder of a service's own store")
    action.set_defaults(post=False, close=False)


async def cases_given(arguments: argparse.Namespace, context: PoolContext, periods: list[int]) -> Cases:
    """Return the cases that stand, of files or of the ledger's months from the first period on."""
    from adjudicator.errors import E, refuse
    from adjudicator.pooling.cases import join, net, read_cases
    from adjudicator.pooling.periods.context import check_period, first_month
    from adjudicator.pooling.periods.ledger_cases import cases_of, months_from

    for period in periods:
        check_period(period)
    if not arguments.from_ledger:
        return net(join([read_cases(path) for path in arguments.cases]))
    async with settle_month.ledger_of(arguments) as ledger:
        if ledger is None:
            raise refuse(
                E.CANNOT_CLEAR, "from_ledger", "--from-ledger needs a ledger: give --redis or --data",
                "--from-ledger 需要账本：请加 --redis 或 --data",
            )  # fmt: skip
        if not periods:
            raise refuse(
                E.CANNOT_CLEAR, "period", "--from-ledger needs the periods whose cases count: give --period",
                "--from-ledger 需要期间：请用 --period 给出",
            )  # fmt: skip
        months = await months_from(ledger, context.pool, min(map(first_month, periods)))
        read = await cases_of(ledger, context.pool, months, None, context.payment.clearing_funds)
        return net(read.now)
