"""Overlapping stays and visits: the kernel and a naive twin agree, and a person's other years have the right names."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from adjudicator.claim.care_days import (
    OVERLAPPING_STAYS,
    SAME_STAY,
    STAY,
    STAY_AT_HOME,
    TAKEN_BY,
    TOO_MANY,
    VISIT,
    VISIT_IN_STAY,
    CareDays,
    StoredDays,
    problems_of,
)
from adjudicator.claim.engine import Engine
from adjudicator.claim.keys import state_key
from adjudicator.claim.kin import NO_KIN, Kin, name_years
from adjudicator.claim.state import PersonYears
from adjudicator.codes import CareKind, Scheme
from adjudicator.columns import CARE_DAYS
from adjudicator.dates import date_of, day_number
from adjudicator.errors import E
from adjudicator.options import Overlap
from adjudicator.rulefile.pack import Overlaps
from adjudicator.rules.bundle import load_bundle
from adjudicator.v1 import claim_pb2
from adjudicator.wire.decode import BATCH_DEPTH, split_batch
from tests.service.claims import claim

ENGINE = Engine(load_bundle(["hangzhou"]))
CARE_TYPES = {STAY: "21", STAY_AT_HOME: "71", VISIT: "11"}
NEW_YEAR = day_number(20250101)


@dataclass(frozen=True)
class Care:
    """A stay or visit of one person, as a clerk would note it."""

    kind: int
    hospital: str
    encounter: str
    sequence: int
    first: int
    last: int


def naive(one: Care, other: Care) -> int:
    """What two of them have to do with each other, day by day."""
    if VISIT in (one.kind, other.kind):
        visit, stay = (one, other) if one.kind == VISIT else (other, one)
        inside = stay.kind == STAY and visit.first in range(stay.first + 1, stay.last)
        return VISIT_IN_STAY if inside else 0
    if (one.hospital, one.encounter) == (other.hospital, other.encounter):
        return 0
    nights = set(range(one.first, one.last)) & set(range(other.first, other.last))
    within = one.first < other.first == other.last < one.last or other.first < one.first == one.last < other.last
    same = one.hospital == other.hospital
    if nights or within or (same and (one.first, one.last) == (other.first, other.last)):
        return SAME_STAY if same else OVERLAPPING_STAYS
    return 0


def random_care(random_: random.Random) -> Care:
    kind = random_.choice((STAY, STAY, VISIT, STAY_AT_HOME))
    first = NEW_YEAR + random_.randrange(40)
    last = first if kind == VISIT else first + random_.choice((0, 0, 1, 3, 9))
    hospital, encounter = random_.choice(("H33010200001", "H33010600001")), f"E{random_.randrange(4)}"
    return Care(kind, hospital, encounter, random_.randrange(1, 4), first, last)


def message_of(care: Care) -> claim_pb2.Claim:
    first, last = date_of(care.first), date_of(care.last)
    stays = care.kind != VISIT
    message = claim(
        1_000, institution_code=care.hospital, encounter_id=care.encounter, settlement_sequence=care.sequence,
        care_type=CARE_TYPES[care.kind], admission_date=first, discharge_date=last if stays else 0,
        settlement_date=last,
    )  # fmt: skip
    message.lines[0].fee_date = first
    return message


def resolved_of(messages: list[claim_pb2.Claim]):
    data = claim_pb2.ClaimBatch(claims=messages).SerializeToString()
    starts, ends, _ = split_batch(data)
    resolved = ENGINE.prepare(data, starts, ends, max_depth=BATCH_DEPTH, digested=True)
    assert not resolved.claims["error"].any(), [resolved.problems(row) for row in range(len(messages))]
    return resolved


def taken(days: CareDays, cares: list[Care], years: np.ndarray, kin: Kin = NO_KIN) -> tuple[np.ndarray, np.ndarray]:
    resolved = resolved_of([message_of(care) for care in cares])
    rows = np.arange(len(cares))
    took = np.empty(len(cares), CARE_DAYS)
    found = days.take(resolved.incoming, rows, resolved.claims, (years, kin), took)
    return took, np.zeros(len(cares), np.int64) if found is None else found["found"]


def stored(entries: np.ndarray, years: int = 1) -> StoredDays:
    ends = np.full(years, len(entries), np.int64)
    return StoredDays(np.append(0, ends[:-1]), ends, entries)


def test_the_kernel_finds_what_the_naive_twin_finds() -> None:
    random_ = random.Random(7)
    cares = [random_care(random_) for _ in range(400)]
    took, _ = taken(CareDays.of(stored(np.zeros(0, CARE_DAYS), 400), 400), cares, np.arange(400))
    found: set[int] = set()
    for number in range(0, 400, 8):
        known, asked = cares[number : number + 4], cares[number + 4 : number + 8]
        year = CareDays.of(stored(took[number : number + 2]), 8)
        year.add(took[number + 2 : number + 4], np.zeros(2, np.int64))  # half is stored, half is of the batch
        _, bits = taken(year, asked, np.zeros(4, np.int64))
        for care, seen in zip(asked, bits.tolist(), strict=True):
            expected = 0
            for other in known:
                expected |= naive(care, other)
            assert seen == expected, (care, known)
            found.add(seen)
    assert {0, SAME_STAY, OVERLAPPING_STAYS, VISIT_IN_STAY} <= found


def test_visits_of_a_week_are_counted_by_day_and_a_reversal_takes_one_off() -> None:
    visit = Care(VISIT, "H33010200001", "V", 1, NEW_YEAR + 2, NEW_YEAR + 2)
    took, _ = taken(CareDays.of(stored(np.zeros(0, CARE_DAYS)), 1), [visit], np.zeros(1, np.int64))
    stay = Care(STAY, "H33010600001", "S", 1, NEW_YEAR, NEW_YEAR + 5)
    for visits, expected in ((2, VISIT_IN_STAY), (1, VISIT_IN_STAY), (0, 0)):
        week = took.copy()
        week["days"] *= visits
        _, bits = taken(CareDays.of(stored(week), 1), [stay], np.zeros(1, np.int64))
        assert bits.tolist() == [expected]


def test_the_days_of_other_years_are_compared_too() -> None:
    stays = [Care(STAY, hospital, "E", 1, NEW_YEAR, NEW_YEAR + 5) for hospital in ("H33010200001", "H33010600001")]
    took, _ = taken(CareDays.of(stored(np.zeros(0, CARE_DAYS), 2), 2), stays, np.arange(2))
    others = StoredDays(np.array([0, 0, 0]), np.array([0, 1, 0]), took[1:])
    kin = Kin(np.array([0]), np.array([2]), np.array([2, 1]), np.array([False, True]))
    _, bits = taken(CareDays.of(others, 1), stays[:1], np.zeros(1, np.int64), kin)
    assert bits.tolist() == [OVERLAPPING_STAYS]


def test_a_year_takes_no_more_entries_than_it_can_count() -> None:
    many = np.zeros(60_000, CARE_DAYS)
    many["key"], many["days"] = np.arange(1, 60_001, dtype=np.uint64) | np.uint64(3 << 62), 1
    visit = [Care(VISIT, "H33010200001", "V", 1, NEW_YEAR, NEW_YEAR)]
    assert taken(CareDays.of(stored(many), 1), visit, np.zeros(1, np.int64))[1].tolist() == [TOO_MANY]
    assert taken(CareDays.of(stored(many[1:]), 1), visit, np.zeros(1, np.int64))[1].tolist() == [0]


def test_a_claim_of_a_year_that_is_full_is_refused_whatever_the_pack_allows() -> None:
    many = np.zeros(60_000, CARE_DAYS)
    many["key"], many["days"] = np.arange(1, 60_001, dtype=np.uint64) | np.uint64(3 << 62), 1
    for entries, refused in ((many, [E.TOO_MANY_STAYS]), (many[1:], [])):
        resolved = resolved_of([claim(person_id="FULL")])
        years = PersonYears.new(1)
        years.days = stored(entries)
        result = ENGINE.price(resolved, np.zeros(1, np.int64), np.zeros(1, np.int64), years)
        assert [number for number in result.errors.tolist() if number] == refused
        assert not refused or (result.problems(0)[0].row.code, result.problems(0)[0].detail) == ("ADJ-9021", "60000")
        assert not refused or not years.slots.any()
    full = np.zeros(1, [("found", "i8"), ("days", "i8")])[0]
    full["found"] = TOO_MANY
    allowed = Overlaps(Overlap.ALLOW, Overlap.ALLOW, Overlap.ALLOW)
    assert [(one.row.code, one.warning) for one in problems_of(full, True, allowed)] == [("ADJ-9021", False)]


def test_what_the_pack_says_decides() -> None:
    overlap = np.zeros(1, [("found", "i8"), ("days", "i8")])[0]
    overlap["found"] = OVERLAPPING_STAYS | VISIT_IN_STAY
    for choices, told in (
        (Overlaps(), [("ADJ-9019", True), ("ADJ-9020", True)]),
        (Overlaps(overlapping_stays=Overlap.REFUSE, visit_in_stay=Overlap.ALLOW), [("ADJ-9019", False)]),
        (Overlaps(overlapping_stays=Overlap.ALLOW, visit_in_stay=Overlap.REFUSE), [("ADJ-9020", False)]),
    ):
        found = problems_of(overlap, True, choices)
        assert [(problem.row.code, problem.warning) for problem in found] == told
    # A stay is not refused for a visit in it.
    assert [problem.warning for problem in problems_of(overlap, False, Overlaps(visit_in_stay=Overlap.REFUSE))] == [
        True, True,
    ]  # fmt: skip


def test_medicine_that_is_fetched_takes_no_day() -> None:
    fetched = {CareKind.PHARMACY, CareKind.DUAL_CHANNEL, CareKind.INTERNET, CareKind.UNKNOWN}
    assert {kind for kind in CareKind if TAKEN_BY[kind] == 0} == fetched


def test_the_other_years_have_the_names_of_the_persons_other_schemes_and_of_the_year_before_and_after() -> None:
    plain = claim(person_id="P")
    over_new_year = claim(person_id="P", admission_date=20241230)
    late = claim(person_id="P", admission_date=20241228, discharge_date=20241229)
    for message in (over_new_year, late):
        for line in message.lines:
            line.fee_date = 20241228 if message is late else 20241230
    resolved = resolved_of([plain, over_new_year, late])
    keys, years, kin = name_years(ENGINE.bundle, resolved.incoming, resolved.claims, resolved.state_keys, np.arange(3))
    schemes = sorted(ENGINE.bundle.packs[0].schemes)
    own = [(Scheme.RESIDENT, year) for year in (2025, 2025, 2024)]
    expected = [
        [(scheme, year) for year in years for scheme in schemes if (scheme, year) != own[row]]
        for row, years in enumerate(([2025], [2024, 2025], [2024, 2025]))
    ]
    for row, names in enumerate(expected):
        span = slice(int(kin.starts[row]), int(kin.ends[row]))
        assert keys[years[row]].tobytes() == state_key("P", *own[row])
        assert [bytes(key) for key in keys[kin.rows[span]]] == [state_key("P", scheme, year) for scheme, year in names]
        assert kin.same_year[span].tolist() == [year == own[row][1] for _, year in names]
    assert len({bytes(key) for key in keys}) == len(keys)
