"""Settling exactly once: decode, read the ledger, answer what is known, price the rest, commit, answer.

A batch is committed wholly or not at all. Where a key became known or a person's year moved between reading and
committing, what is still open is read and priced again. Nothing is answered before it is on the disk of the store.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from adjudicator import limits
from adjudicator.claim.batch import Resolved, Result
from adjudicator.claim.engine import OUTCOME_TRIAL, Engine
from adjudicator.claim.kin import Kin
from adjudicator.claim.state import PersonYears
from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger.batch import CommitBatch, Settlements, pack
from adjudicator.ledger.commit_kernel import Identities, Money
from adjudicator.ledger.fee_lines import Lines
from adjudicator.ledger.record_kernel import Names, Parts
from adjudicator.ledger.state_kernel import Changes
from adjudicator.ledger.states import StateRead
from adjudicator.ledger.store import Read
from adjudicator.options import Overlap
from adjudicator.service.encounters import chains_of, check_encounters
from adjudicator.service.logs import describe, log
from adjudicator.service.metrics import Metrics
from adjudicator.service.microbatch import Answer, Leave
from adjudicator.service.open_claims import NO_ROWS, OpenClaims, refusals, refused_by_pricing
from adjudicator.service.options import ServeOptions
from adjudicator.service.store import Store
from adjudicator.service.today import latest_settlement
from adjudicator.service.years import guarded, person_years, year_keys, years_of_each
from adjudicator.wire.decode import BATCH_DEPTH, MAX_DEPTH, split_batch

T = TypeVar("T")

ISOLATED = frozenset({E.INTERNAL, E.LEDGER_CORRUPT, E.AMOUNT_OUT_OF_RANGE})
"""Failures that may come from one claim: the batch is then settled in halves, until that claim is alone."""
MOST_ATTEMPTS = 12
"""Rounds of reading and pricing before a claim whose person's year keeps moving is refused as CONFLICT."""
PATIENT_ATTEMPTS = 2
"""Rounds without a pause between them."""
SHORTEST_WORK_SECONDS = 0.002
"""A durable commit takes at least about this long: with less time left a claim is refused before it is priced."""
INLINE_BYTES = 16 * 1024
"""Claims up to this size, some three of 50 lines, are computed on the event loop, more in a thread beside it."""


def no_leave() -> None:
    """Tell nobody that the engine is free."""


class Priced(NamedTuple):
    """One round: the answer of each of its claims, refusals too, and what must be committed before they are given."""

    answers: dict[int, Answer]
    commit: CommitBatch | None


class BatchCall(NamedTuple):
    """A ClaimBatch message, and where its claims begin and end (int64[n] each)."""

    message: bytes
    starts: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, message: bytes) -> BatchCall:
        """Find the claims of a message. Errors: MALFORMED_MESSAGE, EMPTY_BATCH, TOO_MANY_CLAIMS."""
        return cls(message, *split(message))

    def claims(self) -> list[memoryview]:
        """Return each claim on the wire."""
        view = memoryview(self.message)
        return [view[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]


class Work(NamedTuple):
    """Claims that are priced in one round."""

    rows: np.ndarray
    """int64[k] of the batch."""
    state_rows: np.ndarray
    """int64[k]: rows of their years among those that were read."""
    kin: Kin


class Settler:
    """Settles batches of claims over one engine and one store; lives on one event loop."""

    def __init__(
        self, engine: Engine, store: Store, options: ServeOptions, metrics: Metrics, threads: Executor | None = None
    ):
        """``threads`` compute big batches; without them everything is computed on the loop."""
        self.engine = engine
        self.store = store
        self.metrics = metrics
        self._options = options
        self._threads = threads
        self._inline_bytes = INLINE_BYTES if threads else sys.maxsize
        self._pools = [f"{int(pack.pool):06d}" for pack in engine.bundle.packs]
        self._strict = np.array([Overlap.REFUSE in pack.overlaps for pack in engine.bundle.packs])
        self._any_strict = bool(self._strict.any())

    # ---------------------------------------------------------------- entrances

    async def settle(
        self, messages: Sequence[bytes], deadlines: Sequence[float], leave: Leave = no_leave
    ) -> list[Answer]:
        """Settles claims, each on its own; one answer a claim, in order."""
        return await self._settle(await self._prepare(messages, digested=True), deadlines, leave)

    async def trial(
        self, messages: Sequence[bytes], deadlines: Sequence[float], _leave: Leave = no_leave
    ) -> list[Answer]:
        """Prices claims without recording anything; claims with their own accumulators need no store."""
        return await self._try(await self._prepare(messages), deadlines)

    async def settle_batches(
        self, calls: Sequence[BatchCall], deadlines: Sequence[float], leave: Leave = no_leave
    ) -> list[list[Answer]]:
        """Settles ClaimBatch messages in one commit; the answers of each, in order."""
        counts = [len(call.starts) for call in calls]
        ends = [0, *accumulate(counts)]
        joined = calls[0] if len(calls) == 1 else _join(calls)
        resolved = await self._prepare_joined(joined, BATCH_DEPTH, digested=True)
        answers = await self._settle(resolved, np.repeat(deadlines, counts), leave)
        return [answers[start:end] for start, end in pairwise(ends)]

    # ---------------------------------------------------------------- the way of a batch

    async def _prepare(self, messages: Sequence[bytes], *, digested: bool = False) -> Resolved:
        """Decode and resolve single claims, joined into one buffer; only those to be settled are held to the clock."""
        offsets = np.zeros(len(messages) + 1, np.int64)
        np.cumsum(list(map(len, messages)), out=offsets[1:])
        return await self._prepare_joined(
            BatchCall(b"".join(messages), offsets[:-1], offsets[1:]), MAX_DEPTH, digested=digested
        )

    async def _prepare_joined(self, joined: BatchCall, max_depth: int, *, digested: bool) -> Resolved:
        latest = latest_settlement(self._options) if digested else limits.LAST_DATE
        prepare = partial(self.engine.prepare, *joined, max_depth=max_depth, digested=digested, latest=latest)
        return await self.compute(len(joined.message), prepare)

    async def _settle(self, resolved: Resolved, deadlines: Sequence[float] | np.ndarray, leave: Leave) -> list[Answer]:
        good = resolved.good
        answers = refusals(resolved) if len(good) < len(deadlines) else {}
        if good.size:
            parts = self._by_pool(resolved, np.array(deadlines))
            if len(parts) == 1:
                await self._settle_pool(parts[0], leave)
            else:
                await asyncio.gather(*(self._settle_pool(part, leave) for part in parts))
            for part in parts:
                answers |= part.answers
        return list(map(answers.__getitem__, range(len(deadlines))))

    def _by_pool(self, resolved: Resolved, until: np.ndarray) -> list[OpenClaims]:
        """Return the claims that can be priced, those of each pool apart; ``until`` float64[n]: deadlines."""
        good = resolved.good
        if len(self._pools) == 1:
            return [OpenClaims(resolved, self._pools[0], good, until)]
        packs = resolved.claims["pack"][good]
        return [
            OpenClaims(resolved, self._pools[number], good[packs == number], until)
            for number in np.unique(packs).tolist()
        ]

    async def _settle_pool(self, work: OpenClaims, leave: Leave) -> None:
        """Answer every claim of one pool, whatever happens: rounds of read, price, commit until none is open."""
        clock, attempt = asyncio.get_running_loop(), 0
        try:
            ledger = self.store.ledger()
            while work.rows.size:
                late = work.late(work.rows, clock.time() + SHORTEST_WORK_SECONDS)
                if late.size:
                    work.refuse(late, refuse(E.DEADLINE))
                    continue
                rows = work.next_rows()
                state_keys, state_rows, kin = year_keys(self.engine.bundle, work.resolved, rows)
                read = await ledger.read(
                    work.pool, work.resolved.keys.take(rows, axis=0).tobytes(), state_keys.tobytes()
                )
                if read.known:
                    await self._answer_known(work, rows, read)
                    fresh = np.ones(len(rows), bool)
                    fresh[list(read.known)] = False
                    rows, state_rows, kin = rows[fresh], state_rows[fresh], kin.of(fresh)
                    if not rows.size:
                        continue
                later, chained = work.later_settlements(rows), work.chained(rows)
                if later.size:
                    checked = await check_encounters(ledger, work.pool, work.resolved, later)
                    work.stays.update(checked.stays)
                    if checked.refused:
                        work.answer(checked.refused)
                        continue
                if chained.size:
                    last = read.states.last[state_rows[chained]]
                    work.chains.update(await chains_of(ledger, work.pool, work.resolved, rows[chained], last))
                share = work.resolved.incoming.size * len(rows) // len(work.deadlines)
                price = partial(self._price, work, Work(rows, state_rows, kin), read.states)
                priced = await self.compute(share, price)
                if work.late(rows, clock.time()).size:
                    continue  # refused above; the others are priced again without what these would have changed
                if priced.commit is not None:
                    leave()
                    committed = await ledger.commit(priced.commit)
                    if not committed.done:
                        attempt += 1
                        self.metrics.counters["conflicts"] += 1
                        await self._give_way(work, rows, state_rows, committed.moved, attempt)
                        continue
                    self.metrics.counters["settlements"] += len(priced.commit)
                    attempt = 0
                work.answer(priced.answers)
        except Exception as error:
            await self._failed(work, error, leave)

    async def _answer_known(self, work: OpenClaims, rows: np.ndarray, read: Read) -> None:
        """Answer the claims that were settled before, with a notice where the settlement was taken back."""
        reversals = await self.store.ledger().read(work.pool, work.reversal_keys(rows[list(read.known)]), b"")
        self.metrics.counters["repeated"] += work.answer_known(rows, read.known, reversals.known)

    async def _failed(self, work: OpenClaims, error: Exception, leave: Leave) -> None:
        """Refuse what is open after a failure; where one claim may have caused it, settle one half after the other."""
        failure = error if isinstance(error, AdjudicatorError) else refuse(E.INTERNAL)
        if failure is not error:
            log("fault", where="settling", claims=int(work.rows.size), pool=work.pool, error=describe(error))
        problem = failure.problems[0]
        if problem.number in ISOLATED and work.rows.size > 1:
            for rows in np.array_split(work.rows, 2):
                part = work.part(rows)
                await self._settle_pool(part, leave)
                work.answers |= part.answers
            return
        if problem.number in ISOLATED:
            log("refused", code=problem.row.code, reason=problem.detail, pool=work.pool)
        work.refuse(work.rows, failure)

    async def _give_way(
        self, work: OpenClaims, rows: np.ndarray, state_rows: np.ndarray, moved: tuple[int, ...], attempt: int
    ) -> None:
        """After a conflict: first at once, then with a growing pause, in the end whose year keeps moving is refused."""
        if attempt > PATIENT_ATTEMPTS:
            await asyncio.sleep(random.uniform(0, 0.001 * 2 ** min(attempt, 6)))
        if attempt >= MOST_ATTEMPTS:
            of_moved = np.isin(state_rows, moved)
            work.refuse(rows[of_moved] if of_moved.any() else rows, refuse(E.CONFLICT))

    # ---------------------------------------------------------------- pricing

    def _price(self, work: OpenClaims, these: Work, states: StateRead) -> Priced:
        """Price and encode claims over the years as read; every round starts from the same resolved claims."""
        rows, state_rows, kin = these
        years = person_years(states, state_rows, kin)
        years.stays, years.chains = work.stays, work.chains
        result = self.engine.price(work.resolved, rows, state_rows, years)
        kept = (result.errors == 0).nonzero()[0]
        answers = refused_by_pricing(result) if len(kept) < len(rows) else {}
        if not kept.size:
            return Priced(answers, None)
        encoded, basis = self.engine.encode_settled(result, kept)
        answers.update(zip(rows[kept].tolist(), cut(*encoded), strict=True))
        settlements = self.columns(work, result, kept, states, (Parts(*encoded), Parts(*basis)))
        if work.stays or self._any_strict or np.count_nonzero(result.claims["assistance"]):
            settlements.guarded = guarded(result, kept, kin, self._strict, work.stays)
        return Priced(answers, pack(settlements))

    def columns(
        self, work: OpenClaims, result: Result, kept: np.ndarray, states: StateRead, parts: tuple[Parts, Parts]
    ) -> Settlements:
        """Return what the ledger writes of the claims at the positions ``kept`` of ``result``.

        ``parts``: answers, basis. A column of one row is contiguous by itself and one of more rows is not, and a copy
        may be written to where what it was taken from may not. A kernel is compiled anew for each, which takes a
        minute: so every column is made contiguous, and what is read-only is always copied.
        """
        resolved, digests = work.resolved, work.resolved.digests
        incoming, rows = resolved.incoming, result.rows.take(kept)
        # The usual case, every claim of the batch, takes no copies of what is large.
        whole = len(kept) == len(result.rows)
        chosen: np.ndarray | slice = slice(None) if whole else kept
        claims = result.claims if whole else result.claims.take(kept)
        wire = incoming.claims if len(rows) == len(resolved) else incoming.claims.take(rows)
        return Settlements(
            work.pool,
            Identities(
                keys=resolved.keys.take(rows, axis=0),
                contents=digests.contents.take(rows, axis=0).view(np.uint8),
                field_digests=digests.fields.take(rows, axis=0),
                persons=resolved.persons.take(rows, axis=0),
                counties=self.engine.lookup.area_codes[claims["pack"], claims["county"]],
                sequences=np.ascontiguousarray(wire["settlement_sequence"], np.uint32),
                names=Names(
                    text=incoming.heap,
                    institution_starts=np.ascontiguousarray(wire["institution_code_start"]),
                    institution_sizes=np.ascontiguousarray(wire["institution_code_size"]),
                    encounter_starts=np.ascontiguousarray(wire["encounter_id_start"]),
                    encounter_sizes=np.ascontiguousarray(wire["encounter_id_size"]),
                ),
            ),
            Money(
                claims,
                result.benefits if whole else result.benefits.take(kept),
                result.payments if whole else result.payments.take(kept),
            ),
            states,
            Changes(
                state_rows=result.state_rows[chosen],
                before=result.before[chosen],
                after=result.after[chosen],
                quota_keys=result.quota_keys[chosen],
                quota_before=result.quota_before[chosen],
                quota_after=result.quota_after[chosen],
                days_keys=np.ascontiguousarray(result.days["key"][chosen]),
                days=np.ascontiguousarray(result.days["days"][chosen]),
            ),
            NO_ROWS,
            *parts,
            Lines(
                incoming.heap,
                incoming.lines,
                resolved.line_splits,
                np.ascontiguousarray(claims["line_start"]),
                np.ascontiguousarray(claims["line_end"]),
            ),
        )

    async def compute(self, size_bytes: int, work: Callable[[], T]) -> T:
        """Do small work at once and big work in a thread."""
        return work() if size_bytes <= self._inline_bytes else await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Do big work beside the loop, which goes on: kernels let go of the interpreter lock."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    # ---------------------------------------------------------------- trial

    async def _try(self, resolved: Resolved, deadlines: Sequence[float]) -> list[Answer]:
        """Price each claim on its own over its person's year as it is now.

        The claims that bring their year with them need no store.
        """
        answers, claims = refusals(resolved), resolved.claims
        asking = (claims["accumulators_given"] == 0) | (claims["chain_continues"] != 0)
        asking |= resolved.incoming.claims["settlement_sequence"] > 1
        for number in np.unique(claims["pack"][resolved.good]).tolist():
            rows = resolved.good[claims["pack"][resolved.good] == number]
            for part, asks in ((rows[~asking[rows]], False), (rows[asking[rows]], True)):
                if part.size:
                    answers |= await self._try_pool(resolved, self._pools[number] if asks else "", part, deadlines)
        return [answers[row] for row in range(len(resolved))]

    async def _try_pool(
        self, resolved: Resolved, pool: str, rows: np.ndarray, deadlines: Sequence[float]
    ) -> dict[int, Answer]:
        """Price claims of one pool; "" for those that ask the store nothing."""
        refused: dict[int, AdjudicatorError] = {}
        years = PersonYears.new(len(rows))
        if pool:
            try:
                refused, years = await self._years_of_trials(resolved, pool, rows)
            except AdjudicatorError as error:
                return dict.fromkeys(rows.tolist(), error)
        now = asyncio.get_running_loop().time()
        late = {row: refuse(E.DEADLINE) for row in rows.tolist() if deadlines[row] < now}
        size = resolved.incoming.size * len(rows) // len(resolved)
        priced = await self.compute(size, partial(self._price_trial, resolved, rows, years))
        return priced | refused | late

    async def _years_of_trials(
        self, resolved: Resolved, pool: str, rows: np.ndarray
    ) -> tuple[dict[int, AdjudicatorError], PersonYears]:
        """Return which claims the ledger refuses, and the years, one row for each of ``rows``."""
        ledger = self.store.ledger()
        later = rows[resolved.incoming.claims["settlement_sequence"][rows] > 1]
        checked = await check_encounters(ledger, pool, resolved, later)
        state_keys, state_rows, kin = year_keys(self.engine.bundle, resolved, rows)
        states = (await ledger.read(pool, b"", state_keys.tobytes())).states
        years = years_of_each(states, state_rows, kin)
        chained = np.flatnonzero(resolved.claims["chain_continues"][rows])
        years.stays = checked.stays
        years.chains = await chains_of(ledger, pool, resolved, rows[chained], states.last[state_rows[chained]])
        return checked.refused, years

    def _price_trial(self, resolved: Resolved, rows: np.ndarray, years: PersonYears) -> dict[int, Answer]:
        result = self.engine.price(resolved, rows, np.arange(len(rows)), years)
        parts = cut(*self.engine.encode(result, OUTCOME_TRIAL))
        return dict(zip(rows.tolist(), parts, strict=True)) | refused_by_pricing(result)


def _join(calls: Sequence[BatchCall]) -> BatchCall:
    """Return some messages one after the other as one, which no decoder reads as a whole."""
    offsets = [0, *accumulate(len(call.message) for call in calls)]
    starts = np.concatenate([call.starts + offset for call, offset in zip(calls, offsets, strict=False)])
    ends = np.concatenate([call.ends + offset for call, offset in zip(calls, offsets, strict=False)])
    return BatchCall(b"".join(call.message for call in calls), starts, ends)


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


def cut(encoded: np.ndarray, offsets: np.ndarray) -> list[bytes]:
    """Return each answer as bytes of its own."""
    whole, parts = encoded.tobytes(), []
    for start, end in pairwise(offsets.tolist()):
        parts.append(whole[start:end])
    return parts
