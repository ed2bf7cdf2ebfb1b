"""Days as a person writes them on the command line."""

from __future__ import annotations

import datetime
import re


def read_day(text: str) -> int:
    """Return a day as YYYYMMDD; a month or a year means its first day, empty means today.

    >>> read_day("2020-12"), read_day("2021")
    (20201201, 20210101)
    """
    if not text:
        today = datetime.date.today()
        return today.year * 10_000 + today.month * 100 + today.day
    match = re.fullmatch(r"(\d{4})-?(\d{2})?-?(\d{2})?", text)
    try:
        date = datetime.date(int(match[1]), int(match[2] or 1), int(match[3] or 1)) if match else None
    except ValueError:
        date = None
    if date is None:
        raise ValueError(f"{text!r} is not a day: write 2021-01-01, 2021-01 or 2021")
    return date.year * 10_000 + date.month * 100 + date.day


def split_day(text: str) -> tuple[str, int]:
    """Return a pack and its day YYYYMMDD, 0 where none is named.

    >>> split_day("hangzhou@2021"), split_day("hangzhou")
    (('hangzhou', 20210101), ('hangzhou', 0))
    """
    name, _, day = text.partition("@")
    return name, read_day(day) if day else 0
