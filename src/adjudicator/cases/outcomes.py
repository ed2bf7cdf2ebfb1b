"""What a case may expect, with its Chinese name: amounts of the answer and of each payer, its parts and the whole; the
group of the stay and what the institution is owed; why a claim was refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adjudicator.codes import GroupStatus, Method
from adjudicator.errors import E
from adjudicator.money import fen_to_yuan
from adjudicator.payers import PAYERS, Identity
from adjudicator.payment.registry import NAMES_ZH

POINT_DECIMALS, PERCENT_DECIMALS = 8, 2


def _of(*identities: Identity) -> dict[str, str]:
    listed = (payer.outcomes for payer in PAYERS if payer.identity in identities)
    return {name: zh for outcomes in listed for name, (zh, _) in outcomes.items()}


def _words(members: Iterable[GroupStatus | Method]) -> dict[str, str]:
    return {member.name.lower(): NAMES_ZH[member] if isinstance(member, Method) else "" for member in members}


OUTCOME_ZH: dict[str, str] = {
    "total": "医疗费总额",
    "wholly_self_paid": "全自费金额",
    "over_ceiling": "超限价自费费用",
    "first_pay": "先行自付金额",
    "in_scope": "符合政策范围金额",
    "deductible_standard": "起付标准",
    "deductible": "实际支付起付线",
    **_of(Identity.FUND, Identity.HOSPITAL),
    "fund_total": "基金支付总额",
    "personal_total": "个人负担总金额",
    **_of(Identity.ACCOUNT, Identity.CASH),
    "drg": "病组",
    "group_status": "分组状态",
    "method": "付费方式",
    "points": "点数",
    "due": "应付医院",
    "difference": "与按项目付费之差",
    "warning": "提示",
    "error": "错误",
    "error_field": "错误字段",
    "financing": "当年筹资",
    "personal_part": "其中个人缴费",
    "usable_fund": "可用基金",
    "head_quota": "人头定额",
    "may_apply": "可申请特例单议",
    "taken": "名额内",
    "growth_percent": "增幅（%）",
}
"""In yuan, or what WORDS lists; ``points`` are points; ``error`` and ``warning`` are names of the error table."""

_ERRORS = dict.fromkeys(E.__members__, "")

WORDS: dict[str, Mapping[str, str] | None] = {
    "drg": None,
    "group_status": {
        **_words(GroupStatus), "not_asked": "未分组", "grouped": "已入组", "ungrouped": "未入组", "invalid": "信息无效",
        "ambiguous": "歧义组", "unmappable": "编码无法对应",
    },
    "method": _words(Method),
    "warning": _ERRORS,
    "error": _ERRORS,
    "error_field": None,
    "may_apply": None,
    "taken": None,
}  # fmt: skip
"""Outcomes that are words: the words with their Chinese names, None where any text may come out."""

NOTHING = ("", "NONE", "none", "not_asked")
"""Words that say that there is nothing to tell."""


NEVER = "never "
"""Before the name of an outcome that must not come out, in a list of differences."""


def shown(name: str, value: int | str) -> str:
    """Return an outcome as a case writes it.

    >>> shown("due", 1050), shown("points", 7_085_489_160), shown("method", "drg_points")
    ('10.50', '70.8548916', 'drg_points')
    """
    if isinstance(value, str):
        return value
    if name != "points":
        return fen_to_yuan(value)  # a percentage has as many decimals
    whole, part = divmod(abs(value), 10**POINT_DECIMALS)
    digits = f"{part:0{POINT_DECIMALS}d}".rstrip("0")
    return ("-" if value < 0 else "") + (f"{whole}.{digits}" if digits else str(whole))


def named(name: str, value: int | str) -> str:
    """Return an outcome as a person reads it: a word with its Chinese name, where it has one.

    >>> named("group_status", "grouped")
    'grouped 已入组'
    """
    return f"{shown(name, value)} {(WORDS.get(name) or {}).get(str(value), '')}".rstrip()
