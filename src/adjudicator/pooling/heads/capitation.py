"""Capitation (按人头付费) and consortium budgets (医共体): quotas, contracts, care outside, surplus and overspend.

Formulas: docs/law.md#S-51 (weighted three-year budget and its deductions), #S-54 (payment = quota x people).
Amounts are fen; every rate is ppm; a quota may be weighted by age and chronic disease.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from adjudicator.errors import E, refuse
from adjudicator.money import fen_to_yuan, split_by_weight
from adjudicator.rounding import PPM, divide_half_up, share
from adjudicator.rulefile.faults import Faults


def weighted_share_ppm(shares_ppm: Sequence[int], weights_ppm: Sequence[int]) -> int:
    """Weighted mean of the past years' shares of the fund, oldest first.

    >>> weighted_share_ppm([280_000, 300_000, 310_000], [200_000, 300_000, 500_000])
    301000
    """
    if len(shares_ppm) != len(weights_ppm) or sum(weights_ppm) != PPM:
        raise refuse(
            E.CANNOT_CLEAR, "weights", "write one weight a year; together they make 1",
            "请为每个年度填写一个权重，合计为 1",
        )  # fmt: skip
    total = sum(part * weight for part, weight in zip(shares_ppm, weights_ppm, strict=True))
    return divide_half_up(total, PPM)


def year_budget_fen(fund_fen: int, share_ppm: int, growth_ppm: int = 0) -> int:
    """Budget of the year: the weighted share of the fund, with a reasonable growth."""
    return divide_half_up(fund_fen * share_ppm * (PPM + growth_ppm), PPM * PPM)


def package_fen(budget_fen: int, deductions_fen: Mapping[str, int]) -> int:
    """Return what is left to the package after catastrophic insurance, signing fees, physical checks and other
    deductions.
    """
    rest = budget_fen - sum(deductions_fen.values())
    if budget_fen <= 0 or rest <= 0:
        yuan = fen_to_yuan(budget_fen)
        raise refuse(
            E.CANNOT_CLEAR, "amount_yuan",
            f"nothing is left of a budget of {yuan} yuan; check the year's fund and its deductions",
            f"预算 {yuan} 元扣除后没有余额，请核对当年基金与扣除项",
        )  # fmt: skip
    return rest


@dataclass(frozen=True, slots=True)
class Budget:
    """Budget of a year's packages from three past years (docs/law.md#S-51)."""

    shares_ppm: tuple[int, ...]
    """Share of the fund that outpatient care took in each past year, oldest first."""
    weighted_ppm: int
    budget_fen: int
    package_fen: int
    """What is left after the deductions."""
    quota_fen: int
    """A head at weight 1; 0 where no register of people was given."""


def three_year_budget(
    past: Sequence[tuple[int, int]],
    fund_fen: int,
    weights_ppm: Sequence[int],
    growth_ppm: int,
    deductions_fen: Mapping[str, int],
    weighted_people: Fraction = Fraction(0),
) -> Budget:
    """Budget, package and quota a head of a year.

    past: (fund, outpatient spending) in fen of each past year, oldest first; ``weighted_people``: person-years times
    weight of the register, 0 without one. The quota is rounded down, so that the packages stay inside the budget.

    >>> past = [(1000, 280), (1000, 300), (1000, 310)]
    >>> three_year_budget(past, 1_000_000, (200_000, 300_000, 500_000), 0, {"checks": 1_000}, Fraction(7)).quota_fen
    42857
    """
    for fund, spent in past:
        if fund <= 0 or spent < 0:
            raise refuse(
                E.CANNOT_CLEAR, "amount_yuan", "a past year has no fund; give its rows fund and spent",
                "有往年没有基金总额，请填写该年的 fund 与 spent 行",
            )  # fmt: skip
    shares = tuple(divide_half_up(spent * PPM, fund) for fund, spent in past)
    weighted = weighted_share_ppm(shares, weights_ppm)
    budget = year_budget_fen(fund_fen, weighted, growth_ppm)
    package = package_fen(budget, deductions_fen)
    quota = package / weighted_people if weighted_people else Fraction(0)
    return Budget(shares, weighted, budget, package, quota.numerator // quota.denominator)


def weighted_person_years(year: int, enrolments: Sequence[Enrolment], weights: Weights) -> Fraction:
    """People of a register by months of contract and weight, in person-years."""
    parts = (months_inside(one, year) * weights.of(one.age_years, one.chronic) for one in enrolments)
    return sum(parts, Fraction(0)) / 12


@dataclass(frozen=True, slots=True)
class MembersFund:
    """What the members of a scheme bring together in a year, and what of it is for care by the head."""

    members: int
    financing_fen: int
    personal_fen: int
    """Part of the financing that the members pay themselves."""
    usable_fen: int
    """Financing, carried surplus and interest."""
    package_fen: int
    """What is left of it after risk fund, catastrophic insurance and adjustment."""

    @property
    def quota_fen(self) -> int:
        """Quota a head, half-up."""
        return divide_half_up(self.package_fen, self.members)


@dataclass(frozen=True, slots=True)
class Deductions:
    """What is taken from the fund of a year before it is divided by heads."""

    risk_ppm: int = 0
    """Risk fund, of the financing."""
    critical_ppm: int = 0
    """Catastrophic insurance, of the financing."""
    adjustment_fen: int = 0


def members_fund(
    members: int, financing_fen: int, personal_fen: int, carried_fen: int, interest_fen: int, deductions: Deductions
) -> MembersFund:
    """Return the fund of a year (docs/law.md#S-53): financing, less risk fund and catastrophic share of it, with the
    carried surplus and interest, less an adjustment.

    >>> fund = members_fund(20_000, 10**9, 0, 40_000_000, 0, Deductions(100_000, 50_000, 10_000_000))
    >>> fund.usable_fen, fund.quota_fen
    (1040000000, 44000)
    """
    if members <= 0:
        raise refuse(
            E.CANNOT_CLEAR, "members", "the quota needs the number of members; give a number above 0",
            "人头定额需要参保人数，请填写大于 0 的人数",
        )  # fmt: skip
    held = share(financing_fen, deductions.risk_ppm) + share(financing_fen, deductions.critical_ppm)
    usable = financing_fen + carried_fen + interest_fen
    package = usable - held - deductions.adjustment_fen
    if package <= 0:
        yuan = fen_to_yuan(usable)
        raise refuse(
            E.CANNOT_CLEAR, "financing", f"nothing is left of a fund of {yuan} yuan; check financing and deductions",
            f"可用基金 {yuan} 元扣除后没有余额，请核对筹资与扣除项",
        )  # fmt: skip
    return MembersFund(members, financing_fen, personal_fen, usable, package)


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of a quota by age and chronic disease; 1 is written 1000000."""

    ages: tuple[tuple[int, int], ...] = ((200, PPM),)
    """(up to this age in years, weight), youngest first."""
    chronic_ppm: int = PPM

    def of(self, age_years: int, chronic: bool) -> Fraction:
        """Weight of one person."""
        weight = next((weight for limit, weight in self.ages if age_years <= limit), None)
        if weight is None:
            raise refuse(
                E.CANNOT_CLEAR, "age", f"no age band takes {age_years} years; add a band to [[capitation.age]]",
                f"没有适用于 {age_years} 岁的年龄档，请在 [[capitation.age]] 中补充",
            )  # fmt: skip
        return Fraction(weight, PPM) * (Fraction(self.chronic_ppm, PPM) if chronic else 1)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A person under contract with an institution for some months (YYYYMM, inclusive)."""

    person: str
    institution: str
    from_month: int
    to_month: int
    age_years: int = 40
    chronic: bool = False
    county: str = ""
    scheme: str = ""


def check_enrolments(enrolments: Iterable[Enrolment]) -> Faults:
    """Faults of a register: months that overlap for one person, or end before they begin. Persons are not named."""
    faults = Faults()
    by_person: dict[str, list[tuple[int, Enrolment]]] = {}
    for line, entry in enumerate(enrolments, 2):
        if entry.to_month < entry.from_month:
            faults.add("enrolments", f"line {line}", "ends before it begins", "correct from_month and to_month")
        by_person.setdefault(entry.person, []).append((line, entry))
    for entries in by_person.values():
        entries.sort(key=lambda pair: (pair[1].from_month, pair[0]))
        for (_, one), (line, other) in itertools.pairwise(entries):
            if other.from_month <= one.to_month:
                faults.add(
                    "enrolments", f"line {line}", "months overlap another contract of the person", "end one first"
                )
    return faults


def months_inside(entry: Enrolment, year: int) -> int:
    """Months of a contract in a year.

    >>> months_inside(Enrolment("p", "i", 202411, 202503), 2025)
    3
    """
    first, last = max(entry.from_month, year * 100 + 1), min(entry.to_month, year * 100 + 12)
    return max(0, last - first + 1) if last >= first else 0


@dataclass(frozen=True, slots=True)
class CapitationTerms:
    """Terms of capitation; amounts in fen, rates in ppm."""

    quota_fen: int
    """A year and head at weight 1, paid by month of contract."""
    weights: Weights
    surplus_kept_ppm: int
    """Part of a surplus that the institution keeps."""
    overspend_shared_ppm: int
    """Part of an overspend that the fund takes over."""
    year_weights_ppm: tuple[int, ...] = ()
    growth_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Care:
    """Cost of the people of each institution by item, in fen, and the consortium that it belongs to."""

    own_fen: Mapping[str, int] = field(default_factory=dict)
    """At the institution itself."""
    outside_fen: Mapping[str, int] = field(default_factory=dict)
    consortia: Mapping[str, str] = field(default_factory=dict)
    """Institutions of one consortium (医共体) are settled together."""


NO_CARE = Care()


@dataclass(frozen=True, slots=True)
class Result:
    """Year of one institution or consortium under capitation."""

    name: str
    person_months: int
    quota_fen: int
    """Quota of the year for its people."""
    own_fen: int
    outside_fen: int
    """Care of its people elsewhere, charged to it."""
    balance_fen: int
    """Quota less own and outside care; positive is a surplus."""
    settled_fen: int
    """What the institution gets for the year."""
    fund_fen: int
    """What the fund keeps of a surplus (positive) or pays of an overspend (negative)."""


def settle_year(
    year: int,
    enrolments: Sequence[Enrolment],
    terms: CapitationTerms,
    care: Care = NO_CARE,
    contract_fen: Callable[[str, str, int], int] | None = None,
) -> list[Result]:
    """Settle a capitation year for each institution, or consortium where ``care`` names one.

    ``contract_fen``: quota of an institution's own contract by institution, scheme and month (YYYYMM), 0 where it has
    none. Errors: overlapping contracts; a quota that is not positive.
    """
    check_enrolments(enrolments).raise_if_any("capitation register")
    if terms.quota_fen <= 0:
        raise refuse(
            E.CANNOT_CLEAR, "quota_per_person_yuan",
            "the quota a head is not positive; write quota_per_person_yuan in [[capitation]]",
            "人头定额不是正数，请在 [[capitation]] 中填写 quota_per_person_yuan",
        )  # fmt: skip
    belongs = care.consortia

    @cache
    def quotas(institution: str, scheme: str, from_month: int, to_month: int) -> int:
        """Sum of the yearly quotas that hold in the months of a contract."""
        listed = range(max(from_month, year * 100 + 1), min(to_month, year * 100 + 12) + 1)
        own = [contract_fen(institution, scheme, month) if contract_fen else 0 for month in listed]
        return sum(quota or terms.quota_fen for quota in own)

    months: dict[str, int] = {}
    weighted: dict[str, Fraction] = {}
    for entry in enrolments:
        name = belongs.get(entry.institution, entry.institution)
        inside = months_inside(entry, year)
        months[name] = months.get(name, 0) + inside
        quota = quotas(entry.institution, entry.scheme, entry.from_month, entry.to_month)
        weighted[name] = weighted.get(name, Fraction(0)) + quota * terms.weights.of(entry.age_years, entry.chronic)
    own, outside = _joined(care.own_fen, belongs), _joined(care.outside_fen, belongs)
    for name in sorted((set(own) | set(outside)) - set(months)):
        raise refuse(
            E.CANNOT_CLEAR, "hospital",
            f"{name} has cost under capitation but no contract; add its people to the register or remove its row",
            f"机构 {name} 有按人头费用而无人签约，请补充签约名册或删除该行",
        )  # fmt: skip
    results = []
    for name in sorted(months):
        exact = weighted[name] / 12
        quota = divide_half_up(exact.numerator, exact.denominator)
        balance = quota - own.get(name, 0) - outside.get(name, 0)
        kept = share(balance, terms.surplus_kept_ppm) if balance >= 0 else 0
        taken = share(-balance, terms.overspend_shared_ppm) if balance < 0 else 0
        settled = own.get(name, 0) + (kept if balance >= 0 else balance + taken)
        results.append(
            Result(
                name, months[name], quota, own.get(name, 0), outside.get(name, 0), balance, settled,
                balance - kept if balance >= 0 else -taken,
            )
        )  # fmt: skip
    for result in results:
        assert result.quota_fen == result.settled_fen + result.outside_fen + result.fund_fen
    return results


def _joined(amounts: Mapping[str, int], belongs: Mapping[str, str]) -> dict[str, int]:
    result: dict[str, int] = {}
    for institution, amount in amounts.items():
        name = belongs.get(institution, institution)
        result[name] = result.get(name, 0) + amount
    return result


def split_over_counties(
    year: int,
    enrolments: Sequence[Enrolment],
    amounts_fen: Mapping[str, int],
    consortia: Mapping[str, str] | None = None,
) -> dict[tuple[str, str], int]:
    """Split each institution's amount over (county, scheme) by the person-months of its people.

    Largest remainder, so that the counties add up to the institutions.
    """
    belongs = consortia or {}
    months: dict[str, dict[tuple[str, str], int]] = {}
    for entry in enrolments:
        name = belongs.get(entry.institution, entry.institution)
        place = (entry.county, entry.scheme)
        own = months.setdefault(name, {})
        own[place] = own.get(place, 0) + months_inside(entry, year)
    totals: dict[tuple[str, str], int] = {}
    for name, total in amounts_fen.items():
        own = dict(sorted(months[name].items()))
        if not sum(own.values()):
            if total:
                yuan = fen_to_yuan(total)
                raise refuse(
                    E.CANNOT_CLEAR, "enrolments",
                    f"{name} is owed {yuan} yuan but nobody is signed in {year}; check the months of the register",
                    f"机构 {name} 应付 {yuan} 元，但 {year} 年无人签约，请核对名册的起止月份",
                )  # fmt: skip
            continue
        for place, amount in zip(own, split_by_weight(total, list(own.values())), strict=True):
            totals[place] = totals.get(place, 0) + amount
    return totals


def share_surplus(surplus_fen: int, parts: Mapping[str, int]) -> dict[str, int]:
    """Return a consortium's surplus over its members by weight (for example county, town, village 6 : 3 : 1).

    >>> share_surplus(1001, {"county": 6, "town": 3, "village": 1})
    {'county': 601, 'town': 300, 'village': 100}
    """
    if surplus_fen < 0 or not parts or min(parts.values()) <= 0:
        raise refuse(
            E.CANNOT_CLEAR, "part", "a surplus is not negative and every member has a weight above 0; correct them",
            "结余不能为负，且每个成员须有大于 0 的权重，请更正",
        )  # fmt: skip
    amounts = split_by_weight(surplus_fen, list(parts.values()))
    return dict(zip(parts, amounts, strict=True))
