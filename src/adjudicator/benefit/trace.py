"""What the stages say about a claim that is explained: parts, reasons and steps, in the order in which they happen.

A stage speaks under ``if TRACED:``. The constant is False, so that Numba removes these branches before it gives types
to a kernel and compiled code has no trace of them (tests/benefit/test_trace.py). An explanation runs the same source in
Python with ``TRACED`` true and a ``trace`` of its own (``compiled.interpret``, ``benefit.explain``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

TRACED = False
"""True only in the variant of the stages that explains a claim."""
PROGRAMME = "programme"
"""Stands for the claim's programme among the keys of a plan."""

Part = tuple[int, int | None]
"""A cost and its rate in parts per million; without a rate an amount that is added as it is."""


@dataclass(slots=True)
class StepTrace:
    """What was said about one step; amounts in fen, rates in parts per million."""

    parts: list[Part] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """Keys of the plan that had a part in the amount, or PROGRAMME."""
    notes: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    """Id of a sentence (``benefit.sentences``) and the amounts in it."""
    disease_values: list[int] = field(default_factory=list)
    """Rows of ``Rules.disease_values``, of diseases and wards, that had a part in it."""
    is_whole: bool = False
    amount_fen: int = 0
    figures: tuple[int, ...] = ()
    """Amounts in the sentence of the step itself."""


class Trace:
    """Collects what the stages say, by step (``steps.STEP_NAMES``)."""

    def __init__(self) -> None:
        self.open: dict[str, StepTrace] = {}
        self.steps: dict[str, StepTrace] = {}
        """The steps that have an amount, in the order of the cascade."""

    def of(self, step: str) -> StepTrace:
        """Return what has been said about a step so far."""
        return self.open.setdefault(step, StepTrace())

    def part(self, step: str, cost_fen: int, rate_ppm: int) -> None:
        """Note that a rate was applied to a cost; a cost of 0 is no part."""
        said = self.of(step)
        if cost_fen and not said.is_whole:
            said.parts.append((int(cost_fen), int(rate_ppm)))

    def plus(self, step: str, amount_fen: int) -> None:
        """Note that an amount was added, or taken off where it is below 0."""
        if amount_fen:
            self.of(step).parts.append((int(amount_fen), None))

    def whole(self, step: str) -> None:
        """Note that the parts of a step are complete: what the same formula computes next is for another purpose."""
        self.of(step).is_whole = True

    def cite(self, step: str, key: str, holds: bool = True) -> None:
        """Note that a value of the plan had a part in a step, where the condition holds."""
        said = self.of(step)
        if holds and key not in said.keys:
            said.keys.append(key)

    def cite_disease(self, step: str, entry: int) -> None:
        """Note that a quota or a price of the claim's disease had a part in a step."""
        self.of(step).disease_values.append(int(entry))

    def note(self, step: str, sentence: str, *amounts_fen: int) -> None:
        """Add a sentence to a step."""
        said = self.of(step)
        if all(sentence != id for id, _ in said.notes):
            said.notes.append((sentence, tuple(map(int, amounts_fen))))

    def because(self, step: str, key: str, holds: bool = True) -> None:
        """Note that a rule changed an amount, where the condition holds: cite its key and say so in its sentence."""
        if holds:
            self.cite(step, key)
            self.note(step, key)

    def join(self, step: str, other: str) -> None:
        """Count what was said about ``other``, which is no step of its own, as said about a step."""
        said = self.of(other)
        for key in said.keys:
            self.cite(step, key)
        for sentence, amounts in said.notes:
            self.note(step, sentence, *amounts)

    def step(self, step: str, amount_fen: int, *figures_fen: int) -> None:
        """Note that a step took an amount; the figures are those in the sentence of the step."""
        assert step not in self.steps, f"{step} was taken twice"
        said = self.of(step)
        said.amount_fen, said.figures = int(amount_fen), tuple(map(int, figures_fen))
        self.steps[step] = said


trace = Trace()
"""Replaced by the trace of one claim where ``TRACED`` is true; nothing else speaks to it."""
