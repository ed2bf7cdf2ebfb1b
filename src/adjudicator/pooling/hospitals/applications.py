"""Special-case review (特例单议): which cases of a period may be applied for, and which of them the quota takes.

Sources: docs/law.md, section "Special-case review": a case over a multiple of its group's average may be applied for
(#S-33); where there are more than the quota, those with the largest excess over the standard are taken (#S-22).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from adjudicator.codes import Method
from adjudicator.payment.methods.drg.terms import SpecialCases
from adjudicator.pooling.cases import Cases
from adjudicator.pooling.hospitals.review import review_quota
from adjudicator.rounding import PPM


def line_fen(average_fen: int, multiple_ppm: int) -> int:
    """Return the cost above which a case may be applied for; this cost itself is not above (超过).

    >>> line_fen(1_000_000, 3_000_000)
    3000000
    """
    return average_fen * multiple_ppm // PPM


@dataclass(frozen=True, slots=True)
class Application:
    """A case that may be applied for."""

    case: str
    hospital: str
    group: str
    cost_fen: int
    average_fen: int
    """Of its group."""
    taken: bool
    """Whether the quota takes it."""

    @property
    def excess_fen(self) -> int:
        """Cost over the average of the group."""
        return self.cost_fen - self.average_fen


@dataclass(frozen=True, slots=True)
class Quota:
    """How many cases of a period may be reviewed: of the pool, or of a payment class."""

    payment_class: str
    """Empty: the pool."""
    cases: int
    """DRG cases of the period."""
    allowed: int
    doubtful: bool
    """The document does not say how the fraction rounds; one more may be meant."""


def applications(
    standing: Cases,
    averages_fen: Mapping[str, int],
    multiple_ppm: int,
    special: SpecialCases,
    classes: Mapping[str, str],
) -> tuple[list[Application], list[Quota]]:
    """Return the cases over the multiple, largest excess first, and the quotas.

    standing: DRG cases of the period that stand. ``averages_fen``: of each group; a group without one has no line and
    none of its cases is listed. ``classes``: payment class by hospital.
    """
    rows = standing.rows
    averages = np.array([averages_fen.get(group, 0) for group in standing.groups], np.int64)
    lines = np.array([line_fen(average, multiple_ppm) for average in averages.tolist()], np.int64)
    above = (averages[rows["group"]] > 0) & (rows["total_fen"] > lines[rows["group"]])
    excess = rows["total_fen"] - averages[rows["group"]]
    found, quotas = [], []
    for quota, inside in _quotas(standing, special, classes):
        chosen = np.flatnonzero(inside & above).tolist()
        taken = accepted({standing.ids[place]: int(excess[place]) for place in chosen}, quota.allowed)
        quotas.append(quota)
        for place in chosen:
            row, case = rows[place], standing.ids[place]
            hospital, group = standing.hospitals[row["hospital"]], standing.groups[row["group"]]
            cost, average = int(row["total_fen"]), int(averages[row["group"]])
            found.append(Application(case, hospital, group, cost, average, case in taken))
    return sorted(found, key=lambda one: (-one.excess_fen, one.case)), quotas


def accepted(excess_fen: Mapping[str, int], allowed: int) -> list[str]:
    """Return the cases that the quota takes: those with the largest excess; of equal ones the smaller case id.

    >>> accepted({"a": 5, "b": 9, "c": 9}, 2)
    ['b', 'c']
    """
    return sorted(sorted(excess_fen), key=lambda case: -excess_fen[case])[:allowed]


def _quotas(standing: Cases, special: SpecialCases, classes: Mapping[str, str]) -> Iterator[tuple[Quota, np.ndarray]]:
    """Yield each quota with the cases that it is for, bool[n]."""
    limits = dict(special.limit_by_class_ppm) or {"": special.limit_ppm}
    for name, limit_ppm in limits.items():
        members = np.array([not name or classes.get(code) == name for code in standing.hospitals], bool)
        inside = members[standing.rows["hospital"]]
        count = int(inside.sum())
        doubtful = special.rounding == "undefined" and count * limit_ppm % PPM != 0
        allowed = review_quota(count, limit_ppm, "down" if doubtful else special.rounding)
        yield Quota(name, count, allowed, doubtful), inside


def drg_cases_of(standing: Cases, period: int) -> Cases:
    """Return the DRG cases of a month YYYYMM or a year YYYY."""
    months = standing.rows["month"]
    inside = months // 100 == period if period < 10_000 else months == period
    return standing.select(np.flatnonzero(inside & (standing.rows["method"] == Method.DRG_POINTS)))
