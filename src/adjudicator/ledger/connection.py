"""The connection to the store: scripts, time limits, retries that cannot double anything, proof that writes are kept.

The client library repeats a lost write by default; here it never does. What is repeated is repeated by us, and only
because every script of the ledger may run twice with the effect of once.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib import resources
from typing import Any, TypeVar

import redis.exceptions
from redis._parsers.helpers import parse_info
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger.pipe import Pipe
from adjudicator.ledger.store_needs import (
    CONFIG,
    INFO,
    Fault,
    StoreFacts,
    denied,
    facts_of,
    fault_of,
    fault_of_commands,
)

T = TypeVar("T")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.01, 0.25
PROBE_KEY = "adj:probe:{{{}}}"
"""Key of the probe of the store's commands, by a number: a node of a cluster takes one that is in its slots."""


class Script:
    """A script of this package, made of its files in order; sent in full once and by its digest afterwards."""

    def __init__(self, *names: str):
        folder = resources.files("adjudicator.ledger")
        self.text = b"".join(folder.joinpath(name).read_bytes() for name in names)
        self.digest = hashlib.sha1(self.text, usedforsecurity=False).hexdigest()


PROBE = Script("probe.lua")
LOOK_AGAIN_SECONDS = 0.25
"""So long a store that lacks something is refused without another look."""


class NotYetDurable(Exception):
    """The store has the write but did not say in time that it is on the disk."""


RETRIED = (
    TimeoutError, redis.exceptions.RedisError, redis.exceptions.RedisClusterException, OSError, NotYetDurable
)  # fmt: skip
"""Failures of a call after which it may be made again."""


class _Patience:
    """How long a call is made again, with growing pauses."""

    def __init__(self, until: float):
        """``until``: time of ``time.monotonic`` from which no other try is made."""
        self._until, self._pause_seconds = until, FIRST_PAUSE_SECONDS

    def pause_after(self, error: Exception) -> float:
        """Return how long to wait before the next try. Errors: what ``error`` means, where another try is no use."""
        refusal, pause = refusal_of(error), self._pause_seconds
        if refusal.problems[0].number != E.STORE_AWAY or time.monotonic() + pause > self._until:
            raise refusal from error
        self._pause_seconds = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return pause


class Connection:
    """One store. All errors that come out are AdjudicatorError: E.STORE_AWAY, STORE_FULL, STORE_NOT_DURABLE,
    STORE_EVICTS, STORE_LACKS, LEDGER_CORRUPT.

    ``attempt_seconds`` limits one call over the wire, ``timeout_seconds`` all attempts together.
    """

    def __init__(
        self, url: str, timeout_seconds: float, attempt_seconds: float, allow_volatile: bool, replicas: int
    ) -> None:
        self.client = self._client(url, attempt_seconds)
        self._pipe, self._journal = (
            Pipe(lambda: self.client.connection_pool.make_connection(), attempt_seconds) for _ in range(2)
        )
        self._send = self._way()
        self.timeout_seconds, self.attempt_seconds = timeout_seconds, attempt_seconds
        self.allow_volatile, self.replicas = allow_volatile, replicas
        self.waits_for_disk = False
        """True where each write is followed by WAITAOF because the store does not sync before it answers."""
        self.facts: tuple[StoreFacts, ...] = ()
        """What the store, or each node of a cluster, said at the last look."""
        self._fault: Fault | None = None
        """What it lacked then; nothing is written or read while it does."""
        self._looked = 0.0
        self._connections = 0
        """Connections made so far; behind any new one may stand another server, which has to prove itself."""
        self._proven = -1

    def _client(self, url: str, attempt_seconds: float) -> Redis:
        """Return the client of the library, which repeats nothing."""
        client: Redis = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=attempt_seconds,
            socket_connect_timeout=attempt_seconds,
            protocol=2,
            redis_connect_func=self._connected,
        )
        return client

    async def _connected(self, connection: AbstractConnection) -> None:
        await connection.on_connect()
        self._connections += 1

    async def close(self) -> None:
        """Close every connection."""
        self._pipe.close()
        self._journal.close()
        await self.client.aclose()

    async def look(self) -> None:
        """Look whether the store has what the ledger needs (``store_needs``), and stop or take up all calls.

        Errors: STORE_NOT_DURABLE, STORE_EVICTS, STORE_LACKS; of the client where the store does not answer.
        """
        if self.allow_volatile:
            await self.client.ping()
            return
        facts, fault = await judge(self.client.execute_command, PROBE_KEY.format(0))
        self.facts, self._looked = (facts,), time.monotonic()
        if fault is not None and fault.number == E.STORE_AWAY:  # goes by itself, as when the store does not answer
            raise redis.exceptions.ConnectionError(fault.detail)
        self._fault, self.waits_for_disk = fault, self.replicas > 0 or not facts.syncs_always
        self._refuse_what_is_lacking()

    def _refuse_what_is_lacking(self) -> None:
        if self._fault is not None:
            raise self._fault.refusal()

    async def persist(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Run an operation that may safely run twice, again and again until it answers or the time is over."""
        patience = _Patience(time.monotonic() + self.timeout_seconds)
        while True:
            try:
                await self.prove_durable()
                return await operation()
            except RETRIED as error:
                pause = patience.pause_after(error)
            await asyncio.sleep(pause)

    async def call(self, script: Script, key: str, arguments: Sequence[Any], durable: bool = False) -> Any:
        """Call a script, which may safely run twice, until it answers or the time is over.

        With ``durable`` the answer comes only when the write is on the disk. This is the way of every claim, so it
        does in one coroutine what ``persist`` does with others: each of them is entered again after every wait.
        """
        until, patience = time.monotonic() + self.timeout_seconds, None
        command = ("EVALSHA", script.digest, 1, key, *arguments)
        while True:
            try:
                if self._proven != self._connections or self._fault is not None:
                    await self.prove_durable()
                if durable and self.waits_for_disk:
                    reply = await self._send_and_wait(command)
                else:
                    reply = await self._send(command)
                if durable and (self._proven != self._connections or self._fault is not None):
                    await self.prove_durable()  # the call itself may have gone over a new connection
                return reply
            except redis.exceptions.NoScriptError:
                if command[0] == "EVAL":
                    raise refuse(E.STORE_AWAY, detail="the store forgets its scripts") from None
                command, pause = ("EVAL", script.text, 1, key, *arguments), 0.0
            except RETRIED as error:
                patience = patience or _Patience(until)
                pause = patience.pause_after(error)
            await asyncio.sleep(pause)

    def _way(self) -> Callable[[tuple[Any, ...]], Awaitable[Any]]:
        """Return what sends a command and returns the reply."""
        return self._pipe.ask

    async def _send_and_wait(self, command: tuple[Any, ...]) -> Any:
        """Send a command, and answer when its write is on the disk."""
        pipeline = self.client.pipeline(transaction=False)  # one connection: WAITAOF speaks of the writes of its own
        pipeline.execute_command(*command)
        pipeline.execute_command("WAITAOF", 1, self.replicas, int(self.attempt_seconds * 800))
        return self._on_disk(*await pipeline.execute(raise_on_error=False))

    def _on_disk(self, reply: Any, synced: Any) -> Any:
        """Return the reply to a write if WAITAOF says that it is on the disk."""
        for outcome in (reply, synced):
            if isinstance(outcome, Exception):
                raise outcome
        if synced[0] < 1 or synced[1] < self.replicas:
            raise NotYetDurable
        return reply

    async def fence(self, pool_prefix: str) -> None:
        """Wait until everything written so far is on the disk; needed before a stored answer is given out."""
        if self.waits_for_disk:
            await self._send_and_wait(("INCR", pool_prefix + "fence"))

    async def prove_durable(self) -> None:
        """Check that the store keeps what it acknowledges, after each new connection.

        Errors: E.STORE_NOT_DURABLE, STORE_EVICTS, STORE_LACKS; also where a look has found out since.
        """
        if self._fault is not None and time.monotonic() - self._looked >= LOOK_AGAIN_SECONDS:
            await self.look()
        while self._proven != self._connections and not self.allow_volatile:
            connections = self._connections
            await self.look()
            if self.waits_for_disk:
                try:
                    await self._send_and_wait(("INCR", "adj:fence"))
                except redis.exceptions.OutOfMemoryError:
                    raise
                except redis.exceptions.ResponseError as error:
                    raise refuse(E.STORE_NOT_DURABLE, "", "WAITAOF fails", "WAITAOF 失败") from error
            self._proven = connections  # and once more where the look itself made a new connection
        self._refuse_what_is_lacking()

    async def entries(self, key: str, first: str, last: str, count: int) -> list[tuple[bytes, bytes]]:
        """Return name and block of some entries of a journal stream; b"" where an entry has none.

        They have a pipe of their own: the reply to a claim does not stand behind megabytes of them.
        """
        command = ("XRANGE", key, first, last, "COUNT", count)
        found = await self.persist(partial(self._journal.ask, command))
        return [(name, fields[1] if fields[0] == b"r" else b"") for name, fields in found]

    async def values(self, key: str, fields: Sequence[bytes]) -> list[bytes | None]:
        """Return the values of some fields of a hash."""
        found: list[bytes | None] = await self.persist(partial(self._send, ("HMGET", key, *fields)))
        return found

    async def scan(self, prefix: bytes, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor, 0 at the end, and some keys that begin with the prefix of a pool."""
        found: tuple[int, list[bytes]] = await self.client.scan(cursor, match=prefix + b"*", count=count)
        return found


async def judge(ask: Callable[..., Awaitable[Any]], probe_key: str = "") -> tuple[StoreFacts, Fault | None]:
    """Return what a server says of itself and what it lacks.

    ask: sends a command to the server. ``probe_key``: a key that the server has; empty: its commands are not tried.
    """
    settings = None
    with contextlib.suppress(redis.exceptions.ResponseError):
        settings = await ask(*CONFIG)  # a managed store may hide its configuration; INFO and WAITAOF then tell
    facts = facts_of({}, settings)
    try:
        info = await ask(*INFO)
        facts = facts_of(parse_info(info) if isinstance(info, bytes) else info, settings)
        fault = fault_of(facts)
        if fault is None and probe_key:
            fault = fault_of_commands(await ask("EVAL", PROBE.text, 1, probe_key))
    except redis.exceptions.NoPermissionError as error:
        fault = denied(error)
    return facts, fault


def refusal_of(error: BaseException) -> AdjudicatorError:
    """Return what an error of the client or the store means to a caller; the store's own words are safe, they hold
    no data.
    """
    text = str(error)
    if isinstance(error, redis.exceptions.OutOfMemoryError) or text.startswith("MISCONF"):
        return refuse(E.STORE_FULL)
    if isinstance(error.__cause__, AdjudicatorError):  # no node of a cluster was good enough to ask
        return error.__cause__
    away = (
        redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, redis.exceptions.ReadOnlyError,
        redis.exceptions.RedisClusterException, redis.exceptions.ClusterError, redis.exceptions.AskError,
        redis.exceptions.TryAgainError,
    )  # fmt: skip
    if isinstance(error, (*away, OSError, asyncio.TimeoutError, NotYetDurable)):
        return refuse(E.STORE_AWAY)
    if text.startswith(("BUSY", "LOADING", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "UNBLOCKED")):
        return refuse(E.STORE_AWAY)
    if "OOM" in text[:80]:
        return refuse(E.STORE_FULL)
    if isinstance(error, redis.exceptions.NoPermissionError) or text.startswith("NOPERM"):
        return denied(error).refusal()
    if text.startswith(("NOAUTH", "WRONGPASS")):
        return refuse(E.STORE_AWAY, detail=text.split(" ", 1)[0])
    if "would overflow" in text:
        return refuse(E.AMOUNT_OUT_OF_RANGE, detail=str(2**63 - 1))
    return refuse(E.LEDGER_CORRUPT, detail=text.removeprefix("LEDGER ")[:200])
