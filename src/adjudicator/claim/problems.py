"""Problems of claims: from the numbers that kernels note to values with a field path, and to rows of the answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adjudicator import limits
from adjudicator.claim.fields import FIELDS
from adjudicator.errors import E, Problem
from adjudicator.rulefile.pack import Pack

_LIMITS: dict[int, int] = {
    int(E.ID_TOO_LONG): limits.MAX_ID_BYTES,
    int(E.AMOUNT_OUT_OF_RANGE): limits.MAX_AMOUNT_FEN,
    int(E.TOO_MANY_LINES): limits.MAX_LINES_PER_CLAIM,
    int(E.TOO_MANY_CODES): limits.MAX_DIAGNOSES_PER_CLAIM,
    int(E.AGE_OUT_OF_RANGE): limits.MAX_AGE_YEARS,
}

_FIELDS: dict[int, str] = {int(E.INVALID_ACCUMULATOR): "accumulators"}
"""Fields of what a stage after resolving refuses."""


def from_row(row: np.void) -> Problem:
    """Return the problem of one PROBLEM row."""
    number, line = int(row["number"]), int(row["line"])
    path = FIELDS[int(row["field"])].replace("[]", f"[{line}]")
    return Problem(number, path, str(_LIMITS.get(number, "")))


def undefined_rule(pack: Pack, claim: np.void) -> str:
    """Return what the documents leave open for a claim that no rule prices, in the words of the pack."""
    for plan in pack.plans:
        if (
            plan.undefined
            and plan.scheme == claim["scheme"]
            and claim["care_kind"] in plan.care
            and claim["place"] in plan.places
            and plan.from_date <= claim["rule_date"] <= plan.to_date
        ):
            return str(plan.undefined)
    return "no value for this person group, hospital level, place or filing"


def collect(
    found: np.ndarray, claim: np.void, row: int, detail: str = "", warnings: Sequence[Problem] = ()
) -> list[Problem]:
    """Return all problems of one claim, the decisive one first: those of resolving, then those of later stages.

    ``found`` PROBLEM of the batch; ``claim`` CLAIM, the claim of ``row`` as far as it went.
    """
    problems = [from_row(entry) for entry in found[found["claim"] == row]]
    error, line = int(claim["error"]), int(claim["error_line"])
    if error and all(problem.number != error for problem in problems):
        path = f"lines[{line}]" if line >= 0 else _FIELDS.get(error, "")
        problems.append(Problem(error, path, detail or str(_LIMITS.get(error, ""))))
    problems.sort(key=lambda problem: problem.number)
    return [*problems, *warnings]


def fill_table(by_row: dict[int, list[Problem]], answers: np.ndarray, table: np.ndarray, heap_size: int) -> bytes:
    """Write the problems of answers (row -> problems) into the answer tables; return the bytes of their texts.

    ``table`` has as many rows as there are problems; texts start at ``heap_size`` of the heap they are appended to.
    """
    texts = bytearray()
    position = 0
    for row in sorted(by_row):
        answers["problems_start"][row] = position
        for problem in by_row[row]:
            parts = (problem.row.code, problem.field, problem.message, problem.message_zh)
            for column, text in zip(("code", "field", "message", "message_zh"), parts, strict=True):
                encoded = text.encode()
                table[f"{column}_start"][position] = heap_size + len(texts)
                table[f"{column}_size"][position] = len(encoded)
                texts += encoded
            table["warning"][position] = problem.warning
            position += 1
        answers["problems_end"][row] = position
    return bytes(texts)
