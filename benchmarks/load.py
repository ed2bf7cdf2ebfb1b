"""Load over gRPC, and what it costs each process, from the operating system (Linux).

Callers of one process send messages that were made before the clock starts. CPU is user and system of the service with
all its processes, of its store, and of the client, which is this process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import psutil

from adjudicator.client import open_channel
from adjudicator.v1 import claim_pb2

SERVICE = "/adjudicator.v1.Adjudication"
STORES = ("valkey-server", "redis-server")
ENCOUNTER_DIGITS, PERSON_DIGITS = 20, 18


class Parts(NamedTuple):
    """Seconds of CPU of each part."""

    service: float
    store: float
    client: float


class Measured(NamedTuple):
    """What a load was and what it cost."""

    claims: int
    calls: int
    seconds: float
    cpu: Parts
    waits: list[float]
    """Seconds that each call took, sorted."""

    @property
    def rate(self) -> float:
        """Claims a second."""
        return self.claims / self.seconds

    def micro(self, seconds: float) -> float:
        """Microseconds a claim."""
        return seconds / self.claims * 1e6

    def quantile(self, share: float) -> float:
        """Milliseconds within which a share of the calls was answered."""
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * share))] * 1e3


class Template:
    """Endless new claims: encounter and person numbers of a fixed width are written over a template."""

    def __init__(self, message: bytes, encounters: list[bytes], persons: list[bytes], numbers: Iterator[int]):
        self.bytes = np.frombuffer(message, np.uint8).copy()
        self.encounter_at = np.array([message.index(b"\x12\x14" + text) + 2 for text in encounters])
        self.person_at = np.array([message.index(b"\x22\x12" + text) + 2 for text in persons])
        self.numbers = numbers

    @classmethod
    def of(cls, batch: bytes, numbers: Iterator[int]) -> Template:
        """Return the template of a ClaimBatch message; of a single claim it makes Claim messages."""
        claims = claim_pb2.ClaimBatch.FromString(batch).claims
        encounters, persons = (
            [getattr(one, name).encode() for one in claims] for name in ("encounter_id", "person_id")
        )
        return cls(batch if len(claims) > 1 else claims[0].SerializeToString(), encounters, persons, numbers)

    def next(self) -> bytes:
        """Return a message with new numbers."""
        for row in range(len(self.encounter_at)):
            digits = np.frombuffer(b"%018d" % next(self.numbers), np.uint8)
            self.bytes[self.encounter_at[row] + 2 : self.encounter_at[row] + ENCOUNTER_DIGITS] = digits
            self.bytes[self.person_at[row] : self.person_at[row] + PERSON_DIGITS] = digits
        return self.bytes.tobytes()


def cpu_seconds(root: int) -> Parts:
    """CPU of a server with its children, the stores among them apart, and of this process."""
    service = store = 0.0
    process = psutil.Process(root)
    for one in (process, *process.children(recursive=True)):
        try:
            used = sum(one.cpu_times()[:2])
            if one.name() in STORES:
                store += used
            else:
                service += used
        except psutil.NoSuchProcess:
            continue
    return Parts(service, store, time.process_time())


async def load(
    address: str, root: int, method: str, messages: Sequence[bytes], claims_each: int, callers: int, channels: int = 1
) -> Measured:
    """Send all messages by some callers and return what it cost; ``root`` is the server's process."""
    left, waits = iter(messages), []
    opened = [open_channel(address) for _ in range(channels)]
    calls = [channel.unary_unary(f"{SERVICE}/{method}") for channel in opened]

    async def caller(number: int) -> None:
        call = calls[number % channels]
        for message in left:
            began = time.perf_counter()
            await call(message)
            waits.append(time.perf_counter() - began)

    try:
        await asyncio.gather(*(channel.channel_ready() for channel in opened))
        before, began = cpu_seconds(root), time.perf_counter()
        await asyncio.gather(*(caller(number) for number in range(callers)))
        seconds, after = time.perf_counter() - began, cpu_seconds(root)
    finally:
        await asyncio.gather(*(channel.close() for channel in opened))
    cpu = Parts(*(now - then for now, then in zip(after, before, strict=True)))
    return Measured(len(waits) * claims_each, len(waits), seconds, cpu, sorted(waits))
