"""Which values of a plan had a part in the steps of one claim, so that an explanation names only their documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from adjudicator.benefit.plan.compile import PlanVersion
from adjudicator.benefit.plan.keys import AXIS_LENGTH, NO_LIMIT, UNDEFINED
from adjudicator.codes import Referral
from adjudicator.columns import SLOT
from adjudicator.options import Account, CapMeasure, DeductiblePosition, NthOver, QuotaMode, ReferralDeductible

PPM = 1_000_000


class Clauses:
    """Keys of the plan row that decided a claim; ``work`` has the amounts of the stages, ``year`` those before it."""

    def __init__(self, claim: np.void, work: np.void, year: np.ndarray, row: Any, version: PlanVersion | None):
        self.claim, self.work, self.year, self.row, self.version = claim, work, year, row, version
        self.group, self.level, self.category = (int(work[name]) for name in ("group", "level", "category"))
        self.cross = int(work["place"]), int(work["filing"])

    def slot(self, name: str) -> int:
        """Return a year-to-date amount before the claim."""
        return int(self.year[SLOT[name]])

    @property
    def is_signed(self) -> bool:
        """Return whether the person is at the doctor signed with."""
        return bool(self.claim["family_doctor"] and self.claim["at_signed_institution"])

    def deductible(self) -> Iterator[str]:
        """Stage 3."""
        row = self.row
        elsewhere = row["cross_deductible_fen"][self.cross] != UNDEFINED or row["cross_deductible_ppm"][self.cross] > 0
        yield "cross_region" if elsewhere else "deductible_yuan"
        yield "deductible_counting"
        if self.is_signed:
            if row["deductible_signed_fen"][self.level] != UNDEFINED:
                yield "deductible_signed_yuan"
            if row["deductible_signed_less_fen"][self.level] > 0:
                yield "deductible_signed_less_yuan"
        if row["deductible_category_ppm"][self.category] != PPM:
            yield "deductible_category_percent"
        if row["deductible_nth_ppm"][self._stay_number()] != PPM:
            yield from ("deductible_nth_percent", "deductible_nth_over")
        if 0 < row["deductible_period_days"] < self.claim["stay_days"]:
            yield "deductible_period_days"
        if self.work["in_chain"]:
            yield "deductible_referral"
        if self.work["due_fen"] < self.work["standard_fen"]:
            if row["deductible_year_ceiling_fen"][self.group] < NO_LIMIT:
                yield "deductible_year_ceiling_yuan"
            if row["deductible_level_ceiling_fen"][self.level] < NO_LIMIT:
                yield "deductible_level_ceiling_yuan"
        if self.work["shortfall_used_fen"]:
            yield "deductible_carried"

    def _stay_number(self) -> int:
        if self.row["deductible_account"] == Account.OUTPATIENT:
            before = self.slot("visits_outpatient")
        elif self.row["deductible_nth_over"] == NthOver.SAME_LEVEL:
            before = self.slot(f"stays_level_{self.level}")
        else:
            before = self.slot("stays")
        if self.work["in_chain"] and self.row["deductible_referral"] != ReferralDeductible.NORMAL:
            before = max(before - 1, 0)
        return int(min(before, AXIS_LENGTH["nth"] - 1))

    def extra_first_pay(self) -> Iterator[str]:
        """Stage 2: what care elsewhere, or without a referral, adds to the first pay."""
        own, unreferred = self.row["cross_extra_first_pay_ppm"][self.cross], self.row["unreferred_extra_ppm"]
        missing = self.claim["referral"] == Referral.MISSING
        yield "unreferred_extra_percent" if missing and unreferred > own else "cross_region"

    def pooled(self, is_limited: bool, tiers: int) -> Iterator[str]:
        """Stages 4 and 5; ``is_limited``: less than the rate gives was paid; ``tiers`` that the claim touched."""
        row, work = self.row, self.work
        if row["quota_mode"] == QuotaMode.COST_UP_TO_QUOTA:
            yield from ("quota_mode", "maternity_quota_yuan")
            if row["quota_excess_ppm"] > 0:
                yield "quota_excess_percent"
            return
        yield "rate_percent"
        derived = self.version.values.get("rate_derived") if self.version is not None else None
        if derived is not None and self.group in [entry[0] for entry in derived.value]:
            yield "rate_derived"
        if tiers > 1:
            yield from ("tier_from_yuan", "tier_measure")
        yield from self._rate_changes()
        if row["deductible_position"] == DeductiblePosition.AFTER_RATE and work["deductible_fen"]:
            yield "deductible_position"
        if row["floor_ppm"] > 0 and 2 * work["pooled_fen"] * PPM > 2 * work["tiers_exact"] + PPM:
            yield "floor_percent"
        if work["over_cap_fen"] > 0:
            yield "cap_yuan"
            if row["cap_measure"] == CapMeasure.COST:
                yield "cap_measure"
        if is_limited:
            if row["limit_fen"][self.group] < NO_LIMIT:
                yield "limit_yuan"
            if row["quota_mode"] == QuotaMode.PAYMENT_UP_TO_QUOTA:
                yield "maternity_quota_yuan"

    def _rate_changes(self) -> Iterator[str]:
        row = self.row
        if self.work["minus_ppm"] > 0:
            missing = self.claim["referral"] == Referral.MISSING
            own = row["cross_minus_points_ppm"][self.cross]
            yield "unreferred_points" if missing and row["unreferred_points_ppm"] > own else "cross_region"
        if self.work["factor_ppm"] != PPM:
            yield "cross_region"
        if row["category_points_ppm"][self.category] > 0:
            yield "category_points"
        if self.is_signed and row["signed_points_ppm"][self.level] > 0:
            yield "signed_points"
        if row["has_age_steps"] and self.claim["age_years"] >= min(row["age_from_years"]):
            yield from ("age_points", "age_from_years")

    def limited(self, amount: int, written: str, compiled: str, position: Any, paid: str) -> Iterator[str]:
        """The yearly limit of a payer, where the claim reached it."""
        most = int(self.row[compiled][position])
        if most < NO_LIMIT and self.slot(paid) + amount >= most:
            yield written

    def civil_servant(self, amount: int) -> Iterator[str]:
        """Stage 8."""
        for name in ("civil_servant_percent", "civil_servant_deductible_percent"):
            if self.row[name.replace("_percent", "_ppm")][self.group] > 0:
                yield name
        if self.work["civil_servant_deductible_fen"]:
            yield "civil_servant_own_deductible_yuan"
        yield from self.limited(
            amount, "civil_servant_cap_yuan", "civil_servant_cap_fen", self.group, "civil_servant_fen"
        )

    def enterprise(self, amount: int) -> Iterator[str]:
        """Stage 8."""
        yield "enterprise_percent"
        yield from self.limited(amount, "enterprise_cap_yuan", "enterprise_cap_fen", self.group, "enterprise_fen")

    def above_cap(self, amount: int) -> Iterator[str]:
        """Stage 6."""
        yield "above_cap_percent"
        yield from self.limited(amount, "above_cap_limit_yuan", "above_cap_limit_fen", self.group, "large_sum_fen")

    def catastrophic(self, amount: int) -> Iterator[str]:
        """Stage 7."""
        yield from ("catastrophic_percent", "catastrophic_threshold_yuan", "catastrophic_base")
        yield from self.limited(
            amount, "catastrophic_cap_yuan", "catastrophic_cap_fen", self.category, "catastrophic_fen"
        )

    def assistance(self, amount: int) -> Iterator[str]:
        """Stage 9."""
        yield "assistance_percent"
        if self.row["assistance_threshold_fen"][self.category] > 0:
            yield "assistance_threshold_yuan"
        paid = self.slot("assistance_inpatient_fen") + self.slot("assistance_outpatient_fen")
        most = int(self.row["assistance_cap_fen"][self.category])
        if most < NO_LIMIT and paid + amount >= most:
            yield "assistance_cap_yuan"

    def tilt(self, amount: int) -> Iterator[str]:
        """Stage 10."""
        yield "tilt_percent"
        if self.row["tilt_threshold_fen"][self.category] > 0:
            yield "tilt_threshold_yuan"
        yield from self.limited(amount, "tilt_cap_yuan", "tilt_cap_fen", self.category, "tilt_fen")
