"""The steps of an explanation: one table of ids and names, whoever writes the step and whoever shows it.

``cost`` goes from the total to what the tiers of the pooled fund see, ``burden`` from the total through every payer to
nothing left. A payer's step has the id of ``payers.PAYERS``; where several steps make up what one payer paid, each of
them has an id of its own here. Ids travel on the wire (``ExplanationStep.stage``) and never change.
"""

from __future__ import annotations

from dataclasses import dataclass

from adjudicator.payers import PAYERS

COST, BURDEN = "cost", "burden"
CHAIN_NAMES = {COST: ("cost", "费用"), BURDEN: ("payers", "支付")}
"""Heading of each chain, in English and Chinese."""


@dataclass(frozen=True, slots=True)
class StepName:
    """One kind of step."""

    id: str
    chain: str
    en: str
    zh: str


_COST = (
    StepName("wholly_self_paid", COST, "wholly self-paid", "全自费"),
    StepName("over_ceiling", COST, "over the price ceiling", "超限价"),
    StepName("first_pay", COST, "first pay", "先行自付"),
    StepName("cross_region_first_pay", COST, "cross-region first pay", "异地先行自付"),
    StepName("copay_free", COST, "paid in full", "免按比例自付"),
    StepName("over_fixed_price", COST, "over the fixed price", "超病种定价"),
    StepName("account_first", COST, "account first", "账户先付"),
    StepName("deductible", COST, "deductible", "起付线"),
)

_PARTS = (
    StepName("above_cap", BURDEN, "above the cap", "封顶线以上"),
    StepName("tilt", BURDEN, "tilt assistance", "倾斜救助"),
    StepName("programme", BURDEN, "programme", "专项保障"),
    StepName("account_current", BURDEN, "account, current year", "个人账户（当年）"),
    StepName("account_past", BURDEN, "account, past years", "个人账户（历年）"),
)

STEP_NAMES: dict[str, StepName] = {
    step.id: step
    for step in (*_COST, *(StepName(payer.id, BURDEN, payer.en, payer.zh_short) for payer in PAYERS), *_PARTS)
}
"""Every step by its id."""
