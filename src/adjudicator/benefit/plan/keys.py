"""The keys of a benefit plan: name, unit, axes, stage and default of each; the compiled plan row follows from them.

One row of :data:`PLAN` holds every value that decides a settlement, as int64: fen, parts per million, days, option
numbers and bit masks. A table has one axis for each word in ``axes``, of the fixed length in :data:`AXIS_LENGTH`.
The options are those of docs/readings.md (V01–V19).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from adjudicator import limits
from adjudicator import options as o
from adjudicator.codes import Channel, Filing, Place
from adjudicator.options import Option

NO_LIMIT = 2**60
"""A cap that is never reached; written "none" in a pack."""
UNDEFINED = -1
"""The documents give no value for this cell: a claim that needs it gets RULE_UNDEFINED."""

AXIS_LENGTH: dict[str, int] = {
    "group": limits.MAX_PERSON_GROUPS,
    "level": limits.MAX_HOSPITAL_LEVELS,
    "tier": limits.MAX_TIERS,
    "band": limits.MAX_BANDS,
    "burden": limits.MAX_BANDS,
    "category": limits.MAX_ASSISTANCE_CATEGORIES,
    "nth": limits.MAX_NTH_STAYS,
    "age": limits.MAX_AGE_STEPS,
    "maternity": 10,
    "place": len(Place),
    "filing": len(Filing),
    "channel": len(Channel),
}
LISTED_AXES = ("tier", "band", "burden", "nth", "age")
"""Axes written as a list in order; the others are written by name."""

MATERNITY_TYPES: dict[str, int] = {
    "normal": 1, "assisted": 2, "caesarean": 3, "difficult": 4, "miscarriage": 5, "termination": 6, "prenatal": 7,
    "other": 9,
}  # fmt: skip
"""Maternity classes (生育类别) [matn_type]."""


class Stage(IntEnum):
    """Stages of the cascade whose values can be verified or not; bits of ``unverified``."""

    CROSS_REGION = 0
    DEDUCTIBLE = 1
    POOLED = 2
    CAP = 3
    LARGE_SUM = 4
    CATASTROPHIC = 5
    CIVIL_SERVANT = 6
    ENTERPRISE = 7
    ASSISTANCE = 8
    TILT = 9
    PROGRAMME = 10
    ACCOUNT = 11


STAGE_NAMES: dict[Stage, tuple[str, str]] = {
    Stage.CROSS_REGION: ("cross-region", "异地就医"),
    Stage.DEDUCTIBLE: ("deductible", "起付线"),
    Stage.POOLED: ("pooled fund", "统筹基金"),
    Stage.CAP: ("cap", "封顶线"),
    Stage.LARGE_SUM: ("above the cap", "大额补助"),
    Stage.CATASTROPHIC: ("catastrophic insurance", "大病保险"),
    Stage.CIVIL_SERVANT: ("civil-servant supplement", "公务员补助"),
    Stage.ENTERPRISE: ("enterprise supplement", "企业补充"),
    Stage.ASSISTANCE: ("medical assistance", "医疗救助"),
    Stage.TILT: ("tilt assistance", "倾斜救助"),
    Stage.PROGRAMME: ("programme and other payers", "专项与其他支付"),
    Stage.ACCOUNT: ("personal account", "个人账户"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a plan."""

    name: str
    unit: str
    """yuan, percent, points (percentage points), days, years, flag, option or names."""
    stage: Stage
    en: str
    zh: str
    axes: tuple[str, ...] = ()
    default: int = 0
    choices: type[Option] = Option
    """Members of an option or of names; the empty Option for a number."""
    only: tuple[Option, ...] = ()
    """The members that this key takes; empty: all. A part that nothing reads would be a rule without effect."""
    inherits: bool = False
    """A category that is not named takes the value of ``ordinary``."""
    most: int = limits.MAX_AMOUNT_FEN

    @property
    def field(self) -> str:
        """Field of the plan row: the key with the unit of the compiled value."""
        return field_of(self.name)

    @property
    def members(self) -> tuple[Option, ...]:
        """The members that may be written."""
        return self.only or tuple(self.choices)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the key's field in a plan row."""
        return tuple(AXIS_LENGTH[axis] for axis in self.axes)

    def blank(self) -> np.ndarray:
        """Return the value of a plan that does not name the key."""
        return np.full(self.shape, self.default, np.int64)


def field_of(name: str) -> str:
    """Field of a key.

    >>> field_of("cap_yuan"), field_of("rate_percent"), field_of("signed_points")
    ('cap_fen', 'rate_ppm', 'signed_points_ppm')
    """
    for written, compiled in (("_yuan", "_fen"), ("_percent", "_ppm"), ("_points", "_points_ppm")):
        if name.endswith(written):
            return name.removesuffix(written) + compiled
    return name


Axes = tuple[str, ...]
Choices = type[Option]


def _yuan(name: str, stage: Stage, en: str, zh: str, axes: Axes = (), default: int = NO_LIMIT, **more: Any) -> Key:
    return Key(name, "yuan", stage, en, zh, axes, default, **more)


def _percent(name: str, stage: Stage, en: str, zh: str, axes: Axes = (), default: int = 0, **more: Any) -> Key:
    return Key(name, "percent", stage, en, zh, axes, default, most=1_000_000, **more)


def _points(name: str, stage: Stage, en: str, zh: str, axes: Axes = ()) -> Key:
    return Key(name, "points", stage, en, zh, axes, 0, most=1_000_000)


def _option(name: str, stage: Stage, en: str, zh: str, choices: Choices, default: int = 0) -> Key:
    return Key(name, "option", stage, en, zh, (), default, choices)


def _names(
    name: str, stage: Stage, en: str, zh: str, choices: Choices, default: int = 0, only: tuple[Option, ...] = ()
) -> Key:
    return Key(name, "names", stage, en, zh, (), default, choices, only=only)


def _flag(name: str, stage: Stage, en: str, zh: str) -> Key:
    return Key(name, "flag", stage, en, zh)


_PERSON_LEVEL = ("group", "level")
OF_A_BILL = (o.BurdenPart.IN_SCOPE, o.BurdenPart.FIRST_PAY, o.BurdenPart.OVER_CEILING, o.BurdenPart.SELF_PAID)
"""The parts of a bill that a programme or an account may pay; assistance pays the first three."""
_COUNTED = tuple(part for part in o.BurdenPart if part is not o.BurdenPart.SELF_PAID)
# fmt: off
# ruff: noqa: E501
KEYS: tuple[Key, ...] = (
    # --- Stage 3: deductible ---
    _option("deductible_counting", Stage.DEDUCTIBLE, "how the deductible is counted (V01)", "起付线计算方式", o.DeductibleCounting),
    _option("deductible_reading", Stage.DEDUCTIBLE, "later stay under a yearly deductible (R01)", "年度起付线补差口径", o.HighestReading),
    _option("deductible_over_year", Stage.DEDUCTIBLE, "a stay in parts over the year's end", "跨年度分段结算口径", o.StayOverYear),
    _option("deductible_nth_over", Stage.DEDUCTIBLE, "which stays are counted (V01)", "住院次数口径", o.NthOver),
    _percent("deductible_nth_percent", Stage.DEDUCTIBLE, "deductible of the nth stay (V01)", "第N次住院起付线比例", ("nth",), 1_000_000),
    _yuan("deductible_later_less_yuan", Stage.DEDUCTIBLE, "less for each stay of the year before (V01)", "每增加一次住院起付线减额", ("level",), 0),
    _yuan("deductible_later_least_yuan", Stage.DEDUCTIBLE, "least deductible of a later stay (V01)", "再次住院起付线下限", ("level",), 0),
    _option("deductible_account", Stage.DEDUCTIBLE, "where the deductible is counted", "起付线累计口径", o.Account),
    _yuan("deductible_yuan", Stage.DEDUCTIBLE, "deductible", "起付线", _PERSON_LEVEL, UNDEFINED),
    _yuan("deductible_year_ceiling_yuan", Stage.DEDUCTIBLE, "yearly ceiling of all deductibles (V01)", "年度累计起付线上限", ("group",)),
    _yuan("deductible_level_ceiling_yuan", Stage.DEDUCTIBLE, "yearly ceiling of a level's deductibles (V01)", "同级年度起付线上限", ("level",)),
    Key("deductible_period_days", "days", Stage.DEDUCTIBLE, "a long stay charges again after (V01, R33)", "长期住院重新计起付线天数", ("level",), most=limits.MAX_STAY_DAYS),
    _flag("deductible_carried", Stage.DEDUCTIBLE, "unused part of the first deductible is carried over (V02)", "首次起付线不足部分结转"),
    _option("deductible_referral", Stage.DEDUCTIBLE, "deductible on referral (V03)", "转诊起付线", o.ReferralDeductible),
    _option("deductible_position", Stage.DEDUCTIBLE, "deductible before or after the rate (V04)", "起付线扣除位置", o.DeductiblePosition),
    _yuan("deductible_signed_less_yuan", Stage.DEDUCTIBLE, "less with a signed family doctor (V05)", "签约家庭医生起付线减额", ("level",), 0),
    _yuan("deductible_signed_yuan", Stage.DEDUCTIBLE, "deductible with a signed family doctor (V05)", "签约家庭医生起付线", ("level",), UNDEFINED),
    _flag("deductible_signed_referred", Stage.DEDUCTIBLE, "signed deductible also where the signed doctor referred up (V05)", "签约机构上转同享起付线减免"),
    _percent("deductible_category_percent", Stage.DEDUCTIBLE, "part of the deductible that assisted persons owe (V05)", "救助对象起付线比例", ("category",), 1_000_000, inherits=True),
    # --- Stage 2: cross-region ---
    _points("unreferred_points", Stage.CROSS_REGION, "lower rate without referral", "未转诊降低比例"),
    _percent("unreferred_extra_percent", Stage.CROSS_REGION, "extra first-pay without referral", "未转诊先行自付比例"),
    _option("extra_position", Stage.CROSS_REGION, "extra first-pay on the claim or on lines (R25)", "先行自付计算位置", o.ExtraPosition),
    # --- Stage 4: pooled fund ---
    _option("tier_measure", Stage.POOLED, "scale of the tiers (V06)", "分段口径", o.TierMeasure),
    _yuan("tier_from_yuan", Stage.POOLED, "tiers begin at", "分段起点", ("tier",)),
    _percent("rate_percent", Stage.POOLED, "pooled fund pays", "统筹支付比例", ("group", "level", "tier"), UNDEFINED),
    _points("signed_points", Stage.POOLED, "more with a signed family doctor (V05)", "签约家庭医生提高比例", ("level",)),
    _points("category_points", Stage.POOLED, "more for assisted persons", "救助对象提高比例", ("category",)),
    Key("age_from_years", "years", Stage.POOLED, "age steps begin at (V15)", "年龄段起点", ("age",), limits.MAX_AGE_YEARS + 1, most=limits.MAX_AGE_YEARS),
    _points("age_points", Stage.POOLED, "more by age (V15)", "年龄段提高比例", ("age",)),
    _option("fund_rounding", Stage.POOLED, "rounding inside a fund (V19, R06)", "分段取整", o.FundRounding),
    _option("floor_base", Stage.POOLED, "guaranteed payment is a share of (V16)", "保底支付基数", o.FloorBase),
    _percent("floor_percent", Stage.POOLED, "guaranteed payment (V16)", "保底支付比例"),
    _option("cost_account", Stage.POOLED, "where cost is counted", "费用累计口径", o.Account),
    _option("paid_category", Stage.POOLED, "under which kind the payment is counted", "统筹支付累计类别", o.PaidCategory),
    _flag("counts_admission", Stage.POOLED, "counts as an admission", "计入住院次数"),
    _flag("requires_disease", Stage.POOLED, "only for listed diseases", "限病种"),
    # --- Quotas: maternity, fixed price ---
    _option("quota_mode", Stage.POOLED, "how a quota limits the payment", "定额方式", o.QuotaMode),
    _yuan("maternity_quota_yuan", Stage.POOLED, "maternity quota", "生育定额", ("maternity",), UNDEFINED),
    _yuan("maternity_child_yuan", Stage.POOLED, "more for each further child", "多胞胎每增一胎加额", (), 0),
    _percent("quota_excess_percent", Stage.POOLED, "rate above the quota", "超定额部分支付比例"),
    _option("fixed_price", Stage.POOLED, "fixed price of a disease", "单病种定价", o.FixedPrice),
    # --- Stage 5: caps ---
    _option("cap_measure", Stage.CAP, "cap on payment or on cost (V07)", "封顶线口径", o.CapMeasure),
    _yuan("cap_yuan", Stage.CAP, "yearly cap", "封顶线", ("group",)),
    _names("cap_counts", Stage.CAP, "payments that fill the cap (V17)", "计入封顶线的类别", o.PaidCategory, 1),
    _yuan("limit_yuan", Stage.CAP, "yearly limit of this care (V17)", "年度限额", ("group",)),
    _yuan("limit_signed_yuan", Stage.CAP, "yearly limit with a signed family doctor", "签约年度限额", ("group",), UNDEFINED),
    _yuan("limit_disease_extra_yuan", Stage.CAP, "more for a filed chronic disease", "慢病备案增加限额", ("group",), 0),
    _names("limit_counts", Stage.CAP, "payments that fill the limit (V17)", "计入限额的类别", o.PaidCategory),
    # --- Stage 6: above the cap ---
    _percent("above_cap_percent", Stage.LARGE_SUM, "paid above the cap", "封顶线以上支付比例", _PERSON_LEVEL),
    _yuan("above_cap_limit_yuan", Stage.LARGE_SUM, "most paid above the cap", "封顶线以上支付限额", ("group",)),
    _option("above_cap_payer", Stage.LARGE_SUM, "payer above the cap (R10)", "封顶线以上支付方", o.Payer),
    # --- Stage 7: catastrophic insurance ---
    _names("catastrophic_base", Stage.CATASTROPHIC, "burden that counts (V09)", "大病保险费用口径", o.BurdenPart, 0, _COUNTED),
    _yuan("catastrophic_threshold_yuan", Stage.CATASTROPHIC, "threshold", "大病起付标准", ("category",), inherits=True),
    _yuan("catastrophic_from_yuan", Stage.CATASTROPHIC, "bands begin at", "大病分段起点", ("band",)),
    _percent("catastrophic_percent", Stage.CATASTROPHIC, "catastrophic insurance pays", "大病支付比例", ("category", "band"), inherits=True),
    _yuan("catastrophic_cap_yuan", Stage.CATASTROPHIC, "yearly cap", "大病封顶线", ("category",), inherits=True),
    _option("catastrophic_origin", Stage.CATASTROPHIC, "bands from 0 or above the threshold (V10)", "大病分段口径", o.BandOrigin),
    _option("catastrophic_increment", Stage.CATASTROPHIC, "rounding over the year (R07, R34)", "大病年度取整", o.Increment),
    _option("catastrophic_taken_from", Stage.CATASTROPHIC, "burden that is lowered first (R09)", "大病支付冲减顺序", o.TakenFrom),
    _option("catastrophic_payer", Stage.CATASTROPHIC, "payer of catastrophic insurance", "大病支付方", o.Payer, 1),
    # --- Stage 8: supplements ---
    _option("civil_servant_position", Stage.CIVIL_SERVANT, "before or after catastrophic insurance (R35)", "公务员补助位置", o.Position),
    _percent("civil_servant_deductible_percent", Stage.CIVIL_SERVANT, "part of the deductible (V18)", "公务员起付线补助比例", ("group",)),
    _percent("civil_servant_percent", Stage.CIVIL_SERVANT, "part of the co-pay (V18)", "公务员自付补助比例", ("group",)),
    _yuan("civil_servant_own_deductible_yuan", Stage.CIVIL_SERVANT, "own yearly deductible of the supplement", "公务员补助起付线", ("group",), 0),
    _yuan("civil_servant_cap_yuan", Stage.CIVIL_SERVANT, "yearly cap of the supplement", "公务员补助封顶线", ("group",)),
    _option("enterprise_position", Stage.ENTERPRISE, "before or after catastrophic insurance (R35)", "企业补充位置", o.Position),
    _percent("enterprise_percent", Stage.ENTERPRISE, "enterprise supplement pays", "企业补充支付比例", ("group",)),
    _yuan("enterprise_cap_yuan", Stage.ENTERPRISE, "yearly cap of the enterprise supplement", "企业补充封顶线", ("group",)),
    # --- Stages 9 and 10: assistance ---
    _names("assistance_base", Stage.ASSISTANCE, "burden that is assisted (R11)", "救助费用口径", o.BurdenPart, 1, OF_A_BILL[:3]),
    _yuan("assistance_threshold_yuan", Stage.ASSISTANCE, "threshold", "救助起付标准", ("category",), 0),
    _yuan("assistance_from_yuan", Stage.ASSISTANCE, "bands of the year's burden begin at", "救助分段起点", ("burden",)),
    _option("assistance_origin", Stage.ASSISTANCE, "bands from 0 or above the threshold", "救助分段口径", o.BandOrigin),
    _percent("assistance_percent", Stage.ASSISTANCE, "assistance pays", "救助比例", ("category", "burden")),
    _yuan("assistance_cap_yuan", Stage.ASSISTANCE, "yearly limit, of the band that the year's burden has reached", "年度救助限额", ("category", "burden")),
    _yuan("assistance_outpatient_cap_yuan", Stage.ASSISTANCE, "yearly limit of outpatient assistance", "门诊年度救助限额", ("category",)),
    _yuan("assistance_inpatient_cap_yuan", Stage.ASSISTANCE, "yearly limit of inpatient assistance", "住院年度救助限额", ("category",)),
    _option("assistance_account", Stage.ASSISTANCE, "where assistance is counted", "救助累计口径", o.Account),
    _option("assistance_increment", Stage.ASSISTANCE, "rounding over the year (R07)", "救助年度取整", o.Increment),
    _yuan("tilt_threshold_yuan", Stage.TILT, "threshold of tilt assistance", "倾斜救助起付标准", ("category",), 0),
    _percent("tilt_percent", Stage.TILT, "tilt assistance pays", "倾斜救助比例", ("category",)),
    _yuan("tilt_cap_yuan", Stage.TILT, "yearly limit of tilt assistance", "倾斜救助限额", ("category",)),
    # --- Stage 12: what the hospital bears ---
    _option("hospital_borne_from", Stage.PROGRAMME, "what the hospital's amount relieves first", "医院负担冲减顺序", o.HospitalBorne),
    # --- Stage 13: account ---
    _option("account_position", Stage.ACCOUNT, "account last or before the deductible (V13, R20)", "个人账户支付位置", o.AccountPosition),
    _option("ceiling_excess", Stage.ACCOUNT, "cost over the ceiling outside or inside the catalogue (V12)", "超限价归属", o.CeilingExcess),
    _names("account_current_pays", Stage.ACCOUNT, "current-year account may pay (V13)", "当年账户支付范围", o.BurdenPart, 15, OF_A_BILL),
    _names("account_past_pays", Stage.ACCOUNT, "past-years account may pay (V13)", "历年账户支付范围", o.BurdenPart, 15, OF_A_BILL),
    _names("account_family_pays", Stage.ACCOUNT, "family account may pay (V13)", "共济账户支付范围", o.BurdenPart, 0, OF_A_BILL),
)
# fmt: on

KEY: dict[str, Key] = {key.name: key for key in KEYS}
SPECIAL_KEYS: dict[str, tuple[str, str]] = {
    "cross_region": ("cross-region care (V11)", "异地就医"),
    "rate_derived": ("rate of a person group by another's (V14)", "按其他人群推算支付比例"),
}
"""Keys with a table of their own shape."""

CROSS_FIELDS: dict[str, tuple[str, int]] = {
    "defined": ("flag", 0),
    "extra_first_pay_percent": ("percent", 0),
    "minus_points": ("points", 0),
    "factor_percent": ("percent", 1_000_000),
    "deductible_yuan": ("yuan", UNDEFINED),
    "deductible_percent": ("percent", 0),
    "deductible_at_least_yuan": ("yuan", 0),
    "deductible_at_most_yuan": ("yuan", NO_LIMIT),
    "no_tilt": ("flag", 0),
}
"""What one place, filing class and channel of settlement changes (V11): unit and default."""
CROSS_SHAPE = tuple(AXIS_LENGTH[axis] for axis in ("place", "filing", "channel"))


OWN_FIELDS = (
    "pack", "scheme", "unverified", "from_date", "to_date", "has_age_steps", "has_assistance", "has_tilt",
)  # fmt: skip
"""Fields of a plan row that are no keys: where it belongs, unverified stages as bits, and what it has at all."""


def _fields() -> list[tuple[Any, ...]]:
    # Single values first, then the small tables: a claim reads them all, and they share few cache lines.
    ordered = sorted(KEYS, key=lambda key: int(np.prod(key.shape)))
    fields: list[tuple[Any, ...]] = [(name, "i8") for name in OWN_FIELDS]
    fields += [(key.field, "i8", key.shape) if key.axes else (key.field, "i8") for key in ordered]
    return fields + [(field_of(f"cross_{name}"), "i8", CROSS_SHAPE) for name in CROSS_FIELDS]


PLAN = np.dtype(_fields())
"""One compiled plan for one span of days; the kernel reads a row by the names of its fields."""

RANGE = np.dtype([("start", "i4"), ("end", "i4")])
"""Rows of another table, from ``start`` up to and without ``end``."""

SPAN = np.dtype([("from_date", "i8"), ("to_date", "i8"), ("row", "i8")])
"""Plan row of a span of days (YYYYMMDD, both included)."""
