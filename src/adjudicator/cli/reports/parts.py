"""Parts of a report: tables, meters and month columns, filled once for terminal and page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from adjudicator.cli.reports.pool_page import NOT_COMPUTED, Table, yuan
from adjudicator.pooling.budget.figures import WHAT_ZH, Lacking, grouped, place_zh
from adjudicator.pooling.counties.warning import Warning, percent
from adjudicator.rounding import divide_half_up

TEN_THOUSAND_YUAN_FROM = 10**8
"""Fen of the largest amount from which a page counts in 万元."""
MOST_NAMED = 6
"""Places that one line of reasons names."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a report's amounts."""

    name: str
    fen: int

    def text(self, fen: int | None) -> str:
        """Return an amount with two decimals, half away from zero; what is not known is said.

        >>> Unit("万元", 1_000_000).text(123_455_000), Unit("元", 100).text(-150), Unit("元", 100).text(None)
        ('123.46', '-1.50', '未算出')
        """
        return NOT_COMPUTED if fen is None else yuan(divide_half_up(fen * 100, self.fen))


YUAN, TEN_THOUSAND_YUAN = Unit("元", 100), Unit("万元", 1_000_000)


def unit_for(amounts: Iterable[int | None]) -> Unit:
    """Return the unit in which the largest amount fits a narrow page."""
    largest = max((abs(amount) for amount in amounts if amount is not None), default=0)
    return TEN_THOUSAND_YUAN if largest >= TEN_THOUSAND_YUAN_FROM else YUAN


@dataclass(frozen=True, slots=True)
class Meter:
    """A row of bars with its name and figure; widths and the mark are in percent of the row."""

    name: str
    bars: Sequence[tuple[str, str, str]]
    """Class, width and title of each."""
    figure: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A month with the bars of both years; heights in percent."""

    label: str
    bars: Sequence[tuple[str, str, str]]
    """Class, height and title of each."""


@dataclass(slots=True)
class Section:
    """One section of a report."""

    title: str
    table: Table
    text: str = ""
    boxes: Sequence[tuple[str, str]] = ()
    key: Sequence[tuple[str, str]] = ()
    """Class and name of each kind of bar."""
    meters: Sequence[Meter] = ()
    columns: Sequence[Column] = ()


@dataclass(slots=True)
class Report:
    """A report for people, on a page or a terminal."""

    title: str
    subtitle: str
    unit: Unit
    sections: list[Section] = field(default_factory=list)
    warnings: Table | None = None
    lacking: Table | None = None
    notes: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)


def with_name(names: Mapping[str, str], code: str) -> str:
    """Return an institution's name and code, its code alone where it has no name.

    >>> with_name({"H1": "县医院"}, "H1"), with_name({}, "H2")
    ('县医院 H1', 'H2')
    """
    return f"{names.get(code, '')} {code}".strip()


def rate(value: Fraction | None) -> str:
    """Return a rate in percent, or that it cannot be computed."""
    return NOT_COMPUTED if value is None else percent(value)


def part(amount: int | None, largest: int) -> str:
    """Return a width or height in percent of the largest amount, for drawing only.

    >>> part(1, 3), part(-5, 3), part(None, 3), part(1, 0)
    ('33.3', '0.0', '0.0', '0.0')
    """
    if amount is None or amount <= 0 or largest <= 0:
        return "0.0"
    tenths = amount * 1000 // largest
    return f"{tenths // 10}.{tenths % 10}"


def warning_table(warnings: Iterable[tuple[str, Warning]]) -> Table | None:
    """Return (subject, warning) as a table, ``None`` without any."""
    rows = [[subject, entry.text_zh, entry.figure, entry.limit] for subject, entry in warnings]
    alarms = frozenset((place, 2) for place in range(len(rows)))
    return Table(["对象", "预警", "实际", "警戒线"], rows, text=frozenset({1}), alarms=alarms) if rows else None


def lacking_table(lacking: Iterable[Lacking]) -> Table | None:
    """Return what cannot be computed, one row a figure and reason, ``None`` where all is known."""
    rows = []
    for (what, reason), places in grouped(lacking).items():
        names = [place_zh(one.place, one.name) for one in places]
        more = f" 等 {len(names)} 项" if len(names) > MOST_NAMED else ""
        rows.append([WHAT_ZH[what], "、".join(names[:MOST_NAMED]) + more, reason])
    return Table(["未算出", "对象", "原因与处理"], rows, text=frozenset({1, 2})) if rows else None
