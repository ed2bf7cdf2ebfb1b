"""Settles the cases of ``cases.file``: each claim goes as a message through the engine that settles, over one year."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from adjudicator.benefit.explain import Step
from adjudicator.cases.file import Case, ClaimCase
from adjudicator.cases.journal import Journal
from adjudicator.cases.message import ClaimWriter, YearSoFar, date_of
from adjudicator.cases.period import Computed, compute
from adjudicator.cases.rules import engine_of
from adjudicator.claim.engine import OUTCOME_SETTLED
from adjudicator.claim.traced import Facts, settle_traced
from adjudicator.codes import GroupStatus, Method
from adjudicator.errors import AdjudicatorError, E, refuse
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
    """Of a reversal: the claim that was taken back."""
    answer: settlement_pb2.Settlement
    steps: tuple[Step, ...]
    """How the amounts came about; none for a refused claim and a reversal."""
    facts: Facts
    reversed_steps: tuple[Step, ...] = ()
    """Of a reversal: the steps of the settlement that it takes back."""

    def amounts(self) -> dict[str, int | str]:
        """Every outcome that a case may expect: amounts in fen, points in 1e-8, words."""
        plain = (
            "total", "wholly_self_paid", "over_ceiling", "first_pay", "in_scope", "deductible_standard", "deductible",
            "fund_total", "personal_total",
        )  # fmt: skip
        result: dict[str, int | str] = {name: getattr(self.answer, f"{name}_fen") for name in plain}
        paid = {step.stage: step.amount_fen for step in self.steps}  # of parts of a payer that the answer only sums
        paid |= {step.stage: -step.amount_fen for step in self.reversed_steps}
        for payer in PAYERS:
            for name, (_, summed) in payer.outcomes.items():
                whole = len(summed) == len(payer.columns)
                result[name] = getattr(self.answer, payer.field) if whole else paid.get(name, 0)
        payment, grouping = self.answer.payment, self.answer.grouping
        result["drg"], result["group_status"] = grouping.drg, GroupStatus(grouping.status).name.lower()
        result["method"] = Method(payment.method).name.lower()
        result["points"] = payment.points_e8
        result["due"], result["difference"] = payment.due_fen, payment.difference_fen
        result["warning"] = next((E(_number(one)).name for one in self.answer.problems if one.warning), E.NONE.name)
        result["error"] = self.error.name
        result["error_field"] = self.answer.problems[0].field if self.error else ""
        return result

    @property
    def error(self) -> E:
        """Why the claim was refused, E.NONE where it was not."""
        if self.answer.outcome != settlement_pb2.OUTCOME_REFUSED:
            return E.NONE
        return E(_number(self.answer.problems[0]))

    @property
    def expected(self) -> ClaimCase:
        """The claim of the case with what it expects."""
        return self.case.claims[self.number]

    def differences(self) -> list[tuple[str, int | str, int | str]]:
        """(outcome, expected, got) of all that is not as the case says; a ``never`` that came out counts too."""
        got = self.amounts()
        wrong = self.expected.differences(got)
        if "error" not in self.expected.expect and got["error"] != "NONE":
            wrong.append(("error", "NONE", got["error"]))
        return wrong


def _number(problem: settlement_pb2.Problem) -> int:
    return int(problem.code.removeprefix("ADJ-"))


def results_of(case: Case) -> Sequence[Settled | Computed]:
    """Return what comes out of a case: of each claim, or of a case that is about a period.

    Errors: AdjudicatorError or PackError where the case cannot be set up.
    """
    return [compute(case)] if case.kind_of_period else run_case(case)


def run_case(case: Case) -> list[Settled]:
    """Settles the claims of a case in order. Errors: AdjudicatorError or PackError where the case cannot be set up."""
    if case.kind_of_period:
        detail = f"{case.name} has {case.kind_of_period} and no claim; `adjudicator settle` computes it"
        raise refuse(E.CORRUPT_CASE_FILE, case.name, detail)
    settling = _Settling(case)
    return [settling.settle(number) for number in range(len(case.claims))]


class _Settling:
    """The claims of a case on their way, over what those before them left."""

    def __init__(self, case: Case):
        self.case = case
        self.journal = Journal()
        self.years: dict[int, YearSoFar] = {}
        self.years_before: dict[int, tuple[int, YearSoFar]] = {}
        """Of each settlement: the benefit year it counts in, and the year before it as the claims bring it."""
        self.settled: list[Settled] = []
        ways = {_by_amounts(claim) for claim in case.claims if "reverse" not in claim.values}
        self.engines = {by_amounts: engine_of(case, by_amounts) for by_amounts in ways}

    def settle(self, number: int) -> Settled:
        """Settle the claim at a position, or take back the settlement that it names."""
        values = self.case.claims[number].values
        settled = self._reverse(number, values["reverse"]) if "reverse" in values else self._price(number)
        self.settled.append(settled)
        return settled

    def _price(self, number: int) -> Settled:
        engine = self.engines[_by_amounts(self.case.claims[number])]
        claim = ClaimWriter(engine.bundle, self.case, self.years).write(number)
        before = {year: so_far.copy() for year, so_far in self.years.items()}
        try:
            self.journal.claim(claim, engine.bundle)
        except AdjudicatorError as error:
            return Settled(self.case, number, engine.bundle, claim, _refused(claim, error), (), Facts())
        traced = settle_traced(engine, claim, self.journal, OUTCOME_SETTLED)
        self.journal.record(number, claim, traced.answer)
        if traced.year is not None:
            year = traced.facts.benefit_year
            self.years_before[number] = year, before.get(year, YearSoFar())
            so_far = self.years.setdefault(year, YearSoFar())
            so_far.slots = traced.year.slots
            so_far.quotas |= traced.year.quotas
        return Settled(self.case, number, engine.bundle, claim, traced.answer, traced.steps, traced.facts)

    def _reverse(self, number: int, named: object) -> Settled:
        if not isinstance(named, int) or not 1 <= named <= number or "reverse" in self.case.claims[named - 1].values:
            what = f"{self.case.name}: reverse {named!r} names no earlier claim of the case; the first one is 1"
            raise refuse(E.CORRUPT_CASE_FILE, self.case.name, what)
        values = self.case.claims[number].values
        original = self.settled[named - 1]
        try:
            answer = self.journal.reverse(named - 1, date_of(values["settlement"]) if "settlement" in values else 0)
        except AdjudicatorError as error:
            answer = _refused(original.claim, error, settlement_pb2.DIRECTION_REVERSE)
            return dataclasses.replace(original, number=number, answer=answer, steps=())
        if named - 1 in self.years_before:
            year, before = self.years_before.pop(named - 1)
            self.years[year] = before
        return dataclasses.replace(original, number=number, answer=answer, steps=(), reversed_steps=original.steps)


def _refused(
    claim: claim_pb2.Claim, error: AdjudicatorError,
    direction: settlement_pb2.Direction = settlement_pb2.DIRECTION_SETTLE,
) -> settlement_pb2.Settlement:  # fmt: skip
    """Return the answer to a claim, or to a reversal of its settlement, that the ledger refuses."""
    answer = settlement_pb2.Settlement(
        institution_code=claim.institution_code, encounter_id=claim.encounter_id,
        settlement_sequence=claim.settlement_sequence, direction=direction,
        outcome=settlement_pb2.OUTCOME_REFUSED,
    )  # fmt: skip
    for problem in error.problems:
        answer.problems.add(
            code=problem.row.code, field=problem.field, message=problem.message, message_zh=problem.message_zh
        )
    return answer


def _by_amounts(claim: ClaimCase) -> bool:
    """Whether the bill of a claim is stated in parts, not in lines."""
    return "lines" not in claim.values
