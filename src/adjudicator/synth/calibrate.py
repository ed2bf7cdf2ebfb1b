"""Looks for the habits under which a synthetic city comes to published figures, by pricing samples of its stays.

The search is bounded and deterministic: at the usual habits each one is moved a little, one after the other, which
gives what each figure gains by it; then steps that change the habits least (least squares in logarithms), corrected by
what each step did (Broyden). The nearest sample counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from adjudicator.claim.engine import Engine
from adjudicator.claim.local import Years, price_batch
from adjudicator.codes import CareKind, Scheme
from adjudicator.rules.bundle import Bundle
from adjudicator.synth.chunk import STAYS
from adjudicator.synth.city import Synthesizer
from adjudicator.synth.habits import BOUNDS, USUAL, Habits
from adjudicator.synth.targets import FUNDS, MEASURES, SCHEMES, Target, Targets
from adjudicator.v1 import settlement_pb2

SAMPLE_CLAIMS, MOST_CHECKED = 12_000, 100_000
"""Claims of a sample of the search, and of the city by which the report is made."""
BATCH, MOST_STEPS = 500, 8
NUDGE, NUDGE_OF_SPREAD = 1.3, 1.7
"""A habit is moved by this factor to see what it does; a small spread does nothing."""
MOST_OF_A_STEP = float(np.log(2.0))
"""No step changes a habit by more than this."""
_INSIDE = 0.5
"""A sample counts as good where every figure is within this part of its tolerance: another draw differs."""

_KNOBS: dict[str, tuple[str, ...]] = {
    "inpatient_rate": ("cost", "spread", "high_levels", "low_levels", "retired"),
    "inpatient_total_rate": ("cost", "spread", "high_levels", "low_levels", "retired"),
    "stays_share": ("employees",),
    "level_share": ("high_levels", "low_levels"),
    "fund_share": ("cost", "high_levels"),
    "mean_stay_days": ("stay_days",),
    "mean_stay_cost": ("cost",),
}
"""Measure -> habits that move it; ``cost`` and ``spread`` are those of the scheme."""


class Setting(NamedTuple):
    """The city that is drawn."""

    bundle: Bundle
    pack: int
    seed: int
    year: int
    persons: int
    inpatient_share: float


@dataclass(slots=True)
class Stays:
    """Sums over the stays of a scheme."""

    count: int = 0
    days: int = 0
    total_fen: int = 0
    in_scope_fen: int = 0
    funds_fen: int = 0
    """Paid by pooled fund, large-sum fund and catastrophic insurance."""


class Seen(NamedTuple):
    """What a sample came to: sums by scheme, stays by (scheme, level), and funds in fen by (scheme, fund)."""

    stays: dict[str, Stays]
    levels: dict[tuple[str, str], int]
    funds: dict[tuple[str, str], int]


class Outcome(NamedTuple):
    """The habits that were found, and every figure: what it should be, what it is usually, and what it is now."""

    habits: Habits
    targets: Targets
    usual: tuple[float, ...]
    reached: tuple[float, ...]
    samples: int

    @property
    def missed(self) -> list[int]:
        """Return the numbers of the targets, from 0, that are missed by more than their tolerance."""
        pairs = zip(self.targets.targets, self.reached, strict=True)
        return [
            number for number, (target, reached) in enumerate(pairs) if abs(reached - target.value) > target.tolerance
        ]

    def report(self) -> dict[str, Any]:
        """Return the report as JSON writes it."""
        rows = [
            {
                "measure": target.measure, "scheme": target.scheme, "of": target.of, "unit": target.unit,
                "target": target.value, "tolerance": round(target.tolerance, 4), "usual": round(usual, 2),
                "reached": round(reached, 2), "is_met": number not in self.missed, "document": target.document,
                "evidence": target.evidence,
            }
            for number, (target, usual, reached) in enumerate(
                zip(self.targets.targets, self.usual, self.reached, strict=True)
            )
        ]  # fmt: skip
        return {
            "name": self.targets.name, "name_zh": self.targets.name_zh, "year": self.targets.year,
            "habits": self.habits.as_table(), "samples": self.samples, "targets": rows,
        }  # fmt: skip


# ---------------------------------------------------------------- what a city comes to


def seen_of(setting: Setting, habits: Habits, claims: int) -> Seen:
    """Draw a city, price its claims in order, and return what its stays come to."""
    city = Synthesizer(
        setting.bundle, setting.seed, year=setting.year, persons=setting.persons,
        inpatient_share=setting.inpatient_share, habits=habits,
    )  # fmt: skip
    pack, engine, years = setting.bundle.packs[setting.pack], Engine(setting.bundle), Years()
    level_of = {hospital.code: pack.level_ids[hospital.deductible_level] for hospital in pack.hospitals}
    seen = Seen({scheme: Stays() for scheme in SCHEMES}, {}, {})
    stays = _stays(city, claims)
    batches = city.batches(claims, BATCH)
    for data in batches:
        answers, offsets = price_batch(engine, data, years)
        octets, ends = answers.tobytes(), offsets.tolist()
        for begin, end in itertools.pairwise(ends):
            scheme, days, hospital = next(stays)
            if scheme:
                answer = settlement_pb2.Settlement.FromString(octets[begin:end])
                _count(seen, scheme, days, level_of.get(hospital, ""), answer)
    return seen


def _stays(city: Synthesizer, claims: int) -> Iterator[tuple[str, int, str]]:
    """Yield scheme, days and institution of each claim, "" for one that is no ordinary stay of a scheme."""
    names = {int(scheme): name for name, scheme in SCHEMES.items()}
    for chunk in city.chunks(claims):
        pool = city.pool(chunk.pack).pack
        births = chunk.kind == CareKind.MATERNITY_INPATIENT
        ordinary = np.isin(chunk.kind, STAYS) & ~(births & (chunk.scheme == Scheme.MATERNITY))
        days = np.maximum(chunk.discharge - chunk.admission, 1).tolist()
        rows = zip(ordinary.tolist(), chunk.scheme.tolist(), days, chunk.hospital.tolist(), strict=True)
        for is_stay, scheme, length, hospital in rows:
            code = pool.hospitals[hospital].code if hospital >= 0 else ""
            yield (names.get(scheme, "") if is_stay else ""), length, code


def _count(seen: Seen, scheme: str, days: int, level: str, answer: settlement_pb2.Settlement) -> None:
    own = seen.stays[scheme]
    own.count += 1
    own.days += days
    own.total_fen += answer.total_fen
    own.in_scope_fen += answer.in_scope_fen
    own.funds_fen += answer.pooled_fund_fen + answer.large_sum_fen + answer.catastrophic_fen
    seen.levels[scheme, level] = seen.levels.get((scheme, level), 0) + 1
    for fund in FUNDS:
        seen.funds[scheme, fund] = seen.funds.get((scheme, fund), 0) + getattr(answer, f"{fund}_fen")


def figure(seen: Seen, target: Target) -> float:
    """Return what a sample came to in the unit of a target."""
    schemes = [target.scheme] if target.scheme else list(SCHEMES)
    stays = [seen.stays[scheme] for scheme in schemes]
    count, total = sum(one.count for one in stays), sum(one.total_fen for one in stays)
    all_stays = sum(one.count for one in seen.stays.values())
    funds = sum(one.funds_fen for one in stays)
    every_fund = sum(seen.funds.get((scheme, fund), 0) for scheme in schemes for fund in FUNDS)
    parts: dict[str, Callable[[], tuple[float, float]]] = {
        "inpatient_rate": lambda: (100 * funds, sum(one.in_scope_fen for one in stays)),
        "inpatient_total_rate": lambda: (100 * funds, total),
        "stays_share": lambda: (100 * count, all_stays),
        "level_share": lambda: (100 * sum(seen.levels.get((scheme, target.of), 0) for scheme in schemes), count),
        "fund_share": lambda: (100 * sum(seen.funds.get((scheme, target.of), 0) for scheme in schemes), every_fund),
        "mean_stay_days": lambda: (sum(one.days for one in stays), count),
        "mean_stay_cost": lambda: (total / 100, count),
    }
    part, whole = parts[target.measure]()
    return part / whole if whole else 0.0


# ---------------------------------------------------------------- the search


def knobs_of(targets: Sequence[Target]) -> tuple[str, ...]:
    """Return the habits that move some of the targets, in the order of ``Habits``."""
    wanted: set[str] = set()
    for target in targets:
        for knob in _KNOBS[target.measure]:
            schemes = [target.scheme] if target.scheme else list(SCHEMES)
            wanted |= {f"{scheme}_{knob}" for scheme in schemes} if knob in ("cost", "spread") else {knob}
    return tuple(name for name in USUAL.as_table() if name in wanted)


def samples_at_most(targets: Sequence[Target]) -> int:
    """Return how many samples the search draws at most."""
    return 1 + len(knobs_of(targets)) + MOST_STEPS


def calibrate(
    setting: Setting, targets: Targets, progress: Callable[[int], None], sample: int = SAMPLE_CLAIMS
) -> Outcome:
    """Return the habits that come nearest to the targets, and what they reach in a sample."""
    wanted = np.array([target.value for target in targets.targets])
    width = np.array([target.tolerance for target in targets.targets])
    knobs, drawn = knobs_of(targets.targets), 0

    def figures(logs: np.ndarray) -> np.ndarray:
        nonlocal drawn
        drawn += 1
        progress(drawn)
        seen = seen_of(setting, _habits(knobs, logs), sample)
        return np.array([figure(seen, target) for target in targets.targets])

    place = np.zeros(len(knobs))
    usual = best = found = figures(place)
    nearest = place
    if not _is_near(found, wanted, width):
        nudges = [np.log(NUDGE_OF_SPREAD if name.endswith("spread") else NUDGE) for name in knobs]
        slopes = np.stack([(figures(row) - usual) / row.sum() for row in np.diag(nudges)], axis=1)
        for _ in range(MOST_STEPS):
            moved = _moved(Steps(slopes / width[:, None], (wanted - found) / width, knobs), place)
            change = moved - place
            if not np.abs(change).max() > np.log(1.01):
                break
            then = figures(moved)
            slopes += np.outer(then - found - slopes @ change, change) / (change @ change)
            place, found = moved, then
            if _miss(found, wanted, width) < _miss(best, wanted, width):
                nearest, best = place, found
            if _is_near(best, wanted, width):
                break
    return Outcome(_habits(knobs, nearest), targets, tuple(usual.tolist()), tuple(best.tolist()), drawn)


def checked(setting: Setting, outcome: Outcome, claims: int) -> Outcome:
    """Return the outcome with what a city of so many claims comes to."""
    seen = seen_of(setting, outcome.habits, claims)
    return outcome._replace(reached=tuple(figure(seen, target) for target in outcome.targets.targets))


def _miss(found: np.ndarray, wanted: np.ndarray, width: np.ndarray) -> float:
    """Return how far the worst figure is off, in tolerances."""
    return float(np.abs((found - wanted) / width).max())


def _is_near(found: np.ndarray, wanted: np.ndarray, width: np.ndarray) -> bool:
    return _miss(found, wanted, width) <= _INSIDE


class Steps(NamedTuple):
    """What each habit does to the figures, float[targets, knobs], and what the figures lack, both in tolerances."""

    slopes: np.ndarray
    gap: np.ndarray
    knobs: tuple[str, ...]


def _moved(steps: Steps, place: np.ndarray) -> np.ndarray:
    """Return the logarithms of the habits after the smallest step that closes the gap within the bounds.

    A habit that would leave its bounds stays at them, and the others make up for it.
    """
    least, most = (np.log([BOUNDS[name][end] / 100 for name in steps.knobs]) for end in (0, 1))
    least, most = np.maximum(least, place - MOST_OF_A_STEP), np.minimum(most, place + MOST_OF_A_STEP)
    moved, free = place.copy(), np.ones(len(place), np.bool_)
    while free.any():
        rest = steps.gap - steps.slopes[:, ~free] @ (moved - place)[~free]
        step, *_ = np.linalg.lstsq(steps.slopes[:, free], rest, rcond=0.02)
        wanted = place[free] + step
        moved[free] = np.clip(wanted, least[free], most[free])
        outside = np.flatnonzero(free)[(wanted < least[free]) | (wanted > most[free])]
        if not outside.size:
            break
        free[outside] = False
    return moved


def _habits(knobs: tuple[str, ...], logs: np.ndarray) -> Habits:
    percents = np.rint(100 * np.exp(logs)).astype(int).tolist()
    return replace(USUAL, **dict(zip(knobs, percents, strict=True)))


assert set(_KNOBS) == set(MEASURES)
