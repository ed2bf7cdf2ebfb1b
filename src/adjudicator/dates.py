"""The calendar: dates are integers YYYYMMDD, as on the wire, in records and in rule files.

``is_date`` and ``day_number`` are compiled from this source for kernels (``adjudicator.compiled.dates``), so they use
integers only.
"""

from __future__ import annotations

EPOCH = 19_700_101
"""Day number 0."""


def is_date(date: int) -> bool:
    """Return whether a number is a day of the calendar.

    >>> is_date(20240229), is_date(20230229), is_date(0)
    (True, False, False)
    """
    year = date // 10_000
    month = date // 100 % 100
    day = date % 100
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    longest = 31
    if month == 2:
        longest = 29 if leap else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        longest = 30
    return date > 0 and year >= 1 and month >= 1 and month <= 12 and day >= 1 and day <= longest


def day_number(date: int) -> int:
    """Return the days from 1970-01-01 to a date.

    The year is counted from March, so that the leap day is its last one.

    >>> day_number(19700101), day_number(20240301) - day_number(20240228)
    (0, 2)
    """
    year = date // 10_000
    month = date // 100 % 100
    day = date % 100
    if month <= 2:
        year -= 1
    era = year // 400
    year_of_era = year - era * 400
    shifted = month - 3 if month > 2 else month + 9
    day_of_year = (153 * shifted + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def date_of(number: int) -> int:
    """Return the date of a day number.

    >>> date_of(0), date_of(day_number(20240229))
    (19700101, 20240229)
    """
    days = number + 719_468
    era = days // 146_097
    day_of_era = days - era * 146_097
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = era * 400 + year_of_era + (1 if month <= 2 else 0)
    return year * 10_000 + month * 100 + day


def next_day(date: int) -> int:
    """Return the day after.

    >>> next_day(20201231)
    20210101
    """
    return date_of(_number(date) + 1)


def day_before(date: int) -> int:
    """Return the day before.

    >>> day_before(20210301)
    20210228
    """
    return date_of(_number(date) - 1)


def days_between(first: int, last: int) -> int:
    """Return how many days lie from one date to another; negative where the second is earlier.

    >>> days_between(20240228, 20240301), days_between(20240301, 20240228)
    (2, -2)
    """
    return _number(last) - _number(first)


def iso(date: int) -> str:
    """Return a date as text.

    >>> iso(20210101)
    '2021-01-01'
    """
    return f"{date // 10_000:04d}-{date // 100 % 100:02d}-{date % 100:02d}"


def _number(date: int) -> int:
    if not is_date(date):
        raise ValueError(f"{date} is not a date YYYYMMDD")
    return day_number(date)
