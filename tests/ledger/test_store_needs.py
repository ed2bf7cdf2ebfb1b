"""What the ledger asks of its store is looked at again and again: a setting that changes stops all acknowledging."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
import redis

from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger.embedded import EmbeddedStore
from adjudicator.ledger.store import Ledger
from adjudicator.ledger.store_needs import facts_of, fault_of
from tests.ledger.made import Case, settle

POOL = "990001"
SCRIPTS = Path(__file__).parents[2] / "src" / "adjudicator" / "ledger"
USER = "adjudicator"
CHANGES = [
    ("maxmemory-policy", "allkeys-lru", "noeviction", E.STORE_EVICTS),
    ("maxmemory-policy", "volatile-ttl", "noeviction", E.STORE_EVICTS),
    ("appendonly", "no", "yes", E.STORE_NOT_DURABLE),
]


@pytest.fixture
def own(tmp_path):
    """A store that a test may mistreat."""
    with EmbeddedStore.start(tmp_path) as running:
        yield running


def number_of(error: pytest.ExceptionInfo[AdjudicatorError]) -> int:
    return error.value.problems[0].number


def change(own: EmbeddedStore, name: str, value: str) -> None:
    with redis.Redis.from_url(own.url) as client:
        client.config_set(name, value)


@pytest.mark.parametrize(("name", "bad", "good", "number"), CHANGES)
def test_a_store_with_a_bad_setting_is_refused_from_the_start(own, name, bad, good, number):
    change(own, name, bad)
    with pytest.raises(AdjudicatorError) as refused:
        asyncio.run(Ledger.open(own.url))
    assert number_of(refused) == number and bad in refused.value.problems[0].message


@pytest.mark.parametrize(("name", "bad", "good", "number"), CHANGES)
def test_a_setting_that_changes_stops_all_calls_until_it_is_right_again(own, name, bad, good, number):
    async def scenario():
        async with await Ledger.open(own.url) as ledger:
            await settle(ledger, [Case("Wang", "E1")], POOL)
            change(own, name, bad)
            with pytest.raises(AdjudicatorError) as refused:
                await ledger.ping()
            assert number_of(refused) == number
            for call in (lambda: settle(ledger, [Case("Wang", "E2")], POOL), lambda: ledger.totals(POOL)):
                with pytest.raises(AdjudicatorError) as refused:
                    await call()
                assert number_of(refused) == number
            change(own, name, good)
            await asyncio.sleep(0.3)
            await settle(ledger, [Case("Wang", "E2")], POOL)
            assert (await ledger.verify(POOL)).records == 2

    asyncio.run(scenario())


def test_a_store_that_no_longer_syncs_each_write_is_waited_for(own):
    async def scenario():
        async with await Ledger.open(own.url) as ledger:
            assert not ledger.connection.waits_for_disk
            change(own, "appendfsync", "everysec")
            await ledger.ping()
            assert ledger.connection.waits_for_disk
            await settle(ledger, [Case("Wang", "E1")], POOL)

    asyncio.run(scenario())


def with_user(own: EmbeddedStore, *rules: str) -> str:
    """Give the store a user with all rights but some; return the address for it."""
    with redis.Redis.from_url(own.url) as client:
        client.execute_command("ACL", "SETUSER", USER, "reset", "on", ">secret", "~adj:*", "+@all", *rules)
    return own.url.replace(f":{own.password}@", f"{USER}:secret@")


@pytest.mark.parametrize("command", ["hincrby", "xadd", "append", "mset", "set", "evalsha", "eval"])
def test_a_command_that_the_user_may_not_run_is_named_before_anything_is_written(own, command):
    """A script is stopped at the command, and what stands before it would stay written."""
    with pytest.raises(AdjudicatorError) as refused:
        asyncio.run(_settle_once(with_user(own, f"-{command}")))
    assert number_of(refused) == E.STORE_LACKS and command in refused.value.problems[0].message.lower()
    with redis.Redis.from_url(own.url) as client:
        assert not [key for key in client.keys("*") if b"probe" not in key and b"fence" not in key]


async def _settle_once(url: str) -> None:
    async with await Ledger.open(url) as ledger:
        await settle(ledger, [Case("Wang", "E1")], POOL)


def test_a_store_that_hides_its_settings_is_judged_by_what_it_tells_of_itself(own):
    url = with_user(own, "-config")

    async def scenario():
        async with await Ledger.open(url) as ledger:
            assert ledger.connection.waits_for_disk
            await settle(ledger, [Case("Wang", "E1")], POOL)
            change(own, "maxmemory-policy", "allkeys-lfu")
            with pytest.raises(AdjudicatorError) as refused:
                await ledger.ping()
            assert number_of(refused) == E.STORE_EVICTS

    asyncio.run(scenario())


def test_looking_writes_nothing_after_the_first_time(own):
    async def scenario():
        async with await Ledger.open(own.url) as ledger:
            before = await ledger.connection.client.info("persistence")
            for _ in range(20):
                await ledger.ping()
            after = await ledger.connection.client.info("persistence")
            assert after["aof_current_size"] == before["aof_current_size"]

    asyncio.run(scenario())


def test_every_command_of_the_scripts_is_tried() -> None:
    called, probed = set(), set(re.findall(r"try\('(\w+)'", (SCRIPTS / "probe.lua").read_text()))
    for script in SCRIPTS.glob("*.lua"):
        called |= set(re.findall(r"redis\.p?call\('(\w+)'", script.read_text()))
    assert called and called <= probed


@pytest.mark.parametrize(
    ("told", "number"),
    [({"redis_version": "6.2.14"}, E.STORE_LACKS), ({"redis_version": "7.0.15"}, None),
     ({"redis_version": "7.2.4", "valkey_version": "7.1.0"}, E.STORE_LACKS),
     ({"redis_version": "7.2.4", "valkey_version": "9.1.0"}, None),
     ({"redis_version": "7.4.0", "role": "slave"}, E.STORE_AWAY),
     ({"redis_version": "7.4.0", "loading": 1}, E.STORE_AWAY),
     ({"redis_version": "7.4.0", "aof_enabled": 0}, E.STORE_NOT_DURABLE),
     ({"redis_version": "7.4.0", "aof_last_write_status": "err"}, E.STORE_NOT_DURABLE)],
)  # fmt: skip
def test_what_a_store_tells_of_itself(told, number) -> None:
    fault = fault_of(facts_of(told, None))
    assert (fault and fault.number) == number


def test_little_memory() -> None:
    assert facts_of({"used_memory": 91, "maxmemory": 100}, None).has_little_memory
    assert not facts_of({"used_memory": 90, "maxmemory": 100}, None).has_little_memory
    assert not facts_of({"used_memory": 90, "maxmemory": 0}, None).has_little_memory
