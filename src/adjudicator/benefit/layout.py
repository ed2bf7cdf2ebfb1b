"""Numbers that the benefit kernel takes for granted: columns of a plan, slots of the year, options, work amounts.

Machine code is cached by the content of kernel files. ``LAYOUT`` repeats the digest of everything taken from ``rules``
and ``columns``, so that a changed plan layout fails here until this file is changed too.
"""

from __future__ import annotations

from adjudicator import limits
from adjudicator import options as o
from adjudicator.benefit.plan.keys import AXIS_LENGTH, NO_LIMIT, OFFSET, UNDEFINED, layout_digest
from adjudicator.codes import CareKind, Filing, Place, Referral
from adjudicator.columns import SLOT
from adjudicator.errors import E

LAYOUT = "c37d2757a991d9e9"
"""Digest of the plan layout this kernel was written for; take the new one from the message of the assertion."""
assert layout_digest() == LAYOUT, f'the plan layout changed: write LAYOUT = "{layout_digest()}"'

PROGRAMME_PARTS, PROGRAMME_PART, PROGRAMME_PART_FIELDS = limits.MAX_PROGRAMME_PARTS, 9, 7
"""Parts of a supplementary insurance: how many, first column of a programme row, columns of each."""

LEVELS = AXIS_LENGTH["level"]
TIERS = AXIS_LENGTH["tier"]
BANDS = AXIS_LENGTH["band"]
AGES = AXIS_LENGTH["age"]
FILINGS = AXIS_LENGTH["filing"]
NTH = AXIS_LENGTH["nth"]
NONE_YET, NO_RULE_VALUE = NO_LIMIT, UNDEFINED
UNLIMITED = NO_LIMIT

# --- Columns of a plan row ---
PLAN_UNVERIFIED = OFFSET["unverified"]
HAS_AGE_STEPS, HAS_ASSISTANCE, HAS_TILT = OFFSET["has_age_steps"], OFFSET["has_assistance"], OFFSET["has_tilt"]
DEDUCTIBLE_COUNTING, DEDUCTIBLE_READING = OFFSET["deductible_counting"], OFFSET["deductible_reading"]
DEDUCTIBLE_NTH_OVER, DEDUCTIBLE_NTH = OFFSET["deductible_nth_over"], OFFSET["deductible_nth_ppm"]
DEDUCTIBLE_ACCOUNT, DEDUCTIBLE_FEN = OFFSET["deductible_account"], OFFSET["deductible_fen"]
DEDUCTIBLE_YEAR_CEILING = OFFSET["deductible_year_ceiling_fen"]
DEDUCTIBLE_LEVEL_CEILING = OFFSET["deductible_level_ceiling_fen"]
DEDUCTIBLE_PERIOD, DEDUCTIBLE_CARRIED = OFFSET["deductible_period_days"], OFFSET["deductible_carried"]
DEDUCTIBLE_REFERRAL, DEDUCTIBLE_POSITION = OFFSET["deductible_referral"], OFFSET["deductible_position"]
SIGNED_LESS, SIGNED_DEDUCTIBLE = OFFSET["deductible_signed_less_fen"], OFFSET["deductible_signed_fen"]
CATEGORY_DEDUCTIBLE = OFFSET["deductible_category_ppm"]
UNREFERRED_POINTS, UNREFERRED_EXTRA = OFFSET["unreferred_points_ppm"], OFFSET["unreferred_extra_ppm"]
EXTRA_POSITION = OFFSET["extra_position"]
TIER_MEASURE, TIER_FROM, RATE = OFFSET["tier_measure"], OFFSET["tier_from_fen"], OFFSET["rate_ppm"]
SIGNED_POINTS, CATEGORY_POINTS = OFFSET["signed_points_ppm"], OFFSET["category_points_ppm"]
AGE_FROM, AGE_POINTS = OFFSET["age_from_years"], OFFSET["age_points_ppm"]
FUND_ROUNDING, FLOOR_BASE, FLOOR = OFFSET["fund_rounding"], OFFSET["floor_base"], OFFSET["floor_ppm"]
COST_ACCOUNT, PAID_CATEGORY = OFFSET["cost_account"], OFFSET["paid_category"]
COUNTS_ADMISSION, REQUIRES_DISEASE = OFFSET["counts_admission"], OFFSET["requires_disease"]
QUOTA_MODE, MATERNITY_QUOTA = OFFSET["quota_mode"], OFFSET["maternity_quota_fen"]
MATERNITY_CHILD, QUOTA_EXCESS = OFFSET["maternity_child_fen"], OFFSET["quota_excess_ppm"]
FIXED_PRICE = OFFSET["fixed_price"]
CAP_MEASURE, CAP, CAP_COUNTS = OFFSET["cap_measure"], OFFSET["cap_fen"], OFFSET["cap_counts"]
LIMIT, LIMIT_SIGNED = OFFSET["limit_fen"], OFFSET["limit_signed_fen"]
LIMIT_DISEASE_EXTRA, LIMIT_COUNTS = OFFSET["limit_disease_extra_fen"], OFFSET["limit_counts"]
ABOVE_CAP, ABOVE_CAP_LIMIT, ABOVE_CAP_PAYER = (
    OFFSET["above_cap_ppm"],
    OFFSET["above_cap_limit_fen"],
    OFFSET["above_cap_payer"],
)
CII_BASE, CII_THRESHOLD = OFFSET["catastrophic_base"], OFFSET["catastrophic_threshold_fen"]
CII_FROM, CII_RATE = OFFSET["catastrophic_from_fen"], OFFSET["catastrophic_ppm"]
CII_CAP, CII_ORIGIN = OFFSET["catastrophic_cap_fen"], OFFSET["catastrophic_origin"]
CII_INCREMENT, CII_TAKEN_FROM = OFFSET["catastrophic_increment"], OFFSET["catastrophic_taken_from"]
CII_PAYER = OFFSET["catastrophic_payer"]
CIVIL_POSITION, CIVIL_DEDUCTIBLE = OFFSET["civil_servant_position"], OFFSET["civil_servant_deductible_ppm"]
CIVIL_RATE, CIVIL_OWN_DEDUCTIBLE = OFFSET["civil_servant_ppm"], OFFSET["civil_servant_own_deductible_fen"]
CIVIL_CAP = OFFSET["civil_servant_cap_fen"]
ENTERPRISE_RATE, ENTERPRISE_CAP = OFFSET["enterprise_ppm"], OFFSET["enterprise_cap_fen"]
ASSISTANCE_BASE, ASSISTANCE_THRESHOLD = OFFSET["assistance_base"], OFFSET["assistance_threshold_fen"]
ASSISTANCE_RATE, ASSISTANCE_CAP = OFFSET["assistance_ppm"], OFFSET["assistance_cap_fen"]
ASSISTANCE_OUTPATIENT_CAP = OFFSET["assistance_outpatient_cap_fen"]
ASSISTANCE_ACCOUNT, ASSISTANCE_INCREMENT = OFFSET["assistance_account"], OFFSET["assistance_increment"]
TILT_THRESHOLD, TILT_RATE, TILT_CAP = OFFSET["tilt_threshold_fen"], OFFSET["tilt_ppm"], OFFSET["tilt_cap_fen"]
ACCOUNT_POSITION = OFFSET["account_position"]
CURRENT_PAYS, PAST_PAYS, FAMILY_PAYS = (
    OFFSET["account_current_pays"],
    OFFSET["account_past_pays"],
    OFFSET["account_family_pays"],
)
CROSS_DEFINED, CROSS_EXTRA = OFFSET["cross_defined"], OFFSET["cross_extra_first_pay_ppm"]
CROSS_MINUS, CROSS_FACTOR = OFFSET["cross_minus_points_ppm"], OFFSET["cross_factor_ppm"]
CROSS_DEDUCTIBLE, CROSS_DEDUCTIBLE_RATE = OFFSET["cross_deductible_fen"], OFFSET["cross_deductible_ppm"]
CROSS_DEDUCTIBLE_LEAST = OFFSET["cross_deductible_at_least_fen"]
CROSS_DEDUCTIBLE_MOST = OFFSET["cross_deductible_at_most_fen"]
CROSS_NO_TILT = OFFSET["cross_no_tilt"]

# --- Options ---
COUNTING_NONE, PER_STAY = int(o.DeductibleCounting.NONE), int(o.DeductibleCounting.PER_STAY)
YEAR_HIGHEST, YEAR_PER_LEVEL = int(o.DeductibleCounting.YEAR_HIGHEST), int(o.DeductibleCounting.YEAR_PER_LEVEL)
UNUSED_IS_LOST, OWN_LESS_CHARGED = int(o.HighestReading.UNUSED_IS_LOST), int(o.HighestReading.OWN_LESS_CHARGED)
SAME_LEVEL = int(o.NthOver.SAME_LEVEL)
ACCOUNT_INPATIENT, ACCOUNT_OUTPATIENT, ACCOUNT_NONE = (
    int(o.Account.INPATIENT),
    int(o.Account.OUTPATIENT),
    int(o.Account.NONE),
)
REFERRAL_NORMAL, REFERRAL_LESS_STANDARD = int(o.ReferralDeductible.NORMAL), int(o.ReferralDeductible.LESS_STANDARD)
AFTER_RATE = int(o.DeductiblePosition.AFTER_RATE)
YEAR_COST, YEAR_AFTER_DEDUCTIBLE = int(o.TierMeasure.YEAR_COST), int(o.TierMeasure.YEAR_AFTER_DEDUCTIBLE)
STAY_COST = int(o.TierMeasure.STAY_COST)
CAP_ON_PAID, CAP_ON_COST = int(o.CapMeasure.PAID), int(o.CapMeasure.COST)
EACH_TIER = int(o.FundRounding.EACH_TIER)
BANDS_ABOVE_THRESHOLD = int(o.BandOrigin.THRESHOLD)
DIFFERENCE_OF_ROUNDED, YEAR_LESS_PAID = int(o.Increment.DIFFERENCE_OF_ROUNDED), int(o.Increment.YEAR_LESS_PAID)
PRO_RATA = int(o.TakenFrom.PRO_RATA)
BEFORE_CATASTROPHIC = int(o.Position.BEFORE_CATASTROPHIC)
PAYER_CATASTROPHIC = int(o.Payer.CATASTROPHIC)
ACCOUNT_FIRST = int(o.AccountPosition.BEFORE_DEDUCTIBLE)
FLOOR_OF_TOTAL = int(o.FloorBase.TOTAL)
COST_UP_TO_QUOTA, PAYMENT_UP_TO_QUOTA = int(o.QuotaMode.COST_UP_TO_QUOTA), int(o.QuotaMode.PAYMENT_UP_TO_QUOTA)
EXTRA_ON_LINES = int(o.ExtraPosition.LINES)
SHARE_OF_PRICE = int(o.FixedPrice.SHARE_OF_PRICE)
PART_IN_SCOPE, PART_FIRST_PAY = int(o.BurdenPart.IN_SCOPE), int(o.BurdenPart.FIRST_PAY)
PART_OVER_CEILING, PART_SELF_PAID = int(o.BurdenPart.OVER_CEILING), int(o.BurdenPart.SELF_PAID)
PART_DEDUCTIBLE, PART_EXTRA = int(o.BurdenPart.DEDUCTIBLE), int(o.BurdenPart.EXTRA_FIRST_PAY)
PART_ABOVE_CAP, PART_SPECIAL_DRUGS = int(o.BurdenPart.ABOVE_CAP), int(o.BurdenPart.SPECIAL_DRUGS)
PAID_PRENATAL = int(o.PaidCategory.PRENATAL)
PAID_CATEGORIES = len(o.PaidCategory)
S_CROSS, S_DEDUCTIBLE, S_POOLED, S_CAP = (
    1 << int(o.Stage[name]) for name in ("CROSS_REGION", "DEDUCTIBLE", "POOLED", "CAP")
)
S_LARGE_SUM, S_CATASTROPHIC = 1 << int(o.Stage.LARGE_SUM), 1 << int(o.Stage.CATASTROPHIC)
S_CIVIL, S_ENTERPRISE = 1 << int(o.Stage.CIVIL_SERVANT), 1 << int(o.Stage.ENTERPRISE)
S_ASSISTANCE, S_TILT, S_ACCOUNT = 1 << int(o.Stage.ASSISTANCE), 1 << int(o.Stage.TILT), 1 << int(o.Stage.ACCOUNT)
LOCAL, OUTSIDE = int(Place.LOCAL), int(Place.OUTSIDE)
NOT_FILED = int(Filing.NONE)
UP, DOWN, SAME, UNREFERRED = int(Referral.UP), int(Referral.DOWN), int(Referral.SAME), int(Referral.MISSING)
KINDS = len(CareKind)

# --- Slots of a person's year ---
A_DEDUCTIBLE, A_DEDUCTIBLE_LEVEL = SLOT["deductible_charged_fen"], SLOT["deductible_charged_level_0_fen"]
A_OUTPATIENT, A_OUTPATIENT_LEVEL = SLOT["deductible_outpatient_fen"], SLOT["deductible_outpatient_level_0_fen"]
A_SHORTFALL, A_HIGHEST = SLOT["deductible_shortfall_fen"], SLOT["highest_standard_fen"]
A_SUPPLEMENTARY_BASE = SLOT["supplementary_base_1_fen"]
A_HIGHEST_OUTPATIENT, A_LAST_STANDARD = SLOT["highest_standard_outpatient_fen"], SLOT["last_standard_fen"]
A_STAYS, A_STAYS_LEVEL, A_VISITS = SLOT["stays"], SLOT["stays_level_0"], SLOT["visits_outpatient"]
A_COST, A_COST_OUTPATIENT, A_POOLED_COST = (
    SLOT["cost_inpatient_fen"],
    SLOT["cost_outpatient_fen"],
    SLOT["pooled_cost_fen"],
)
A_POOLED, A_PRENATAL = SLOT["pooled_inpatient_fen"], SLOT["pooled_prenatal_fen"]
A_LARGE_SUM, A_CII_BASE, A_CII = SLOT["large_sum_fen"], SLOT["catastrophic_base_fen"], SLOT["catastrophic_fen"]
A_CIVIL, A_CIVIL_DEDUCTIBLE = SLOT["civil_servant_fen"], SLOT["deductible_civil_servant_fen"]
A_ENTERPRISE, A_OTHER = SLOT["enterprise_fen"], SLOT["other_fen"]
A_ASSISTANCE, A_ASSISTANCE_OUTPATIENT = SLOT["assistance_inpatient_fen"], SLOT["assistance_outpatient_fen"]
A_ASSISTANCE_BASE, A_TILT, A_TILT_BASE = SLOT["assistance_base_fen"], SLOT["tilt_fen"], SLOT["tilt_base_fen"]
A_BURDEN, A_ACCOUNT = SLOT["burden_in_scope_fen"], SLOT["account_fen"]

# --- Errors ---
NO_RULE_ON_DATE, NO_PLAN, RULE_UNDEFINED = int(E.NO_RULE_ON_DATE), int(E.NO_PLAN), int(E.RULE_UNDEFINED)
CARE_NOT_COVERED, UNKNOWN_PROGRAMME = int(E.CARE_NOT_COVERED), int(E.UNKNOWN_PROGRAMME)

WORK: tuple[str, ...] = (
    "plan", "group", "level", "category", "error", "unverified", "in_chain", "cross",
    "total", "self_paid", "over_ceiling", "first_pay", "in_scope", "copay_free",
    "extra", "account_first", "base", "standard", "due", "deductible", "shortfall", "shortfall_used",
    "payable", "over_cap", "over_whole", "over_numerator", "over_rate", "tier_exact", "pooled", "large_sum",
    "left_in_scope", "left_first_pay", "left_over_ceiling", "left_self_paid",
    "catastrophic_base", "catastrophic", "civil_deductible", "civil_servant", "enterprise",
    "assistance_base", "assistance", "tilt_base", "tilt", "burden_in_scope", "programme", "other", "hospital",
    "account_current", "account_past", "account_family", "cash", "plus_points", "minus_points", "factor",
    "room", "quota_paid", "fixed_price_excess", "special_drug", "rate_at_least",
    "supplementary", "supplementary_base_1", "supplementary_base_2", "supplementary_base_3",
)  # fmt: skip
"""Amounts of one claim on its way through the stages, in fen; the last values are what an explanation is made of."""

W: dict[str, int] = {name: position for position, name in enumerate(WORK)}
(
    W_PLAN, W_GROUP, W_LEVEL, W_CATEGORY, W_ERROR, W_UNVERIFIED, W_IN_CHAIN, W_CROSS,
    W_TOTAL, W_SELF_PAID, W_OVER_CEILING, W_FIRST_PAY, W_IN_SCOPE, W_COPAY_FREE,
    W_EXTRA, W_ACCOUNT_FIRST, W_BASE, W_STANDARD, W_DUE, W_DEDUCTIBLE, W_SHORTFALL, W_SHORTFALL_USED,
    W_PAYABLE, W_OVER_CAP, W_OVER_WHOLE, W_OVER_NUMERATOR, W_OVER_RATE, W_TIER_EXACT, W_POOLED, W_LARGE_SUM,
    W_LEFT, W_LEFT_FIRST_PAY, W_LEFT_OVER_CEILING, W_LEFT_SELF_PAID,
    W_CII_BASE, W_CII, W_CIVIL_DEDUCTIBLE, W_CIVIL, W_ENTERPRISE,
    W_ASSISTANCE_BASE, W_ASSISTANCE, W_TILT_BASE, W_TILT, W_BURDEN, W_PROGRAMME, W_OTHER, W_HOSPITAL,
    W_ACCOUNT_CURRENT, W_ACCOUNT_PAST, W_ACCOUNT_FAMILY, W_CASH, W_PLUS, W_MINUS, W_FACTOR,
    W_ROOM, W_QUOTA_PAID, W_FIXED_EXCESS, W_SPECIAL_DRUG, W_RATE_AT_LEAST,
    W_SUPPLEMENTARY, W_SUPPLEMENTARY_BASE, _, _,
) = range(len(WORK))  # fmt: skip
