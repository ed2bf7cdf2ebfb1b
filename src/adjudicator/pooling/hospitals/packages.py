"""A hospital's year under quotas and average limits (docs/law.md): what the fund pays over all its cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from adjudicator.errors import E, refuse
from adjudicator.money import split_by_weight
from adjudicator.payment.method import YearLimit
from adjudicator.payment.registry import YEAR_LIMITS
from adjudicator.pooling.cases import Cases
from adjudicator.pooling.hospitals.review import exempt_by_diagnosis
from adjudicator.rounding import PPM, share


@dataclass(frozen=True, slots=True)
class QuotaTerms:
    """Quota with bands (docs/law.md#S-49): excess up to ``band_ppm`` is shared, a saving rewarded within a cap."""

    band_ppm: int = 200_000
    band_share_ppm: int = 500_000
    reward_ppm: int = 300_000
    reward_cap_ppm: int = 30_000
    no_reward_above_ppm: int = 18_000
    """No reward where inpatient stays / outpatient visits are above this."""


def quota_year(cost_fen: int, quota_fen: int, stays: int, visits: int, terms: QuotaTerms) -> int:
    """Return what the fund pays a hospital for a calendar year: total cost against the year's quota.

    >>> terms = QuotaTerms()
    >>> [quota_year(cost, 1_000, 10, 1_000, terms) for cost in (800, 990, 1_000, 1_100, 1_200, 1_500)]
    [830, 993, 1000, 1050, 1100, 1100]
    >>> quota_year(800, 1_000, 19, 1_000, terms)
    800
    """
    if quota_fen <= 0:
        raise refuse(
            E.CANNOT_CLEAR, "limit_yuan", "the quota of the year is not positive; correct limit_yuan of the line",
            "年度总额定额不是正数，请更正该行 limit_yuan",
        )  # fmt: skip
    excess = cost_fen - quota_fen
    if excess >= 0:
        return quota_fen + share(min(excess, share(quota_fen, terms.band_ppm)), terms.band_share_ppm)
    if visits <= 0:
        raise refuse(
            E.CANNOT_CLEAR, "visits", "the reward needs the number of outpatient visits; fill the column visits",
            "结余奖励需要门诊人次，请填写 visits 列",
        )  # fmt: skip
    if stays * PPM > visits * terms.no_reward_above_ppm:
        return cost_fen
    return cost_fen + min(share(-excess, terms.reward_ppm), share(quota_fen, terms.reward_cap_ppm))


def average_limit_year(costs_fen: list[int], limit_fen: int, approved_fen: int = 0) -> tuple[int, int]:
    """Return what counts of a hospital's cases under an average limit, and what it bears (docs/law.md#S-61).

    ``approved_fen`` is excess that the agency has approved.

    >>> average_limit_year([900, 1_100, 1_300], 1_000), average_limit_year([900, 1_000], 1_000)
    ((3000, 300), (1900, 0))
    """
    if limit_fen <= 0:
        raise refuse(
            E.CANNOT_CLEAR, "limit_yuan", "the average limit is not positive; correct limit_yuan of the line",
            "次均限额不是正数，请更正该行 limit_yuan",
        )  # fmt: skip
    total = sum(costs_fen)
    counted = min(total, limit_fen * len(costs_fen) + approved_fen)
    return counted, total - counted


@dataclass(frozen=True, slots=True)
class Limit:
    """What one hospital may cost a scheme in a year: a quota for all its cases, or an average for each."""

    hospital: str
    scheme: str
    kind: str
    limit_fen: int
    """quota: of the year; average_limit: of one case."""
    diagnosis: str = ""
    """Only cases of this principal diagnosis, ``K35*`` for all that begin so; empty: all."""
    approved_fen: int = 0
    """average_limit: excess that the agency has approved."""
    stays: int = 0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class LimitYear:
    """One limit against the year's cases."""

    limit: Limit
    cases: int
    cost_fen: int
    priced_fen: int
    """What the cases were priced at."""
    settled_fen: int
    """What the fund pays for them."""
    counties: dict[str, int]
    """Change by county of insurance; adds up to settled less priced."""


def settle_limits(
    cases: Cases,
    kept: dict[tuple[str, str, str], int],
    period: int,
    limits: Sequence[Limit],
    terms: Callable[[str], QuotaTerms],
) -> list[LimitYear]:
    """Settle a year's quotas and average limits, and change what the settlement keeps for these cases.

    kept: fen by (scheme, hospital, county), changed in place; terms: of a scheme. Under a quota the fund pays the part
    of the total cost that :func:`quota_year` lets count, less what patients and other funds paid; above an average
    limit it pays less by the excess. Errors: a limit without a case, two limits over the same case.
    """
    taken = np.zeros(len(cases), bool)
    years = []
    for limit in sorted(limits, key=lambda one: (one.hospital, one.scheme, one.diagnosis, one.kind)):
        chosen = _cases_of(cases, limit)
        if not chosen.any():
            detail = f"{limit.hospital} has no {limit.kind} case of scheme {limit.scheme} {limit.diagnosis}".rstrip()
            what = " ".join(filter(None, (limit.kind, limit.diagnosis)))
            raise refuse(
                E.CANNOT_CLEAR, "quotas", f"{detail} in {period}; remove its line",
                f"医院 {limit.hospital} 在 {period} 没有险种 {limit.scheme} 的 {what} 病例，请删除该行",
            )  # fmt: skip
        if (taken & chosen).any():
            raise refuse(
                E.CANNOT_CLEAR, "quotas", f"two lines of {limit.hospital} take the same cases; keep one",
                f"医院 {limit.hospital} 有两行覆盖同一批病例，请只保留一行",
            )  # fmt: skip
        taken |= chosen
        year = _limit_year(cases, chosen, limit, terms)
        years.append(year)
        for county, change in year.counties.items():
            kept[limit.scheme, limit.hospital, county] += change
    return years


def _cases_of(cases: Cases, limit: Limit) -> np.ndarray:
    rows = cases.rows
    chosen: np.ndarray = rows["method"] == YEAR_LIMITS[limit.kind]
    for listed, column in ((cases.hospitals, "hospital"), (cases.schemes, "scheme")):
        name = getattr(limit, column)
        chosen &= rows[column] == (listed.index(name) if name in listed else -1)
    if not limit.diagnosis or not chosen.any():
        return chosen
    if cases.diagnoses is None:
        raise refuse(
            E.CANNOT_CLEAR, "diagnosis",
            "the cases have no column diagnosis, which a line of the quotas asks for; add it to the case file",
            "病例文件没有 diagnosis 列，而定额中有一行按诊断限定，请补充该列",
        )  # fmt: skip
    chosen &= exempt_by_diagnosis(cases.diagnoses, [limit.diagnosis]) == 1
    return chosen


def _limit_year(cases: Cases, chosen: np.ndarray, limit: Limit, terms: Callable[[str], QuotaTerms]) -> LimitYear:
    rows = cases.rows[chosen]
    cost, priced = int(rows["total_fen"].sum()), int(rows["due_fen"].sum())
    if limit.kind == YearLimit.QUOTA:
        payable = quota_year(cost, limit.limit_fen, limit.stays, limit.visits, terms(limit.scheme))
        settled = payable - int(rows["patient_fen"].sum()) - int(rows["others_fen"].sum())
    else:
        settled = priced - average_limit_year(rows["total_fen"].tolist(), limit.limit_fen, limit.approved_fen)[1]
    present = np.unique(rows["county"])
    costs = [int(rows["total_fen"][rows["county"] == county].sum()) for county in present]
    parts = split_by_weight(settled - priced, costs)
    counties = {cases.counties[county]: part for county, part in zip(present.tolist(), parts, strict=True)}
    return LimitYear(limit, len(rows), cost, priced, settled, counties)
