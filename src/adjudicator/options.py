"""The points where cities differ (V01–V19) and the readings of the documents, as enumerated options of a plan.

A pack names an option in words (``deductible_counting = "year_highest"``); kernels compare its number. Numbers are part
of compiled bundles, so members are only ever appended. The member 0 is the default reading.
Source of each: docs/readings.md.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Option(IntEnum):
    """An option that a pack writes in English: the name of a member in lower case, with the Chinese word beside it."""

    zh: str

    def __new__(cls, number: int, zh: str = "") -> Self:
        """Return a member; its value is the number."""
        member = int.__new__(cls, number)
        member._value_, member.zh = number, zh
        return member


class DeductibleCounting(Option):
    """V01: how often the deductible is charged."""

    NONE = 0, "不设起付线"
    PER_STAY = 1, "每次计算"
    """Each stay (or visit) its standard; nth stay, yearly ceilings and long-stay periods apply."""
    YEAR_HIGHEST = 2, "年度按最高级别计一次"
    """Once a year at the highest standard used; readings R01, R01b, R01c in :class:`HighestReading`."""
    YEAR_PER_LEVEL = 3, "年度按级别分别计"
    """A yearly amount for each level group (R16); the yearly ceiling holds for all together."""


class HighestReading(Option):
    """R01: what a later stay owes where the deductible is counted once a year at the highest level."""

    HIGHEST_LESS_CHARGED = 0, "补足最高标准与已付之差"
    UNUSED_IS_LOST = 1, "未用足部分作废"
    OWN_LESS_CHARGED = 2, "本次标准减已付"


class NthOver(Option):
    """V01: which stays are counted for a lower deductible of later stays."""

    ALL_LEVELS = 0, "各级医院合并计次"
    SAME_LEVEL = 1, "同级医院计次"


class StayOverYear(Option):
    """What a stay in parts owes when it goes on in the next benefit year (mid-stay settlement, 中途结算)."""

    EACH_YEAR = 0, "各年度分别计算"
    ONCE = 1, "整次住院只计算一次"


class Account(Option):
    """Which year-to-date amounts a plan counts in: of inpatient-like or of outpatient care."""

    INPATIENT = 0, "住院"
    OUTPATIENT = 1, "门诊"
    NONE = 2, "不累计"


class ReferralDeductible(Option):
    """V03, R27: the deductible of a referral chain."""

    NORMAL = 0, "不作调整"
    LESS_CHARGED = 1, "减已付起付线"
    """Up or sideways: the difference to what the chain has paid; down: none; no new admission."""
    LESS_STANDARD = 2, "减前一医院标准"
    """The difference to the standard of the stay before."""


class DeductiblePosition(Option):
    """V04: the deductible is taken off the cost, or off the fund's payment."""

    BEFORE_RATE = 0, "按比例支付之前扣除"
    AFTER_RATE = 1, "按比例支付之后扣除"


class TierMeasure(Option):
    """V06, R03: on what scale the tiers of the rate lie."""

    YEAR_COST = 0, "年度费用"
    YEAR_AFTER_DEDUCTIBLE = 1, "年度起付线以上费用"
    STAY_COST = 2, "单次费用"
    STAY_AFTER_DEDUCTIBLE = 3, "单次起付线以上费用"


class CapMeasure(Option):
    """V07: a cap on the fund paid or on the cost entering."""

    PAID = 0, "按基金支付额"
    COST = 1, "按进入费用"


class FundRounding(Option):
    """V19, R06: the tiers are summed exactly and the fund is rounded once, or each tier is rounded."""

    ONCE = 0, "合计后取整"
    EACH_TIER = 1, "分段取整"


class BandOrigin(Option):
    """V10: the bands of catastrophic insurance on the burden from 0, or on the burden above the threshold."""

    ZERO = 0, "从零起分段"
    THRESHOLD = 1, "起付标准以上分段"


class Increment(Option):
    """R07, R34: what a claim is paid of a benefit that is measured over the year."""

    ROUNDED_DIFFERENCE = 0, "差额取整"
    """f(base after) - f(base before), rounded."""
    DIFFERENCE_OF_ROUNDED = 1, "取整后求差"
    """Rounded f(base after) less rounded f(base before)."""
    YEAR_LESS_PAID = 2, "全年重算减已付"
    """Rounded f(base after) less what the year was paid: the year is recomputed with the parameters of the day."""


class TakenFrom(Option):
    """R09: which burden a payment of catastrophic insurance lowers first."""

    IN_SCOPE_FIRST = 0, "先冲政策范围内"
    PRO_RATA = 1, "按比例冲减"


class Position(Option):
    """V18, R35: a supplement, of civil servants or of an enterprise, after or before catastrophic insurance."""

    AFTER_CATASTROPHIC = 0, "大病保险之后"
    BEFORE_CATASTROPHIC = 1, "大病保险之前"


class Payer(Option):
    """Result column of what is paid above the cap and of catastrophic insurance."""

    LARGE_SUM = 0, "职工大额补助"
    """``hifob_pay``."""
    CATASTROPHIC = 1, "大病保险"
    """``hifmi_pay``."""


class AccountPosition(Option):
    """V13, R20: the personal account pays last and changes no fund, or before the deductible as in the old rules."""

    LAST = 0, "最后支付"
    BEFORE_DEDUCTIBLE = 1, "起付线之前支付"


class CeilingExcess(Option):
    """V12: cost over the price ceiling is outside the catalogue, or the patient's in-catalogue share."""

    OUTSIDE = 0, "目录外"
    INSIDE = 1, "目录内"


class FloorBase(Option):
    """V16, R29: of what the guaranteed payment is a share."""

    IN_SCOPE = 0, "政策范围内费用"
    TOTAL = 1, "总费用"


class HospitalBorne(Option):
    """Which part of the person's burden an amount that the hospital bears relieves first."""

    SELF_PAID_FIRST = 0, "先冲全自费"
    """Wholly self-paid, over the ceiling, first pay, in scope: no fund shares in the first ones."""
    IN_SCOPE_FIRST = 1, "先冲政策范围内"
    """In scope, first pay, over the ceiling, wholly self-paid."""


class QuotaMode(Option):
    """Maternity and fixed-price care: how a quota replaces or limits the rate."""

    NONE = 0, "无定额"
    COST_UP_TO_QUOTA = 1, "定额内费用全额支付"
    """The in-scope cost is paid in full up to the quota, above it at the excess rate."""
    PAYMENT_UP_TO_QUOTA = 2, "按比例支付以定额为限"
    """The rate applies, the payment ends at the quota."""


class ExtraPosition(Option):
    """R25: the extra cross-region first-pay once on the claim, or line by line."""

    CLAIM = 0, "按单据计算"
    LINES = 1, "按明细计算"


class FixedPrice(Option):
    """Single-disease and day-surgery care with a price per disease (section 10.11)."""

    OFF = 0, "不定价"
    SHARE_OF_PRICE = 1, "按定价分担"
    """The normal shares of the price; in-scope cost above it is borne by the hospital."""


class BurdenPart(Option):
    """Parts of the personal burden, as bits."""

    IN_SCOPE = 1, "政策范围内自付"
    """Co-pay within the in-scope amount."""
    FIRST_PAY = 2, "先行自付"
    OVER_CEILING = 4, "超限价"
    SELF_PAID = 8, "全自费"
    DEDUCTIBLE = 16, "起付线"
    EXTRA_FIRST_PAY = 32, "异地先行自付"
    ABOVE_CAP = 64, "封顶线以上"
    SPECIAL_DRUGS = 128, "特殊药品"


class PaidCategory(Option):
    """Under which kind of care the pooled fund's payment is counted for the year; caps name the ones that fill them."""

    INPATIENT = 0, "住院"
    OUTPATIENT = 1, "普通门诊"
    CHRONIC = 2, "门诊慢病"
    SPECIAL = 3, "门诊特病"
    TWO_DISEASES = 4, "两病"
    DUAL_CHANNEL = 5, "双通道"
    MATERNITY = 6, "生育"
    PRENATAL = 7, "产前检查"


class YearBy(IntEnum):
    """V08: the date that decides the benefit year, and the one that decides which rule holds."""

    DISCHARGE = 0
    SETTLEMENT = 1
    ADMISSION = 2


class Overlap(Option):
    """What happens to a claim whose days overlap what has been settled for the person (``claim.care_days``)."""

    WARN = 0, "提示"
    REFUSE = 1, "拒付"
    ALLOW = 2, "允许"


class QuotaPeriod(IntEnum):
    """Period of a disease quota."""

    NONE = 0
    MONTH = 1
    QUARTER = 2
    YEAR = 3


def choice_name(member: IntEnum) -> str:
    """Return the word for an option in a pack: its name in lower case."""
    return member.name.lower()


def in_words(member: Option) -> str:
    """Return an option for people: the word of a pack and the Chinese one.

    >>> in_words(Payer.LARGE_SUM)
    'large_sum 职工大额补助'
    """
    return f"{choice_name(member)} {member.zh}"
