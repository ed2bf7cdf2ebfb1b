"""Which persons of a bucket have stays and visits that overlap: a first look over columns, which finds too many rather
than too few. Their claims are then compared one after the other, as ``claim.care_days`` says, in ``special``.
"""

from __future__ import annotations

import numpy as np

from adjudicator.claim.care_days import TAKEN_BY, VISIT
from adjudicator.dates import day_number
from adjudicator.reprice.bucket import Bucket

_DAY_BITS = 20


def with_overlaps(bucket: Bucket, persons: np.ndarray) -> np.ndarray:
    """Return the numbers of persons who may have been in two places on one day; ``persons`` int64[n] by claim."""
    keys, days = bucket.arrays["days"]["key"], bucket.arrays["days"]["days"]
    taken = TAKEN_BY[bucket.arrays["claims"]["care_kind"]]
    stays = (keys != 0) & (taken != VISIT)
    with_stay = np.zeros(int(persons.max(initial=-1)) + 1, np.bool_)
    with_stay[persons[stays]] = True
    rows = np.flatnonzero((keys != 0) & with_stay[persons])
    of, is_stay = persons[rows], stays[rows]
    first, last = days[rows] >> _DAY_BITS, days[rows] & (1 << _DAY_BITS) - 1
    visited = _days(bucket.arrays["claims"]["admission_date"][rows[~is_stay]])
    first[~is_stay] = last[~is_stay] = visited
    # A visit on the first day of a stay comes before it, and so is no visit within.
    order = np.lexsort((last, is_stay, first, of))
    of, first, last, is_stay = of[order], first[order], last[order], is_stay[order]
    # The last day of any stay so far of the same person: persons ascend, so a maximum over both is one of the person.
    until = np.maximum.accumulate(np.where(is_stay, of << _DAY_BITS | last, of << _DAY_BITS))
    before = np.concatenate((np.zeros(1, np.int64), until[:-1])) if len(until) else until
    overlapping = before > (of << _DAY_BITS | first)
    same = np.zeros(len(of), np.bool_)
    same[1:] = is_stay[1:] & is_stay[:-1] & (of[1:] == of[:-1]) & (first[1:] == first[:-1]) & (last[1:] == last[:-1])
    found: np.ndarray = np.unique(of[overlapping | same])
    return found


def _days(dates: np.ndarray) -> np.ndarray:
    """Return day numbers of dates YYYYMMDD, of which there are few."""
    named, which = np.unique(dates, return_inverse=True)
    numbers = np.array([day_number(int(date)) for date in named.tolist()], np.int64)
    return numbers[which] if len(named) else numbers
