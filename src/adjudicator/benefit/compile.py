"""The benefit rules of some packs, compiled: plans, tables by code, and the options of the benefit year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adjudicator import limits
from adjudicator.benefit.diseases import compile_diseases, values_of
from adjudicator.benefit.plan.compile import Plans, compile_plans
from adjudicator.benefit.plan.keys import PLAN
from adjudicator.benefit.plan.source import SCHEME_WORDS
from adjudicator.benefit.programmes import compile_programmes
from adjudicator.benefit.tables import Rules
from adjudicator.codes import PERSON_TYPES, Scheme
from adjudicator.rulefile.dated import Source
from adjudicator.rulefile.pack import Pack


@dataclass(frozen=True, slots=True)
class Benefit:
    """Everything of a bundle that decides what funds and persons pay; a pack's number is its position."""

    plans: Plans
    rules: Rules
    """What the kernel reads."""
    disease_sources: tuple[Source, ...]
    """Where each row of ``rules.disease_values`` stands."""
    programme_sources: tuple[tuple[Source, ...], ...]
    """Where the programmes of each pack stand, beginning with programme 1."""
    rule_date: np.ndarray
    """int8[packs]: options.YearBy."""
    benefit_year: np.ndarray
    """int8[packs]: options.YearBy."""
    year_begins: np.ndarray
    """int32[packs]: month and day (MMDD) on which a benefit year begins."""


def compile_benefit(packs: Sequence[Pack]) -> Benefit:
    """Return the compiled benefit rules of some packs."""
    plans = compile_plans(packs)
    rows = plans.rows
    if not len(rows):  # the kernel takes at least one row; no claim reaches it
        rows = np.zeros(1, PLAN)
        rows.setflags(write=False)
    of_diseases = compile_diseases(packs)
    return Benefit(
        plans,
        Rules(rows, plans.selector, plans.spans, _person_groups(packs), *of_diseases, compile_programmes(packs)),
        disease_sources=tuple(value.source for pack in packs for value in values_of(pack)),
        programme_sources=tuple(tuple(programme.source for programme in pack.programmes) for pack in packs),
        rule_date=np.array([pack.rule_date for pack in packs], np.int8),
        benefit_year=np.array([pack.benefit_year for pack in packs], np.int8),
        year_begins=np.array([pack.year_begins for pack in packs], np.int32),
    )


def _person_groups(packs: Sequence[Pack]) -> np.ndarray:
    """Return int8[packs, schemes, person types, tiers].

    A four-digit person type takes the group of its own entry, else that of its first two digits.
    """
    table = np.full((len(packs), len(Scheme), len(PERSON_TYPES), limits.MAX_CONTRIBUTION_TIERS), -1, np.int8)
    for number, pack in enumerate(packs):
        entries = [
            (code, position, group)
            for position, group in enumerate(pack.person_groups)
            for code in group.person_types
        ]  # fmt: skip
        for code, position, group in sorted(entries, key=lambda entry: len(entry[0])):
            tiers = list(group.contribution_tiers) or list(range(limits.MAX_CONTRIBUTION_TIERS))
            for dense, person_type in enumerate(PERSON_TYPES):
                if person_type and person_type.startswith(code):
                    table[number, SCHEME_WORDS[group.scheme], dense, tiers] = position
    return table
