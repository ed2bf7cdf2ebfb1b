"""Break points derived from the plan rows, and the same found from the prices alone."""

from __future__ import annotations

import numpy as np
import pytest

from adjudicator.probe.edges import TOP_FEN
from adjudicator.probe.scenes import AFTER_FUNDS, BATCH_SCENES, FIRST_FUND, PERSONAL, single
from adjudicator.probe.sweep import Probe, probe_of, undefined_of
from adjudicator.rules.bundle import load_bundle
from adjudicator.rules.inline import inline_bundle
from tests.probe.plans import PLAIN

STRAIGHT_FEN = 4
"""A stretch whose amounts lie as close as this to a line is straight: each stage rounds once."""
NEAR_FEN = 500
"""Roundings blur a kink of two percentage points by some 4 / 0.02 fen on either side."""


def amounts(probe: Probe, cell: np.ndarray, fen: np.ndarray) -> np.ndarray:
    parts = [
        probe.pricer.price(single(cell[start : start + BATCH_SCENES], fen[start : start + BATCH_SCENES])).paid
        for start in range(0, len(cell), BATCH_SCENES)
    ]
    paid = np.concatenate(parts)
    return np.concatenate([paid[:, FIRST_FUND:AFTER_FUNDS], paid[:, PERSONAL : PERSONAL + 1]], axis=1)


def kinks(probe: Probe, cells: np.ndarray) -> list[tuple[int, int]]:
    """Halve every stretch of cost on which some amount is not straight; return (cell, cost) of what is left."""
    grid = np.unique(np.concatenate([[0], np.geomspace(100, TOP_FEN, 60).astype(np.int64)]))
    cell, low, high = (np.repeat(cells, len(grid) - 1), np.tile(grid[:-1], len(cells)), np.tile(grid[1:], len(cells)))
    found = []
    while len(cell):
        short = high - low <= 8
        found += list(zip(cell[short].tolist(), low[short].tolist(), strict=True))
        cell, low, high = cell[~short], low[~short], high[~short]
        at_low, at_high = amounts(probe, cell, np.maximum(low, 1)), amounts(probe, cell, high)
        bent = np.zeros(len(cell), bool)
        for quarter in (1, 2, 3):
            middle = low + (high - low) * quarter // 4
            line = at_low + (at_high - at_low) * ((middle - low) / np.maximum(high - low, 1))[:, None]
            bent |= (abs(amounts(probe, cell, middle) - line) > STRAIGHT_FEN).any(axis=1)
        cell, low, high = cell[bent], low[bent], high[bent]
        middle = (low + high) // 2
        cell = np.concatenate([cell, cell])
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    return found


def missed(probe: Probe, every: int) -> list[tuple[int, int]]:
    """The kinks of some cells that have a rule at every cost and are near no break."""
    refused = [cell for one in undefined_of(probe) for cell in one.cells]
    cells = np.setdiff1d(np.arange(0, len(probe.cells), every), refused)
    found = kinks(probe, cells)
    return [(cell, fen) for cell, fen in found if abs(probe.breaks.of(cell) - fen).min(initial=TOP_FEN) > NEAR_FEN]


def test_the_breaks_of_a_plan_are_where_its_values_act():
    probe = probe_of(inline_bundle(PLAIN))
    active = next(n for n in range(len(probe.cells)) if probe.cells.weight[n] == 0)
    # 200 deductible; burden 20,000 at 200 + 19,800 / 0.1, rounded up some fen before;
    # cap 200,000 at 200 + 200,000 / 0.9.
    assert probe.breaks.of(active).tolist() == [20_000, 19_819_996, 22_242_222]
    assert probe.breaks.near(active, 22_242_222) == ["cap_yuan"]


def test_no_kink_of_the_prices_is_missed():
    probe = probe_of(load_bundle(["zhuzhou"]))
    assert missed(probe, 5) == []


@pytest.mark.check
@pytest.mark.parametrize("pack", ["hangzhou", "huzhou", "taizhou", "taohuayuan"])
def test_no_kink_of_the_prices_is_missed_in_the_larger_packs(pack: str):
    probe = probe_of(load_bundle([pack]))
    assert missed(probe, 3) == []
