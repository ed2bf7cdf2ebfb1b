"""``rebuild``: totals, states and indexes made anew from the journal, which is the record of everything.

Settlement goes on meanwhile. Each wrong value is compared with the journal up to a position and replaced in one step
that does nothing if somebody has changed the value since; then it is compared again. No step writes more than
``MOST_VALUES`` values. Commits wait only where they would do harm, or where the caller wants it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger import keys as names
from adjudicator.ledger.audit import (
    FoundKeys,
    Verification,
    WrongStatement,
    WrongTotal,
    check_positions,
    extend,
    find_keys,
    index_differs,
    play_on,
    read_totals_with_end,
    surplus_places,
    wrong_statements,
    wrong_states,
    wrong_totals,
)
from adjudicator.ledger.connection import Connection, Script
from adjudicator.ledger.journal import Chunk, scan
from adjudicator.ledger.layout import RECORDS_MASK
from adjudicator.ledger.replay import Replay, settled_of
from adjudicator.ledger.statements import values_of

REPAIR = Script("buckets.lua", "repair.lua")
REBUILD_SECONDS = 30
"""Life of the token that a rebuild runs under; renewed while it runs, so a killed one frees the ledger soon."""
MOST_VALUES = 1000
"""Values that one step of a rebuild writes: some milliseconds of the store, which a commit waits for at the longest."""
_WHOLE = re.compile(r"-?[0-9]{1,30}", re.ASCII)
MOST_ROUNDS = 20
"""Times that a value is compared and written again because somebody changed it meanwhile."""


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


@dataclass(slots=True)
class Turn:
    """The right to rebuild a pool, one at a time; ``holds``: commits wait for it."""

    connection: Connection
    pool: str
    holds: bool
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    _steps: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self) -> None:
        """Take the turn. Errors: E.CONFLICT when another rebuild runs."""
        client, key, value = self.connection.client, names.rebuilding(self.pool), f"{self.token} 0 {self._mode}"
        if not await self.connection.persist(lambda: client.set(key, value, nx=True, ex=REBUILD_SECONDS)):
            raise refuse(E.CONFLICT, detail="a rebuild is under way")

    async def step(self, kind: str, *values: Any) -> None:
        """Write some values (repair.lua). Errors: E.STORE_AWAY when the turn is lost."""
        async with self._lock:
            self._steps += 1
            head = [names.prefix(self.pool), self.token, self._steps, self._mode, REBUILD_SECONDS]
            arguments = [*head, kind, *values]
            reply = await self.connection.call(REPAIR, names.version(self.pool), arguments, durable=True)
        if reply != 1 and kind != "finish":  # a repeated finish finds its own token gone: it had been done
            raise refuse(E.STORE_AWAY, detail="the rebuild was overtaken; run it again")

    async def end(self) -> None:
        """Give the turn back if it is still ours."""
        client, key = self.connection.client, names.rebuilding(self.pool)
        value = await self.connection.persist(lambda: client.get(key))
        if value is not None and value.startswith(self.token.encode()):
            await self.connection.persist(lambda: client.delete(key))

    @property
    def _mode(self) -> str:
        return "hold" if self.holds else "beside"


async def rebuild(connection: Connection, pool: str, *, hold: bool = False) -> Rebuilt:
    """Make indexes, states, totals and version anew from the journal, beside a running settlement.

    With ``hold`` commits are refused meanwhile (E.STORE_AWAY, to be sent again), and so they are where the version is
    wrong, because each would leave a hole in the journal, and where settlements are missing in the index, because one
    that is sent again would be settled twice. Killed half-way it leaves nothing worse than before and may
    be run again. Errors: E.LEDGER_CORRUPT when the journal itself is damaged (restore it from a backup), E.CONFLICT
    when another rebuild runs or values change faster than they are compared, E.STORE_AWAY.
    """
    started = time.monotonic()
    async with _turn(connection, pool, hold) as turn:
        result = await _rebuild(turn)
    result.seconds = time.monotonic() - started
    return result


@asynccontextmanager
async def _turn(connection: Connection, pool: str, hold: bool) -> AsyncIterator[Turn]:
    turn = Turn(connection, pool, hold)
    await turn.begin()
    keeper = asyncio.create_task(_keep(turn))
    try:
        yield turn
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError, AdjudicatorError):
            await keeper
        await turn.end()


async def _keep(turn: Turn) -> None:
    while True:
        await asyncio.sleep(REBUILD_SECONDS / 4)
        await turn.step("keep")


async def _rebuild(turn: Turn) -> Rebuilt:
    connection, pool = turn.connection, turn.pool
    found = await find_keys(connection, pool)
    version, end, stored = await read_totals_with_end(connection, pool, found)
    # Where an entry of the index is lost, a claim that is sent again would be settled again.
    if (version != str(end) or await index_differs(connection, pool, 0)) and not turn.holds:
        turn.holds = True
        await turn.step("keep")
        found = await find_keys(connection, pool)
        version, end, stored = await read_totals_with_end(connection, pool, found)
    check, replay = Verification(pool), Replay()
    wrong = await extend(connection, pool, replay, end, stored.keys(), check)
    check_positions(replay, check)
    # A broken chain is history: somebody settled on a damaged state. Amounts and states still follow from the records.
    if damage := [difference for difference in check.differences if difference.kind == "journal"]:
        raise refuse(E.LEDGER_CORRUPT, detail=f"{damage[0]}; restore the journal from a backup")
    if version != str(end):
        await turn.step("version", end)
    result = Rebuilt(pool, end, replay.records, index_entries=len(wrong))
    for part in _parts(wrong):
        await turn.step("index", *(value for place in part for value in (place.key, place.right)))
    if await index_differs(connection, pool, 0):
        async for bucket, settlement, place in surplus_places(connection, pool):
            await turn.step("surplus", bucket, settlement, place)
            result.index_entries += 1
    result.statements = await _rebuild_statements(turn, replay, found)
    result.states = await _rebuild_states(turn, replay, found)
    await _rebuild_totals(turn, replay, found)
    await turn.step("finish")
    return result


def _parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[at : at + MOST_VALUES] for at in range(0, len(values), MOST_VALUES))


async def _rebuild_statements(turn: Turn, replay: Replay, found: FoundKeys) -> int:
    repaired: set[bytes] = set()
    listed: Iterable[bytes] = found.statements | replay.statements.keys()
    for _ in range(MOST_ROUNDS):
        wrong = [one async for one in wrong_statements(turn.connection, turn.pool, replay, listed, Verification(""))]
        for (version, month), group in groupby(wrong, key=lambda one: (one.version, int(one.name[:6]))):
            right = await _statements_of(turn, month, version)
            for one in group:
                await turn.step("statements", *_statement_values(one, right.get(one.name, b"")))
        listed = {one.name for one in wrong}
        repaired |= listed
        if not wrong:
            return len(repaired)
    raise refuse(E.CONFLICT)


def _statement_values(one: WrongStatement, right: bytes) -> list[Any]:
    return [one.name, len(one.value), hashlib.sha1(one.value, usedforsecurity=False).hexdigest(), right]


async def _statements_of(turn: Turn, month: int, version: int) -> dict[bytes, bytes]:
    """Return what the index of statements must hold of a month up to a position."""
    values: dict[bytes, bytes] = {}
    async for chunk in scan(turn.connection, turn.pool, month, 1, version):
        for name, value in (await asyncio.to_thread(_values_of, chunk)).items():
            values[name] = values.get(name, b"") + value
    return values


def _values_of(chunk: Chunk) -> dict[bytes, bytes]:
    rows, settled = settled_of(chunk)
    return values_of(settled, chunk.positions[rows])


async def _rebuild_states(turn: Turn, replay: Replay, found: FoundKeys) -> int:
    repaired: set[bytes] = set()
    listed = replay.states_with(found.states)
    for _ in range(MOST_ROUNDS):
        pending: list[bytes] = []
        again: list[bytes] = []
        async for key, value, right in wrong_states(turn.connection, turn.pool, replay, listed, Verification("")):
            pending += (key, value, _replaced(value, right))
            again.append(key)
            if len(again) % (MOST_VALUES // 4) == 0:
                await turn.step("states", *pending)
                pending = []
        if pending:
            await turn.step("states", *pending)
        repaired.update(again)
        if not again:
            return len(repaired)
        listed = np.frombuffer(b"".join(again), np.uint64).reshape(-1, 2)
    raise refuse(E.CONFLICT)


def _replaced(value: bytes, right: bytes) -> bytes:
    """Return the right value of a state with a version that no settlement has read (``RECORDS_MASK``)."""
    if not right or len(value) < 8:
        return right
    before, records = int.from_bytes(value[:8], "little"), int.from_bytes(right[:8], "little")
    times = (before | RECORDS_MASK) + 1 & 2**64 - 1
    return (times | records).to_bytes(8, "little") + right[8:]


async def _rebuild_totals(turn: Turn, replay: Replay, found: FoundKeys) -> None:
    for _ in range(MOST_ROUNDS):
        _, version, stored = await read_totals_with_end(turn.connection, turn.pool, found)
        await play_on(turn.connection, turn.pool, replay, version, Verification(""))
        wrong = wrong_totals(stored, replay)
        for part in _parts(wrong):
            await turn.step("totals", *(value for one in part for value in _total_values(one)))
        months = [f"{month:06d}" for month in sorted(replay.months)]
        counties = [f"{county:06d}" for county in sorted(replay.counties)]
        await turn.step("sets", "months", len(months), *months, "counties", len(counties), *counties)
        if not wrong:
            return
    raise refuse(E.CONFLICT)


def _total_values(one: WrongTotal) -> list[Any]:
    stored = one.stored if one.stored is not None and _WHOLE.fullmatch(one.stored) else "0"
    return [f"{one.month:06d}", one.name, one.stored or "", one.expected, one.expected - int(stored)]
