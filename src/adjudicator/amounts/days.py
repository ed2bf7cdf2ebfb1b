"""The dates of a table: checked and in order, the days of each stay, the day whose rules hold."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from adjudicator.dates import date_of, day_number, is_date
from adjudicator.errors import E
from adjudicator.limits import FIRST_DATE, LAST_DATE, MAX_STAY_DAYS
from adjudicator.options import YearBy


class Days(NamedTuple):
    """Dates YYYYMMDD of all rows, arrays of n or of one where they are the same."""

    settled: np.ndarray
    admitted: np.ndarray
    discharged: np.ndarray
    """0 where there is none."""
    stay_days: np.ndarray
    errors: np.ndarray
    """Number of the error table, 0 none."""

    def deciding(self, option: int) -> np.ndarray:
        """Return the date that an option names (V08), as ``benefit.dates.deciding_date``."""
        if option == YearBy.ADMISSION:
            return self.admitted
        if option == YearBy.SETTLEMENT:
            return self.settled
        return np.where(self.discharged == 0, self.settled, self.discharged)

    def year(self, option: int, begins: int) -> np.ndarray:
        """Return the benefit year, named by the calendar year in which it begins (MMDD)."""
        date = self.deciding(option)
        years: np.ndarray = date // 10_000 - (date % 10_000 < begins)
        return years


@cache
def _day_numbers() -> np.ndarray:
    """int32[:]: day number of each YYYYMMDD from the first that is allowed, -1 for a number that is no day."""
    table = np.full(LAST_DATE - FIRST_DATE + 1, -1, np.int32)
    for day in range(day_number(FIRST_DATE), day_number(LAST_DATE) + 1):
        table[date_of(day) - FIRST_DATE] = day
    table.setflags(write=False)
    return table


def _numbers(dates: np.ndarray, errors: np.ndarray, is_optional: bool) -> np.ndarray:
    """Return day numbers, 0 for a wrong date, whose rows get an error."""
    table = _day_numbers()
    inside = (dates >= FIRST_DATE) & (dates <= LAST_DATE)
    days = table[np.where(inside, dates, FIRST_DATE) - FIRST_DATE]
    wrong = ~inside | (days < 0)
    if is_optional:
        wrong &= dates != 0
    for place in np.flatnonzero(wrong).tolist():
        date = int(dates[place])
        number = E.MISSING_DATE if date == 0 else E.DATE_OUT_OF_RANGE if is_date(date) else E.INVALID_DATE
        rows = slice(place, place + 1) if dates.size == errors.size else slice(None)
        errors[rows] = np.where(errors[rows] == 0, int(number), np.minimum(errors[rows], int(number)))
    return np.where(wrong, 0, days)


def days_of(
    settled: np.ndarray, admitted: np.ndarray, discharged: np.ndarray, inpatient: np.ndarray, given: np.ndarray | None
) -> Days:
    """Return the dates of all rows; ``given`` are the days of stays that the table has, -1 none.

    What is wrong is in ``errors``, of the same form as the checks of a claim (``claim.checks.check_dates``).
    """
    rows = max(part.size for part in (settled, admitted, discharged, inpatient, *([] if given is None else [given])))
    settled, admitted, discharged = (part.astype(np.int64, copy=False) for part in (settled, admitted, discharged))
    errors = np.zeros(rows, np.int64)
    first, begin = _numbers(settled, errors, False), _numbers(admitted, errors, False)
    last = _numbers(discharged, errors, True)
    errors[(errors == 0) & (discharged == 0) & inpatient] = int(E.MISSING_DATE)
    end = np.where(discharged == 0, first, last)
    errors[(errors == 0) & ((begin > end) | (end > first))] = int(E.DATE_ORDER)
    stay = np.maximum(end - begin, 1).astype(np.int64)
    if given is not None:
        stay = np.where(given < 0, stay, given)
        errors[(errors == 0) & (stay > MAX_STAY_DAYS)] = int(E.STAY_OUT_OF_RANGE)
        errors[(errors == 0) & (given < -1)] = int(E.INVALID_CODE_VALUE)
    return Days(settled, admitted, discharged, np.where(errors == 0, stay, 0), errors)
