"""Warning lines of a fund: months of payment capacity, surplus rate, growth of spending (docs/law.md#S-80, R44)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from adjudicator.errors import E, refuse
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


@dataclass(frozen=True, slots=True)
class Warning:
    """One line crossed, with the figures behind it."""

    subject: str
    line: str
    figure: str
    limit: str
    text: str
    text_zh: str


def months_of_capacity(balance_fen: int, expenditure_fen: int) -> Fraction:
    """Accumulated balance / (year's expenditure / 12).

    >>> float(months_of_capacity(2248, 1567)) // 1
    17.0
    """
    if expenditure_fen <= 0:
        raise refuse(E.CANNOT_CLEAR, "expenditure", "capacity needs the year's expenditure")
    return Fraction(balance_fen * 12, expenditure_fen)


def surplus_rate(income_fen: int, expenditure_fen: int) -> Fraction:
    """(Income - expenditure) / income.

    >>> surplus_rate(1000, 900)
    Fraction(1, 10)
    """
    if income_fen <= 0:
        raise refuse(E.CANNOT_CLEAR, "income", "the surplus rate needs the year's income")
    return Fraction(income_fen - expenditure_fen, income_fen)


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


def warnings(
    subject: str, income_fen: int, expenditure_fen: int, balance_fen: int, last_expenditure_fen: int, lines: Lines
) -> list[Warning]:
    """Every line that one fund crosses. ``last_expenditure_fen`` 0: growth is not watched."""
    months, rate = months_of_capacity(balance_fen, expenditure_fen), surplus_rate(income_fen, expenditure_fen)
    found = []

    def add(line: str, figure: str, limit: str, text: str, text_zh: str) -> None:
        found.append(Warning(subject, line, figure, limit, text, text_zh))

    shown = _decimal(months)
    kind = capacity_class(months, lines)
    if kind == "low":
        add(
            "capacity",
            shown,
            _decimal(Fraction(lines.low_months_e2, 100)),
            "too little: below the line",
            "支付能力过低",
        )
    if kind == "high":
        add("capacity", shown, _decimal(Fraction(lines.high_months_e2, 100)), "too much: above the line", "结余过多")
    if lines.target_months_e2 >= 0 and months * 100 < lines.target_months_e2:
        limit = _decimal(Fraction(lines.target_months_e2, 100))
        add("capacity target", shown, limit, "below the city's target", "支付能力未达目标")
    if lines.target_surplus_ppm >= 0 and rate * PPM < lines.target_surplus_ppm:
        limit = percent(Fraction(lines.target_surplus_ppm, PPM))
        add("surplus rate", percent(rate), limit, "below the city's target", "当年结余率未达目标")
    if lines.growth_at_most_ppm >= 0 and last_expenditure_fen > 0:
        growth = Fraction(expenditure_fen - last_expenditure_fen, last_expenditure_fen)
        if growth * PPM > lines.growth_at_most_ppm:
            limit = percent(Fraction(lines.growth_at_most_ppm, PPM))
            add("growth", percent(growth), limit, "spending grew faster than allowed", "支出增幅超过控制目标")
    return found


def percent(value: Fraction) -> str:
    """Return a rate with two decimals.

    >>> percent(Fraction(1, 10))
    '10.00%'
    """
    return _decimal(value * 100) + "%"


def _decimal(value: Fraction) -> str:
    scaled = divide_half_up(value.numerator * 100, value.denominator)
    sign = "-" if scaled < 0 else ""
    return f"{sign}{abs(scaled) // 100}.{abs(scaled) % 100:02d}"
