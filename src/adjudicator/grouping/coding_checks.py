"""Coding checks before grouping (病案审核) as data: which codes do not go with the sex, the age, the place, each other.

A shipped file holds the general checks; a pack's ``coding_checks.toml`` changes their severity and adds its own.
Codes are given by their beginnings: ``C61`` stands for every code that begins so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from adjudicator.limits import MAX_AGE_YEARS
from adjudicator.rulefile.evidence import EVIDENCE_KEYS, Evidence, read_support
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import Where, count
from adjudicator.rulefile.reader import read_structs, read_toml, unknown_keys

SHIPPED = Path(__file__).resolve().parents[1] / "packs" / "schemes" / "coding_checks.toml"
FILE = "coding_checks.toml"
MAX_CHECKS = 63
MAX_DAYS = 2**31 - 1


class CheckKind(IntEnum):
    """What a check compares."""

    SEX = 0
    AGE = 1
    NOT_PRINCIPAL = 2
    DUPLICATE = 3
    PROCEDURE_NEEDS_DIAGNOSIS = 4
    NEWBORN_WEIGHT = 5


class CheckSeverity(IntEnum):
    """How much a failed check matters; ``REFUSE`` stops a claim only where the pack says so."""

    OFF = 0
    NOTE = 1
    WARNING = 2
    REFUSE = 3


KINDS = {kind.name.lower(): kind for kind in CheckKind}
SEVERITIES = {severity.name.lower(): severity for severity in CheckSeverity}
NEEDED = {
    CheckKind.SEX: ("sex",),
    CheckKind.AGE: ("diagnoses",),
    CheckKind.NOT_PRINCIPAL: ("diagnoses",),
    CheckKind.DUPLICATE: ("system",),
    CheckKind.PROCEDURE_NEEDS_DIAGNOSIS: ("procedures", "diagnoses"),
    CheckKind.NEWBORN_WEIGHT: ("age_days_max",),
}
Severity = Literal["off", "note", "warning", "refuse"]
HEADER = (*EVIDENCE_KEYS, "check", "severity")
"""The keys of a file of checks."""


class CheckTable(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what it compares, and the beginnings of the codes it is about."""

    where: Where
    id: str
    kind: Literal["sex", "age", "not_principal", "duplicate", "procedure_needs_diagnosis", "newborn_weight"]
    severity: Severity
    text: str
    text_zh: str
    system: Literal["D", "P"] | None = None
    """D: diagnoses, P: procedures."""
    sex: Literal[1, 2] | None = None
    age_years_min: Annotated[int, count(0, MAX_AGE_YEARS)] | None = None
    age_years_max: Annotated[int, count(0, MAX_AGE_YEARS)] | None = None
    age_days_min: Annotated[int, count(0, MAX_DAYS)] | None = None
    age_days_max: Annotated[int, count(0, MAX_DAYS)] | None = None
    diagnoses: tuple[str, ...] | None = None
    procedures: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Check:
    """One check. ``diagnoses`` and ``procedures`` are beginnings of codes."""

    id: str
    kind: CheckKind
    severity: CheckSeverity
    text: str
    text_zh: str
    diagnoses: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    sex: int = 0
    system: str = ""
    age_years: tuple[int, int] = (0, MAX_AGE_YEARS)
    age_days: tuple[int, int] = (0, MAX_DAYS)
    evidence: Evidence = Evidence.DEMONSTRATION


@dataclass(frozen=True)
class CodingChecks:
    """The checks in force; ``tables`` holds what the engine builds on first use."""

    checks: tuple[Check, ...]
    tables: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def hash_parts(self) -> tuple[str, ...]:
        """Return what enters the hash of a rule bundle."""
        return tuple(repr(check) for check in self.checks)


@dataclass(frozen=True)
class PackChecks:
    """The checks of the packs of a bundle, in the order of the packs."""

    by_pack: tuple[CodingChecks, ...]

    def hash_parts(self) -> tuple[str, ...]:
        """Return what enters the hash of a rule bundle."""
        return tuple(part for checks in self.by_pack for part in checks.hash_parts())


def load_section(pack_folder: Path, _pack: Any, faults: Faults) -> CodingChecks:
    """Return the checks of one pack; its faults are noted."""
    return checks_of_pack(pack_folder, faults)


def compile_sections(sources: Sequence[CodingChecks]) -> PackChecks:
    """Return the checks of all packs of a bundle."""
    return PackChecks(tuple(sources))


def _in_force(checks: Sequence[Check]) -> CodingChecks:
    return CodingChecks(tuple(check for check in checks if check.severity != CheckSeverity.OFF))


def load_checks(pack_folder: Path | None = None) -> CodingChecks:
    """Return the shipped checks with a pack's changes; ``pack_folder`` may also be a file of checks alone.

    Raises :class:`adjudicator.rulefile.faults.PackError` with every fault.
    """
    faults = Faults()
    checks = checks_of_pack(pack_folder, faults)
    faults.raise_if_any("coding checks")
    return checks


def checks_of_pack(pack_folder: Path | None, faults: Faults) -> CodingChecks:
    """As :func:`load_checks`, for a loader that collects the faults of all sections."""
    checks = read_checks(SHIPPED, (), faults)
    own = pack_folder if pack_folder is None or pack_folder.is_file() else pack_folder / FILE
    if own is not None and own.is_file():
        checks = read_checks(own, checks, faults)
    elif pack_folder is not None and not pack_folder.is_dir():
        faults.add(pack_folder.name, "file", "missing")
    return _in_force(checks)


def read_checks(path: Path, base: tuple[Check, ...], faults: Faults) -> tuple[Check, ...]:
    """Return the checks of ``base`` with the severities of the file, then the file's own."""
    file = path.name
    content = read_toml(path, file, faults)
    if content is None:
        return base
    unknown_keys(content, HEADER, file, "", faults)
    support = read_support(content, file, "file", faults) if content.keys() & set(EVIDENCE_KEYS) else None
    evidence = support.evidence if support else Evidence.DEMONSTRATION
    checks = {check.id: check for check in base}
    severities = content.get("severity", {})
    if not isinstance(severities, dict):
        faults.add(file, "severity", "is not a table", 'write [severity] with id = "off"')
        severities = {}
    for name, severity in severities.items():
        if name not in checks or severity not in SEVERITIES:
            faults.add(file, f"severity.{name}", "unknown check or severity", f"write {', '.join(SEVERITIES)}")
        else:
            checks[name] = replace(checks[name], severity=SEVERITIES[severity])
    for table in read_structs(CheckTable, content.get("check"), file, "check", faults):
        check = _check(table, evidence, faults)
        if check is not None and check.id in checks:
            faults.add(file, f"{table.where.key}.id", f"{check.id!r} is there already", "name it anew")
        elif check is not None:
            checks[check.id] = check
    if len(checks) > MAX_CHECKS:
        faults.add(file, "check", f"{len(checks)} checks", f"at most {MAX_CHECKS}")
    return tuple(checks.values())


def _check(table: CheckTable, evidence: Evidence, faults: Faults) -> Check | None:
    kind = KINDS[table.kind]
    lacking = [name for name in NEEDED[kind] if getattr(table, name) is None]
    for name in lacking:
        remedy = f"write {name}, which a check of this kind compares"
        faults.add(table.where.file, f"{table.where.key}.{name}", f"is missing for kind {table.kind}", remedy)
    codes = (*(table.diagnoses or ()), *(table.procedures or ()))
    if not all(codes):
        faults.add(table.where.file, table.where.key, "has an empty code", "write the beginning of a code")
    if lacking or not all(codes):
        return None
    years = (table.age_years_min or 0, MAX_AGE_YEARS if table.age_years_max is None else table.age_years_max)
    days = (table.age_days_min or 0, MAX_DAYS if table.age_days_max is None else table.age_days_max)
    return Check(
        table.id, kind, SEVERITIES[table.severity], table.text, table.text_zh, table.diagnoses or (),
        table.procedures or (), table.sex or 0, table.system or "", years, days, evidence,
    )  # fmt: skip
