"""``rebuild``: totals, states and index made anew from the journal, which is the record of everything."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any

from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger import keys as names
from adjudicator.ledger.audit import (
    CHUNK_KEYS,
    FoundKeys,
    Verification,
    check_positions,
    expected_totals,
    extend,
    find_keys,
    index_is_larger,
    surplus_places,
    wrong_statements,
    wrong_states,
)
from adjudicator.ledger.connection import Connection, Script
from adjudicator.ledger.journal import scan
from adjudicator.ledger.replay import Replay, settled_of
from adjudicator.ledger.statements import values_of

REPAIR = Script("buckets.lua", "repair.lua")
REBUILD_SECONDS = 30
"""Life of the token that holds commits back; renewed while the rebuild runs, so a killed one frees the ledger soon."""


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild put right."""

    pool: str
    version: int = 0
    records: int = 0
    states: int = 0
    index_entries: int = 0
    statements: int = 0
    seconds: float = 0.0


async def rebuild(connection: Connection, pool: str) -> Rebuilt:
    """Make index, states, totals and version anew from the journal.

    Commits are refused meanwhile (E.STORE_AWAY, to be sent again). Each wrong value is replaced by the right
    one; the totals all change at one moment, at the end. Killed half-way it leaves nothing worse than before
    and may be run again. Errors: E.LEDGER_CORRUPT when the journal itself is damaged (restore it from a
    backup), E.CONFLICT when another rebuild runs, E.STORE_AWAY.
    """
    started, token = time.monotonic(), secrets.token_hex(16)
    client, key = connection.client, names.rebuilding(pool)
    if not await connection.persist(lambda: client.set(key, token, nx=True, ex=REBUILD_SECONDS)):
        raise refuse(E.CONFLICT, detail="a rebuild is under way")
    keeper = asyncio.create_task(_keep(connection, pool, token))
    try:
        result = await _rebuild(connection, pool, token)
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError, AdjudicatorError):
            await keeper
        if await connection.persist(lambda: client.get(key)) == token.encode():
            await connection.persist(lambda: client.delete(key))
    result.seconds = time.monotonic() - started
    return result


async def _keep(connection: Connection, pool: str, token: str) -> None:
    while True:
        await asyncio.sleep(REBUILD_SECONDS / 4)
        await _repair(connection, pool, token, ["keep"])


async def _repair(connection: Connection, pool: str, token: str, values: list[Any]) -> None:
    arguments = [names.prefix(pool), token, REBUILD_SECONDS, *values]
    reply = await connection.call(REPAIR, names.version(pool), arguments, durable=True)
    if reply != 1 and values[0] != "finish":  # a repeated finish finds its own token gone: it had been done
        raise refuse(E.STORE_AWAY, detail="the rebuild was overtaken; run it again")


async def _rebuild(connection: Connection, pool: str, token: str) -> Rebuilt:
    found, check, replay = await find_keys(connection, pool), Verification(pool), Replay()
    wrong = await extend(connection, pool, replay, 2**53, found.months, check)
    replay.version = max((int(positions[-1]) for positions in replay.positions), default=0)
    check_positions(replay, check)
    # A broken chain is history: somebody settled on a damaged state. Amounts and states still follow from the records.
    if damage := [difference for difference in check.differences if difference.kind == "journal"]:
        raise refuse(E.LEDGER_CORRUPT, detail=f"{damage[0]}; restore the journal from a backup")
    result = Rebuilt(pool, replay.version, sum(map(len, replay.positions)), index_entries=len(wrong))
    pending = [part for place in wrong for part in (place.key, place.right)]
    for at in range(0, len(pending), 2 * CHUNK_KEYS):
        await _repair(connection, pool, token, ["index", *pending[at : at + 2 * CHUNK_KEYS]])
    if await index_is_larger(connection, pool, 0):
        async for bucket, settlement, _ in surplus_places(connection, pool):
            await _repair(connection, pool, token, ["surplus", bucket, settlement])
            result.index_entries += 1
    replay.version = 2**53  # nobody commits: the stored version may be wrong, the journal is what it is
    result.statements = await _rebuild_statements(connection, pool, token, replay, found)
    result.states = await _rebuild_states(connection, pool, token, replay, found)
    await _repair(connection, pool, token, ["finish", result.version, *_totals_values(replay, found)])
    return result


async def _rebuild_states(connection: Connection, pool: str, token: str, replay: Replay, found: FoundKeys) -> int:
    pending: list[bytes] = []
    repaired = 0
    async for state, _, right in wrong_states(connection, pool, replay, found.states, Verification(pool)):
        pending += (state, right)
        repaired += 1
        if len(pending) >= CHUNK_KEYS:
            await _repair(connection, pool, token, ["states", *pending])
            pending = []
    await _repair(connection, pool, token, ["states", *pending])
    return repaired


async def _rebuild_statements(connection: Connection, pool: str, token: str, replay: Replay, found: FoundKeys) -> int:
    wrong = [one async for one in wrong_statements(connection, pool, replay, found.statements, Verification(pool))]
    for month in sorted({int(one.name[:6]) for one in wrong}):
        right = await _statements_of(connection, pool, month, replay.version)
        for one in wrong:
            if int(one.name[:6]) == month:
                seen = hashlib.sha1(one.value, usedforsecurity=False).hexdigest()
                values = [one.name, len(one.value), seen, right.get(one.name, b"")]
                await _repair(connection, pool, token, ["statements", *values])
    return len(wrong)


async def _statements_of(connection: Connection, pool: str, month: int, version: int) -> dict[bytes, bytes]:
    """Return what the index of statements must hold of a month up to a position."""
    values: dict[bytes, bytes] = {}
    async for chunk in scan(connection, pool, month, 1, version):
        rows, settled = settled_of(chunk)
        for name, value in values_of(settled, chunk.positions[rows]).items():
            values[name] = values.get(name, b"") + value
    return values


def _totals_values(replay: Replay, found: FoundKeys) -> list[Any]:
    expected = expected_totals(replay)
    months = sorted(expected.keys() | found.total_months)
    values: list[Any] = [len(months)]
    for month in months:
        pairs = [part for name, amount in expected.get(month, {}).items() for part in (name, str(amount))]
        values += (f"{month:06d}", len(pairs), *pairs)
    values += (len(replay.months), *(f"{month:06d}" for month in sorted(replay.months)))
    return [*values, len(replay.counties), *(f"{county:06d}" for county in sorted(replay.counties))]
