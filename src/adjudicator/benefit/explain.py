"""How an answer came about: every step of one claim with its arithmetic and its clause, in both languages.

The stages tell it themselves (``benefit.trace``): their source is run once more for the claim, in Python and with the
trace on, and must give the answer of the compiled kernel. Here the words are made. Two chains of steps add up: ``cost``
goes from the total to what the tiers see (split, cross-region first-pay, deductible), ``burden`` from the total through
every payer to nothing left (F2, P1). A step names the documents of the values that had a part in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from adjudicator.benefit.cascade import settle_claims
from adjudicator.benefit.compile import Benefit
from adjudicator.benefit.plan.cells import unit_text
from adjudicator.benefit.records import WORK
from adjudicator.benefit.sentences import NOTES, RULES, STEPS, Text, sentence, yuan
from adjudicator.benefit.settle import run
from adjudicator.benefit.tables import Claims, Stays
from adjudicator.benefit.trace import PROGRAMME, Part, StepTrace, Trace
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, QUOTA
from adjudicator.compiled.interpret import variant
from adjudicator.rounding import PPM, per_million
from adjudicator.rulefile.dated import Source
from adjudicator.steps import BURDEN, COST, STEP_NAMES

ALWAYS = ("pooled", "deductible")
"""Steps that are written even where they take nothing, if the plan has them."""

WORDS = NOTES | RULES


class UnexplainedError(Exception):
    """The steps do not give the answer: a stage changed an amount and did not say so, or said something else."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step; amounts in fen, rates in parts per million (0: none or several)."""

    stage: str
    """Id of ``steps.STEP_NAMES``."""
    before_fen: int
    amount_fen: int
    rate_ppm: int
    document: str
    clause: str
    verified: bool
    text: str
    text_zh: str

    @property
    def after_fen(self) -> int:
        """What is left after the step."""
        return self.before_fen - self.amount_fen

    @property
    def chain(self) -> str:
        """The ladder that the step stands in."""
        return STEP_NAMES[self.stage].chain


def explain(
    benefit: Benefit,
    claim: np.ndarray,
    split: np.ndarray,
    year_before: np.ndarray,
    quota_used_fen: int = 0,
    lines_in_scope: np.ndarray | None = None,
    stays: Stays | None = None,
) -> tuple[Step, ...]:
    """Return the steps of one claim.

    claim CLAIM[1] and split SPLIT[1] as they were settled, year_before int64[slots] the person's year before the claim,
    quota_used_fen what the disease quota had used, stays the earlier parts of a stay that goes on. A
    refused claim has no steps. Raises UnexplainedError where the steps do not give the answer: a fault of the program.
    """
    if np.atleast_1d(claim)["error"][0]:
        return ()
    lines = np.zeros(0, np.int64) if lines_in_scope is None else lines_in_scope
    trace, work = Trace(), np.zeros(1, WORK)
    paid, traced = np.zeros(1, BENEFIT), np.zeros(1, BENEFIT)
    run(benefit, _batch(claim, split, year_before, quota_used_fen, lines, stays), paid, work)
    if paid["error"][0]:
        return ()
    with_trace = variant(settle_claims, TRACED=True, trace=trace)
    run(benefit, _batch(claim, split, year_before, quota_used_fen, lines, stays), traced, work, with_trace)
    if paid != traced:
        raise UnexplainedError(f"compiled {paid[0]}, traced {traced[0]}")
    return tuple(_steps(benefit, trace, np.atleast_1d(claim)[0], work[0]))


def _batch(
    claim: np.ndarray, split: np.ndarray, year: np.ndarray, quota_used_fen: int, lines: np.ndarray,
    stays: Stays | None,
) -> Claims:  # fmt: skip
    """Return the claim with its own year and quota, so that a run changes nothing of the caller's."""
    claim = np.atleast_1d(claim).copy()
    claim["state"], claim["quota"] = 0, 0 if claim["quota"][0] >= 0 else -1
    slots = np.array(year, np.int64).reshape(1, ACCUMULATOR_COUNT)
    quota = np.zeros(1, QUOTA)
    quota["used_fen"] = quota_used_fen
    return Claims.over(claim, np.atleast_1d(split), lines, slots, quota, stays)


def _steps(benefit: Benefit, trace: Trace, claim: np.void, work: np.void) -> Iterator[Step]:
    """Yield both chains, each from the total; the first ends at what the tiers see, the second at nothing."""
    values = _values(benefit, claim, work)
    total, seen = int(work["total_fen"]), int(work["base_fen"] - work["deductible_fen"])
    for chain, end in ((COST, seen), (BURDEN, 0)):
        left = total
        for name, said in trace.steps.items():
            if STEP_NAMES[name].chain == chain and (said.amount_fen or _is_always(name, said)):
                yield _step(name, said, left, _sources(benefit, said, values))
                left -= said.amount_fen
        if left != end:
            raise UnexplainedError(f"the steps of {chain} end at {left} fen, not at {end}: {list(trace.steps)}")


def _is_always(name: str, said: StepTrace) -> bool:
    return name in ALWAYS and (name != "deductible" or any(said.figures) or bool(said.notes))


def _step(name: str, said: StepTrace, before_fen: int, sources: Sequence[Source]) -> Step:
    document = "; ".join(dict.fromkeys(source.document for source in sources))
    clause = "; ".join(dict.fromkeys(source.clause for source in sources if source.clause))
    verified = all(source.verified for source in sources)
    rates = [rate for _, rate in said.parts if rate is not None]
    rate = rates[0] if len(rates) == 1 else 0
    return Step(name, before_fen, said.amount_fen, rate, document, clause, verified, *text_of(name, said))


def _values(benefit: Benefit, claim: np.void, work: np.void) -> dict[str, tuple[Source, ...]]:
    """Return where each value of the claim's plan and its programme stand; a derived rate has two sources (V14)."""
    found: dict[str, tuple[Source, ...]] = {}
    if work["plan"] >= 0:
        values = benefit.plans.versions[work["plan"]].values
        found = {key: (value.source,) for key, value in values.items()}
        derived = values.get("rate_derived")
        if derived is not None and any(entry[0] == work["group"] for entry in derived.value):
            found["rate_percent"] = (*found.get("rate_percent", ()), derived.source)
    if claim["programme"] > 0:
        found[PROGRAMME] = (benefit.programme_sources[claim["pack"]][claim["programme"] - 1],)
    return found


def _sources(benefit: Benefit, said: StepTrace, values: dict[str, tuple[Source, ...]]) -> list[Source]:
    """Return where the values with a part in a step stand, in the order in which the stages named them."""
    found = [source for key in said.keys for source in values.get(key, ())]
    found += [benefit.disease_sources[entry] for entry in said.disease_values]
    return list(dict.fromkeys(found))


def text_of(name: str, said: StepTrace) -> Text:
    """Return what a step says: cost × rate where it has a rate, else its sentence; then the reasons of the stages."""
    more = [sentence(WORDS, note, amounts) for note, amounts in said.notes]
    if name in STEPS:
        more.insert(0, sentence(STEPS, name, said.figures))
    if more and not said.parts:
        return "; ".join(english for english, _ in more), "；".join(chinese for _, chinese in more)
    return product(said.parts, said.amount_fen, more)


def product(parts: Sequence[Part], paid_fen: int, notes: Sequence[Text] = ()) -> Text:
    """Return cost × rate + … = what was paid, with notes, in English and Chinese; a part without rate is added.

    >>> product([(3_920_000, 820_000), (6_000_000, 880_000)], 8_494_400)
    ('39200.00 × 82% + 60000.00 × 88% = 84944.00', '39200.00 × 82% + 60000.00 × 88% = 84944.00元')
    >>> product([(10_000, 500_000)], 3_000)[0]
    '100.00 × 50% = 50.00, paid 30.00'
    >>> product([(10_000, 500_000), (-1_000, None)], 4_000, [("less the deductible", "扣起付线")])[0]
    '100.00 × 50% - 10.00 = 40.00 (less the deductible)'
    """
    terms = "".join(f" {'-' if cost < 0 else '+'} {_term(abs(cost), rate)}" for cost, rate in parts)
    text = terms.removeprefix(" + ") or "0"
    whole = per_million(sum(cost * (PPM if rate is None else rate) for cost, rate in parts))
    english, chinese = f"{text} = {yuan(paid_fen)}", f"{text} = {yuan(paid_fen)}元"
    if whole != paid_fen:
        result = f"{text} = {yuan(whole)}"
        english, chinese = f"{result}, paid {yuan(paid_fen)}", f"{result}元，实付{yuan(paid_fen)}元"
    if notes:
        english += f" ({'; '.join(note for note, _ in notes)})"
        chinese += f"（{'；'.join(note for _, note in notes)}）"
    return english, chinese


def _term(cost_fen: int, rate_ppm: int | None) -> str:
    return yuan(cost_fen) if rate_ppm is None else f"{yuan(cost_fen)} × {unit_text('percent', rate_ppm)}"
