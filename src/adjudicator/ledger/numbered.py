"""Series of numbered records: number n has a key made of the pool, the series and n.

So each number is written exactly once, two people who write at the same moment get two numbers or one of them reads
again, and a series is read by asking for the keys 1, 2, 3 … until one is not there.
"""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

from adjudicator.ledger.record import Record

ASKED_AT_ONCE = 64


class Reader(Protocol):
    """What a series is read from: ``ledger.store.Ledger``."""

    async def read(self, pool: str, settlement_keys: bytes, state_keys: bytes) -> Any:
        """Return what ``Ledger.read`` returns."""


def numbered_key(pool: str, series: str, number: int) -> bytes:
    """Return the 16 bytes that name a record of a series."""
    return hashlib.blake2b(f"{series} {pool} {number}".encode(), digest_size=16).digest()


async def read_series(ledger: Reader, pool: str, series: str) -> list[Record]:
    """Return the records of a series, the first first. Errors: E.LEDGER_CORRUPT, E.STORE_AWAY."""
    found: list[Record] = []
    while True:
        first = len(found) + 1
        keys = b"".join(numbered_key(pool, series, number) for number in range(first, first + ASKED_AT_ONCE))
        known = (await ledger.read(pool, keys, b"")).known
        for place in range(ASKED_AT_ONCE):
            if place not in known:
                return found
            found.append(known[place])
