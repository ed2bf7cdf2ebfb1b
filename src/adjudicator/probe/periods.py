"""The days on which one rule follows another: how the same claim fares on the last day and on the next one."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from adjudicator.limits import LAST_DATE
from adjudicator.probe.cells import DATES, next_date
from adjudicator.probe.scenes import PERSONAL, Pricer, batches, single
from adjudicator.probe.sweep import Probe


class Step(NamedTuple):
    """What changes for the claims of a plan from one day to the next."""

    plan: str
    day: int
    """First day of the new rule."""
    claims: int
    """Claims compared."""
    changed: int
    """Claims of which the patient pays another share."""
    most_fen: int
    """How much more one of them costs the patient."""
    least_fen: int
    """How much less, below 0."""
    refused: int
    """Claims that no rule takes on the new day."""


def steps_of(probe: Probe) -> list[Step]:
    """Return every day on which a plan's rule ends, with the same claims at the breaks of the old rule on both days."""
    cells, found = probe.cells, []
    ends = probe.bundle.plans.rows["to_date"][cells.row]
    cell = np.concatenate([np.arange(len(cells)), probe.breaks.cell])
    fen = np.concatenate([np.full(len(cells), 1_000_000), probe.breaks.fen])
    before, after = (Pricer(probe.bundle, replace(cells, claims=_on(probe, days))) for days in (0, 1))
    for row in np.unique(cells.row[ends < LAST_DATE]).tolist():
        some = np.flatnonzero(cells.row[cell] == row)
        rises, refused = [], 0
        for batch in batches(len(some)):
            scenes = single(cell[some[batch]], fen[some[batch]])
            old, new = before.price(scenes), after.price(scenes)
            refused += int(((old.error == 0) & (new.error != 0)).sum())
            both = (old.error == 0) & (new.error == 0)
            rises.append((new.paid[:, PERSONAL] - old.paid[:, PERSONAL])[both])
        rise = np.concatenate(rises)
        version = probe.bundle.plans.versions[row]
        found.append(
            Step(
                version.plan.id,
                next_date(version.to_date, 1),
                len(some),
                int(np.count_nonzero(rise)),
                int(rise.max(initial=0)),
                int(rise.min(initial=0)),
                refused,
            )
        )
    probe.pricer.count += before.count + after.count
    return sorted(found, key=lambda step: (step.day, step.plan))


def _on(probe: Probe, days: int) -> np.ndarray:
    """Return the claims of the cells some days after the last day of their rule; a programme stays on its own day."""
    claims = probe.cells.claims.copy()
    ends = probe.bundle.plans.rows["to_date"][probe.cells.row]
    for end in np.unique(ends[ends < LAST_DATE]).tolist():
        day = next_date(end, days)
        for name in DATES:
            claims[name][(ends == end) & (claims["programme"] == 0)] = day
    return claims
