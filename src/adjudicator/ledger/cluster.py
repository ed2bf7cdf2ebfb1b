"""The connection to a cluster: each pool lies on one node, and each node proves for itself that it keeps its writes.

The cluster client of the library knows which node has which slot and follows a slot that has moved. All keys of a pool
are one slot, so every script of the ledger runs on one node, as it does over a single store.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import redis.exceptions
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from adjudicator.errors import E, refuse
from adjudicator.ledger.connection import Connection, NotYetDurable, syncs_always

MOST_CONNECTIONS = 10_000
"""Connections to a node; the callers are limited elsewhere."""


def connect(
    url: str, timeout_seconds: float, attempt_seconds: float, allow_volatile: bool, replicas: int
) -> Connection:
    """Return the connection to a store: redis://, rediss://, unix://, or a cluster: redis+cluster://, rediss+cluster://
    with one or more of its nodes, ``HOST:PORT,HOST:PORT``.
    """
    kind = ClusterConnection if urlsplit(url).scheme.endswith("+cluster") else Connection
    return kind(url, timeout_seconds, attempt_seconds, allow_volatile, replicas)


class ClusterConnection(Connection):
    """A cluster. A node that is away refuses its own pools (E.STORE_AWAY); the others go on."""

    client: RedisCluster  # speaks as the client of one store, but for what is below

    def _client(self, url: str, attempt_seconds: float) -> RedisCluster:
        nodes = _nodes(url)
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
        settings: Sequence[Any] = ()
        with contextlib.suppress(redis.exceptions.ResponseError, redis.exceptions.NoPermissionError):
            settings = await _ask(connection, "CONFIG", "GET", "append*")
        if self.replicas or not syncs_always(settings):
            self.waits_for_disk = True
            try:
                await _ask(connection, "WAITAOF", 1, self.replicas, int(self.attempt_seconds * 800))
            except redis.exceptions.ResponseError as error:
                raise refuse(E.STORE_NOT_DURABLE) from error

    async def prove_durable(self) -> None:
        """Nothing is left to prove: each connection did when it was made."""
        self._proven = self._connections

    async def scan(self, prefix: bytes, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Return the next cursor and keys that begin with the prefix of a pool: only its node is asked."""
        await self.client.initialize()
        node = self.client.get_node_from_key(prefix.decode())
        cursors, keys = await self.client.scan(cursor, match=prefix + b"*", count=count, target_nodes=node)
        return int(next(iter(cursors.values()))), keys

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
