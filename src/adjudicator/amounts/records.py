"""What the kernels of a table of amounts read and write: one row a claim, every value a word of 8 bytes.

A row has the columns of ``CLAIM`` and ``SPLIT`` that the cascade reads, under the same names, so the stages take it as
the claim that they take in the service.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.columns import BENEFIT

AMOUNTS = np.dtype(
    [
        (name, "i8")
        for name in (
            # What was resolved against the bundle, as in CLAIM.
            "pack", "scheme", "person_type", "contribution_tier", "assistance", "care_kind", "place", "filing",
            "referral", "deductible_level", "disease", "ward", "programme", "maternity_type", "fetus_count",
            "age_years", "stay_days", "admission_date", "rule_date", "quota", "line_start", "line_end",
            "stay_row", "stay_row_over_years", "stay_charged_fen", "stay_charged_over_years_fen",
            "civil_servant", "family_doctor", "at_signed_institution", "suspended", "use_account", "chain_continues",
            "settled_at_counter",
            # Amounts. ``given_total_fen`` is what the table says, -1 nothing; ``total_fen`` is the sum of the parts.
            "given_total_fen", "total_fen", "account_current_fen", "account_past_fen", "account_family_fen",
            "hospital_borne_fen", "other_payer_fen", "chain_deductible_fen",
            # Parts of the total, as in SPLIT.
            "in_scope_fen", "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen",
            "copay_free_fen", "special_drug_fen", "special_self_paid_fen",
            # Number of the error table, 0 none.
            "error",
        )
    ]
)  # fmt: skip
"""One claim without lines."""

NONE = frozenset({"disease", "ward", "quota", "age_years", "given_total_fen"})
"""Words that are -1 where a table does not have them; the others are 0."""

PLAIN = np.dtype(
    [
        (name, "i8")
        for name in (
            "pack", "scheme", "person_type", "contribution_tier", "assistance", "care_kind", "deductible_level",
            "age_years", "stay_days", "rule_date", "given_total_fen", "in_scope_fen", "wholly_self_paid_fen",
            "over_ceiling_fen", "first_pay_fen",
        )
    ]
)  # fmt: skip
"""What most tables have: local care of people without a year before; anything else is 0 or none."""
ERROR = np.dtype([("error", "i8")])

ANSWER = np.dtype([(name, "i8") for name in BENEFIT.names or ()])
"""A row of BENEFIT whose last columns have 8 bytes too."""

COLUMN = np.dtype(
    [
        ("address", "u8"),  # of the first value
        ("form", "i8"),  # FORMS: how a value is kept
        ("first", "i8"), ("size", "i8"),  # entries of ``Table.meanings`` that the value is a place in; size -1: itself
        ("begin", "i8"), ("step", "i8"),  # its word of row j is begin + j * step
        ("least", "i8"), ("most", "i8"),
        ("below", "i8"), ("above", "i8"),  # error numbers
    ]
)  # fmt: skip
"""One column of a table that differs from row to row."""
FORMS: tuple[np.dtype[np.generic], ...] = tuple(np.dtype(form) for form in ("i1", "i2", "i4", "i8", "u1", "u2", "u4"))
RESULT = np.dtype([("address", "u8"), ("word", "i8"), ("more", "i8")])
"""One column of results, int64: a word of ``Scratch.answers``, with another one added (-1 none), or a word of YEAR."""
SEEN = np.dtype([(name, "i8") for name in ("pack", "scheme", "care", "place", "filing", "counter", "date", "row")])
"""What the last claim was, and the plan row that it has."""

BLOCK = 32
"""Rows that are priced together: their words and answers stay in the first cache."""


class Table(NamedTuple):
    """A table as the kernels take it."""

    columns: np.ndarray  # COLUMN[k]
    meanings: np.ndarray  # int64: what codes mean, one table after the other
    order: np.ndarray  # int64[n]: the rows in the order in which they are priced; empty: as they stand
    begins: np.ndarray  # uint8[n]: 1 where the row, in that order, is the first of a person's year; empty: each is
    errors: np.ndarray  # int64[n]: what is wrong with a row already; empty: nothing
    results: np.ndarray  # RESULT[m], words of ANSWER
    after: np.ndarray  # RESULT[q], words of YEAR
    rows: int
    counts: int  # 1 where a row has a year before it, or the year after it is asked for; else all years are empty
    with_rate: int  # 1 where ``pooled_rate_ppm`` is asked for


class Scratch(NamedTuple):
    """Memory of one call."""

    rows: np.ndarray  # AMOUNTS[BLOCK], or fewer of its columns; what is the same in all rows is filled in
    errors: np.ndarray  # ERROR[BLOCK]
    words: np.ndarray  # int64: the memory of ``rows`` and, behind it, of ``openings``
    openings: np.ndarray  # int64[BLOCK, accumulators]: years before; of no rows where all are empty
    answers: np.ndarray  # ANSWER[BLOCK], or fewer of its columns
    answer_words: np.ndarray  # int64[BLOCK, columns], the same memory
    numbers: np.ndarray  # int64[BLOCK]
    places: np.ndarray  # int64[BLOCK]: rows of the table
    years: np.ndarray  # YEAR[1]
    year_words: np.ndarray  # int64[accumulators], the same memory
    seen: np.ndarray  # SEEN[1]
    works: np.ndarray  # WORK[1], for its type
    full: np.ndarray  # ANSWER[1], for its type
