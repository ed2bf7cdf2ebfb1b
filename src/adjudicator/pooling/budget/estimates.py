"""Expected spending of a whole year, from its first months, in two ways (全年预计数).

Straight line: spent x 12 / months. By last year's share: spent x last year / the same months of last year. Each is
rounded half away from zero to the fen; the clearing of a year is no part of either.
"""

from __future__ import annotations

from adjudicator.pooling.budget.figures import added
from adjudicator.pooling.budget.spending import MONTHS, Spending
from adjudicator.pooling.budget.terms import Place
from adjudicator.rounding import divide_half_up


def straight_line_fen(spent_fen: int, months: int) -> int:
    """Return the year's spending if it goes on as in its first months.

    >>> straight_line_fen(700, 7), straight_line_fen(100, 7)
    (1200, 171)
    """
    return divide_half_up(spent_fen * MONTHS, months)


def by_last_year_fen(spent_fen: int, same_months_fen: int, whole_fen: int) -> int | None:
    """Return the year's spending if its first months are the same share of it as last year.

    ``same_months_fen``: last year's spending in these months, ``whole_fen``: in all of last year. ``None`` where
    there is nothing to divide by.

    >>> by_last_year_fen(660, 600, 1_300)
    1430
    """
    return divide_half_up(spent_fen * whole_fen, same_months_fen) if same_months_fen > 0 else None


def expected_fen(spending: Spending, place: Place, year: int) -> int | None:
    """Return the expected spending of a year that is not over: by last year's share where that is known, else straight.

    ``None`` where a month before the last known one is missing.
    """
    months = spending.last_month(year)
    spent = added(spending.months_fen(place, year)[:months])
    if spent is None or months == 0:
        return None
    last = spending.months_fen(place, year - 1)
    so_far, whole = added(last[:months]), added(last)
    by_share = None if so_far is None or whole is None else by_last_year_fen(spent, so_far, whole)
    return straight_line_fen(spent, months) if by_share is None else by_share
