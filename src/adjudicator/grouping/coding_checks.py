"""Coding checks before grouping (病案审核) as data: which codes do not go with the sex, the age, the place, each other.

A shipped file holds the general checks; a pack's ``coding_checks.toml`` changes their severity and adds its own.
Codes are given by their beginnings: ``C61`` stands for every code that begins so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

from adjudicator.limits import MAX_AGE_YEARS
from adjudicator.rulefile.evidence import EVIDENCE_KEYS, Evidence, read_support
from adjudicator.rulefile.faults import Faults

SHIPPED = Path(__file__).resolve().parents[1] / "packs" / "schemes" / "coding_checks.toml"
FILE = "coding_checks.toml"
MAX_CHECKS = 63


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
KEYS = {
    "id": str, "kind": str, "severity": str, "system": str, "text": str, "text_zh": str, "sex": int,
    "age_years_min": int, "age_years_max": int, "age_days_min": int, "age_days_max": int, "diagnoses": list,
    "procedures": list,
}  # fmt: skip
HEADER = {**dict.fromkeys(EVIDENCE_KEYS, object), "check": list, "severity": dict}


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
    age_days: tuple[int, int] = (0, 2**31 - 1)
    evidence: Evidence = Evidence.DEMONSTRATION


@dataclass(frozen=True)
class CodingChecks:
    """The checks in force; ``tables`` holds what the engine builds on first use."""

    checks: tuple[Check, ...]
    tables: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def hash_parts(self) -> tuple[str, ...]:
        """What enters the hash of a rule bundle."""
        return tuple(repr(check) for check in self.checks)


@dataclass(frozen=True)
class PackChecks:
    """The checks of the packs of a bundle, in the order of the packs."""

    by_pack: tuple[CodingChecks, ...]

    def hash_parts(self) -> tuple[str, ...]:
        """What enters the hash of a rule bundle."""
        return tuple(part for checks in self.by_pack for part in checks.hash_parts())


def load_section(pack_folder: Path, _pack: Any, faults: Faults) -> CodingChecks:
    """The checks of one pack; its faults are noted."""
    return checks_of_pack(pack_folder, faults)


def compile_sections(sources: Sequence[CodingChecks]) -> PackChecks:
    """The checks of all packs of a bundle."""
    return PackChecks(tuple(sources))


def _in_force(checks: Sequence[Check]) -> CodingChecks:
    return CodingChecks(tuple(check for check in checks if check.severity != CheckSeverity.OFF))


def load_checks(pack_folder: Path | None = None) -> CodingChecks:
    """The shipped checks with a pack's changes; ``pack_folder`` may also be a file of checks alone.

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
    """Checks of ``base`` with the severities of the file, then the file's own."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.add(path.name, "file", f"cannot be read: {error}")
        return base
    for key in content.keys() - HEADER.keys():
        faults.add(path.name, key, "unknown key", f"known: {', '.join(HEADER)}")
    for key in HEADER.keys() & content.keys():
        if not isinstance(content[key], HEADER[key]):
            faults.add(path.name, key, "has the wrong type")
            content.pop(key)
    support = read_support(content, path.name, "file", faults) if content.keys() & set(EVIDENCE_KEYS) else None
    evidence = support.evidence if support else Evidence.DEMONSTRATION
    checks = {check.id: check for check in base}
    for name, severity in content.get("severity", {}).items():
        if name not in checks or severity not in SEVERITIES:
            faults.add(path.name, f"severity.{name}", "unknown check or severity", f"write {', '.join(SEVERITIES)}")
        else:
            checks[name] = replace(checks[name], severity=SEVERITIES[severity])
    for number, entry in enumerate(content.get("check", [])):
        check = _read_check(entry, f"check[{number}]", path.name, evidence, faults)
        if check and check.id in checks:
            faults.add(path.name, f"check[{number}].id", f"{check.id!r} is there already", "name it anew")
        elif check:
            checks[check.id] = check
    if len(checks) > MAX_CHECKS:
        faults.add(path.name, "check", f"{len(checks)} checks", f"at most {MAX_CHECKS}")
    return tuple(checks.values())


def _read_check(entry: dict[str, Any], key: str, file: str, evidence: Evidence, faults: Faults) -> Check | None:
    before = len(faults)
    for name, value in entry.items():
        if name not in KEYS:
            faults.add(file, f"{key}.{name}", "unknown key", f"known: {', '.join(KEYS)}")
        elif not isinstance(value, KEYS[name]) or isinstance(value, bool):
            faults.add(file, f"{key}.{name}", "has the wrong type")
        elif isinstance(value, list) and not all(isinstance(code, str) and code for code in value):
            faults.add(file, f"{key}.{name}", "is no list of codes")
    for name in ("id", "kind", "severity", "text", "text_zh"):
        if name not in entry:
            faults.add(file, f"{key}.{name}", "is missing")
    if entry.get("kind") not in KINDS:
        faults.add(file, f"{key}.kind", f"unknown kind {entry.get('kind')!r}", f"write {', '.join(KINDS)}")
    if entry.get("severity") not in SEVERITIES:
        faults.add(file, f"{key}.severity", "unknown severity", f"write {', '.join(SEVERITIES)}")
    if len(faults) > before:
        return None
    kind = KINDS[entry["kind"]]
    for name in NEEDED[kind]:
        if name not in entry:
            faults.add(file, f"{key}.{name}", f"is missing for kind {entry['kind']}")
    if entry.get("sex", 1) not in (1, 2) or entry.get("system", "D") not in ("D", "P"):
        faults.add(file, key, "sex is 1 or 2, system D or P")
    if len(faults) > before:
        return None
    return Check(
        entry["id"], kind, SEVERITIES[entry["severity"]], entry["text"], entry["text_zh"],
        tuple(entry.get("diagnoses", ())), tuple(entry.get("procedures", ())), entry.get("sex", 0),
        entry.get("system", ""), (entry.get("age_years_min", 0), entry.get("age_years_max", MAX_AGE_YEARS)),
        (entry.get("age_days_min", 0), entry.get("age_days_max", 2**31 - 1)), evidence,
    )  # fmt: skip
