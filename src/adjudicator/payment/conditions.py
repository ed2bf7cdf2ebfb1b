"""The dated method table: which claims a row takes, and the proof that every claim has exactly one method.

A condition that is not written accepts everything. The row with the highest ``priority`` decides; no row, or two rows
of the same priority, for any claim the table could meet is a fault, reported with an example claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from adjudicator.codes import PERSON_TYPES, CareKind, Channel, Filing, GroupStatus, Method, Place
from adjudicator.limits import FIRST_DATE, LAST_DATE, MAX_AGE_YEARS, MAX_STAY_DAYS
from adjudicator.payment.condition_terms import CONTRACT_WORDS
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.faults import Faults, nearest
from adjudicator.rulefile.fields import CodeList, Members, Schemes, Where, count

FILE = "payment.toml"
SHORT_LIST = 20
"""So many known words are listed in a remedy."""
MASKS = (
    "care_kind", "scheme", "place", "filing", "channel", "status", "maternity_type", "person_type", "assistance",
)  # fmt: skip
SETS = ("hospital", "department", "disease", "drg", "diagnosis", "procedure")


@dataclass(frozen=True, slots=True)
class PackView:
    """What the payment rules need to know of a pack; positions are the ids that claims carry."""

    id: str
    hospitals: tuple[str, ...]
    """Codes of the register's rows; an institution has a row for each of its periods."""
    hospital_classes: tuple[str, ...]
    classes: tuple[str, ...]
    """Payment classes of hospitals in the order of rank, highest first."""
    diseases: tuple[str, ...] = ()
    departments: dict[str, int] = field(default_factory=dict)
    assistances: dict[str, int] = field(default_factory=dict)
    areas: tuple[str, ...] = ()
    hospital_days: tuple[tuple[int, int], ...] = ()
    """First and last day of each row of ``hospitals``; empty: all hold always."""

    def days_of(self, row: int) -> tuple[int, int]:
        """Return the first and the last day of a row of the register."""
        return self.hospital_days[row] if row < len(self.hospital_days) else (FIRST_DATE, LAST_DATE)

    def rows_of(self, code: str) -> list[int]:
        """Return the rows of an institution."""
        return [row for row, own in enumerate(self.hospitals) if own == code]

    def classes_on(self, date: int) -> dict[str, str]:
        """Return the payment class of each institution on a day; of one that is not registered then, its latest."""
        rows = sorted(range(len(self.hospitals)), key=lambda row: self.days_of(row)[0] <= date <= self.days_of(row)[1])
        return {self.hospitals[row]: self.hospital_classes[row] for row in rows}


@dataclass(frozen=True, slots=True)
class Codes:
    """Code lists of the pack's grouping scheme; ``None`` where the pack has none."""

    drgs: dict[str, int]
    diagnoses: dict[str, int]
    procedures: dict[str, int]

    @property
    def points_needed(self) -> list[str]:
        """Return the groups that need points: DRGs, not bare ADRGs and ambiguous results (QY)."""
        return [drg for drg in self.drgs if is_drg(drg)]


def is_drg(code: str) -> bool:
    """Return whether a result is a DRG.

    A bare ADRG and an ambiguous result (QY) have three characters; 0000 is no group.

    >>> [is_drg(code) for code in ("FR21", "TU11A", "FR2", "FQY", "0000")]
    [True, True, False, False, False]
    """
    return len(code) > 3 and code != "0000"


@dataclass(frozen=True, slots=True)
class Grouping:
    """A grouping scheme of the pack and the days on which it is used."""

    name: str
    from_date: int
    to_date: int
    codes: Codes


@dataclass(frozen=True, slots=True)
class Groupings:
    """The grouping schemes of a pack, by date."""

    entries: tuple[Grouping, ...] = ()

    def on(self, date: int) -> Codes | None:
        """Return the code lists of the scheme of a day, ``None`` where there is none."""
        return next((entry.codes for entry in self.entries if entry.from_date <= date <= entry.to_date), None)

    def spans(self, source: Source) -> bool:
        """Return whether the scheme changes while a row holds."""
        return self.on(source.from_date) is not self.on(min(source.to_date, LAST_DATE))


@dataclass(frozen=True, slots=True)
class Condition:
    """One row as read: for each dimension the accepted numbers, ``None`` for all."""

    name: str
    key: str
    source: Source
    method: Method
    priority: int
    table: str
    rate_ppm: int
    accepts: dict[str, frozenset[int] | None]
    contract: int
    stay_days: tuple[int, int]
    age_years: tuple[int, int]
    hospital_codes: tuple[str, ...] = ()
    """Institutions that the row names by code."""


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """From a number to a number, both inclusive; either may be left out."""

    low: Annotated[int, count(0, MAX_STAY_DAYS)] = msgspec.field(name="from", default=-1)
    high: Annotated[int, count(0, MAX_STAY_DAYS)] | None = msgspec.field(name="to", default=None)


class ConditionTable(msgspec.Struct, frozen=True, kw_only=True):
    """Which claims a row takes; what is not written accepts everything."""

    where: Where
    source: Source
    id: str = ""
    note: str = ""
    care: Annotated[tuple[int, ...], Members(CareKind)] | None = None
    scheme: Schemes | None = None
    place: Annotated[tuple[int, ...], Members(Place)] | None = None
    filing: Annotated[tuple[int, ...], Members(Filing)] | None = None
    channel: Annotated[tuple[int, ...], Members(Channel)] | None = None
    group_status: Annotated[tuple[int, ...], Members(GroupStatus)] | None = None
    maternity_type: CodeList | None = None
    person_type: CodeList | None = None
    assistance: CodeList | None = None
    hospital: CodeList | None = None
    payment_class: CodeList | None = None
    registered: bool | None = None
    """Whether the institution is in the pool's register."""
    department: CodeList | None = None
    disease: CodeList | None = None
    drg: CodeList | None = None
    diagnosis: CodeList | None = None
    """Of these the principal diagnosis is one; ``F20*`` stands for every code that begins with F20."""
    procedure: CodeList | None = None
    stay_days: Range | None = None
    age_years: Range | None = None
    contract: Literal["any", "yes", "no"] = "any"
    """Whether the person is signed with an institution that has a capitation contract."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader of payment tables knows of the pack: its folder, its code lists, its grouping schemes."""

    folder: Path
    pack: PackView
    groupings: Groupings
    faults: Faults

    def fault(self, where: Where, name: str, message: str, remedy: str) -> None:
        """Note a fault of a table, at one of its keys or at the table itself."""
        self.faults.add(where.file, f"{where.key}.{name}" if name else where.key, message, remedy)

    def needed(self, value: int | None, where: Where, name: str, of: str) -> int:
        """Return a value that some formula cannot do without; a fault where it is missing."""
        if value is None:
            self.fault(where, name, "is missing", f"write it: {of} needs it")
        return value or 0


@dataclass(frozen=True, slots=True)
class _Row:
    """One table while its codes are looked up."""

    reading: Reading
    table: ConditionTable

    def coded(self, name: str, known: Mapping[str, int]) -> frozenset[int] | None:
        """Return the codes of one key as ids; ``F20*`` stands for every code that begins with F20."""
        written: tuple[str, ...] | None = getattr(self.table, name)
        if written is None:
            return None
        ids: set[int] = set()
        for word in written:
            if word.endswith("*"):
                found = {number for code, number in known.items() if code.startswith(word[:-1])}
            else:
                found = {known[word]} if word in known else set()
            if not found:
                self.reading.fault(
                    self.table.where, name, f"{word!r} is not known", one_of(word, known, "correct the code")
                )
            ids |= found
        return frozenset(ids)

    def hospitals(self) -> frozenset[int] | None:
        """Return hospital rows from the keys hospital, payment_class and registered; -1 is outside the register."""
        pack, table = self.reading.pack, self.table
        first = {code: row for row, code in reversed(list(enumerate(pack.hospitals)))}
        named = self.coded("hospital", first)
        if named is not None:
            named = frozenset(row for row, code in enumerate(pack.hospitals) if first[code] in named)
        chosen = [named]
        wanted = self.coded("payment_class", {name: n for n, name in enumerate(pack.classes)})
        if wanted is not None:
            names = {pack.classes[n] for n in wanted}
            chosen.append(frozenset(row for row, name in enumerate(pack.hospital_classes) if name in names))
        if table.registered is not None:
            chosen.append(frozenset(range(len(pack.hospitals))) if table.registered else frozenset({-1}))
        asked = [rows for rows in chosen if rows is not None]
        return frozenset.intersection(*asked) if asked else None

    def range(self, name: str, longest: int) -> tuple[int, int]:
        """Return the first and last number of a range; -1 stands for what is not known."""
        written: Range | None = getattr(self.table, name)
        if written is None:
            return (-1, longest)
        last = longest if written.high is None else written.high
        if last < written.low:
            self.reading.fault(
                self.table.where, f"{name}.to", f"{last} is less than from {written.low}", "write from <= to"
            )
        return (written.low, last)


def one_of(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return what to write instead of a code or name: the nearest one, else all of a short list."""
    names = [name for name in known if name]
    return nearest(word, names, "write one of " + ", ".join(names) if 0 < len(names) <= SHORT_LIST else otherwise)


def condition_of(
    reading: Reading, table: ConditionTable, method: Method = Method.NONE, priority: int = 0, rate_ppm: int = 0
) -> Condition:
    """Return a row as read, with codes as ids; a code that no list has is a fault."""
    row, pack, source = _Row(reading, table), reading.pack, table.source
    codes = reading.groupings.on(source.from_date)
    asks = any(value is not None for value in (table.drg, table.diagnosis, table.procedure))
    if asks and reading.groupings.spans(source):
        remedy = "end the row with the scheme, add another"
        reading.fault(table.where, "to", "the grouping scheme changes while this row holds", remedy)
    accepts = {
        "care_kind": _numbers(table.care),
        "scheme": _numbers(table.scheme),
        "place": _numbers(table.place),
        "filing": _numbers(table.filing),
        "channel": _numbers(table.channel),
        "status": _numbers(table.group_status),
        "maternity_type": row.coded("maternity_type", {str(n): n for n in range(10)}),
        "person_type": row.coded("person_type", {code: n for n, code in enumerate(PERSON_TYPES)}),
        "assistance": row.coded("assistance", pack.assistances),
        "hospital": row.hospitals(),
        "department": row.coded("department", pack.departments),
        "disease": row.coded("disease", {code: n for n, code in enumerate(pack.diseases)}),
        "drg": row.coded("drg", codes.drgs if codes else {}),
        "diagnosis": row.coded("diagnosis", codes.diagnoses if codes else {}),
        "procedure": row.coded("procedure", codes.procedures if codes else {}),
    }
    return Condition(
        name=table.id,
        key=table.where.key,
        source=source,
        method=method,
        priority=priority,
        table=getattr(table, "table", ""),
        rate_ppm=rate_ppm,
        accepts=accepts,
        contract=CONTRACT_WORDS.index(table.contract),
        stay_days=row.range("stay_days", MAX_STAY_DAYS),
        age_years=row.range("age_years", MAX_AGE_YEARS),
        hospital_codes=table.hospital or (),
    )


def _numbers(written: tuple[int, ...] | None) -> frozenset[int] | None:
    return None if written is None else frozenset(written)
