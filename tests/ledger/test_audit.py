"""Verify notices every kind of damage and says where; rebuild puts right what the journal knows."""

from __future__ import annotations

import asyncio
import random
import struct

import pytest

from adjudicator.codes import Scheme
from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger import keys as names
from adjudicator.ledger.layout import STATE_HEAD
from tests.ledger.made import Case, digest, dump, random_case, settle
from tests.ledger.naive import Year

AMOUNTS = STATE_HEAD.itemsize + 8
"""Where the amounts of Wang's year begin: behind a word with the numbers of `stays` and `pooled_inpatient_fen`."""

WANG = [Case("Wang", f"E{number}", quota=(9, 100), days=(2**62 + number, 7)) for number in range(3)]
OTHERS = [
    Case("Li", "E7", county=990102, scheme=Scheme.EMPLOYEE, date=20240601),
    Case("Zhao", "E8", county=990103, date=20240615),
]


async def city(ledger, pool: str) -> None:
    """A small ledger: six settlements in two months and one of them taken back."""
    await settle(ledger, WANG, pool)
    await settle(ledger, OTHERS, pool)
    await settle(ledger, [Case("Sun", "E9")], pool)
    await ledger.reverse(pool, Case("Sun", "E9").key, Case("Sun", "E9").reversal_key)
    await ledger.post(pool, digest("clearing"), 202405, [(990101, Scheme.RESIDENT, 9, -77)])


def _other_bucket(pool: str, key: bytes) -> str:
    return names.index_bucket(pool, bytes([key[0] ^ 0x10]) + key[1:])


class Damage:
    """Ways to damage a ledger by hand; each returns what verify must say of it."""

    def __init__(self, ledger, pool):
        self.client, self.pool = ledger.connection.client, pool

    async def total_changed(self):
        await self.client.hincrby(names.totals(self.pool, 202405), "990101|390|390100", 5)
        return "total 990101 202405 resident pooled: stored 180005, expected 180000"

    async def total_deleted(self):
        await self.client.hdel(names.totals(self.pool, 202406), "990102|310|claims")
        return "total 990102 202406 employee claims: stored absent, expected 1"

    async def total_of_nobody(self):
        await self.client.hset(names.totals(self.pool, 202405), "999999|390|390100", "12")
        return "total 999999 202405 resident pooled: stored 12, expected 0"

    async def total_that_is_no_number(self):
        await self.client.hset(names.totals(self.pool, 202405), "990101|390|390100", "much")
        return "total 990101 202405 resident pooled: stored much, expected 180000"

    async def totals_of_a_month_deleted(self):
        await self.client.delete(names.totals(self.pool, 202406))
        return "total 990103 202406 resident total_cost: stored absent, expected 100000"

    async def totals_of_a_month_without_journal(self):
        await self.client.hset(names.totals(self.pool, 202407), "990101|390|claims", "1")
        return "total 990101 202407 resident claims: stored 1, expected 0"

    async def index_deleted(self):
        await self.client.hdel(names.index_bucket(self.pool, WANG[1].key), WANG[1].key)
        return f"index {WANG[1].key.hex()[:12]}…: stored absent, expected 202405-2"

    async def index_moved(self):
        await self.client.hset(names.index_bucket(self.pool, WANG[1].key), WANG[1].key, "202405-1")
        return f"index {WANG[1].key.hex()[:12]}…: stored 202405-1, expected 202405-2"

    async def index_of_nobody(self):
        await self.client.hset(names.index_bucket(self.pool, digest("no one")), digest("no one"), "202405-2")
        return f"index {digest('no one').hex()[:12]}…: stored 202405-2, expected no such settlement"

    async def index_in_the_wrong_bucket(self):
        await self.client.hdel(names.index_bucket(self.pool, WANG[1].key), WANG[1].key)
        await self.client.hset(_other_bucket(self.pool, WANG[1].key), WANG[1].key, "202405-2")
        return f"index {WANG[1].key.hex()[:12]}…: stored 202405-2, expected no such settlement"

    def _statement(self):
        return names.statement(self.pool, 202405, WANG[0].institution.encode())

    async def statement_deleted(self):
        await self.client.delete(self._statement())
        return "statement 202405:H99010100001: stored 0 settlements, "

    async def statement_changed(self):
        value = bytearray(await self.client.get(self._statement()))
        value[5] ^= 1  # of the total
        await self.client.set(self._statement(), bytes(value))
        return "statement 202405:H99010100001: stored 5 settlements, "

    async def statement_cut(self):
        value = await self.client.get(self._statement())
        await self.client.set(self._statement(), value[:-1])
        return "statement 202405:H99010100001: stored unreadable, expected 5 settlements"

    async def statement_twice(self):
        value = await self.client.get(self._statement())
        await self.client.append(self._statement(), value)
        return "statement 202405:H99010100001: stored unreadable, expected 5 settlements"

    async def statement_of_another_kind(self):
        await self.client.delete(self._statement())
        await self.client.sadd(self._statement(), "x")
        return "statement 202405:H99010100001: stored 0 settlements, "

    async def statement_of_nobody(self):
        await self.client.set(names.statement(self.pool, 202405, b"H0"), await self.client.get(self._statement()))
        return "statement 202405:H0: stored 5 settlements, "

    async def state_amount_changed(self):
        await self.client.setrange(names.state(self.pool, WANG[0].state_key), AMOUNTS, struct.pack("<q", 99))
        return f"state {WANG[0].state_key.hex()[:12]}… stays: stored 99, expected 3"

    async def state_version_changed(self):
        await self.client.setrange(names.state(self.pool, WANG[0].state_key), 0, struct.pack("<Q", 9))
        return f"state {WANG[0].state_key.hex()[:12]}… version: stored 9, expected 3"

    async def state_last_changed(self):
        await self.client.setrange(names.state(self.pool, WANG[0].state_key), 8, WANG[1].key)
        return f"last settlement: stored {WANG[1].key.hex()[:12]}…, expected {WANG[2].key.hex()[:12]}…"

    async def state_quota_changed(self):
        await self.client.setrange(names.state(self.pool, WANG[0].state_key), AMOUNTS + 2 * 8 + 8, struct.pack("<q", 1))
        return f"state {WANG[0].state_key.hex()[:12]}… quota 0000000000000009: stored 1, expected 300"

    async def state_days_changed(self):
        key = names.state(self.pool, WANG[0].state_key)
        await self.client.setrange(key, AMOUNTS + 2 * 8 + 2 * 8 + 8, struct.pack("<q", 1))
        return f"state {WANG[0].state_key.hex()[:12]}… care days 4000000000000000: stored 1, expected 7"

    async def state_deleted(self):
        await self.client.delete(names.state(self.pool, WANG[0].state_key))
        return f"state {WANG[0].state_key.hex()[:12]}…: stored absent, expected a state"

    async def state_cut(self):
        await self.client.set(names.state(self.pool, WANG[0].state_key), b"short")
        return f"state {WANG[0].state_key.hex()[:12]}…: stored unreadable, expected a state"

    async def state_of_nobody(self):
        await self.client.set(names.state(self.pool, digest("no one")), Year().value())
        return f"state {digest('no one').hex()[:12]}…: stored a state, expected absent"

    async def version_lowered(self):
        await self.client.set(names.version(self.pool), "2")
        return f"version {names.version(self.pool)}: stored 2, expected 8"

    async def version_raised(self):
        await self.client.set(names.version(self.pool), "20")
        return f"version {names.version(self.pool)}: stored 20, expected 8"

    async def month_forgotten(self):
        await self.client.srem(names.months(self.pool), "202406")
        return "version months: stored absent, expected 202406"


KINDS = [name for name in vars(Damage) if not name.startswith("_")]


@pytest.mark.parametrize("kind", KINDS)
def test_verify_names_the_damage_and_rebuild_repairs_it(play, pool, kind):
    async def scenario(ledger):
        await city(ledger, pool)
        assert (await ledger.verify(pool)).differences == []
        sound = await dump(ledger, pool)
        expected = await getattr(Damage(ledger, pool), kind)()
        check = await ledger.verify(pool)
        assert any(expected in str(difference) for difference in check.differences), check.differences
        assert not check.holds
        assert (await ledger.rebuild(pool)).version == 8
        assert (await ledger.verify(pool)).differences == []
        repaired = await dump(ledger, pool)
        assert repaired.keys() == sound.keys()
        await settle(ledger, [Case("Wang", "E20")], pool)
        assert (await ledger.verify(pool)).holds

    play(scenario)


def test_everything_but_the_journal_can_be_lost(play, pool):
    random_ = random.Random(8)

    async def scenario(ledger):
        for batch in range(5):
            await settle(ledger, [random_case(random_, 50 * batch + number) for number in range(50)], pool)
        totals, sound = await ledger.totals(pool), await dump(ledger, pool)
        await ledger.connection.client.delete(
            *(key for key in sound if b":journal:" not in key and b":liability:" not in key)
        )
        result = await ledger.rebuild(pool)
        assert (result.records, result.index_entries, result.version) == (250, 250, 250)
        assert await ledger.totals(pool) == totals
        assert (await dump(ledger, pool)).keys() == sound.keys()
        assert (await ledger.verify(pool)).holds

    play(scenario)


async def journal_deleted(client, pool):
    await client.xdel(names.journal(pool, 202405), "3-0")
    return "journal entry 2: stored missing, expected a record"


async def journal_altered(client, pool):
    (_, fields), *_ = await client.xrange(names.journal(pool, 202406), "5-0", "5-0")
    block = bytearray(fields[b"r"])
    block[200] ^= 1
    await client.xdel(names.journal(pool, 202406), "5-0")
    await client.xadd(names.journal(pool, 202406), {"r": bytes(block)}, id="5-1")
    return "journal entry 4: stored unreadable, it is damaged, expected a record"


async def journal_entry_added(client, pool):
    (_, fields), *_ = await client.xrange(names.journal(pool, 202405), "3-0", "3-0")
    await client.xadd(names.journal(pool, 202405), {"r": fields[b"r"]}, id="11-0")
    return "journal entry 10: stored a settlement that has a record already, expected each settlement once"


@pytest.mark.parametrize("damage", [journal_deleted, journal_altered, journal_entry_added])
def test_a_damaged_journal_is_named_and_not_rebuilt_from(play, pool, damage):
    async def scenario(ledger):
        await city(ledger, pool)
        expected = await damage(ledger.connection.client, pool)
        check = await ledger.verify(pool)
        assert any(expected in str(difference) for difference in check.differences), check.differences
        before = await dump(ledger, pool)
        with pytest.raises(AdjudicatorError) as refused:
            await ledger.rebuild(pool)
        assert refused.value.problems[0].number == E.LEDGER_CORRUPT
        assert "backup" in refused.value.problems[0].detail
        assert await dump(ledger, pool) == before

    play(scenario)


def test_a_foreign_key_in_the_pool_is_named(play, pool):
    async def scenario(ledger):
        await city(ledger, pool)
        await ledger.connection.client.set(names.prefix(pool) + "draft:1", "x")
        assert [difference.kind for difference in (await ledger.verify(pool)).differences] == ["key"]

    play(scenario)


def test_an_empty_pool_holds(play, pool):
    async def scenario(ledger):
        assert (await ledger.verify(pool)).holds
        assert (await ledger.rebuild(pool)).records == 0

    play(scenario)


def test_verify_is_exact_while_others_commit(play, pool):
    random_ = random.Random(9)

    async def scenario(ledger):
        over = asyncio.Event()

        async def write(writer):
            number = 0
            while not over.is_set():
                case = random_case(random_, 100_000 * writer + number, people=30)
                await settle(ledger, [case], pool)
                if number % 3 == 0:
                    await asyncio.gather(ledger.reverse(pool, case.key, case.reversal_key), return_exceptions=True)
                number += 1

        writers = [asyncio.create_task(write(writer)) for writer in range(3)]
        for _ in range(12):
            check = await ledger.verify(pool)
            assert check.holds, check.differences
        over.set()
        await asyncio.gather(*writers)
        assert check.version > 0

    play(scenario)
