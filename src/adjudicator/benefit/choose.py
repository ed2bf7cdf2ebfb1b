"""What holds for a claim: the plan row of its day, its person group, and the programme that it names."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator import limits
from adjudicator.benefit.plan.keys import AXIS_LENGTH
from adjudicator.benefit.stages.deductible import in_referral_chain
from adjudicator.codes import Channel, Filing, Place
from adjudicator.compiled.jit import inlined
from adjudicator.errors import E
from adjudicator.options import StayOverYear

NO_RULE_ON_DATE, NO_PLAN, RULE_UNDEFINED = int(E.NO_RULE_ON_DATE), int(E.NO_PLAN), int(E.RULE_UNDEFINED)
CARE_NOT_COVERED, UNKNOWN_PROGRAMME = int(E.CARE_NOT_COVERED), int(E.UNKNOWN_PROGRAMME)
INVALID_CODE_VALUE = int(E.INVALID_CODE_VALUE)
FILINGS, LEVELS, CATEGORIES = AXIS_LENGTH["filing"], AXIS_LENGTH["level"], AXIS_LENGTH["category"]
NOT_FILED, MAX_FETUSES = int(Filing.NONE), limits.MAX_FETUSES
NOT_DIRECT, DIRECT, COUNTER = int(Filing.NOT_DIRECT), int(Channel.DIRECT), int(Channel.COUNTER)


@inlined
def plan_row(selector: np.ndarray, spans: np.ndarray, claim: Any, filing: int, channel: int) -> int:
    """Return the plan row of a claim, or minus the number of the error."""
    row = -NO_PLAN
    inside = claim.pack >= 0 and claim.care_kind >= 0 and claim.care_kind < selector.shape[2]
    inside = inside and claim.scheme >= 0 and claim.scheme < selector.shape[1]
    if inside and claim.place >= Place.LOCAL and claim.place <= Place.OUTSIDE:
        cell = selector[
            np.uint64(claim.pack), np.uint64(claim.scheme), np.uint64(claim.care_kind), np.uint64(claim.place),
            np.uint64(filing), np.uint64(channel),
        ]  # fmt: skip
        if cell.start < cell.end:
            row = -NO_RULE_ON_DATE
            for entry in range(cell.start, cell.end):
                span = spans[np.uint64(entry)]
                if span.from_date <= claim.rule_date and claim.rule_date <= span.to_date:
                    row = span.row if span.row >= 0 else -RULE_UNDEFINED
    return row


@inlined
def group_of(person_group: np.ndarray, claim: Any) -> int:
    """Return the person group of the pack by person type and contribution tier, -1 none."""
    group, tier = -1, claim.contribution_tier
    if claim.person_type < person_group.shape[2] and tier >= 0 and tier < person_group.shape[3]:
        group = person_group[
            np.uint64(claim.pack), np.uint64(claim.scheme), np.uint64(claim.person_type), np.uint64(tier)
        ]
    return group


@inlined
def codes_fit(claim: Any) -> bool:
    """Return whether the numbers that index a table of the plan lie inside it; a claim on the wire has been checked."""
    fit: bool = claim.assistance >= 0 and claim.assistance < CATEGORIES and claim.filing >= 0 and claim.filing < FILINGS
    fit = fit and claim.fetus_count <= MAX_FETUSES
    return fit


@inlined
def filing_of(claim: Any) -> int:
    """Return the filing class that decides; care elsewhere without one is not filed."""
    unfiled = claim.place != Place.LOCAL and claim.filing == Filing.UNSPECIFIED
    return NOT_FILED if unfiled else claim.filing


@inlined
def channel_of(claim: Any) -> int:
    """Return how the claim is settled."""
    return COUNTER if claim.settled_at_counter != 0 or claim.filing == NOT_DIRECT else DIRECT


@inlined
def find_plan(rules: Any, claim: Any) -> int:
    """Return the plan row of a claim, or minus the number of the error."""
    found = -INVALID_CODE_VALUE
    if codes_fit(claim):
        found = plan_row(rules.selector, rules.spans, claim, filing_of(claim), channel_of(claim))
    return found


@inlined
def take_plan(rules: Any, claim: Any, found: int, work: Any) -> int:
    """Fill plan row, person group and the indices of the claim; return the error, 0 none."""
    error, group = max(-found, 0), -1
    if error == 0:
        plan = rules.plans[np.uint64(found)]
        group = group_of(rules.person_group, claim)
        if group < 0 or (plan.requires_disease != 0 and claim.disease < 0):
            error = CARE_NOT_COVERED
        elif claim.deductible_level < 0 or claim.deductible_level >= LEVELS:
            error = RULE_UNDEFINED
        work.in_chain = in_referral_chain(plan, claim)
        work.stay_row, work.stay_charged_fen = claim.stay_row, claim.stay_charged_fen
        if plan.deductible_over_year == StayOverYear.ONCE:
            work.stay_row, work.stay_charged_fen = claim.stay_row_over_years, claim.stay_charged_over_years_fen
    work.plan, work.group, work.level, work.category = found, group, claim.deductible_level, claim.assistance
    work.place, work.filing, work.channel = claim.place, filing_of(claim), channel_of(claim)
    return error


@inlined
def choose_programme(programmes: np.ndarray, claim: Any, work: Any) -> int:
    """Fill what the claim's programme changes; return the error, 0 none. It must run on the day of admission."""
    error = UNKNOWN_PROGRAMME
    if claim.programme < programmes.shape[1]:
        programme = programmes[np.uint64(claim.pack), np.uint64(claim.programme)]
        begun = programme.from_date != 0 and programme.from_date <= claim.admission_date
        if begun and claim.admission_date <= programme.to_date:
            error = 0
            work.no_deductible, work.no_cross_region = programme.no_deductible, programme.no_cross_region
            work.no_cap, work.rate_at_least_ppm = programme.no_cap, programme.rate_at_least_ppm
    return error


@inlined
def choose_found(rules: Any, claim: Any, found: int, work: Any) -> int:
    """Fill what holds for the claim by its plan row, as ``find_plan`` returns it; return the error, 0 none.

    A person whose benefits are suspended has no plan.
    """
    error = 0
    work.plan = -1
    if claim.suspended == 0:
        error = take_plan(rules, claim, found, work)
    if error == 0 and claim.programme > 0:
        error = choose_programme(rules.programmes, claim, work)
    return error


@inlined
def choose(rules: Any, claim: Any, work: Any) -> int:
    """Fill what holds for the claim; return the error, 0 none."""
    return choose_found(rules, claim, find_plan(rules, claim), work)
