"""Settling without the network: conflicts, duplicates, late callers, several pools, faults that stay with one claim."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import math
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from adjudicator.claim.engine import Engine
from adjudicator.claim.keys import settlement_key, state_key
from adjudicator.codes import Scheme
from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger import keys as names
from adjudicator.ledger.batch import LARGEST_TOTAL
from adjudicator.payers import Fund
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.frames import join_frames
from adjudicator.service.metrics import Metrics
from adjudicator.service.microbatch import Bounds, MicroBatcher
from adjudicator.service.options import ServeOptions
from adjudicator.service.records import Records
from adjudicator.service.settling import BatchCall, Settler
from adjudicator.service.store import Store
from adjudicator.v1 import claim_pb2, settlement_pb2

from .claims import COUNTY, POOL, claim


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load_bundle(["hangzhou"]))


@contextlib.asynccontextmanager
async def settler(engine: Engine, url: str, **options: object) -> AsyncIterator[Settler]:
    """A settler over a store, as one service process has it."""
    store = Store(url, Path("unused"))
    await store.open()
    chosen = dataclasses.replace(ServeOptions(), **options)
    one = Settler(engine, store, chosen, Metrics())
    try:
        yield one
    finally:
        await store.close()


async def settle(one: Settler, *claims: claim_pb2.Claim, deadline: float = math.inf) -> list:
    """Answers: settlements read, refusals as their number."""
    answers = await one.settle([message.SerializeToString() for message in claims], [deadline] * len(claims))
    return [read(answer) for answer in answers]


def read(answer: bytes | AdjudicatorError) -> settlement_pb2.Settlement | int:
    if isinstance(answer, AdjudicatorError):
        return answer.problems[0].number
    return settlement_pb2.Settlement.FromString(answer)


def key(message: claim_pb2.Claim) -> bytes:
    return settlement_key(message.institution_code, message.encounter_id, message.settlement_sequence)


def copy(message: claim_pb2.Claim, **fields: object) -> claim_pb2.Claim:
    changed = claim_pb2.Claim()
    changed.CopyFrom(message)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def test_two_processes_that_settle_for_one_person_at_once_both_succeed_over_each_other(engine, store_url):
    async def day() -> None:
        async with settler(engine, store_url) as one, settler(engine, store_url) as other:
            # Kernels that are not kept yet are compiled here, while no call waits for the store.
            await settle(one, claim(900_000, person_id="first"))
            claims = [claim(900_000, person_id="busy") for _ in range(20)]
            answers = await asyncio.gather(*(settle(one if i % 2 else other, c) for i, c in enumerate(claims)))
            assert all(answer[0].outcome == settlement_pb2.OUTCOME_SETTLED for answer in answers)
            assert one.metrics.counters["conflicts"] + other.metrics.counters["conflicts"] > 0
            ledger = one.store.ledger()
            year = await ledger.accumulators(POOL, state_key("busy", 2, 2025))
            stays = year.slots[0]
            alone = [claim(900_000, person_id="alone") for _ in range(20)]
            await settle(one, *alone)
            in_order = await ledger.accumulators(POOL, state_key("alone", 2, 2025))
            assert stays.tolist() == in_order.slots[0].tolist()
            assert (await ledger.verify(POOL)).holds

    asyncio.run(day())


def test_one_key_settled_by_two_processes_at_once_has_one_answer(engine, store_url):
    async def day() -> None:
        async with settler(engine, store_url) as one, settler(engine, store_url) as other:
            for _ in range(10):
                message = claim(500_000)
                answers = await asyncio.gather(*(settle(who, message) for who in (one, other, one, other)))
                assert len({answer[0].SerializeToString(deterministic=True) for answer in answers}) == 1
            assert one.metrics.counters["settlements"] + other.metrics.counters["settlements"] == 10

    asyncio.run(day())


def test_duplicates_inside_a_batch_get_the_first_answer_or_the_field_that_differs(engine, store_url):
    async def day() -> None:
        async with settler(engine, store_url) as one:
            message = claim(500_000)
            other_content, wrong = copy(message, sex=2), claim(500_000, lines=[], total_fen=0)
            first, again, different, refused, refused_again = await settle(
                one, message, message, other_content, wrong, wrong
            )
            assert first == again
            assert different == E.KEY_REUSED
            assert refused == refused_again == E.NO_LINES

    asyncio.run(day())


def test_a_refused_claim_does_not_use_up_its_key(engine, store_url):
    async def day() -> None:
        async with settler(engine, store_url) as one:
            early = {"settlement_date": 19950303, "admission_date": 19950301, "discharge_date": 19950303}
            message = claim(500_000)
            message.lines[0].fee_date = 19950302
            assert await settle(one, copy(message, **early)) == [E.NO_RULE_ON_DATE]
            (answer,) = await settle(one, message)
            assert answer.outcome == settlement_pb2.OUTCOME_SETTLED

    asyncio.run(day())


def test_a_claim_whose_time_is_over_is_not_recorded_and_its_neighbours_are(engine, store_url):
    async def day() -> None:
        async with settler(engine, store_url) as one:
            first, late, last = claim(500_000, person_id="p"), claim(500_000, person_id="p"), claim(1, person_id="p")
            now = asyncio.get_running_loop().time()
            answers = await one.settle(
                [message.SerializeToString() for message in (first, late, last)], [math.inf, now + 0.001, math.inf]
            )
            assert [type(answer) for answer in answers] == [bytes, AdjudicatorError, bytes]
            assert read(answers[1]) == E.DEADLINE
            ledger = one.store.ledger()
            assert await ledger.get(POOL, key(late)) is None
            year = await ledger.accumulators(POOL, state_key("p", 2, 2025))
            assert year.versions[0] > 0
            assert (await ledger.verify(POOL)).holds

    asyncio.run(day())


def test_a_damaged_record_refuses_its_own_claim_and_no_other(engine, store_url):
    async def day() -> None:
        async with settler(engine, store_url) as one:
            claims = [claim(500_000) for _ in range(4)]
            bucket = names.index_bucket(POOL, key(claims[2]))
            await one.store.ledger().connection.client.hset(bucket, key(claims[2]), "no place at all")
            answers = await settle(one, *claims)
            assert answers[2] == E.LEDGER_CORRUPT
            assert [answer.outcome for i, answer in enumerate(answers) if i != 2] == [
                settlement_pb2.OUTCOME_SETTLED
            ] * 3

    asyncio.run(day())


def test_one_batch_for_two_pools_is_recorded_in_both(store_url):
    async def day() -> None:
        both = Engine(load_bundle(["hangzhou", "taizhou"]))
        pools = {pack.id: pack for pack in both.bundle.packs}
        async with settler(both, store_url) as one:
            here = claim(500_000)
            hospital = pools["taizhou"].hospitals[0]
            there = claim(500_000, institution_code=hospital.code, insured_area=f"{pools['taizhou'].areas[0].code}")
            answers = await settle(one, here, there, here)
            assert [answer.outcome for answer in answers] == [settlement_pb2.OUTCOME_SETTLED] * 3
            for message, pool in ((here, "hangzhou"), (there, "taizhou")):
                record = await one.store.ledger().get(f"{pools[pool].pool:06d}", key(message))
                assert record.encounter == message.encounter_id

    asyncio.run(day())


def test_the_answers_do_not_depend_on_how_the_claims_are_batched(engine, store_url):
    async def day() -> None:
        async with settler(engine, store_url) as one:
            amounts = [100 * (i % 7 + 1) * 997 for i in range(60)]
            alone = [claim(amount, person_id=f"alone{i % 11}") for i, amount in enumerate(amounts)]
            together = [claim(amount, person_id=f"together{i % 11}") for i, amount in enumerate(amounts)]
            one_by_one = [(await settle(one, message))[0] for message in alone]
            at_once = await settle(one, *together)
            for a, b in zip(one_by_one, at_once, strict=True):
                assert (a.deductible_fen, a.fund_total_fen, a.cash_fen) == (
                    b.deductible_fen,
                    b.fund_total_fen,
                    b.cash_fen,
                )

    asyncio.run(day())


def batch_of(claims: list[claim_pb2.Claim]) -> BatchCall:
    return BatchCall.of(join_frames([one.SerializeToString() for one in claims]))


def test_a_batch_whose_caller_goes_away_is_finished_all_the_same(engine, store_url):
    async def day() -> None:
        async with settler(engine, store_url) as one:
            claims = [claim(500_000) for _ in range(5)]
            batcher = MicroBatcher(one.settle_batches, Bounds(100, 100))
            call = asyncio.create_task(batcher.submit(batch_of(claims), math.inf, 1_000, 5))
            for _ in range(3):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            await batcher.settle_down()
            known = (await one.store.ledger().read(POOL, b"".join(map(key, claims)), b"")).known
            assert len(known) == 5

    asyncio.run(day())


def test_batch_calls_are_settled_together_and_answered_apart(engine, store_url):
    async def day() -> None:
        async with settler(engine, store_url) as one:
            first, second = [claim(500_000) for _ in range(3)], [claim(300_000), claim(-1), claim(200_000)]
            again = [first[1]]
            before = await one.store.ledger().version(POOL)
            calls = [batch_of(claims) for claims in (first, second, again)]
            answers = await one.settle_batches(calls, [math.inf] * 3)
            assert list(map(len, answers)) == [3, 3, 1]
            settled = [[read(answer) for answer in call] for call in answers]
            assert [one_answer.encounter_id for one_answer in settled[0]] == [one.encounter_id for one in first]
            assert settled[1][0].outcome == settled[1][2].outcome == settlement_pb2.OUTCOME_SETTLED
            assert isinstance(answers[1][1], AdjudicatorError)
            assert answers[2] == [answers[0][1]]  # the same claim in another call: settled once
            assert await one.store.ledger().version(POOL) == before + 5
            alone = [(await one.settle_batches([call], [math.inf]))[0] for call in calls]
            assert [[str(answer) for answer in call] for call in alone] == [[str(a) for a in call] for call in answers]

    asyncio.run(day())


def test_a_total_that_is_full_refuses_the_claims_that_do_not_fit_and_no_neighbour(engine, store_url):
    """A commit is refused as a whole: claims of other calls in it must not be refused with the one that is too much."""

    async def day() -> None:
        async with settler(engine, store_url) as one:
            ledger = one.store.ledger()
            await settle(one, claim(100_000))
            place = (int(COUNTY), Scheme.RESIDENT, Fund.TOTAL_COST)
            amounts = {
                (int(row.county), row.scheme, row.fund): row.amount_fen
                for row in (await ledger.totals(POOL)).rows
                if row.month == 202503
            }
            filling = (*place, LARGEST_TOTAL - amounts[place] - 1_000_000)
            await ledger.post(POOL, bytes(range(16)), 202503, [filling])
            calls = [batch_of([claim(100_000), claim(100_000)]), batch_of([claim(2_000_000)])]
            fit, much = await one.settle_batches(calls, [math.inf] * 2)
            assert all(read(answer).outcome == settlement_pb2.OUTCOME_SETTLED for answer in fit)
            assert [read(answer) for answer in much] == [E.AMOUNT_OUT_OF_RANGE]
            await ledger.post(POOL, bytes(range(1, 17)), 202503, [(*place, -filling[-1])])

    asyncio.run(day())


def test_a_claim_that_breaks_its_batch_is_found_in_few_rounds(engine, store_url, monkeypatch):
    """Others ride in the same batch: they must not wait for a round each."""

    async def day() -> None:
        async with settler(engine, store_url) as one:
            claims = [claim(10_000) for _ in range(64)]
            bad, rounds = claims[37].encounter_id, 0
            price = one._price

            def breaks(work, these, states):
                nonlocal rounds
                rounds += 1
                if any(work.resolved.incoming.text(row, "encounter_id") == bad for row in these.rows.tolist()):
                    raise RuntimeError("a bug")
                return price(work, these, states)

            monkeypatch.setattr(one, "_price", breaks)
            answers = await settle(one, *claims)
            assert [number for number, answer in enumerate(answers) if isinstance(answer, int)] == [37]
            assert answers[37] == E.INTERNAL
            assert rounds == 1 + 2 * 6

    asyncio.run(day())


def test_trials_of_one_person_do_not_see_each_other(engine, store_url):
    async def day() -> None:
        async with settler(engine, store_url) as one:
            messages = [claim(900_000, person_id="same").SerializeToString() for _ in range(3)]
            answers = [read(answer) for answer in await one.trial(messages, [math.inf] * 3)]
            assert len({answer.fund_total_fen for answer in answers}) == 1
            assert all(answer.outcome == settlement_pb2.OUTCOME_TRIAL for answer in answers)

    asyncio.run(day())


def part_of_a_stay(number: int, discharge: int, person: str) -> claim_pb2.Claim:
    """Part 1 is of the old year and goes on, part 2 of the new one."""
    message = claim(
        300_000, person_id=person, encounter_id=f"parts-{person}", settlement_sequence=number, admission_date=20241220,
        discharge_date=discharge, settlement_date=discharge or 20241231, mid_stay=not discharge,
    )  # fmt: skip
    message.lines[0].line_id, message.lines[0].fee_date = str(number), discharge or 20241220
    return message


def once(function, before):
    """The function, which the first time waits for something else."""

    async def call(*arguments: object) -> object:
        nonlocal before
        first, before = before, None
        if first is not None:
            await first()
        return await function(*arguments)

    return call


@pytest.mark.parametrize("what", ["settled", "reversed"])
def test_a_part_in_the_old_year_and_the_next_part_in_the_new_one_do_not_miss_each_other(
    engine, store_url, what, monkeypatch
):
    """Whatever is written between the reading and the writing of the other is seen."""
    first, second = (part_of_a_stay(number, day, what) for number, day in ((1, 0), (2, 20250110)))

    async def day() -> None:
        async with settler(engine, store_url) as one, settler(engine, store_url) as other:
            await settle(one, first)
            key = settlement_pb2.SettlementKey(
                institution_code=first.institution_code, encounter_id=first.encounter_id, settlement_sequence=1,
                insured_area=first.insured_area,
            )  # fmt: skip
            request = settlement_pb2.ReverseRequest(settlement=key, person_id=first.person_id).SerializeToString()
            records = Records(engine, other.store)
            reverse, request = records.reverse, records.read_reversal(request)
            ledger = one.store.ledger() if what == "reversed" else other.store.ledger()
            if what == "reversed":
                monkeypatch.setattr(ledger, "commit", once(ledger.commit, partial(reverse, request)))
                (answer,) = await settle(one, second)
                assert answer.outcome == settlement_pb2.OUTCOME_SETTLED  # as the first of what stands
                assert one.metrics.counters["conflicts"] == 1
            else:
                monkeypatch.setattr(ledger, "commit", once(ledger.commit, partial(settle, one, second)))
                with pytest.raises(AdjudicatorError) as refused:
                    await reverse(request)
                assert refused.value.problems[0].number == E.NOT_LATEST_SETTLEMENT
            assert (await one.store.ledger().verify(POOL)).holds

    asyncio.run(day())
