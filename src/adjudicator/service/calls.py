"""What every call has in common: deadlines, refusals with their details, and faults that reveal nothing.

Handlers take and return bytes. The protobuf library reads the rare calls here and not in the transport, because there a
malformed message would end as INTERNAL instead of as a refusal of the error table.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeAlias, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from adjudicator import limits
from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.service.logs import describe, log
from adjudicator.service.metrics import Metrics
from adjudicator.service.status import abort

Context: TypeAlias = grpc.aio.ServicerContext
Unary = Callable[[bytes, Context], Awaitable[bytes]]
Stream = Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]]
ServerStream = Callable[[bytes, Context], AsyncIterator[bytes]]
Asked = TypeVar("Asked", bound=Message)


class Guard(Protocol):
    """Looks at each message before its handler does (:class:`adjudicator.service.door.Door`)."""

    def check(self, call: str, message: bytes, context: Context) -> None:
        """Let a message in, or raise why not."""

    async def note(self, call: str, context: Context, refusal: AdjudicatorError) -> None:
        """Record a refusal, where it is one of the door."""


OK, CANCELLED = "OK", "CANCELLED"
"""How calls end that are not refused, in the counters."""
HARD_MESSAGE_BYTES = 2 * limits.MAX_MESSAGE_BYTES
"""The transport cuts a message off here without a word of explanation; up to here the refusal explains itself."""


def deadline_of(context: Context) -> float:
    """Deadline of a call on the event loop's clock; infinite where the caller set none."""
    remaining_seconds: float | None = context.time_remaining()
    if remaining_seconds is None:
        return math.inf
    return asyncio.get_running_loop().time() + remaining_seconds


def parse(kind: type[Asked], message: bytes | memoryview) -> Asked:
    """Read a rare call's message, or refuse it as malformed."""
    try:
        return kind.FromString(message)  # type: ignore[arg-type]  # it reads any buffer
    except DecodeError:
        raise refuse(E.MALFORMED_MESSAGE) from None


def check_size(message: bytes) -> None:
    """Refuses a message over the limit."""
    if len(message) > limits.MAX_MESSAGE_BYTES:
        raise refuse(E.MESSAGE_TOO_LARGE, detail=str(limits.MAX_MESSAGE_BYTES))


def unary(name: str, handle: Unary, metrics: Metrics, guard: Guard) -> grpc.RpcMethodHandler:
    """Return the handler of a call with one message in and one out."""

    async def call(message: bytes, context: Context) -> bytes:
        started = metrics.started()
        try:
            check_size(message)
            guard.check(name, message, context)
            answer = await handle(message, context)
        except Exception as error:
            await _end(name, error, started, metrics, context, guard)
            raise AssertionError("abort raises") from None
        except asyncio.CancelledError:
            metrics.finished(name, CANCELLED, started)
            raise
        metrics.finished(name, OK, started)
        return answer

    return grpc.unary_unary_rpc_method_handler(call)


def stream(name: str, handle: Stream, metrics: Metrics, guard: Guard) -> grpc.RpcMethodHandler:
    """Return the handler of a call with many messages in and out."""

    async def call(messages: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        checked = _checked(name, messages, context, guard)
        async for answer in _guarded(name, handle(checked, context), context, metrics, guard):
            yield answer

    return grpc.stream_stream_rpc_method_handler(call)


def server_stream(name: str, handle: ServerStream, metrics: Metrics, guard: Guard) -> grpc.RpcMethodHandler:
    """Return the handler of a call with one message in and many out."""

    async def call(message: bytes, context: Context) -> AsyncIterator[bytes]:
        answers = _while_allowed(name, handle(message, context), message, context, guard)
        async for answer in _guarded(name, answers, context, metrics, guard):
            yield answer

    return grpc.unary_stream_rpc_method_handler(call)


async def _checked(name: str, messages: AsyncIterator[bytes], context: Context, guard: Guard) -> AsyncIterator[bytes]:
    """Yield each message of a stream that is let in."""
    async for message in messages:
        guard.check(name, message, context)
        yield message


async def _while_allowed(
    name: str, answers: AsyncIterator[bytes], message: bytes, context: Context, guard: Guard
) -> AsyncIterator[bytes]:
    """Yield the answers to one message as long as its caller may have them."""
    guard.check(name, message, context)
    async for answer in answers:
        guard.check(name, message, context)
        yield answer


async def _guarded(
    name: str, answers: AsyncIterator[bytes], context: Context, metrics: Metrics, guard: Guard
) -> AsyncIterator[bytes]:
    started = metrics.started()
    try:
        async for answer in answers:
            yield answer
    except Exception as error:
        await _end(name, error, started, metrics, context, guard)
    except (asyncio.CancelledError, GeneratorExit):
        metrics.finished(name, CANCELLED, started)
        raise
    else:
        metrics.finished(name, OK, started)


async def _end(name: str, error: Exception, started: float, metrics: Metrics, context: Context, guard: Guard) -> None:
    """End a call with its refusal, which is counted and recorded before the caller can know of it."""
    refusal = _refusal(name, error)
    await guard.note(name, context, refusal)
    metrics.finished(name, refusal.problems[0].row.code, started)
    await abort(context, refusal)


def _refusal(name: str, error: Exception) -> AdjudicatorError:
    """Return an expected refusal as it is; anything else is our fault: logged by place, answered as INTERNAL."""
    if isinstance(error, AdjudicatorError):
        return error
    log("fault", call=name, error=describe(error))
    return refuse(E.INTERNAL)
