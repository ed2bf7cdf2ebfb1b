"""Further answer columns of grouped files: traces, and coding checks that failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from adjudicator.grouping import coding
from adjudicator.grouping.coding_checks import CodingChecks, load_checks
from adjudicator.grouping.coding_kernel import CodeTexts
from adjudicator.grouping.layout import GroupColumns
from adjudicator.grouping.scheme.load import Scheme
from adjudicator.grouping.trace import trace_records

SEPARATOR = "; "


def trace_texts(scheme: Scheme, columns: GroupColumns, groups: np.ndarray, translate: bool) -> list[str]:
    """One text for each record: its trace lines, joined."""
    return [SEPARATOR.join(lines) for lines in trace_records(scheme, columns, groups, translate)]


def problem_texts(rules: CodingChecks, columns: GroupColumns, texts: CodeTexts) -> list[str]:
    """One text for each record: what failed, joined; empty where nothing did."""
    found: list[list[str]] = [[] for _ in range(columns.count)]
    for finding in coding.check(rules, columns, texts):
        severity = coding.severity_of(rules, finding).name.lower()
        text = coding.describe(rules, finding, columns, texts)
        found[finding["record"]].append(f"{severity} {coding.field_of(finding)}: {text}")
    return [SEPARATOR.join(texts) for texts in found]


def checks_from(path: str) -> CodingChecks:
    """Return the shipped checks, with a file's or pack folder's changes where one is named."""
    return load_checks(Path(path) if path else None)


Notes = Callable[[GroupColumns, np.ndarray, Callable[[], CodeTexts]], list[list[str]]]


def notes_of(scheme: Scheme, translate: bool, trace: bool, checks: str | None) -> tuple[tuple[str, ...], Notes]:
    """Names of the further columns, and what fills them for a block."""
    rules = None if checks is None else checks_from(checks)

    def notes(columns: GroupColumns, groups: np.ndarray, texts: Callable[[], CodeTexts]) -> list[list[str]]:
        parts = []
        if trace:
            parts.append(trace_texts(scheme, columns, groups, translate))
        if rules is not None:
            parts.append(problem_texts(rules, columns, texts()))
        return parts

    names = (("trace",) if trace else ()) + (("problems",) if rules is not None else ())
    return names, notes
