"""Which rows of a compiled table of conditions take a claim."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.codes import Channel, Filing
from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.payment.case import Case, ClaimCodes
from adjudicator.payment.condition_terms import CONTRACT_ANY, CONTRACT_YES

_ONE = np.uint64(1)
NOT_DIRECT, DIRECT, COUNTER = int(Filing.NOT_DIRECT), int(Channel.DIRECT), int(Channel.COUNTER)


@uncounted_inlined
def in_mask(mask: Any, number: int) -> Any:
    """Return 1 where a set of small numbers, one bit each, holds a number, else 0."""
    return (mask >> np.uint64(number)) & _ONE


@uncounted_inlined
def in_set(rules: Any, number: int, member: int) -> bool:
    """Return whether a set (-1: everything) holds an id; ids beyond the set count as not listed."""
    result = True
    if number >= 0:
        start, end = rules.set_starts[number], rules.set_starts[number + 1]
        place = start + member + 1
        if member < 0 or place >= end:
            place = start
        result = rules.set_members[place] != 0
    return result


@uncounted_inlined
def channel_of(claim: Any) -> int:
    """Return how a claim is settled, a number of codes.Channel; the filing class "not direct" says it too."""
    return COUNTER if claim.settled_at_counter != 0 or claim.filing == NOT_DIRECT else DIRECT


@uncounted_inlined
def fits(rules: Any, codes: ClaimCodes, case: Case, row: int) -> bool:
    """Return whether a condition accepts a claim."""
    condition, claim, group = rules.conditions[row], case.claim, case.group
    accepted = (
        in_mask(condition.care_kinds, claim.care_kind)
        & in_mask(condition.schemes, claim.scheme)
        & in_mask(condition.places, claim.place)
        & in_mask(condition.filings, claim.filing)
        & in_mask(condition.channels, channel_of(claim))
        & in_mask(condition.statuses, group.status)
        & in_mask(condition.maternity_types, claim.maternity_type)
        & in_mask(condition.person_types, claim.person_type)
        & in_mask(condition.assistances, claim.assistance)
    )
    ok = (
        accepted == _ONE
        and (condition.contract == CONTRACT_ANY or (condition.contract == CONTRACT_YES) == case.contract)
        and condition.stay_from_days <= claim.stay_days <= condition.stay_to_days
        and condition.age_from_years <= claim.age_years <= condition.age_to_years
        and in_set(rules, condition.hospitals, claim.hospital)
        and in_set(rules, condition.departments, claim.department)
        and in_set(rules, condition.diseases, claim.disease)
        and in_set(rules, condition.drgs, group.drg)
    )
    if ok and condition.diagnoses >= 0:
        first = codes.diagnosis_offsets[case.row]
        principal = codes.diagnoses[first] if codes.diagnosis_offsets[case.row + 1] > first else -1
        ok = in_set(rules, condition.diagnoses, principal)
    if ok and condition.procedures >= 0:
        ok = False
        for place in range(codes.procedure_offsets[case.row], codes.procedure_offsets[case.row + 1]):
            if in_set(rules, condition.procedures, codes.procedures[place]):
                ok = True
    return bool(ok)


@uncounted_inlined
def deciding_row(rules: Any, codes: ClaimCodes, case: Case) -> int:
    """Return the row of the method table that decides, the fitting one of highest priority; -1 where none fits."""
    decided = -1
    if case.epoch >= 0:
        care = rules.epochs[case.epoch].by_kind + case.claim.care_kind
        place, end = rules.kind_starts[care], rules.kind_starts[care + 1]
        while place < end:
            if fits(rules, codes, case, rules.kind_rows[place]):
                decided = rules.kind_rows[place]
                place = end
            place += 1
    return decided


@uncounted_inlined
def highest_rate(rules: Any, codes: ClaimCodes, case: Case, start: int, end: int) -> tuple[int, int]:
    """Return the highest rate (ppm) of the rows that fit, 0 where none fits, and whether it is unverified.

    Rates do not add up (docs/law.md#S-29).
    """
    rate, unverified = 0, 0
    if start < end:
        rate, unverified = _highest_of(rules, codes, case, start, end)
    return rate, unverified


@uncounted_kernel
def _highest_of(rules: Any, codes: ClaimCodes, case: Case, start: int, end: int) -> tuple[int, int]:
    """Return :func:`highest_rate` of at least one row; compiled apart, because few tables have such rows."""
    rate, unverified = 0, 0
    for row in range(start, end):
        if rules.conditions[row].rate_ppm > rate and fits(rules, codes, case, row):
            rate, unverified = rules.conditions[row].rate_ppm, rules.conditions[row].unverified
    return rate, unverified
