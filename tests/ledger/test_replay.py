"""The tables of the replay do what dicts and sorted lists do, however the records come in."""

from __future__ import annotations

import random

import numpy as np
import pytest

from adjudicator.ledger import key_table as module
from adjudicator.ledger.key_table import ABSENT, KeyTable
from adjudicator.ledger.replay_kernel import find_broken, note_firsts


@pytest.mark.parametrize("seed", range(4))
def test_a_table_gives_each_key_the_row_that_a_dict_gives(seed, monkeypatch):
    monkeypatch.setattr(module, "FEWEST_PLACES", 4)  # so that it grows
    random_ = random.Random(seed)
    table, twin = KeyTable(), {}
    for _ in range(30):
        keys = [(random_.randrange(9), random_.choice((0, 1, 2**64 - 1))) for _ in range(random_.randrange(12))]
        rows = table.add(np.array(keys, np.uint64).reshape(-1, 2))
        assert rows.tolist() == [twin.setdefault(key, len(twin)) for key in keys]
        assert len(table) == len(twin)
    asked = [(low, high) for low in range(11) for high in (0, 1, 2**64 - 1)]
    rows = table.rows(np.array(asked, np.uint64))
    assert rows.tolist() == [twin.get(key, ABSENT) for key in asked]
    assert table.words[: len(table)].tolist() == [list(key) for key in twin]


@pytest.mark.parametrize("seed", range(6))
def test_broken_chains_are_those_of_sorted_lists(seed):
    random_ = random.Random(seed)
    records = []
    for year in range(8):
        before = (0, 0)
        for position in random_.sample(range(year, 800, 8), random_.randrange(1, 12)):
            records.append([year, position, before, (0, 0)])
        listed = sorted(record for record in records if record[0] == year)
        for record in listed:
            record[2], record[3] = before, (random_.randrange(1, 5), random_.randrange(5))
            before = record[3]
            if random_.random() < 0.2:
                record[2] = (9, 9)
    random_.shuffle(records)
    expected, last = set(), {}
    for year, position, previous, after in sorted(records):
        if previous != last.get(year, (0, 0)):
            expected.add(position)
        last[year] = after
    rows, positions, previous, after = (np.array(column) for column in zip(*records, strict=True))
    links = (rows, positions, previous.astype(np.uint64), after.astype(np.uint64))
    broken, order = np.empty(len(rows), bool), np.empty(len(rows), np.int64)
    find_broken(links, np.cumsum(np.bincount(rows)), order, broken)
    assert set(positions[broken].tolist()) == expected


def test_the_later_of_two_records_of_a_key_is_the_repeated_one():
    firsts, repeated = np.zeros(3, np.int64), np.empty(5, np.int64)
    rows, positions = np.array([0, 1, 0, 1, 1]), np.array([7, 2, 4, 9, 5])
    count = note_firsts(rows, positions, firsts, repeated)
    assert (repeated[:count].tolist(), firsts.tolist()) == ([7, 9, 5], [4, 2, 0])
