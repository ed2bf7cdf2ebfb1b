"""``adjudicator ledger``: totals, watch, verify, rebuild, reconcile."""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adjudicator.cli import ledger_acts, ledger_export, ledger_resettle
from adjudicator.cli.addresses import store_url
from adjudicator.cli.audited import DEFAULT_DATA, add_audit, recorded

if TYPE_CHECKING:
    from rich.table import Table

    from adjudicator.ledger.store import Ledger
    from adjudicator.ledger.totals import Totals
    from adjudicator.v1 import pooling_pb2

ACTS = frozenset({"rebuild", "decide", "withdraw", "resettle"})
"""What changes a ledger, and is in the audit log."""
SHOWN_DIFFERENCES = 50
WIDE_COLUMNS = 300
"""Width of a table that goes to a file or another program."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command and what it can do."""
    parser = subparsers.add_parser("ledger", help="totals, watch, verify, rebuild the pooling ledger")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text, act in (
        ("totals", "totals by county, month, scheme and fund", _totals),
        ("watch", "totals now and after each change, until interrupted", _watch),
        ("verify", "check totals, accumulators and index against the journal; exit code 1 where they differ", _verify),
        ("rebuild", "make totals, accumulators and index anew from the journal", _rebuild),
        ("reconcile", "compare a hospital's statement with the ledger (3201, 3202)", _reconcile),
        (
            "export",
            "write the cases of a period as Parquet or CSV, for settle-month --cases and points calibrate",
            ledger_export.export,
        ),
        ("decide", "keep a file of reviews, scores, quotas, budgets, contracts, care or visits", ledger_acts.decide),
        ("decisions", "list what was decided, withdrawn and closed", ledger_acts.show),
        ("withdraw", "take a decision back, by its number", ledger_acts.withdraw),
        ("resettle", "price stored settlements again under the payment rules loaded now", ledger_resettle.resettle),
    ):
        action = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        _add_store(action)
        if name in ACTS:
            add_audit(action)
        if name in ("totals", "watch"):
            action.add_argument("--county", help="area code of one county (default: all)")
            action.add_argument("--month", type=int, default=0, metavar="YYYYMM", help="one month (default: all)")
            action.add_argument("--scheme", help="national code of one scheme, such as 310 (default: all)")
        if name == "rebuild":
            action.add_argument(
                "--hold",
                action="store_true",
                help="refuse settlements meanwhile; needed where the index of settlements was lost (docs/ledger.md)",
            )
        if name == "reconcile":
            _add_statement(action)
        if name == "export":
            ledger_export.add_arguments(action)
        if name == "decide":
            ledger_acts.add_decide(action)
        if name == "withdraw":
            ledger_acts.add_withdraw(action)
        if name == "resettle":
            ledger_resettle.add_arguments(action)
        action.set_defaults(run=run, act=act)


def _add_store(action: argparse.ArgumentParser) -> None:
    where = action.add_mutually_exclusive_group()
    where.add_argument(
        "--redis",
        metavar="URL",
        type=store_url,
        help="store of the ledger: redis://, rediss://, unix://, redis+cluster://",
    )
    where.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_DATA,
        metavar="DIR",
        help="folder of a service's own store (default %(default)s)",
    )
    action.add_argument("--pool", help="city code, such as 330100 (default: every pool of the store)")
    action.add_argument("--json", action="store_true", help="print JSON, one object a line")


def _add_statement(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "statement",
        type=Path,
        help="JSON of the Statement message, or CSV with the fields of StatementLine, one settlement a line",
    )
    action.add_argument("--institution", help="institution code (for CSV)")
    action.add_argument("--from", dest="from_date", type=int, metavar="YYYYMMDD", help="first day (for CSV)")
    action.add_argument("--to", dest="to_date", type=int, metavar="YYYYMMDD", help="last day (for CSV)")
    action.add_argument("--scheme", help="national code of one scheme (for CSV; default: all)")


def run(arguments: argparse.Namespace) -> int:
    """Open the store and do what was asked; return 1 where things differ. Errors: E.NO_LEDGER."""
    try:
        return asyncio.run(_with_ledger(arguments))
    except KeyboardInterrupt:
        return 0 if arguments.action == "watch" else 130


async def _with_ledger(arguments: argparse.Namespace) -> int:
    from adjudicator.ledger.store import Ledger

    is_act = arguments.action in ACTS and getattr(arguments, "post", True)
    async with _store(arguments) as url, await Ledger.open(url, timeout_seconds=3, allow_volatile=True) as ledger:
        with recorded(arguments, is_act):
            code: int = await arguments.act(ledger, arguments)
            return code


@asynccontextmanager
async def _store(arguments: argparse.Namespace) -> AsyncIterator[str]:
    """Address of the store; one of our own is started where no service runs it."""
    from adjudicator.ledger.embedded import EmbeddedStore

    if arguments.redis:
        yield arguments.redis
        return
    store = await asyncio.to_thread(EmbeddedStore.find, arguments.data)
    try:
        yield store.url
    finally:
        await asyncio.to_thread(store.stop)


async def _pools(ledger: Ledger, arguments: argparse.Namespace) -> list[str]:
    from adjudicator.errors import E, refuse

    known = await ledger.pools()
    if arguments.pool and arguments.pool not in known:
        raise refuse(E.UNKNOWN_POOL, "pool")
    return [arguments.pool] if arguments.pool else known


async def _totals(ledger: Ledger, arguments: argparse.Namespace) -> int:
    for pool in await _pools(ledger, arguments):
        _show_totals(await ledger.totals(pool, arguments.county, arguments.month, arguments.scheme), arguments)
    return 0


async def _watch(ledger: Ledger, arguments: argparse.Namespace) -> int:
    async def follow(pool: str) -> None:
        async for totals in ledger.watch(pool, arguments.county, arguments.month, arguments.scheme):
            _show_totals(totals, arguments)

    await asyncio.gather(*map(follow, await _pools(ledger, arguments)))
    return 0


def _show_totals(totals: Totals, arguments: argparse.Namespace) -> None:
    if arguments.json:
        rows = [
            {
                "county": row.county,
                "month": row.month,
                "scheme": row.scheme_code,
                "fund": row.fund_code,
                "amount_fen": row.amount_fen,
            }
            for row in totals.rows
        ]
        _print_json({"pool": totals.pool, "version": totals.version, "rows": rows})
    else:
        _print(totals_table(totals))


def totals_table(totals: Totals) -> Table:
    """One row a county, month and scheme, one column a fund that has postings, the sums below; yuan."""
    from rich.table import Table

    from adjudicator.money import fen_to_yuan
    from adjudicator.payers import Fund, of

    funds = sorted({row.fund for row in totals.rows})
    table = Table(title=f"统筹区 pool {totals.pool} · 记录 records {totals.version}", show_footer=True)
    for heading, footer in (("参保区县\ncounty", "合计 sum"), ("月份\nmonth", ""), ("险种\nscheme", "")):
        table.add_column(heading, footer)
    cells: dict[tuple[str, int, str], dict[Fund, int]] = {}
    for row in totals.rows:
        cells.setdefault((row.county, row.month, row.scheme_code), {})[row.fund] = row.amount_fen

    def text(fund: Fund, amount: int) -> str:
        return str(amount) if fund == Fund.CLAIMS else fen_to_yuan(amount)

    for fund in funds:
        payer = of(fund)
        whole = sum(amounts.get(fund, 0) for amounts in cells.values())
        table.add_column(f"{payer.zh_short}\n{payer.id.replace('_', ' ')}", text(fund, whole), justify="right")
    for (county, month, scheme), amounts in sorted(cells.items()):
        table.add_row(county, str(month), scheme, *(text(fund, amounts.get(fund, 0)) for fund in funds))
    return table


async def _verify(ledger: Ledger, arguments: argparse.Namespace) -> int:
    holds = True
    for pool in await _pools(ledger, arguments):
        with _progress(f"verify {pool}", arguments) as progress:
            check = await ledger.verify(pool, progress)
        holds = holds and check.holds
        counts = {"records": check.records, "states": check.states, "totals": check.totals}
        if arguments.json:
            found = [
                {"kind": one.kind, "where": one.where, "stored": one.stored, "expected": one.expected}
                for one in check.differences
            ]
            head = {"pool": pool, "holds": check.holds, "version": check.version}
            _print_json(head | counts | {"seconds": round(check.seconds, 3), "differences": found})
            continue
        verdict = "一致 holds" if check.holds else f"不一致 {len(check.differences)} differences"
        words = ", ".join(f"{count} {name}" for name, count in counts.items())
        print(f"{pool}: {verdict} ({words}, {check.seconds:.1f} s)")
        _print_differences(check.differences)
    return 0 if holds else 1


def _print_differences(differences: list[Any]) -> None:
    from rich.table import Table

    if not differences:
        return
    table = Table("kind", "where", "stored", "expected")
    for one in differences[:SHOWN_DIFFERENCES]:
        table.add_row(one.kind, one.where, one.stored, one.expected)
    _print(table)
    if len(differences) > SHOWN_DIFFERENCES:
        print(f"… and {len(differences) - SHOWN_DIFFERENCES} more; --json prints all")


async def _rebuild(ledger: Ledger, arguments: argparse.Namespace) -> int:
    for pool in await _pools(ledger, arguments):
        result = await ledger.rebuild(pool, hold=arguments.hold)
        if arguments.json:
            _print_json(
                {
                    "pool": pool,
                    "version": result.version,
                    "records": result.records,
                    "states": result.states,
                    "index_entries": result.index_entries,
                    "statements": result.statements,
                    "seconds": round(result.seconds, 3),
                }
            )
        else:
            print(
                f"{pool}: {result.records} records; put right: {result.states} states, "
                f"{result.index_entries} index entries, "
                f"{result.statements} months of institutions; totals made anew ({result.seconds:.1f} s)"
            )
    return 0


async def _reconcile(ledger: Ledger, arguments: argparse.Namespace) -> int:
    from google.protobuf import json_format

    statement = _read_statement(arguments)
    if statement is None:
        return 2
    if not statement.pool:
        pools = await _pools(ledger, arguments)
        if len(pools) != 1:
            print("the store has several pools: give --pool", file=sys.stderr)
            return 2
        statement.pool = pools[0]
    result = await ledger.reconcile(statement)
    if arguments.json:
        _print_json(
            json_format.MessageToDict(
                result, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
        )
    else:
        _print_reconciliation(statement, result)
    return 0 if result.equal else 1


def _read_statement(arguments: argparse.Namespace) -> pooling_pb2.Statement | None:
    """Return the statement of a file; None after saying what is wrong with it."""
    from google.protobuf import json_format

    from adjudicator.v1 import pooling_pb2

    statement = pooling_pb2.Statement(pool=arguments.pool or "")
    try:
        if arguments.statement.suffix.lower() == ".json":
            json_format.Parse(arguments.statement.read_text("utf-8"), statement)
            statement.pool = arguments.pool or statement.pool
            return statement
        if not (arguments.institution and arguments.from_date and arguments.to_date):
            raise ValueError("a CSV statement needs --institution, --from and --to")
        statement.institution_code, statement.scheme = arguments.institution, arguments.scheme or ""
        statement.from_date, statement.to_date = arguments.from_date, arguments.to_date
        with arguments.statement.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                statement.lines.append(_statement_line(row, number))
    except (OSError, ValueError, json_format.ParseError) as error:
        print(f"{arguments.statement}: {error}", file=sys.stderr)
        return None
    for line in statement.lines:
        for name in ("total_fen", "fund_total_fen", "account_fen"):
            setattr(statement, name, getattr(statement, name) + getattr(line, name))
    statement.settlements = len(statement.lines)
    return statement


def _statement_line(row: dict[str, str], number: int) -> pooling_pb2.StatementLine:
    from adjudicator.v1 import pooling_pb2

    try:
        return pooling_pb2.StatementLine(
            encounter_id=row["encounter_id"],
            settlement_sequence=int(row["settlement_sequence"]),
            direction=int(row.get("direction") or 1),  # type: ignore[arg-type] # the library takes the number
            total_fen=int(row["total_fen"]),
            fund_total_fen=int(row["fund_total_fen"]),
            account_fen=int(row.get("account_fen") or 0),
        )
    except KeyError as error:
        raise ValueError(f"no column {error.args[0]}") from None
    except (TypeError, ValueError):
        raise ValueError(f"line {number}: not the whole numbers of a settlement") from None


def _print_reconciliation(statement: pooling_pb2.Statement, result: pooling_pb2.ReconcileResult) -> None:
    from rich.table import Table

    from adjudicator.money import fen_to_yuan

    table = Table("", "对账单 statement", "台账 ledger", title="一致 equal" if result.equal else "不一致 different")
    for name, label in (
        ("total_fen", "医疗费总额"),
        ("fund_total_fen", "基金支付总额"),
        ("account_fen", "个人账户支付"),
    ):
        table.add_row(label, fen_to_yuan(getattr(statement, name)), fen_to_yuan(getattr(result, name)))
    table.add_row("结算笔数", str(statement.settlements), str(result.settlements))
    _print(table)
    if not result.differences:
        return
    kinds = {1: "仅台账有 only ledger", 2: "仅对账单有 only statement", 3: "金额不同 amounts differ"}
    found = Table(
        "就诊 encounter", "次 sequence", "方向 direction", "差异 difference", "对账单 statement", "台账 ledger"
    )
    for one in result.differences:
        named = one.statement if one.HasField("statement") else one.ledger
        amounts = [
            " / ".join(fen_to_yuan(value) for value in (line.total_fen, line.fund_total_fen, line.account_fen))
            if one.HasField(side)
            else "—"
            for side, line in (("statement", one.statement), ("ledger", one.ledger))
        ]
        direction = "冲销 reversal" if named.direction == 2 else "结算 settlement"
        found.add_row(named.encounter_id, str(named.settlement_sequence), direction, kinds[one.kind], *amounts)
    _print(found)


@contextmanager
def _progress(label: str, arguments: argparse.Namespace) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, nothing elsewhere."""
    if arguments.json or not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _print(table: Table) -> None:
    """Print a table, as wide as it needs where the output is no terminal, so that nothing is cut."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE_COLUMNS)
    console.print(table)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)
