"""The other years of a person: in the other schemes of the pool, and the benefit year before or after.

Most persons have none. Two things are the person's whatever the scheme is: the limits of medical assistance, and the
days that stays and visits take. Days are also compared over the turn of the year: with the year before where the care
began in it, and with the year after where the claim was settled in it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.claim.incoming import Incoming
from adjudicator.claim.keys import MATERIAL_BYTES, DigestKey, put_number, put_text, state_key
from adjudicator.columns import SLOT
from adjudicator.compiled.jit import int64, kernel, uncounted_inlined
from adjudicator.rules.bundle import Bundle
from adjudicator.wire.digest import KEY, siphash128

ELSEWHERE = np.array([
    SLOT[name]
    for name in (
        "assistance_inpatient_fen", "assistance_outpatient_fen", "tilt_fen", "assistance_base_fen", "tilt_base_fen",
    )
])  # fmt: skip
"""Places of the accumulators that count over all schemes of a person."""

_MOST_YEARS = 3


class Kin(NamedTuple):
    """The other years of the persons of k claims: those of claim i are ``starts[i]`` to ``ends[i]``."""

    starts: np.ndarray  # int64[k]
    ends: np.ndarray  # int64[k]
    rows: np.ndarray  # int64: rows of the years that were read
    same_year: np.ndarray  # bool: another scheme's year of the claim's own benefit year

    def of(self, chosen: np.ndarray | slice) -> Kin:
        """Return the same for some of the claims."""
        return Kin(self.starts[chosen], self.ends[chosen], self.rows, self.same_year)

    def elsewhere(self, slots: np.ndarray) -> np.ndarray:
        """Return what counts over all schemes and is in other schemes' years, int64[k, len(ELSEWHERE)].

        ``slots`` int64[m, ACCUMULATOR_COUNT]: all years that were read.
        """
        amounts = np.zeros((len(self.starts), len(ELSEWHERE)), np.int64)
        there = self.same_year & slots[self.rows[:, None], ELSEWHERE].any(axis=1)
        for number in np.flatnonzero(there).tolist():  # persons assisted in two schemes of a year are few
            claims = (self.starts <= number) & (number < self.ends)
            amounts[claims] += slots[self.rows[number], ELSEWHERE]
        return amounts


NO_KIN = Kin(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_))
"""Claims of persons without another year, however many."""


class _Rules(NamedTuple):
    accepted: np.ndarray  # bool[packs, schemes]
    year_begins: np.ndarray  # int32[packs]


class _Came(NamedTuple):
    """The claims of a batch, and what their years are named by."""

    heap: np.ndarray
    wire: np.ndarray
    claims: np.ndarray  # CLAIM[n]
    names: np.ndarray  # uint8[n, 16]: of the claims' own years
    rules: _Rules
    key: DigestKey


class _Out(NamedTuple):
    starts: np.ndarray  # int64[k]: claim i has the other years ``starts[i]`` to ``ends[i]``
    ends: np.ndarray
    words: np.ndarray  # uint64[k + t, 2]: names of the claims' own years, then of the others
    same_year: np.ndarray  # bool[t]


@uncounted_inlined
def _year_of(date: int, begins: int) -> int:
    """Return the benefit year of a date; it is named by the calendar year in which it begins."""
    year = date // 10_000
    return year - 1 if date % 10_000 < begins else year


@uncounted_inlined
def _name_others(came: _Came, row: int, material: np.ndarray, out: _Out, count: int) -> int:
    """Write the names of the other years of a claim's person behind the ``count`` that are there; returns how many."""
    wire, claim, rules, key = came.wire[row], came.claims[row], came.rules, came.key
    pack = np.uint64(claim.pack)
    own = int64(claim.benefit_year)
    begins = int64(rules.year_begins[pack])
    first, last = own, own
    if _year_of(int64(claim.admission_date), begins) < own:
        first = own - 1
    if _year_of(int64(claim.settlement_date), begins) > own:
        last = own + 1
    person = put_text(material, int64(0), came.heap, wire.person_id_start, int64(wire.person_id_size))
    claims = out.starts.shape[0]
    for year in range(first, last + 1):
        for scheme in range(rules.accepted.shape[1]):
            if rules.accepted[pack, np.uint64(scheme)] and (year != own or scheme != claim.scheme):
                size = put_number(material, put_number(material, person, int64(scheme)), int64(year))
                low, high = siphash128(material, np.uint64(0), np.uint64(size), key.low, key.high)
                place = np.uint64(claims + count)
                out.words[place, np.uint64(0)] = low
                out.words[place, np.uint64(1)] = high
                out.same_year[np.uint64(count)] = year == own
                count += 1
    return count


@uncounted_inlined
def _number_distinct(words: np.ndarray, count: int, seats: np.ndarray, numbers: np.ndarray) -> int:
    """Move the distinct names of ``words`` uint64[count, 2] to the front; ``numbers`` takes each one's place there.

    ``seats`` int64[2**k], at least twice as many, is -1 before. Returns how many names are distinct.
    """
    distinct, last_seat = 0, np.uint64(seats.shape[0] - 1)
    for index in range(count):
        low, high = words[np.uint64(index), np.uint64(0)], words[np.uint64(index), np.uint64(1)]
        seat = low & last_seat
        place = seats[seat]
        while place >= 0 and (
            words[np.uint64(place), np.uint64(0)] != low or words[np.uint64(place), np.uint64(1)] != high
        ):
            seat = (seat + np.uint64(1)) & last_seat
            place = seats[seat]
        if place < 0:
            place = distinct
            seats[seat] = place
            words[np.uint64(place), np.uint64(0)] = low
            words[np.uint64(place), np.uint64(1)] = high
            distinct += 1
        numbers[np.uint64(index)] = place
    return distinct


@kernel
def _name_years(came: _Came, rows: np.ndarray, out: _Out, numbers: np.ndarray) -> tuple[int, int]:
    """Fill ``out``, with each name only once; returns how many other years there are, and how many names.

    ``numbers`` int64[k + t] takes the row of each.
    """
    material, count = np.empty(MATERIAL_BYTES, np.uint8), 0
    own = came.names.view(np.uint64)
    for i in range(rows.shape[0]):
        row = np.uint64(rows[i])
        out.words[i, 0], out.words[i, 1] = own[row, 0], own[row, 1]
        out.starts[i] = count
        count = _name_others(came, row, material, out, count)
        out.ends[i] = count
    size, total = 16, rows.shape[0] + count
    while size < 2 * total:
        size *= 2
    return count, _number_distinct(out.words, total, np.full(size, -1, np.int64), numbers)


def name_years(
    bundle: Bundle, incoming: Incoming, claims: np.ndarray, names: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Kin]:
    """Return the names of all years to read, uint8[m, 16], each once; for each of ``rows`` int64[k] its own, and kin.

    ``claims`` CLAIM[n] and ``names`` uint8[n, 16], those of the claims' own years, are of the batch. The others are
    equal to ``keys.state_key`` of the person and the other scheme or year.
    """
    rules = _Rules(bundle.lookup.schemes_accepted, bundle.benefit.year_begins)
    count = len(rows)
    most = count * _MOST_YEARS * rules.accepted.shape[1]
    starts, ends = np.empty(count, np.int64), np.empty(count, np.int64)
    out = _Out(starts, ends, np.empty((count + most, 2), np.uint64), np.empty(most, np.bool_))
    numbers = np.empty(count + most, np.int64)
    came = _Came(incoming.heap, incoming.claims, claims, names, rules, DigestKey(*KEY))
    others, distinct = _name_years(came, rows, out, numbers)
    kin = Kin(starts, ends, numbers[count : count + others], out.same_year[:others])
    return out.words[:distinct].view(np.uint8), numbers[:count], kin


def other_years(bundle: Bundle, pool: str, person: str, year: tuple[int, int]) -> bytes:
    """Return the names of a person's years in the schemes of a pool, 16 bytes each.

    ``year``: the scheme that is left out (0: none is), and the benefit year.
    """
    accepted = np.flatnonzero(bundle.lookup.schemes_accepted[bundle.pack_number(str(int(pool)))]).tolist()
    return b"".join(state_key(person, scheme, year[1]) for scheme in accepted if scheme != year[0])
