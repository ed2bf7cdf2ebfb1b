"""``adjudicator ledger resettle``: stored settlements priced again, the differences shown, and posted if asked to."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from adjudicator.cli.ledger_acts import add_by, who
from adjudicator.money import fen_to_yuan

if TYPE_CHECKING:
    from adjudicator.ledger.store import Ledger
    from adjudicator.pooling.periods.context import PoolContext
    from adjudicator.pooling.periods.resettle import Sum
    from adjudicator.pooling.periods.resettle_cases import Rules


def add_arguments(action: argparse.ArgumentParser) -> None:
    """Arguments of ``ledger resettle``."""
    action.add_argument("--pack", required=True, help="rule pack with the rules that hold now: a name or a folder")
    action.add_argument("--period", type=int, required=True, metavar="YYYY[MM]", help="year or month of settlement")
    action.add_argument("--hospital", default="", metavar="CODE", help="only settlements of this institution")
    action.add_argument("--unpriced", action="store_true", help="only settlements without a price")
    action.add_argument("--post", action="store_true",
                        help="write the differences; without it they are shown")  # fmt: skip
    add_by(action)


async def resettle(ledger: Ledger, arguments: argparse.Namespace) -> int:
    """Price settlements again. Return 1 where some cannot be; these are counted by hospital and county."""
    from adjudicator.pooling.periods.context import check_period, first_month, last_day
    from adjudicator.pooling.periods.ledger_cases import months_from
    from adjudicator.pooling.periods.resettle import Wanted, post, price_again, standing_settlements, sums_of
    from adjudicator.pooling.periods.resettle_cases import load_rules

    check_period(arguments.period)
    rules = load_rules(arguments.pack)
    context = rules.context
    last = last_day(arguments.period) // 100
    months = await months_from(ledger, context.pool, first_month(arguments.period))
    wanted = Wanted(tuple(month for month in months if month <= last), arguments.hospital, arguments.unpriced)
    sums: dict[tuple[str, int], Sum] = {}
    written = 0
    async for group in standing_settlements(ledger, context.pool, wanted):
        priced = price_again(rules, group)
        sums_of(priced, sums)
        if arguments.post:
            changed = [one for one in priced if one.changes]
            if changed and not written:
                await _note(ledger, rules, arguments)
            written += sum([await post(ledger, context.pool, one) for one in changed])
    _show(context, arguments, sums, written)
    return 1 if any(one.not_told or one.refused for one in sums.values()) else 0


async def _note(ledger: Ledger, rules: Rules, arguments: argparse.Namespace) -> None:
    """Record who settles again, of which period and under which rules, before the first difference."""
    from adjudicator.ledger.acts import Draft, append, read_acts
    from adjudicator.pooling.periods.resettle import RESETTLE, rules_digest

    context = rules.context
    content = {
        "pack": context.id, "hospital": arguments.hospital, "unpriced": arguments.unpriced, "rules": rules.bundle.hash,
    }  # fmt: skip
    digest = rules_digest(context.payment)
    draft = Draft(RESETTLE, arguments.period, who(arguments), content, "payment.toml", digest)
    while not await append(ledger, context.pool, draft, len(await read_acts(ledger, context.pool))):
        continue


def _show(context: PoolContext, arguments: argparse.Namespace, sums: dict[tuple[str, int], Sum], written: int) -> None:
    changed = {place: one for place, one in sorted(sums.items()) if one.settlements or one.not_told or one.refused}
    if arguments.json:
        rows = [
            {"hospital": hospital, "county": f"{county:06d}", **one._asdict(),
             "difference_fen": one.after_fen - one.before_fen}
            for (hospital, county), one in changed.items()
        ]  # fmt: skip
        print(json.dumps({"pool": context.pool, "rows": rows, "posted": written}, ensure_ascii=False))
        return
    for (hospital, county), one in changed.items():
        fen = one.after_fen - one.before_fen
        area = context.areas.get(f"{county:06d}", f"{county:06d}")
        told = f", {one.not_told} 例记录中缺少所需内容（ADJ-8010）" if one.not_told else ""
        told += f", {one.refused} 例按现行规则不予受理" if one.refused else ""
        print(
            f"{hospital} {area}: {one.settlements} 例（新计价 {one.newly_priced}, 不再计价 {one.no_longer_priced}）, "
            f"应付 {fen_to_yuan(one.before_fen)} → {fen_to_yuan(one.after_fen)} 元, 差额 "
            f"{'+' if fen > 0 else ''}{fen_to_yuan(fen)} 元{told}"
        )
    if not changed:
        print("无差额")
    elif arguments.post:
        print(f"已登记 {written} 例")
    else:
        print("未登记，加 --post 登记")
