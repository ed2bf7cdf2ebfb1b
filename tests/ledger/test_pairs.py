"""Sums of keyed changes agree with dicts, however they come in and whatever is asked."""

from __future__ import annotations

import random

import numpy as np
import pytest

from adjudicator.ledger import pairs as module
from adjudicator.ledger.pairs import Pairs


@pytest.mark.parametrize("seed", range(6))
def test_pairs_are_sums_in_a_dict(seed, monkeypatch):
    monkeypatch.setattr(module, "LEAST_TO_SORT", 30)  # so that some are sorted and some are not
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
        equal = pairs.surely_equal(np.arange(6), offsets, keys, amounts)
        assert equal[5]  # a row without any
        pairs._sort()
        assert pairs.surely_equal(np.arange(6), offsets, keys, amounts).all()
        if len(amounts):
            wrong = amounts.copy()
            wrong[0] += 1
            assert not pairs.surely_equal(np.arange(6), offsets, keys, wrong)[listed[0][0]]
