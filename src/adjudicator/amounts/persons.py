"""The order in which rows are priced, those of a person's year together; the disease quotas that they share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from adjudicator.amounts.codes import Codes
from adjudicator.amounts.days import Days
from adjudicator.amounts.given import Given
from adjudicator.amounts.words import Varying, Words
from adjudicator.claim.state import quota_key
from adjudicator.claim.years import period_of
from adjudicator.columns import QUOTA
from adjudicator.errors import AdjudicatorError, E, Problem
from adjudicator.options import QuotaPeriod
from adjudicator.rulefile.pack import Disease

_NO_ROWS = np.zeros(0, np.int64)
_NO_BEGINS = np.zeros(0, np.uint8)


class Order(NamedTuple):
    """How the rows of a pack are priced."""

    rows: np.ndarray
    """int64[k]: rows of the table in their order; empty: all, as they stand."""
    begins: np.ndarray
    """uint8[k]: 1 where, in that order, a person's year begins; empty: at every row."""
    quotas: np.ndarray
    """QUOTA[q]: disease quotas that several rows use."""


def order_of(person: Given | None, words: Words, days: Days, codes: Codes, rows: np.ndarray | None) -> Order:
    """Return the order of the rows; ``rows`` are those of the pack, None all.

    The rows of a person's year stand in order of settlement date, admission date and row. Where no person has two
    rows, there is nothing to order.
    """
    none = np.zeros(0, QUOTA)
    if person is None:
        return Order(_NO_ROWS if rows is None else rows, _NO_BEGINS, none)
    numbers = _numbers(person, words)
    if not person.is_same and np.bincount(numbers).max(initial=0) <= 1:
        return Order(_NO_ROWS if rows is None else rows, _NO_BEGINS, none)
    benefit = codes.bundle.benefit
    years = days.year(int(benefit.benefit_year[codes.number]), int(benefit.year_begins[codes.number]))
    wanted: list[np.ndarray] = [numbers, years, words.all_rows("scheme"), days.settled, days.admitted]
    keys = [np.broadcast_to(key, words.rows) for key in wanted]
    if rows is not None:
        keys = [key[rows] for key in keys]
    order = _NO_ROWS
    if not _is_ordered(keys):
        order = np.lexsort([key for key, of in zip(keys, wanted, strict=True) if of.size > 1][::-1] or [keys[0]])
        keys = [key[order] for key in keys]
    begins = np.ones(len(keys[0]), np.uint8)
    same = np.ones(max(len(begins) - 1, 0), np.bool_)
    for key in keys[:3]:
        same &= key[1:] == key[:-1]
    begins[1:] = ~same
    if rows is not None:
        order = rows[order] if len(order) else rows
    return Order(order, begins, _quotas(words, codes, order, begins))


def _numbers(person: Given, words: Words) -> np.ndarray:
    """Return a number for each person. Errors: E.MISSING_PERSON of rows without one."""
    if person.is_same:
        if person.missing is not None or person.texts == [""]:
            raise AdjudicatorError(Problem(int(E.MISSING_PERSON), person.name))
        return np.zeros(1, np.int64)
    values = person.values
    if person.texts is None:
        values = pa.array(values).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    elif len(set(person.texts)) != len(person.texts):
        known = {text: number for number, text in enumerate(person.texts)}
        values = np.array([known[text] for text in person.texts], np.int64)[values]
    missing = person.missing if person.missing is not None else np.zeros(len(values), np.bool_)
    if person.texts is not None and "" in person.texts:
        missing = missing | (person.values == person.texts.index(""))
    words.add_errors(np.where(missing, int(E.MISSING_PERSON), 0))
    numbers: np.ndarray = values.astype(np.int64, copy=False)
    if missing.any():  # each is a person of its own, so that no year takes another's row
        numbers = np.where(missing, int(numbers.max(initial=0)) + 1 + np.cumsum(missing), numbers)
    return numbers


def _is_ordered(keys: list[np.ndarray]) -> bool:
    """Return whether rows stand in the order of the keys, the first of which counts most."""
    ordered = np.ones(max(len(keys[0]) - 1, 0), np.bool_)
    for key in reversed(keys):
        if key.strides != (0,):
            ordered = (key[1:] > key[:-1]) | ((key[1:] == key[:-1]) & ordered)
    return bool(ordered.all())


def _quotas(words: Words, codes: Codes, order: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Return QUOTA[q] and set the word ``quota`` of the rows whose disease has a quota of a period."""
    diseases = codes.pack.diseases
    places = words.all_rows("disease") if "disease" in words.varying or words.same.get("disease", -1) >= 0 else _NO_ROWS
    if not places.size or all(disease.period == QuotaPeriod.NONE for disease in diseases):
        return np.zeros(0, QUOTA)
    rows = order if len(order) else np.arange(words.rows)
    listed = np.broadcast_to(places, words.rows)[rows]
    dates = np.broadcast_to(words.all_rows("rule_date"), words.rows)[rows]
    named, which = np.unique(np.maximum(listed, 0) << 32 | dates, return_inverse=True)
    keys = np.array([_key(diseases, one >> 32, one & 0xFFFFFFFF) for one in named.tolist()], np.uint64)[which]
    used = np.flatnonzero((listed >= 0) & (keys != 0))
    if not used.size:
        return np.zeros(0, QUOTA)
    years = np.cumsum(begins.astype(np.int64))
    _, key_numbers = np.unique(keys[used], return_inverse=True)
    pairs, numbers = np.unique(years[used] << 24 | key_numbers, return_inverse=True)
    quota = np.full(words.rows, -1, np.int64)
    quota[rows[used]] = numbers
    words.varying["quota"] = Varying(quota, None, -1, len(pairs), E.INTERNAL, E.INTERNAL)
    return np.zeros(len(pairs), QUOTA)


def _key(diseases: tuple[Disease, ...], place: int, date: int) -> int:
    disease = diseases[place]
    return quota_key(disease.code, period_of(date, disease.period)) if disease.period != QuotaPeriod.NONE else 0
