"""The columns that travel between the parts: one claim a row, lines and code lists as ranges of flat arrays.

Wire bytes become these columns (``claim.resolve``), kernels read and write them, the ledger stores what comes out.
All money is int64 fen. Small numbers are the enumerations of ``adjudicator.codes``. Nothing here depends on a city.
"""

from __future__ import annotations

import numpy as np

from adjudicator.payers import PAYERS

CLAIM = np.dtype(
    [
        # Where the row's parts are.
        ("line_start", "i8"), ("line_end", "i8"),
        ("state", "i8"),  # row of the person-year state in this batch, -1 none
        ("quota", "i8"),  # row of the disease-quota state in this batch, -1 none
        # What was resolved against the bundle; -1 where there is none.
        ("pack", "i4"),  # pack (pool) of the place of insurance
        ("county", "i4"),  # county of insurance, index into the pack's areas
        ("care_county", "i4"),  # county of care, index into the pack's areas, -1 outside the pool
        ("hospital", "i4"),  # row of the pack's hospital register, -1 outside
        ("scheme", "i4"),  # codes.Scheme
        ("person_type", "i4"),  # position in codes.PERSON_TYPES
        ("contribution_tier", "i4"),
        ("assistance", "i4"),  # assistance category of the pack, 0 none
        ("care_kind", "i4"),  # codes.CareKind
        ("place", "i4"),  # codes.Place
        ("filing", "i4"),  # codes.Filing
        ("referral", "i4"),  # codes.Referral
        ("hospital_level", "i4"),  # position in codes.HOSPITAL_LEVELS
        ("deductible_level", "i4"),  # level group of the pack for the deductible and rates [dedc_hosp_lv]
        ("price_level", "i4"),  # level group of the pack for price ceilings [lmtpric_hosp_lv]
        ("disease", "i4"),  # row of the pack's disease list, -1 none
        ("ward", "i4"),  # row of the pack's wards, by the department of discharge, -1 none
        ("programme", "i4"),  # dated programme of the pack, 0 none
        ("care_catalogue", "i4"),  # care outside the pool: 1 + catalogue area group of the place, 0 not known
        ("department", "i4"),  # department id of the scheme or pack, 0 unknown
        ("maternity_type", "i4"), ("fetus_count", "i4"),
        ("sex", "i4"), ("age_years", "i4"), ("age_days", "i4"), ("birth_weight_g", "i4"),  # -1, -1, 0 unknown
        ("stay_days", "i4"), ("discharge_way", "i4"), ("icu_hours", "i4"),
        ("settlement_date", "i4"), ("admission_date", "i4"), ("discharge_date", "i4"),
        # A later part of a stay: 1 + row of the years before its parts of this benefit year, and of all; 0 none.
        ("stay_row", "i4"), ("stay_row_over_years", "i4"),
        ("rule_date", "i4"),  # the date that decides which rule holds, by the pack's option
        ("benefit_year", "i4"),
        # Yes or no.
        ("civil_servant", "i1"), ("family_doctor", "i1"), ("at_signed_institution", "i1"), ("suspended", "i1"),
        ("mid_stay", "i1"), ("use_account", "i1"), ("chain_continues", "i1"), ("accumulators_given", "i1"),
        ("settled_at_counter", "i1"),
        # Amounts that the claim brings.
        ("total_fen", "i8"),
        ("account_current_fen", "i8"), ("account_past_fen", "i8"), ("account_family_fen", "i8"),
        ("hospital_borne_fen", "i8"), ("other_payer_fen", "i8"),
        ("stay_charged_fen", "i8"), ("stay_charged_over_years_fen", "i8"),  # deductible that these parts were charged
        ("chain_deductible_fen", "i8"),  # deductible that the referral chain has charged so far
        # First reason for refusal, a number of the error table; 0 none. ``error_line``: its line, -1 none.
        ("error", "i4"), ("error_line", "i4"),
    ],
    align=True,
)  # fmt: skip
"""One claim, resolved."""

LINE = np.dtype(
    [
        ("item", "i8"),  # catalogue item of the bundle, -1 unknown
        ("unit_price_e4", "i8"), ("quantity_e4", "i8"), ("amount_fen", "i8"),
        ("fee_date", "i4"), ("approval", "i4"),
        ("flags", "i4"),  # codes.LineFlag
        ("original", "i4"),  # line of the same claim that a refund takes back, -1 none
    ],
    align=True,
)  # fmt: skip
"""One fee line, resolved."""

LINE_SPLIT = np.dtype(
    [
        ("wholly_self_paid_fen", "i8"), ("over_ceiling_fen", "i8"), ("first_pay_fen", "i8"), ("in_scope_fen", "i8"),
        ("price_ceiling_e4", "i8"), ("first_pay_ppm", "i4"), ("item_class", "i4"), ("note", "i4"), ("error", "i4"),
    ],
    align=True,
)  # fmt: skip
"""Four-way split of a line; the four amounts add up to the line (L1)."""

SPLIT = np.dtype(
    [
        ("wholly_self_paid_fen", "i8"), ("over_ceiling_fen", "i8"), ("first_pay_fen", "i8"), ("in_scope_fen", "i8"),
        ("copay_free_fen", "i8"),  # of the in-scope amount: paid in full outside the tiers (R36)
        ("special_drug_fen", "i8"),  # of the first-pay and in-scope amount: special drugs that count for CII
        ("special_self_paid_fen", "i8"),  # of the wholly self-paid amount: such drugs outside the catalogue (class C)
        ("hospital_borne_fen", "i8"),  # of the over-ceiling amount: borne by the hospital (handling way)
        ("class_a_fen", "i8"), ("class_b_fen", "i8"),  # cost of class A and B items, for bed-day formulas
        ("in_catalogue_excess_fen", "i8"),  # of the over-ceiling amount: in-catalogue burden (V12, handling way)
        ("unverified", "i8"),  # 1 where a catalogue row or option in use is not verified
    ],
    align=True,
)  # fmt: skip
"""Sums over the lines of a claim (H2)."""

BENEFIT = np.dtype(
    [
        ("plan", "i8"),  # plan row that decided, -1 none
        ("first_pay_fen", "i8"),  # with the cross-region extra; replaces the sum over lines (R25)
        ("in_scope_fen", "i8"),  # after the cross-region extra
        ("deductible_standard_fen", "i8"), ("deductible_due_fen", "i8"), ("deductible_fen", "i8"),
        *((column, "i8") for payer in PAYERS for column in payer.columns),
        ("fund_total_fen", "i8"), ("personal_total_fen", "i8"), ("pooled_rate_ppm", "i8"),
        ("counts_as_admission", "i4"), ("unverified", "i4"), ("error", "i4"), ("padding", "i4"),
    ],
    align=True,
)  # fmt: skip
"""What each fund and the person pay. ``assistance_fen`` holds medical assistance without ``tilt_fen``."""

GROUP = np.dtype([("status", "i4"), ("mdc", "i4"), ("adrg", "i4"), ("drg", "i4")], align=True)
"""DRG of a claim: codes.GroupStatus and ids of the scheme, -1 none."""

PAYMENT = np.dtype(
    [
        ("method", "i4"), ("error", "i4"),
        ("points_e8", "i8"),  # points of the case, 1e-8
        ("point_value_e4", "i8"),  # provisional value of a point, 1/10000 fen
        ("due_fen", "i8"),  # owed to the institution by the funds that clearing replaces (pack: clearing_funds)
        ("by_item_fen", "i8"),  # what the same funds would owe by item
        ("unverified", "i8"),
    ],
    align=True,
)  # fmt: skip
"""What the fund owes the institution for the claim."""

ACCUMULATORS: tuple[tuple[int, str], ...] = (
    (1, "deductible_charged_fen"),  # inpatient-like care, all levels
    *((2 + level, f"deductible_charged_level_{level}_fen") for level in range(8)),
    (10, "deductible_outpatient_fen"),  # outpatient care, all levels
    *((11 + level, f"deductible_outpatient_level_{level}_fen") for level in range(8)),
    (19, "deductible_shortfall_fen"),  # unused part of the first stay's deductible (V02)
    (20, "highest_standard_fen"),  # highest deductible standard of the year (R01)
    (21, "stays"),  # admissions counted
    *((22 + level, f"stays_level_{level}") for level in range(8)),
    (30, "cost_inpatient_fen"),  # in-scope cost entered, inpatient and special outpatient together
    (31, "cost_outpatient_fen"),  # in-scope cost entered, general outpatient
    (32, "pooled_inpatient_fen"),
    (33, "pooled_outpatient_fen"),
    (34, "pooled_chronic_fen"),
    (35, "pooled_special_fen"),
    (36, "pooled_two_diseases_fen"),
    (37, "pooled_dual_channel_fen"),
    (38, "pooled_maternity_fen"),
    (56, "pooled_prenatal_fen"),  # the eight stand in the order of options.PaidCategory
    (39, "large_sum_fen"),
    (40, "catastrophic_base_fen"),
    (41, "catastrophic_fen"),
    (42, "civil_servant_fen"),
    (43, "enterprise_fen"),
    (44, "assistance_inpatient_fen"),
    (45, "assistance_outpatient_fen"),
    (46, "tilt_fen"),
    (47, "assistance_base_fen"),
    (48, "burden_in_scope_fen"),  # personal in-scope burden left after all funds
    (49, "account_fen"),
    (50, "visits_outpatient"),
    (51, "deductible_civil_servant_fen"),
    (52, "other_fen"),
    (53, "pooled_cost_fen"),  # cost that filled the cap where the cap is on cost (V07)
    (54, "tilt_base_fen"),  # what assistance left, before the threshold of the second assistance
    (55, "highest_standard_outpatient_fen"),  # highest outpatient deductible standard of the year
    (57, "last_standard_fen"),  # deductible standard of the latest stay (R27, difference of the standards)
    (58, "supplementary_base_1_fen"),  # burden that counted for the parts of a supplementary insurance (stage 11)
    (59, "supplementary_base_2_fen"),
    (60, "supplementary_base_3_fen"),
)
"""Year-to-date amounts of one person, scheme and benefit year: the number that is stored, and the name.

The ledger stores each amount under its number, so a number that was given once is never given to another amount, nor
changed. A new amount takes the next free number and may stand anywhere in this table; its place in the table is its
place in memory.
"""

ACCUMULATOR_NAMES: tuple[str, ...] = tuple(name for _, name in ACCUMULATORS)
ACCUMULATOR_COUNT = len(ACCUMULATORS)

SLOT: dict[str, int] = {name: place for place, name in enumerate(ACCUMULATOR_NAMES)}
"""Place of an accumulator in memory, by its name."""

QUOTA = np.dtype([("key", "u8"), ("used_fen", "i8")], align=True)
"""Fund paid of one disease quota in one period; the key is claim.state.quota_key(disease code, period)."""

CARE_DAYS = np.dtype([("key", "u8"), ("days", "i8")], align=True)
"""Days of a person's year that a stay or the visits of a week take; ``claim.care_days`` says how they are written."""

KEY = np.dtype("V16")
"""A digest that names a settlement or a person's year. Rows of uint8[n, 16] become bytes by
``keys.view(KEY).ravel().tolist()``."""
