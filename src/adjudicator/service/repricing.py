"""Re-pricing over a stream: a named rule bundle, persons' years that live as long as the stream, no ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from adjudicator.claim.engine import OUTCOME_TRIAL, Engine
from adjudicator.claim.local import Years
from adjudicator.errors import E, refuse
from adjudicator.service.microbatch import Answer
from adjudicator.service.open_claims import refusals, refused_by_pricing
from adjudicator.service.settling import BatchCall, cut
from adjudicator.wire.decode import BATCH_DEPTH

MOST_PERSON_YEARS = 500_000
"""Person-years of one stream: 512 bytes each; beyond it the stream ends with OVERLOADED."""

Compute = Callable[[int, Callable[[], list[Answer]]], Awaitable[list[Answer]]]


class Repricing:
    """State of one Reprice stream."""

    def __init__(self, engine: Engine, compute: Compute):
        self.engine = engine
        self._compute = compute
        self._years = Years(MOST_PERSON_YEARS)

    async def price_batch(self, call: BatchCall, deadline: float) -> list[Answer]:
        """Prices the claims of a ClaimBatch message over what the stream's earlier batches left."""
        if deadline < asyncio.get_running_loop().time():
            raise refuse(E.DEADLINE)
        return await self._compute(len(call.message), lambda: self._price(call))

    def _price(self, call: BatchCall) -> list[Answer]:
        resolved = self.engine.prepare(*call, max_depth=BATCH_DEPTH)
        result = self.engine.price(resolved, resolved.good, *self._years.rows(resolved, resolved.good))
        answers = refusals(resolved)
        answers |= zip(resolved.good.tolist(), cut(*self.engine.encode(result, OUTCOME_TRIAL)), strict=True)
        answers |= refused_by_pricing(result)
        return [answers[row] for row in range(len(resolved))]
