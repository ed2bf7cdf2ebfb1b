"""``adjudicator ledger export``: the cases of a ledger as files that the pooling commands read."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adjudicator.ledger.store import Ledger


def add_arguments(action: argparse.ArgumentParser) -> None:
    """Register the arguments of the export."""
    action.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files to write, .parquet or .csv")
    action.add_argument("--pack", required=True, help="rule pack: a name or a folder; it names the clearing funds")
    action.add_argument("--period", type=int, required=True, metavar="YYYY|YYYYMM",
                        help="from the first month of this period")  # fmt: skip
    action.add_argument("--until", type=int, default=0, metavar="YYYY|YYYYMM",
                        help="last period whose settlements are written, with their reversals whenever they came "
                        "(default: all there is, as `settle-month --from-ledger` reads it)")  # fmt: skip
    action.add_argument("--stays", type=Path, metavar="FILE", help="other dates or exemptions of some stays")


async def export(ledger: Ledger, arguments: argparse.Namespace) -> int:
    """Write the cases month by month. Errors: E.CANNOT_CLEAR for a period without cases or a file that is an input."""
    from adjudicator.errors import E, refuse
    from adjudicator.pooling.case_files import check_targets, writing
    from adjudicator.pooling.periods.context import check_period, last_day, load_context
    from adjudicator.pooling.periods.ledger_cases import Reading, cases_by_month, months_from, read_stays

    check_period(arguments.period)
    check_period(arguments.until or arguments.period)
    folder = [] if arguments.redis else [arguments.data]
    check_targets(arguments.files, [*folder, *([arguments.stays] if arguments.stays else [])])
    context = load_context(arguments.pack)
    pool = arguments.pool or context.pool
    reading = Reading(
        pool,
        tuple(await months_from(ledger, pool, arguments.period)),
        last_day(arguments.until) // 100 if arguments.until else 209912,
        read_stays(arguments.stays) if arguments.stays else {},
        context.payment.clearing_funds,
    )
    months = settled = reversed_ = 0
    with writing(arguments.files) as files:
        async for chunk in cases_by_month(ledger, reading):
            cases = chunk.now
            files.write(cases)
            months += 1
            settled += int((cases.rows["sign"] == 1).sum())
            reversed_ += int((cases.rows["sign"] == -1).sum())
        if not months:
            raise refuse(
                E.CANNOT_CLEAR, "period",
                f"the ledger has no case of pool {pool} from {arguments.period} on; check the period and the ledger",
                f"账本中统筹区 {pool} 自 {arguments.period} 起没有病例，请核对期间与账本",
            )  # fmt: skip
    if arguments.json:
        names = [str(path) for path in arguments.files]
        found = {"pool": pool, "files": names, "months": months, "settlements": settled, "reversals": reversed_}
        print(json.dumps(found, ensure_ascii=False))
    else:
        listed = ", ".join(map(str, arguments.files))
        print(f"{pool}: 导出 {months} 个月, 结算 {settled} 例, 冲销 {reversed_} 例 → {listed}")
    return 0
