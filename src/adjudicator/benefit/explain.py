"""How an answer came about: a second pass over one claim that gives every step with its clause, in both languages.

The claim is priced once more with its work amounts kept; the hot path is not touched. Two chains of steps add up:
``cost`` goes from the total to what the tiers see (split, cross-region first-pay, deductible), ``burden`` from the
total through every payer to nothing left, so that the amounts of its steps add up to the total (F2, P1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from adjudicator.benefit.plan.cells import unit_text
from adjudicator.benefit.plan.compile import PlanVersion
from adjudicator.benefit.plan.keys import NO_LIMIT
from adjudicator.benefit.records import WORK, YEAR, years_of
from adjudicator.benefit.settle import run
from adjudicator.benefit.tables import Claims
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, QUOTA, SLOT
from adjudicator.money import fen_to_yuan
from adjudicator.options import Account, CapMeasure, QuotaMode, TierMeasure
from adjudicator.rules.bundle import Bundle

COST, BURDEN = "cost", "burden"


@dataclass(frozen=True, slots=True)
class Step:
    """One step; amounts in fen, rates in parts per million (0: none or several)."""

    chain: str
    stage: str
    stage_zh: str
    before_fen: int
    amount_fen: int
    after_fen: int
    rate_ppm: int
    document: str
    clause: str
    verified: bool
    text: str
    text_zh: str


def explain(
    bundle: Bundle,
    claim: np.ndarray,
    split: np.ndarray,
    year_before: np.ndarray,
    quota_used_fen: int = 0,
    lines_in_scope: np.ndarray | None = None,
) -> tuple[Step, ...]:
    """The steps of one claim.

    claim CLAIM[1] and split SPLIT[1] as they were settled, year_before int64[slots] the person's year before the claim,
    quota_used_fen what the disease quota had used. A refused claim has no steps.
    """
    claim = np.atleast_1d(claim).copy()
    claim["state"], claim["quota"] = 0, 0 if claim["quota"][0] >= 0 else -1
    year = np.array(year_before, np.int64).reshape(1, ACCUMULATOR_COUNT).copy()
    quota = np.zeros(1, QUOTA)
    quota["used_fen"] = quota_used_fen
    out, works = np.zeros(1, BENEFIT), np.zeros(1, WORK)
    if claim["error"][0]:
        return ()
    lines = np.zeros(0, np.int64) if lines_in_scope is None else lines_in_scope
    batch = Claims(claim, np.atleast_1d(split), lines, years_of(year), quota, np.zeros(1, YEAR))
    run(bundle, batch, out, works)
    if out["error"][0]:
        return ()
    return tuple(_Steps(bundle, claim[0], works[0], np.asarray(year_before), out[0]).all())


class _Steps:
    """Writes the steps from the work amounts of one claim."""

    def __init__(self, bundle: Bundle, claim: np.void, work: np.void, year: np.ndarray, out: np.void):
        self.claim, self.work, self.year, self.out = claim, work, year, out
        plan = int(work["plan"])
        self.version: PlanVersion | None = bundle.plans.versions[plan] if plan >= 0 else None
        self.row = bundle.plans.rows[plan] if plan >= 0 else None
        self.pack = bundle.packs[int(claim["pack"])]
        self.group, self.level, self.category = (self.w(name) for name in ("group", "level", "category"))

    def w(self, name: str) -> int:
        """A work amount."""
        return int(self.work[name])

    def slot(self, name: str) -> int:
        """A year-to-date amount before the claim."""
        return int(self.year[SLOT[name]])

    def all(self) -> Iterator[Step]:
        """Both chains."""
        yield from self.cost()
        yield from self.burden()

    def step(self, chain, stage, zh, before, amount, keys=(), rate=0, text="", text_zh="") -> Step:
        """One step that takes ``amount`` away, with the documents of the values it used."""
        sources = []
        for key in keys:
            if self.version is not None and key in self.version.values:
                source = self.version.values[key].source
                if source not in sources:
                    sources.append(source)
        document = "; ".join(dict.fromkeys(source.document for source in sources))
        clause = "; ".join(dict.fromkeys(source.clause for source in sources if source.clause))
        verified = all(source.verified for source in sources)
        return Step(chain, stage, zh, before, amount, before - amount, rate, document, clause, verified, text, text_zh)

    # -------------------------------------------------------------- cost

    def cost(self) -> Iterator[Step]:
        """From the total to what the tiers see."""
        left = self.w("total_fen")
        first_pay = self.w("first_pay_fen") - self.w("extra_first_pay_fen")
        for name, zh, amount in (
            ("wholly self-paid", "全自费", self.w("self_paid_fen")),
            ("over ceiling", "超限价", self.w("over_ceiling_fen")),
            ("first pay", "先行自付", first_pay),
        ):
            if amount:
                yield self.step(COST, name, zh, left, amount, text="sum over the fee lines", text_zh="明细合计")
                left -= amount
        if self.w("extra_first_pay_fen"):
            yield self.step(
                COST, "cross-region first pay", "异地先行自付", left, self.w("extra_first_pay_fen"),
                ("cross_region", "unreferred_extra_percent"), 0,
                f"extra first-pay on the in-scope cost of {fen_to_yuan(left)} for care elsewhere or without referral",
                f"异地就医或未转诊，政策范围内费用{fen_to_yuan(left)}元加收先行自付",
            )  # fmt: skip
            left -= self.w("extra_first_pay_fen")
        for name, zh, amount, key in (
            ("paid in full", "免按比例自付", self.w("copay_free_fen"), None),
            ("over the fixed price", "超病种定价", self.w("fixed_price_excess_fen"), "fixed_price"),
            ("account first", "账户先付", self.w("account_first_fen"), "account_position"),
        ):
            if amount:
                yield self.step(COST, name, zh, left, amount, (key,) if key else (), text=name, text_zh=zh)
                left -= amount
        if self.row is not None and self.w("standard_fen") + self.w("due_fen"):
            yield self.deductible(left)

    def deductible(self, left: int) -> Step:
        """Stage 3."""
        standard, due, paid = (fen_to_yuan(self.w(f"{name}_fen")) for name in ("standard", "due", "deductible"))
        charged = (
            "deductible_outpatient_fen"
            if self.row["deductible_account"] == Account.OUTPATIENT
            else "deductible_charged_fen"
        )
        before = fen_to_yuan(self.slot(charged))
        return self.step(
            COST, "deductible", "起付线", left, self.w("deductible_fen"),
            ("deductible_yuan", "deductible_counting", "deductible_nth_percent", "deductible_year_ceiling_yuan"), 0,
            f"standard of this stay {standard}, charged this year so far {before}, due now {due}, taken {paid}",
            f"本次起付标准{standard}元，本年度已付{before}元，本次应付{due}元，实付{paid}元",
        )  # fmt: skip

    # -------------------------------------------------------------- burden

    def burden(self) -> Iterator[Step]:
        """From the total through every payer to cash."""
        left = self.w("total_fen")
        for step in self.payers():
            moved = Step(
                step.chain, step.stage, step.stage_zh, left, step.amount_fen, left - step.amount_fen, step.rate_ppm,
                step.document, step.clause, step.verified, step.text, step.text_zh,
            )  # fmt: skip
            if step.amount_fen or step.stage == "pooled fund":
                yield moved
                left = moved.after_fen

    def payers(self) -> Iterator[Step]:
        """Every payer in the order of the cascade; ``before`` is filled in by the caller."""
        pay = self.pay
        if self.row is not None:
            text, text_zh, rate = self.pooled_text()
            keys = ("rate_percent", "rate_derived", "cap_yuan", "limit_yuan", "cross_region", "maternity_quota_yuan")
            yield pay("pooled fund", "统筹基金", "pooled", keys, rate, text, text_zh)
            over = fen_to_yuan(self.w("over_cap_fen"))
            ppm = int(self.row["above_cap_ppm"][self.group, self.level])
            share = unit_text("percent", ppm)
            yield pay(
                "above the cap", "封顶线以上", "large_sum", ("above_cap_percent", "above_cap_limit_yuan"), ppm,
                f"{over} above the cap × {share}", f"封顶线以上{over}元 × {share}",
            )  # fmt: skip
            yield self.catastrophic()
            yield pay("civil-servant supplement", "公务员补助", "civil_servant",
                      ("civil_servant_percent", "civil_servant_deductible_percent"))  # fmt: skip
            yield pay("enterprise supplement", "企业补充", "enterprise", ("enterprise_percent",))
            yield self.assisted("assistance", "medical assistance", "医疗救助")
            yield self.assisted("tilt", "tilt assistance", "倾斜救助")
        yield pay("programme", "专项保障", "programme")
        yield pay("other payers", "其他支付", "other")
        yield pay("hospital", "医院负担", "hospital")
        yield pay("account, current year", "个人账户（当年）", "account_current", ("account_current_pays",))
        yield pay("account, past years", "个人账户（历年）", "account_past", ("account_past_pays",))
        yield pay("family account", "家庭共济", "account_family", ("account_family_pays",))
        yield pay("cash", "个人现金", "cash", text="what is left for the person", text_zh="由个人现金支付")

    def pay(self, stage, zh, name, keys=(), rate=0, text="", text_zh="") -> Step:
        """A payer whose amount is a work amount."""
        return self.step(BURDEN, stage, zh, 0, self.w(f"{name}_fen"), keys, rate, text or stage, text_zh or zh)

    def pooled_text(self) -> tuple[str, str, int]:
        """The tiers of this claim written out, and the rate where there is only one."""
        if self.row["quota_mode"] == QuotaMode.COST_UP_TO_QUOTA:
            return "the cost up to the quota", "按定额支付", 0
        parts = self.tier_parts()
        text = " + ".join(f"{fen_to_yuan(cost)} × {unit_text('percent', rate)}" for cost, rate in parts) or "0"
        pooled, exact = self.w("pooled_fen"), self.w("tiers_exact")
        notes, notes_zh = [], []
        if self.w("copay_free_fen"):
            notes.append(f"{fen_to_yuan(self.w('copay_free_fen'))} paid in full")
            notes_zh.append(f"另{fen_to_yuan(self.w('copay_free_fen'))}元全额支付")
        if self.w("over_cap_fen"):
            on_cost = self.row["cap_measure"] == CapMeasure.COST
            over = fen_to_yuan(self.w("over_cap_fen"))
            notes.append(f"{over} of the cost lies above the cap" + (" on cost" if on_cost else ""))
            notes_zh.append(f"{over}元超过封顶线")
        if pooled < (exact + 500_000) // 1_000_000 + self.w("copay_free_fen"):
            notes.append("ended by a limit, a quota or the deductible after the rate")
            notes_zh.append("受限额、定额或比例后起付线限制")
        suffix = f" ({'; '.join(notes)})" if notes else ""
        suffix_zh = f"（{'；'.join(notes_zh)}）" if notes_zh else ""
        rate = parts[0][1] if len(parts) == 1 else 0
        return f"{text} = {fen_to_yuan(pooled)}{suffix}", f"{text} = {fen_to_yuan(pooled)}元{suffix_zh}", rate

    def tier_parts(self) -> list[tuple[int, int]]:
        """(cost in fen, rate in ppm) of each tier that the claim touches, the cost above a cap on cost left out."""
        row = self.row
        account = int(row["cost_account"])
        cost_before = deductible_before = 0
        if account == Account.OUTPATIENT:
            cost_before, deductible_before = self.slot("cost_outpatient_fen"), self.slot("deductible_outpatient_fen")
        elif account == Account.INPATIENT:
            cost_before, deductible_before = self.slot("cost_inpatient_fen"), self.slot("deductible_charged_fen")
        charged = self.w("base_fen") - self.w("payable_fen")
        start = {
            TierMeasure.YEAR_COST: cost_before + charged,
            TierMeasure.YEAR_AFTER_DEDUCTIBLE: max(cost_before - deductible_before, 0),
            TierMeasure.STAY_COST: charged,
            TierMeasure.STAY_AFTER_DEDUCTIBLE: 0,
        }[TierMeasure(int(row["tier_measure"]))]
        end = start + self.w("payable_fen") - (self.w("over_cap_fen") if row["cap_measure"] == CapMeasure.COST else 0)
        lows = [int(low) for low in row["tier_from_fen"] if low < NO_LIMIT] or [0]
        parts = []
        for tier, low in enumerate(lows):
            high = lows[tier + 1] if tier + 1 < len(lows) else NO_LIMIT
            cost = min(end, high) - max(start, low if tier else 0)
            if cost > 0:
                rate = int(row["rate_ppm"][self.group, self.level, tier]) + self.w("plus_ppm") - self.w("minus_ppm")
                rate = min(max(rate, 0), 1_000_000) * self.w("factor_ppm")
                parts.append((cost, max((rate + 500_000) // 1_000_000, self.w("rate_at_least_ppm"))))
        return parts

    def catastrophic(self) -> Step:
        """Stage 7."""
        threshold = int(self.row["catastrophic_threshold_fen"][self.category])
        base, before = fen_to_yuan(self.w("catastrophic_base_fen")), fen_to_yuan(self.slot("catastrophic_base_fen"))
        limit = unit_text("yuan", threshold)
        return self.pay(
            "catastrophic insurance", "大病保险", "catastrophic",
            ("catastrophic_percent", "catastrophic_threshold_yuan", "catastrophic_base", "catastrophic_cap_yuan"), 0,
            f"burden of this claim {base}, of the year before it {before}, threshold {limit}",
            f"本次合规自付{base}元，年度此前累计{before}元，起付标准{limit}元",
        )  # fmt: skip

    def assisted(self, name: str, stage: str, zh: str) -> Step:
        """Stages 9 and 10."""
        base = fen_to_yuan(self.w(f"{name}_base_fen"))
        ppm = int(self.row[f"{name}_ppm"][self.category])
        share, threshold = (
            unit_text("percent", ppm),
            unit_text("yuan", int(self.row[f"{name}_threshold_fen"][self.category])),
        )
        return self.pay(
            stage, zh, name, (f"{name}_percent", f"{name}_threshold_yuan", f"{name}_cap_yuan"), ppm,
            f"{base} left, threshold of the year {threshold}, × {share}",
            f"剩余{base}元，年度起付{threshold}元，比例{share}",
        )  # fmt: skip
