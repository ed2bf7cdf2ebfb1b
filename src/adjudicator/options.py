"""The points where cities differ (V01–V19) and the readings of the documents, as enumerated options of a plan.

A pack names an option in words (``deductible_counting = "year_highest"``); kernels compare its number. Numbers are part
of compiled bundles, so members are only ever appended. The member 0 is the default reading.
Source of each: docs/readings.md.
"""

from __future__ import annotations

from enum import IntEnum


class DeductibleCounting(IntEnum):
    """V01: how often the deductible is charged."""

    NONE = 0
    PER_STAY = 1
    """Each stay (or visit) its standard; nth stay, yearly ceilings and long-stay periods apply."""
    YEAR_HIGHEST = 2
    """Once a year at the highest standard used; readings R01, R01b, R01c in :class:`HighestReading`."""
    YEAR_PER_LEVEL = 3
    """A yearly amount for each level group (R16); the yearly ceiling holds for all together."""


class HighestReading(IntEnum):
    """R01: what a later stay owes where the deductible is counted once a year at the highest level."""

    HIGHEST_LESS_CHARGED = 0
    UNUSED_IS_LOST = 1
    OWN_LESS_CHARGED = 2


class NthOver(IntEnum):
    """V01: which stays are counted for a lower deductible of later stays."""

    ALL_LEVELS = 0
    SAME_LEVEL = 1


class Account(IntEnum):
    """Which year-to-date amounts a plan counts in: of inpatient-like or of outpatient care."""

    INPATIENT = 0
    OUTPATIENT = 1
    NONE = 2


class ReferralDeductible(IntEnum):
    """V03, R27: the deductible of a referral chain."""

    NORMAL = 0
    LESS_CHARGED = 1
    """Up or sideways: the difference to what the chain has paid; down: none; no new admission."""
    LESS_STANDARD = 2
    """The difference to the standard of the stay before."""


class DeductiblePosition(IntEnum):
    """V04: the deductible is taken off the cost, or off the fund's payment."""

    BEFORE_RATE = 0
    AFTER_RATE = 1


class TierMeasure(IntEnum):
    """V06, R03: on what scale the tiers of the rate lie."""

    YEAR_COST = 0
    YEAR_AFTER_DEDUCTIBLE = 1
    STAY_COST = 2
    STAY_AFTER_DEDUCTIBLE = 3


class CapMeasure(IntEnum):
    """V07: a cap on the fund paid or on the cost entering."""

    PAID = 0
    COST = 1


class FundRounding(IntEnum):
    """V19, R06: the tiers are summed exactly and the fund is rounded once, or each tier is rounded."""

    ONCE = 0
    EACH_TIER = 1


class BandOrigin(IntEnum):
    """V10: the bands of catastrophic insurance on the burden from 0, or on the burden above the threshold."""

    ZERO = 0
    THRESHOLD = 1


class Increment(IntEnum):
    """R07, R34: what a claim is paid of a benefit that is measured over the year."""

    ROUNDED_DIFFERENCE = 0
    """f(base after) - f(base before), rounded."""
    DIFFERENCE_OF_ROUNDED = 1
    """Rounded f(base after) less rounded f(base before)."""
    YEAR_LESS_PAID = 2
    """Rounded f(base after) less what the year was paid: the year is recomputed with the parameters of the day."""


class TakenFrom(IntEnum):
    """R09: which burden a payment of catastrophic insurance lowers first."""

    IN_SCOPE_FIRST = 0
    PRO_RATA = 1


class Position(IntEnum):
    """V18, R35: the civil-servant supplement after or before catastrophic insurance."""

    AFTER_CATASTROPHIC = 0
    BEFORE_CATASTROPHIC = 1


class Payer(IntEnum):
    """Result column of what is paid above the cap and of catastrophic insurance."""

    LARGE_SUM = 0
    """``hifob_pay``."""
    CATASTROPHIC = 1
    """``hifmi_pay``."""


class AccountPosition(IntEnum):
    """V13, R20: the personal account pays last and changes no fund, or before the deductible as in the old rules."""

    LAST = 0
    BEFORE_DEDUCTIBLE = 1


class CeilingExcess(IntEnum):
    """V12: cost over the price ceiling is outside the catalogue, or the patient's in-catalogue share."""

    OUTSIDE = 0
    INSIDE = 1


class FloorBase(IntEnum):
    """V16, R29: of what the guaranteed payment is a share."""

    IN_SCOPE = 0
    TOTAL = 1


class QuotaMode(IntEnum):
    """Maternity and fixed-price care: how a quota replaces or limits the rate."""

    NONE = 0
    COST_UP_TO_QUOTA = 1
    """The in-scope cost is paid in full up to the quota, above it at the excess rate."""
    PAYMENT_UP_TO_QUOTA = 2
    """The rate applies, the payment ends at the quota."""


class ExtraPosition(IntEnum):
    """R25: the extra cross-region first-pay once on the claim, or line by line."""

    CLAIM = 0
    LINES = 1


class FixedPrice(IntEnum):
    """Single-disease and day-surgery care with a price per disease (section 10.11)."""

    OFF = 0
    SHARE_OF_PRICE = 1
    """The normal shares of the price; in-scope cost above it is borne by the hospital."""


class BurdenPart(IntEnum):
    """Parts of the personal burden, as bits."""

    IN_SCOPE = 1
    """Co-pay within the in-scope amount."""
    FIRST_PAY = 2
    OVER_CEILING = 4
    SELF_PAID = 8
    DEDUCTIBLE = 16
    EXTRA_FIRST_PAY = 32
    ABOVE_CAP = 64
    SPECIAL_DRUGS = 128


class PaidCategory(IntEnum):
    """Under which kind of care the pooled fund's payment is counted for the year; caps name the ones that fill them."""

    INPATIENT = 0
    OUTPATIENT = 1
    CHRONIC = 2
    SPECIAL = 3
    TWO_DISEASES = 4
    DUAL_CHANNEL = 5
    MATERNITY = 6
    PRENATAL = 7


class YearBy(IntEnum):
    """V08: the date that decides the benefit year, and the one that decides which rule holds."""

    DISCHARGE = 0
    SETTLEMENT = 1
    ADMISSION = 2


class QuotaPeriod(IntEnum):
    """Period of a disease quota."""

    NONE = 0
    MONTH = 1
    QUARTER = 2
    YEAR = 3


def choice_name(member: IntEnum) -> str:
    """Return the word for an option in a pack: its name in lower case."""
    return member.name.lower()
