"""Findings: a relation that one payer breaks is one finding, whatever the plans, with its smallest witness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from adjudicator.probe.accepted import Accepted
from adjudicator.probe.relations import BY_NAME, FAMILIES, Relation, View
from adjudicator.probe.scenes import Scenes
from adjudicator.probe.sweep import PAYERS_TO_BLAME, Broken, Probe, Witness, blame

GRID = 64
ROUND_FEN = (10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100)
"""Amounts that are easily read: a witness is rounded up to one of them where it still breaks the relation."""
ROUNDED_BY_PERCENT = 10
_STEPS_OF = {"two_hospitals": "lower_level_pays_no_more"}


class Sides(NamedTuple):
    """The two scenes of a witness; b is None where the relation looks at one scene alone."""

    a: Scenes
    b: Scenes | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One relation that one payer breaks, in some plans."""

    relation: Relation
    by: str
    """The deductible or the fund to blame."""
    plans: tuple[str, ...]
    count: int
    """Pairs of the sweep that break it."""
    worst_fen: int
    """The most by which one of them does."""
    by_fen: int
    """By how much the witness does."""
    keys: tuple[str, ...]
    """Keys of the plan with a break at the witness."""
    sides: Sides
    accepted: Accepted | None

    @property
    def name(self) -> str:
        """The finding in one word, the same from run to run."""
        return f"{self.relation.name}-{self.by}"


def findings_of(probe: Probe, accepted: Sequence[Accepted] = ()) -> list[Finding]:
    """Return the findings of a probe in the order of the relations, each with its smallest witness."""
    groups: dict[tuple[int, str, int], list[Broken]] = {}
    order = list(BY_NAME)
    for _, broken in sorted(probe.broken.items()):
        entry = next((n for n, entry in enumerate(accepted) if entry.takes(broken)), len(accepted))
        groups.setdefault((order.index(broken.relation), broken.by, entry), []).append(broken)
    return [
        _finding(probe, some, accepted[entry] if entry < len(accepted) else None)
        for (_, _, entry), some in sorted(groups.items(), key=lambda group: group[0])
    ]


def _finding(probe: Probe, some: Sequence[Broken], accepted: Accepted | None) -> Finding:
    relation, by = BY_NAME[some[0].relation], some[0].by
    witness = min((broken.witness for broken in some if broken.witness is not None), key=lambda one: one.weight)
    fen = _shrink(probe, relation, witness, by)
    amount = int(_tried(probe, relation, witness, fen[None])[0][0])
    keys = probe.breaks.near(witness.cell, int(fen[:, 0].sum())) or probe.breaks.near(witness.cell, int(fen[-1, 0]))
    plans = tuple(dict.fromkeys(broken.plan for broken in some))
    return Finding(
        relation, by, plans, sum(broken.count for broken in some), max(broken.worst_fen for broken in some), amount,
        tuple(keys), _sides(probe, relation, witness, fen[None]), accepted,
    )  # fmt: skip


def _base(witness: Witness, fen: np.ndarray) -> Scenes:
    return Scenes(np.full(fen.shape[:2], witness.cell, np.int64), fen)


def _sides(probe: Probe, relation: Relation, witness: Witness, fen: np.ndarray) -> Sides:
    """Return the scenes a and b for some bills; int64[k, w, 3]."""
    base, own = _base(witness, fen), {}
    if witness.partner >= 0:
        own = {_STEPS_OF.get(relation.family, relation.family): np.array([[witness.cell, witness.partner]])}
    pair = FAMILIES[relation.family](base, probe.rules.rows(base.cell[:, 0]), own)
    assert pair is not None
    return Sides(base if pair.a is None else pair.a, pair.b)


def _tried(probe: Probe, relation: Relation, witness: Witness, fen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much some bills break the relation, 0 where a claim is refused, and the payer to blame."""
    sides = _sides(probe, relation, witness, fen)
    rules = probe.rules.rows(np.full(len(fen), witness.cell))
    a = probe.pricer.price(sides.a)
    b = a if sides.b is None else probe.pricer.price(sides.b)
    view = View(a, b, rules)
    return np.where((a.error == 0) & (b.error == 0), relation.broken(view), 0), blame(view, relation)


def _shrink(probe: Probe, relation: Relation, witness: Witness, by: str) -> np.ndarray:
    """Return the smallest bills that break the relation by the same payer, each amount lowered for itself."""
    fen = witness.fen.copy()

    def breaks(place: tuple[int, int], amounts: np.ndarray) -> np.ndarray:
        tried = np.repeat(fen[None], len(amounts), axis=0)
        tried[:, place[0], place[1]] = amounts
        amount, payer = _tried(probe, relation, witness, tried)
        found: np.ndarray = (amount > relation.most_fen) & (payer == PAYERS_TO_BLAME.index(by))
        return found

    for lower in (_least, _least, _readable):
        for claim, part in zip(*np.nonzero(fen), strict=True):
            fen[claim, part] = lower(partial(breaks, (int(claim), int(part))), int(fen[claim, part]))
    return fen


def _least(breaks: Callable[[np.ndarray], np.ndarray], high: int) -> int:
    """Return the smallest amount that breaks, looking between amounts that do not and ``high``, which does."""
    low = 0
    tried = np.unique(np.concatenate([[0], np.geomspace(1, high, GRID).astype(np.int64), [high]]))
    while True:
        fine = breaks(tried)
        if not fine.any():
            return high
        first = int(np.argmax(fine))
        low, high = int(tried[first - 1]) if first else low, int(tried[first])
        if high - low <= 1 or first == 0:
            return high
        tried = np.unique(np.linspace(low + 1, high, GRID).astype(np.int64))


def _readable(breaks: Callable[[np.ndarray], np.ndarray], least: int) -> int:
    """Return the amount rounded up to a round one that breaks too and is hardly larger, else the amount."""
    rounded = np.array([-(-least // unit) * unit for unit in ROUND_FEN])
    fine = breaks(rounded) & (rounded * 100 <= least * (100 + ROUNDED_BY_PERCENT))
    return int(rounded[np.argmax(fine)]) if fine.any() else least
