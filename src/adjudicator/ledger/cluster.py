"""The connection to a cluster: each pool lies on one node, and each node proves for itself that it keeps its writes.

The cluster client of the library knows which node has which slot and follows a slot that has moved. All keys of a pool
are one slot, so every script of the ledger runs on one node, as it does over a single store.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import redis.exceptions
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger.connection import PROBE_KEY, RETRIED, Connection, NotYetDurable, Script, judge
from adjudicator.ledger.store_needs import Fault, StoreFacts, facts_of

MOST_CONNECTIONS = 10_000
"""Connections to a node; the callers are limited elsewhere."""
MOST_PROBE_KEYS = 100_000
"""A node without any of so many keys has no slots."""
PROBE_SECONDS = 0.5
"""How often a node that is away is asked whether it is back, or another has its slots."""


def connect(
    url: str, timeout_seconds: float, attempt_seconds: float, allow_volatile: bool, replicas: int
) -> Connection:
    """Return the connection to a store: redis://, rediss://, unix://, or a cluster: redis+cluster://, rediss+cluster://
    with one or more of its nodes, ``HOST:PORT,HOST:PORT``.
    """
    kind = ClusterConnection if urlsplit(url).scheme.endswith("+cluster") else Connection
    return kind(url, timeout_seconds, attempt_seconds, allow_volatile, replicas)


class ClusterConnection(Connection):
    """A cluster. A node that is away refuses its own pools (E.STORE_AWAY); the others go on.

    Claims of several pools share a batch. So that none waits for a node that is known to be away, its pools are refused
    at once until it answers again.
    """

    client: RedisCluster  # speaks as the client of one store, but for what is below

    _away: dict[str, asyncio.Task[None]]
    """Nodes that are away, with the task that waits until they are back."""

    _faults: dict[str, Fault]
    """What nodes lacked at the last look."""

    def _client(self, url: str, attempt_seconds: float) -> RedisCluster:
        self._away, self._faults, nodes = {}, {}, _nodes(url)
        options = nodes[0]
        if options.pop("connection_class", None) is SSLConnection:
            options["ssl"] = True
        client = RedisCluster(
            startup_nodes=[ClusterNode(node.pop("host"), node.pop("port", 6379)) for node in nodes],
            **options,
            require_full_coverage=False,
            max_connections=MOST_CONNECTIONS,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=attempt_seconds,
            socket_connect_timeout=attempt_seconds,
            protocol=2,
        )
        # The library takes no function for this; it sets its own in the same two places.
        client.nodes_manager.connection_kwargs["redis_connect_func"] = self._connected
        for node in client.nodes_manager.startup_nodes.values():
            node.connection_kwargs["redis_connect_func"] = self._connected
        return client

    async def _connected(self, connection: AbstractConnection) -> None:
        """Have the node behind a new connection prove itself on it. Errors: E.STORE_NOT_DURABLE."""
        await connection.on_connect()
        if self.allow_volatile:
            return
        facts, fault = await judge(partial(_ask, connection))
        if fault is not None and fault.number != E.STORE_AWAY:  # a replica is asked for the nodes, too
            raise fault.refusal()
        if self.replicas or not facts.syncs_always:
            self.waits_for_disk = True
            try:
                await _ask(connection, "WAITAOF", 1, self.replicas, int(self.attempt_seconds * 800))
            except redis.exceptions.ResponseError as error:
                raise refuse(E.STORE_NOT_DURABLE, "", "WAITAOF fails", "WAITAOF 失败") from error

    async def close(self) -> None:
        """Close every connection."""
        for task in self._away.values():
            task.cancel()
        await asyncio.gather(*self._away.values(), return_exceptions=True)
        await super().close()

    async def look(self) -> None:
        """Look at each node: the pools of one that lacks something are refused, the others go on.

        Errors: STORE_NOT_DURABLE, STORE_EVICTS, STORE_LACKS where every node that answers lacks something; of the
        client where none answers.
        """
        await self.client.initialize()
        looks = {asyncio.create_task(self._look_at(node)): node for node in self.client.get_primaries()}
        try:
            # A node that hangs is away; the others are not to wait for it as long as a call may take.
            answered, _ = await asyncio.wait(looks, timeout=self.attempt_seconds / 2)
        finally:
            for task in looks:
                task.cancel()
            await asyncio.gather(*looks, return_exceptions=True)
        found: list[tuple[StoreFacts, Fault | None]] = []
        for task in answered:
            with contextlib.suppress(*RETRIED):
                facts, fault = task.result()
                found.append((facts, fault))
                name = looks[task].name
                self._faults.pop(name, None)
                if fault is not None:
                    self._faults[name] = fault
        self.facts = tuple(facts for facts, _ in found)
        if not found:
            raise redis.exceptions.ConnectionError("no node of the cluster answers")
        faults = [fault for _, fault in found if fault is not None]
        if len(faults) == len(found):
            raise faults[0].refusal()

    async def _look_at(self, node: ClusterNode) -> tuple[StoreFacts, Fault | None]:
        if self.allow_volatile:
            await node.execute_command("PING")
            return facts_of({}, None), None
        keys = map(PROBE_KEY.format, range(MOST_PROBE_KEYS))
        own = (key for key in keys if self.client.get_node_from_key(key).name == node.name)
        facts, fault = await judge(node.execute_command, next(own, ""))
        if not facts.syncs_always:
            self.waits_for_disk = True
        return facts, fault

    async def call(self, script: Script, key: str, arguments: Sequence[Any], durable: bool = False) -> Any:
        """Call a script on the node of its key. Errors: E.STORE_AWAY at once where that node is known to be away."""
        if self._away and self._node_of(key) in self._away:
            raise refuse(E.STORE_AWAY)
        if self._faults and (fault := self._faults.get(self._node_of(key))) is not None:
            raise fault.refusal()
        try:
            return await super().call(script, key, arguments, durable)
        except AdjudicatorError as error:
            name = self._node_of(key)
            if error.problems[0].number == E.STORE_AWAY and name and name not in self._away:
                self._away[name] = asyncio.create_task(self._wait_for(name, key))
            raise

    def _node_of(self, key: str) -> str:
        """Return the name of the node that has a key as far as is known, "" where nothing is."""
        with contextlib.suppress(redis.exceptions.RedisClusterException):
            return str(self.client.get_node_from_key(key).name)
        return ""

    async def _wait_for(self, name: str, key: str) -> None:
        """Wait until a node that is away is back, or another node has its slots."""
        try:
            while True:
                await asyncio.sleep(PROBE_SECONDS)
                with contextlib.suppress(*RETRIED, AdjudicatorError):
                    # Not by the client: it would ask the node that is away, and all others would wait for that.
                    await self.client.nodes_manager.initialize(last_failed_node_name=name)
                    await self.client.get_node_from_key(key).execute_command("GET", key)
                    return
        finally:
            del self._away[name]

    async def prove_durable(self) -> None:
        """Nothing is left to prove: each connection did when it was made."""
        self._proven = self._connections

    async def entries(self, key: str, first: str, last: str, count: int) -> list[tuple[bytes, bytes]]:
        """Return name and block of some entries of a journal stream."""
        found = await self.persist(partial(self.client.xrange, key, first, last, count=count))
        return [(name, fields.get(b"r", b"")) for name, fields in found]

    async def scan(self, prefix: bytes, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and keys that begin with the prefix of a pool: only its node is asked."""
        await self.client.initialize()
        node = self.client.get_node_from_key(prefix.decode())
        cursors, keys = await self.client.scan(cursor, match=prefix + b"*", count=count, target_nodes=node)
        return int(next(iter(cursors.values()))), keys

    def _way(self) -> Callable[[tuple[Any, ...]], Awaitable[Any]]:
        """Return what sends a command: the library, which knows the node of its key."""
        return lambda command: self.client.execute_command(*command)

    async def _send_and_wait(self, command: tuple[Any, ...]) -> Any:
        """Send a command to the node of its key, and answer when its write is on the disk there."""
        await self.client.initialize()
        node = self.client.get_node_from_key(command[3] if command[0].startswith("EVAL") else command[1])
        pipeline = self.client.pipeline()
        pipeline.execute_command(*command, target_nodes=node)
        pipeline.execute_command("WAITAOF", 1, self.replicas, int(self.attempt_seconds * 800), target_nodes=node)
        # A redirection that the library followed would leave the wait behind on the former node.
        reply, synced = await pipeline.execute(raise_on_error=False, allow_redirections=False)
        if isinstance(reply, redis.exceptions.MovedError):
            await self.client.nodes_manager.move_slot(reply)
            raise NotYetDurable
        return self._on_disk(reply, synced)


async def _ask(connection: AbstractConnection, *command: Any) -> Any:
    await connection.send_command(*command)
    return await connection.read_response()


def _nodes(url: str) -> list[dict[str, Any]]:
    """Return the options of each node that the address names."""
    parts = urlsplit(url)
    credentials, at, addresses = parts.netloc.rpartition("@")
    scheme = parts.scheme.removesuffix("+cluster")
    return [
        dict(parse_url(urlunsplit((scheme, credentials + at + address, parts.path, parts.query, ""))))
        for address in addresses.split(",")
    ]
