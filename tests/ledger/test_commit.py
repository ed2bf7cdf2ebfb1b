"""One commit: all of it or nothing, once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import numpy as np
import pytest

from adjudicator.codes import Scheme
from adjudicator.columns import ACCUMULATORS, SLOT
from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger import keys as names
from adjudicator.ledger.batch import LARGEST_TOTAL, pack
from adjudicator.ledger.layout import Kind
from adjudicator.payers import Fund
from tests.ledger.made import Case, digest, dump, random_case, settle, settlements, unique_states

NUMBER = {name: number for number, name in ACCUMULATORS}


async def packed(ledger, cases, pool):
    keys, rows = unique_states(cases)
    read = await ledger.read(pool, b"".join(case.key for case in cases), b"".join(keys))
    return pack(settlements(cases, read.states, rows, pool))


def test_a_settlement_is_read_back_as_it_was_written(play, pool):
    case = Case("Wang", quota=(77, 1_500))

    async def scenario(ledger):
        assert (await settle(ledger, [case], pool)).version == 1
        record = await ledger.get(pool, case.key)
        assert (record.kind, record.position, record.answer) == (Kind.SETTLE, 1, case.answer)
        assert record.name == "H99010100001/E1/1"
        assert dict(record.changes) == {NUMBER["stays"]: 1, NUMBER["pooled_inpatient_fen"]: 60_000}
        assert record.quotas == ((77, 1_500),)
        year = await ledger.accumulators(pool, case.state_key)
        assert (year.versions[0], year.last[0].tobytes()) == (1, case.key)
        assert year.slots[0, SLOT["pooled_inpatient_fen"]] == 60_000
        assert year.quotas_of(0) == {77: 1_500}
        assert await ledger.get(pool, digest("another")) is None

    play(scenario)


def test_county_totals_are_the_sum_of_the_settlements(play, pool):
    random_ = random.Random(1)
    cases = [random_case(random_, number) for number in range(300)]

    async def scenario(ledger):
        for start in range(0, 300, 100):
            await settle(ledger, cases[start : start + 100], pool)
        return await ledger.totals(pool)

    totals = play(scenario)
    assert totals.version == 300
    by_fund = {fund: sum(row.amount_fen for row in totals.rows if row.fund == fund) for fund in Fund}
    assert by_fund[Fund.CLAIMS] == 300
    assert by_fund[Fund.TOTAL_COST] == sum(case.total_fen for case in cases)
    assert by_fund[Fund.POOLED] == sum(case.pooled_fen for case in cases)
    assert by_fund[Fund.CATASTROPHIC] == sum(case.catastrophic_fen for case in cases)
    assert by_fund[Fund.ACCOUNT] == sum(case.account_fen for case in cases)
    assert by_fund[Fund.PROVIDER_DUE] == sum(case.due_fen for case in cases)


def test_totals_can_be_asked_by_county_month_and_scheme(play, pool):
    cases = [
        Case("Wang", "E1", county=990101, date=20240531),
        Case("Li", "E2", county=990102, date=20240601, scheme=Scheme.EMPLOYEE),
    ]

    async def scenario(ledger):
        await settle(ledger, cases, pool)
        assert {row.county for row in (await ledger.totals(pool, county="990101")).rows} == {"990101"}
        assert {row.month for row in (await ledger.totals(pool, month=202406)).rows} == {202406}
        assert {row.scheme_code for row in (await ledger.totals(pool, scheme="310")).rows} == {"310"}
        assert (await ledger.totals(pool, county="990101", scheme="310")).rows == []
        assert {row.scheme_code for row in (await ledger.totals(pool, scheme="391")).rows} == {"390"}
        with pytest.raises(AdjudicatorError, match=f"ADJ-{int(E.UNKNOWN_SCHEME)}"):
            await ledger.totals(pool, scheme="999")
        assert (await ledger.totals("980000")).rows == []

    play(scenario)


def test_each_county_stream_adds_up_to_its_totals(play, pool):
    random_ = random.Random(2)

    async def scenario(ledger):
        for batch in range(10):
            await settle(ledger, [random_case(random_, 10 * batch + number) for number in range(10)], pool)
        totals, streamed = await ledger.totals(pool), {}
        for county in {row.county for row in totals.rows}:
            for _, changes in await ledger.connection.client.xrange(names.liability(pool, county)):
                for name, amount in changes.items():
                    place = (county, *name.decode().split("|"))
                    streamed[place] = streamed.get(place, 0) + int(amount)
        stored = {(row.county, str(row.month), row.scheme_code, row.fund_code): row.amount_fen for row in totals.rows}
        assert streamed == stored

    play(scenario)


def test_the_same_batch_again_is_done_already(play, pool):
    async def scenario(ledger):
        batch = await packed(ledger, [Case("Wang", "E1"), Case("Li", "E2")], pool)
        assert (await ledger.commit(batch)).version == 2
        before = await dump(ledger, pool)
        again = await ledger.commit(batch)
        assert (again.done, again.version) == (True, 2)
        assert await dump(ledger, pool) == before

    play(scenario)


def test_the_same_claims_from_somebody_else_change_nothing_and_are_named(play, pool):
    cases = [Case("Wang", "E1"), Case("Li", "E2")]

    async def scenario(ledger):
        ours, theirs = await packed(ledger, cases, pool), await packed(ledger, cases, pool)
        assert (await ledger.commit(ours)).done
        before = await dump(ledger, pool)
        outcome = await ledger.commit(theirs)
        assert (outcome.done, outcome.known, outcome.moved) == (False, (0, 1), (0, 1))
        assert await dump(ledger, pool) == before

    play(scenario)


def test_one_known_key_stops_the_whole_batch(play, pool):
    first, others = Case("Wang", "E1"), [Case("Li", "E2"), Case("Wang", "E1"), Case("Zhao", "E3")]

    async def scenario(ledger):
        batch = await packed(ledger, others, pool)
        await settle(ledger, [first], pool)
        before = await dump(ledger, pool)
        outcome = await ledger.commit(batch)
        assert (outcome.done, outcome.known, outcome.moved) == (False, (1,), (1,))
        assert await dump(ledger, pool) == before

    play(scenario)


def test_a_person_who_moved_in_between_stops_the_batch(play, pool):
    async def scenario(ledger):
        batch = await packed(ledger, [Case("Li", "E1"), Case("Wang", "E2")], pool)
        await settle(ledger, [Case("Wang", "E3")], pool)
        before = await dump(ledger, pool)
        outcome = await ledger.commit(batch)
        assert (outcome.done, outcome.known, outcome.moved) == (False, (), (1,))
        assert await dump(ledger, pool) == before

    play(scenario)


def test_a_key_that_stands_twice_in_a_batch_is_refused(play, pool):
    async def scenario(ledger):
        outcome = await ledger.commit(
            await packed(ledger, [Case("Li", "E1"), Case("Wu", "E2"), Case("Li", "E1")], pool)
        )
        assert (outcome.done, outcome.known) == (False, (2,))
        assert await dump(ledger, pool) == {}

    play(scenario)


def test_a_persons_settlements_of_one_batch_follow_each_other(play, pool):
    cases = [Case("Wang", f"E{number}", quota=(5, 100)) for number in range(4)]

    async def scenario(ledger):
        await settle(ledger, cases, pool)
        records = [await ledger.get(pool, case.key) for case in cases]
        assert [record.previous for record in records] == [bytes(16), *(case.key for case in cases[:3])]
        year = await ledger.accumulators(pool, cases[0].state_key)
        assert (year.versions[0], year.slots[0, SLOT["stays"]], year.quotas_of(0)) == (4, 4, {5: 400})
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_a_batch_of_nothing_is_done(play, pool):
    async def scenario(ledger):
        assert (await ledger.commit(await packed(ledger, [], pool))).version == 0
        assert await dump(ledger, pool) == {}

    play(scenario)


def test_a_settlement_that_counts_in_no_year_touches_no_state(play, pool):
    async def scenario(ledger):
        keys, rows = unique_states([case := Case("Wang")])
        read = await ledger.read(pool, case.key, b"".join(keys))
        columns = settlements([case], read.states, rows, pool)
        changes = columns.changes._replace(state_rows=rows * 0 - 1)
        assert (await ledger.commit(pack(replace(columns, changes=changes)))).done
        assert (await ledger.get(pool, case.key)).state_key is None
        assert (await ledger.accumulators(pool, case.state_key)).versions[0] == 0
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_many_writers_at_once_lose_nothing_and_double_nothing(play, pool):
    random_ = random.Random(3)
    cases = [random_case(random_, number, people=6) for number in range(200)]

    async def scenario(ledger):
        sent = cases + random_.sample(cases, 100)
        random_.shuffle(sent)
        shares = [sent[writer::8] for writer in range(8)]

        async def write(share):
            for start in range(0, len(share), 3):
                await settle(ledger, list({case.key: case for case in share[start : start + 3]}.values()), pool)

        await asyncio.gather(*map(write, shares))
        check = await ledger.verify(pool)
        assert check.holds, check.differences
        assert check.records == 200

    play(scenario)


def test_postings_without_a_claim_count_once(play, pool):
    key, rows = digest("clearing 202405"), [(990101, Scheme.RESIDENT, Fund.PROVIDER_DUE, -123_456)]

    async def scenario(ledger):
        assert await ledger.post(pool, key, 202405, rows, {"reason": "month settled"})
        assert not await ledger.post(pool, key, 202405, rows, {"reason": "month settled"})
        with pytest.raises(AdjudicatorError) as refused:
            await ledger.post(pool, key, 202405, [(*rows[0][:3], 1)], {"reason": "month settled"})
        assert refused.value.problems[0].number == E.KEY_REUSED
        assert [row.amount_fen for row in (await ledger.totals(pool)).rows] == [-123_456]
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_the_largest_amounts_stay_exact(play, pool):
    place = (990101, Scheme.EMPLOYEE, Fund.POOLED)

    async def scenario(ledger):
        await ledger.post(pool, digest(1), 202405, [(*place, LARGEST_TOTAL)])
        await ledger.post(pool, digest(2), 202405, [(*place, -LARGEST_TOTAL)])
        await ledger.post(pool, digest(3), 202405, [(*place, -LARGEST_TOTAL)])
        assert [row.amount_fen for row in (await ledger.totals(pool)).rows] == [-LARGEST_TOTAL]
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_a_total_that_would_overflow_leaves_nothing_behind(play, pool):
    resident, employee = (990101, Scheme.RESIDENT, Fund.POOLED), (990101, Scheme.EMPLOYEE, Fund.POOLED)

    async def scenario(ledger):
        await ledger.post(pool, digest(1), 202405, [(*resident, LARGEST_TOTAL)])
        before = await dump(ledger, pool)
        with pytest.raises(AdjudicatorError) as refused:
            await ledger.post(pool, digest(2), 202405, [(*employee, 5), (*resident, 1), (990102, *resident[1:], 7)])
        assert refused.value.problems[0].number == E.AMOUNT_OUT_OF_RANGE
        assert await dump(ledger, pool) == before
        with pytest.raises(AdjudicatorError):
            await ledger.post(pool, digest(3), 202405, [(*employee, LARGEST_TOTAL), (*employee, 1)])
        assert await dump(ledger, pool) == before

    play(scenario)


def test_a_county_stream_that_is_ahead_stops_a_commit_before_its_first_write(play, pool):
    async def scenario(ledger):
        await settle(ledger, [Case("Zhao", "E0")], pool)
        await ledger.connection.client.xadd(names.liability(pool, "990101"), {"by": "hand"}, id="900-0")
        before = await dump(ledger, pool)
        with pytest.raises(AdjudicatorError, match="liability:990101"):
            await settle(ledger, [Case("Wang", "E1")], pool)
        assert await dump(ledger, pool) == before

    play(scenario)


def test_the_client_library_repeats_nothing_by_itself(play):
    async def scenario(ledger):
        assert ledger.connection.client.get_retry()._retries == 0

    play(scenario)


@pytest.mark.parametrize(
    "damage",
    [
        ("set", "totals:202406", "no hash"),
        ("set", "journal:202406", "no stream"),
        ("set", "liability:990102", "no stream"),
        ("set", "months", "no set"),
        ("set", "version", "three"),
        ("set", "version", "0"),
    ],
)
def test_a_damaged_key_stops_a_commit_before_its_first_write(play, pool, damage):
    command, name, value = damage
    cases = [Case("Wang", "E1", county=990101), Case("Li", "E2", county=990102, date=20240601)]

    async def scenario(ledger):
        await settle(ledger, [Case("Zhao", "E0")], pool)
        await ledger.connection.client.execute_command(command, names.prefix(pool) + name, value)
        before = await dump(ledger, pool)
        with pytest.raises(AdjudicatorError) as refused:
            await settle(ledger, cases, pool)
        assert refused.value.problems[0].number == E.LEDGER_CORRUPT
        assert await dump(ledger, pool) == before

    play(scenario)


def test_a_journal_that_refuses_an_entry_late_gets_all_of_it_taken_back(play, pool):
    """Somebody cut the end of a journal and lowered the version: its next entry is out of order."""

    async def scenario(ledger):
        client = ledger.connection.client
        await settle(ledger, [Case("Zhao", f"E{number}") for number in range(3)], pool)
        await client.xdel(names.journal(pool, 202405), "2-0", "3-0")
        await client.xdel(names.liability(pool, "990101"), "3-0")
        await client.set(names.version(pool), "1")
        before = await dump(ledger, pool)
        with pytest.raises(AdjudicatorError) as refused:
            await settle(ledger, [Case("Wang", "E7", date=20240601, county=990102), Case("Li", "E8")], pool)
        assert refused.value.problems[0].number == E.LEDGER_CORRUPT
        after = await dump(ledger, pool)
        assert await client.xlen(names.journal(pool, 202406)) == 0
        assert {key: value for key, value in after.items() if b"journal:202406" not in key} == before

    play(scenario)


@pytest.mark.compiled
def test_the_largest_batch(play, pool):
    random_ = random.Random(10)
    cases = [random_case(random_, number, people=6_000) for number in range(5_000)]

    async def scenario(ledger):
        await settle(ledger, cases, pool)
        keys, _ = unique_states(cases)
        read = await ledger.read(pool, b"".join(case.key for case in cases), b"".join(keys))
        assert len(read.known) == 5_000
        assert all(read.known[number].answer == case.answer for number, case in enumerate(cases))
        assert read.states.versions.min() >= 1
        check = await ledger.verify(pool)
        assert check.holds, check.differences[:5]

    play(scenario)


def test_pools_are_listed_and_apart(play, pool):
    async def scenario(ledger):
        await settle(ledger, [Case("Wang")], pool)
        assert pool in await ledger.pools()
        assert await ledger.version("980001") == 0

    play(scenario)


def test_watching_shows_the_totals_and_each_change(play, pool):
    async def scenario(ledger):
        seen = []

        async def watch():
            async for totals in ledger.watch(pool):
                seen.append((totals.version, sum(row.amount_fen for row in totals.rows if row.fund == Fund.CLAIMS)))
                if totals.version == 3:
                    return

        watching = asyncio.create_task(watch())
        for number in range(3):
            await asyncio.sleep(0.15)
            await settle(ledger, [Case("Wang", f"E{number}", county=990101 + number)], pool)
        await asyncio.wait_for(watching, 10)
        assert seen[0][0] < 3 and seen[-1] == (3, 3)
        assert [version for version, claims in seen] == [claims for version, claims in seen]

    play(scenario)


def test_a_batch_is_not_written_when_a_state_that_it_only_looked_at_has_moved(play, pool):
    own, other = Case("Wang", "E1"), Case("Wang", "E2", scheme=Scheme.EMPLOYEE)
    new = Case("Li", "E3")

    async def scenario(ledger):
        keys = own.state_key + other.state_key + new.state_key
        for settled_before in (False, True):
            read = await ledger.read(pool, own.key, keys)
            batch = pack(settlements([own], read.states, np.zeros(1, np.int64), pool, guarded=np.array([1, 2])))
            await settle(ledger, [other if not settled_before else replace(other, encounter="E4")], pool)
            committed = await ledger.commit(batch)
            assert (committed.done, committed.moved) == (False, (1,))
        read = await ledger.read(pool, own.key, keys)
        batch = pack(settlements([own], read.states, np.zeros(1, np.int64), pool, guarded=np.array([1, 2])))
        assert (await ledger.commit(batch)).done
        states = (await ledger.read(pool, b"", keys)).states
        assert states.versions.tolist() == [1, 2, 0]  # what is looked at is not written
        assert (await ledger.verify(pool)).holds

    play(scenario)
