"""The benefit cascade the slow, obvious way: from docs/readings.md, with exact fractions.

One person's year is an object with plain names, one claim at a time, one function a step of section 1. Payments that
depend on the year are differences of a curve: ``pay_curve`` for the tiers, ``catastrophic_curve`` for the bands. The
plan's values are looked up by name and date in the pack as it was read, not in the compiled arrays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from adjudicator.benefit.plan.keys import KEY, NO_LIMIT
from adjudicator.codes import PERSON_TYPES, Channel, Filing, Place, Referral, Scheme
from adjudicator.errors import E
from adjudicator.options import (
    Account,
    AccountPosition,
    BandOrigin,
    BurdenPart,
    CapMeasure,
    CeilingExcess,
    DeductibleCounting,
    DeductiblePosition,
    ExtraPosition,
    FixedPrice,
    FloorBase,
    FundRounding,
    HighestReading,
    HospitalBorne,
    Increment,
    NthOver,
    PaidCategory,
    Payer,
    Position,
    QuotaMode,
    ReferralDeductible,
    StayOverYear,
    TakenFrom,
    TierMeasure,
)
from adjudicator.rulefile.pack import NO_DEDUCTIBLE

MILLION = 1_000_000


class Refused(Exception):
    """The claim has an error; ``number`` is of the error table."""

    def __init__(self, number: E):
        self.number = number


def half_up(amount: Fraction | int) -> int:
    """To the fen, a half upwards (for a negative amount downwards)."""
    amount = Fraction(amount)
    if amount < 0:
        return -half_up(-amount)
    return int(amount + Fraction(1, 2))


@dataclass
class Year:
    """What one person has used in one scheme and benefit year; every name that was not touched is 0."""

    amounts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    quotas: dict[Any, int] = field(default_factory=lambda: defaultdict(int))

    def __getitem__(self, name: str) -> int:
        return self.amounts[name]

    def add(self, name: str, amount: int) -> None:
        self.amounts[name] += amount


class Rules:
    """The values of one plan on one day, by their names in the pack."""

    def __init__(self, pack, plan, date: int):
        self.pack, self.plan, self.date = pack, plan, date

    def raw(self, name: str):
        for value in self.plan.values.get(name, ()):
            if value.source.from_date <= self.date <= value.source.to_date:
                return value.value
        return None

    def option(self, name: str, kind):
        value = self.raw(name)
        return kind(int(value)) if value is not None else kind(KEY[name].default)

    def number(self, name: str, *cell: int) -> int | None:
        """A value in fen, ppm or days; None for "no limit" and for "not given" (the caller knows which it is)."""
        value = self.raw(name)
        number = int(value[cell]) if value is not None else KEY[name].default
        return None if number in (NO_LIMIT, -1) else number

    def rate(self, name: str, *cell: int) -> Fraction | None:
        number = self.number(name, *cell)
        return None if number is None else Fraction(number, MILLION)

    def names(self, name: str) -> int:
        value = self.raw(name)
        return int(value) if value is not None else KEY[name].default


# ---------------------------------------------------------------- step 0: which rules


def find_plan(pack, claim):
    """The plan for the scheme, kind of care, place, filing and day."""
    filing = filing_of(claim)
    fitting = [
        plan
        for plan in pack.plans
        if plan.scheme == claim["scheme"] and claim["care_kind"] in plan.care and claim["place"] in plan.places
        and (claim["place"] == Place.LOCAL or filing in plan.filings) and channel_of(claim) in plan.channels
    ]  # fmt: skip
    if not fitting:
        raise Refused(E.NO_PLAN)
    on_day = [plan for plan in fitting if plan.from_date <= claim["rule_date"] <= plan.to_date]
    if not on_day:
        raise Refused(E.NO_RULE_ON_DATE)
    assert len(on_day) == 1
    if on_day[0].undefined:
        raise Refused(E.RULE_UNDEFINED)
    return on_day[0]


def filing_of(claim) -> Filing:
    filing = Filing(int(claim["filing"]))
    if claim["place"] != Place.LOCAL and filing == Filing.UNSPECIFIED:
        return Filing.NONE
    return filing


def channel_of(claim) -> Channel:
    """Claimed at the counter where the claim says so, or where its filing class says nothing but that."""
    counter = bool(claim["settled_at_counter"]) or claim["filing"] == Filing.NOT_DIRECT
    return Channel.COUNTER if counter else Channel.DIRECT


def group_of(pack, claim) -> int:
    """Person group by scheme, person type (a longer entry goes before a shorter) and contribution tier."""
    code, best = PERSON_TYPES[claim["person_type"]], None
    for number, group in enumerate(pack.person_groups):
        if Scheme[group.scheme.upper()] != claim["scheme"]:
            continue
        if group.contribution_tiers and claim["contribution_tier"] not in group.contribution_tiers:
            continue
        if not 0 <= claim["contribution_tier"] < 8:
            continue
        for entry in group.person_types:
            if code and code.startswith(entry) and (best is None or len(entry) > best[0]):
                best = (len(entry), number)
    if best is None:
        raise Refused(E.CARE_NOT_COVERED)
    return best[1]


def programme_of(pack, claim):
    if claim["programme"] <= 0:
        return None
    if claim["programme"] > len(pack.programmes):
        raise Refused(E.UNKNOWN_PROGRAMME)
    programme = pack.programmes[claim["programme"] - 1]
    if not programme.source.from_date <= claim["admission_date"] <= programme.source.to_date:
        raise Refused(E.UNKNOWN_PROGRAMME)
    return programme


def disease_value(pack, claim, group: int, kind: str) -> int | None:
    """Quota or fixed price of the disease on the day; an entry for a group first, then for a scheme, then for all."""
    if not 0 <= claim["disease"] < len(pack.diseases):
        return None
    disease = pack.diseases[claim["disease"]]
    return value_of({"quota": disease.quotas, "price": disease.fixed_prices, "stay": disease.stays}[kind], claim, group)


def value_of(values, claim, group: int) -> int | None:
    best = None
    for value in values:
        scheme, of_group, fen, care = value.value
        if scheme not in (0, claim["scheme"]) or of_group not in (-1, group) or not care >> claim["care_kind"] & 1:
            continue
        if value.source.from_date <= claim["rule_date"] <= value.source.to_date:
            narrow = (of_group >= 0, scheme > 0)
            if best is None or narrow > best[0]:
                best = (narrow, fen)
    return None if best is None else best[1]


def stay_terms(pack, claim, group: int) -> int | None:
    """After how many days a long stay is charged again: the disease's own terms, else those of the ward."""
    of_disease = disease_value(pack, claim, group, "stay")
    if of_disease is not None or not 0 <= claim["ward"] < len(pack.wards):
        return of_disease
    return value_of(pack.wards[claim["ward"]].stays, claim, group)


# ---------------------------------------------------------------- the whole claim


class Stay(NamedTuple):
    """Earlier parts of a stay: the year before the first one, and what each was (``part`` of its result), in order."""

    begun: Year
    parts: Sequence[dict[str, int]]

    def sum(self, name: str) -> int:
        return sum(part[name] for part in self.parts)


def settle(pack, claim, split, year: Year, quota_key: Any = None, stays: Sequence[Stay] = ()) -> dict[str, Any]:
    """Result of one claim by name, and ``year`` changed; raises :class:`Refused` and leaves it as it was.

    ``stays``: of the claim's earlier parts, if it has any; ``stay_row`` and ``stay_row_over_years`` are 1 + place.
    """
    burden = {
        "in_scope": int(split["in_scope_fen"]),
        "first_pay": int(split["first_pay_fen"]),
        "over_ceiling": int(split["over_ceiling_fen"]) - int(split["hospital_borne_fen"]),
        "self_paid": int(split["wholly_self_paid_fen"]),
    }
    result: dict[str, Any] = defaultdict(int)
    result["hospital_borne"] = int(split["hospital_borne_fen"])
    result["in_scope"], result["first_pay"] = burden["in_scope"], burden["first_pay"]
    rules = programme = None
    if claim["suspended"]:
        programme = programme_of(pack, claim)
    else:
        plan = find_plan(pack, claim)
        rules = Rules(pack, plan, claim["rule_date"])
        group = group_of(pack, claim)
        if rules.names("requires_disease") and claim["disease"] < 0:
            raise Refused(E.CARE_NOT_COVERED)
        programme = programme_of(pack, claim)
        Cascade(rules, claim, split, year, group, programme, quota_key, stays).run(burden, result)
    if programme is not None and rules is not None:
        supplementary(programme, burden, year, result)
    other_payers(rules, claim, programme, burden, result)
    accounts(rules, claim, burden, result)
    result["cash"] = sum(burden.values())
    if rules is not None:
        year.add("other_fen", result["other"])
        year.add("account_fen", result["account_current"] + result["account_past"] + result["account_family"])
    funds = ("pooled", "above_cap", "cii", "civil_servant", "enterprise", "assistance", "tilt", "other")
    result["fund_total"] = sum(result[name] for name in funds)
    result["personal_total"] = sum(result[f"account_{pot}"] for pot in ("current", "past", "family")) + result["cash"]
    return result


def pay_from(burden: dict[str, int], amount: int, parts) -> int:
    """Lowers the burden in the order given; returns what could be paid."""
    paid = 0
    for part in parts:
        step = min(amount - paid, burden[part])
        burden[part] -= step
        paid += step
    return paid


class Cascade:
    """Steps 2 to 10 for one claim."""

    def __init__(self, rules, claim, split, year, group, programme, quota_key, stays=()):
        self.rules, self.claim, self.split, self.year = rules, claim, split, year
        self.group, self.level, self.programme = group, int(claim["deductible_level"]), programme
        self.category = int(claim["assistance"])
        self.total = int(claim["total_fen"])
        self.quota_key = quota_key
        self.signed = bool(claim["family_doctor"]) and bool(claim["at_signed_institution"])
        referral = Referral(int(claim["referral"]))
        option = rules.option("deductible_referral", ReferralDeductible)
        moved = referral in (Referral.UP, Referral.DOWN, Referral.SAME)
        self.in_chain = bool(claim["chain_continues"]) and moved and option != ReferralDeductible.NORMAL
        once = rules.option("deductible_over_year", StayOverYear) == StayOverYear.ONCE
        row = int(claim["stay_row_over_years" if once else "stay_row"])
        self.stay_charged = int(claim["stay_charged_over_years_fen" if once else "stay_charged_fen"])
        self.goes_on, self.begun = row > 0, stays[row - 1].begun if row > 0 else year
        self.total_of_stay = self.total + (stays[row - 1].sum("total") if row > 0 else 0)
        over_years = int(claim["stay_row_over_years"])
        self.stay = stays[over_years - 1] if over_years > 0 else Stay(year, ())
        self.within_year = row == int(claim["stay_row"])
        self.outpatient_deductible = rules.option("deductible_account", Account) == Account.OUTPATIENT
        self.deductible_account = rules.option("deductible_account", Account)
        self.cost_account = rules.option("cost_account", Account)

    def cross(self, name: str, default):
        """A value for the place and filing (V11)."""
        cells = self.rules.raw("cross_region")
        way = (int(self.claim["place"]), int(filing_of(self.claim)), int(channel_of(self.claim)))
        place = way[0]
        if cells is None:
            return default if place == Place.LOCAL or name != "cross_defined" else 0
        if name == "cross_defined":
            return 1 if place == Place.LOCAL else int(cells[name][way])
        value = int(cells[name][way])
        return default if value in (NO_LIMIT, -1) else value

    # -------------------------------------------------------------- order of the steps

    def run(self, burden, result) -> None:
        in_scope = burden["in_scope"]
        if not self.cross("cross_defined", 1) and in_scope > 0:
            raise Refused(E.RULE_UNDEFINED)
        extra = self.extra_first_pay(in_scope)
        burden["in_scope"] -= extra
        burden["first_pay"] += extra
        result["in_scope"], result["first_pay"] = burden["in_scope"], burden["first_pay"]
        in_scope = burden["in_scope"]
        copay_free = min(int(self.split["copay_free_fen"]), in_scope)
        hospital_excess = self.over_fixed_price(in_scope - copay_free)
        base = in_scope - copay_free - hospital_excess
        account_first = self.account_first(base)
        base -= account_first
        standard, due, deductible, shortfall, shortfall_used = self.deductible(base)
        pooled, above, base_above = self.pooled(base, deductible, copay_free, in_scope)
        large = min(self.above_the_cap(above), base + copay_free - pooled)
        unpaid_above = half_up(above)
        burden["in_scope"] = base + account_first + copay_free - pooled - large
        # Of the burden in scope: the deductible and cost above the cap, which a supplement pays as its other parts.
        self.of_deductible = min(deductible, burden["in_scope"])
        self.of_above = min(max(unpaid_above - large, 0), burden["in_scope"] - self.of_deductible)
        result["hospital_borne"] += hospital_excess
        before_catastrophic = self.rules.option("civil_servant_position", Position) == Position.BEFORE_CATASTROPHIC
        civil = civil_deductible = 0
        if self.claim["civil_servant"] and before_catastrophic:
            civil, civil_deductible = self.civil_servant(burden)
        early = self.rules.option("enterprise_position", Position) == Position.BEFORE_CATASTROPHIC
        enterprise = self.enterprise(burden) if early else 0
        cii_base, cii = self.catastrophic(burden, extra)
        if self.claim["civil_servant"] and not before_catastrophic:
            civil, civil_deductible = self.civil_servant(burden)
        if not early:
            enterprise = self.enterprise(burden)
        assistance, assistance_base, tilt, tilt_base = self.assistance(burden)
        result.update(
            standard=standard, due=due, deductible=deductible, pooled=pooled, above_cap=large, cii=cii,
            civil_servant=civil, enterprise=enterprise, assistance=assistance, tilt=tilt, account_first=account_first,
        )  # fmt: skip
        large_column = result["large_sum"]
        for amount, key in ((large, "above_cap_payer"), (cii, "catastrophic_payer")):
            if self.rules.option(key, Payer) == Payer.LARGE_SUM:
                large_column += amount
            else:
                result["catastrophic"] += amount
        result["large_sum"] = large_column
        counts = bool(self.rules.names("counts_admission"))
        result["counts_as_admission"] = int(counts and not self.in_chain and not self.goes_on)
        shared = in_scope - deductible
        result["pooled_rate_ppm"] = half_up(Fraction(pooled * MILLION, shared)) if shared > 0 else 0
        result["part"] = {
            "total": self.total, "cost": in_scope - copay_free, "base": base, "payable": self.payable, "pooled": pooled,
            "by_rate": self.paid_by_rate, "guaranteed": self.guaranteed, "deductible_left": self.deductible_left,
            "coverable": self.coverable, "floor_base": self.floor_base,
        }  # fmt: skip
        self.limited_by_quota = disease_value(self.rules.pack, self.claim, self.group, "quota") is not None
        self.count(result, base, base_above, standard, shortfall, shortfall_used, counts)
        self.year.add("catastrophic_base_fen", cii_base)
        self.year.add("deductible_civil_servant_fen", civil_deductible)
        self.year.add("burden_in_scope_fen", burden["in_scope"])
        if self.has("assistance_percent"):
            self.year.add("assistance_base_fen", assistance_base)
            outpatient = self.rules.option("assistance_account", Account) == Account.OUTPATIENT
            self.year.add("assistance_outpatient_fen" if outpatient else "assistance_inpatient_fen", assistance)
        if self.has("tilt_percent"):
            self.year.add("tilt_base_fen", tilt_base)
            self.year.add("tilt_fen", tilt)

    def has(self, name: str) -> bool:
        value = self.rules.raw(name)
        return value is not None and bool((value > 0).any())

    # -------------------------------------------------------------- step 2

    def reductions(self) -> tuple[Fraction, Fraction, Fraction]:
        """Extra first-pay, points off, factor; a missing referral and the filing: the heavier, once."""
        if (self.programme and self.programme.no_cross_region) or not self.cross("cross_defined", 1):
            return Fraction(0), Fraction(0), Fraction(1)
        extra = Fraction(self.cross("cross_extra_first_pay_ppm", 0), MILLION)
        points = Fraction(self.cross("cross_minus_points_ppm", 0), MILLION)
        factor = Fraction(self.cross("cross_factor_ppm", MILLION), MILLION)
        if self.claim["referral"] == Referral.MISSING:
            extra = max(extra, self.rules.rate("unreferred_extra_percent") or Fraction(0))
            points = max(points, self.rules.rate("unreferred_points") or Fraction(0))
        return extra, points, factor

    def extra_first_pay(self, in_scope: int) -> int:
        assert self.rules.option("extra_position", ExtraPosition) == ExtraPosition.CLAIM
        return half_up(in_scope * self.reductions()[0])

    def over_fixed_price(self, cost: int) -> int:
        """In-scope cost above the fixed price of the disease: the hospital's (10.11)."""
        if self.rules.option("fixed_price", FixedPrice) == FixedPrice.OFF:
            return 0
        price = disease_value(self.rules.pack, self.claim, self.group, "price")
        if price is None:
            return 0
        before = self.stay.sum("cost")  # the whole stay's excess, less that of the earlier parts
        return max(before + cost - price, 0) - max(before - price, 0)

    def account_first(self, base: int) -> int:
        """Old rule (R20): the current-year account pays before the deductible."""
        early = self.rules.option("account_position", AccountPosition) == AccountPosition.BEFORE_DEDUCTIBLE
        may = self.rules.names("account_current_pays") & BurdenPart.IN_SCOPE
        if not (early and may and self.claim["use_account"]):
            return 0
        return min(int(self.claim["account_current_fen"]), base)

    # -------------------------------------------------------------- step 3

    def deductible(self, base: int) -> tuple[int, int, int, int, int]:
        counting = self.rules.option("deductible_counting", DeductibleCounting)
        if counting == DeductibleCounting.NONE or (self.programme and self.programme.no_deductible):
            return 0, 0, 0, 0, 0
        if stay_terms(self.rules.pack, self.claim, self.group) == NO_DEDUCTIBLE:
            return 0, 0, 0, 0, 0
        year, level = self.begun, self.level
        standard = self.standard(base)
        kind = {Account.INPATIENT: "deductible_charged", Account.OUTPATIENT: "deductible_outpatient"}.get(
            self.deductible_account
        )
        charged = year[f"{kind}_fen"] if kind else 0
        charged_level = year[f"{kind}_level_{level}_fen"] if kind else 0
        highest = 0
        if kind:
            highest = year["highest_standard_outpatient_fen" if self.outpatient_deductible else "highest_standard_fen"]
        if counting == DeductibleCounting.PER_STAY:
            due = standard * self.periods()
            if self.in_chain:
                difference = self.rules.option("deductible_referral", ReferralDeductible)
                chain = int(self.claim["chain_deductible_fen"])
                due -= year["last_standard_fen"] if difference == ReferralDeductible.LESS_STANDARD else chain
        elif counting == DeductibleCounting.YEAR_PER_LEVEL:
            due = standard - charged_level
        else:
            reading = self.rules.option("deductible_reading", HighestReading)
            due = {
                HighestReading.HIGHEST_LESS_CHARGED: max(standard, highest) - charged,
                HighestReading.UNUSED_IS_LOST: standard - highest,
                HighestReading.OWN_LESS_CHARGED: standard - charged,
            }[reading]
        if self.in_chain and self.claim["referral"] == Referral.DOWN:
            due = 0
        due = max(due, 0)
        shortfall = shortfall_used = 0
        carried = bool(self.rules.names("deductible_carried")) and not self.in_chain
        if carried and year["stays"] > 0:
            shortfall_used = year["deductible_shortfall_fen"]
            due += shortfall_used
        for ceiling, so_far in (
            (self.rules.number("deductible_year_ceiling_yuan", self.group), charged),
            (self.rules.number("deductible_level_ceiling_yuan", level), charged_level),
        ):
            if ceiling is not None:
                due = max(min(due, ceiling - so_far), 0)
        due = max(due - self.stay_charged, 0) if self.goes_on else due
        paid = min(due, base)
        if carried and year["stays"] == 0:
            shortfall = due - paid
        if self.goes_on:
            # The year's shortfall becomes the one before the stay, with what the whole stay used and left.
            shortfall_used += self.year["deductible_shortfall_fen"] - year["deductible_shortfall_fen"]
            if not self.within_year:
                shortfall = shortfall_used = 0
        return standard, due, paid, shortfall, shortfall_used

    def standard(self, base: int) -> int:
        """Standard of this level and person, changed by filing, signed doctor, category, number of the stay."""
        standard = self.rules.number("deductible_yuan", self.group, self.level)
        fixed = self.cross("cross_deductible_fen", None)
        if fixed is not None:
            standard = fixed
        share = self.cross("cross_deductible_ppm", 0)
        if share:
            standard = max(
                half_up(Fraction(self.total_of_stay * share, MILLION)), self.cross("cross_deductible_at_least_fen", 0)
            )
            most = self.cross("cross_deductible_at_most_fen", None)
            standard = standard if most is None else min(standard, most)
        if standard is None:
            if base > 0:
                raise Refused(E.RULE_UNDEFINED)
            standard = 0
        sent_up = self.rules.names("deductible_signed_referred") and self.claim["referral"] == Referral.UP
        if self.claim["family_doctor"] and (self.claim["at_signed_institution"] or sent_up):
            lower = self.rules.number("deductible_signed_yuan", self.level)
            if lower is not None:
                standard = min(standard, lower)
            standard = max(standard - (self.rules.number("deductible_signed_less_yuan", self.level) or 0), 0)
        standard = half_up(standard * self.rules.rate("deductible_category_percent", self.category) if
                           self.rules.raw("deductible_category_percent") is not None else standard)  # fmt: skip
        if self.outpatient_deductible:
            former = self.begun["visits_outpatient"]
        elif self.rules.option("deductible_nth_over", NthOver) == NthOver.SAME_LEVEL:
            former = self.begun[f"stays_level_{self.level}"]
        else:
            former = self.begun["stays"]
        if self.in_chain:
            former = max(former - 1, 0)
        if self.rules.raw("deductible_nth_percent") is not None:
            standard = half_up(standard * self.rules.rate("deductible_nth_percent", min(former, 3)))
        less = least = 0
        if self.rules.raw("deductible_later_less_yuan") is not None:
            less = self.rules.number("deductible_later_less_yuan", self.level) or 0
        if self.rules.raw("deductible_later_least_yuan") is not None:
            least = self.rules.number("deductible_later_least_yuan", self.level) or 0
        return max(standard - former * less, min(standard, least))

    def periods(self) -> int:
        """Periods of a long stay: day 90 is in the first, day 91 begins the second (R33)."""
        length = stay_terms(self.rules.pack, self.claim, self.group)
        if length is None and self.rules.raw("deductible_period_days") is not None:
            length = self.rules.number("deductible_period_days", self.level)
        if not length:
            return 1
        return 1 + max(int(self.claim["stay_days"]) - 1, 0) // length

    # -------------------------------------------------------------- steps 4 and 5

    def rate_in(self, tier: int) -> Fraction:
        """Rate of a tier with every addition and reduction, between 0 and 1."""
        rate = self.table_rate(tier)
        if rate is None:
            raise Refused(E.RULE_UNDEFINED)
        if self.signed:
            rate += self.rules.rate("signed_points", self.level) or 0
        rate += self.rules.rate("category_points", self.category) or 0
        rate += self.age_points()
        _, minus, factor = self.reductions()
        rate = min(max(rate - minus, Fraction(0)), Fraction(1))
        rate = Fraction(half_up(rate * factor * MILLION), MILLION)
        if self.programme:
            rate = max(rate, Fraction(self.programme.rate_at_least_ppm, MILLION))
        return rate

    def table_rate(self, tier: int) -> Fraction | None:
        for group, of_group, form, ppm in self.rules.raw("rate_derived") or ():
            if group == self.group:
                base = self.rules.rate("rate_percent", of_group, self.level, tier)
                if base is None:
                    return None
                part = Fraction(ppm, MILLION)
                exact = min(base + part, Fraction(1)) if form == "plus_points" else 1 - (1 - base) * part
                return Fraction(half_up(exact * MILLION), MILLION)
        return self.rules.rate("rate_percent", self.group, self.level, tier)

    def age_points(self) -> Fraction:
        starts, points = self.rules.raw("age_from_years"), self.rules.raw("age_points")
        if points is None or starts is None:
            return Fraction(0)
        reached = [step for step, start in enumerate(starts) if start <= 150 and self.claim["age_years"] >= start]
        return Fraction(int(points[reached[-1]]), MILLION) if reached else Fraction(0)

    def tiers(self) -> list[tuple[int, int | None]]:
        starts = self.rules.raw("tier_from_yuan")
        lows = [0] if starts is None else [int(low) for low in starts if low < NO_LIMIT]
        return list(zip(lows, [*lows[1:], None], strict=True))

    def pieces(self, start: int, end: int) -> list[tuple[int, int]]:
        """(cost, tier) of the part of each tier between two points of the scale."""
        parts = []
        for tier, (low, high) in enumerate(self.tiers()):
            cost = (end if high is None else min(end, high)) - max(start, low)
            if cost > 0:
                parts.append((cost, tier))
        return parts

    def paid_so_far(self, key: str) -> int:
        mask = self.rules.names(key)
        return sum(self.year[f"pooled_{kind.name.lower()}_fen"] for kind in PaidCategory if mask >> kind & 1)

    def pooled(self, base: int, deductible: int, copay_free: int, in_scope: int) -> tuple[int, Fraction, Fraction]:
        """(pooled fund, cost above the cap, the part of it that is above a cap on cost)."""
        mode = self.rules.option("quota_mode", QuotaMode)
        self.paid_by_rate = self.guaranteed = self.deductible_left = self.coverable = self.floor_base = 0
        if mode == QuotaMode.COST_UP_TO_QUOTA:
            self.payable = base - deductible
            pooled, above, room = self.within_quota(base, deductible) + copay_free, Fraction(0), None
        else:
            pooled, above, room = self.by_tiers(base, deductible, copay_free, in_scope)
            if mode == QuotaMode.PAYMENT_UP_TO_QUOTA:
                pooled = min(pooled, max(self.maternity_quota(base) - self.stay.sum("pooled"), 0))
        uncapped = self.programme and self.programme.no_cap
        limit = self.rules.number("limit_yuan", self.group)
        if limit is not None and not uncapped:
            signed_limit = self.rules.number("limit_signed_yuan", self.group)
            if self.claim["family_doctor"] and signed_limit is not None:
                limit = signed_limit
            if self.claim["disease"] >= 0:
                limit += self.rules.number("limit_disease_extra_yuan", self.group) or 0
            pooled = min(pooled, max(limit - self.paid_so_far("limit_counts"), 0))
        quota = disease_value(self.rules.pack, self.claim, self.group, "quota")
        if quota is not None:
            pooled = min(pooled, max(quota - self.year.quotas[self.quota_key], 0))
        if room is not None and pooled < room:
            above = Fraction(0)  # a limit or quota stops the payment before it reaches the cap
        return pooled, above, above

    def by_tiers(self, base: int, deductible: int, copay_free: int, in_scope: int) -> tuple[int, Fraction, int | None]:
        after_rate = self.rules.option("deductible_position", DeductiblePosition) == DeductiblePosition.AFTER_RATE
        before_tiers = 0 if after_rate else deductible
        payable = self.payable = base - before_tiers
        cost_slot = {Account.INPATIENT: "cost_inpatient_fen", Account.OUTPATIENT: "cost_outpatient_fen"}.get(
            self.cost_account
        )
        cost_before = self.year[cost_slot] if cost_slot else 0
        slot = "deductible_outpatient_fen" if self.cost_account == Account.OUTPATIENT else "deductible_charged_fen"
        deductible_before = self.year[slot] if cost_slot else 0
        cap = self.rules.number("cap_yuan", self.group)
        if self.programme and self.programme.no_cap:
            cap = None
        above = Fraction(0)
        room = None
        if cap is not None and self.rules.option("cap_measure", CapMeasure) == CapMeasure.COST:
            # The cost of the year lies on one line; the deductible comes first, the cap cuts the end.
            begin, end = cost_before + before_tiers, cost_before + base
            above = Fraction(min(max(end - max(cap, begin), 0), payable))
        elif cap is not None:
            room = max(cap - self.paid_so_far("cap_counts"), 0)
        measure = self.rules.option("tier_measure", TierMeasure)
        start = {
            TierMeasure.YEAR_COST: cost_before + before_tiers,
            TierMeasure.YEAR_AFTER_DEDUCTIBLE: max(cost_before - deductible_before, 0),
            TierMeasure.STAY_COST: self.stay.sum("base") + before_tiers,
            TierMeasure.STAY_AFTER_DEDUCTIBLE: self.stay.sum("payable"),
        }[measure]
        pieces = [(cost, self.rate_in(tier)) for cost, tier in self.pieces(start, start + payable - int(above))]
        each = self.rules.option("fund_rounding", FundRounding) == FundRounding.EACH_TIER
        payments = [Fraction(half_up(cost * rate)) if each else cost * rate for cost, rate in pieces]
        # The cap has been filled by what a guarantee gave the earlier parts before it was due by the rate.
        ahead = self.stay.sum("guaranteed")
        copay_free_paid = copay_free if room is None else min(copay_free, room + ahead)
        tier_room = None if room is None else max(room + ahead - copay_free, 0)
        paid = sum(payments, Fraction(0))
        if after_rate:
            owed = deductible + self.stay.sum("deductible_left")
            pooled, left = max(half_up(paid) - owed, 0), max(owed - half_up(paid), 0)
            self.deductible_left = left - self.stay.sum("deductible_left")
            pooled = pooled if tier_room is None else min(pooled, tier_room)
        else:
            if tier_room is not None and paid > tier_room:
                above += self.cost_not_paid(pieces, payments, tier_room)
                paid = Fraction(tier_room)
            pooled = half_up(paid)
        above = min(above, Fraction(payable)) + copay_free - copay_free_paid
        pooled += copay_free_paid
        self.paid_by_rate, self.coverable = pooled, base + copay_free - half_up(above)
        guaranteed = self.rules.rate("floor_percent") or Fraction(0)
        if guaranteed or ahead > 0:
            of_total = self.rules.option("floor_base", FloorBase) == FloorBase.TOTAL
            share_of = self.total - int(self.split["hospital_borne_fen"]) if of_total else in_scope
            self.floor_base = share_of - self.over_fixed_price(in_scope - copay_free)
            floor = half_up(guaranteed * (self.stay.sum("floor_base") + self.floor_base))
            floor = min(floor, self.stay.sum("coverable") + self.coverable)
            whole = max(self.stay.sum("by_rate") + pooled, floor)
            given = self.stay.sum("by_rate") + ahead
            most = base + copay_free if room is None else min(base + copay_free, room)
            raised = max(min(whole - given, most), 0)
            self.guaranteed, pooled = raised - pooled, raised
        return pooled, above, room

    @staticmethod
    def cost_not_paid(pieces, payments, room: int) -> Fraction:
        """Cost whose payment a cap on the fund paid has cut off: the payment is turned back into cost (BEN-19)."""
        unpaid, paid = Fraction(0), Fraction(0)
        full = False
        for (cost, rate), payment in zip(pieces, payments, strict=True):
            if full:
                unpaid += cost
            elif paid + payment > room:
                unpaid += max(cost - (room - paid) / rate, Fraction(0))
                full = True
            else:
                paid += payment
        return unpaid

    def maternity_quota(self, base: int) -> int:
        kind = int(self.claim["maternity_type"])
        quota = self.rules.number("maternity_quota_yuan", kind) if 0 <= kind < 10 else None
        if quota is None:
            if base > 0:
                raise Refused(E.RULE_UNDEFINED)
            quota = 0
        more = min(max(int(self.claim["fetus_count"]) - 1, 0), 20)
        extra = self.rules.number("maternity_child_yuan") if self.rules.raw("maternity_child_yuan") is not None else 0
        return quota + more * (extra or 0)

    def within_quota(self, base: int, deductible: int) -> int:
        quota, cost = self.maternity_quota(base), base - deductible
        before = self.stay.sum("payable")
        inside = min(before + cost, max(quota, before)) - before
        return inside + half_up((cost - inside) * (self.rules.rate("quota_excess_percent") or 0))

    # -------------------------------------------------------------- step 6

    def above_the_cap(self, above: Fraction) -> int:
        if half_up(above) == 0:
            return 0
        rate = (
            self.rules.rate("above_cap_percent", self.group, self.level)
            if self.rules.raw("above_cap_percent") is not None
            else 0
        )
        amount = min(half_up(above * (rate or 0)), half_up(above))
        limit = self.rules.number("above_cap_limit_yuan", self.group)
        return amount if limit is None else min(amount, max(limit - self.year["large_sum_fen"], 0))

    # -------------------------------------------------------------- step 7

    def catastrophic_curve(self, burden: int) -> Fraction:
        """What the year's burden is worth in catastrophic insurance (V10)."""
        threshold = self.rules.number("catastrophic_threshold_yuan", self.category)
        lows = [int(low) for low in self.rules.raw("catastrophic_from_yuan") if low < NO_LIMIT] if self.rules.raw(
            "catastrophic_from_yuan") is not None else []  # fmt: skip
        if threshold is None:
            return Fraction(0)
        shift = threshold if self.rules.option("catastrophic_origin", BandOrigin) == BandOrigin.THRESHOLD else 0
        worth = Fraction(0)
        for band, low in enumerate(lows):
            high = lows[band + 1] + shift if band + 1 < len(lows) else None
            top = burden if high is None else min(burden, high)
            rate = self.rules.rate("catastrophic_percent", self.category, band) or 0
            worth += max(top - max(low + shift, threshold), 0) * rate
        return worth

    def increment(self, option: str, before: Fraction, after: Fraction, paid: int) -> int:
        """R07, R34."""
        mode = self.rules.option(option, Increment)
        if mode == Increment.ROUNDED_DIFFERENCE:
            return half_up(after - before)
        if mode == Increment.DIFFERENCE_OF_ROUNDED:
            return half_up(after) - half_up(before)
        return max(half_up(after) - paid, 0)

    def catastrophic(self, burden, extra: int) -> tuple[int, int]:
        parts = self.rules.names("catastrophic_base")
        if not parts:
            return 0, 0
        left = burden["in_scope"]
        of_deductible = min(self.of_deductible, left)
        of_above = min(self.of_above, left - of_deductible)
        copay = left - of_deductible - of_above
        extra = min(extra, burden["first_pay"])
        wanted = lambda part: bool(parts & part)  # noqa: E731
        in_scope = of_deductible * wanted(BurdenPart.DEDUCTIBLE) + of_above * wanted(BurdenPart.ABOVE_CAP)
        in_scope += copay * wanted(BurdenPart.IN_SCOPE)
        first_pay = (burden["first_pay"] - extra) * wanted(BurdenPart.FIRST_PAY) + extra * wanted(
            BurdenPart.EXTRA_FIRST_PAY
        )
        self_paid = 0
        if wanted(BurdenPart.SPECIAL_DRUGS):
            special = min(int(self.split["special_drug_fen"]), left + burden["first_pay"])
            self_paid = min(int(self.split["special_self_paid_fen"]), burden["self_paid"])
            missing = max(special - in_scope - first_pay, 0)
            more = min(missing, left - in_scope)
            in_scope += more
            first_pay += min(missing - more, burden["first_pay"] - first_pay)
        over = burden["over_ceiling"] * wanted(BurdenPart.OVER_CEILING)
        base = in_scope + first_pay + over + self_paid
        before = self.year["catastrophic_base_fen"]
        worth = self.catastrophic_curve(before), self.catastrophic_curve(before + base)
        pay = min(self.increment("catastrophic_increment", *worth, self.year["catastrophic_fen"]), base)
        cap = self.rules.number("catastrophic_cap_yuan", self.category)
        if cap is not None:
            pay = min(pay, max(cap - self.year["catastrophic_fen"], 0))
        if self.rules.option("catastrophic_taken_from", TakenFrom) == TakenFrom.PRO_RATA and pay:
            share_scope = half_up(Fraction(pay * in_scope, base))
            share_first = min(half_up(Fraction(pay * first_pay, base)), pay - share_scope)
            share_self = min(half_up(Fraction(pay * self_paid, base)), pay - share_scope - share_first)
            share_over = min(pay - share_scope - share_first - share_self, over)
            share_scope = pay - share_first - share_self - share_over
            burden["self_paid"] -= share_self
            burden["in_scope"] -= share_scope
            burden["first_pay"] -= share_first
            burden["over_ceiling"] -= share_over
        else:
            pay_from(burden, pay, ("in_scope", "first_pay", "over_ceiling", "self_paid"))
        return base, pay

    # -------------------------------------------------------------- step 8

    def civil_servant(self, burden) -> tuple[int, int]:
        of_deductible = self.rules.rate("civil_servant_deductible_percent", self.group) or 0
        of_copay = self.rules.rate("civil_servant_percent", self.group) or 0
        if self.rules.raw("civil_servant_deductible_percent") is None:
            of_deductible = 0
        if self.rules.raw("civil_servant_percent") is None:
            of_copay = 0
        if not of_deductible and not of_copay:
            return 0, 0
        left = burden["in_scope"]
        deductible_left = min(self.of_deductible, left)
        copay = left - deductible_left
        own = 0
        if self.rules.raw("civil_servant_own_deductible_yuan") is not None:
            own = self.rules.number("civil_servant_own_deductible_yuan", self.group) or 0
        own = min(max(own - self.year["deductible_civil_servant_fen"], 0), copay)
        pay = half_up(deductible_left * of_deductible + (copay - own) * of_copay)
        cap = self.rules.number("civil_servant_cap_yuan", self.group)
        if cap is not None:
            pay = min(pay, max(cap - self.year["civil_servant_fen"], 0))
        burden["in_scope"] -= pay
        on_copay = min(pay, half_up((copay - own) * of_copay))
        self.of_deductible = deductible_left - (pay - on_copay)
        if copay:
            self.of_above -= half_up(Fraction(on_copay * self.of_above, copay))
        return pay, own

    def enterprise(self, burden) -> int:
        rate = (
            self.rules.rate("enterprise_percent", self.group) if self.rules.raw("enterprise_percent") is not None else 0
        )
        pay = half_up(burden["in_scope"] * (rate or 0))
        cap = self.rules.number("enterprise_cap_yuan", self.group)
        if cap is not None:
            pay = min(pay, max(cap - self.year["enterprise_fen"], 0))
        if burden["in_scope"]:
            self.of_deductible -= half_up(Fraction(pay * self.of_deductible, burden["in_scope"]))
            self.of_above -= half_up(Fraction(pay * self.of_above, burden["in_scope"]))
        burden["in_scope"] -= pay
        return pay

    # -------------------------------------------------------------- steps 9 and 10

    def assistance(self, burden) -> tuple[int, int, int, int]:
        parts = self.rules.names("assistance_base")
        order = [name for name, bit in (("in_scope", 1), ("first_pay", 2), ("over_ceiling", 4)) if parts & bit]
        pay = base = tilt = tilt_base = 0
        if self.has("assistance_percent"):
            base = sum(burden[name] for name in order)
            if any(rate for _, rate in self.assistance_bands()):
                inpatient, outpatient = self.year["assistance_inpatient_fen"], self.year["assistance_outpatient_fen"]
                limits = [(self.assistance_cap(self.year["assistance_base_fen"] + base), inpatient + outpatient)]
                if self.rules.option("assistance_account", Account) != Account.OUTPATIENT:
                    limits.append((self.rules.number("assistance_inpatient_cap_yuan", self.category), inpatient))
                if self.rules.option("assistance_account", Account) == Account.OUTPATIENT:
                    limits.append((self.rules.number("assistance_outpatient_cap_yuan", self.category), outpatient))
                pay = self.above(
                    self.assistance_curve, base, self.year["assistance_base_fen"], inpatient + outpatient, limits
                )
                pay_from(burden, pay, order)
        if self.has("tilt_percent"):
            tilt_base = sum(burden[name] for name in order)
            rate = self.rules.rate("tilt_percent", self.category)
            if rate and not self.cross("cross_no_tilt", 0):
                limits = [(self.rules.number("tilt_cap_yuan", self.category), self.year["tilt_fen"])]
                curve = lambda burden: max(burden - self.threshold("tilt"), 0) * rate  # noqa: E731
                tilt = self.above(curve, tilt_base, self.year["tilt_base_fen"], self.year["tilt_fen"], limits)
                pay_from(burden, tilt, order)
        return pay, base, tilt, tilt_base

    def threshold(self, name: str) -> int:
        if self.rules.raw(f"{name}_threshold_yuan") is None:
            return 0
        return self.rules.number(f"{name}_threshold_yuan", self.category) or 0

    def assistance_bands(self) -> list[tuple[int, Fraction]]:
        """Burden at which each band begins, and its rate; one band from 0 where the plan has none."""
        raw = self.rules.raw("assistance_from_yuan")
        lows = [0] if raw is None else [int(low) for low in raw if low < NO_LIMIT]
        on_top = self.rules.option("assistance_origin", BandOrigin) == BandOrigin.THRESHOLD
        shift = self.threshold("assistance") if on_top else 0
        return [
            (low + shift, self.rules.rate("assistance_percent", self.category, band) or Fraction(0))
            for band, low in enumerate(lows)
        ]

    def assistance_curve(self, burden: int) -> Fraction:
        """What the year's burden is worth in assistance: each yuan above the threshold at the rate of its band."""
        bands = self.assistance_bands()
        worth = Fraction(0)
        for band, (low, rate) in enumerate(bands):
            top = burden if band + 1 == len(bands) else min(burden, bands[band + 1][0])
            worth += max(top - max(low, self.threshold("assistance")), 0) * rate
        return worth

    def assistance_cap(self, burden: int) -> int | None:
        """The limit of the last band that the burden goes beyond the beginning of; the first for a smaller one."""
        reached = [band for band, (low, _) in enumerate(self.assistance_bands()) if low < burden]
        return self.rules.number("assistance_cap_yuan", self.category, max(reached, default=0))

    def above(self, curve, base: int, before: int, paid: int, limits) -> int:
        """What a claim adds to a yearly benefit that is a curve over the year's base."""
        worth = [curve(point) for point in (before, before + base)]
        pay = min(self.increment("assistance_increment", *worth, paid), base)
        for limit, so_far in limits:
            if limit is not None:
                pay = min(pay, max(limit - so_far, 0))
        return pay

    # -------------------------------------------------------------- the year

    def count(self, result, base, base_above, standard, shortfall, shortfall_used, counts) -> None:
        year, level = self.year, self.level
        if self.deductible_account == Account.OUTPATIENT:
            year.add("deductible_outpatient_fen", result["deductible"])
            year.add(f"deductible_outpatient_level_{level}_fen", result["deductible"])
            year.amounts["highest_standard_outpatient_fen"] = max(year["highest_standard_outpatient_fen"], standard)
            year.add("visits_outpatient", 1)
        elif self.deductible_account == Account.INPATIENT:
            year.add("deductible_charged_fen", result["deductible"])
            year.add(f"deductible_charged_level_{level}_fen", result["deductible"])
            year.amounts["highest_standard_fen"] = max(year["highest_standard_fen"], standard)
            year.add("deductible_shortfall_fen", shortfall - shortfall_used)
        if counts:
            year.amounts["last_standard_fen"] = standard
            if not self.in_chain and not self.goes_on:
                year.add("stays", 1)
                year.add(f"stays_level_{level}", 1)
        if self.cost_account == Account.OUTPATIENT:
            year.add("cost_outpatient_fen", base)
        elif self.cost_account == Account.INPATIENT:
            year.add("cost_inpatient_fen", base)
            if self.rules.option("cap_measure", CapMeasure) == CapMeasure.COST:
                year.add("pooled_cost_fen", base - half_up(base_above))
        kind = self.rules.option("paid_category", PaidCategory)
        year.add(f"pooled_{kind.name.lower()}_fen", result["pooled"])
        year.add("large_sum_fen", result["above_cap"])
        year.add("catastrophic_fen", result["cii"])
        year.add("civil_servant_fen", result["civil_servant"])
        year.add("enterprise_fen", result["enterprise"])
        if self.quota_key is not None and self.limited_by_quota:
            year.quotas[self.quota_key] += result["pooled"]


# ---------------------------------------------------------------- steps 11 to 14

PARTS = (("in_scope", 1), ("first_pay", 2), ("over_ceiling", 4), ("self_paid", 8))


def supplementary(programme, burden, year, result) -> None:
    """Supplementary insurance: (counted - threshold) x rate of the year, at most the cap, less what the year had."""
    whole = dict(burden)
    for number, part in enumerate(programme.parts, 1):
        counts = whole if programme.whole_burden else burden
        weights = dict(zip((name for name, _ in PARTS), part.counts_ppm, strict=True))
        counted = half_up(sum(Fraction(counts[name] * weight, MILLION) for name, weight in weights.items()))

        def of_the_year(amount: int, part=part) -> Fraction:
            pays = max(amount - part.threshold_fen, 0) * Fraction(part.rate_ppm, MILLION)
            return pays if part.cap_fen == NO_LIMIT else min(pays, Fraction(part.cap_fen))

        before = year[f"supplementary_base_{number}_fen"]
        pay = half_up(of_the_year(before + counted) - of_the_year(before))
        result["other"] += pay_from(burden, pay, [name for name, weight in weights.items() if weight])
        if part.rate_ppm:
            year.add(f"supplementary_base_{number}_fen", counted)


def other_payers(rules, claim, programme, burden, result) -> None:
    """Programme, outside payers, hospital."""
    if programme is not None:
        order = [name for name, bit in PARTS if programme.pays_parts & bit]
        share = half_up(Fraction(sum(burden[name] for name in order) * programme.pays_ppm, MILLION))
        result["other"] += pay_from(burden, share, order)
    result["other"] += pay_from(burden, int(claim["other_payer_fen"]), [name for name, _ in PARTS])
    order = ["self_paid", "over_ceiling", "first_pay", "in_scope"]
    if rules is not None and rules.option("hospital_borne_from", HospitalBorne) == HospitalBorne.IN_SCOPE_FIRST:
        order.reverse()
    result["hospital_borne"] += pay_from(burden, int(claim["hospital_borne_fen"]), order)


def accounts(rules, claim, burden, result) -> None:
    """Current-year, past-years, family pot, each for what it may pay (V13, R20, R21; V12 widens in-catalogue).

    What the account pays before the deductible (R20) was the person's burden for every payer so far.
    """
    result["account_current"] = pay_from(burden, result["account_first"], ["in_scope"])
    if rules is None or not claim["use_account"]:
        return
    inside = rules.option("ceiling_excess", CeilingExcess) == CeilingExcess.INSIDE
    for pot in ("current", "past", "family"):
        may = rules.names(f"account_{pot}_pays")
        if inside and may & 3 == 3:
            may |= 4
        balance = int(claim[f"account_{pot}_fen"]) - (result["account_current"] if pot == "current" else 0)
        result[f"account_{pot}"] += pay_from(burden, max(balance, 0), [name for name, bit in PARTS if may & bit])
