"""Dated values: each has a first day, a last day, the document it comes from and the day somebody compared it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from adjudicator.dates import day_before as day_before
from adjudicator.dates import iso as iso
from adjudicator.dates import next_day as next_day
from adjudicator.limits import LAST_DATE
from adjudicator.rulefile.evidence import EVIDENCE_KEYS, Evidence, read_date, read_support
from adjudicator.rulefile.faults import Faults

SOURCE_KEYS: tuple[str, ...] = ("from", "to", *EVIDENCE_KEYS)
"""What every dated block says about itself."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from and when it holds; dates are YYYYMMDD, both inclusive."""

    from_date: int
    to_date: int
    document: str
    clause: str
    link: str
    checked_on: int
    """0 where nothing was compared."""
    evidence: Evidence
    file: str
    key: str
    """Place of the block in its file, e.g. ``rule[3]``."""

    @property
    def verified(self) -> bool:
        """True where somebody compared the value with the document itself."""
        return self.evidence.verified

    def overlaps(self, other: Source) -> bool:
        """Return whether both hold on some day."""
        return self.from_date <= other.to_date and other.from_date <= self.to_date


@dataclass(frozen=True, slots=True)
class DatedValue:
    """One value of one key for a span of days."""

    name: str
    value: Any
    source: Source


def read_source(block: Mapping[str, Any], file: str, key: str, faults: Faults) -> Source | None:
    """Return the source of a dated block; note every fault and return None when there is one."""
    before = len(faults)
    start = read_date(block.get("from"), file, f"{key}.from", faults)
    end = read_date(block["to"], file, f"{key}.to", faults) if "to" in block else LAST_DATE
    support = read_support(block, file, key, faults)
    if start and end and start > end:
        faults.add(file, f"{key}.to", f"ends before it begins ({iso(end)} < {iso(start)})", "swap from and to")
    if len(faults) > before or support is None:
        return None
    return Source(start, end, *support, file, key)


def check_overlap(values: Iterable[DatedValue], faults: Faults) -> list[DatedValue]:
    """Sorts the values of one key by date; two that hold on one day are a fault that names both."""
    ordered = sorted(values, key=lambda value: (value.source.from_date, value.source.to_date))
    for former, latter in pairwise(ordered):
        if latter.source.from_date <= former.source.to_date:
            faults.add(
                latter.source.file, f"{latter.source.key}.{latter.name}",
                f"overlaps {former.source.file} {former.source.key}: two values hold on {iso(latter.source.from_date)}",
                f"end the former with to = {iso(day_before(latter.source.from_date))}",
            )  # fmt: skip
    return ordered


def check_gap(values: Sequence[DatedValue], faults: Faults) -> None:
    """Days between two values of one key on which none holds are a fault."""
    for former, latter in pairwise(values):
        if former.source.to_date < LAST_DATE and next_day(former.source.to_date) < latter.source.from_date:
            faults.add(
                latter.source.file, f"{latter.source.key}.{latter.name}",
                f"leaves a gap: no value from {iso(next_day(former.source.to_date))} "
                f"to {iso(day_before(latter.source.from_date))}",
                f"begin it on {iso(next_day(former.source.to_date))} or add the value between",
            )  # fmt: skip


def value_on(values: Sequence[DatedValue], date: int) -> DatedValue | None:
    """Return the value that holds on a day."""
    for value in values:
        if value.source.from_date <= date <= value.source.to_date:
            return value
    return None
