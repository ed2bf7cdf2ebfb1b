"""Settles the cases of ``cases.file``: each claim goes as a message through the engine that settles, over one year."""

from __future__ import annotations

import dataclasses

from adjudicator.benefit.explain import Step
from adjudicator.cases.file import Case, ClaimCase
from adjudicator.cases.message import ClaimWriter, YearSoFar
from adjudicator.cases.rules import engine_of
from adjudicator.claim.engine import OUTCOME_SETTLED
from adjudicator.claim.local import Years
from adjudicator.claim.traced import Facts, settle_traced
from adjudicator.errors import E
from adjudicator.payers import PAYERS
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import claim_pb2, settlement_pb2


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
    facts: Facts

    def amounts(self) -> dict[str, int | str]:
        """Every outcome that a case may expect, in fen."""
        plain = (
            "total", "wholly_self_paid", "over_ceiling", "first_pay", "in_scope", "deductible_standard", "deductible",
            "fund_total", "personal_total",
        )  # fmt: skip
        result: dict[str, int | str] = {name: getattr(self.answer, f"{name}_fen") for name in plain}
        paid = {step.stage: step.amount_fen for step in self.steps}  # of parts of a payer that the answer only sums
        for payer in PAYERS:
            for name, (_, summed) in payer.outcomes.items():
                whole = len(summed) == len(payer.columns)
                result[name] = getattr(self.answer, payer.field) if whole else paid.get(name, 0)
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
        traced = settle_traced(engine, claim, kept, OUTCOME_SETTLED)
        if traced.year is not None:
            so_far = years.setdefault(traced.facts.benefit_year, YearSoFar())
            so_far.slots = traced.year.slots
            so_far.quotas |= traced.year.quotas
        settled.append(Settled(case, number, engine.bundle, claim, traced.answer, traced.steps, traced.facts))
    return settled


def _by_amounts(claim: ClaimCase) -> bool:
    """Whether the bill of a claim is stated in parts, not in lines."""
    return "lines" not in claim.values
