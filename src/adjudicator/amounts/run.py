"""One call of ``price_columns``: what its columns mean, the order of its rows, and the kernel that prices them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from adjudicator.amounts import persons
from adjudicator.amounts.codes import Code, Codes, table_of
from adjudicator.amounts.days import Days, days_of
from adjudicator.amounts.fields import AFTER, BEFORE, LEVELS, PERSON, PLAIN_FIELDS, RESULTS
from adjudicator.amounts.given import Given
from adjudicator.amounts.kernel import kernel_over, price_any, price_plain
from adjudicator.amounts.records import (
    AMOUNTS,
    ANSWER,
    BLOCK,
    COLUMN,
    ERROR,
    FORMS,
    NONE,
    PLAIN,
    RESULT,
    SEEN,
    Scratch,
    Table,
)
from adjudicator.amounts.words import Varying, Words
from adjudicator.benefit.plan.keys import PLAN
from adjudicator.benefit.records import WORK, YEAR
from adjudicator.benefit.tables import Claims
from adjudicator.claim.lookup import INPATIENT_KINDS
from adjudicator.codes import Channel, Filing
from adjudicator.columns import ACCUMULATOR_COUNT, CLAIM, QUOTA, SLOT, SPLIT
from adjudicator.errors import AdjudicatorError, E, Problem
from adjudicator.limits import MAX_AMOUNT_FEN
from adjudicator.rules.bundle import Bundle


class Call(NamedTuple):
    """What a call was given."""

    bundle: Bundle
    given: dict[str, Given]
    rows: int
    out: dict[str, np.ndarray]
    """int64[rows] for every result, ``error`` among them."""
    specialise: bool


def run(call: Call) -> None:
    """Price a table. Errors: those of what is wrong in all rows."""
    if not call.rows:
        return
    for number, rows in _packs(call):
        codes = Codes(call.bundle, number)
        words = _words(call, codes)
        days = _days(call, codes)
        _put_days(call, codes, words, days)
        order = persons.order_of(call.given.get(PERSON), words, days, codes, rows)
        _price(call, codes, words, order)


def _packs(call: Call) -> Iterator[tuple[int, np.ndarray | None]]:
    """Yield the packs of a table with their rows, None for all. Errors: E.INPUT_COLUMN, E.UNKNOWN_AREA."""
    packs = len(call.bundle.packs)
    area = call.given.get("insured_area")
    if packs == 1:
        yield 0, None
        return
    if area is None:
        raise AdjudicatorError(Problem(int(E.INPUT_COLUMN), "insured_area", "insured_area"))
    code = Code("", lambda text: _pack_of(call.bundle, text), E.UNKNOWN_AREA, least=0)
    table = table_of(code, area.name, area.texts, area.values)
    found = table[np.clip(area.values.astype(np.int64, copy=False), 0, len(table) - 1)]
    found = np.maximum(found, 0)  # an unknown area gets its error in the first pack
    if area.is_same:
        yield int(found[0]), None
        return
    for number in np.unique(found).tolist():
        yield number, np.flatnonzero(found == number)


def _pack_of(bundle: Bundle, text: str) -> int:
    pack = bundle.pack_of_area(text) if text.isdigit() else None
    return -1 if pack is None else bundle.packs.index(pack)


# ---------------------------------------------------------------- columns to words


def _words(call: Call, codes: Codes) -> Words:
    """Return the words of all columns but dates and persons."""
    words = Words(codes.number, call.rows)
    for name, plain in PLAIN_FIELDS.items():
        column = call.given.get(name)
        if column is not None:
            column = _without_missing(words, column, is_amount=name.endswith("_fen"))
            words.put(plain.word, column, Varying(column.values, None, 0, plain.most, _below(name), plain.above))
    chosen = next(name for name in LEVELS if name in call.given)
    for name, code in codes.codes.items():
        column = call.given.get(name)
        if column is not None and (name not in LEVELS or name == chosen):
            words.put(code.word, column, _coded(column, code))
    if chosen == "institution_code" and "care_area" not in call.given:
        column = call.given[chosen]
        place = Code("place", codes.place_of_hospital, E.UNKNOWN_INSTITUTION, empty=0)
        varying = _coded(column, place)
        if column.is_same or (varying.table is not None and varying.table.any()):
            words.put("place", column, varying)
    for name, column in call.given.items():
        if name.startswith(BEFORE):
            column = _without_missing(words, column, is_amount=False)
            varying = Varying(column.values, None, 0, MAX_AMOUNT_FEN, E.INVALID_ACCUMULATOR, E.INVALID_ACCUMULATOR)
            slot = SLOT[name.removeprefix(BEFORE)]
            if column.is_same:
                words.put(name, column, varying)
                words.openings[slot] = words.same.pop(name)
            else:
                words.openings[slot] = varying
    return words


def _below(name: str) -> E:
    return E.NEGATIVE_AMOUNT if name.endswith("_fen") else E.INVALID_CODE_VALUE


def _without_missing(words: Words, column: Given, is_amount: bool) -> Given:
    """Return a column whose missing values are 0; of an amount they are an error. Errors: E.MISSING_VALUE."""
    if column.missing is None:
        return column
    if is_amount and column.is_same:
        raise AdjudicatorError(Problem(int(E.MISSING_VALUE), column.name))
    if is_amount:
        words.add_errors(np.where(column.missing, int(E.MISSING_VALUE), 0))
    return column._replace(values=np.where(column.missing, column.values.dtype.type(0), column.values), missing=None)


def _coded(column: Given, code: Code) -> Varying:
    table = table_of(code, column.name, column.texts, column.values)
    values = column.values
    if column.missing is not None:
        values = np.where(column.missing, len(table) - 1, values.astype(np.int64, copy=False))
    else:
        table = table if column.is_same or len(table) == 1 else table[:-1]
    return Varying(values, table, code.least if code.empty != -1 else -1, code.most, code.error, code.error)


def _days(call: Call, codes: Codes) -> Days:
    """Return the dates of all rows; a discharge that the table does not have is the day of settlement."""
    given = call.given
    columns = {name: _filled(given[name], 0) for name in ("settlement_date", "admission_date")}
    discharged = columns["settlement_date"]
    inpatient = np.zeros(1, np.bool_)
    if "discharge_date" in given:
        discharged = _filled(given["discharge_date"], 0)
        if not discharged.all():
            care = given["care_type"]
            code = Code("", codes.is_inpatient(INPATIENT_KINDS), E.UNKNOWN_CARE_TYPE, empty=0)
            varying = _coded(care, code)
            assert varying.table is not None
            places = np.clip(varying.values.astype(np.int64, copy=False), 0, len(varying.table) - 1)
            inpatient = varying.table[places] != 0
    stay = _filled(given["stay_days"], -1) if "stay_days" in given else None
    return days_of(columns["settlement_date"], columns["admission_date"], discharged, inpatient, stay)


def _filled(column: Given, missing: int) -> np.ndarray:
    values = column.values.astype(np.int64, copy=False)
    if column.texts is not None:
        values = values[:0]
    return values if column.missing is None else np.where(column.missing, missing, values)


def _put_days(call: Call, codes: Codes, words: Words, days: Days) -> None:
    """Set the words of the dates. Errors: those of a date that is wrong in all rows."""
    if days.errors.size == 1 and days.errors[0]:
        names = ("settlement_date", "admission_date", "discharge_date")
        shown = ", ".join(f"{name} {int(call.given[name].values[0])}" for name in names if name in call.given)
        raise AdjudicatorError(Problem(int(days.errors[0]), "settlement_date", shown, value=shown))
    words.add_errors(days.errors)
    rule_date = days.deciding(call.bundle.benefit.rule_date[codes.number])
    for word, values in (("rule_date", rule_date), ("admission_date", days.admitted), ("stay_days", days.stay_days)):
        if values.size == 1:
            words.same[word] = int(values[0])
        else:
            none = E.INVALID_DATE
            words.varying[word] = Varying(np.ascontiguousarray(values), None, -(2**62), 2**62, none, none)


# ---------------------------------------------------------------- the kernel


def _price(call: Call, codes: Codes, words: Words, order: persons.Order) -> None:
    """Choose the kernel and run it over the rows of one pack."""
    rules = call.bundle.benefit.rules
    after = [name for name in call.out if name.startswith(AFTER)]
    with_years = bool(len(order.begins) or words.openings or after)
    quotas = order.quotas
    absent = np.zeros(1, AMOUNTS)
    for name in NONE:
        absent[name] = -1
    plan_row = _only_plan(call, words) if call.specialise else -1
    shape, answer, kernel = _shape(call, words, with_years), ANSWER, price_any if with_years else price_plain
    if len(shape.names or ()) == len(AMOUNTS.names or ()):
        kernel = price_any
    if call.specialise:
        for name, value in words.same.items():
            absent[name] = value
        shape = np.dtype([(name, "i8") for name in AMOUNTS.names or () if name in words.varying] or [("error", "i8")])
        wanted = {word for name in call.out if name in RESULTS for word in RESULTS[name]}
        answer = np.dtype([(name, "i8") for name in ANSWER.names or () if name in wanted])
        kernel = _specialised(absent.tobytes(), plan_row, rules.plans[plan_row].tobytes(), with_years)
    scratch = _scratch(shape, answer, absent, words)
    table, kept = _table(call, words, order, shape, answer)
    batch = Claims.over(
        np.zeros(0, CLAIM), np.zeros(0, SPLIT), np.zeros(0, np.int64), np.zeros((0, ACCUMULATOR_COUNT), np.int64),
        quotas if len(quotas) else np.zeros(0, QUOTA),
    )  # fmt: skip
    kernel(rules, batch, table, scratch)
    del kept


@lru_cache(maxsize=64)
def _specialised(fixed: bytes, plan_row: int, plan: bytes, with_years: bool) -> Callable[..., None]:
    """Return the kernel of a plan and of what is the same in all rows, made once a process."""
    return kernel_over(np.frombuffer(fixed, AMOUNTS), plan_row, np.frombuffer(plan, PLAN), with_years)


def _only_plan(call: Call, words: Words) -> int:
    """Return the plan row of all rows. Errors: E.TWO_PLANS where there are several, E.NO_PLAN where there is none."""
    deciding = ("scheme", "care_kind", "place", "filing", "settled_at_counter", "rule_date")
    varying = [name for name in deciding if name in words.varying]
    if varying:
        detail = f"specialise: one plan for the whole table, and {', '.join(varying)} differs from row to row"
        raise AdjudicatorError(Problem(int(E.INPUT_TYPE), varying[0], detail))
    pack, scheme, care, place, filing, counter, date = (words.same.get(name, 0) for name in ("pack", *deciding))
    channel = Channel.COUNTER if counter or filing == Filing.NOT_DIRECT else Channel.DIRECT
    row, error = call.bundle.plans.select(pack, scheme, care, place, filing, date, channel)
    if error:
        raise AdjudicatorError(Problem(int(error), "specialise"))
    return row


def _shape(call: Call, words: Words, with_years: bool) -> np.dtype[Any]:
    """Return the words that the rows of the kernel have."""
    named = {*words.varying, *(name for name, value in words.same.items() if value != (-1 if name in NONE else 0))}
    named -= {"admission_date"}  # asked of programmes only
    return PLAIN if not with_years and named <= set(PLAIN.names or ()) else AMOUNTS


def _scratch(shape: np.dtype[Any], answer: np.dtype[Any], absent: np.ndarray, words: Words) -> Scratch:
    """Return the memory of a call, with what is the same in all rows filled in."""
    width, columns = len(shape.names or ()), len(answer.names or ())
    memory = np.zeros(BLOCK * (width + ACCUMULATOR_COUNT) + 1, np.int64)
    rows = memory[: BLOCK * width].view(shape)
    for name in shape.names or ():
        rows[name] = words.same.get(name, absent[name][0])
    openings = memory[BLOCK * width : -1].reshape(BLOCK, ACCUMULATOR_COUNT)[: BLOCK if words.openings else 0]
    for slot, opening in words.openings.items():
        if isinstance(opening, int):
            openings[:, slot] = opening
    answers, year, seen = np.zeros(BLOCK, answer), np.zeros(1, YEAR), np.zeros(1, SEEN)
    seen["pack"] = -1
    return Scratch(
        rows, np.zeros(BLOCK, ERROR), memory, openings, answers, answers.view(np.int64).reshape(BLOCK, columns),
        np.zeros(BLOCK, np.int64), np.zeros(BLOCK, np.int64), year, year.view(np.int64), seen, np.zeros(1, WORK),
        np.zeros(1, ANSWER),
    )  # fmt: skip


def _table(
    call: Call, words: Words, order: persons.Order, shape: np.dtype[Any], answer: np.dtype[Any]
) -> tuple[Table, list[np.ndarray]]:
    """Return the table as the kernel takes it, and the arrays whose addresses it holds."""
    kept: list[np.ndarray] = []
    columns: list[tuple[Any, ...]] = []
    meanings: list[np.ndarray] = []
    width = len(shape.names or ())

    def add(varying: Varying, begin: int, step: int) -> None:
        values = varying.values
        assert values.flags.c_contiguous and values.dtype in FORMS and len(values) == call.rows
        kept.append(values)
        first, size = sum(map(len, meanings)), -1
        if varying.table is not None:
            meanings.append(varying.table)
            size = len(varying.table)
        columns.append(
            (values.ctypes.data, FORMS.index(values.dtype), first, size, begin, step, varying.least, varying.most,
             int(varying.below), int(varying.above))
        )  # fmt: skip

    nowhere = BLOCK * (width + ACCUMULATOR_COUNT)  # one word behind the memory of the rows
    for varying in words.checks:
        add(varying, nowhere, 0)
    for word, varying in words.varying.items():
        if word in (shape.names or ()):
            add(varying, (shape.names or ()).index(word), width)
        else:
            add(varying, nowhere, 0)
    for slot, opening in words.openings.items():
        if not isinstance(opening, int):
            add(opening, BLOCK * width + slot, ACCUMULATOR_COUNT)
    results, after = [], []
    for name, values in call.out.items():
        if name in RESULTS:
            places = [(answer.names or ()).index(word) for word in RESULTS[name]]
            results.append((values.ctypes.data, places[0], places[1] if len(places) > 1 else -1))
        else:
            after.append((values.ctypes.data, SLOT[name.removeprefix(AFTER)], -1))
    rows = len(order.rows) if len(order.rows) else call.rows
    table = Table(
        np.array(columns, COLUMN), np.concatenate([*meanings, np.zeros(1, np.int64)]), order.rows, order.begins,
        words.errors, np.array(results, RESULT), np.array(after, RESULT), rows,
        int(bool(len(order.begins) or words.openings or after)), int("pooled_rate_ppm" in call.out),
    )  # fmt: skip
    return table, kept
