"""The slow twin of ``claim/assemble.py``: an answer built field by field as a message of the protobuf library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from adjudicator.claim.batch import Resolved, Result
from adjudicator.codes import Scheme
from adjudicator.errors import Problem
from adjudicator.payers import ROWS
from adjudicator.payment.registry import METHODS
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import claim_pb2, settlement_pb2

PLAIN = (
    "first_pay_fen", "in_scope_fen", "deductible_standard_fen", "deductible_fen", "pooled_rate_ppm", "large_sum_fen",
    "catastrophic_fen", "civil_servant_fen", "enterprise_fen", "hospital_borne_fen", "fund_total_fen",
    "personal_total_fen", "cash_fen",
)  # fmt: skip
"""Fields of the answer that are columns of BENEFIT."""


def assemble(
    bundle: Bundle, claim: claim_pb2.Claim, result: Result, row: int, outcome: int
) -> settlement_pb2.Settlement:
    """Return the answer to the claim at a row of the batch."""
    resolved = result.resolved
    answer = settlement_pb2.Settlement(
        institution_code=claim.institution_code, encounter_id=claim.encounter_id,
        settlement_sequence=claim.settlement_sequence, direction=settlement_pb2.DIRECTION_SETTLE,
    )  # fmt: skip
    places = [place for place, priced in enumerate(result.rows.tolist()) if priced == row]
    if not places:
        answer.outcome = settlement_pb2.OUTCOME_REFUSED
        _problems(answer, resolved.problems(row))
        return answer
    (place,) = places
    _problems(answer, result.problems(place))
    if result.claims["error"][place]:
        answer.outcome = settlement_pb2.OUTCOME_REFUSED
        return answer
    answer.outcome = cast(settlement_pb2.Outcome, outcome)
    if outcome != settlement_pb2.OUTCOME_TRIAL:
        answer.settlement_id = resolved.keys[row].tobytes().hex()
    _amounts(answer, bundle, result, row, place)
    _lines(answer, claim, resolved, row)
    _payers(answer, result, place)
    _grouping(answer, bundle, resolved, row)
    return answer


def _problems(answer: settlement_pb2.Settlement, problems: Iterable[Problem]) -> None:
    for problem in problems:
        answer.problems.add(
            code=problem.row.code, field=problem.field, message=problem.message, message_zh=problem.message_zh,
            warning=problem.warning,
        )  # fmt: skip


def _amounts(answer: settlement_pb2.Settlement, bundle: Bundle, result: Result, row: int, place: int) -> None:
    claim, split = result.resolved.claims[row], result.resolved.splits[row]
    benefit, paid = result.benefits[place], result.payments[place]
    answer.total_fen = int(claim["total_fen"])
    answer.wholly_self_paid_fen = int(split["wholly_self_paid_fen"])
    answer.over_ceiling_fen = int(split["over_ceiling_fen"])
    for name in PLAIN:
        setattr(answer, name, int(benefit[name]))
    answer.pooled_fund_fen, answer.other_fund_fen = int(benefit["pooled_fen"]), int(benefit["other_fen"])
    answer.assistance_fen = int(benefit["assistance_fen"]) + int(benefit["tilt_fen"])
    answer.account_fen = int(benefit["account_current_fen"]) + int(benefit["account_past_fen"])
    answer.family_account_fen = int(benefit["account_family_fen"])
    balances = int(claim["account_current_fen"]) + int(claim["account_past_fen"])
    answer.account_balance_fen = balances - answer.account_fen
    answer.clearing_method = METHODS[int(paid["method"])].clearing_way
    answer.benefit_year = int(claim["benefit_year"])
    answer.rules_hash = bundle.hash
    answer.rules_version = bundle.rule_versions[benefit["plan"]] if benefit["plan"] >= 0 else ""
    answer.unverified_rules = bool(benefit["unverified"] or split["unverified"] or paid["unverified"])
    answer.counts_as_admission = bool(benefit["counts_as_admission"])
    answer.payment.method = int(paid["method"])
    answer.payment.points_e8, answer.payment.point_value_e4 = int(paid["points_e8"]), int(paid["point_value_e4"])
    answer.payment.due_fen = int(paid["due_fen"])
    answer.payment.difference_fen = int(paid["due_fen"]) - int(paid["by_item_fen"])


def _lines(answer: settlement_pb2.Settlement, claim: claim_pb2.Claim, resolved: Resolved, row: int) -> None:
    first = int(resolved.claims["line_start"][row])
    names = (
        "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen", "price_ceiling_e4",
        "first_pay_ppm", "item_class", "note",
    )  # fmt: skip
    for number, line in enumerate(claim.lines):
        split = resolved.line_splits[first + number]
        parts = {name: int(split[name]) for name in names}
        answer.lines.add(line_id=line.line_id, amount_fen=line.amount_fen, **parts)


def _payers(answer: settlement_pb2.Settlement, result: Result, place: int) -> None:
    """A row for each payer of the table that paid something."""
    scheme = Scheme(int(result.claims["scheme"][place]))
    for payer in ROWS:
        amount = sum(int(result.benefits[column][place]) for column in payer.columns)
        if amount:
            answer.funds.add(fund_type=payer.code_in(scheme), amount_fen=amount)


def _grouping(answer: settlement_pb2.Settlement, bundle: Bundle, resolved: Resolved, row: int) -> None:
    group, number = resolved.groups[row], int(resolved.group_scheme[row])
    if group["status"] == 0 or number < 0:
        return
    scheme = bundle.schemes[number]
    answer.grouping.scheme, answer.grouping.status = scheme.name, int(group["status"])
    for name, codes in (
        ("mdc", scheme.texts.mdc_codes), ("adrg", scheme.texts.adrg_codes), ("drg", scheme.texts.drg_codes),
    ):  # fmt: skip
        if group[name] >= 0:
            setattr(answer.grouping, name, codes[group[name]])
