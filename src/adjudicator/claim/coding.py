"""Coding checks (病案审核) inside settlement: what a record's codes contradict, as warnings of the answer.

A finding never changes a group. It refuses a claim only where the pack gives the check the severity ``refuse``.
"""

from __future__ import annotations

import numpy as np

from adjudicator.claim.batch import Batch
from adjudicator.codes import GroupStatus
from adjudicator.errors import E, Problem
from adjudicator.grouping import coding
from adjudicator.grouping.coding_checks import CheckSeverity
from adjudicator.grouping.group import invalid_reason
from adjudicator.rules.bundle import Bundle


def check_claims(bundle: Bundle, batch: Batch) -> None:
    """Notes the findings of the claims that are grouped: ``batch.warnings``, or an error where the pack refuses.

    A record that cannot be grouped for want of a sex, an age or a birth weight is a warning as well.
    """
    if batch.codes is None:
        return
    for row in np.flatnonzero((batch.group_scheme >= 0) & (batch.groups["status"] == GroupStatus.INVALID)).tolist():
        problem = Problem(int(E.GROUPING_INVALID_RECORD), "", invalid_reason(batch.codes, row), warning=True)
        batch.warnings.setdefault(row, []).append(problem)
    if bundle.coding is None:
        return
    tables = batch.decoded.tables
    texts = coding.texts_of_wire(batch.heap, tables["diagnoses"], tables["procedures"])
    grouped = batch.group_scheme >= 0
    for number in np.unique(batch.claims["pack"][grouped]).tolist():
        rules = bundle.coding.by_pack[number]
        found = coding.check(rules, batch.codes, texts)
        for finding in found[grouped[found["record"]] & (batch.claims["pack"][found["record"]] == number)]:
            _note(batch, rules, finding, texts)


def _note(batch: Batch, rules: coding.CodingChecks, finding: np.void, texts: coding.CodeTexts) -> None:
    row, severity = int(finding["record"]), coding.severity_of(rules, finding)
    if severity == CheckSeverity.NOTE:
        return
    detail = coding.describe(rules, finding, batch.codes, texts)
    if severity == CheckSeverity.REFUSE and batch.claims["error"][row] == 0:
        batch.claims["error"][row] = int(E.CODING_CHECK_FAILED)
        batch.details[row] = detail
        return
    problem = Problem(int(E.CODING_CHECK_FAILED), coding.field_of(finding), detail, warning=True)
    batch.warnings.setdefault(row, []).append(problem)
