"""The sentences of an explanation in English and Chinese; ``{0}`` and so on are amounts in yuan.

A sentence belongs to a step (its id), to a rule that changed an amount (the key of the plan), or to a note of a stage.
"""

from __future__ import annotations

from collections.abc import Sequence

from adjudicator.benefit.plan.cells import unit_text
from adjudicator.benefit.plan.keys import NO_LIMIT
from adjudicator.money import fen_to_yuan

Text = tuple[str, str]
"""In English and in Chinese."""

_LINES = ("sum over the fee lines", "明细合计")
_BALANCE = ("from a balance of {0}, as far as it may pay", "余额{0}元，在可支付范围内支付")
_INCREMENT = ("what the whole year is paid, less what it was paid before", "按全年计算减此前部分")
_YEAR_CAP = ("up to the yearly cap", "达到年度封顶线")
_YEAR_LIMIT = ("up to the yearly limit", "达到年度限额")

STEPS: dict[str, Text] = {
    "wholly_self_paid": _LINES,
    "over_ceiling": _LINES,
    "first_pay": _LINES,
    "copay_free": ("these items are paid in full, outside the tiers", "该部分项目全额支付，不分段"),
    "over_fixed_price": (
        "the hospital bears what is above the fixed price of the disease", "超过病种定价部分由医院负担"
    ),
    "account_first": ("the account pays before the deductible", "个人账户先于起付线支付"),
    "deductible": (
        "standard of this stay {0}, charged this year so far {1}, due now {2}, taken {3}",
        "本次起付标准{0}元，本年度已付{1}元，本次应付{2}元，实付{3}元",
    ),
    "other": ("payers outside the funds, stated with the claim: {0}", "其他支付方，随结算单报送{0}元"),
    "hospital_borne": (
        "over the ceiling {0}, over the fixed price {1}, waived {2}", "超限价{0}元，超病种定价{1}元，减免{2}元"
    ),
    "account_current": _BALANCE,
    "account_past": _BALANCE,
    "family_account": _BALANCE,
    "cash": ("what is left for the person", "由个人现金支付"),
}  # fmt: skip
"""What a step says of itself; the steps that are not here show cost × rate only."""

RULES: dict[str, Text] = {
    "cross_region": ("care elsewhere", "异地就医"),
    "extra_position": ("line by line", "按明细计算"),
    "deductible_signed_yuan": ("signed family doctor", "签约家庭医生起付标准"),
    "deductible_signed_less_yuan": ("less with a signed family doctor", "签约家庭医生减额"),
    "deductible_category_percent": ("assisted person", "救助对象起付线比例"),
    "deductible_nth_percent": ("a later stay of the year", "年度再次住院"),
    "deductible_later_less_yuan": ("less by a fixed sum for each stay before", "每增加一次住院定额减少"),
    "deductible_period_days": ("a long stay is charged again", "长期住院重新计算"),
    "deductible_referral": ("less in a referral chain", "转诊减免起付线"),
    "deductible_carried": ("with the unused part of the first stay", "含首次未用完的起付线"),
    "deductible_year_ceiling_yuan": ("up to the yearly ceiling of all deductibles", "年度累计起付线封顶"),
    "deductible_level_ceiling_yuan": ("up to the yearly ceiling of this level", "同级年度起付线封顶"),
    "unreferred_points": ("lower rate without a referral", "未转诊降低比例"),
    "signed_points": ("higher rate with a signed doctor", "签约提高比例"),
    "category_points": ("higher rate of an assisted person", "救助对象提高比例"),
    "age_points": ("higher rate by age", "年龄段提高比例"),
    "fund_rounding": ("each tier rounded", "分段取整"),
    "deductible_position": ("less the deductible, taken after the rate", "比例后扣起付线"),
    "floor_percent": ("raised to the guaranteed payment", "按保底支付"),
    "maternity_quota_yuan": ("up to the quota", "以定额为限"),
    "quota_excess_percent": ("above the quota at its own rate", "超定额部分按比例"),
    "limit_yuan": ("up to the yearly limit of this care", "达到年度限额"),
    "limit_signed_yuan": ("up to the yearly limit with a signed doctor", "达到签约年度限额"),
    "limit_disease_extra_yuan": ("limit raised for a filed disease", "慢病备案增加限额"),
    "above_cap_limit_yuan": _YEAR_LIMIT,
    "catastrophic_increment": _INCREMENT,
    "catastrophic_cap_yuan": _YEAR_CAP,
    "civil_servant_cap_yuan": _YEAR_CAP,
    "enterprise_cap_yuan": _YEAR_CAP,
    "assistance_cap_yuan": _YEAR_LIMIT,
    "assistance_outpatient_cap_yuan": ("up to the yearly limit of outpatient assistance", "达到门诊年度救助限额"),
    "assistance_inpatient_cap_yuan": ("up to the yearly limit of inpatient assistance", "达到住院年度救助限额"),
    "assistance_increment": _INCREMENT,
    "tilt_cap_yuan": _YEAR_LIMIT,
}
"""What is said of a rule that changed an amount, by the key of its value."""

NOTES: dict[str, Text] = {
    "earlier_parts": ("a part of a stay whose earlier parts were charged {}", "本次住院前期中途结算已付起付标准{}元"),
    "quota_of_earlier_parts": (
        "earlier parts of the stay have used {0} of the quota", "本次住院前期中途结算已用定额{0}元"
    ),
    "price_of_earlier_parts": (
        "earlier parts of the stay have used {0} of the price", "本次住院前期中途结算已用定价{0}元"
    ),
    "scale_of_the_stay": (
        "earlier parts of the stay fill the tiers up to {0}", "本次住院前期中途结算费用{0}元已计入分段"
    ),
    "guaranteed_before": (
        "earlier parts of the stay were paid {0} ahead by the guaranteed payment",
        "本次住院前期中途结算已按保底多支付{0}元",
    ),
    "charged_before": ("less what the year counted already", "扣减本年度已计"),
    "waived_of_disease": ("no deductible for the disease", "该病种不设起付线"),
    "waived_of_ward": ("no deductible in the ward", "该科室不设起付线"),
    "waived": ("waived by the programme", "专项保障免起付线"),
    "cost_below_due": ("the cost of {0} is below what is due", "费用{0}元未达到应付起付线"),
    "rate_elsewhere": ("lower rate for care elsewhere", "异地就医降低比例"),
    "nothing_left": ("no cost is left for the tiers", "无费用进入分段"),
    "cost_up_to_quota": ("the cost up to the quota", "定额内费用全额支付"),
    "rate_at_least": ("raised to the rate of the programme", "按专项保障最低比例"),
    "copay_free": ("{0} paid in full", "另{0}元全额支付"),
    "over_cap": ("{0} of the cost lies above the cap", "{0}元超过封顶线"),
    "over_cap_on_cost": ("{0} of the cost lies above the cap on cost", "{0}元超过封顶线"),
    "disease_quota": ("the quota of the disease has {0} left", "病种限额剩余{0}元"),
    "burden": (
        "burden of this claim {0}, of the year before it {1}, threshold {2}",
        "本次合规自付{0}元，年度此前累计{1}元，起付标准{2}元",
    ),
    "supplementary": ("supplementary insurance {0}", "其中补充医疗保险{0}元"),
    "each_part_rounded": ("each part rounded", "各部分分别取整"),
    "up_to_the_burden": ("up to the burden that is left", "以剩余自付为限"),
    "fraction_of_a_fen": ("the cost above the cap taken with its fraction of a fen", "超封顶线费用未取整"),
    "up_to_its_limit": ("one part up to its limit of {0}", "其中一部分达到限额{0}元"),
    "own_deductible": ("own deductible {0}", "补助起付线{0}元"),
    "above_threshold": (
        "{0} left, {1} of the year before it, threshold {2}", "剩余{0}元，年度此前累计{1}元，年度起付{2}元"
    ),
}  # fmt: skip
"""What else a stage says."""


def yuan(amount_fen: int) -> str:
    """Return an amount in yuan; "none" where a limit is never reached."""
    return unit_text("yuan", amount_fen) if amount_fen >= NO_LIMIT else fen_to_yuan(amount_fen)


def sentence(table: dict[str, Text], name: str, amounts_fen: Sequence[int] = ()) -> Text:
    """Return a sentence with its amounts.

    >>> sentence(NOTES, "own_deductible", [30_000])
    ('own deductible 300.00', '补助起付线300.00元')
    """
    english, chinese = table[name]
    amounts = [yuan(amount) for amount in amounts_fen]
    return english.format(*amounts), chinese.format(*amounts)
