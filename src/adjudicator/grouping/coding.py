"""Runs the coding checks (病案审核) over a batch of records: findings with check, code and position.

A finding never changes a group. Whether a finding of severity ``refuse`` stops a claim is the pack's decision.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adjudicator.compiled.held import Held, hold
from adjudicator.errors import E, Problem
from adjudicator.grouping import coding_kernel as kernel
from adjudicator.grouping.coding_checks import Check, CheckSeverity, CodingChecks
from adjudicator.grouping.coding_kernel import CodeTexts
from adjudicator.grouping.layout import GroupColumns
from adjudicator.wire.codetable import CodeTable

CHECK = np.dtype(
    [
        ("kind", "i4"), ("sex", "i4"), ("system", "i4"),
        ("age_years_low", "i4"), ("age_years_high", "i4"), ("age_days_low", "i4"), ("age_days_high", "i4"),
    ],
    align=True,
)  # fmt: skip
FINDING = np.dtype([("record", "i8"), ("check", "i4"), ("system", "i4"), ("position", "i4")], align=True)
"""One failed check: record, position of the check in ``CodingChecks.checks``, system (0 D, 1 P, 2 person), position."""
SYSTEMS = ("diagnoses", "procedures")


def texts_of(diagnoses: Sequence[Sequence[str]], procedures: Sequence[Sequence[str]]) -> CodeTexts:
    """Code texts of Python lists, in the order of the flat arrays."""
    parts = [[code.encode() for codes in lists for code in codes] for lists in (diagnoses, procedures)]
    sizes = [np.array([len(code) for code in codes], "i8") for codes in parts]
    octets = np.frombuffer(b"".join(parts[0] + parts[1]), "u1")
    ends = np.cumsum(np.concatenate(sizes)).astype("i8")
    starts = ends - np.concatenate(sizes)
    count = len(parts[0])
    return CodeTexts(octets, starts[:count], sizes[0], starts[count:], sizes[1])


def texts_of_wire(heap: np.ndarray, diagnoses: np.ndarray, procedures: np.ndarray) -> CodeTexts:
    """Code texts of a decoded batch: its buffer and the tables ``diagnoses`` and ``procedures`` (start, size)."""
    return CodeTexts(
        heap, np.ascontiguousarray(diagnoses["start"], "i8"), np.ascontiguousarray(diagnoses["size"], "i8"),
        np.ascontiguousarray(procedures["start"], "i8"), np.ascontiguousarray(procedures["size"], "i8"),
    )  # fmt: skip


def check(rules: CodingChecks, columns: GroupColumns, texts: CodeTexts) -> np.ndarray:
    """Return FINDING rows of every failed check, in order of records. The code ids of ``columns`` are not read."""
    held, room = _compiled(rules), len(columns.sex) // 4 + 64
    while True:
        out = np.empty(room, FINDING)
        count = kernel.check_texts(held, columns, texts, out)
        if count <= room:
            return out[:count]
        room = count


def problems(rules: CodingChecks, findings: np.ndarray, columns: GroupColumns, texts: CodeTexts) -> list[Problem]:
    """Return a problem of number 7003 for each finding: field path, the code, and what the check says."""
    return [
        Problem(
            int(E.CODING_CHECK_FAILED),
            field_of(finding),
            describe(rules, finding, columns, texts, both=True),
            warning=severity_of(rules, finding) != CheckSeverity.REFUSE,
        )
        for finding in findings
    ]


def severity_of(rules: CodingChecks, finding: np.void) -> CheckSeverity:
    """Severity of the failed check."""
    failed: Check = rules.checks[finding["check"]]
    return failed.severity


def field_of(finding: np.void) -> str:
    """Field path of a finding, e.g. ``diagnoses[2]``."""
    if finding["system"] == kernel.PERSON:
        return "birth_weight_g"
    return f"{SYSTEMS[finding['system']]}[{finding['position']}]"


def describe(
    rules: CodingChecks, finding: np.void, columns: GroupColumns, texts: CodeTexts, both: bool = False,
    chinese: bool = False,
) -> str:  # fmt: skip
    """``N40.x00: only of male patients (male-only)``; ``chinese``: in Chinese; ``both``: that behind the English."""
    failed: Check = rules.checks[finding["check"]]
    text = f"{failed.text} / {failed.text_zh}" if both else failed.text
    if chinese:
        text = failed.text_zh
    if finding["system"] == kernel.PERSON:
        return f"{text} ({failed.id})"
    offsets = columns.diagnosis_offsets if finding["system"] == kernel.DIAGNOSIS else columns.procedure_offsets
    code = texts.code(int(finding["system"]), int(offsets[finding["record"]] + finding["position"]))
    return f"{code}: {text} ({failed.id})"


def _compiled(rules: CodingChecks) -> Held:
    if "compiled" not in rules.tables:
        rows = np.zeros(len(rules.checks), CHECK)
        for row, one in zip(rows, rules.checks, strict=True):
            row["kind"], row["sex"] = one.kind, one.sex
            row["system"] = kernel.PROCEDURE if one.system == "P" else kernel.DIAGNOSIS
            row["age_years_low"], row["age_years_high"] = one.age_years
            row["age_days_low"], row["age_days_high"] = one.age_days
        tables = [_beginnings([getattr(one, name) for one in rules.checks]) for name in SYSTEMS]
        rules.tables["compiled"] = hold(kernel.CheckRules(rows, *tables))
    compiled: Held = rules.tables["compiled"]
    return compiled


def _beginnings(lists: Sequence[Sequence[str]]) -> kernel.Beginnings:
    """Lengths that occur, table of all beginnings, and for each the checks that name it."""
    masks: dict[str, int] = {}
    for number, codes in enumerate(lists):
        for code in codes:
            masks[code] = masks.get(code, 0) | 1 << number
    lengths = np.array(sorted({len(code.encode()) for code in masks}), "i8")
    return kernel.Beginnings(lengths, CodeTable(list(masks)).arrays, np.array(list(masks.values()) or [0], "u8"))
