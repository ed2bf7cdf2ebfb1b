"""A hospital's year under quotas and average limits (payment-rules 4.1, 4.2): what the fund pays over all its cases."""

from __future__ import annotations

from dataclasses import dataclass

from adjudicator.errors import E, refuse
from adjudicator.money import PPM, share


@dataclass(frozen=True, slots=True)
class QuotaTerms:
    """Quota with bands (S-49): excess up to ``band_ppm`` of the quota is shared, a saving rewarded within a cap."""

    band_ppm: int = 200_000
    band_share_ppm: int = 500_000
    reward_ppm: int = 300_000
    reward_cap_ppm: int = 30_000
    no_reward_above_ppm: int = 18_000
    """No reward where inpatient stays / outpatient visits are above this."""


def quota_year(cost_fen: int, quota_fen: int, stays: int, visits: int, terms: QuotaTerms) -> int:
    """What the fund pays a hospital for a calendar year: total cost against the year's quota.

    >>> terms = QuotaTerms()
    >>> [quota_year(cost, 1_000, 10, 1_000, terms) for cost in (800, 990, 1_000, 1_100, 1_200, 1_500)]
    [830, 993, 1000, 1050, 1100, 1100]
    >>> quota_year(800, 1_000, 19, 1_000, terms)
    800
    """
    if quota_fen <= 0:
        raise refuse(E.CANNOT_CLEAR, "quota", "the quota of the year is not positive")
    excess = cost_fen - quota_fen
    if excess >= 0:
        return quota_fen + share(min(excess, share(quota_fen, terms.band_ppm)), terms.band_share_ppm)
    if visits <= 0:
        raise refuse(E.CANNOT_CLEAR, "visits", "the reward needs the number of outpatient visits")
    if stays * PPM > visits * terms.no_reward_above_ppm:
        return cost_fen
    return cost_fen + min(share(-excess, terms.reward_ppm), share(quota_fen, terms.reward_cap_ppm))


def average_limit_year(costs_fen: list[int], limit_fen: int, approved_fen: int = 0) -> tuple[int, int]:
    """What counts of a hospital's cases of one disease, and what it bears: the average may not pass the limit (S-61).

    ``approved_fen`` is excess that the agency has approved.

    >>> average_limit_year([900, 1_100, 1_300], 1_000), average_limit_year([900, 1_000], 1_000)
    ((3000, 300), (1900, 0))
    """
    if limit_fen <= 0:
        raise refuse(E.CANNOT_CLEAR, "limit", "the average limit is not positive")
    total = sum(costs_fen)
    counted = min(total, limit_fen * len(costs_fen) + approved_fen)
    return counted, total - counted
