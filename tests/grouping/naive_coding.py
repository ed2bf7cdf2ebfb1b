"""Coding checks once more, one record at a time, with ``str.startswith``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adjudicator.grouping.coding_checks import Check, CheckKind
from tests.grouping.naive import Record


def naive_findings(checks: Sequence[Check], record: Record) -> Iterator[tuple[str, str]]:
    """Field and check id of everything that fails."""
    for check in checks:
        for field in _fields(check, record):
            yield field, check.id


def _fields(check: Check, record: Record) -> list[str]:
    diagnoses = _matching("diagnoses", record.diagnoses, check.diagnoses)
    procedures = _matching("procedures", record.procedures, check.procedures)
    if check.kind == CheckKind.SEX:
        return diagnoses + procedures if record.sex in (1, 2) and record.sex != check.sex else []
    if check.kind == CheckKind.AGE:
        years, days = record.age_years, record.age_days
        fits_years = years is None or check.age_years[0] <= years <= check.age_years[1]
        fits_days = days is None or check.age_days[0] <= days <= check.age_days[1]
        return [] if fits_years and fits_days else diagnoses + procedures
    if check.kind == CheckKind.NOT_PRINCIPAL:
        return [field for field in diagnoses if field == "diagnoses[0]"]
    if check.kind == CheckKind.DUPLICATE:
        name, codes = ("diagnoses", record.diagnoses) if check.system == "D" else ("procedures", record.procedures)
        return [f"{name}[{position}]" for position, code in enumerate(codes) if code in codes[:position]]
    if check.kind == CheckKind.PROCEDURE_NEEDS_DIAGNOSIS:
        return [] if diagnoses else procedures
    assert check.kind == CheckKind.NEWBORN_WEIGHT
    young = record.age_years == 0 and record.age_days is not None and record.age_days <= check.age_days[1]
    return ["birth_weight_g"] if young and not record.birth_weight_g else []


def _matching(name: str, codes: Sequence[str], beginnings: tuple[str, ...]) -> list[str]:
    return [f"{name}[{position}]" for position, code in enumerate(codes) if code.startswith(beginnings or ("\0",))]
