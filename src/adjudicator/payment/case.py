"""One claim as the formulas of payment see it, and the marks that they leave on its result.

A formula is a compiled function ``formula(rules, codes, case, table, due)``: the tables of the bundle
(``payment.tables.Tables``), the ids of diagnoses and procedures, the claim, the row of the table that the method names
(-1 none) and the row of PAYMENT to fill in. It writes ``due_fen``, and points and value where it has them, and returns
``PAID``; where it cannot pay it writes ``error``. A formula that pays DRG points returns what part of them instead, in
ppm: they are priced once, behind the choice of the formula, because each place that prices them is compiled with all
that encloses it. ``method`` and ``by_item_fen`` are filled in before it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.errors import E

UNVERIFIED_METHOD = 1
UNVERIFIED_POINTS = 2
UNVERIFIED_COEFFICIENT = 4
UNVERIFIED_UNUSUAL = 8
UNVERIFIED_VALUE = 16
UNVERIFIED_BED_DAY = 32
UNVERIFIED_PACKAGE = 64
UNVERIFIED_SUPPORT = 128

PAID = -1
"""What a formula returns that leaves nothing to be priced in DRG points."""

NO_METHOD = int(E.NO_PAYMENT_METHOD)
GROUP_WITHOUT_POINTS = int(E.GROUP_WITHOUT_POINTS)
HOSPITAL_WITHOUT_COEFFICIENT = int(E.HOSPITAL_WITHOUT_COEFFICIENT)
NO_POINT_VALUE = int(E.NO_POINT_VALUE)
NO_BED_DAY_RATE = int(E.NO_BED_DAY_RATE)
UNDEFINED = int(E.PAYMENT_RULE_UNDEFINED)


class DecidingDate(IntEnum):
    """The day whose rules hold for a claim."""

    SETTLEMENT = 0
    DISCHARGE = 1
    ADMISSION = 2


class Case(NamedTuple):
    """A claim with what was found out about it before its formula is called."""

    claim: Any
    """Row of CLAIM; the next three are rows of SPLIT, BENEFIT and GROUP."""
    split: Any
    benefit: Any
    group: Any
    row: int
    """Position in the batch: the row of the offsets of ``ClaimCodes``."""
    epoch: int
    """Row of the rules that hold, -1 none."""
    rank: int
    """Payment class of the hospital, 0 the highest, -1 none."""
    month: int
    """Row of the provisional point values of the month of settlement, -1 none."""
    contract: bool
    """Whether the person is signed with an institution that has a capitation contract."""
    clearing_fen: int
    """What the funds that clearing replaces pay by item."""
    others_fen: int
    """What the person and the other funds pay."""


class ClaimCodes(NamedTuple):
    """Ids of diagnoses and procedures in the code tables of the claim's scheme; empty where no rule asks for them."""

    diagnosis_offsets: np.ndarray
    diagnoses: np.ndarray
    procedure_offsets: np.ndarray
    procedures: np.ndarray


Formula = Callable[[Any, ClaimCodes, Case, int, Any], int]
NumberedFormula = Callable[[int, Any, ClaimCodes, Case, int, Any], int]


@uncounted_inlined
def no_method(rules: Any, codes: ClaimCodes, case: Case, table: int, due: Any) -> int:
    """Refuse a claim that no method takes."""
    due.error = NO_METHOD
    return PAID


def choose(formulas: Mapping[int, Formula], otherwise: Formula) -> NumberedFormula:
    """Return a compiled function that calls the formula of a number, or ``otherwise`` where the number has none.

    The functions are taken into one chain of comparisons, which the compiler turns into a jump.
    """

    @uncounted_inlined
    def last(number: int, rules: Any, codes: ClaimCodes, case: Case, table: int, due: Any) -> int:
        return otherwise(rules, codes, case, table, due)

    chain: NumberedFormula = last
    for formula in dict.fromkeys(formulas.values()):
        chain = _link(tuple(int(number) for number, own in formulas.items() if own is formula), formula, chain)
    return chain


def _link(numbers: tuple[int, ...], formula: Formula, following: NumberedFormula) -> NumberedFormula:
    """Put a formula before a chain; it is compiled once, however many numbers choose it."""
    chosen = np.uint64(sum(1 << number for number in numbers))

    @uncounted_inlined
    def call(number: int, rules: Any, codes: ClaimCodes, case: Case, table: int, due: Any) -> int:
        if (chosen >> np.uint64(number)) & np.uint64(1) != 0:
            share_ppm = formula(rules, codes, case, table, due)
        else:
            share_ppm = following(number, rules, codes, case, table, due)
        return share_ppm

    return call
