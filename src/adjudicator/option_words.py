"""Chinese words of the options for ``rules show`` and ``rules diff``; packs write the English ones."""

from __future__ import annotations

from enum import IntEnum

from adjudicator import options as o

ZH: dict[type[IntEnum], tuple[str, ...]] = {
    o.DeductibleCounting: ("不设起付线", "每次计算", "年度按最高级别计一次", "年度按级别分别计"),
    o.HighestReading: ("补足最高标准与已付之差", "未用足部分作废", "本次标准减已付"),
    o.NthOver: ("各级医院合并计次", "同级医院计次"),
    o.Account: ("住院", "门诊", "不累计"),
    o.ReferralDeductible: ("不作调整", "减已付起付线", "减前一医院标准"),
    o.DeductiblePosition: ("按比例支付之前扣除", "按比例支付之后扣除"),
    o.TierMeasure: ("年度费用", "年度起付线以上费用", "单次费用", "单次起付线以上费用"),
    o.CapMeasure: ("按基金支付额", "按进入费用"),
    o.FundRounding: ("合计后取整", "分段取整"),
    o.BandOrigin: ("从零起分段", "起付标准以上分段"),
    o.Increment: ("差额取整", "取整后求差", "全年重算减已付"),
    o.TakenFrom: ("先冲政策范围内", "按比例冲减"),
    o.Position: ("大病保险之后", "大病保险之前"),
    o.Payer: ("职工大额补助", "大病保险"),
    o.AccountPosition: ("最后支付", "起付线之前支付"),
    o.CeilingExcess: ("目录外", "目录内"),
    o.FloorBase: ("政策范围内费用", "总费用"),
    o.QuotaMode: ("无定额", "定额内费用全额支付", "按比例支付以定额为限"),
    o.ExtraPosition: ("按单据计算", "按明细计算"),
    o.FixedPrice: ("不定价", "按定价分担"),
    o.BurdenPart: (
        "政策范围内自付", "先行自付", "超限价", "全自费", "起付线", "异地先行自付", "封顶线以上", "特殊药品",
    ),
    o.PaidCategory: ("住院", "普通门诊", "门诊慢病", "门诊特病", "两病", "双通道", "生育", "产前检查"),
}  # fmt: skip
"""For each enumeration the words of its members in order."""


def in_words(member: IntEnum) -> str:
    """Return an option for people: the word of a pack and the Chinese one.

    >>> in_words(o.Payer.LARGE_SUM)
    'large_sum 职工大额补助'
    """
    return f"{o.choice_name(member)} {ZH[type(member)][list(type(member)).index(member)]}"
