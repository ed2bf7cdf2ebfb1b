"""The records that the stages of the cascade read and write, each value under its name.

A kernel takes one row of a structured array (``plan = plans[n]``) and reads ``plan.rate_ppm[group, level, tier]``,
``year.catastrophic_fen`` or ``work.deductible_fen``. A compiled plan is ``plan.keys.PLAN``; the other records are here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import numpy as np

from adjudicator import limits
from adjudicator.columns import ACCUMULATOR_COUNT, ACCUMULATOR_NAMES
from adjudicator.options import PaidCategory, choice_name
from adjudicator.payers import PAYERS

_NUMBERED = re.compile(r"(?P<head>.+)_\d+(?P<tail>_fen)?")

_PAID = tuple(f"pooled_{choice_name(kind)}_fen" for kind in PaidCategory)


def _field_of(name: str) -> str:
    """Return the field that holds an accumulator: numbered ones and those of a kind of care share an array.

    >>> _field_of("deductible_charged_level_3_fen"), _field_of("pooled_chronic_fen"), _field_of("tilt_fen")
    ('deductible_charged_level_fen', 'pooled_by_care_fen', 'tilt_fen')
    """
    if name in _PAID:
        return "pooled_by_care_fen"
    found = _NUMBERED.fullmatch(name)
    return name if found is None else found["head"] + (found["tail"] or "")


def _year() -> np.dtype:
    fields: list[tuple[Any, ...]] = []
    for field, members in groupby(ACCUMULATOR_NAMES, _field_of):
        names = list(members)
        fields.append((field, "i8") if names == [field] else (field, "i8", (len(names),)))
    return np.dtype(fields)


YEAR = _year()
"""A person's benefit year: the accumulators by name, over the same bytes as int64 slots (``columns.ACCUMULATORS``)."""
assert tuple(name for name in ACCUMULATOR_NAMES if name in _PAID) == _PAID
assert YEAR.itemsize == 8 * ACCUMULATOR_COUNT and YEAR.names is not None


def years_of(slots: np.ndarray) -> np.ndarray:
    """Return ``slots`` int64[n, slots] as YEAR[n]; both are the same memory."""
    assert slots.dtype == np.int64 and slots.flags.c_contiguous and slots.shape[1] == ACCUMULATOR_COUNT
    return slots.view(YEAR).reshape(len(slots))


WORK = np.dtype(
    [
        # What was chosen for the claim; the unsigned numbers are indices into the tables of the plan.
        ("plan", "i8"),  # plan row, -1 none
        ("group", "u8"), ("level", "u8"), ("category", "u8"), ("place", "u8"), ("filing", "u8"),
        ("channel", "u8"),
        ("error", "i8"),  # a stage found no value where the claim needs one
        ("stages", "i8"),  # bits of plan.keys.Stage: the stages that had a part in the answer
        ("in_chain", "i8"),  # 1 for a later stay of a referral chain
        ("stay_row", "i8"),  # a later part of a stay: 1 + row of the year before its first part, 0 none
        ("stay_charged_fen", "i8"),  # deductible that the earlier parts were charged
        ("stay_total_fen", "i8"),  # cost of these parts
        # What a programme of the pool changes.
        ("no_deductible", "i8"), ("no_cross_region", "i8"), ("no_cap", "i8"), ("rate_at_least_ppm", "i8"),
        # What the claim's disease changes.
        ("period_days", "i8"), ("disease_unverified", "i8"),
        # Cost (stage 2 and before).
        ("total_fen", "i8"), ("self_paid_fen", "i8"), ("over_ceiling_fen", "i8"), ("first_pay_fen", "i8"),
        ("in_scope_fen", "i8"), ("copay_free_fen", "i8"), ("special_drug_fen", "i8"),
        ("special_self_paid_fen", "i8"),
        ("extra_first_pay_fen", "i8"), ("minus_ppm", "i8"), ("factor_ppm", "i8"),
        ("cost_fen", "i8"),  # in scope without co-pay-free lines
        ("fixed_price_excess_fen", "i8"), ("account_first_fen", "i8"), ("base_fen", "i8"),
        # Deductible (stage 3).
        ("standard_fen", "i8"), ("due_fen", "i8"), ("deductible_fen", "i8"),
        ("shortfall_fen", "i8"), ("shortfall_used_fen", "i8"),
        # Pooled fund, caps, above the cap (stages 4 to 6).
        ("plus_ppm", "i8"), ("payable_fen", "i8"), ("room_fen", "i8"),
        ("tiers_exact", "i8"),  # sum of the tiers in fen * ppm
        ("over_cap_fen", "i8"),
        # What the guaranteed payment and the deductible after the rate leave to later parts of the stay.
        ("by_rate_fen", "i8"), ("guaranteed_fen", "i8"), ("deductible_left_fen", "i8"),
        ("coverable_fen", "i8"), ("floor_base_fen", "i8"),
        # The same as whole fen and a fraction of a fen, numerator / divisor.
        ("over_cap_whole_fen", "i8"), ("over_cap_numerator", "i8"), ("over_cap_divisor", "i8"),
        ("quota_left_fen", "i8"),  # of the disease's quota, -1 no quota
        ("quota_paid_fen", "i8"),
        # Burden left after the payers so far, in its four parts.
        ("left_in_scope_fen", "i8"), ("left_first_pay_fen", "i8"), ("left_over_ceiling_fen", "i8"),
        ("left_self_paid_fen", "i8"),
        # Of the burden left in scope: the deductible, and cost above the cap.
        ("left_deductible_fen", "i8"), ("left_above_cap_fen", "i8"),
        # Layers (stages 7 to 12).
        ("catastrophic_base_fen", "i8"), ("civil_servant_deductible_fen", "i8"),
        ("assistance_base_fen", "i8"), ("tilt_base_fen", "i8"),
        ("burden_in_scope_fen", "i8"),
        ("supplementary_base_fen", "i8", (limits.MAX_PROGRAMME_PARTS,)), ("supplementary_fen", "i8"),
        ("programme_fen", "i8"),
        # What each payer pays.
        *((column, "i8") for payer in PAYERS for column in payer.columns),
    ]
)  # fmt: skip
"""Amounts of one claim on its way through the stages. One that has the name of a column of BENEFIT is copied there
(``answer``), one that has the name of an accumulator is added to the year (``year``)."""

PART = np.dtype(
    [
        ("total_fen", "i8"),
        ("cost_fen", "i8"),  # in scope, without co-pay-free lines: what a fixed price limits
        ("base_fen", "i8"),  # that deductible and tiers see
        ("payable_fen", "i8"),  # after the deductible: what a maternity quota limits
        ("pooled_fen", "i8"),
        ("by_rate_fen", "i8"),  # payment by the rate alone
        ("guaranteed_fen", "i8"),  # what the guaranteed payment (V16) added, or took back
        ("deductible_left_fen", "i8"),  # deductible after the rate (V04) that the payment could not bear
        ("coverable_fen", "i8"),  # cost that the guaranteed payment may pay
        ("floor_base_fen", "i8"),  # cost of which it is a share
    ]
)
"""What one part of a stay that goes on was (mid-stay settlement), or the sum of some: what belongs to the stay as a
whole is given to a later part for the whole, less what the earlier parts had of it."""
assert set(PART.names or ()) <= set(WORK.names or ())


def words_called(record: np.dtype[Any], names: Iterable[str]) -> np.ndarray:
    """Return uint64[k]: the places of some fields among the words of 8 bytes of a record."""
    fields: Any = record.fields
    starts = ((fields[name][1] // 8, fields[name][0].itemsize // 8) for name in names)
    return np.array([start + word for start, count in starts for word in range(count)], np.uint64)


def common_words(source: np.dtype[Any], target: np.dtype[Any]) -> np.ndarray:
    """Return uint64[k, 2]: places in both records of the amounts that have the same name in both."""
    names = [name for name in source.names or () if name in (target.names or ())]
    names = [name for name in names if source[name].base == target[name].base == np.int64]
    return np.stack([words_called(source, names), words_called(target, names)], axis=1)
