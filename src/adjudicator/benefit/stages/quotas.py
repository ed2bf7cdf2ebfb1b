"""Quotas of the pooled fund: maternity, a disease's quota of a period, the fixed price of a disease."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjudicator.benefit.amounts import not_negative
from adjudicator.benefit.plan.keys import AXIS_LENGTH, UNDEFINED
from adjudicator.benefit.trace import TRACED, trace
from adjudicator.compiled.jit import inlined
from adjudicator.compiled.rounding import per_million
from adjudicator.errors import E
from adjudicator.options import FixedPrice
from adjudicator.rounding import PPM

RULE_UNDEFINED = int(E.RULE_UNDEFINED)
OF_QUOTA, OF_PRICE, OF_STAY = 0, 1, 2
"""What an entry of a disease is."""
WAIVED_BY_DISEASE, WAIVED_BY_WARD = 2, 3
"""In ``work.no_deductible``; 1 is a programme."""
MATERNITY_TYPES = AXIS_LENGTH["maternity"]


@inlined
def quota_of(plan: Any, claim: Any, work: Any) -> int:
    """Return the maternity quota by class, more for each further child; an undefined class is an error."""
    kind = claim.maternity_type
    quota: int = UNDEFINED
    if kind >= 0 and kind < MATERNITY_TYPES:
        quota = plan.maternity_quota_fen[kind]
    if quota < 0:
        if work.base_fen > 0:
            work.error = RULE_UNDEFINED
        quota = 0
    quota += not_negative(claim.fetus_count - 1) * plan.maternity_child_fen
    return quota


@inlined
def maternity_quota(plan: Any, claim: Any, stay: Any, work: Any) -> int:
    """Return the cost up to the quota in full, above it at the excess rate; never more than the cost.

    A quota is one of the stay: the cost of its earlier parts has filled it first.
    """
    cost = work.base_fen - work.deductible_fen
    quota = quota_of(plan, claim, work)
    within = min(cost, not_negative(quota - stay.payable_fen))
    paid: int = within + per_million((cost - within) * plan.quota_excess_ppm) + work.copay_free_fen
    if TRACED:
        trace.part("pooled", within, PPM)
        trace.cite("pooled", "quota_mode")
        trace.cite("pooled", "maternity_quota_yuan")
        trace.note("pooled", "cost_up_to_quota")
        if stay.payable_fen > 0:
            trace.note("pooled", "quota_of_earlier_parts", min(stay.payable_fen, quota))
        if plan.quota_excess_ppm > 0 and cost > within:
            trace.part("pooled", cost - within, plan.quota_excess_ppm)
            trace.because("pooled", "quota_excess_percent")
        trace.plus("pooled", work.copay_free_fen)
        if work.copay_free_fen > 0:
            trace.note("pooled", "copay_free", work.copay_free_fen)
    return paid


@inlined
def narrowest(values: np.ndarray, ranges: np.ndarray, listed: int, claim: Any, group: int, what: int) -> int:
    """Return the entry with a quota, a price or terms of a stay for the claim's care and day; -1 none.

    ``listed`` is the claim's disease or ward, and ``ranges`` RANGE[packs, diseases or wards] of ``values``.

    The narrowest entry that fits decides: one of a person group before one of a scheme before one for all.
    """
    found, narrow = -1, -1
    if listed >= 0 and listed < ranges.shape[1]:
        entries = ranges[np.uint64(claim.pack), np.uint64(listed)]
        for entry in range(entries.start, entries.end):
            value = values[np.uint64(entry)]
            fits = (value.scheme == 0 or value.scheme == claim.scheme) and (value.group < 0 or value.group == group)
            fits = fits and (value.care >> claim.care_kind) & 1 != 0
            fits = fits and value.from_date <= claim.rule_date and claim.rule_date <= value.to_date
            number = value.quota_fen if what == OF_QUOTA else value.price_fen if what == OF_PRICE else value.period_days
            fits = fits and number >= 0
            width = (2 if value.group >= 0 else 0) + (1 if value.scheme > 0 else 0)
            if fits and width > narrow:
                found, narrow = entry, width
    return found


@inlined
def quota_left(values: np.ndarray, entry: int, quotas: np.ndarray, claim: Any) -> int:
    """Return what is left of the disease's quota in its period, -1 where there is none."""
    left = -1
    if entry >= 0:
        used = quotas[np.uint64(claim.quota)].used_fen if claim.quota >= 0 else 0
        value = values[np.uint64(entry)]
        left = not_negative(value.quota_fen - used)
        if TRACED:
            trace.cite_disease("pooled", entry)
    return left


@inlined
def fixed_price_excess(plan: Any, values: np.ndarray, ranges: np.ndarray, claim: Any, stay: Any, work: Any) -> int:
    """Return the in-scope cost above the fixed price of the disease; the hospital bears it.

    A price is one of the stay: the cost of its earlier parts has filled it first.
    """
    excess = 0
    if plan.fixed_price == FixedPrice.SHARE_OF_PRICE:
        entry = narrowest(values, ranges, claim.disease, claim, work.group, OF_PRICE)
        if entry >= 0:
            value = values[np.uint64(entry)]
            excess = not_negative(work.cost_fen - not_negative(value.price_fen - stay.cost_fen))
            work.disease_unverified |= value.unverified
            if TRACED:
                trace.cite_disease("over_fixed_price", entry)
                if stay.cost_fen > 0:
                    trace.note("over_fixed_price", "price_of_earlier_parts", min(stay.cost_fen, value.price_fen))
    return excess


@inlined
def terms_of_stay(plan: Any, rules: Any, claim: Any, work: Any) -> None:
    """Fill after how many days a long stay is charged again (V01, R33).

    The claim's disease decides, else the ward, else the level of the hospital.
    """
    values = rules.disease_values
    work.period_days = plan.deductible_period_days[work.level]
    waived = WAIVED_BY_DISEASE
    entry = narrowest(values, rules.disease_ranges, claim.disease, claim, work.group, OF_STAY)
    if entry < 0:
        waived = WAIVED_BY_WARD
        entry = narrowest(values, rules.ward_ranges, claim.ward, claim, work.group, OF_STAY)
    if entry >= 0:
        value = values[np.uint64(entry)]
        work.period_days = value.period_days
        work.disease_unverified |= value.unverified
        if value.no_deductible != 0 and work.no_deductible == 0:
            work.no_deductible = waived
        if TRACED:
            trace.cite_disease("deductible", entry)
