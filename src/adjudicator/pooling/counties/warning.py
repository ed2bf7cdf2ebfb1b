"""Warning lines of a fund: months of payment capacity, surplus rate, growth of spending (docs/law.md#S-80, R44)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from adjudicator.rounding import PPM, divide_half_up


@dataclass(frozen=True, slots=True)
class Lines:
    """Limits; a limit of -1 is not watched. Months in hundredths, rates in ppm."""

    low_months_e2: int = 300
    normal_from_e2: int = 600
    normal_to_e2: int = 900
    high_months_e2: int = 1500
    target_months_e2: int = -1
    target_surplus_ppm: int = -1
    growth_at_most_ppm: int = -1
    ahead_at_most_ppm: int = 0
    """Share of the budget that is spent less share of the year that is gone."""
    reserve_from_ppm: int = -1
    """A reserve below this part of the financing is less than one year's levy."""
    reserve_to_ppm: int = -1
    """At this part of the financing the levy of the reserve stops."""


UNWATCHED = Lines(low_months_e2=-1, normal_from_e2=-1, normal_to_e2=-1, high_months_e2=10**9)
"""Lines of a fund for which no document names any."""


@dataclass(frozen=True, slots=True)
class Warning:
    """One line crossed, with the figures behind it."""

    subject: str
    line: str
    figure: str
    limit: str
    text: str
    text_zh: str


def months_of_capacity(balance_fen: int, expenditure_fen: int) -> Fraction | None:
    """Accumulated balance / (year's expenditure / 12); ``None`` where nothing was spent.

    >>> months_of_capacity(2248, 1567) // 1
    17
    """
    return Fraction(balance_fen * 12, expenditure_fen) if expenditure_fen > 0 else None


def surplus_rate(income_fen: int, expenditure_fen: int) -> Fraction | None:
    """(Income - expenditure) / income; ``None`` without income.

    >>> surplus_rate(1000, 900)
    Fraction(1, 10)
    """
    return Fraction(income_fen - expenditure_fen, income_fen) if income_fen > 0 else None


def capacity_class(months: Fraction, lines: Lines) -> str:
    """Class of the capacity; between the named ranges the guide has no word: "unnamed" (R44).

    >>> [capacity_class(Fraction(m), Lines()) for m in (2, 3, 5, 6, 9, 12, 15, 16)]
    ['low', 'unnamed', 'unnamed', 'normal', 'normal', 'unnamed', 'unnamed', 'high']
    """
    scaled = months * 100
    if scaled < lines.low_months_e2:
        return "low"
    if scaled > lines.high_months_e2:
        return "high"
    return "normal" if lines.normal_from_e2 <= scaled <= lines.normal_to_e2 else "unnamed"


@dataclass(frozen=True, slots=True)
class Figures:
    """What the lines are compared with; ``None`` is not known, and its line is not watched."""

    months: Fraction | None
    """Months of payments that the accumulated balance covers."""
    surplus: Fraction | None
    """Surplus of the year / income."""
    growth: Fraction | None
    """Growth of spending on last year."""
    ahead: Fraction | None = None
    """Share of the budget that is spent less share of the year that is gone."""
    reserve: Fraction | None = None
    """Balance of the reserve / financing of the year."""


def growth_rate(now: int, before: int) -> Fraction | None:
    """Return the growth on the year before, ``None`` where there was nothing.

    >>> growth_rate(1_100, 1_000)
    Fraction(1, 10)
    """
    return Fraction(now - before, before) if before > 0 else None


def warnings(subject: str, figures: Figures, lines: Lines) -> list[Warning]:
    """Every line that one fund crosses."""
    found = []

    def add(line: str, figure: str, limit: str, text: str, text_zh: str) -> None:
        found.append(Warning(subject, line, figure, limit, text, text_zh))

    months, surplus, growth = figures.months, figures.surplus, figures.growth
    if months is not None:
        shown, kind = decimal(months), capacity_class(months, lines)
        if kind == "low":
            add("capacity", shown, _months(lines.low_months_e2), "too little: below the line", "支付能力过低")
        if kind == "high":
            add("capacity", shown, _months(lines.high_months_e2), "too much: above the line", "结余过多")
        if lines.target_months_e2 >= 0 and months * 100 < lines.target_months_e2:
            limit = _months(lines.target_months_e2)
            add("capacity target", shown, limit, "below the city's target", "支付能力未达目标")
    if surplus is not None and lines.target_surplus_ppm >= 0 and surplus * PPM < lines.target_surplus_ppm:
        limit = percent(Fraction(lines.target_surplus_ppm, PPM))
        add("surplus rate", percent(surplus), limit, "below the city's target", "当年结余率未达目标")
    if growth is not None and 0 <= lines.growth_at_most_ppm < growth * PPM:
        limit = percent(Fraction(lines.growth_at_most_ppm, PPM))
        add("growth", percent(growth), limit, "spending grew faster than allowed", "支出增幅超过控制目标")
    if figures.ahead is not None and 0 <= lines.ahead_at_most_ppm < figures.ahead * PPM:
        limit = percent(Fraction(lines.ahead_at_most_ppm, PPM))
        add("progress", percent(figures.ahead), limit, "spending runs ahead of the year", "支出进度快于时间进度")
    return found + _reserve(subject, figures.reserve, lines)


def _reserve(subject: str, reserve: Fraction | None, lines: Lines) -> list[Warning]:
    if reserve is None:
        return []
    low, high = (Fraction(limit, PPM) for limit in (lines.reserve_from_ppm, lines.reserve_to_ppm))
    if low >= 0 and reserve < low:
        return [Warning(subject, "reserve", percent(reserve), percent(low), "the reserve is too small", "储备低于下限")]
    if 0 <= high < reserve:
        text = "the reserve is above the line at which its levy stops"
        return [Warning(subject, "reserve", percent(reserve), percent(high), text, "储备超过停止提取的上限")]
    return []


def _months(hundredths: int) -> str:
    return decimal(Fraction(hundredths, 100))


def percent(value: Fraction) -> str:
    """Return a rate with two decimals.

    >>> percent(Fraction(1, 10))
    '10.00%'
    """
    return decimal(value * 100) + "%"


def decimal(value: Fraction) -> str:
    """Return a number with two decimals, half away from zero.

    >>> decimal(Fraction(-1, 8))
    '-0.13'
    """
    scaled = divide_half_up(value.numerator * 100, value.denominator)
    sign = "-" if scaled < 0 else ""
    return f"{sign}{abs(scaled) // 100}.{abs(scaled) % 100:02d}"
