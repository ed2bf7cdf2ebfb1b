"""Re-pricing over a stream: a named rule bundle, persons' years that live as long as the stream, no ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np

from adjudicator.columns import ACCUMULATOR_COUNT
from adjudicator.engine.adjudicate import OUTCOME_TRIAL, Batch, Engine
from adjudicator.engine.state import PersonYears
from adjudicator.errors import E, refuse
from adjudicator.service.microbatch import Answer
from adjudicator.service.open_claims import refusal
from adjudicator.service.settling import cut, split
from adjudicator.wire.decode import BATCH_DEPTH

MOST_PERSON_YEARS = 500_000
"""Person-years of one stream: 512 bytes each; beyond it the stream ends with OVERLOADED."""

Compute = Callable[[int, Callable[[], list[Answer]]], Awaitable[list[Answer]]]


class Repricing:
    """State of one Reprice stream."""

    def __init__(self, engine: Engine, compute: Compute):
        self.engine = engine
        self._compute = compute
        self._years = PersonYears.new(64)
        self._rows: dict[bytes, int] = {}

    async def price_batch(self, message: bytes, deadline: float) -> tuple[list[memoryview], list[Answer]]:
        """Prices a ClaimBatch message over what the stream's earlier batches left; its claims and their answers."""
        starts, ends = split(message)
        if deadline < asyncio.get_running_loop().time():
            raise refuse(E.DEADLINE)
        answers = await self._compute(len(message), lambda: self._price(message, starts, ends))
        view = memoryview(message)
        return [view[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)], answers

    def _price(self, message: bytes, starts: np.ndarray, ends: np.ndarray) -> list[Answer]:
        batch = self.engine.prepare(message, starts, ends, max_depth=BATCH_DEPTH)
        good = batch.good_rows()
        self.engine.price(batch, good, self._year_rows(batch, good), self._years)
        answers: list[Answer] = list(cut(*self.engine.encode(batch, good, OUTCOME_TRIAL)))
        by_row = dict(zip(good.tolist(), answers, strict=True))
        for row in np.flatnonzero(batch.claims["error"]).tolist():
            by_row[row] = refusal(batch, row)
        return [by_row[row] for row in range(len(batch))]

    def _year_rows(self, batch: Batch, rows: np.ndarray) -> np.ndarray:
        """int64: row of the stream's years of each claim; new persons get a row."""
        known = self._rows
        keys = batch.state_keys[rows].tobytes()
        result = [known.setdefault(keys[at : at + 16], len(known)) for at in range(0, len(keys), 16)]
        if len(known) > MOST_PERSON_YEARS:
            raise refuse(E.OVERLOADED)
        slots = self._years.slots
        if len(known) > len(slots):
            grown = np.zeros((2 * len(known), ACCUMULATOR_COUNT), np.int64)
            grown[: len(slots)] = slots
            self._years.slots = grown
        return np.array(result, np.int64)
