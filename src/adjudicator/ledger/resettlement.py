"""Settlements that were priced again: a series of records for each, which its reversal takes back with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from adjudicator.ledger.numbered import Reader, numbered_key, read_series
from adjudicator.ledger.record import Record


def resettlement_key(pool: str, key: bytes, number: int) -> bytes:
    """Return the key of the ``number``-th time that the settlement ``key`` is priced again."""
    return numbered_key(pool, _series(key), number)


async def resettlements_of(ledger: Reader, pool: str, key: bytes) -> list[Record]:
    """Return how a settlement was priced again, the first first. Errors: E.LEDGER_CORRUPT, E.STORE_AWAY."""
    return await read_series(ledger, pool, _series(key))


def with_resettlements(record: Record, again: Sequence[Record]) -> Record:
    """Return a settlement as it stands: its newest answer, and the postings of all its records."""
    if not again:
        return record
    sums: dict[tuple[int, int, int], int] = {}
    for one in (record, *again):
        for county, scheme, fund, fen in one.postings:
            sums[county, scheme, fund] = sums.get((county, scheme, fund), 0) + fen
    return replace(record, answer=again[-1].answer, postings=tuple((*place, fen) for place, fen in sums.items()))


def _series(key: bytes) -> str:
    return f"resettle {key.hex()}"
