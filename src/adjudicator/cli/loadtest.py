"""``adjudicator loadtest``: sends synthetic claims to a service and counts what comes back.

For a service on this machine. Elsewhere it would record made-up settlements in somebody's ledger, so a target that is
not a loopback address is refused unless it is named twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from adjudicator.cli.addresses import add_tls, credentials_of
from adjudicator.service.exposure import is_loopback

YEAR = 2025
WAIT_SECONDS = 60.0
"""How long a service may take to become ready."""
MOST_CLAIMS = 1_000_000
MOST_CALLERS = 256
MOST_CLAIMS_PER_CALL = 1_000


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "loadtest",
        help="send claims to a service and count",
        description="Settles synthetic claims over gRPC and prints rate, waiting times and refusals. The settlements "
        "are recorded in the service's ledger: use a service of your own on this machine.",
    )
    parser.add_argument("--target", required=True, metavar="ADDR", help="address of the service, e.g. 127.0.0.1:50051")
    parser.add_argument("--claims", type=int, default=10_000, metavar="N", help="claims to send (default %(default)s)")
    parser.add_argument(
        "--concurrency", type=int, default=16, metavar="C", help="callers at once (default %(default)s)"
    )
    parser.add_argument("--batch", type=int, default=1, metavar="B", help="claims a call; 1: Settle, more: SettleBatch")
    parser.add_argument("--pack", default="hangzhou", help="rule pack of the claims (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other claims; 0: from the clock")
    parser.add_argument("--trial", action="store_true", help="PreSettle instead of Settle: nothing is recorded")
    parser.add_argument("--not-loopback", metavar="HOST", help="allow this host as target, which must be a test system")
    add_tls(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the test; 0 when every claim was answered, refused ones too."""
    fault = _fault(arguments)
    if fault:
        print(f"adjudicator loadtest: {fault}", file=sys.stderr)
        return 2
    if not _is_serving(arguments):
        print(f"adjudicator loadtest: {arguments.target} is not SERVING", file=sys.stderr)
        return 1
    messages = list(_messages(arguments))
    figures = asyncio.run(_send(arguments, messages))
    report = figures.report(arguments.batch)
    if arguments.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name.replace('_', ' '):24} {value}")
    return 1 if figures.failed else 0


@dataclass
class Figures:
    """What came back."""

    seconds: float = 0.0
    claims: int = 0
    waits_seconds: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def report(self, batch: int) -> dict[str, object]:
        """Return the figures by name."""
        waits = sorted(self.waits_seconds) or [0.0]
        return {
            "claims": self.claims,
            "claims_per_call": batch,
            "seconds": round(self.seconds, 3),
            "claims_per_second": round(self.claims / self.seconds) if self.seconds else 0,
            **{
                f"p{p}_milliseconds": round(1000 * waits[min(len(waits) - 1, len(waits) * p // 100)], 2)
                for p in (50, 90, 99)
            },
            "refused": dict(self.refused),
            "failed": dict(self.failed),
        }


def _fault(arguments: argparse.Namespace) -> str:
    """Return what is wrong with the options; empty where nothing is."""
    host = arguments.target.rpartition(":")[0].strip("[]")
    if not is_loopback(arguments.target) and host != arguments.not_loopback:
        return (
            f"{host or 'the target'} is not an address of this machine; to allow a test system: --not-loopback {host}"
        )
    for name, value, most in (
        ("--claims", arguments.claims, MOST_CLAIMS),
        ("--concurrency", arguments.concurrency, MOST_CALLERS),
        ("--batch", arguments.batch, MOST_CLAIMS_PER_CALL),
    ):
        if not 1 <= value <= most:
            return f"{name} lies between 1 and {most}"
    if arguments.trial and arguments.batch > 1:
        return "--trial sends single claims; leave --batch away"
    return ""


def _is_serving(arguments: argparse.Namespace) -> bool:
    """Wait a while for a service that has just been started."""
    from adjudicator.service.process import SERVING, health_of

    until = time.monotonic() + WAIT_SECONDS
    while (state := health_of(arguments.target, credentials=credentials_of(arguments))) != SERVING:
        if state is None or time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def _messages(arguments: argparse.Namespace) -> Iterator[bytes]:
    """Return the messages to send, all made before the first is sent. Another run has other encounters."""
    from adjudicator.service.frames import join_frames
    from adjudicator.synth.city import Synthesizer

    seed = arguments.seed or time.time_ns() % 2**31
    city = Synthesizer([arguments.pack], seed, year=YEAR, persons=max(20_000, arguments.claims // 4))
    part: list[bytes] = []
    for number, claim in enumerate(city.claims(arguments.claims), 1):
        claim.encounter_id = f"{seed:x}-{claim.encounter_id}"
        part.append(claim.SerializeToString())
        if len(part) == arguments.batch or number == arguments.claims:
            yield part[0] if arguments.batch == 1 else join_frames(part)
            part = []


async def _send(arguments: argparse.Namespace, messages: list[bytes]) -> Figures:
    import grpc

    from adjudicator.client import code_of, open_channel
    from adjudicator.v1 import settlement_pb2

    figures = Figures()
    method = "PreSettle" if arguments.trial else "SettleBatch" if arguments.batch > 1 else "Settle"
    left = iter(messages)
    answers: list[bytes] = []

    async def caller(call: Callable[..., Awaitable[bytes]]) -> None:
        for message in left:
            began = time.perf_counter()
            try:
                answers.append(await call(message, timeout=60))
            except grpc.RpcError as error:
                own = code_of(error)
                (figures.refused if own else figures.failed)[own or error.code().name] += 1
            figures.waits_seconds.append(time.perf_counter() - began)

    async with open_channel(arguments.target, credentials_of(arguments)) as channel:
        call = channel.unary_unary(f"/adjudicator.v1.Adjudication/{method}")
        began = time.perf_counter()
        await asyncio.gather(*(caller(call) for _ in range(arguments.concurrency)))
        figures.seconds = time.perf_counter() - began
    if arguments.batch == 1:
        figures.claims = len(messages)
        return figures
    for answer in answers:
        for settlement in settlement_pb2.SettlementBatch.FromString(answer).settlements:
            figures.claims += 1
            if settlement.outcome == settlement_pb2.OUTCOME_REFUSED:
                figures.refused[settlement.problems[0].code] += 1
    return figures
