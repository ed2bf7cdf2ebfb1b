"""What a case may expect, with its Chinese name: amounts of the answer, and of each payer its parts and the whole."""

from __future__ import annotations

from adjudicator.payers import PAYERS, Identity


def _of(*identities: Identity) -> dict[str, str]:
    listed = (payer.outcomes for payer in PAYERS if payer.identity in identities)
    return {name: zh for outcomes in listed for name, (zh, _) in outcomes.items()}


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
    "error": "错误",
}
"""In yuan; ``error`` is a name of the error table."""
