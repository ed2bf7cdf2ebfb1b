"""Answers in one compiled call: the tables of the answer message are filled, checked and encoded.

The texts of problems, which few answers have, are made before and come with the call.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.claim.assemble import OK, Amounts, Answers, Facts, Texts, Wanted, WireTables, assemble
from adjudicator.claim.batch import SETTLEMENT_SCHEMA
from adjudicator.claim.problems import ProblemTexts
from adjudicator.compiled.held import Held, hold
from adjudicator.compiled.jit import kernel, uncounted_inlined
from adjudicator.payers import ROW_COUNT
from adjudicator.wire.encode_tables import encode_tables, place_tables

_SCHEMA = SETTLEMENT_SCHEMA
_ROOT, _LINES, _FUNDS, _GROUPING, _PAYMENT, _PROBLEMS = (
    _SCHEMA.index[path] for path in ("", "lines", "funds", "grouping", "payment", "problems")
)
_TABLES = len(_SCHEMA.paths)
_ROW_BYTES = _SCHEMA.row_bytes
SETTLEMENT, LINE, FUND, GROUPING, PAYMENT, PROBLEM_ROW = (
    _SCHEMA.dtypes[number] for number in (_ROOT, _LINES, _FUNDS, _GROUPING, _PAYMENT, _PROBLEMS)
)
"""Rows of the tables."""
_EMPTY = _SCHEMA.allocate({path: 1 for path in _SCHEMA.paths})
_EMPTY_SETTLEMENT, _EMPTY_GROUPING, _EMPTY_PAYMENT = (
    _EMPTY[path].view(np.int64).copy() for path in ("", "grouping", "payment")
)


class AnswerRules(NamedTuple):
    """What the kernel reads of a bundle and of the message."""

    texts: Texts
    static_heap: np.ndarray
    fields: np.ndarray  # as WireSchema; the next as well
    tables: np.ndarray
    order: np.ndarray


NO_PROBLEMS = ProblemTexts(np.zeros(0, PROBLEM_ROW), np.zeros(0, np.int64), np.zeros(0, np.int64))
"""The problems of answers that have none."""


def answer_rules(texts: Texts, static_heap: np.ndarray) -> Held:
    """Return what the kernel reads of a bundle and of the message."""
    return hold(AnswerRules(texts, static_heap, _SCHEMA.fields, _SCHEMA.tables, _SCHEMA.order))


@uncounted_inlined
def _place_tables(claims: np.ndarray, rows: np.ndarray, problems: int, counts: np.ndarray, bases: np.ndarray) -> int:
    """Write rows and first byte of each table; returns the words of all."""
    lines = 0
    for k in range(rows.shape[0]):
        claim = claims[np.uint64(rows[k])]
        lines += np.int64(claim.line_end) - np.int64(claim.line_start)
    counts[:] = rows.shape[0]
    counts[_LINES], counts[_FUNDS], counts[_PROBLEMS] = lines, ROW_COUNT * rows.shape[0], problems
    return place_tables(counts, _ROW_BYTES, bases)


@uncounted_inlined
def _empty_rows(words: np.ndarray, base: int, count: int, empty: np.ndarray) -> None:
    """Write empty rows from a byte on."""
    at = np.uint64(base // 8)
    for _ in range(count):
        for word in range(empty.shape[0]):
            words[at] = empty[np.uint64(word)]
            at += np.uint64(1)


@uncounted_inlined
def _first_broken(identities: np.ndarray) -> int:
    """Return the first broken identity, OK where all hold."""
    broken = OK
    for k in range(identities.shape[0]):
        if broken == OK:
            broken = identities[k]
    return broken


@kernel
def write_answers(
    held: Held, wanted: Wanted, wire: WireTables, facts: Facts, amounts: Amounts, problems: ProblemTexts
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the answers that are wanted, one behind the other, and int64[k + 1] where each begins.

    And the first identity of the national result that is broken, ``assemble.OK`` where all hold. The last offset is -1
    where a text lies outside its heap.
    """
    rules, rows = held.it, wanted.rows
    count = rows.shape[0]
    counts, bases = np.empty(_TABLES, np.int64), np.empty(_TABLES, np.int64)
    words = np.empty(_place_tables(facts.claims, rows, problems.rows.shape[0], counts, bases), np.int64)
    octets = words.view(np.uint8)
    _empty_rows(words, bases[_ROOT], count, _EMPTY_SETTLEMENT)
    _empty_rows(words, bases[_GROUPING], count, _EMPTY_GROUPING)
    _empty_rows(words, bases[_PAYMENT], count, _EMPTY_PAYMENT)
    width = _ROW_BYTES[_ROOT]
    first = bases[_ROOT]
    answers = octets[first : first + count * width].view(SETTLEMENT)
    identities = np.zeros(count, np.int32)
    out = Answers(
        answers, words[first // 8 : (first + count * width) // 8].reshape(count, width // 8),
        octets[bases[_LINES] : bases[_LINES] + counts[_LINES] * _ROW_BYTES[_LINES]].view(LINE),
        octets[bases[_FUNDS] : bases[_FUNDS] + counts[_FUNDS] * _ROW_BYTES[_FUNDS]].view(FUND),
        octets[bases[_GROUPING] : bases[_GROUPING] + count * _ROW_BYTES[_GROUPING]].view(GROUPING),
        octets[bases[_PAYMENT] : bases[_PAYMENT] + count * _ROW_BYTES[_PAYMENT]].view(PAYMENT), identities,
    )  # fmt: skip
    assemble(wanted, wire, facts, amounts, rules.texts, out)
    if problems.rows.shape[0] > 0:
        table = octets[bases[_PROBLEMS] :]
        table[: problems.rows.shape[0] * _ROW_BYTES[_PROBLEMS]] = problems.rows.view(np.uint8)
        for k in range(count):
            answers[k].problems_start, answers[k].problems_end = problems.starts[k], problems.ends[k]
    encoded, offsets = encode_tables(rules, counts, bases, words, wire.heap, rules.static_heap)
    return encoded, offsets, _first_broken(identities)
