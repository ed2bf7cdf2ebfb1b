"""Which claims deserve a second look: a sieve in the kernel, so that a claim in order costs some comparisons.

What passes the sieve is looked at again by ``claim.warnings``, which decides and says what is doubtful. The sieve may
let a claim in order through, never one that has a warning.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator import limits
from adjudicator.catalogue.line_amounts import is_beyond_rounding
from adjudicator.codes import PERSON_TYPES, Filing, Place, Scheme
from adjudicator.compiled.dates import day_number
from adjudicator.compiled.jit import int64, uncounted_inlined

LOCAL, RESIDENT = int(Place.LOCAL), int(Scheme.RESIDENT)
NOT_FILED, TEMPORARY = int(Filing.NONE), int(Filing.TEMPORARY)
MALE = 1
LATE_DAYS, LEAST_WEIGHT, MOST_WEIGHT = limits.LATE_DAYS, limits.LEAST_BIRTH_WEIGHT_G, limits.MOST_BIRTH_WEIGHT_G
MOST_AGE, MOST_FETUSES, MOST_BALANCE = (
    limits.MOST_USUAL_AGE_YEARS,
    limits.MOST_USUAL_FETUSES,
    limits.MOST_USUAL_BALANCE_FEN,
)
INFANT_DAYS = 366
"""Days of the first year of life at most."""
DAY_HOURS = 24

AGES_OF_TYPE: dict[str, tuple[int, int]] = {"12": (40, MOST_AGE), "14": (0, 25), "1405": (0, 2), "16": (55, MOST_AGE)}
"""Beginning of a person type (retired, minors, newborns, elderly) -> ages in years that are usual; others have none."""
_USUAL_AGES = np.array([(0, limits.MAX_AGE_YEARS)] * len(PERSON_TYPES), np.int64)
for _number, _code in enumerate(PERSON_TYPES):
    for _beginning, _ages in AGES_OF_TYPE.items():
        if _code.startswith(_beginning):
            _USUAL_AGES[_number] = _ages


class Care(NamedTuple):
    """The days of the care and its kind, as plain integers."""

    first: int
    last: int
    inpatient: bool
    price_rounding: int
    """the strictest choice of ``catalogue.settings.OPTIONS`` that a pack of the bundle makes"""


@uncounted_inlined
def care_of(wire: Any, inpatient: bool, price_rounding: int) -> Care:
    """Return the days from admission to discharge, or to the settlement where there is no discharge."""
    last = int64(wire.discharge_date)
    if last == 0:
        last = int64(wire.settlement_date)
    return Care(int64(wire.admission_date), last, inpatient, int64(price_rounding))


@uncounted_inlined
def line_is_doubtful(line: Any, care: Care) -> bool:
    """Return whether a fee line must be looked at: its day, its flags, what it takes back, its price."""
    before = line.before_admission != 0
    outside = (line.fee_date < care.first) | (line.fee_date > care.last)
    doubtful: bool = (
        (outside & (not before))
        | (before & (line.fee_date > care.first))
        | (before & (care.first - line.fee_date > limits.BEFORE_ADMISSION_DAYS))  # as numbers, months apart
        | ((line.original_line_id_size > 0) & (line.quantity_e4 > 0))
        | ((line.discharge_drug != 0) & (not care.inpatient))
    )
    amount = abs(line.amount_fen)
    return doubtful or is_beyond_rounding(care.price_rounding, line.unit_price_e4, abs(line.quantity_e4), amount)


@uncounted_inlined
def days_are_doubtful(wire: Any, inpatient: bool) -> bool:
    """Return whether the days of a stay contradict its dates, which are in order, or the settlement is late."""
    end = int64(wire.discharge_date)
    if end == 0:
        end = int64(wire.settlement_date) if inpatient else int64(wire.admission_date)
    last = day_number(end)
    doubtful = wire.settlement_date != end and day_number(int64(wire.settlement_date)) - last > LATE_DAYS
    if inpatient and (wire.has_stay_days != 0 or wire.icu_hours != 0):
        days = last - day_number(int64(wire.admission_date))
        if wire.has_stay_days != 0 and wire.mid_stay == 0:
            doubtful |= abs(int64(wire.stay_days) - max(days, 1)) > 1
        doubtful |= int64(wire.icu_hours) > (days + 1) * DAY_HOURS
    return bool(doubtful)


@uncounted_inlined
def person_is_doubtful(wire: Any, claim: Any) -> bool:
    """Return whether age, sex, birth weight, maternity or person type contradict each other or are unusual."""
    years = int64(wire.age_years)
    days = int64(wire.age_days)
    weight = wire.birth_weight_g
    doubtful = wire.maternity_type != 0 and wire.sex == MALE
    doubtful |= weight != 0 and (weight < LEAST_WEIGHT or weight > MOST_WEIGHT)
    doubtful |= wire.fetus_count > MOST_FETUSES
    if wire.has_age_years != 0:
        ages = _USUAL_AGES[np.uint64(claim.person_type)]
        doubtful |= years < ages[0] or years > ages[1] or years > MOST_AGE
        doubtful |= weight != 0 and years > 0
        doubtful |= wire.has_age_days != 0 and (days < 365 * years or days > 366 * (years + 1))
    if wire.has_age_days != 0:
        doubtful |= weight != 0 and days > INFANT_DAYS
    return bool(doubtful)


@uncounted_inlined
def is_doubtful(wire: Any, claim: Any, inpatient: bool) -> bool:
    """Return whether a claim (wire row, CLAIM) must be looked at; what its lines say is not asked here."""
    doubtful = claim.hospital >= 0 and (wire.hospital_level_size > 0 or claim.place != LOCAL)
    doubtful |= claim.place == LOCAL and (wire.filing == NOT_FILED or wire.filing == TEMPORARY)
    doubtful |= wire.mid_stay != 0 and (wire.discharge_date != 0 or wire.settled_at_counter != 0)
    doubtful |= not inpatient and (wire.icu_hours != 0 or wire.mid_stay != 0 or wire.stay_days > 1)
    doubtful |= wire.contribution_tier != 0 and claim.scheme != RESIDENT
    doubtful |= wire.civil_servant != 0 and claim.scheme == RESIDENT
    doubtful |= wire.account_current_fen > MOST_BALANCE or wire.account_past_fen > MOST_BALANCE
    doubtful |= wire.account_family_fen > MOST_BALANCE
    if claim.stay_days > 0 or wire.has_stay_days != 0:  # the dates are in order, or the claim is refused
        doubtful |= days_are_doubtful(wire, inpatient)
    return bool(doubtful) or person_is_doubtful(wire, claim)
