"""Commands over one connection: each caller gets the reply to its own command, whatever happens to the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import hiredis
import pytest
import redis.exceptions
from redis.asyncio.connection import UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from adjudicator.ledger.pipe import Pipe

Answer = Callable[[list[bytes], asyncio.StreamWriter], Awaitable[None]]
"""Answers one command."""


async def echo(command: list[bytes], writer: asyncio.StreamWriter) -> None:
    writer.write(b"$%d\r\n%s\r\n" % (len(command[1]), command[1]))


class Store:
    """A server that speaks the protocol of the store and answers as a test wants."""

    def __init__(self, path, answer: Answer = echo, *, greets: bool = True):
        self.path, self.answer, self.greets, self.connections = str(path / "socket"), answer, greets, 0

    async def __aenter__(self) -> Store:
        self.server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        commands = hiredis.Reader()
        while data := await reader.read(1 << 16):
            commands.feed(data)
            while (command := commands.gets()) is not False:
                if command[0] == b"CLIENT":  # the library introduces itself
                    writer.write(b"+OK\r\n" if self.greets else b"")
                else:
                    await self.answer(command, writer)
        writer.close()

    def pipe(self, attempt_seconds: float = 5.0) -> Pipe:
        options = {"protocol": 2, "socket_timeout": attempt_seconds, "retry": Retry(NoBackoff(), 0)}
        return Pipe(lambda: UnixDomainSocketConnection(path=self.path, **options), attempt_seconds)


def test_each_caller_gets_its_own_reply_over_one_connection(tmp_path):
    async def scenario():
        async with Store(tmp_path) as store:
            pipe, texts = store.pipe(), [b"%d" % number * (number % 70 * 3000 + 1) for number in range(200)]
            assert await asyncio.gather(*(pipe.ask(("ECHO", memoryview(text))) for text in texts)) == texts
            assert store.connections == 1
            pipe.close()

    asyncio.run(scenario())


def test_an_error_of_the_store_is_raised_for_its_caller_alone(tmp_path):
    async def answer(command, writer):
        await echo(command, writer) if command[1] != b"2" else writer.write(b"-NOSCRIPT No matching script\r\n")

    async def scenario():
        async with Store(tmp_path, answer) as store:
            pipe = store.pipe()
            replies = await asyncio.gather(*(pipe.ask(("ECHO", b"%d" % k)) for k in range(4)), return_exceptions=True)
            assert [reply for reply in replies if isinstance(reply, bytes)] == [b"0", b"1", b"3"]
            assert isinstance(replies[2], redis.exceptions.NoScriptError)
            pipe.close()

    asyncio.run(scenario())


def test_a_caller_that_has_gone_leaves_its_reply_to_nobody(tmp_path):
    go_on = asyncio.Event()

    async def answer(command, writer):
        if command[1] == b"slow":
            await go_on.wait()
        await echo(command, writer)

    async def scenario():
        async with Store(tmp_path, answer) as store:
            pipe = store.pipe()
            slow = asyncio.create_task(pipe.ask(("ECHO", b"slow")))
            await asyncio.sleep(0.05)
            other = asyncio.create_task(pipe.ask(("ECHO", b"other")))
            await asyncio.sleep(0.05)
            slow.cancel()
            go_on.set()
            assert await other == b"other"
            assert await pipe.ask(("ECHO", b"next")) == b"next"
            assert store.connections == 1
            pipe.close()

    asyncio.run(scenario())


def test_a_store_that_does_not_answer_in_time_is_asked_over_a_new_connection(tmp_path):
    async def answer(command, writer):
        if command[1] == b"late":
            await asyncio.sleep(0.5)
        await echo(command, writer)

    async def scenario():
        async with Store(tmp_path, answer) as store:
            pipe = store.pipe(attempt_seconds=0.2)
            late = [asyncio.create_task(pipe.ask(("ECHO", text))) for text in (b"late", b"behind it")]
            replies = await asyncio.gather(*late, return_exceptions=True)
            assert [type(reply) for reply in replies] == [TimeoutError, TimeoutError]
            assert await pipe.ask(("ECHO", b"next")) == b"next"
            await asyncio.sleep(0.6)
            assert await pipe.ask(("ECHO", b"after the late reply")) == b"after the late reply"
            assert store.connections == 2
            pipe.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("close", [True, False], ids=["closed", "a reply that nobody asked for"])
def test_a_broken_connection_refuses_all_who_wait_and_is_made_anew(tmp_path, close):
    async def answer(command, writer):
        if command[1] != b"break":
            await echo(command, writer)
        elif close:
            writer.close()
        else:
            writer.write(b"$5\r\nbreak\r\n+OK\r\n+OK\r\n+OK\r\n")

    async def scenario():
        async with Store(tmp_path, answer) as store:
            pipe = store.pipe()
            assert await pipe.ask(("ECHO", b"first")) == b"first"
            replies = await asyncio.gather(*(pipe.ask(("ECHO", b"break")) for _ in range(2)), return_exceptions=True)
            assert not close or all(isinstance(reply, redis.exceptions.ConnectionError) for reply in replies), replies
            await asyncio.sleep(0.05)
            assert await pipe.ask(("ECHO", b"next")) == b"next"
            assert store.connections == 2
            pipe.close()

    asyncio.run(scenario())


def test_a_store_that_is_not_there_is_an_error_of_each_call(tmp_path):
    async def scenario():
        pipe = Store(tmp_path).pipe()
        for _ in range(2):
            with pytest.raises((redis.exceptions.ConnectionError, OSError)):
                await pipe.ask(("ECHO", b"x"))
        pipe.close()

    asyncio.run(scenario())


def test_a_store_that_hangs_is_tried_once_for_all_who_ask_at_the_same_time(tmp_path):
    async def scenario():
        async with Store(tmp_path, greets=False) as store:
            pipe = store.pipe(attempt_seconds=0.2)
            replies = await asyncio.gather(*(pipe.ask(("ECHO", b"x")) for _ in range(20)), return_exceptions=True)
            assert all(isinstance(reply, redis.exceptions.RedisError) for reply in replies), replies
            assert store.connections == 1
            store.greets = True
            assert await pipe.ask(("ECHO", b"back")) == b"back"
            pipe.close()

    asyncio.run(scenario())
