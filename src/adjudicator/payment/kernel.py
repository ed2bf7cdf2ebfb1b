"""What the fund owes the institution for each claim: method, points, amount (供方支付).

One pass over claims: find the rules of the day and the row of the method table that decides, and call the formula of
its method. Points are 1e-8, a point value 1/10000 fen; products of three columns need up to 192 bits
(``payment.exact``); rounding is half-up once (R38). The naive twins are in tests/payment.
"""

from __future__ import annotations

from typing import Any

from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.payment.case import (
    NO_METHOD,
    PAID,
    UNVERIFIED_METHOD,
    Case,
    ClaimCodes,
    DecidingDate,
    choose,
    no_method,
)
from adjudicator.payment.funds import clearing_fund_fen
from adjudicator.payment.matching import deciding_row
from adjudicator.payment.methods.capitation.formula import signed
from adjudicator.payment.methods.drg.formula import pay_drg
from adjudicator.payment.point_values import month_of
from adjudicator.payment.registry import METHODS

BY_DISCHARGE, BY_ADMISSION = int(DecidingDate.DISCHARGE), int(DecidingDate.ADMISSION)

call_formula = choose({entry.method: entry.formula for entry in METHODS}, no_method)
"""Compiled: calls the formula of a method by its number."""


@uncounted_inlined
def deciding_date(pack: Any, claim: Any) -> Any:
    """Return the day whose rules hold for a claim; the settlement's where the day asked for is not known."""
    date = claim.settlement_date
    if pack.deciding_date == BY_DISCHARGE and claim.discharge_date > 0:
        date = claim.discharge_date
    elif pack.deciding_date == BY_ADMISSION and claim.admission_date > 0:
        date = claim.admission_date
    return date


@uncounted_inlined
def epoch_of(rules: Any, pack: Any, date: int) -> Any:
    """Return the row of the rules that hold on a day, -1 none."""
    epoch = -1
    for place in range(pack.epoch_start, pack.epoch_end):
        if rules.epochs[place].from_date <= date <= rules.epochs[place].to_date:
            epoch = place
    return epoch


@uncounted_inlined
def rank_of(rules: Any, pack: Any, hospital: int) -> Any:
    """Return the payment class of a hospital, -1 none."""
    rank = -1
    if 0 <= hospital < pack.hospitals:
        rank = rules.hospital_ranks[pack.class_start + hospital]
    return rank


@uncounted_inlined
def month_row(pack: Any, date: int) -> Any:
    """Return the row of the point values of a month, -1 none."""
    month, row = month_of(date) - pack.first_month, -1
    if 0 <= month < pack.months:
        row = pack.month_start + month
    return row


@uncounted_inlined
def pay_case(rules: Any, codes: ClaimCodes, case: Case, due: Any) -> None:
    """Fill in what is due for a claim; where it cannot be paid, only the error."""
    row = deciding_row(rules, codes, case)
    if row < 0:
        due.error = NO_METHOD
    else:
        condition = rules.conditions[row]
        due.method, due.by_item_fen = condition.method, case.clearing_fen
        if condition.unverified:
            due.unverified |= UNVERIFIED_METHOD
        share_ppm = call_formula(condition.method, rules, codes, case, condition.table, due)
        if share_ppm != PAID:
            pay_drg(rules, codes, case, share_ppm, due)
    if due.error != 0:
        due.method, due.points_e8, due.point_value_e4 = 0, 0, 0
        due.due_fen, due.by_item_fen, due.unverified = 0, 0, 0


@uncounted_kernel
def pay_claims(rules: Any, claims: Any, splits: Any, benefits: Any, groups: Any, codes: ClaimCodes, out: Any) -> None:
    """Fill one row of PAYMENT for each claim; a claim with an error has zeros.

    ``rules`` are ``payment.tables.Tables``; the others are rows of CLAIM, SPLIT, BENEFIT and GROUP, one a claim.
    """
    for i in range(claims.shape[0]):
        claim, benefit, due = claims[i], benefits[i], out[i]
        due.method, due.error, due.points_e8, due.point_value_e4 = 0, 0, 0, 0
        due.due_fen, due.by_item_fen, due.unverified = 0, 0, 0
        if claim.error == 0 and benefit.error == 0 and claim.pack >= 0:
            pack = rules.packs[claim.pack]
            date = deciding_date(pack, claim)
            clearing_fen = clearing_fund_fen(pack.clearing_funds, benefit)
            case = Case(
                claim, splits[i], benefit, groups[i], i,
                epoch_of(rules, pack, date), rank_of(rules, pack, claim.hospital),
                month_row(pack, claim.settlement_date), signed(rules, claim, pack, date),
                clearing_fen, benefit.personal_total_fen + benefit.fund_total_fen - clearing_fen,
            )  # fmt: skip
            pay_case(rules, codes, case, due)
