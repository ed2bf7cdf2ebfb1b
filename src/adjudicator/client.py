"""A thin client: a channel with the right limits, and retries by the one rule that is safe here.

The rule: the same claim, byte for byte, may be sent again as often as one likes, because its key makes it count once.
So whatever leaves the outcome open (connection lost, deadline, store away) is answered by sending the same bytes again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from adjudicator import limits
from adjudicator.v1 import adjudication_pb2_grpc, claim_pb2, settlement_pb2

Answer = TypeVar("Answer")

OPEN_OUTCOMES = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNKNOWN,
    }
)
"""After these nobody but the service knows whether the claim was recorded: send it again. So may be any refusal that
names a retry delay."""

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 4 * limits.MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", 4 * limits.MAX_MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),  # each client its own connection, so that workers share the load
)


def open_channel(target: str, credentials: grpc.ChannelCredentials | None = None) -> grpc.aio.Channel:
    """Return a channel to a service; without ``credentials`` in plain text."""
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(target, credentials, options=CHANNEL_OPTIONS)


def tls_credentials(
    authority: Path, certificate: Path | None = None, key: Path | None = None
) -> grpc.ChannelCredentials:
    """Return what a channel needs to speak TLS, from PEM files: whom to trust, own certificate and key.

    Errors: OSError where a file cannot be read.
    """
    own = [file.read_bytes() if file else None for file in (key, certificate)]
    return grpc.ssl_channel_credentials(authority.read_bytes(), *own)


def status_of(error: grpc.RpcError) -> status_pb2.Status | None:
    """Return the rich status of a refused call; None where the refusal did not come from this service."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return status_pb2.Status.FromString(value)
    return None


def code_of(error: grpc.RpcError) -> str:
    """Code of the error table, e.g. ``ADJ-3009``; empty where the refusal did not come from this service."""
    for detail in getattr(status_of(error), "details", ()):
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            return str(error_details_pb2.ErrorInfo.FromString(detail.value).reason)
    return ""


def retry_delay_seconds(error: grpc.RpcError) -> float | None:
    """Pause that the service asks for; None where it says nothing."""
    for detail in getattr(status_of(error), "details", ()):
        if detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            delay = error_details_pb2.RetryInfo.FromString(detail.value).retry_delay
            return float(delay.seconds + delay.nanos / 1e9)
    return None


class Client:
    """Calls of a hospital system. Use as ``async with Client(target) as client``."""

    def __init__(self, target: str, credentials: grpc.ChannelCredentials | None = None, most_attempts: int = 10):
        self.channel = open_channel(target, credentials)
        self.adjudication = adjudication_pb2_grpc.AdjudicationStub(self.channel)  # type: ignore[no-untyped-call]  # generated
        self.most_attempts = most_attempts
        self.attempts = 0
        """Calls made, the repeated ones too."""

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()

    async def settle(self, claim: claim_pb2.Claim, timeout_seconds: float = 10.0) -> settlement_pb2.Settlement:
        """Settles one claim; raises ``grpc.RpcError`` when it was refused or every attempt failed."""
        settlement: settlement_pb2.Settlement = await self.call(self.adjudication.Settle, claim, timeout_seconds)
        return settlement

    async def settle_batch(
        self, claims: Sequence[claim_pb2.Claim], timeout_seconds: float = 30.0
    ) -> Sequence[settlement_pb2.Settlement]:
        """Settles many claims; each answer says for itself whether it was refused."""
        batch = claim_pb2.ClaimBatch(claims=claims)
        answer: settlement_pb2.SettlementBatch = await self.call(self.adjudication.SettleBatch, batch, timeout_seconds)
        return answer.settlements

    async def call(self, method: Callable[..., Awaitable[Answer]], message: Message, timeout_seconds: float) -> Answer:
        """Make an idempotent call, again while its outcome is open."""
        for attempt in range(1, self.most_attempts + 1):
            self.attempts += 1
            try:
                return await method(message, timeout=timeout_seconds, wait_for_ready=True)
            except grpc.RpcError as error:
                asked_pause_seconds = retry_delay_seconds(error)
                may_repeat = error.code() in OPEN_OUTCOMES or asked_pause_seconds is not None
                if not may_repeat or attempt == self.most_attempts:
                    raise
                pause_seconds = asked_pause_seconds or min(0.05 * 2**attempt, 1.0)
                await asyncio.sleep(pause_seconds * (0.5 + random.random()))
        raise AssertionError("the loop returns or raises")
