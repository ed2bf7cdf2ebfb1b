"""The slow twin of ``benefit/dates.py``: the date that decides which rule holds, and the benefit year (V08)."""

from __future__ import annotations

import datetime

from adjudicator.options import YearBy
from adjudicator.rulefile.pack import Pack
from adjudicator.v1 import claim_pb2


def decide(pack: Pack | None, claim: claim_pb2.Claim) -> tuple[int, int]:
    """Return deciding date and benefit year; zeros for a claim of no pack."""
    if pack is None:
        return 0, 0

    def date_by(option: YearBy) -> int:
        if option == YearBy.ADMISSION:
            return claim.admission_date
        if option == YearBy.DISCHARGE and claim.discharge_date:
            return claim.discharge_date
        return claim.settlement_date

    return date_by(pack.rule_date), year_of(date_by(pack.benefit_year), pack.year_begins)


def year_of(date: int, begins: int) -> int:
    """Return the year in which the benefit year of a date begins; ``begins`` is month and day, MMDD.

    >>> year_of(20240331, 401), year_of(20240401, 401), year_of(20240101, 101)
    (2023, 2024, 2024)
    """
    try:
        day = datetime.date(date // 10_000, date // 100 % 100, date % 100)
        starts = datetime.date(day.year, begins // 100, begins % 100)
    except ValueError:  # a date that is wrong is refused elsewhere; its digits are taken as they are
        return date // 10_000 - (date % 10_000 < begins)
    return day.year if day >= starts else day.year - 1
