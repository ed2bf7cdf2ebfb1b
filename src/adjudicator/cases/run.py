"""Settles the cases of ``cases.file``: each claim goes as a message through the engine that settles, over one year."""

from __future__ import annotations

import dataclasses

import numpy as np

from adjudicator.benefit.explain import Step
from adjudicator.benefit.explain import explain as steps
from adjudicator.cases.file import Case, ClaimCase
from adjudicator.cases.message import ClaimWriter, YearSoFar
from adjudicator.cases.rules import engine_of
from adjudicator.claim.batch import Result
from adjudicator.claim.engine import OUTCOME_SETTLED, Engine
from adjudicator.claim.local import Years
from adjudicator.errors import E
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import claim_pb2, settlement_pb2
from adjudicator.wire.decode import BATCH_DEPTH, split_batch

OUTCOME_FIELDS: dict[str, str] = {
    "total": "total_fen", "wholly_self_paid": "wholly_self_paid_fen", "over_ceiling": "over_ceiling_fen",
    "first_pay": "first_pay_fen", "in_scope": "in_scope_fen", "deductible_standard": "deductible_standard_fen",
    "deductible": "deductible_fen", "pooled_fund": "pooled_fund_fen", "large_sum": "large_sum_fen",
    "catastrophic": "catastrophic_fen", "civil_servant": "civil_servant_fen", "enterprise": "enterprise_fen",
    "assistance_total": "assistance_fen", "other_fund": "other_fund_fen", "hospital_borne": "hospital_borne_fen",
    "fund_total": "fund_total_fen", "personal_total": "personal_total_fen", "account": "account_fen",
    "family_account": "family_account_fen", "cash": "cash_fen",
}  # fmt: skip
"""Outcome of a case -> field of the answer."""

OUTCOME_STAGES: dict[str, str] = {
    "tilt": "tilt assistance", "account_current": "account, current year", "account_past": "account, past years",
}  # fmt: skip
"""Outcome of a case -> step of the explanation, for what the answer has only as a part of a sum."""


@dataclasses.dataclass(slots=True)
class Settled:
    """One claim of a case as the engine settled it: the message that went in, the answer that came out."""

    case: Case
    number: int
    bundle: Bundle
    claim: claim_pb2.Claim
    answer: settlement_pb2.Settlement
    steps: tuple[Step, ...]
    """How the amounts came about; none for a refused claim."""
    plan: int
    """Row of ``bundle.plans`` that decided, -1 none."""
    disease: int
    """Row of the pack's disease list, -1 none."""
    place: int
    filing: int
    level: int
    """Level group of the pack for the deductible and the rates."""

    def amounts(self) -> dict[str, int | str]:
        """Every outcome that a case may expect, in fen."""
        result: dict[str, int | str] = {name: getattr(self.answer, field) for name, field in OUTCOME_FIELDS.items()}
        paid = {step.stage: step.amount_fen for step in self.steps}
        for name, stage in OUTCOME_STAGES.items():
            result[name] = paid.get(stage, 0)
        result["assistance"] = self.answer.assistance_fen - paid.get(OUTCOME_STAGES["tilt"], 0)
        result["error"] = self.error.name
        return result

    @property
    def error(self) -> E:
        """Why the claim was refused, E.NONE where it was not."""
        if self.answer.outcome != settlement_pb2.OUTCOME_REFUSED:
            return E.NONE
        return E(int(self.answer.problems[0].code.removeprefix("ADJ-")))

    @property
    def expected(self) -> ClaimCase:
        """The claim of the case with what it expects."""
        return self.case.claims[self.number]

    def differences(self) -> list[tuple[str, int | str, int | str]]:
        """(outcome, expected, got) of all that is not as the case says; a ``never`` that came out counts too."""
        got = self.amounts()
        wrong = [(name, value, got[name]) for name, value in self.expected.expect.items() if got[name] != value]
        if "error" not in self.expected.expect and got["error"] != "NONE":
            wrong.append(("error", "NONE", got["error"]))
        wrong += [
            (f"never {name}", value, got[name]) for name, value in self.expected.never.items() if got[name] == value
        ]
        return wrong


def run_case(case: Case) -> list[Settled]:
    """Settles the claims of a case in order. Errors: AdjudicatorError or PackError where the case cannot be set up."""
    years: dict[int, YearSoFar] = {}
    kept = Years()
    engines = {by_amounts: engine_of(case, by_amounts) for by_amounts in {_by_amounts(claim) for claim in case.claims}}
    settled = []
    for number, expected in enumerate(case.claims):
        engine = engines[_by_amounts(expected)]
        claim = ClaimWriter(engine.bundle, case, years).write(number)
        result, answer = _settle(engine, claim, kept)
        _count(years, result)
        settled.append(_settled(case, number, engine.bundle, claim, answer, result))
    return settled


def _by_amounts(claim: ClaimCase) -> bool:
    """Whether the bill of a claim is stated in parts, not in lines."""
    return "lines" not in claim.values


def _settle(engine: Engine, claim: claim_pb2.Claim, kept: Years) -> tuple[Result, settlement_pb2.Settlement]:
    """Bytes in, bytes out: one claim over the person's year, which it changes."""
    data = claim_pb2.ClaimBatch(claims=[claim]).SerializeToString()
    starts, ends, _ = split_batch(data)
    resolved = engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH)
    result = engine.price(resolved, resolved.good, *kept.rows(resolved, resolved.good))
    answer, _ = engine.encode(result, OUTCOME_SETTLED, np.arange(1))
    return result, settlement_pb2.Settlement.FromString(answer.tobytes())


def _count(years: dict[int, YearSoFar], result: Result) -> None:
    """Adds what the claim counted to the year that the case keeps."""
    if result.rows.shape[0] == 0:
        return
    so_far = years.setdefault(int(result.claims["benefit_year"][0]), YearSoFar())
    so_far.slots = result.seen[0] + result.after[0] - result.before[0]
    if result.quota_keys[0]:
        used = result.quota_seen[0] + result.quota_after[0] - result.quota_before[0]
        so_far.quotas[int(result.quota_keys[0])] = int(used)


def explain(settled: Settled) -> tuple[Step, ...]:
    """Every step of one settled claim, with its clause."""
    return settled.steps


def _settled(
    case: Case,
    number: int,
    bundle: Bundle,
    claim: claim_pb2.Claim,
    answer: settlement_pb2.Settlement,
    result: Result,
) -> Settled:
    facts = result.resolved
    row, taken = facts.claims[0], ()
    if answer.outcome != settlement_pb2.OUTCOME_REFUSED:
        in_scope = np.ascontiguousarray(facts.line_splits["in_scope_fen"])
        taken = steps(bundle, result.claims, facts.splits.copy(), result.seen[0], int(result.quota_seen[0]), in_scope)
    plan = int(result.benefits["plan"][0]) if taken else -1
    return Settled(
        case,
        number,
        bundle,
        claim,
        answer,
        taken,
        plan,
        int(row["disease"]),
        int(row["place"]),
        int(row["filing"]),
        int(row["deductible_level"]),
    )
