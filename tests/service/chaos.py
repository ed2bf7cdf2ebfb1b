"""Settlements sent one to three times by several callers while the service and its store are killed again and again.

``python -m tests.service.chaos --settlements 100000 --kills 10 --store-kills 2`` is the full size; the suite runs a
small one. What must come out: every settlement is acknowledged with one and the same answer however often it was sent,
the ledger has exactly these answers, counts and sums equal those of the answers, and ``ledger verify`` holds.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import redis

from adjudicator.claim.keys import settlement_key
from adjudicator.client import OPEN_OUTCOMES, open_channel, retry_delay_seconds
from adjudicator.codes import Scheme
from adjudicator.ledger.embedded import find_server_binary
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund, fund_type
from adjudicator.service.frames import join_frames
from adjudicator.service.process import ServiceProcess
from adjudicator.service.store import CALL_SECONDS
from adjudicator.v1 import claim_pb2, settlement_pb2

from .claims import POOL, claim

ATTEMPT_SECONDS = 5.0
GIVE_UP_SECONDS = 180.0
"""A caller that waits longer for one answer calls the run failed."""


class StoreProcess:
    """A Valkey or Redis of its own port that syncs every write; it can be killed and started again."""

    def __init__(self, folder: Path, appendonly: str = "yes"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.appendonly = appendonly
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        options = {
            "port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "",
            "appendonly": self.appendonly, "appendfsync": "always",
            "logfile": self.folder / "log", "aof-load-truncated": "yes",
        }  # fmt: skip
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen([str(find_server_binary()), *words], stdout=subprocess.DEVNULL)
        with redis.Redis.from_url(self.url) as client:
            until = time.monotonic() + 60
            while True:
                try:
                    client.ping()
                    return
                except redis.exceptions.RedisError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.02)

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def pause(self) -> None:
        """The store takes connections and does not answer."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It answers again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def limit_memory(self, limit_bytes: int) -> None:
        """The store is full at this size; 0: no limit."""
        with redis.Redis.from_url(self.url) as client:
            client.config_set("maxmemory", limit_bytes)


@dataclass
class Figures:
    """What happened."""

    settlements: int
    sends: int = 0
    attempts: int = 0
    kills: int = 0
    store_kills: int = 0
    refused_numbers: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.settlements} settlements, sent {self.sends} times in {self.attempts} attempts; service killed"
            f" {self.kills} times, store {self.store_kills} times; {self.refused_numbers} raised numbers refused;"
            f" {self.seconds:.1f} s;"
            f" {'nothing lost, nothing double, ledger verified' if not self.faults else 'FAILED'}"
        )


class Chaos:
    """One run."""

    def __init__(
        self, settlements: int, kills: int, store_kills: int, callers: int, seed: int, folder: Path, workers: int = 1
    ):
        self.workers = workers
        self.random = random.Random(seed)
        self.figures = Figures(settlements)
        self.kills, self.store_kills, self.callers, self.folder = kills, store_kills, callers, folder
        self.claims = [self._claim(number) for number in range(settlements)]
        self.answers: list[bytes | None] = [None] * settlements
        self.acknowledged = 0
        self.store = StoreProcess(folder / "store")
        self.address = f"127.0.0.1:{free_port()}"

    def _claim(self, number: int) -> bytes:
        """A stay; a person has about three of them."""
        day = 1 + number % 28
        message = claim(
            *(self.random.randrange(1_000, 400_000) for _ in range(self.random.randrange(1, 4))),
            person_id=f"P{self.random.randrange(1 + number // 3)}",
            insured_area=self.random.choice(["330106", "330102", "330109", "330127"]),
            settlement_date=20250600 + day, discharge_date=20250600 + day, admission_date=20250600 + max(1, day - 3),
        )  # fmt: skip
        return message.SerializeToString()

    def service(self) -> ServiceProcess:
        options = (
            "--pack",
            "hangzhou",
            "--redis",
            self.store.url,
            "--listen",
            self.address,
            "--workers",
            str(self.workers),
        )
        return ServiceProcess(*options, log=self.folder / "service.log")

    async def run(self) -> Figures:
        """Sends everything, kills meanwhile, then compares."""
        started = time.monotonic()
        self.store.start()
        self.running = self.service().start()
        try:
            sendings = self._sendings()
            self.figures.sends = sum(map(len, sendings))
            calling = [asyncio.create_task(self._caller(sending, number)) for number, sending in enumerate(sendings)]
            killing = asyncio.create_task(self._killer(self.figures.sends))
            await asyncio.gather(*calling, killing)
            await self._compare()
        finally:
            self.running.stop()
            self.store.kill()
        self.figures.seconds = time.monotonic() - started
        return self.figures

    def _sendings(self) -> list[list[int]]:
        """What each caller sends: every settlement one to three times, repeats near the first and by any caller."""
        order = [number for number in range(len(self.claims)) for _ in range(self.random.randrange(1, 4))]
        order.sort(key=lambda number: number + self.random.uniform(0, 50))
        sendings: list[list[int]] = [[] for _ in range(self.callers)]
        for number in order:
            self.random.choice(sendings).append(number)
        return sendings

    async def _caller(self, numbers: Sequence[int], seed: int) -> None:
        """Sends one by one or in batches until each is acknowledged."""
        chance = random.Random(seed)
        position = 0
        async with open_channel(self.address) as channel:
            single = channel.unary_unary("/adjudicator.v1.Adjudication/Settle")
            batch = channel.unary_unary("/adjudicator.v1.Adjudication/SettleBatch")
            while position < len(numbers):
                size = 1 if chance.random() < 0.5 else chance.randrange(2, 40)
                part = numbers[position : position + size]
                if size == 1:
                    impatient = [self._raise_the_number(single, part[0], chance)] if chance.random() < 0.3 else []
                    answer, *_ = await asyncio.gather(self._insist(single, self.claims[part[0]]), *impatient)
                    self._acknowledge(part[0], answer)
                else:
                    await self._send_batch(batch, part)
                position += size

    async def _raise_the_number(self, call, number: int, chance: random.Random) -> None:
        """Send the stay under the next numbers as well, as after a time-out: it must not be paid again."""
        message = claim_pb2.Claim.FromString(self.claims[number])
        message.settlement_sequence = chance.choice((2, 2, 2, 3))
        await asyncio.sleep(chance.uniform(0, 0.01))
        try:
            await call(message.SerializeToString(), timeout=ATTEMPT_SECONDS)
        except grpc.RpcError as error:
            self.figures.refused_numbers += "ADJ-9012" in str(error.details()) or "ADJ-9013" in str(error.details())
        else:
            self.figures.faults.append(f"settlement {number} was paid again under a higher number")

    async def _send_batch(self, call, numbers: Sequence[int]) -> None:
        """A batch; claims that are refused for now are sent again."""
        waiting = list(numbers)
        until = time.monotonic() + GIVE_UP_SECONDS
        while waiting and time.monotonic() < until:
            answer = await self._insist(call, join_frames(self.claims[number] for number in waiting))
            again = []
            for number, part in zip(
                waiting, settlement_pb2.SettlementBatch.FromString(answer).settlements, strict=True
            ):
                if part.outcome == settlement_pb2.OUTCOME_SETTLED:
                    self._acknowledge(number, part.SerializeToString(deterministic=True))
                else:
                    again.append(number)
                    if part.problems[0].code not in ("ADJ-9007", "ADJ-9008"):
                        self.figures.faults.append(f"settlement {number} was refused: {part.problems[0].code}")
            waiting = again

    async def _insist(self, call, message: bytes) -> bytes:
        """The same bytes again and again while the outcome is open."""
        until = time.monotonic() + GIVE_UP_SECONDS
        while True:
            self.figures.attempts += 1
            try:
                return await call(message, timeout=ATTEMPT_SECONDS)
            except grpc.RpcError as error:
                pause = retry_delay_seconds(error)
                if (error.code() not in OPEN_OUTCOMES and pause is None) or time.monotonic() > until:
                    raise
                await asyncio.sleep(min(pause or 0.05, 0.2))

    def _acknowledge(self, number: int, answer: bytes) -> None:
        canonical = settlement_pb2.Settlement.FromString(answer).SerializeToString(deterministic=True)
        if self.answers[number] not in (None, canonical):
            self.figures.faults.append(f"settlement {number} has two answers")
        self.answers[number] = canonical
        self.acknowledged += 1

    async def _killer(self, sends: int) -> None:
        """Kills at even steps of the work, so that the kills happen while there is work."""
        events = ["service"] * self.kills + ["store"] * self.store_kills
        self.random.shuffle(events)
        for number, event in enumerate(events, 1):
            while self.acknowledged < sends * number / (len(events) + 1):
                await asyncio.sleep(0.01)
            await asyncio.sleep(self.random.uniform(0, 0.05))
            if event == "service":
                await asyncio.to_thread(self.running.kill)
                self.running = await asyncio.to_thread(self.service().start)
                self.figures.kills += 1
            else:
                await asyncio.to_thread(self.store.kill)
                # The first time it is away for longer than a call waits for it, so that callers are refused.
                away_seconds = self.random.uniform(0, 0.5) if self.figures.store_kills else CALL_SECONDS + 1
                await asyncio.sleep(away_seconds)
                await asyncio.to_thread(self.store.start)
                self.figures.store_kills += 1

    async def _compare(self) -> None:
        """The ledger against the answers that callers got."""
        faults = self.figures.faults
        async with await Ledger.open(self.store.url) as ledger:
            await self._compare_answers(ledger)
            sums: dict[str, int] = {}
            for row in (await ledger.totals(POOL)).rows:
                sums[row.fund_code] = sums.get(row.fund_code, 0) + row.amount_fen
            verification = await ledger.verify(POOL)
        for fund, expected in self._expected().items():
            if sums.get(fund, 0) != expected:
                faults.append(f"total {fund} is {sums.get(fund, 0)}, the answers add up to {expected}")
        if not verification.holds:
            faults.append(f"ledger verify does not hold: {verification}")

    async def _compare_answers(self, ledger: Ledger) -> None:
        step = 500
        for start in range(0, len(self.claims), step):
            messages = [claim_pb2.Claim.FromString(data) for data in self.claims[start : start + step]]
            keys = [settlement_key(one.institution_code, one.encounter_id, one.settlement_sequence) for one in messages]
            known = (await ledger.read(POOL, b"".join(keys), b"")).known
            for position in range(len(keys)):
                answer = self.answers[start + position]
                record = known.get(position)
                if answer is None:
                    self.figures.faults.append(f"settlement {start + position} was never acknowledged")
                elif record is None:
                    self.figures.faults.append(f"settlement {start + position} was acknowledged and is lost")
                elif digest(settlement_pb2.Settlement.FromString(record.answer)) != hashlib.sha256(answer).digest():
                    self.figures.faults.append(f"settlement {start + position} is recorded with another answer")

    def _expected(self) -> dict[str, int]:
        answers = [settlement_pb2.Settlement.FromString(answer) for answer in self.answers if answer is not None]
        return {
            fund_type(Scheme.RESIDENT, Fund.CLAIMS): len(self.claims),
            fund_type(Scheme.RESIDENT, Fund.TOTAL_COST): sum(answer.total_fen for answer in answers),
            fund_type(Scheme.RESIDENT, Fund.POOLED): sum(answer.pooled_fund_fen for answer in answers),
            fund_type(Scheme.RESIDENT, Fund.CATASTROPHIC): sum(answer.catastrophic_fen for answer in answers),
            fund_type(Scheme.RESIDENT, Fund.PROVIDER_DUE): sum(answer.payment.due_fen for answer in answers),
        }


def digest(answer: settlement_pb2.Settlement) -> bytes:
    """Digest of an answer whatever the order of its fields on the wire."""
    return hashlib.sha256(answer.SerializeToString(deterministic=True)).digest()


def free_port() -> int:
    """A port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(words: Sequence[str] | None = None) -> int:
    """Runs it and prints the figures; 1 when anything was lost, double or unequal."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--settlements", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--store-kills", type=int, default=2)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1, help="processes of the service")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where store and logs go (default: a temporary folder)")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="adjudicator-chaos-") as temporary:
        folder = options.folder or Path(temporary)
        run = Chaos(
            options.settlements, options.kills, options.store_kills, options.callers, options.seed, folder,
            options.workers,
        )  # fmt: skip
        figures = asyncio.run(run.run())
    print(figures)
    for fault in figures.faults[:20]:
        print(f"  {fault}", file=sys.stderr)
    return 1 if figures.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
