"""Which days of a person's year are taken by stays and visits, and which stays and visits overlap.

The person's year keeps an entry (columns.CARE_DAYS) for each settlement of a stay and for each week with visits. The
entries are sums: a settlement adds its part and its reversal takes the same part off, as with every amount of the year.

=============  ============================================================================  ==========================
entry          key, 64 bits from the highest                                                 days
=============  ============================================================================  ==========================
stay           kind 2 (1 in hospital, 2 at home), institution 22, encounter 24, sequence 16  first day × 2²⁰ + last day
visits         kind 2 (3), week number                                                       eight bits for each day:
                                                                                             number of visits
=============  ============================================================================  ==========================

Institution and encounter are parts of a digest, so no name is kept; days are counted from 1970-01-01 and a week begins
with a day number that seven divides.

Two stays overlap when each begins before the other ends, so that a person may be discharged and admitted on one day. A
visit lies in a stay when its day is between, not on, the first and the last. The parts of one encounter never overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from adjudicator.claim.incoming import Incoming
from adjudicator.claim.keys import MATERIAL_BYTES, DigestKey, put_text
from adjudicator.claim.kin import Kin
from adjudicator.codes import CareKind
from adjudicator.columns import CARE_DAYS
from adjudicator.compiled.dates import day_number
from adjudicator.compiled.jit import int64, uncounted_inlined, uncounted_kernel
from adjudicator.dates import date_of, iso
from adjudicator.errors import E, Problem
from adjudicator.options import Overlap
from adjudicator.rulefile.pack import Overlaps
from adjudicator.wire.digest import KEY, siphash128

MOST_ENTRIES = 60_000
"""Entries of one person's year; a claim beyond them is refused. The stored count has sixteen bits."""

NOTHING, STAY, STAY_AT_HOME, VISIT = range(4)
"""What takes days: the kinds of entries."""
_TAKEN_BY = {
    CareKind.INPATIENT: STAY, CareKind.DAY_SURGERY: STAY, CareKind.MATERNITY_INPATIENT: STAY,
    CareKind.BED_DAY_INPATIENT: STAY, CareKind.SINGLE_DISEASE: STAY, CareKind.HOME_BED: STAY_AT_HOME,
    CareKind.OUTPATIENT: VISIT, CareKind.CHRONIC: VISIT, CareKind.SPECIAL: VISIT, CareKind.TWO_DISEASES: VISIT,
    CareKind.MATERNITY_OUTPATIENT: VISIT, CareKind.EMERGENCY: VISIT,
}  # fmt: skip
"""Kind of care -> kind of entry. Medicine that is fetched or sent (pharmacy, dual channel, internet) takes no day: a
relative may fetch it."""
TAKEN_BY = np.array([_TAKEN_BY.get(kind, NOTHING) for kind in CareKind], np.int8)

_KIND_SHIFT, _INSTITUTION_SHIFT, _ENCOUNTER_SHIFT = np.uint64(62), np.uint64(40), np.uint64(16)
_INSTITUTION, _ENCOUNTER, _SEQUENCE = np.uint64(2**22 - 1), np.uint64(2**24 - 1), np.uint64(2**16 - 1)
_SAME_ENCOUNTER = np.uint64(2**62 - 2**16)
"""Bits of a key that two stays of one encounter share."""
_DAY_BITS = 20
_DAY = 2**_DAY_BITS - 1
_WEEK, _VISIT_BITS, _VISITS = 7, 8, 2**8 - 1
_WEEK_NUMBER = np.uint64(2**62 - 1)

# What overlaps, as bits.
SAME_STAY, OVERLAPPING_STAYS, VISIT_IN_STAY, TOO_MANY = 1, 2, 4, 8

OVERLAP = np.dtype([("found", "i8"), ("days", "i8")])
"""What a claim overlaps (bits), and the days of a stay of the same institution that it overlaps, 0 none."""


class Entries(NamedTuple):
    """The care days of some years: row r has ``starts[r]`` to ``ends[r]`` of them, and then a list.

    The list begins with ``heads[r]`` and goes on with ``nexts``; -1 ends it.
    """

    starts: np.ndarray  # int64[m]
    ends: np.ndarray  # int64[m]
    stored: np.ndarray  # CARE_DAYS
    heads: np.ndarray  # int64[m]
    nexts: np.ndarray  # int64
    added: np.ndarray  # CARE_DAYS


class _Came(NamedTuple):
    """The claims as they came and resolved, and work space."""

    heap: np.ndarray  # uint8
    wire: np.ndarray
    rows: np.ndarray  # int64[k]: rows of ``wire``
    claims: np.ndarray  # CLAIM[k]
    taken_by: np.ndarray  # int8[kinds of care]
    key: DigestKey
    material: np.ndarray  # uint8[MATERIAL_BYTES]


@uncounted_inlined
def _write_entry(came: _Came, row: int, out: Any) -> int:
    """Write the entry of a claim (CARE_DAYS), key 0 where it takes no day; returns the kind."""
    wire, claim, material = came.wire[np.uint64(came.rows[row])], came.claims[row], came.material
    kind = int64(came.taken_by[np.uint64(claim.care_kind)])
    first = day_number(int64(claim.admission_date))
    out.key, out.days = np.uint64(0), 0
    if kind == VISIT:
        out.key = np.uint64(kind) << _KIND_SHIFT | np.uint64(first // _WEEK)
        out.days = np.int64(1) << (_VISIT_BITS * (first % _WEEK))
    elif kind != NOTHING:
        last = int64(claim.discharge_date)
        if last == 0:
            last = int64(claim.settlement_date)
        low, high = came.key.low, came.key.high
        size = put_text(
            material, np.int64(0), came.heap, wire.institution_code_start, int64(wire.institution_code_size)
        )
        institution, _ = siphash128(material, np.uint64(0), np.uint64(size), low, high)
        size = put_text(material, size, came.heap, wire.encounter_id_start, int64(wire.encounter_id_size))
        encounter, _ = siphash128(material, np.uint64(0), np.uint64(size), low, high)
        out.key = (
            np.uint64(kind) << _KIND_SHIFT
            | (institution & _INSTITUTION) << _INSTITUTION_SHIFT
            | (encounter & _ENCOUNTER) << _ENCOUNTER_SHIFT
            | (np.uint64(wire.settlement_sequence) & _SEQUENCE)
        )
        out.days = first << _DAY_BITS | day_number(last)
    return kind


@uncounted_inlined
def _visits_within(stay: int, week: int, visits: int) -> int:
    """Return VISIT_IN_STAY where a visit of a week lies within a stay, 0 where none does."""
    first, last = stay >> _DAY_BITS, stay & _DAY
    found = 0
    for weekday in range(_WEEK):
        day = week * _WEEK + weekday
        if (visits >> (_VISIT_BITS * weekday)) & _VISITS != 0 and first < day and day < last:
            found = VISIT_IN_STAY
    return found


@uncounted_inlined
def _compare(key: int, days: int, other: int, other_days: int) -> int:
    """Return what two entries that are not of nothing have to do with each other: one of the bits, or 0."""
    kind, other_kind = key >> _KIND_SHIFT, other >> _KIND_SHIFT
    found = 0
    if kind != VISIT and other_kind != VISIT:
        first, last = days >> _DAY_BITS, days & _DAY
        other_first, other_last = other_days >> _DAY_BITS, other_days & _DAY
        here = ((key ^ other) >> _INSTITUTION_SHIFT) & _INSTITUTION == 0
        overlapping = (first < other_last and other_first < last) or (here and days == other_days)
        if overlapping and (key ^ other) & _SAME_ENCOUNTER != 0:
            found = SAME_STAY if here else OVERLAPPING_STAYS
    elif kind == STAY and other_kind == VISIT:
        found = _visits_within(days, int64(other & _WEEK_NUMBER), other_days)
    elif kind == VISIT and other_kind == STAY:
        found = _visits_within(other_days, int64(key & _WEEK_NUMBER), days)
    return found


@uncounted_inlined
def _look_at(entry: Any, other: Any, found: Any) -> int:
    """Note in ``found`` (OVERLAP) what an entry has to do with another; returns 0."""
    if other.days != 0:
        bits = _compare(entry.key, entry.days, other.key, other.days)
        found.found |= bits
        if bits == SAME_STAY:
            found.days = other.days
    return 0


@uncounted_inlined
def _look_through(entry: Any, row: int, entries: Entries, found: Any) -> int:
    """Note in ``found`` (OVERLAP) what an entry has to do with those of one year; returns how many these are."""
    place = np.uint64(row)
    count: int = entries.ends[place] - entries.starts[place]
    for number in range(entries.starts[place], entries.ends[place]):
        _look_at(entry, entries.stored[np.uint64(number)], found)
    number = entries.heads[place]
    while number >= 0:
        _look_at(entry, entries.added[np.uint64(number)], found)
        number = entries.nexts[np.uint64(number)]
        count += 1
    return count


@uncounted_kernel
def _write(came: _Came, took: np.ndarray) -> None:
    """Write the entries ``took`` CARE_DAYS[k] of the claims; one that was refused takes no day."""
    for index in range(took.shape[0]):
        place = np.uint64(index)
        took[place].key, took[place].days = np.uint64(0), 0
        if came.claims[place].error == 0:
            _write_entry(came, place, took[place])


@uncounted_kernel
def _take(came: _Came, took: np.ndarray, rows: np.ndarray, kin: Kin, entries: Entries, out: np.ndarray) -> bool:
    """Write the entries of the claims and compare them, as ``_write`` and ``_compare_all`` do."""
    _write(came, took)
    return _compare_all(took, rows, kin, entries, out)


@uncounted_kernel
def _compare_all(took: np.ndarray, rows: np.ndarray, kin: Kin, entries: Entries, out: np.ndarray) -> bool:
    """Compare the entries ``took`` CARE_DAYS[k] with the years ``rows`` int64[k] and with the kin.

    ``out`` OVERLAP[k] is zero before; returns whether anything was found.
    """
    any_found = False
    for index in range(took.shape[0]):
        place = np.uint64(index)
        entry, found = took[place], out[place]
        if entry.key != 0:
            if _look_through(entry, rows[place], entries, found) >= MOST_ENTRIES:
                found.found |= TOO_MANY
            first = kin.starts[place] if index < kin.starts.shape[0] else 0
            last = kin.ends[place] if index < kin.starts.shape[0] else 0
            for number in range(first, last):
                _look_through(entry, kin.rows[np.uint64(number)], entries, found)
            any_found |= found.found != 0
    return any_found


@uncounted_kernel
def _append(took: np.ndarray, rows: np.ndarray, entries: Entries, count: int) -> int:
    """Append entries CARE_DAYS[k] to the lists of ``rows`` int64[k]; ``count`` were appended before. Returns all."""
    for index in range(took.shape[0]):
        place, row = np.uint64(index), np.uint64(rows[index])
        if took[place].key != 0:
            added = entries.added[np.uint64(count)]
            added.key, added.days = took[place].key, took[place].days
            entries.nexts[np.uint64(count)] = entries.heads[row]
            entries.heads[row] = count
            count += 1
    return count


def entries_of(incoming: Incoming, rows: np.ndarray, claims: np.ndarray) -> np.ndarray:
    """Return the entries CARE_DAYS[k] of claims CLAIM[k], ``rows`` int64[k]; key 0 where one takes no day."""
    took = np.empty(len(claims), CARE_DAYS)
    _write(_came(incoming, rows, claims), took)
    return took


def _came(incoming: Incoming, rows: np.ndarray, claims: np.ndarray) -> _Came:
    material = np.empty(MATERIAL_BYTES, np.uint8)
    return _Came(incoming.heap, incoming.claims, rows, claims, TAKEN_BY, DigestKey(*KEY), material)


class StoredDays(NamedTuple):
    """The care days of some years as they are stored: year r has ``entries`` from ``starts[r]`` to ``ends[r]``."""

    starts: np.ndarray  # int64[m]
    ends: np.ndarray  # int64[m]
    entries: np.ndarray  # CARE_DAYS


@dataclass(slots=True)
class CareDays:
    """The care days of the years of a batch, as they were read, and what the batch's claims add to them."""

    entries: Entries
    count: int = 0
    """Entries that were added."""

    @classmethod
    def of(cls, stored: StoredDays, room: int) -> CareDays:
        """Return what was read, with room for so many entries more."""
        heads, nexts = np.full(len(stored.starts), -1, np.int64), np.empty(room, np.int64)
        return cls(Entries(*stored, heads, nexts, np.empty(room, CARE_DAYS)))

    def take(
        self, incoming: Incoming, rows: np.ndarray, claims: np.ndarray, years: tuple[np.ndarray, Kin], took: np.ndarray
    ) -> np.ndarray | None:
        """Write the entries of claims to ``took`` CARE_DAYS[k]; return what they overlap, OVERLAP[k], None: nothing.

        ``rows`` int64[k] of the batch, ``claims`` CLAIM[k]; ``years``: rows int64[k] of the persons' years, and kin.
        """
        out = np.zeros(len(took), OVERLAP)
        return out if _take(_came(incoming, rows, claims), took, *years, self.entries, out) else None

    def compare(self, took: np.ndarray, rows: np.ndarray, kin: Kin) -> np.ndarray | None:
        """Return what entries CARE_DAYS[k] overlap in the years ``rows`` int64[k] and in the kin, as ``take`` does."""
        out = np.zeros(len(took), OVERLAP)
        return out if _compare_all(took, rows, kin, self.entries, out) else None

    def add(self, took: np.ndarray, rows: np.ndarray) -> None:
        """Add the entries of claims that were priced to the years ``rows``."""
        self.count = int(_append(took, rows, self.entries, self.count))


def problems_of(overlap: np.void, is_visit: bool, choices: Overlaps) -> list[Problem]:
    """Return what is wrong with a claim that overlaps (OVERLAP); ``choices`` are the pack's.

    Errors are those that the pack refuses; what it allows is left out. Of an institution's own stay the days are named,
    of others nothing: no hospital learns of a person's care elsewhere. A stay is not refused for a visit in it, which
    its hospital can do nothing about.
    """
    found, days = int(overlap["found"]), int(overlap["days"])
    problems = []
    if found & TOO_MANY:
        problems.append(Problem(int(E.TOO_MANY_STAYS), "admission_date", str(MOST_ENTRIES)))
    for bit, option, number, field in (
        (SAME_STAY, "same_stay", E.SAME_STAY, "encounter_id"),
        (OVERLAPPING_STAYS, "overlapping_stays", E.OVERLAPPING_STAYS, "admission_date"),
        (VISIT_IN_STAY, "visit_in_stay", E.VISIT_IN_STAY, "admission_date"),
    ):
        choice: Overlap = getattr(choices, option)
        if found & bit and choice != Overlap.ALLOW:
            warning = choice == Overlap.WARN or (bit == VISIT_IN_STAY and not is_visit)
            dates = (iso(date_of(days >> _DAY_BITS)), iso(date_of(days & _DAY))) if bit == SAME_STAY else None
            detail, detail_zh = ("{} to {}".format(*dates), "{} 至 {}".format(*dates)) if dates else ("", "")
            problems.append(Problem(int(number), field, detail, warning, "", detail_zh))
    return problems
