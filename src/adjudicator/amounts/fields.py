"""The columns that a table of amounts may have: most are fields of ``Claim`` under their own names."""

from __future__ import annotations

from typing import NamedTuple

from adjudicator import limits
from adjudicator.amounts.given import Kind
from adjudicator.claim.fields import LIMITS, RENAMED
from adjudicator.columns import ACCUMULATOR_NAMES
from adjudicator.errors import E
from adjudicator.payers import PAYERS, Origin

BEFORE, AFTER = "before_", "after_"
"""Before the name of an accumulator: the person's year before the first row, and after each row."""


class Plain(NamedTuple):
    """A column that is copied within its limits."""

    word: str
    kind: Kind
    most: int
    above: E


_WORDS = {field: word for word, field in RENAMED.items()}
_MONEY = (
    "in_scope_fen", "wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "copay_free_fen", "special_drug_fen",
    "special_self_paid_fen", "account_current_fen", "account_past_fen", "account_family_fen", "hospital_borne_fen",
    "other_payer_fen", "referral_deductible_fen",
)  # fmt: skip
_FLAGS = ("civil_servant", "family_doctor_signed", "at_signed_institution", "use_account", "settled_at_counter")
_NUMBERS = ("contribution_tier", "filing", "referral", "fetus_count")

PLAIN_FIELDS: dict[str, Plain] = {
    **{
        name: Plain(_WORDS.get(name, name), Kind.MONEY, limits.MAX_AMOUNT_FEN, E.AMOUNT_OUT_OF_RANGE) for name in _MONEY
    },
    "total_fen": Plain("given_total_fen", Kind.MONEY, limits.MAX_AMOUNT_FEN, E.AMOUNT_OUT_OF_RANGE),
    **{name: Plain(_WORDS.get(name, name), Kind.FLAG, 1, E.INVALID_CODE_VALUE) for name in _FLAGS},
    **{name: Plain(name, Kind.NUMBER, LIMITS[name].most, LIMITS[name].above) for name in _NUMBERS},
}
CODED_FIELDS: dict[str, Kind] = {
    "insured_area": Kind.CODE, "care_area": Kind.CODE, "scheme": Kind.CODE, "person_type": Kind.CODE,
    "care_type": Kind.CODE, "level": Kind.NAME, "institution_code": Kind.NAME, "hospital_level": Kind.CODE,
    "assistance_category": Kind.NAME, "disease_code": Kind.NAME, "department": Kind.NAME, "programme": Kind.NAME,
    "referral_from_encounter": Kind.NAME, "age_years": Kind.NUMBER, "maternity_type": Kind.NUMBER,
    "enrolment_status": Kind.NUMBER,
}  # fmt: skip
DATE_FIELDS: dict[str, Kind] = {
    "settlement_date": Kind.DATE, "admission_date": Kind.DATE, "discharge_date": Kind.DATE, "stay_days": Kind.NUMBER
}  # fmt: skip
PERSON = "person_id"
KINDS: dict[str, Kind] = {
    **{name: plain.kind for name, plain in PLAIN_FIELDS.items()}, **CODED_FIELDS, **DATE_FIELDS, PERSON: Kind.PERSON,
    **{BEFORE + name: Kind.MONEY for name in ACCUMULATOR_NAMES},
}  # fmt: skip
"""Every column that may be given."""
REQUIRED = ("scheme", "person_type", "care_type", "settlement_date", "admission_date", "in_scope_fen")
LEVELS = ("level", "institution_code", "hospital_level")
"""One of them must be there."""

AMOUNTS_OUT: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("first_pay_fen", "in_scope_fen", "deductible_standard_fen", "deductible_fen")},
    **{payer.field: payer.columns for payer in PAYERS if payer.field and payer.origin is Origin.BENEFIT},
    **{name: (name,) for name in ("fund_total_fen", "personal_total_fen", "pooled_rate_ppm")},
}  # fmt: skip
FLAGS_OUT = {"unverified_rules": "unverified", "counts_as_admission": "counts_as_admission"}
ERROR_OUT = "error"
RESULTS: dict[str, tuple[str, ...]] = {
    **AMOUNTS_OUT, **{name: (word,) for name, word in FLAGS_OUT.items()}, ERROR_OUT: ("error",),
}  # fmt: skip
"""Every result but the years: name, as in ``Settlement``, and the words that add up to it."""
USUAL = (*AMOUNTS_OUT, ERROR_OUT)
"""What a call returns that names no results."""
