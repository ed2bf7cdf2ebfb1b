"""``adjudicator demo``: a day of a synthetic city, from claims over gRPC to the county table in the ledger.

Three processes: this one, the service with a store of its own, and a client that knows the service only by its address.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adjudicator.v1 import pooling_pb2

DEFAULT_PACK = "hangzhou"
DEFAULT_CLAIMS = 4000
DEFAULT_DAY = 20250612


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "demo",
        help="a day of a synthetic city through gRPC into the ledger, then the county table",
        description="Starts a service with a ledger of its own, lets a client send a synthetic day of a city (with "
        "claims sent twice, a claim changed after its settlement, and a reversal), prints some settlements and the "
        "county table, and verifies the ledger. Nothing in it is about a real person.",
    )
    parser.add_argument("--pack", default=DEFAULT_PACK, help="rule pack, a name or a folder (default %(default)s)")
    parser.add_argument("--claims", type=int, default=DEFAULT_CLAIMS, help="claims of the day (default %(default)s)")
    parser.add_argument(
        "--day", type=int, default=DEFAULT_DAY, metavar="YYYYMMDD", help="the day (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="number that the day is drawn from (default 1)")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="keep the ledger in this folder (default: thrown away)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--client-of", metavar="ADDR", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the day; 0 when the ledger adds up to what the client was told."""
    if not 1 <= arguments.claims <= 100_000:
        print("adjudicator demo: --claims lies between 1 and 100000", file=sys.stderr)
        return 2
    try:
        date.fromisoformat(str(arguments.day))
    except ValueError:
        print(f"adjudicator demo: --day {arguments.day} is not a day YYYYMMDD", file=sys.stderr)
        return 2
    if arguments.client_of:
        from adjudicator.cli.demo_client import run_client

        return run_client(arguments.client_of, arguments.pack, arguments.claims, arguments.day, arguments.seed)
    if arguments.data and (arguments.data / "ledger").exists():
        print(
            f"adjudicator demo: {arguments.data} holds a ledger already, and the day is compared with all that is in"
            " the ledger; name an empty folder (to go on with this one: adjudicator serve --data)",
            file=sys.stderr,
        )
        return 2
    folder = arguments.data or Path(tempfile.mkdtemp(prefix="adjudicator-demo-"))
    try:
        return Demo(arguments, folder).run()
    finally:
        if not arguments.data:
            shutil.rmtree(folder, ignore_errors=True)


class Demo:
    """One run of the demonstration."""

    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.arguments = arguments
        self.folder = folder
        self.report: dict[str, Any] = {}

    def say(self, text: str = "") -> None:
        """Print a line for a person; with ``--json`` nothing but JSON is printed."""
        if not self.arguments.json:
            print(text, flush=True)

    def run(self) -> int:
        """Service, client, county table, verification."""
        from adjudicator.service.process import ServiceProcess

        self.folder.mkdir(parents=True, exist_ok=True)
        options = ("--pack", self.arguments.pack, "--data", str(self.folder / "ledger"), "--listen", "127.0.0.1:0")
        began = time.perf_counter()
        with ServiceProcess(*options, log=self.folder / "service.log") as service:
            service.wait_until_serving()
            ready_seconds = time.perf_counter() - began
            self.say(f"service on {service.address}, ready after {ready_seconds:.1f} s; ledger in {self.folder}/ledger")
            self._client(service.address)
            right = self._compare(service.address)
        if self.arguments.json:
            print(json.dumps(self.report, ensure_ascii=False))
        return 0 if right else 1

    def _client(self, address: str) -> None:
        """Send the day from a client process and keep its report, which is its last line."""
        settings = self.arguments
        command = [
            sys.executable, "-m", "adjudicator", "demo", "--client-of", address, "--pack", settings.pack,
            "--claims", str(settings.claims), "--day", str(settings.day), "--seed", str(settings.seed),
        ]  # fmt: skip
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if ended.returncode != 0:
            raise OSError(f"the client ended with {ended.returncode}")
        self.report["client"] = json.loads(ended.stdout.splitlines()[-1])
        self._tell_day(self.report["client"])

    def _tell_day(self, client: dict[str, Any]) -> None:
        from google.protobuf import json_format

        from adjudicator.cli.reports.tables import settlement_lines
        from adjudicator.v1 import settlement_pb2

        self.say(
            f"day {self.arguments.day}: {client['claims']} claims ({client['inpatient']} stays) of {client['persons']}"
            f" persons, {client['hospitals']} hospitals, {client['counties']} counties"
        )
        self.say(
            f"  {client['settled']} settled, {client['refused']} refused, in {client['seconds']:.1f} s"
            f" ({client['claims'] / client['seconds']:.0f} claims/s)"
        )
        self.say(f"  {client['repeated']} sent twice: {client['same_answer']} got the very same answer")
        self.say(f"  changed after its settlement: {client['changed']}")
        self.say(f"  reversed: {client['reversed']}")
        for shown in client["shown"]:
            self.say()
            for line in settlement_lines(json_format.ParseDict(shown, settlement_pb2.Settlement())):
                self.say(line)

    def _compare(self, address: str) -> bool:
        """Return the county table over gRPC, and the ledger's own check of every total against its journal."""
        import grpc

        from adjudicator.cli.reports.tables import county_table
        from adjudicator.rules.bundle import load_bundle
        from adjudicator.v1 import adjudication_pb2_grpc, pooling_pb2

        pack = load_bundle([self.arguments.pack]).packs[0]
        pool = f"{int(pack.pool):06d}"
        with grpc.insecure_channel(address) as channel:
            stub = adjudication_pb2_grpc.PoolingLedgerStub(channel)  # type: ignore[no-untyped-call]  # generated
            totals = stub.GetCountyTotals(pooling_pb2.TotalsQuery(pool=pool), timeout=30)
        names = {f"{area.code:06d}": area.name_zh for area in pack.areas}
        self.say(
            f"\n{pack.name_zh} {self.arguments.day // 100}: totals of the counties, read back from the ledger (yuan)"
        )
        for line in county_table(totals, names):
            self.say(line)
        checks = self._checks(totals, pool)
        self.report["totals"] = [
            {"county": row.county, "scheme": row.scheme, "fund": row.fund, "amount_fen": row.amount_fen}
            for row in totals.rows
        ]
        self.report["checks"] = checks
        self.say()
        for name, right in checks.items():
            self.say(f"{'yes' if right else 'NO '}  {name}")
        return all(checks.values())

    def _checks(self, totals: pooling_pb2.CountyTotals, pool: str) -> dict[str, bool]:
        from adjudicator.payers import Fund, of

        sums: dict[str, int] = {}
        for row in totals.rows:
            sums[row.fund] = sums.get(row.fund, 0) + row.amount_fen
        client = self.report["client"]
        cost, claims = (of(fund).id for fund in (Fund.TOTAL_COST, Fund.CLAIMS))
        return {
            "the counties' cost is what the answers add up to": sums.get(cost, 0) == client["total_fen"],
            "each settlement counts once, the reversed one not at all": sums.get(claims, 0) == client["counted"],
            "every claim sent twice got the very same answer": client["same_answer"] == client["repeated"],
            "ledger verify holds": self._verify(pool),
        }

    def _verify(self, pool: str) -> bool:
        import asyncio

        from adjudicator.ledger.embedded import EmbeddedStore
        from adjudicator.ledger.store import Ledger

        async def verify(url: str) -> bool:
            async with await Ledger.open(url) as ledger:
                return (await ledger.verify(pool)).holds

        with EmbeddedStore.start(self.folder / "ledger") as store:
            return asyncio.run(verify(store.url))
