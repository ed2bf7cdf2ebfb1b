"""The steps of a stored settlement: how the cost was divided, and who paid it, each with its clause.

The claim is priced once more from what the record keeps of it, under the bundle that settled it. Where that bundle is
not loaded, and for a reversal, the steps are read off the answer: the first ones divide the total into its four parts,
the deductible opens the cascade over the in-scope part, and the payers take the total down to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from adjudicator.benefit.explain import Step
from adjudicator.benefit.explain import explain as price_again
from adjudicator.claim.basis import inputs_of, read_basis
from adjudicator.claim.state import StayParts
from adjudicator.claim.years import join_stays
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.record import Record
from adjudicator.payers import PAYERS
from adjudicator.rules.bundle import Bundle
from adjudicator.steps import STEP_NAMES, StepName
from adjudicator.v1 import claim_pb2, settlement_pb2

DIVISION = {
    "wholly_self_paid": "wholly_self_paid_fen",
    "over_ceiling": "over_ceiling_fen",
    "first_pay": "first_pay_fen",
}
"""Step -> field: what is taken off the total until the in-scope amount is left."""

STEP_FIELDS = (
    "chain", "before_fen", "amount_fen", "after_fen", "rate_ppm", "document", "clause", "verified", "text", "text_zh",
)  # fmt: skip


def explain_record(
    key: settlement_pb2.SettlementKey, record: Record, bundle: Bundle, stay: StayParts | None = None
) -> settlement_pb2.Explanation:
    """Return every step of the cascade with its clause, or those of the answer where it cannot be priced again.

    ``stay``: the earlier parts of the stay that the settlement goes on with. The steps of a reversal are read off its
    answer.
    """
    answer, kept = settlement_pb2.Settlement.FromString(record.answer), read_basis(record.basis)
    inputs = None if kept is None or record.kind != Kind.SETTLE else inputs_of(kept, bundle.hash)
    if inputs is None:
        return explain(key, answer)
    stays = join_stays(inputs.claim, np.zeros(1, np.int64), {} if stay is None else {0: stay})
    in_scope = np.array([line.in_scope_fen for line in answer.lines], np.int64)
    inputs.claim["line_start"], inputs.claim["line_end"] = 0, len(in_scope)
    steps = price_again(bundle.benefit, inputs.claim, inputs.split, inputs.year, inputs.quota_used_fen, in_scope, stays)
    return message_of(key, answer.rules_hash, steps)


def key_of(claim: claim_pb2.Claim) -> settlement_pb2.SettlementKey:
    """Return the key of the settlement of a claim."""
    return settlement_pb2.SettlementKey(
        institution_code=claim.institution_code, encounter_id=claim.encounter_id,
        settlement_sequence=claim.settlement_sequence, insured_area=claim.insured_area,
    )  # fmt: skip


def message_of(key: settlement_pb2.SettlementKey, rules_hash: str, steps: Iterable[Step]) -> settlement_pb2.Explanation:
    """Return the steps of the cascade as a message, each with the id and the names of ``steps.STEP_NAMES``."""
    explanation = settlement_pb2.Explanation(key=key, rules_hash=rules_hash)
    for step in steps:
        name = STEP_NAMES[step.stage]
        explanation.steps.add(
            stage=name.id, stage_en=name.en, stage_zh=name.zh, **{field: getattr(step, field) for field in STEP_FIELDS}
        )
    return explanation


def explain(key: settlement_pb2.SettlementKey, answer: settlement_pb2.Settlement) -> settlement_pb2.Explanation:
    """Step of an answer; a step that took nothing is left out, except the deductible.

    >>> answer = settlement_pb2.Settlement(total_fen=100, in_scope_fen=90, wholly_self_paid_fen=10,
    ...     deductible_fen=20, pooled_fund_fen=49, pooled_rate_ppm=700000, cash_fen=51)
    >>> steps = explain(settlement_pb2.SettlementKey(), answer).steps
    >>> [(step.stage, step.before_fen, step.amount_fen, step.after_fen) for step in steps]
    [('wholly_self_paid', 100, 10, 90), ('deductible', 90, 20, 70), ('pooled', 100, 49, 51), ('cash', 51, 51, 0)]
    """
    explanation = settlement_pb2.Explanation(key=key, rules_hash=answer.rules_hash)
    left_fen = answer.total_fen
    for stage, field in DIVISION.items():
        left_fen = _step(explanation, answer, left_fen, getattr(answer, field), STEP_NAMES[stage])
    _step(explanation, answer, left_fen, answer.deductible_fen, STEP_NAMES["deductible"], always=True)
    left_fen = answer.total_fen
    for payer in PAYERS:
        left_fen = _step(explanation, answer, left_fen, getattr(answer, payer.field), STEP_NAMES[payer.id])
    return explanation


def _step(
    explanation: settlement_pb2.Explanation, answer: settlement_pb2.Settlement, before_fen: int, amount_fen: int,
    name: StepName, always: bool = False,
) -> int:  # fmt: skip
    """Add a step and return what it leaves."""
    if amount_fen or always:
        explanation.steps.add(
            stage=name.id, stage_en=name.en, stage_zh=name.zh, chain=name.chain, before_fen=before_fen,
            amount_fen=amount_fen, after_fen=before_fen - amount_fen,
            rate_ppm=answer.pooled_rate_ppm if name.id == "pooled" else 0,
            document=answer.rules_version, text=name.en, text_zh=name.zh, verified=not answer.unverified_rules,
        )  # fmt: skip
    return before_fen - amount_fen
