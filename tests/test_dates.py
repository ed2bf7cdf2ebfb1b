"""The calendar against that of the standard library."""

from __future__ import annotations

import datetime

import pytest

from adjudicator import dates
from adjudicator.compiled import dates as compiled

EPOCH = datetime.date(1970, 1, 1)


def number(day: datetime.date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def test_every_day_of_two_centuries_has_its_number_its_neighbours_and_its_text():
    day, one = datetime.date(1899, 12, 31), datetime.timedelta(days=1)
    while day < datetime.date(2101, 1, 2):
        date = number(day)
        assert dates.is_date(date)
        assert dates.day_number(date) == (day - EPOCH).days
        assert dates.date_of((day - EPOCH).days) == date
        assert dates.next_day(date) == number(day + one)
        assert dates.day_before(date) == number(day - one)
        assert dates.iso(date) == day.isoformat()
        day += one


def test_no_other_number_is_a_date():
    for date in range(20_230_000, 20_250_000):
        try:
            datetime.date(date // 10_000, date // 100 % 100, date % 100)
            known = True
        except ValueError:
            known = False
        assert dates.is_date(date) is known


@pytest.mark.parametrize("date", [0, -20_240_101, 20_240_230, 20_241_301, 101])
def test_what_is_no_date_has_no_neighbour(date):
    assert not dates.is_date(date)
    for function in (dates.next_day, dates.day_before):
        with pytest.raises(ValueError, match=str(date)):
            function(date)


def test_kernels_have_the_same_calendar():
    for date in (0, -1, 19_700_101, 20_000_229, 19_000_229, 20_240_229, 20_230_229, 20_241_301, 20_991_231):
        assert compiled.is_date(date) == dates.is_date(date)
        if dates.is_date(date):
            assert compiled.day_number(date) == dates.day_number(date)
