"""Compiled plans: one row of :data:`keys.PLAN` for each plan and span of days on which no value changes.

``select`` finds the row of a claim: pack, scheme, kind of care, place, filing class, channel of settlement, date.
The kernel reads the same arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from adjudicator.benefit.plan.keys import KEY, KEYS, PLAN, RANGE, SPAN, UNDEFINED, Stage
from adjudicator.benefit.plan.source import PlanSource
from adjudicator.benefit.plan.values import blank_cross_region
from adjudicator.codes import CareKind, Channel, Filing, Place, Scheme
from adjudicator.dates import day_before, iso, next_day
from adjudicator.errors import E
from adjudicator.limits import LAST_DATE
from adjudicator.options import BurdenPart, CeilingExcess
from adjudicator.rulefile.dated import DatedValue, value_on
from adjudicator.rulefile.pack import Pack

UNDEFINED_PLAN = -2
"""In place of a row: the documents are known to give no rule."""
SELECTOR_SHAPE = (len(Scheme), len(CareKind), len(Place), len(Filing), len(Channel))


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """Where a plan row comes from: for explanations, ``show`` and ``diff``."""

    pack: int
    plan: PlanSource
    from_date: int
    to_date: int
    values: dict[str, DatedValue] = field(repr=False)
    """The value of each key that the plan names on these days."""


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of a bundle."""

    rows: np.ndarray
    """PLAN[n]"""
    selector: np.ndarray
    """RANGE[packs, schemes, kinds, places, filings, channels]: range of ``spans``."""
    spans: np.ndarray
    """SPAN[m]; UNDEFINED_PLAN in place of a plan row."""
    versions: tuple[PlanVersion, ...]
    undefined: tuple[str, ...]
    """What is missing, in words, of the plans that are marked undefined."""

    def select(
        self, pack: int, scheme: int, care: int, place: int, filing: int, date: int, channel: int = Channel.DIRECT
    ) -> tuple[int, E]:
        """Return plan row and error number; the row is -1 where there is none."""
        if place != Place.LOCAL and filing == Filing.UNSPECIFIED:
            filing = Filing.NONE
        if filing == Filing.NOT_DIRECT:
            channel = Channel.COUNTER
        cell = self.selector[pack, scheme, care, place, filing, channel]
        if cell["start"] == cell["end"]:
            return -1, E.NO_PLAN
        for first, last, row in self.spans[cell["start"] : cell["end"]]:
            if first <= date <= last:
                return (int(row), E.NONE) if row >= 0 else (-1, E.RULE_UNDEFINED)
        return -1, E.NO_RULE_ON_DATE


def compile_plans(packs: Sequence[Pack]) -> Plans:
    """Return the arrays of all plans of some packs."""
    versions: list[PlanVersion] = []
    rows: list[np.void] = []
    cells: dict[tuple[int, ...], list[tuple[int, int, int]]] = {}
    undefined = []
    for number, pack in enumerate(packs):
        for plan in pack.plans:
            if plan.undefined:
                undefined.append(plan.undefined)
                spans = [(plan.from_date, plan.to_date, UNDEFINED_PLAN)]
            else:
                spans = []
                for start, end in _spans(plan):
                    values = {name: found for name, dated in plan.values.items() if (found := value_on(dated, start))}
                    spans.append((start, end, len(rows)))
                    versions.append(PlanVersion(number, plan, start, end, values))
                    rows.append(_row(number, plan, start, end, values))
            for cell in _cells(number, plan):
                cells.setdefault(cell, []).extend(spans)
    table = np.array(rows, PLAN) if rows else np.zeros(0, PLAN)
    selector = np.zeros((len(packs), *SELECTOR_SHAPE), RANGE)
    every: list[tuple[int, int, int]] = []
    for cell, spans in cells.items():
        selector[cell] = len(every), len(every) + len(spans)
        every += sorted(spans)
    for array in (table, selector):
        array.setflags(write=False)
    return Plans(table, selector, np.array(every or [(0, 0, -1)], SPAN), tuple(versions), tuple(undefined))


def _spans(plan: PlanSource) -> list[tuple[int, int]]:
    """Return the spans of days on which no value of a plan changes."""
    starts = {plan.from_date}
    for dated in plan.values.values():
        for value in dated:
            starts.add(value.source.from_date)
            if value.source.to_date < LAST_DATE:
                starts.add(next_day(value.source.to_date))
    inside = sorted(start for start in starts if plan.from_date <= start <= plan.to_date)
    ends = [day_before(start) for start in inside[1:]] + [plan.to_date]
    return list(zip(inside, ends, strict=True))


def _cells(pack: int, plan: PlanSource) -> list[tuple[int, ...]]:
    """Return the selector cells of a plan; local care has the same plan whatever the filing says."""
    return [
        (pack, int(plan.scheme), int(care), int(place), int(filing), int(channel))
        for care in plan.care
        for place in plan.places
        for filing in (Filing if place is Place.LOCAL else plan.filings)
        for channel in plan.channels
    ]


def _row(pack: int, plan: PlanSource, start: int, end: int, values: dict[str, DatedValue]) -> np.void:
    row: np.void = np.zeros(1, PLAN)[0]
    row["pack"], row["scheme"], row["from_date"], row["to_date"] = pack, plan.scheme, start, end
    for key in KEYS:
        row[key.field] = values[key.name].value if key.name in values else key.blank()
    for name, cells in _cross(values).items():
        row[name] = cells
    _derive_rates(row, values)
    if row["ceiling_excess"] == CeilingExcess.INSIDE:
        _take_ceiling_excess_in(row)
    row["unverified"] = _unverified(values)
    row["has_age_steps"] = (row["age_points_ppm"] > 0).any()
    row["has_assistance"] = (row["assistance_ppm"] > 0).any()
    row["has_tilt"] = (row["tilt_ppm"] > 0).any()
    return row


def _cross(values: dict[str, DatedValue]) -> dict[str, np.ndarray]:
    """Return the cross-region fields; local care is always defined and changes nothing unless an entry says so."""
    given = values["cross_region"].value if "cross_region" in values else blank_cross_region()
    cells = {name: array.copy() for name, array in given.items()}
    cells["cross_defined"][Place.LOCAL, :] = 1
    return cells


def _derive_rates(row: np.void, values: dict[str, DatedValue]) -> None:
    """Derive a retired person's rate from an active one's (V14)."""
    if "rate_derived" not in values:
        return
    rates = row["rate_ppm"]
    for group, of_group, form, ppm in values["rate_derived"].value:
        base = rates[of_group]
        if form == "plus_points":
            derived = np.minimum(base + ppm, 1_000_000)
        else:
            derived = 1_000_000 - ((1_000_000 - base) * ppm + 500_000) // 1_000_000
        rates[group] = np.where(base == UNDEFINED, UNDEFINED, derived)


def _take_ceiling_excess_in(row: np.void) -> None:
    """Let an account that may pay the in-catalogue share pay the cost over the ceiling too (V12)."""
    in_catalogue = BurdenPart.IN_SCOPE | BurdenPart.FIRST_PAY
    for name in ("account_current_pays", "account_past_pays", "account_family_pays"):
        if row[name] & in_catalogue == in_catalogue:
            row[name] |= BurdenPart.OVER_CEILING


def _unverified(values: dict[str, DatedValue]) -> int:
    mask = 0
    for name, value in values.items():
        stage = KEY[name].stage if name in KEY else Stage.CROSS_REGION if name == "cross_region" else Stage.POOLED
        if not value.source.verified:
            mask |= 1 << stage
    return mask


def version_text(packs: Sequence[Pack], version: PlanVersion) -> str:
    """Return the version of rules in words, e.g. ``hangzhou@2021-01-01``."""
    return f"{packs[version.pack].id}@{iso(version.from_date)}"
