"""Problems of claims: from the numbers that kernels note to values with a field path, and to rows of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adjudicator import limits
from adjudicator.claim.fields import FIELDS
from adjudicator.claim.ids import ID_LIMITS
from adjudicator.claim.incoming import Incoming
from adjudicator.claim.received import received
from adjudicator.claim.unreadable import unreadable
from adjudicator.errors import E, Problem
from adjudicator.grouping.group import describe
from adjudicator.rulefile.pack import Pack
from adjudicator.rules.bundle import Bundle

_LIMITS: dict[int, int] = {
    int(E.AMOUNT_OUT_OF_RANGE): limits.MAX_AMOUNT_FEN,
    int(E.TOO_MANY_LINES): limits.MAX_LINES_PER_CLAIM,
    int(E.TOO_MANY_CODES): limits.MAX_DIAGNOSES_PER_CLAIM,
    int(E.AGE_OUT_OF_RANGE): limits.MAX_AGE_YEARS,
}

_FIELDS: dict[int, str] = {
    int(E.INVALID_ACCUMULATOR): "accumulators",
    int(E.UNKNOWN_ASSISTANCE_CATEGORY): "other_assistance_categories",
}
"""Fields of what a stage after resolving refuses."""
_LINE_FIELDS: dict[int, str] = {
    int(E.UNKNOWN_ITEM): "item_code",
    int(E.ITEM_NOT_VALID_ON_DATE): "fee_date",
    int(E.REFUND_EXCEEDS_ORIGINAL): "amount_fen",
}
"""The same for a fee line."""


def found_in(incoming: Incoming, rows: np.ndarray, row: int) -> list[Problem]:
    """Return the problems of the PROBLEM rows of one claim, with the values that were received."""
    return [_problem(incoming, entry, row) for entry in rows]


def _problem(incoming: Incoming, entry: np.void, row: int) -> Problem:
    number, field = int(entry["number"]), FIELDS[int(entry["field"])]
    if number == E.MALFORMED_MESSAGE:
        return unreadable(incoming.message(row))
    path = field.replace("[]", f"[{int(entry['line'])}]")
    detail = str(_LIMITS.get(number, ""))
    if number == E.ID_TOO_LONG:
        detail = str(ID_LIMITS[field])
    elif number == E.SETTLED_IN_FUTURE:
        detail = str(incoming.latest)
    return Problem(number, path, detail, value=received(incoming, row, path))


class Detail(NamedTuple):
    """What a refusal is about, in both languages; one text where it is a code, a number or the name of a field."""

    en: str = ""
    zh: str = ""


NO_DETAIL = Detail()
UNDEFINED_CELL = Detail(
    "no value for this person group, hospital level, place, filing or channel",
    "该人群、医院级别、就医地、备案类别或结算方式没有规定值",
)
UNDEFINED_ITEM = Detail("no catalogue value for one of the lines", "有费用明细在目录中没有规定值")


def undefined_rule(pack: Pack, claim: np.void) -> Detail:
    """Return what the documents leave open for a claim that no rule prices, in the words of the pack.

    A pack that says it in one language only is quoted in the other one by the name of its plan.
    """
    for plan in pack.plans:
        if (
            plan.undefined
            and plan.scheme == claim["scheme"]
            and claim["care_kind"] in plan.care
            and claim["place"] in plan.places
            and plan.from_date <= claim["rule_date"] <= plan.to_date
        ):
            return Detail(plan.undefined, plan.undefined_zh or f"方案“{plan.name_zh}”")
    return UNDEFINED_CELL


def unpaid(bundle: Bundle, number: int, claim: np.void, group: np.void, grouping: int) -> str:
    """Return what a payment problem is about: the group, or the month; "" where it is the institution.

    ``claim`` CLAIM, ``group`` GROUP; ``grouping``: the scheme of the bundle that grouped it, -1 none.
    """
    if number == E.GROUP_WITHOUT_POINTS and grouping >= 0:
        return describe(bundle.schemes[grouping], group)[2]
    if number == E.NO_POINT_VALUE:
        return str(int(claim["settlement_date"]) // 100)
    return ""


def collect(
    incoming: Incoming, row: int, found: Sequence[Problem], claim: np.void, detail: Detail = NO_DETAIL,
    noted: Sequence[Problem] = (),
) -> list[Problem]:  # fmt: skip
    """Return all problems of one claim, the decisive one first: those of resolving, then those of later stages.

    ``claim`` is the row of CLAIM as far as it went; ``noted`` are warnings, and what a pack refuses among doubts.
    """
    problems = [*found, *(problem for problem in noted if not problem.warning)]
    error, line = int(claim["error"]), int(claim["error_line"])
    if error and all(problem.number not in (error, E.NOT_UTF8) for problem in problems):
        path = _FIELDS.get(error, "")
        if line >= 0:
            path = ".".join(part for part in (f"lines[{line}]", _LINE_FIELDS.get(error, "")) if part)
        if error == E.RULE_UNDEFINED and not detail.en:
            detail = UNDEFINED_ITEM
        english = detail.en or str(_LIMITS.get(error, ""))
        problems.append(Problem(error, path, english, value=received(incoming, row, path), detail_zh=detail.zh))
    problems.sort(key=lambda problem: problem.number)
    return [*problems, *(problem for problem in noted if problem.warning)]


class ProblemTexts(NamedTuple):
    """The problems of the answers: answer i has the rows ``starts[i]`` to ``ends[i]``; all empty where none has any."""

    rows: np.ndarray  # claim.answer_kernel.PROBLEM_ROW
    starts: np.ndarray  # int64[k]
    ends: np.ndarray  # int64[k]


def fill_table(by_row: dict[int, list[Problem]], out: ProblemTexts, heap_size: int) -> bytes:
    """Write the problems of answers (row -> problems) into ``out``; return the bytes of their texts.

    ``out.rows`` has as many rows as there are problems; texts start at ``heap_size`` of the heap they are appended to.
    """
    table = out.rows
    texts = bytearray()
    position = 0
    for row in sorted(by_row):
        out.starts[row] = position
        for problem in by_row[row]:
            parts = (problem.row.code, problem.field, problem.message, problem.message_zh)
            for column, text in zip(("code", "field", "message", "message_zh"), parts, strict=True):
                encoded = text.encode()
                table[f"{column}_start"][position] = heap_size + len(texts)
                table[f"{column}_size"][position] = len(encoded)
                texts += encoded
            table["warning"][position] = problem.warning
            position += 1
        out.ends[row] = position
    return bytes(texts)
