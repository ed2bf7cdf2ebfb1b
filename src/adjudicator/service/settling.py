"""Settling exactly once: decode, read the ledger, answer what is known, price the rest, commit, answer.

A batch is committed wholly or not at all. Where a key became known or a person's year moved between reading and
committing, what is still open is read and priced again. Nothing is answered before it is on the disk of the store.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from adjudicator import limits
from adjudicator.claim.basis import principal_codes, write_basis
from adjudicator.claim.batch import Batch, Priced
from adjudicator.claim.engine import OUTCOME_SETTLED, OUTCOME_TRIAL, Engine
from adjudicator.claim.state import PersonYears
from adjudicator.columns import ACCUMULATOR_COUNT
from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger.batch import CommitBatch, Settlements, StateRead, pack
from adjudicator.service.logs import describe, log
from adjudicator.service.metrics import Metrics
from adjudicator.service.microbatch import Answer
from adjudicator.service.open_claims import OpenClaims, refusal, unique_keys
from adjudicator.service.options import ServeOptions
from adjudicator.service.store import Store
from adjudicator.wire.decode import BATCH_DEPTH, MAX_DEPTH, split_batch

T = TypeVar("T")

ISOLATED = frozenset({E.INTERNAL, E.LEDGER_CORRUPT})
"""Failures that may come from one claim: the claims of the batch are then tried one by one."""
MOST_ATTEMPTS = 12
"""Rounds of reading and pricing before a claim whose person's year keeps moving is refused as CONFLICT."""
PATIENT_ATTEMPTS = 2
"""Rounds without a pause between them."""
SHORTEST_WORK_SECONDS = 0.002
"""A durable commit takes at least about this long: with less time left a claim is refused before it is priced."""
INLINE_BYTES = 256 * 1024
"""Claims up to this size are computed on the event loop (about a millisecond), more in a thread."""


class Settler:
    """Settles batches of claims over one engine and one store; lives on one event loop."""

    def __init__(
        self, engine: Engine, store: Store, options: ServeOptions, metrics: Metrics, threads: Executor | None = None
    ):
        """``threads`` compute big batches; without them everything is computed on the loop."""
        self.engine = engine
        self.store = store
        self.metrics = metrics
        self.waiting = 0
        """Claims of batch calls that wait for a place."""
        self.waiting_bytes = 0
        self._options = options
        self._places = asyncio.Semaphore(options.most_batches)
        self._threads = threads
        self._running: set[asyncio.Task] = set()
        self._pools = [f"{int(pack.pool):06d}" for pack in engine.bundle.packs]

    async def close(self) -> None:
        """Waits for batches whose callers have gone."""
        if self._running:
            await asyncio.wait(self._running)

    # ---------------------------------------------------------------- entrances

    async def settle(self, messages: Sequence[bytes], deadlines: Sequence[float]) -> list[Answer]:
        """Settles claims, each on its own; one answer a claim, in order."""
        batch = await self._prepare(*_joined(messages), MAX_DEPTH)
        return await self._settle(batch, deadlines)

    async def trial(self, messages: Sequence[bytes], deadlines: Sequence[float]) -> list[Answer]:
        """Prices claims without recording anything; claims with their own accumulators need no store."""
        batch = await self._prepare(*_joined(messages), MAX_DEPTH)
        return await self._try(batch, deadlines)

    async def settle_batch(self, message: bytes, deadline: float) -> tuple[list[memoryview], list[Answer]]:
        """Settles a ClaimBatch message; returns its claims on the wire and their answers.

        A caller that goes away does not stop it half way. Errors: MALFORMED_MESSAGE, EMPTY_BATCH, TOO_MANY_CLAIMS,
        OVERLOADED.
        """
        starts, ends = split(message)
        self._enter(len(starts), len(message))
        task = asyncio.get_running_loop().create_task(self._settle_in_turn(message, starts, ends, deadline))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        answers = await asyncio.shield(task)
        view = memoryview(message)
        return [view[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)], answers

    def _enter(self, claims: int, size_bytes: int) -> None:
        """Takes a batch into the queue, or refuses it as OVERLOADED; an idle service takes a batch of any size."""
        options = self._options
        many = self.waiting + claims > options.most_waiting_claims
        if self.waiting and (many or self.waiting_bytes + size_bytes > options.most_waiting_bytes):
            raise refuse(E.OVERLOADED)
        self.waiting += claims
        self.waiting_bytes += size_bytes

    async def _settle_in_turn(
        self, message: bytes, starts: np.ndarray, ends: np.ndarray, deadline: float
    ) -> list[Answer]:
        try:
            await self._places.acquire()
        finally:
            self.waiting -= len(starts)
            self.waiting_bytes -= len(message)
        try:
            batch = await self._prepare(message, starts, ends, BATCH_DEPTH)
            return await self._settle(batch, [deadline] * len(starts))
        finally:
            self._places.release()

    # ---------------------------------------------------------------- the way of a batch

    async def _prepare(self, buffer: bytes, starts: np.ndarray, ends: np.ndarray, max_depth: int) -> Batch:
        return await self.compute(len(buffer), lambda: self.engine.prepare(buffer, starts, ends, max_depth=max_depth))

    async def _settle(self, batch: Batch, deadlines: Sequence[float]) -> list[Answer]:
        answers: dict[int, Answer] = {
            row: refusal(batch, row) for row in np.flatnonzero(batch.claims["error"]).tolist()
        }
        good = batch.good_rows()
        if good.size:
            fields, contents = await self.compute(batch.id_start, batch.digests)
            packs, until = batch.claims["pack"][good], np.array(deadlines)
            parts = [
                OpenClaims(batch, self._pools[number], good[packs == number], until, fields, contents)
                for number in np.unique(packs).tolist()
            ]
            await asyncio.gather(*map(self._settle_pool, parts))
            for part in parts:
                answers |= part.answers
        return [answers[row] for row in range(len(batch))]

    async def _settle_pool(self, work: OpenClaims) -> None:
        """Answers every claim of one pool, whatever happens."""
        try:
            await self._settle_rounds(work)
            return
        except AdjudicatorError as error:
            failure = error
        except Exception as error:
            log("fault", where="settling", claims=int(work.rows.size), pool=work.pool, error=describe(error))
            failure = refuse(E.INTERNAL)
        if failure.problems[0].number in ISOLATED and work.rows.size > 1:
            for row in work.rows.tolist():
                alone = work.alone(row)
                await self._settle_pool(alone)
                work.answers |= alone.answers
            return
        if failure.problems[0].number in ISOLATED:
            log("refused", code=failure.problems[0].row.code, reason=failure.problems[0].detail, pool=work.pool)
        work.refuse(work.rows, failure)

    async def _settle_rounds(self, work: OpenClaims) -> None:
        """Rounds of read, price, commit until every claim has an answer."""
        ledger, clock, attempt = self.store.ledger(), asyncio.get_running_loop(), 0
        while True:
            late = work.late(work.rows, clock.time() + SHORTEST_WORK_SECONDS)
            if late.size:
                work.refuse(late, refuse(E.DEADLINE))
            if not work.rows.size:
                return
            rows = work.first_of_each_key()
            state_keys, state_rows = unique_keys(work.batch.state_keys[rows])
            read = await ledger.read(work.pool, work.batch.keys[rows], state_keys)
            if read.known:
                reversals = await ledger.read(work.pool, work.reversal_keys(rows[list(read.known)]), [])
                self.metrics.counters["repeated"] += work.answer_known(rows, read.known, reversals.known)
                fresh = np.ones(len(rows), bool)
                fresh[list(read.known)] = False
                rows, state_rows = rows[fresh], state_rows[fresh]
                if not rows.size:
                    continue
            good, encoded, commit = await self._priced(work, rows, state_rows, read.states)
            if work.late(rows, clock.time()).size:
                continue  # refused above; the others are priced again without what these would have changed
            if commit is not None:
                committed = await ledger.commit(commit)
                if not committed.done:
                    attempt += 1
                    self.metrics.counters["conflicts"] += 1
                    await self._give_way(work, rows, state_rows, committed.moved, attempt)
                    continue
                self.metrics.counters["settlements"] += len(good)
                work.answer(good, encoded)
                attempt = 0
            work.refuse_wrong(rows)

    async def _give_way(
        self, work: OpenClaims, rows: np.ndarray, state_rows: np.ndarray, moved: tuple[int, ...], attempt: int
    ) -> None:
        """After a conflict: first at once, then with a growing pause, in the end whose year keeps moving is refused."""
        if attempt > PATIENT_ATTEMPTS:
            await asyncio.sleep(random.uniform(0, 0.001 * 2 ** min(attempt, 6)))
        if attempt >= MOST_ATTEMPTS:
            work.refuse(rows[np.isin(state_rows, moved)] if moved else rows, refuse(E.CONFLICT))

    # ---------------------------------------------------------------- pricing

    async def _priced(
        self, work: OpenClaims, rows: np.ndarray, state_rows: np.ndarray, states: StateRead
    ) -> tuple[np.ndarray, list[bytes], CommitBatch | None]:
        """Prices and encodes ``rows``: those that were not refused, their answers, and what to commit."""
        return await self.compute(_size(work.batch, rows), lambda: self._price(work, rows, state_rows, states))

    def _price(
        self, work: OpenClaims, rows: np.ndarray, state_rows: np.ndarray, states: StateRead
    ) -> tuple[np.ndarray, list[bytes], CommitBatch | None]:
        batch = work.batch
        batch.claims["error"][rows] = 0  # what a former round refused over an older year is asked again
        batch.claims["error_line"][rows] = -1
        priced = self.engine.price(batch, rows, state_rows, PersonYears.read(states.slots, _quotas(states)))
        kept = np.flatnonzero(batch.claims["error"][rows] == 0)
        if not kept.size:
            return rows[kept], [], None
        answers, offsets = self.engine.encode(batch, rows[kept], OUTCOME_SETTLED)
        commit = pack(self.columns(work, priced, kept, states, answers, offsets))
        return rows[kept], cut(answers, offsets), commit

    def columns(
        self,
        work: OpenClaims,
        priced: Priced,
        kept: np.ndarray,
        states: StateRead,
        answers: np.ndarray,
        ends: np.ndarray,
    ) -> Settlements:
        """What the ledger writes of the claims at the positions ``kept`` of ``priced``."""
        batch, rows = work.batch, priced.rows[kept]
        # The usual case, every claim of the batch, takes no copies.
        rows = slice(None) if len(rows) == len(batch) else rows
        kept = slice(None) if len(kept) == len(priced.rows) else kept
        claims = batch.claims[rows]
        tables = batch.decoded.tables
        basis, basis_offsets = write_basis(
            claims, batch.splits[rows], priced.seen[kept], priced.quota_seen[kept],
            principal_codes(batch.heap, tables[""][rows], tables["diagnoses"]),
        )  # fmt: skip
        return Settlements(
            pool=work.pool,
            keys=batch.keys[rows],
            contents=work.contents[rows].view(np.uint8).reshape(-1, 16),
            field_digests=work.fields[rows],
            persons=batch.persons[rows],
            counties=self.engine.lookup.area_codes(claims),
            claims=claims,
            benefits=batch.benefits[rows],
            payments=batch.payments[rows],
            sequences=batch.sequences(rows),
            text=batch.heap,
            names=batch.names(rows),
            answers=answers,
            answer_offsets=ends,
            states=states,
            state_rows=priced.state_rows[kept],
            before=priced.before[kept],
            after=priced.after[kept],
            quota_keys=priced.quota_keys[kept],
            quota_before=priced.quota_before[kept],
            quota_after=priced.quota_after[kept],
            basis=basis,
            basis_offsets=basis_offsets,
        )

    async def compute(self, size_bytes: int, work: Callable[[], T]) -> T:
        """Small work at once, big work in a thread: kernels let go of the interpreter lock, so the loop goes on."""
        if size_bytes <= INLINE_BYTES or self._threads is None:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    # ---------------------------------------------------------------- trial

    async def _try(self, batch: Batch, deadlines: Sequence[float]) -> list[Answer]:
        """Prices each claim on its own over its person's year as it is now."""
        answers: dict[int, Answer] = {
            row: refusal(batch, row) for row in np.flatnonzero(batch.claims["error"]).tolist()
        }
        good = batch.good_rows()
        slots = np.zeros((len(batch), ACCUMULATOR_COUNT), np.int64)
        quotas: dict[int, dict[int, int]] = {}
        asking = good[batch.claims["accumulators_given"][good] == 0]
        for number in np.unique(batch.claims["pack"][asking]).tolist():
            rows = asking[batch.claims["pack"][asking] == number]
            try:
                states = (await self.store.ledger().read(self._pools[number], [], batch.state_keys[rows])).states
            except AdjudicatorError as error:
                answers |= dict.fromkeys(rows.tolist(), error)
                continue
            slots[rows] = states.slots
            quotas |= zip(rows.tolist(), _quotas(states), strict=False)
        now = asyncio.get_running_loop().time()
        answers |= {row: refuse(E.DEADLINE) for row in good.tolist() if deadlines[row] < now}
        rows = np.array([row for row in good.tolist() if row not in answers], np.int64)
        if rows.size:
            years = PersonYears.read(slots[rows], [quotas.get(row, {}) for row in rows.tolist()])
            parts = await self.compute(_size(batch, rows), lambda: self._price_trial(batch, rows, years))
            for row, part in zip(rows.tolist(), parts, strict=True):
                answers[row] = refusal(batch, row) if batch.claims["error"][row] else part
        return [answers[row] for row in range(len(batch))]

    def _price_trial(self, batch: Batch, rows: np.ndarray, years: PersonYears) -> list[bytes]:
        self.engine.price(batch, rows, np.arange(len(rows)), years)
        return cut(*self.engine.encode(batch, rows, OUTCOME_TRIAL))


def split(message: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where the claims of a ClaimBatch are. Errors: MALFORMED_MESSAGE, EMPTY_BATCH, TOO_MANY_CLAIMS."""
    starts, ends, status = split_batch(message)
    if status:
        raise refuse(E.MALFORMED_MESSAGE)
    if not len(starts):
        raise refuse(E.EMPTY_BATCH, "claims")
    if len(starts) > limits.MAX_CLAIMS_PER_BATCH:
        raise refuse(E.TOO_MANY_CLAIMS, "claims", str(limits.MAX_CLAIMS_PER_BATCH))
    return starts, ends


def _joined(messages: Sequence[bytes]) -> tuple[bytes, np.ndarray, np.ndarray]:
    """One buffer, and where each message starts and ends in it."""
    offsets = np.zeros(len(messages) + 1, np.int64)
    np.cumsum([len(message) for message in messages], out=offsets[1:])
    return b"".join(messages), offsets[:-1], offsets[1:]


def cut(encoded: np.ndarray, offsets: np.ndarray) -> list[bytes]:
    """Each answer as bytes of its own."""
    whole = encoded.tobytes()
    return [whole[start:end] for start, end in pairwise(offsets.tolist())]


def _size(batch: Batch, rows: np.ndarray) -> int:
    """Bytes of the claims ``rows``, roughly."""
    return batch.id_start * len(rows) // len(batch)


def _quotas(states: StateRead) -> list[dict[int, int]]:
    if not len(states.quotas):
        return []
    return [states.quotas_of(row) for row in range(len(states.keys))]
