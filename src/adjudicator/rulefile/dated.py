"""Dated values: each has a first day, a last day, the document it comes from and the day somebody compared it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from adjudicator.limits import FIRST_DATE, LAST_DATE
from adjudicator.rulefile.faults import Faults

SOURCE_KEYS: tuple[str, ...] = ("from", "to", "document", "clause", "checked_on", "verified")
"""What every dated block says about itself."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from and when it holds; dates are YYYYMMDD, both inclusive."""

    from_date: int
    to_date: int
    document: str
    clause: str
    checked_on: int
    verified: bool
    file: str
    key: str
    """Place of the block in its file, e.g. ``rule[3]``."""


@dataclass(frozen=True, slots=True)
class DatedValue:
    """One value of one key for a span of days."""

    name: str
    value: Any
    source: Source


def read_source(block: dict[str, Any], file: str, key: str, faults: Faults) -> Source | None:
    """The source of a dated block; notes every fault and returns None when the dates cannot be used."""
    before = len(faults)
    start = read_date(block.get("from"), file, f"{key}.from", faults)
    end = read_date(block["to"], file, f"{key}.to", faults) if "to" in block else LAST_DATE
    checked_on = read_date(block.get("checked_on"), file, f"{key}.checked_on", faults)
    document = block.get("document")
    if not isinstance(document, str) or not document.strip():
        faults.add(file, f"{key}.document", "is missing", "name the document or page the value was read in")
    if not isinstance(block.get("clause", ""), str):
        faults.add(file, f"{key}.clause", "is not a text", 'write clause = "第三条" or leave it out')
    if not isinstance(block.get("verified"), bool):
        faults.add(
            file, f"{key}.verified", "is missing or not true/false",
            "write verified = true only when the value was compared with its document",
        )  # fmt: skip
    if start and end and start > end:
        faults.add(file, f"{key}.to", f"ends before it begins ({iso(end)} < {iso(start)})", "swap from and to")
    if len(faults) > before:
        return None
    return Source(start, end, str(document), block.get("clause", ""), checked_on, block["verified"], file, key)


def read_date(value: Any, file: str, key: str, faults: Faults) -> int:
    """A TOML date (or ISO text) as YYYYMMDD; 0 and a fault when it is missing or wrong."""
    if isinstance(value, str):
        try:
            value = datetime.date.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, datetime.datetime):
        value = value.date()
    if not isinstance(value, datetime.date):
        faults.add(file, key, "is missing or not a date", "write a date without quotes, such as 2021-01-01")
        return 0
    number = value.year * 10_000 + value.month * 100 + value.day
    if not FIRST_DATE <= number <= LAST_DATE:
        faults.add(file, key, f"lies outside {iso(FIRST_DATE)} to {iso(LAST_DATE)}", "check the year")
        return 0
    return number


def iso(date: int) -> str:
    """YYYYMMDD as text.

    >>> iso(20210101)
    '2021-01-01'
    """
    return f"{date // 10_000:04d}-{date // 100 % 100:02d}-{date % 100:02d}"


def next_day(date: int) -> int:
    """The day after.

    >>> next_day(20201231)
    20210101
    """
    return _shift(date, 1)


def day_before(date: int) -> int:
    """The day before.

    >>> day_before(20210301)
    20210228
    """
    return _shift(date, -1)


def _shift(date: int, days: int) -> int:
    day = datetime.date(date // 10_000, date // 100 % 100, date % 100) + datetime.timedelta(days=days)
    return day.year * 10_000 + day.month * 100 + day.day


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
    """The value that holds on a day."""
    for value in values:
        if value.source.from_date <= date <= value.source.to_date:
            return value
    return None
