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
from adjudicator.compiled.jit import int64, uncounted_inlined, uncounted_kernel
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


class KinKeys(NamedTuple):
    """Names of the other years: claim i has the keys ``starts[i]`` to ``ends[i]``."""

    starts: np.ndarray  # int64[k]
    ends: np.ndarray  # int64[k]
    keys: np.ndarray  # uint8[t, 16]
    same_year: np.ndarray  # bool[t]


class _Rules(NamedTuple):
    accepted: np.ndarray  # bool[packs, schemes]
    year_begins: np.ndarray  # int32[packs]


class _Out(NamedTuple):
    starts: np.ndarray
    ends: np.ndarray
    words: np.ndarray  # uint64[t, 2]
    same_year: np.ndarray


@uncounted_inlined
def _year_of(date: int, begins: int) -> int:
    """Return the benefit year of a date; it is named by the calendar year in which it begins."""
    year = date // 10_000
    return year - 1 if date % 10_000 < begins else year


@uncounted_kernel
def _fill(
    heap: np.ndarray, wire_claims: np.ndarray, claims: np.ndarray, rules: _Rules, key: DigestKey, material: np.ndarray,
    out: _Out,
) -> int:  # fmt: skip
    """Write the keys of the other years; returns how many there are."""
    count = 0
    for index in range(claims.shape[0]):
        row = np.uint64(index)
        wire, claim = wire_claims[row], claims[row]
        pack = np.uint64(claim.pack)
        own = int64(claim.benefit_year)
        begins = int64(rules.year_begins[pack])
        first, last = own, own
        if _year_of(int64(claim.admission_date), begins) < own:
            first = own - 1
        if _year_of(int64(claim.settlement_date), begins) > own:
            last = own + 1
        person = put_text(material, int64(0), heap, wire.person_id_start, int64(wire.person_id_size))
        out.starts[row] = count
        for year in range(first, last + 1):
            for scheme in range(rules.accepted.shape[1]):
                if rules.accepted[pack, np.uint64(scheme)] and (year != own or scheme != claim.scheme):
                    size = put_number(material, put_number(material, person, int64(scheme)), int64(year))
                    low, high = siphash128(material, np.uint64(0), np.uint64(size), key.low, key.high)
                    place = np.uint64(count)
                    out.words[place, np.uint64(0)] = low
                    out.words[place, np.uint64(1)] = high
                    out.same_year[place] = year == own
                    count += 1
        out.ends[row] = count
    return count


def kin_keys(bundle: Bundle, incoming: Incoming, rows: np.ndarray, claims: np.ndarray) -> KinKeys:
    """Return the names of the other years of the persons; ``rows`` int64[k] of the batch, ``claims`` CLAIM[k].

    They are equal to ``keys.state_key`` of the person, the other scheme or year.
    """
    rules = _Rules(bundle.lookup.schemes_accepted, bundle.benefit.year_begins)
    most = len(rows) * _MOST_YEARS * int(rules.accepted.sum(axis=1).max(initial=0))
    starts, ends = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    out = _Out(starts, ends, np.empty((most, 2), np.uint64), np.empty(most, np.bool_))
    wire = incoming.claims if len(rows) == len(incoming.claims) else incoming.claims.take(rows)
    count = _fill(incoming.heap, wire, claims, rules, DigestKey(*KEY), np.empty(MATERIAL_BYTES, np.uint8), out)
    return KinKeys(starts, ends, out.words[:count].view(np.uint8), out.same_year[:count])


def other_years(bundle: Bundle, pool: str, person: str, year: tuple[int, int]) -> bytes:
    """Return the names of a person's years in the schemes of a pool, 16 bytes each.

    ``year``: the scheme that is left out (0: none is), and the benefit year.
    """
    accepted = np.flatnonzero(bundle.lookup.schemes_accepted[bundle.pack_number(str(int(pool)))]).tolist()
    return b"".join(state_key(person, scheme, year[1]) for scheme in accepted if scheme != year[0])
