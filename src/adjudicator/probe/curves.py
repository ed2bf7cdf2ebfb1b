"""The patient's share over the cost: a curve for each person group, level and category of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from adjudicator.probe.cells import cells_of
from adjudicator.probe.edges import breaks_of, sample_of
from adjudicator.probe.scenes import PERSONAL, Pricer, single
from adjudicator.rules.bundle import Bundle

LOWEST_FEN, HIGHEST_FEN = 1_000, 100_000_000
"""From 10 yuan to a million."""
POINTS = 120
MOST_WEIGHT = 2
"""A person and a category may differ from the plainest cell, nothing else."""


class Curve(NamedTuple):
    """What a patient pays of a first bill in scope, at home and settled directly."""

    plan: int
    """Plan row."""
    group: int
    level: int
    category: int
    cost_fen: np.ndarray
    personal_fen: np.ndarray


def curves_of(bundle: Bundle, date: int) -> Iterator[Curve]:
    """Yield the curves of the plans of the first pack on a day: points evenly over the magnitudes, and every break."""
    cells = cells_of(bundle, date, is_apart=True)
    pricer = Pricer(bundle, cells)
    breaks = breaks_of(pricer, sample_of(bundle, cells))
    grid = np.geomspace(LOWEST_FEN, HIGHEST_FEN, POINTS).astype(np.int64)
    seen: set[tuple[int, ...]] = set()
    for cell in range(len(cells)):
        claim = cells.claims[cell]
        where = (int(cells.row[cell]), int(cells.group[cell]), int(claim["deductible_level"]), int(claim["assistance"]))
        is_plain = claim["place"] == 0 and not claim["settled_at_counter"] and cells.weight[cell] <= MOST_WEIGHT
        if where in seen or not is_plain:
            continue
        seen.add(where)
        at = breaks.of(cell)
        cost = np.unique(np.concatenate([grid, at - 1, at, at + 1]))
        cost = cost[(cost >= LOWEST_FEN) & (cost <= HIGHEST_FEN)]
        outcome = pricer.price(single(np.full(len(cost), cell), cost))
        if not outcome.error.any():
            yield Curve(*where, cost, outcome.paid[:, PERSONAL])
