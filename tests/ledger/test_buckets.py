"""The index bucket of a settlement key is the same in Python and in the scripts."""

from __future__ import annotations

from pathlib import Path

import redis

from adjudicator import ledger
from adjudicator.ledger.connection import Script
from adjudicator.ledger.keys import index_bucket, prefix
from adjudicator.v1.record_pb2 import JournalBlock

FOLDER = Path(ledger.__file__).parent
KEYS = [bytes([first]) + bytes(15) for first in range(256)]


def run(store_url: str, script: str):
    text = Script("buckets.lua").text + script.encode()
    return redis.Redis.from_url(store_url).eval(text, 0, b"".join(KEYS))


def test_each_key_is_in_the_bucket_that_python_names(store_url, pool):
    found = run(store_url, "local r = {} for i = 1, #ARGV[1] / 16 do r[i] = bucket_of(ARGV[1], i) end return r")
    assert [prefix(pool) + "index:" + name.decode() for name in found] == [index_bucket(pool, key) for key in KEYS]


def test_keys_are_sorted_into_buckets_with_their_places(store_url, pool):
    script = (
        "local r = {} for name, b in pairs(by_bucket(ARGV[1])) do r[#r + 1] = {name, b.keys, b.places} end return r"
    )
    found = run(store_url, script)
    assert sorted(place for _, _, places in found for place in places) == list(range(1, 257))
    for name, keys, places in found:
        assert [KEYS[place - 1] for place in places] == keys
        assert {index_bucket(pool, key) for key in keys} == {prefix(pool) + "index:" + name.decode()}


def test_no_script_makes_the_name_of_a_bucket_itself():
    for file in FOLDER.glob("*.lua"):
        if file.name != "buckets.lua":
            assert "byte(keys" not in file.read_text("utf-8"), file.name


def test_the_script_that_cuts_blocks_knows_the_tag_of_a_record():
    number = JournalBlock.DESCRIPTOR.fields_by_name["records"].number
    assert f"RECORD_TAG = {number << 3 | 2} " in (FOLDER / "blocks.lua").read_text("utf-8")
