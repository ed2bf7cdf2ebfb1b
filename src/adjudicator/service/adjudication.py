"""The Adjudication service: claims in, settlements out.

The calls that carry claims never see the protobuf library: bytes go to the settler and come back. In a batch each claim
is refused on its own, inside the answer; the call itself fails only when this service failed every claim of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

import grpc
import numpy as np

from adjudicator.errors import AdjudicatorError
from adjudicator.service.application import Application
from adjudicator.service.calls import Context, check_size, deadline_of, stream, unary
from adjudicator.service.frames import join_frames
from adjudicator.service.grouping import group_batch
from adjudicator.service.microbatch import Answer
from adjudicator.service.records import Records
from adjudicator.service.repricing import Repricing
from adjudicator.service.settling import BatchCall
from adjudicator.service.status import is_of_service, refused_settlement

SERVICE_NAME = "adjudicator.v1.Adjudication"
RULES_METADATA = "x-adjudicator-rules"


class AdjudicationCalls:
    """Handlers of all calls of the service."""

    def __init__(self, application: Application):
        self.application = application

    def handlers(self) -> grpc.GenericRpcHandler:
        """Return the table of calls for the gRPC server."""
        shared = (self.application.metrics, self.application.door)
        single = {
            "PreSettle": self.pre_settle,
            "Settle": self.settle,
            "SettleBatch": self.settle_batch,
            "Reverse": self.reverse,
            "GetSettlement": self.get_settlement,
            "Explain": self.explain,
            "Group": self.group,
            "GetAccumulators": self.get_accumulators,
        }
        streams = {"SettleStream": self.settle_stream, "Reprice": self.reprice}
        table = {name: unary(name, call, *shared) for name, call in single.items()}
        table |= {name: stream(name, call, *shared) for name, call in streams.items()}
        return grpc.method_handlers_generic_handler(SERVICE_NAME, table)

    # ---------------------------------------------------------------- claims

    async def pre_settle(self, message: bytes, context: Context) -> bytes:
        """Prices one claim; nothing is recorded."""
        self.application.settler()
        return _single(await self.application.trial_calls.submit(message, deadline_of(context), len(message)))

    async def settle(self, message: bytes, context: Context) -> bytes:
        """Settles one claim."""
        self.application.settler()
        return _single(await self.application.settle_calls.submit(message, deadline_of(context), len(message)))

    async def settle_batch(self, message: bytes, context: Context) -> bytes:
        """Settles a batch."""
        return await self._settle_batch("SettleBatch", message, context)

    async def settle_stream(self, messages: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        """Settles batch after batch; the next is taken up when the one before has been answered."""
        self.application.settler()
        async for message in self.application.until_stop(messages):
            check_size(message)
            yield await self._settle_batch("SettleStream", message, context)

    async def _settle_batch(self, name: str, message: bytes, context: Context) -> bytes:
        """Settle a ClaimBatch message in one batch with those that come beside it."""
        self.application.settler()
        submit = self.application.batch_calls.submit
        return await self._answer_batch(
            name, message, context,
            lambda call: submit(call, deadline_of(context), len(message), len(call.starts)),
        )  # fmt: skip

    async def _answer_batch(
        self, name: str, message: bytes, context: Context, work: Callable[[BatchCall], Awaitable[list[Answer]]]
    ) -> bytes:
        """Answer a ClaimBatch message; the claims that its caller may not send are refused and not worked on."""
        call, door = BatchCall.of(message), self.application.door
        refused = door.refused_claims(name, call.claims, context)
        if not refused:
            return _batch(call.claims, await work(call))
        for refusal in refused.values():
            await door.note(name, context, refusal)
        kept = np.array([place for place in range(len(call.starts)) if place not in refused], np.int64)
        answered = await work(BatchCall(message, call.starts[kept], call.ends[kept])) if kept.size else []
        answers: dict[int, Answer] = {**refused, **dict(zip(kept.tolist(), answered, strict=True))}
        return _batch(call.claims, [answers[place] for place in range(len(call.starts))])

    async def reprice(self, messages: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        """Prices batch after batch under a named bundle over accumulators of this stream alone."""
        name = str(dict(context.invocation_metadata() or ()).get(RULES_METADATA, ""))
        repricing = None
        async for message in self.application.until_stop(messages):
            check_size(message)
            # A refusal before the first message is read may reach grpcio while it writes, and is INTERNAL there.
            repricing = repricing or self._repricing(name)
            price = partial(repricing.price_batch, deadline=deadline_of(context))
            yield await self._answer_batch("Reprice", message, context, price)
        if repricing is None:
            self._repricing(name)

    def _repricing(self, name: str) -> Repricing:
        """Begin a stream under a named bundle. Errors: NOT_READY, UNKNOWN_RULES."""
        return Repricing(self.application.engines().find(name), self.application.settler().compute)

    # ---------------------------------------------------------------- what was recorded

    def records(self) -> Records:
        """Return the stored settlements under the loaded rules."""
        return Records(self.application.engines().settling, self.application.store)

    async def reverse(self, message: bytes, context: Context) -> bytes:
        """Take a settlement back; what cannot be recorded in the audit log is not taken back."""
        records, application = self.records(), self.application
        request = records.read_reversal(message)
        caller = application.door.name_of(context)
        async with application.audit.act("reverse", **caller, pool=request.pool, key=request.original.hex()) as ending:
            record = await records.reverse(request)
            ending |= {"institution_code": record.institution, "encounter_id": record.encounter}
            ending["sequence"] = record.sequence
        return record.answer

    async def get_settlement(self, message: bytes, _context: Context) -> bytes:
        """Return the stored answer."""
        return await self.records().get_settlement(message)

    async def explain(self, message: bytes, _context: Context) -> bytes:
        """Return the steps of a stored settlement."""
        return await self.records().explain(message)

    async def get_accumulators(self, message: bytes, context: Context) -> bytes:
        """Return a person's year."""
        patients_of = self.application.door.patients_of("GetAccumulators", context)
        return await self.records().get_accumulators(message, patients_of)

    async def group(self, message: bytes, _context: Context) -> bytes:
        """DRG grouping alone."""
        engine = self.application.engines().settling
        return await self.application.settler().compute(len(message), lambda: group_batch(engine, message))


def _single(answer: Answer) -> bytes:
    """Answer of a unary call: the settlement, or the refusal as the status of the call."""
    if isinstance(answer, AdjudicatorError):
        raise answer
    return answer


def _batch(claims: Callable[[], Sequence[memoryview]], answers: Sequence[Answer]) -> bytes:
    """Answer of a batch call; a refused claim has its problems in its answer.

    Where each single claim failed for a reason of this service (store away, deadline, ...), the call fails with the
    first of these reasons instead, so that a caller's ordinary retry does the right thing.
    """
    refused = [answer for answer in answers if isinstance(answer, AdjudicatorError)]
    if not refused:
        return join_frames(answers)  # type: ignore[arg-type]
    if len(refused) == len(answers) and all(map(is_of_service, refused)):
        raise refused[0]
    return join_frames(
        refused_settlement(claim, answer) if isinstance(answer, AdjudicatorError) else answer
        for claim, answer in zip(claims(), answers, strict=True)
    )
