"""The persons with a claim that looks at others (parts of a stay, referral chains) or brings its year or categories.

Their claims go through ``Engine.price`` a round at a time, the first claim of each person, then the second, so that
what a claim needs of earlier ones is known. Parts of a stay share their deductible as in the service.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator.benefit.records import PART
from adjudicator.claim import care_days
from adjudicator.claim.batch import NOT_DIGESTED, Resolved, Result
from adjudicator.claim.care_days import CareDays, StoredDays
from adjudicator.claim.engine import Engine
from adjudicator.claim.fields import CLAIM_SCHEMA, PROBLEM
from adjudicator.claim.incoming import Incoming
from adjudicator.claim.keys import settlement_key
from adjudicator.claim.kin import Kin
from adjudicator.claim.state import UNKNOWN_CHAIN, Part, PersonYears, StayParts, stay_of_parts
from adjudicator.columns import CARE_DAYS, LINE, LINE_SPLIT
from adjudicator.errors import E, Problem
from adjudicator.grouping.layout import GroupColumns
from adjudicator.reprice.bucket import Bucket, Opening, dense, offsets_of
from adjudicator.wire.decode import Decoded
from adjudicator.wire.digest import digest_bytes

_TEXTS = ("institution_code", "encounter_id", "assistance_category", "referral_from_encounter")


class _Earlier(NamedTuple):
    """A claim that was priced."""

    key: bytes
    sequence: int
    year: int
    is_part: bool
    charged_fen: int
    chain_before_fen: int
    """What its referral chain had been charged before it."""
    seen: np.ndarray
    """The year that it was priced over."""
    amounts: np.ndarray
    """PART[1]: what it was as a part of its stay; all zero of a claim that is none."""
    lines: frozenset[str]
    """Its line ids, of a part of a stay."""


class _Priced:
    """What was priced of the persons so far."""

    def __init__(self) -> None:
        self._encounters: dict[tuple[int, bytes], list[_Earlier]] = {}
        self._years: dict[tuple[int, bytes], list[_Earlier]] = {}

    def add(self, person: int, encounter: bytes, earlier: _Earlier) -> None:
        """Keep a claim; ``encounter`` is the digest of its encounter id."""
        self._encounters.setdefault((person, encounter), []).append(earlier)
        self._years.setdefault((earlier.year, encounter), []).append(earlier)

    def parts(self, person: int, note: dict[str, Any], sequence: int) -> list[_Earlier]:
        """Return the earlier settlements of an encounter at its institution."""
        institution, encounter = note["institution_code"], note["encounter_id"]
        known = self._encounters.get((person, digest_bytes(encounter.encode())), [])
        return [
            earlier
            for earlier in known
            if earlier.sequence < sequence and earlier.key == settlement_key(institution, encounter, earlier.sequence)
        ]

    def chain(self, year: int, encounter: str) -> int:
        """Return what a referral chain was charged up to an encounter of the person's year, or UNKNOWN_CHAIN."""
        stays = self._years.get((year, digest_bytes(encounter.encode())), [])
        if not stays:
            return UNKNOWN_CHAIN
        return stays[0].chain_before_fen + sum(stay.charged_fen for stay in stays)


class _Claims(NamedTuple):
    """The claims of the special persons, in order within each."""

    places: np.ndarray
    """int64[k] in the bucket."""
    persons: np.ndarray
    notes: list[dict[str, Any] | None]
    resolved: Resolved
    years: np.ndarray
    """int64[k]: number of the person-year of each claim."""
    of_person: dict[tuple[int, int], list[int]]
    """(person, benefit year) -> numbers of the years in all schemes."""


def price_special(
    engine: Engine, bucket: Bucket, places: np.ndarray, opening: Opening, out: np.ndarray,
    found: dict[int, list[Problem]],
) -> None:  # fmt: skip
    """Price the claims at ``places`` (int64[k]); ``out`` BENEFIT[n] and the errors of the bucket take the results."""
    claims = _claims(engine, bucket, places)
    years, nothing = PersonYears(opening.slots, opening.quotas), np.zeros(bucket.year_count, np.int64)
    days = CareDays.of(StoredDays(nothing, nothing, np.zeros(0, CARE_DAYS)), len(places))
    round_ = _Round(years, days, _Priced(), out, found)
    for chosen in _rounds(claims.persons):
        _price_round(engine, bucket, claims, chosen, round_)


class _Round(NamedTuple):
    """What a round reads and writes."""

    years: PersonYears
    days: CareDays
    priced: _Priced
    out: np.ndarray
    found: dict[int, list[Problem]]


def _rounds(persons: np.ndarray) -> list[np.ndarray]:
    """Return the first claims of all persons, then the second, and so on; ``persons`` int64[k] ascending."""
    first = np.flatnonzero(np.diff(persons, prepend=persons[:1] - 1))
    nth = np.arange(len(persons)) - np.repeat(first, np.diff(np.append(first, len(persons))))
    order = np.argsort(nth, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(nth[order])) + 1) if len(order) else []


def _claims(engine: Engine, bucket: Bucket, places: np.ndarray) -> _Claims:
    """Return the claims in the order of their persons, as the engine takes them."""
    arrays = bucket.arrays
    persons, _ = dense(arrays["persons"][places], arrays["claims"]["pack"][places])
    claims = arrays["claims"][places]
    keys, sequences = arrays["keys"][places], arrays["sequences"][places]
    order = np.lexsort(
        (keys[:, 0], keys[:, 1], sequences, claims["admission_date"], claims["settlement_date"], persons)
    )
    places, persons = places[order], persons[order]
    rows = arrays["rows"][places].tolist()
    notes = [bucket.notes.get(row) for row in rows]
    years = bucket.years[places]
    of_person: dict[tuple[int, int], list[int]] = {}
    seen = zip(persons.tolist(), claims["benefit_year"][order].tolist(), years.tolist(), strict=True)
    for person, benefit_year, year in seen:
        numbers = of_person.setdefault((person, benefit_year), [])
        if year not in numbers:
            numbers.append(year)
    return _Claims(places, persons, notes, _resolved(engine, bucket, places, notes), years, of_person)


def _kin(engine: Engine, claims: _Claims, rows: np.ndarray) -> Kin:
    """Return the other years of the persons of some claims, as ``claim.kin`` names them: in other schemes, for limits
    of assistance and for days, and for days the year before or after where the care reaches into it."""
    numbers, same = list[int](), list[bool]()
    starts, ends = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for position, row in enumerate(rows.tolist()):
        claim, own = claims.resolved.claims[row], int(claims.years[row])
        begins, benefit_year = int(engine.bundle.benefit.year_begins[claim["pack"]]), int(claim["benefit_year"])
        first = benefit_year - (_year_of(int(claim["admission_date"]), begins) < benefit_year)
        last = benefit_year + (_year_of(int(claim["settlement_date"]), begins) > benefit_year)
        starts[position] = len(numbers)
        for year in range(first, last + 1):
            known = claims.of_person.get((int(claims.persons[row]), year), [])
            others = [number for number in known if number != own]
            numbers += others
            same += [year == benefit_year] * len(others)
        ends[position] = len(numbers)
    return Kin(starts, ends, np.array(numbers, np.int64), np.array(same, np.bool_))


def _year_of(date: int, begins: int) -> int:
    """Return the benefit year of a date (YYYYMMDD) where years begin on a day MMDD."""
    return date // 10_000 - (date % 10_000 < begins)


def _resolved(engine: Engine, bucket: Bucket, places: np.ndarray, notes: list[dict[str, Any] | None]) -> Resolved:
    """Return the facts of some claims as ``Engine.resolve`` left them, as far as pricing asks for them."""
    arrays = bucket.arrays
    claims = arrays["claims"][places]
    line_splits = np.zeros(0, LINE_SPLIT)
    if "in_scope" in bucket.ragged:
        entries, own = _taken(bucket.ragged["in_scope"], places)
        line_splits = np.zeros(len(entries), LINE_SPLIT)
        line_splits["in_scope_fen"] = entries
        claims["line_start"], claims["line_end"] = own[:-1], own[1:]
    codes = None
    if "diagnoses" in bucket.ragged:
        none = [np.zeros(len(places), np.int32) for _ in range(8)]
        lists = [part for name in ("diagnoses", "procedures") for part in _taken(bucket.ragged[name], places)[::-1]]
        codes = GroupColumns._make((*none, *lists))
    nothing = np.zeros((len(places), 16), np.uint8)
    return Resolved(
        incoming=_incoming(notes), claims=claims, lines=np.zeros(0, LINE), splits=arrays["splits"][places],
        line_splits=line_splits, groups=arrays["groups"][places], group_scheme=arrays["schemes"][places], codes=codes,
        keys=nothing, state_keys=nothing, persons=nothing, good=np.flatnonzero(claims["error"] == 0),
        found=np.zeros(0, PROBLEM), warnings={}, digests=NOT_DIGESTED,
    )  # fmt: skip


def _taken(ragged: tuple[np.ndarray, np.ndarray], places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the entries of some claims, and where those of each begin."""
    offsets, entries = ragged
    counts = offsets[places + 1] - offsets[places]
    own = offsets_of(counts)
    return entries[np.repeat(offsets[places] - own[:-1], counts) + np.arange(own[-1])], own


class _TextWriter:
    """Texts behind each other."""

    def __init__(self) -> None:
        self.octets = bytearray(8)

    def put(self, row: np.void, name: str, text: str) -> None:
        """Write a text field of a record."""
        encoded = text.encode()
        row[f"{name}_start"], row[f"{name}_size"] = len(self.octets), len(encoded)
        self.octets += encoded

    def heap(self) -> np.ndarray:
        """Return the bytes."""
        return np.frombuffer(bytes(self.octets) + bytes(8), np.uint8)


def _incoming(notes: list[dict[str, Any] | None]) -> Incoming:
    """Return what the notes say as decoded claims."""
    texts, count = _TextWriter(), len(notes)
    claims = np.zeros(count, CLAIM_SCHEMA.dtype())
    claims["accumulators"] = -1
    given = [note for note in notes if note is not None and "entries" in note]
    tables = {path: np.zeros(0, CLAIM_SCHEMA.dtype(path)) for path in CLAIM_SCHEMA.paths} | {"": claims}
    others = [name for note in notes if note is not None for name in note["others"]]
    tables["other_assistance_categories"] = names = np.zeros(len(others), CLAIM_SCHEMA.dtype("diagnoses"))
    tables["accumulators"] = years = np.zeros(len(given), CLAIM_SCHEMA.dtype("accumulators"))
    entries = np.zeros(sum(len(note["entries"]) for note in given), CLAIM_SCHEMA.dtype("accumulators.entries"))
    tables["accumulators.entries"] = entries
    at = entry_at = year_at = 0
    for row, note in zip(claims, notes, strict=True):
        if note is None:
            continue
        for name in _TEXTS:
            texts.put(row, name, note[name])
        row["other_assistance_categories_start"] = at
        for name in note["others"]:
            encoded = name.encode()
            names[at]["start"], names[at]["size"] = len(texts.octets), len(encoded)
            texts.octets += encoded
            at += 1
        row["other_assistance_categories_end"] = at
        if "entries" in note:
            row["accumulators"] = year_at
            years[year_at]["year"], years[year_at]["entries_start"] = note["year"], entry_at
            for name, value, disease, period in note["entries"]:
                entry = entries[entry_at]
                texts.put(entry, "name", name)
                texts.put(entry, "disease_code", disease)
                entry["value"], entry["period"] = value, period
                entry_at += 1
            years[year_at]["entries_end"] = entry_at
            year_at += 1
    heap, nowhere = texts.heap(), np.zeros(count, np.int64)
    decoded = Decoded(tables, np.zeros(count, np.int32))  # type: ignore[arg-type]  # a plain dict: nothing is encoded
    return Incoming(heap, len(heap), nowhere, nowhere, decoded, claims, tables["lines"])


def _price_round(engine: Engine, bucket: Bucket, claims: _Claims, chosen: np.ndarray, round_: _Round) -> None:
    """Price at most one claim a person: ``chosen`` int64[k] rows of ``claims``."""
    arrays, resolved = bucket.arrays, claims.resolved
    stays: dict[int, StayParts] = {}
    chains: dict[int, int] = {}
    priced_rows = []
    for row in np.sort(chosen).tolist():
        place, note = int(claims.places[row]), claims.notes[row]
        if arrays["claims"]["error"][place]:
            continue
        year, sequence = int(bucket.years[place]), int(arrays["sequences"][place])
        if note is not None and note["referral_from_encounter"]:
            chains[row] = round_.priced.chain(year, note["referral_from_encounter"])
        parts = round_.priced.parts(int(claims.persons[row]), note, sequence) if note is not None else []
        if parts and not parts[-1].is_part:
            detail = str(parts[-1].sequence)
            arrays["claims"]["error"][place] = int(E.ENCOUNTER_SETTLED)
            round_.found[int(arrays["rows"][place])] = [
                Problem(int(E.ENCOUNTER_SETTLED), "settlement_sequence", detail)
            ]
            continue
        twice = _line_of_another_part(note, parts)
        if twice is not None:
            arrays["claims"]["error"][place] = twice.number
            round_.found[int(arrays["rows"][place])] = [twice]
            continue
        if parts:
            known = [Part(part.year, part.seen, part.charged_fen, part.amounts) for part in parts]
            stays[row] = stay_of_parts(known, year)
        priced_rows.append(row)
    rows = np.array(priced_rows, np.int64)
    kin = _kin(engine, claims, rows)
    kept = _look_at_days(engine, bucket, claims, (rows, kin), round_)
    rows, kin = rows[kept], kin.of(kept)
    years = PersonYears(round_.years.slots, round_.years.quotas, stays, chains, kin=kin)
    result = engine.price(resolved, rows, bucket.years[claims.places[rows]], years)
    for position in range(len(rows)):
        _keep(bucket, claims, result, position, round_)
    took = arrays["days"][claims.places[rows[result.errors == 0]]]
    round_.days.add(took, bucket.years[claims.places[rows[result.errors == 0]]])


def _line_of_another_part(note: dict[str, Any] | None, parts: list[_Earlier]) -> Problem | None:
    """Return what is wrong with a fee line that an earlier part of the stay has settled."""
    for part in parts if note is not None else ():
        for position, line_id in enumerate(note["lines"] if note is not None else ()):
            if line_id in part.lines:
                return Problem(int(E.LINE_SETTLED_BEFORE), f"lines[{position}].line_id", str(part.sequence))
    return None


def _look_at_days(
    engine: Engine, bucket: Bucket, claims: _Claims, chosen: tuple[np.ndarray, Kin], round_: _Round
) -> np.ndarray:
    """Note which of the chosen claims (rows, kin) overlap earlier care; return bool[k], those that may be priced."""
    rows, kin = chosen
    places = claims.places[rows]
    kept = np.ones(len(rows), np.bool_)
    overlaps = round_.days.compare(bucket.arrays["days"][places], bucket.years[places], kin)
    if overlaps is None:
        return kept
    for position in np.flatnonzero(overlaps["found"]).tolist():
        place, claim = int(places[position]), claims.resolved.claims[rows[position]]
        is_visit = care_days.TAKEN_BY[claim["care_kind"]] == care_days.VISIT
        problems = care_days.problems_of(overlaps[position], is_visit, engine.bundle.packs[claim["pack"]].overlaps)
        refused = [problem.number for problem in problems if not problem.warning]
        if refused:
            bucket.arrays["claims"]["error"][place], kept[position] = min(refused), False
        if problems:
            round_.found.setdefault(int(bucket.arrays["rows"][place]), []).extend(problems)
    return kept


def _keep(bucket: Bucket, claims: _Claims, result: Result, position: int, round_: _Round) -> None:
    """Take over what a claim came to."""
    arrays, row = bucket.arrays, int(result.rows[position])
    place = int(claims.places[row])
    claim = result.claims[position]
    arrays["claims"]["error"][place] = claim["error"]
    arrays["claims"]["assistance"][place] = claim["assistance"]
    round_.out[place] = result.benefits[position]
    told = [problem for problem in result.problems(position) if problem.field != "payment"]
    if told:
        round_.found.setdefault(int(arrays["rows"][place]), []).extend(told)
    if claim["error"] == 0:
        chain = int(claim["chain_deductible_fen"]) if claim["chain_continues"] else 0
        round_.priced.add(
            int(claims.persons[row]), arrays["encounters"][place].tobytes(),
            _Earlier(
                arrays["keys"][place].tobytes(), int(arrays["sequences"][place]), int(bucket.years[place]),
                bool(claim["mid_stay"]), int(result.benefits["deductible_fen"][position]), chain, result.seen[position],
                result.parts[position : position + 1] if len(result.parts) else np.zeros(1, PART),
                frozenset(note["lines"] if (note := claims.notes[row]) is not None else ()),
            ),
        )  # fmt: skip
