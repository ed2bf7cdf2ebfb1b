"""``adjudicator ledger decide | decisions | withdraw``: what the agency decided, kept in the ledger."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adjudicator.ledger.acts import Act
    from adjudicator.ledger.store import Ledger

KINDS = (
    "review", "scores", "quotas", "budget", "enrolments", "care", "visits", "county_budget", "county_income",
    "county_scores",
)  # fmt: skip
"""Words of ``pooling.decisions.Kind``, which the parser knows without loading it."""


def add_decide(action: argparse.ArgumentParser) -> None:
    """Arguments of ``ledger decide``."""
    action.add_argument("kind", choices=KINDS, help="what is decided")
    action.add_argument("file", type=Path, help="CSV with the columns of docs/pooling.md or docs/budget.md")
    action.add_argument("--pack", required=True, help="rule pack of the pool: a name or a folder")
    action.add_argument("--period", type=int, required=True, metavar="YYYY[MM]", help="the year or month it is of")
    add_by(action)


def add_withdraw(action: argparse.ArgumentParser) -> None:
    """Arguments of ``ledger withdraw``."""
    action.add_argument("number", type=int, help="number of the act, as ledger decisions lists it")
    action.add_argument("--why", required=True, help="the reason, which is kept")
    add_by(action)


def add_by(action: argparse.ArgumentParser) -> None:
    """Add --by."""
    action.add_argument("--by", metavar="NAME", help="who decides (default: the login)")


async def decide(ledger: Ledger, arguments: argparse.Namespace) -> int:
    """Keep a file of decisions. Errors: E.CANNOT_CLEAR where a row was decided otherwise, E.PERIOD_CLOSED."""
    from adjudicator.pooling.periods.closing import check_open
    from adjudicator.pooling.periods.context import check_period, load_context
    from adjudicator.pooling.periods.decisions import FORMS, OF_COUNTIES, Kind, draft_of, record

    check_period(arguments.period)
    context, kind = load_context(arguments.pack), Kind(arguments.kind)
    draft = draft_of(kind, arguments.file, arguments.period, who(arguments), context.areas)

    def allowed(acts: Sequence[Act]) -> None:
        if kind not in {Kind.REVIEW, *OF_COUNTIES}:
            check_open(acts, arguments.period)

    number = await record(ledger, context.pool, draft, allowed)
    if arguments.json:
        print(json.dumps({"act": number}))
    elif number:
        rows = len(draft.content["rows"])
        print(f"第 {number} 号登记: {FORMS[kind].zh} {arguments.period}, {rows} 行, {draft.file}, {draft.by}")
    else:
        print("已登记过，无变化")
    return 0


async def withdraw(ledger: Ledger, arguments: argparse.Namespace) -> int:
    """Take an act back. Errors: E.CANNOT_CLEAR for what is no decision, E.PERIOD_CLOSED."""
    from adjudicator.pooling.periods.closing import check_open
    from adjudicator.pooling.periods.decisions import OF_COUNTIES, Kind
    from adjudicator.pooling.periods.decisions import withdraw as take_back

    def allowed(acts: Sequence[Act], act: Act) -> None:
        if act.kind not in {Kind.REVIEW, *OF_COUNTIES}:
            check_open(acts, act.period)

    for pool in await _one_pool(ledger, arguments):
        number = await take_back(ledger, pool, arguments.number, who(arguments), arguments.why, allowed)
        print(json.dumps({"act": number}) if arguments.json else f"第 {number} 号登记: 撤回第 {arguments.number} 号")
    return 0


async def show(ledger: Ledger, arguments: argparse.Namespace) -> int:
    """Print all acts of each pool: number, when, who, kind, period, rows, file."""
    from adjudicator.ledger.acts import read_acts
    from adjudicator.pooling.periods.decisions import WITHDRAW

    for pool in [arguments.pool] if arguments.pool else await ledger.pools():
        acts = await read_acts(ledger, pool)
        withdrawn = {act.content["act"]: act.number for act in acts if act.kind == WITHDRAW}
        for act in acts:
            data = _as_data(pool, act, withdrawn.get(act.number, 0))
            print(json.dumps(data, ensure_ascii=False) if arguments.json else _text(data))
    return 0


def _as_data(pool: str, act: Act, withdrawn_by: int) -> dict[str, Any]:
    data: dict[str, Any] = {
        "pool": pool, "act": act.number, "kind": act.kind, "period": act.period, "by": act.by,
        "recorded": datetime.fromtimestamp(act.recorded_ms / 1000).astimezone().isoformat(timespec="seconds"),
    }  # fmt: skip
    if "rows" in act.content:
        data |= {"rows": len(act.content["rows"]), "file": act.file, "sha256": act.sha256}
    data |= {name: act.content[name] for name in ("act", "why", "cases", "version") if name in act.content}
    if "act" in act.content:
        data["withdraws"], data["act"] = act.content["act"], act.number
    if withdrawn_by:
        data["withdrawn_by"] = withdrawn_by
    return data


def _text(data: dict[str, Any]) -> str:
    from adjudicator.pooling.periods.closing import CLOSE
    from adjudicator.pooling.periods.decisions import FORMS, WITHDRAW, Kind
    from adjudicator.pooling.periods.resettle import RESETTLE

    names = {CLOSE: "结账", WITHDRAW: "撤回", RESETTLE: "重新计价"} | {str(kind): FORMS[kind].zh for kind in Kind}
    parts = [f"{data['pool']} 第 {data['act']} 号", names.get(data["kind"], data["kind"]), str(data["period"])]
    if "rows" in data:
        parts += [f"{data['rows']} 行", f"{data['file']} {data['sha256'][:12]}".strip()]
    if "withdraws" in data:
        parts.append(f"撤回第 {data['withdraws']} 号（{data['why']}）")
    if "cases" in data:
        parts.append(f"{data['cases']} 例")
    parts += [data["by"], data["recorded"]]
    if "withdrawn_by" in data:
        parts.append(f"已由第 {data['withdrawn_by']} 号撤回")
    return "  ".join(parts)


async def _one_pool(ledger: Ledger, arguments: argparse.Namespace) -> list[str]:
    """Return the pool that is meant, as the numbers of acts are of one. Errors: E.CANNOT_CLEAR, E.UNKNOWN_POOL."""
    from adjudicator.errors import E, refuse

    known = await ledger.pools()
    if arguments.pool and arguments.pool not in known:
        raise refuse(E.UNKNOWN_POOL, "pool")
    if not arguments.pool and len(known) != 1:
        listed = ", ".join(known) or "none"
        raise refuse(
            E.CANNOT_CLEAR,
            "pool",
            f"the store has the pools {listed}; name one with --pool",
            f"账本有统筹区 {listed}，请用 --pool 指定",
        )
    return [arguments.pool] if arguments.pool else known


def who(arguments: argparse.Namespace) -> str:
    """Return who acts: --by, else the login."""
    return str(arguments.by) if arguments.by else getpass.getuser()
