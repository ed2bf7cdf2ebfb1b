"""The service's own date: the one place where a clock decides about a claim."""

from __future__ import annotations

import datetime

from adjudicator.service.options import ServeOptions

CHINA = datetime.timezone(datetime.timedelta(hours=8))
"""Settlement dates are those of China Standard Time, wherever the service runs."""


def latest_settlement(options: ServeOptions) -> int:
    """Return the last day (YYYYMMDD) that a settlement may be dated now.

    >>> latest_settlement(ServeOptions(today=20241231, future_days=1))
    20250101
    """
    day = datetime.datetime.now(CHINA).date()
    if options.today is not None:
        year, month_and_day = divmod(options.today, 10_000)
        day = datetime.date(year, *divmod(month_and_day, 100))
    day += datetime.timedelta(days=options.future_days)
    return day.year * 10_000 + day.month * 100 + day.day
