"""Prices a table of amounts block by block: columns into rows, the stages of the cascade, answers into columns.

The stages are those of the service (``benefit.cascade``). A plain table has a kernel of its own, in which everything
that the table does not have is a constant, so the compiler leaves out what the stages would do with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from adjudicator.amounts.records import AMOUNTS, BLOCK, NONE, Scratch, Table
from adjudicator.benefit.answer import pooled_rate, write_own, write_payers
from adjudicator.benefit.cascade import begin, run_stages, unverified
from adjudicator.benefit.choose import choose_found, find_plan
from adjudicator.benefit.plan.keys import PLAN
from adjudicator.benefit.records import YEAR
from adjudicator.benefit.tables import Claims, Rules
from adjudicator.benefit.year import count_in_year
from adjudicator.compiled.jit import inlined, int64, kernel, uint64
from adjudicator.compiled.records import (
    add_common,
    clear,
    constant,
    copy_common,
    number_at,
    on_stack,
    put_number,
    sum_common,
)
from adjudicator.compiled.unowned import unowned
from adjudicator.errors import E
from adjudicator.payers import PAYERS, Identity

LINES_DO_NOT_ADD_UP, PAYERS_EXCEED_TOTAL = int(E.LINES_DO_NOT_ADD_UP), int(E.PAYERS_EXCEED_TOTAL)
NO_YEAR = constant(np.zeros(1, YEAR))
"""A year in which nothing has happened, as a constant of the kernel."""
FUND_AMOUNTS, ACCOUNT_AMOUNTS = (
    constant(np.zeros(1, [(name, "i8") for payer in PAYERS if payer.identity is identity for name in payer.columns]))
    for identity in (Identity.FUND, Identity.ACCOUNT)
)
"""Records whose names are those of the amounts that add up to the total of the funds, and to what accounts pay."""
INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32 = range(7)


class Parts(NamedTuple):
    """The parts of a claim under the names of SPLIT."""

    wholly_self_paid_fen: int
    over_ceiling_fen: int
    first_pay_fen: int
    in_scope_fen: int
    copay_free_fen: int
    special_drug_fen: int
    special_self_paid_fen: int
    hospital_borne_fen: int


# ---------------------------------------------------------------- columns into rows


@inlined
def read_column(column: Any, places: np.ndarray, count: int, numbers: np.ndarray) -> None:
    """Read the values of some rows of a column."""
    address = uint64(column.address)
    if column.form == INT64:
        for j in range(count):
            numbers[uint64(j)] = number_at(address, uint64(places[uint64(j)]), np.int64)
    elif column.form == INT32:
        for j in range(count):
            numbers[uint64(j)] = number_at(address, uint64(places[uint64(j)]), np.int32)
    elif column.form == INT16:
        for j in range(count):
            numbers[uint64(j)] = number_at(address, uint64(places[uint64(j)]), np.int16)
    elif column.form == INT8:
        for j in range(count):
            numbers[uint64(j)] = number_at(address, uint64(places[uint64(j)]), np.int8)
    elif column.form == UINT8:
        for j in range(count):
            numbers[uint64(j)] = number_at(address, uint64(places[uint64(j)]), np.uint8)
    elif column.form == UINT16:
        for j in range(count):
            numbers[uint64(j)] = number_at(address, uint64(places[uint64(j)]), np.uint16)
    elif column.form == UINT32:
        for j in range(count):
            numbers[uint64(j)] = number_at(address, uint64(places[uint64(j)]), np.uint32)


@inlined
def look_up(column: Any, meanings: np.ndarray, count: int, scratch: Scratch) -> None:
    """Replace places in a dictionary by what they mean; a place outside it is no code."""
    for j in range(count):
        place = scratch.numbers[uint64(j)]
        if place < 0 or place >= column.size:
            lower_error(scratch.errors[uint64(j)], column.below)
            place = 0
        scratch.numbers[uint64(j)] = meanings[uint64(column.first + place)]


@inlined
def lower_error(row: Any, number: int) -> None:
    """Give a row an error; the lowest number takes precedence."""
    if row.error == 0 or number < row.error:
        row.error = number


@inlined
def keep_limits(column: Any, count: int, scratch: Scratch) -> None:
    """Give an error to the rows whose value is out of its limits."""
    wrong = 0
    for j in range(count):
        value = scratch.numbers[uint64(j)]
        wrong |= int64(value < column.least) | int64(value > column.most)
    if wrong != 0:
        for j in range(count):
            value = scratch.numbers[uint64(j)]
            if value < column.least:
                lower_error(scratch.errors[uint64(j)], column.below)
                scratch.numbers[uint64(j)] = 0
            elif value > column.most:
                lower_error(scratch.errors[uint64(j)], column.above)
                scratch.numbers[uint64(j)] = 0


@inlined
def load_block(table: Table, scratch: Scratch, at: int, count: int) -> None:
    """Fill the rows of a block."""
    for j in range(count):
        scratch.places[uint64(j)] = at + j
        scratch.errors[uint64(j)].error = 0
    if table.order.shape[0] > 0:
        for j in range(count):
            scratch.places[uint64(j)] = table.order[uint64(at + j)]
    if table.errors.shape[0] > 0:
        for j in range(count):
            scratch.errors[uint64(j)].error = table.errors[uint64(scratch.places[uint64(j)])]
    for k in range(table.columns.shape[0]):
        column = table.columns[uint64(k)]
        read_column(column, scratch.places, count, scratch.numbers)
        if column.size >= 0:
            look_up(column, table.meanings, count, scratch)
        keep_limits(column, count, scratch)
        word = uint64(column.begin)
        for j in range(count):
            scratch.words[word] = scratch.numbers[uint64(j)]
            word += uint64(column.step)


# ---------------------------------------------------------------- one claim


@inlined
def parts_of(row: Any) -> Parts:
    """Return the parts of a row; what a hospital bears of the cost over a ceiling is not known without lines."""
    return Parts(
        row.wholly_self_paid_fen, row.over_ceiling_fen, row.first_pay_fen, row.in_scope_fen, row.copay_free_fen,
        row.special_drug_fen, row.special_self_paid_fen, int64(0),
    )  # fmt: skip


@inlined
def plan_of(rules: Any, claim: Any, seen: Any) -> int:
    """Return the plan row of a claim, or minus the number of the error; that of the last claim where both are alike."""
    same = seen.date == claim.rule_date and seen.care == claim.care_kind and seen.scheme == claim.scheme
    same = same and seen.pack == claim.pack and seen.place == claim.place and seen.filing == claim.filing
    if not (same and seen.counter == claim.settled_at_counter):
        seen.pack, seen.scheme, seen.care, seen.place = claim.pack, claim.scheme, claim.care_kind, claim.place
        seen.filing, seen.counter, seen.date = claim.filing, claim.settled_at_counter, claim.rule_date
        seen.row = find_plan(rules, claim)
    return int64(seen.row)


@inlined
def put_results(table: Table, scratch: Scratch, count: int) -> None:
    """Write the results of a block that are asked for."""
    for k in range(table.results.shape[0]):
        result = table.results[uint64(k)]
        address, word = uint64(result.address), uint64(result.word)
        for j in range(count):
            put_number(address, uint64(scratch.places[uint64(j)]), scratch.answer_words[uint64(j), word])
        if result.more >= 0:
            for j in range(count):
                place = uint64(scratch.places[uint64(j)])
                part = scratch.answer_words[uint64(j), uint64(result.more)]
                put_number(address, place, scratch.answer_words[uint64(j), word] + part)


@inlined
def write_answer(rules: Any, plan: Any, claim: Any, quota: int, work: Any, full: Any, with_rate: int) -> None:
    """Fill the answer ANSWER of a claim without error; what nobody asks for is left out by the compiler."""
    copy_common(work, full)
    write_own(work, full)
    full.fund_total_fen = sum_common(full, FUND_AMOUNTS[uint64(0)])
    full.personal_total_fen = sum_common(full, ACCOUNT_AMOUNTS[uint64(0)]) + work.cash_fen
    if with_rate != 0:
        full.pooled_rate_ppm = pooled_rate(work)
    if work.plan >= 0:
        write_payers(plan, work, full)
        full.unverified = unverified(rules, plan, claim, quota, work)


@inlined
def only_plan(rules: Any, plans: np.ndarray) -> Rules:
    """Return the rules with the one plan of a specialised kernel."""
    return Rules(
        plans, rules.selector, rules.spans, rules.person_group, rules.disease_values, rules.disease_ranges,
        rules.ward_ranges, rules.programmes,
    )  # fmt: skip


@inlined
def held(rules: Rules) -> Rules:
    """Return the rules without their reference counters (``compiled.unowned``)."""
    return Rules(
        unowned(rules.plans), unowned(rules.selector), unowned(rules.spans), unowned(rules.person_group),
        unowned(rules.disease_values), unowned(rules.disease_ranges), unowned(rules.ward_ranges),
        unowned(rules.programmes),
    )  # fmt: skip


@inlined
def held_batch(batch: Claims) -> Claims:
    """Return quotas and years without their reference counters."""
    return Claims(
        unowned(batch.claims), unowned(batch.splits), unowned(batch.lines_in_scope), unowned(batch.years),
        unowned(batch.slots), unowned(batch.quotas), unowned(batch.empty_year), unowned(batch.stay_years),
        unowned(batch.stay_parts), unowned(batch.part_words),
    )  # fmt: skip


@inlined
def held_table(table: Table) -> Table:
    """Return a table without its reference counters."""
    return Table(
        unowned(table.columns), unowned(table.meanings), unowned(table.order), unowned(table.begins),
        unowned(table.errors), unowned(table.results), unowned(table.after), table.rows, table.counts, table.with_rate,
    )  # fmt: skip


@inlined
def held_scratch(scratch: Scratch) -> Scratch:
    """Return the memory of a call without its reference counters."""
    return Scratch(
        unowned(scratch.rows), unowned(scratch.errors), unowned(scratch.words), unowned(scratch.openings),
        unowned(scratch.answers), unowned(scratch.answer_words), unowned(scratch.numbers), unowned(scratch.places),
        unowned(scratch.years), unowned(scratch.year_words), unowned(scratch.seen), unowned(scratch.works),
        unowned(scratch.full),
    )  # fmt: skip


# ---------------------------------------------------------------- the kernels


@inlined
def check_row(row: Any) -> None:
    """Set the total of a row, and its error where its amounts contradict each other."""
    row.total_fen = row.in_scope_fen + row.wholly_self_paid_fen + row.over_ceiling_fen + row.first_pay_fen
    if row.given_total_fen >= 0 and row.given_total_fen != row.total_fen:
        lower_error(row, LINES_DO_NOT_ADD_UP)
    if row.hospital_borne_fen + row.other_payer_fen > row.total_fen:
        lower_error(row, PAYERS_EXCEED_TOTAL)


@inlined
def open_year(table: Table, scratch: Scratch, place: int, j: int, year: Any) -> None:
    """Set the year to what it was before the claim, where the claim is the first of its person's year."""
    first = table.begins.shape[0] == 0
    if not first:
        first = table.begins[uint64(place)] != 0
    if first and scratch.openings.shape[0] == 0:
        clear(year)
    elif first:
        for slot in range(scratch.year_words.shape[0]):
            scratch.year_words[uint64(slot)] = scratch.openings[uint64(j), uint64(slot)]


@inlined
def close_year(table: Table, scratch: Scratch, j: int) -> None:
    """Write the amounts of the year after the claim that are asked for."""
    for k in range(table.after.shape[0]):
        after = table.after[uint64(k)]
        place = uint64(scratch.places[uint64(j)])
        put_number(uint64(after.address), place, scratch.year_words[uint64(after.word)])


def kernel_over(fixed: np.ndarray, plan_row: int, plans: np.ndarray, with_years: bool) -> Callable[..., None]:
    """Return a kernel for tables whose rows have some columns only; the others are constants of the machine code.

    fixed AMOUNTS[1]: what a row has where ``Scratch.rows`` has no such column; a plan row of -1: the plan of each claim
    is looked up in the rules of the call; else it is the row of ``plans`` PLAN[1], for all rows, and a constant too.
    """
    is_planned, found = plan_row >= 0, 0
    fixed, plans = constant(fixed), constant(plans)

    def price(rules: Rules, batch: Claims, table: Table, scratch: Scratch) -> None:
        rules, batch, table, scratch = held(rules), held_batch(batch), held_table(table), held_scratch(scratch)
        work, claim, full = on_stack(scratch.works), on_stack(fixed), on_stack(scratch.full)
        seen, planned = scratch.seen[uint64(0)], only_plan(rules, plans)
        if with_years:
            year = scratch.years[uint64(0)]
        else:
            year = NO_YEAR[uint64(0)]
        for at in range(0, table.rows, BLOCK):
            count = min(table.rows - at, BLOCK)
            load_block(table, scratch, at, count)
            for j in range(count):
                copy_common(fixed[uint64(0)], claim)
                copy_common(scratch.rows[uint64(j)], claim)
                claim.error = scratch.errors[uint64(j)].error
                check_row(claim)
                clear(work)
                begin(claim, parts_of(claim), work)
                row, error, quota = int64(found), claim.error, -1
                if error == 0 and not is_planned:
                    row = plan_of(rules, claim, seen)
                if is_planned:
                    chosen = choose_found(planned, claim, row, work)
                    plan = plans[uint64(0)]
                else:
                    chosen = choose_found(rules, claim, row, work)
                    plan = rules.plans[uint64(max(work.plan, 0))]
                error = error if error != 0 else chosen
                if with_years and table.counts != 0:
                    open_year(table, scratch, at + j, j, year)
                if error == 0:
                    error, quota = run_stages(rules, batch, plan, claim, year, work)
                clear(full)
                full.plan, full.error = -1, error
                if error == 0:
                    write_answer(rules, plan, claim, quota, work, full, table.with_rate)
                    if is_planned and work.plan >= 0:
                        full.plan = plan_row
                if error == 0 and with_years and table.counts != 0 and work.plan >= 0:
                    count_in_year(plan, year, work)
                    add_common(work, year)
                    if claim.quota >= 0:
                        batch.quotas[uint64(claim.quota)].used_fen += work.quota_paid_fen
                copy_common(full, scratch.answers[uint64(j)])
                if with_years and table.counts != 0:
                    close_year(table, scratch, j)
            put_results(table, scratch, count)

    return kernel(price)


def _absent() -> np.ndarray:
    """Return AMOUNTS[1]: a claim of a table without any column."""
    row = np.zeros(1, AMOUNTS)
    for name in NONE:
        row[name] = -1
    return row


NO_PLAN_ROW = np.zeros(1, PLAN)
price_plain = kernel_over(_absent(), -1, NO_PLAN_ROW, False)
"""Price a table of ``records.PLAIN`` rows over empty years: (rules, batch, table, scratch)."""
price_any = kernel_over(_absent(), -1, NO_PLAN_ROW, True)
"""Price a table of AMOUNTS rows; rows of one person's year follow each other in ``table.order``."""
