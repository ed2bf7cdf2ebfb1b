"""Commands to one store over one connection, each in few buffers, answered in the order they were sent.

The library of the store makes each connection: address, TLS, name and password. Then a pipe takes over the transport,
because the library's own way to send a command and wait for its reply is several coroutines a call
(docs/adr/0020-scripts-over-a-pipe.md). A connection that fails refuses everything that waits for a reply on it; the
caller knows whether the same may be sent again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis
from redis._parsers import BaseParser
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import InvalidResponse

_LARGE = 64 * 1024
"""Bytes of an argument from which it is sent where it stands; copying it would cost more than a buffer of its own."""


def _buffers(command: tuple[Any, ...]) -> list[bytes | memoryview]:
    """Return a command as it is sent: one buffer, but large arguments stay where they are."""
    largest = 0
    for part in command:
        if not isinstance(part, int):
            largest = max(largest, len(part))
    if largest <= _LARGE:
        return [hiredis.pack_command(command)]
    buffers: list[bytes | memoryview] = []
    small = b"*%d\r\n" % len(command)
    for part in command:
        octets = part if isinstance(part, bytes | memoryview) else str(part).encode()
        small += b"$%d\r\n" % len(octets)
        if len(octets) > _LARGE:
            buffers += (small, octets)
            small = b"\r\n"
        else:
            small += bytes(octets) + b"\r\n"
    return [*buffers, small]


class _Replies(asyncio.Protocol):
    """The replies of one connection: the n-th is that of the n-th command."""

    def __init__(self, connection: AbstractConnection):
        """Take over a connection that is connected and has no command under way; it keeps the socket and closes it."""
        self.is_open = True
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(protocolError=InvalidResponse, replyError=BaseParser.parse_error)
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._transport: asyncio.Transport = connection._writer.transport  # the library has no public name for it
        self._transport.set_protocol(self)

    def send(self, command: tuple[Any, ...]) -> asyncio.Future[Any]:
        """Send a command; the future takes its reply."""
        reply: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(reply)
        self._transport.writelines(_buffers(command))
        return reply

    def data_received(self, data: bytes) -> None:
        """Give the replies to those who wait for them."""
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                waiting = self._waiting.popleft()
                if waiting.done():  # its caller has gone
                    continue
                if isinstance(reply, Exception):
                    waiting.set_exception(reply)
                else:
                    waiting.set_result(reply)
        except (InvalidResponse, IndexError):
            self.close(Disconnected("the store answers what nobody asked"))

    def connection_lost(self, error: Exception | None) -> None:
        """Refuse everything that waits for a reply."""
        self.close(Disconnected("the store closed the connection"))

    def close(self, error: Exception) -> None:
        """Close the connection; everything that waits for a reply fails with ``error``."""
        self.is_open = False
        self._transport.abort()
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(error)


class Pipe:
    """Sends commands to one store and returns their replies. Belongs to one event loop."""

    def __init__(self, make: Callable[[], AbstractConnection], attempt_seconds: float):
        """``make`` returns a new connection of the library; ``attempt_seconds`` limits the wait for each reply."""
        self._make, self._attempt_seconds = make, attempt_seconds
        self._replies: _Replies | None = None
        self._opening: asyncio.Task[_Replies] | None = None

    async def ask(self, command: tuple[Any, ...]) -> Any:
        """Send a command and return its reply.

        Errors: those of the library, TimeoutError too. The store may have run a command that got no reply.
        """
        replies = self._replies
        if replies is None or not replies.is_open:
            replies = await self._open()
        reply = replies.send(command)
        limit = asyncio.get_running_loop().call_later(
            self._attempt_seconds, replies.close, TimeoutError("the store did not answer in time")
        )
        try:
            return await reply
        finally:
            limit.cancel()

    async def _open(self) -> _Replies:
        """Connect, once for all who ask at the same time; where that fails it fails for each of them."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._connect())
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)

    async def _connect(self) -> _Replies:
        connection = self._make()
        await connection.connect()
        self._replies = _Replies(connection)
        return self._replies

    def _opened(self, opening: asyncio.Task[_Replies]) -> None:
        self._opening = None
        if not opening.cancelled():
            opening.exception()  # those who asked may have gone

    def close(self) -> None:
        """Close the connection."""
        if self._opening is not None:
            self._opening.cancel()
        if self._replies is not None:
            self._replies.close(Disconnected("closed"))
