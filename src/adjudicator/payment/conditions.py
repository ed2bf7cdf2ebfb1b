"""The dated method table: which claims a row takes, and the proof that every claim has exactly one method.

A condition that is not written accepts everything. The row with the highest ``priority`` decides; no row, or two rows
of the same priority, for any claim the table could meet is a fault, reported with an example claim.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from adjudicator.codes import PERSON_TYPES, SCHEME_CODES, CareKind, Filing, GroupStatus, Method, Place
from adjudicator.limits import LAST_DATE, MAX_AGE_YEARS, MAX_STAY_DAYS
from adjudicator.payment.reader import Node
from adjudicator.rulefile.dated import Source

CONDITION = np.dtype(
    [
        ("care_kinds", "u8"), ("schemes", "u8"), ("places", "u8"), ("filings", "u8"), ("statuses", "u8"),
        ("maternity_types", "u8"), ("person_types", "u8"), ("assistances", "u8"),  # bit n accepts the number n
        ("contract", "i8"),  # CONTRACT_ANY …
        ("stay_from_days", "i8"), ("stay_to_days", "i8"), ("age_from_years", "i8"), ("age_to_years", "i8"),
        ("hospitals", "i8"), ("departments", "i8"), ("diseases", "i8"), ("drgs", "i8"),  # row of the sets, -1 any
        ("diagnoses", "i8"), ("procedures", "i8"),
        ("method", "i8"), ("table", "i8"), ("rate_ppm", "i8"), ("priority", "i8"), ("unverified", "i8"),
    ],
    align=True,
)  # fmt: skip
"""One compiled row. A set is a byte a member: position 0 stands for "none or not listed", id n for position n + 1."""

CONTRACT_ANY, CONTRACT_YES, CONTRACT_NO = 0, 1, 2
"""What a row says about capitation contracts: does not ask, asks for one, asks for none."""
CONTRACT_WORDS = ("any", "yes", "no")
ALL_BITS = (1 << 64) - 1
MASKS = ("care_kind", "scheme", "place", "filing", "status", "maternity_type", "person_type", "assistance")
SETS = ("hospital", "department", "disease", "drg", "diagnosis", "procedure")


@dataclass(frozen=True, slots=True)
class PackView:
    """What the payment rules need to know of a pack; positions are the ids that claims carry."""

    id: str
    hospitals: tuple[str, ...]
    hospital_classes: tuple[str, ...]
    classes: tuple[str, ...]
    """Payment classes of hospitals in the order of rank, highest first."""
    diseases: tuple[str, ...] = ()
    departments: dict[str, int] = field(default_factory=dict)
    assistances: dict[str, int] = field(default_factory=dict)
    areas: tuple[str, ...] = ()


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


def _named(enum: type[IntEnum]) -> dict[str, int]:
    return {member.name.lower(): int(member) for member in enum}


def _numbers(node: Node, key: str, names: dict[str, int]) -> frozenset[int] | None:
    if not node.has(key):
        return None
    numbers = set()
    for word in node.texts(key):
        if word in names:
            numbers.add(names[word])
        else:
            node.fault(key, f"{word!r} is not known", "write one of " + ", ".join(list(names)[:20]))
    return frozenset(numbers)


def _coded(node: Node, key: str, codes: dict[str, int]) -> frozenset[int] | None:
    """Return codes as ids; ``F20*`` stands for every code that begins with F20."""
    if not node.has(key):
        return None
    ids: set[int] = set()
    for word in node.texts(key):
        if word.endswith("*"):
            found = {number for code, number in codes.items() if code.startswith(word[:-1])}
        else:
            found = {codes[word]} if word in codes else set()
        if not found:
            node.fault(key, f"{word} is not in the code list", "correct the code, or load the list that has it")
        ids |= found
    return frozenset(ids)


def _hospitals(node: Node, pack: PackView) -> frozenset[int] | None:
    """Return hospital rows from the keys hospitals, payment_classes and registered; -1 is outside the register."""
    accepted: frozenset[int] | None = None
    everybody = frozenset(range(-1, len(pack.hospitals)))
    if node.has("hospitals"):
        accepted = _coded(node, "hospitals", {code: row for row, code in enumerate(pack.hospitals)})
    if node.has("payment_classes"):
        wanted = _numbers(node, "payment_classes", {name: n for n, name in enumerate(pack.classes)}) or frozenset()
        names = {pack.classes[n] for n in wanted}
        rows = frozenset(row for row, name in enumerate(pack.hospital_classes) if name in names)
        accepted = rows if accepted is None else accepted & rows
    if node.has("registered"):
        rows = everybody - {-1} if node.boolean("registered") else frozenset({-1})
        accepted = rows if accepted is None else accepted & rows
    return accepted


def _range(node: Node, key: str, high: int) -> tuple[int, int]:
    child = node.child(key)
    if child is None:
        return (-1, high)
    low, top = child.integer("from", -1, low=-1), child.integer("to", high)
    if top < low:
        child.fault("to", f"{top} is less than from {low}", "write from <= to")
    child.finish()
    return (low, top)


def read_condition(node: Node, pack: PackView, groupings: Groupings, method: Method, priority: int = 0) -> Condition:
    """Read the condition keys of a row; the caller has read the method and calls ``finish``."""
    none: dict[str, int] = {}
    source = node.source()
    codes = groupings.on(source.from_date)
    asks = any(node.has(key) for key in ("drgs", "diagnoses", "procedures"))
    if asks and groupings.spans(source):
        node.fault("to", "the grouping scheme changes while this row holds", "end the row with the scheme, add another")
    accepts = {
        "care_kind": _numbers(node, "care_kinds", _named(CareKind)),
        "scheme": _numbers(node, "schemes", {code: int(scheme) for code, scheme in SCHEME_CODES.items()}),
        "place": _numbers(node, "places", _named(Place)),
        "filing": _numbers(node, "filings", _named(Filing)),
        "status": _numbers(node, "group_statuses", _named(GroupStatus)),
        "maternity_type": _numbers(node, "maternity_types", {str(n): n for n in range(10)}),
        "person_type": _numbers(node, "person_types", {code: n for n, code in enumerate(PERSON_TYPES)}),
        "assistance": _numbers(node, "assistance_categories", pack.assistances),
        "hospital": _hospitals(node, pack),
        "department": _coded(node, "departments", pack.departments),
        "disease": _coded(node, "diseases", {code: row for row, code in enumerate(pack.diseases)}),
        "drg": _coded(node, "drgs", codes.drgs if codes else none),
        "diagnosis": _coded(node, "diagnoses", codes.diagnoses if codes else none),
        "procedure": _coded(node, "procedures", codes.procedures if codes else none),
    }
    contract = CONTRACT_WORDS.index(node.choice("contract", CONTRACT_WORDS, "any"))
    return Condition(
        name=node.text("id", ""),
        key=node.key,
        source=source,
        method=method,
        priority=priority,
        table=node.text("table", ""),
        rate_ppm=node.ppm("rate", 0, 10_000_000) if node.has("rate") else 0,
        accepts=accepts,
        contract=contract,
        stay_days=_range(node, "stay_days", MAX_STAY_DAYS),
        age_years=_range(node, "age_years", MAX_AGE_YEARS),
    )


# --- compiling ----------------------------------------------------------------------------------------------------


class SetPool:
    """Byte sets shared by all rows; equal sets are stored once."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, ...], int] = {}
        self.starts: list[int] = [0]
        self._parts: list[np.ndarray] = []

    def add(self, members: frozenset[int] | None, size: int) -> int:
        """Return the row of a set of ids from -1 to ``size`` - 1, or -1 where everything is accepted."""
        if members is None:
            return -1
        key = (size, *sorted(members))
        if key not in self.rows:
            part = np.zeros(size + 1, np.uint8)
            part[[member + 1 for member in members]] = 1
            self.rows[key] = len(self.starts) - 1
            self._parts.append(part)
            self.starts.append(self.starts[-1] + size + 1)
        return self.rows[key]

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return starts (one more than there are sets) and members."""
        members = np.concatenate(self._parts) if self._parts else np.zeros(1, np.uint8)
        return np.array(self.starts, np.int64), members


def _mask(members: frozenset[int] | None) -> int:
    return ALL_BITS if members is None else sum(1 << n for n in members)


def compile_condition(
    row: Condition, out: np.ndarray, pool: SetPool, pack: PackView, codes: Codes | None, table: int
) -> None:
    """Write one row of :data:`CONDITION`."""
    for name in MASKS:
        column = {"status": "statuses"}.get(name, f"{name}s")
        out[column] = _mask(row.accepts[name])
    sizes = {
        "hospital": len(pack.hospitals),
        "department": max(pack.departments.values(), default=-1) + 1,
        "disease": len(pack.diseases),
        "drg": len(codes.drgs) if codes else 0,
        "diagnosis": len(codes.diagnoses) if codes else 0,
        "procedure": len(codes.procedures) if codes else 0,
    }
    for name in SETS:
        column = "diagnoses" if name == "diagnosis" else f"{name}s"
        out[column] = pool.add(row.accepts[name], sizes[name])
    out["contract"] = row.contract
    out["stay_from_days"], out["stay_to_days"] = row.stay_days
    out["age_from_years"], out["age_to_years"] = row.age_years
    out["method"], out["table"], out["rate_ppm"] = int(row.method), table, row.rate_ppm
    out["priority"], out["unverified"] = row.priority, int(not row.source.verified)
