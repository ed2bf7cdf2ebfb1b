"""Sums of keyed changes agree with dicts, however they come in and whatever is asked."""

from __future__ import annotations

import random

import numpy as np
import pytest

from adjudicator.ledger import key_table as module_of_keys
from adjudicator.ledger.pairs import Pairs


@pytest.mark.parametrize("seed", range(6))
def test_pairs_are_sums_in_a_dict(seed, monkeypatch):
    monkeypatch.setattr(module_of_keys, "FEWEST_PLACES", 4)  # so that the table grows
    random_ = random.Random(seed)
    pairs, twin = Pairs(), {row: {} for row in range(6)}
    for _ in range(40):
        changes = [
            (random_.randrange(5), random_.choice((1, 7, 2**63 + 5)), random_.randrange(-3, 4)) for _ in range(10)
        ]
        rows, keys, added = zip(*changes, strict=True)
        pairs.add(np.array(rows), np.array(keys, np.uint64), np.array(added))
        for row, key, change in changes:
            twin[row][key] = twin[row].get(key, 0) + change
        wanted = {row: {key: amount for key, amount in sums.items() if amount} for row, sums in twin.items()}
        assert {row: pairs.of(row) for row in twin} == wanted
        listed = [(row, key, amount) for row, sums in wanted.items() for key, amount in sums.items()]
        random_.shuffle(listed)
        listed.sort(key=lambda entry: entry[0])
        offsets = np.searchsorted([row for row, _, _ in listed], np.arange(7))
        keys = np.array([key for _, key, _ in listed], np.uint64)
        amounts = np.array([amount for _, _, amount in listed], np.int64)
        assert pairs.equal(np.arange(6), offsets, keys, amounts).all()
        if len(amounts):
            wrong = amounts.copy()
            wrong[0] += 1
            assert not pairs.equal(np.arange(6), offsets, keys, wrong)[listed[0][0]]
            keys[0] ^= np.uint64(4)
            assert not pairs.equal(np.arange(6), offsets, keys, amounts)[listed[0][0]]


def test_a_key_that_stands_twice_hides_none_that_is_missing():
    pairs = Pairs()
    pairs.add(np.array([0, 0]), np.array([7, 9]), np.array([1, 1]))
    twice = (np.array([0, 2]), np.array([7, 7], np.uint64), np.array([1, 1]))
    assert not pairs.equal(np.array([0]), *twice)[0]
    assert pairs.equal(np.array([0]), np.array([0, 2]), np.array([9, 7], np.uint64), np.array([1, 1]))[0]
    assert not pairs.equal(np.array([-1]), np.array([0, 0]), np.zeros(0, np.uint64), np.zeros(0, np.int64))[0]
