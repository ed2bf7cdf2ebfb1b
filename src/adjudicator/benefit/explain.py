"""How an answer came about: a second pass over one claim that gives every step with its clause, in both languages.

The claim is priced once more with its work amounts kept; the hot path is not touched. Two chains of steps add up:
``cost`` goes from the total to what the tiers see (split, cross-region first-pay, deductible), ``burden`` from the
total through every payer to nothing left, so that the amounts of its steps add up to the total (F2, P1). Names of the
steps: ``steps.STEP_NAMES``. A step names the documents of the values that had a part in it (``benefit/clauses.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from adjudicator.benefit.clauses import Clauses
from adjudicator.benefit.compile import Benefit
from adjudicator.benefit.plan.cells import unit_text
from adjudicator.benefit.plan.compile import PlanVersion
from adjudicator.benefit.plan.keys import NO_LIMIT
from adjudicator.benefit.records import WORK, YEAR, years_of
from adjudicator.benefit.settle import run
from adjudicator.benefit.tables import Claims
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, QUOTA, SLOT
from adjudicator.money import fen_to_yuan
from adjudicator.options import Account, BandOrigin, CapMeasure, QuotaMode, TierMeasure
from adjudicator.steps import STEP_NAMES

ALWAYS = ("pooled", "deductible")
"""Steps that are written even where they take nothing."""

Text = tuple[str, str]
"""In English and in Chinese."""
Part = tuple[int, int]
"""An amount in fen and its rate in parts per million."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step; amounts in fen, rates in parts per million (0: none or several)."""

    stage: str
    """Id of ``steps.STEP_NAMES``."""
    before_fen: int
    amount_fen: int
    rate_ppm: int
    document: str
    clause: str
    verified: bool
    text: str
    text_zh: str

    @property
    def after_fen(self) -> int:
        """What is left after the step."""
        return self.before_fen - self.amount_fen

    @property
    def chain(self) -> str:
        """The ladder that the step stands in."""
        return STEP_NAMES[self.stage].chain


def explain(
    benefit: Benefit,
    claim: np.ndarray,
    split: np.ndarray,
    year_before: np.ndarray,
    quota_used_fen: int = 0,
    lines_in_scope: np.ndarray | None = None,
) -> tuple[Step, ...]:
    """Return the steps of one claim.

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
    run(benefit, batch, out, works)
    if out["error"][0]:
        return ()
    return tuple(_Steps(benefit, claim[0], works[0], np.asarray(year_before), out[0]).all())


class _Steps:
    """Writes the steps from the work amounts of one claim."""

    def __init__(self, benefit: Benefit, claim: np.void, work: np.void, year: np.ndarray, out: np.void):
        self.claim, self.work, self.year, self.out = claim, work, year, out
        plan = int(work["plan"])
        self.version: PlanVersion | None = benefit.plans.versions[plan] if plan >= 0 else None
        self.row: Any = benefit.plans.rows[plan] if plan >= 0 else None
        self.group, self.level, self.category = (self.w(name) for name in ("group", "level", "category"))
        self.clauses = Clauses(self.claim, self.work, self.year, self.row, self.version)

    def w(self, name: str) -> int:
        """Return a work amount."""
        return int(self.work[name])

    def yuan(self, name: str) -> str:
        """Return a work amount in yuan."""
        return fen_to_yuan(self.w(name))

    def slot(self, name: str) -> int:
        """Return a year-to-date amount before the claim."""
        return int(self.year[SLOT[name]])

    def all(self) -> Iterator[Step]:
        """Both chains, each of which starts from the total."""
        for steps in (self.cost(), self.burden()):
            left = self.w("total_fen")
            for step in steps:
                if step.amount_fen or step.stage in ALWAYS:
                    yield replace(step, before_fen=left)
                    left -= step.amount_fen

    def step(self, stage: str, amount: int, text: Text, keys: Iterable[str] = (), rate: int = 0) -> Step:
        """One step that takes ``amount`` away, with the documents of the values that had a part in it."""
        sources = []
        for key in keys:
            if self.version is not None and key in self.version.values:
                source = self.version.values[key].source
                if source not in sources:
                    sources.append(source)
        document = "; ".join(dict.fromkeys(source.document for source in sources))
        clause = "; ".join(dict.fromkeys(source.clause for source in sources if source.clause))
        return Step(stage, 0, amount, rate, document, clause, all(source.verified for source in sources), *text)

    # -------------------------------------------------------------- cost

    def cost(self) -> Iterator[Step]:
        """From the total to what the tiers see."""
        lines = ("sum over the fee lines", "明细合计")
        yield self.step("wholly_self_paid", self.w("self_paid_fen"), lines)
        yield self.step("over_ceiling", self.w("over_ceiling_fen"), lines)
        yield self.step("first_pay", self.w("first_pay_fen") - self.w("extra_first_pay_fen"), lines)
        if self.w("extra_first_pay_fen"):
            yield self.extra_first_pay()
        free = ("these items are paid in full, outside the tiers", "该部分项目全额支付，不分段")
        yield self.step("copay_free", self.w("copay_free_fen"), free)
        price = ("the hospital bears what is above the fixed price of the disease", "超过病种定价部分由医院负担")
        yield self.step("over_fixed_price", self.w("fixed_price_excess_fen"), price, ("fixed_price",))
        first = ("the account pays before the deductible", "个人账户先于起付线支付")
        yield self.step("account_first", self.w("account_first_fen"), first, ("account_position",))
        if self.row is not None and self.w("standard_fen") + self.w("due_fen"):
            yield self.deductible()

    def extra_first_pay(self) -> Step:
        """Stage 2: on the in-scope cost, for care elsewhere or without referral."""
        extra, cost = self.w("extra_first_pay_fen"), self.w("in_scope_fen") + self.w("extra_first_pay_fen")
        (key,) = self.clauses.extra_first_pay()
        ppm = self.row["unreferred_extra_ppm"]
        if key == "cross_region":
            ppm = self.row["cross_extra_first_pay_ppm"][self.clauses.cross]
        return self.step("cross_region_first_pay", extra, product([(cost, int(ppm))], extra), (key,), int(ppm))

    def deductible(self) -> Step:
        """Stage 3."""
        standard, due, paid = (self.yuan(f"{name}_fen") for name in ("standard", "due", "deductible"))
        is_outpatient = self.row["deductible_account"] == Account.OUTPATIENT
        before = fen_to_yuan(self.slot("deductible_outpatient_fen" if is_outpatient else "deductible_charged_fen"))
        text = (
            f"standard of this stay {standard}, charged this year so far {before}, due now {due}, taken {paid}",
            f"本次起付标准{standard}元，本年度已付{before}元，本次应付{due}元，实付{paid}元",
        )
        return self.step("deductible", self.w("deductible_fen"), text, self.clauses.deductible())

    # -------------------------------------------------------------- burden

    def burden(self) -> Iterator[Step]:
        """From the total through every payer to cash."""
        if self.row is not None:
            yield self.pooled()
            yield self.above_cap()
            yield self.catastrophic()
            yield from self.supplements()
            yield self.assisted("assistance", self.clauses.assistance(self.w("assistance_fen")))
            yield self.assisted("tilt", self.clauses.tilt(self.w("tilt_fen")))
        parts, whole = self.yuan("supplementary_fen"), self.yuan("programme_fen")
        text = (f"supplementary insurance {parts} of {whole}", f"{whole}元，其中补充医疗保险{parts}元")
        yield self.step("programme", self.w("programme_fen"), text)
        stated = fen_to_yuan(int(self.claim["other_payer_fen"]))
        text = (f"payers outside the funds, stated with the claim: {stated}", f"其他支付方，随结算单报送{stated}元")
        yield self.step("other", self.w("other_fen"), text)
        yield self.hospital()
        yield from self.accounts()
        yield self.step("cash", self.w("cash_fen"), ("what is left for the person", "由个人现金支付"))

    def pooled(self) -> Step:
        """Stages 4 and 5: the tiers of this claim written out, and the rate where there is only one."""
        paid, free = self.w("pooled_fen"), self.w("copay_free_fen")
        if self.row["quota_mode"] == QuotaMode.COST_UP_TO_QUOTA:
            text = (f"the cost up to the quota: {fen_to_yuan(paid)}", f"按定额支付{fen_to_yuan(paid)}元")
            return self.step("pooled", paid, text, self.clauses.pooled(False, 0))
        parts = self.tier_parts()
        is_limited = paid < (self.w("tiers_exact") + 500_000) // 1_000_000 + free
        notes: list[Text] = []
        if free:
            notes.append((f"{fen_to_yuan(free)} paid in full", f"另{fen_to_yuan(free)}元全额支付"))
        if self.w("over_cap_fen"):
            on_cost = " on cost" if self.row["cap_measure"] == CapMeasure.COST else ""
            over = self.yuan("over_cap_fen")
            notes.append((f"{over} of the cost lies above the cap{on_cost}", f"{over}元超过封顶线"))
        if is_limited:
            notes.append(
                ("ended by a limit, a quota or the deductible after the rate", "受限额、定额或比例后起付线限制")
            )
        rate = parts[0][1] if len(parts) == 1 else 0
        keys = self.clauses.pooled(is_limited, len(parts))
        return self.step("pooled", paid, product(parts, paid, notes), keys, rate)

    def tier_parts(self) -> list[Part]:
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

    def above_cap(self) -> Step:
        """Stage 6."""
        paid, ppm = self.w("large_sum_fen"), int(self.row["above_cap_ppm"][self.group, self.level])
        text = product([(self.w("over_cap_fen"), ppm)], paid)
        return self.step("above_cap", paid, text, self.clauses.above_cap(paid), ppm)

    def catastrophic(self) -> Step:
        """Stage 7: the year's burden by bands, as far as this claim fills them."""
        row, paid = self.row, self.w("catastrophic_fen")
        threshold = int(row["catastrophic_threshold_fen"][self.category])
        base, before = self.w("catastrophic_base_fen"), self.slot("catastrophic_base_fen")
        origin = threshold if row["catastrophic_origin"] == BandOrigin.THRESHOLD else 0
        lows = [int(low) for low in row["catastrophic_from_fen"] if low < NO_LIMIT]
        parts: list[Part] = []
        for band, low in enumerate(lows):
            high = lows[band + 1] + origin if band + 1 < len(lows) else NO_LIMIT
            part = min(before + base, high) - max(before, low + origin, threshold)
            if part > 0:
                parts.append((part, int(row["catastrophic_ppm"][self.category, band])))
        burden, earlier, limit = fen_to_yuan(base), fen_to_yuan(before), unit_text("yuan", threshold)
        note = (
            f"burden of this claim {burden}, of the year before it {earlier}, threshold {limit}",
            f"本次合规自付{burden}元，年度此前累计{earlier}元，起付标准{limit}元",
        )
        text, keys = product(parts, paid, [note]), self.clauses.catastrophic(paid)
        return self.step("catastrophic", paid, text, keys, parts[0][1] if len(parts) == 1 else 0)

    def supplements(self) -> Iterator[Step]:
        """Stage 8: civil servants, then enterprises."""
        row, paid = self.row, self.w("civil_servant_fen")
        deductible = min(self.w("deductible_fen"), self.w("civil_servant_base_fen"))
        own = self.w("civil_servant_deductible_fen")
        parts = [
            (deductible, int(row["civil_servant_deductible_ppm"][self.group])),
            (self.w("civil_servant_base_fen") - deductible - own, int(row["civil_servant_ppm"][self.group])),
        ]
        notes = [(f"own deductible {fen_to_yuan(own)}", f"补助起付线{fen_to_yuan(own)}元")] if own else []
        text = product([part for part in parts if all(part)], paid, notes)
        yield self.step("civil_servant", paid, text, self.clauses.civil_servant(paid))
        paid, ppm = self.w("enterprise_fen"), int(row["enterprise_ppm"][self.group])
        text = product([(self.w("enterprise_base_fen"), ppm)], paid)
        yield self.step("enterprise", paid, text, self.clauses.enterprise(paid), ppm)

    def assisted(self, name: str, keys: Iterable[str]) -> Step:
        """Stages 9 and 10: a share of what the burden of the year exceeds a threshold."""
        paid, base, before = self.w(f"{name}_fen"), self.w(f"{name}_base_fen"), self.slot(f"{name}_base_fen")
        ppm, threshold = (
            int(self.row[f"{name}_ppm"][self.category]),
            int(self.row[f"{name}_threshold_fen"][self.category]),
        )
        part = max(before + base - threshold, 0) - max(before - threshold, 0)
        notes: list[Text] = []
        if threshold:
            limit = unit_text("yuan", threshold)
            notes.append((
                f"{fen_to_yuan(base)} left, {fen_to_yuan(before)} of the year before it, threshold {limit}",
                f"剩余{fen_to_yuan(base)}元，年度此前累计{fen_to_yuan(before)}元，年度起付{limit}元",
            ))  # fmt: skip
        return self.step(name, paid, product([(part, ppm)], paid, notes), keys, ppm)

    def hospital(self) -> Step:
        """Stage 12: what the hospital waives, and what is above a ceiling or a fixed price."""
        borne, price = self.w("hospital_fen"), self.w("fixed_price_excess_fen")
        stated = min(int(self.claim["hospital_borne_fen"]), borne - price)
        ceiling = fen_to_yuan(borne - price - stated)
        text = (
            f"over the ceiling {ceiling}, over the fixed price {fen_to_yuan(price)}, waived {fen_to_yuan(stated)}",
            f"超限价{ceiling}元，超病种定价{fen_to_yuan(price)}元，减免{fen_to_yuan(stated)}元",
        )
        return self.step("hospital_borne", borne, text)

    def accounts(self) -> Iterator[Step]:
        """Stage 13."""
        for pot, stage in (("current", "account_current"), ("past", "account_past"), ("family", "family_account")):
            balance = fen_to_yuan(int(self.claim[f"account_{pot}_fen"]))
            text = (f"from a balance of {balance}, as far as it may pay", f"余额{balance}元，在可支付范围内支付")
            yield self.step(stage, self.w(f"account_{pot}_fen"), text, (f"account_{pot}_pays",))


def product(parts: Sequence[Part], paid_fen: int, notes: Sequence[Text] = ()) -> Text:
    """Return cost × rate + … = what was paid, with notes, in English and Chinese.

    >>> product([(3_920_000, 820_000), (6_000_000, 880_000)], 8_494_400)
    ('39200.00 × 82% + 60000.00 × 88% = 84944.00', '39200.00 × 82% + 60000.00 × 88% = 84944.00元')
    >>> product([(10_000, 500_000)], 3_000)[0]
    '100.00 × 50% = 50.00, paid 30.00'
    """
    text = " + ".join(f"{fen_to_yuan(cost)} × {unit_text('percent', rate)}" for cost, rate in parts) or "0"
    paid, exact = fen_to_yuan(paid_fen), sum(cost * rate for cost, rate in parts)
    english, chinese = f"{text} = {paid}", f"{text} = {paid}元"
    if abs(exact - paid_fen * 1_000_000) > 1_000_000 and not notes:
        whole = fen_to_yuan((exact + 500_000) // 1_000_000)
        english, chinese = f"{text} = {whole}, paid {paid}", f"{text} = {whole}元，实付{paid}元"
    if notes:
        english += f" ({'; '.join(note for note, _ in notes)})"
        chinese += f"（{'；'.join(note for _, note in notes)}）"
    return english, chinese
