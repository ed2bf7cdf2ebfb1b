"""Benefit cascade: claims a second on one core, with every option on and off, beside the twin.

``all options``: the toy city and the four cities with assistance, civil servants, accounts, programmes, other payers,
cross-region care, referral chains and signed doctors, in yearly sequences. ``options off``: the same claims of the same
plans without any of these. ``one plain plan``: ordinary inpatient claims of one city. The aims: an option costs no more
than 1.5 times the claim without it, and all kernels together make 2,000,000 claims/s. The twin is exact fractions in
Python. Turns alternate; the best of the rounds counts.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adjudicator.benefit.settle import settle
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, QUOTA

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.benefit import naive
from tests.benefit.made import PACKS, benefit_bundle, compare_with_twin, random_claims

PERSONS, ROUNDS, TWIN_CLAIMS = 20_000, 7, 1_500
AIM, AIM_RATIO = 2_000_000, 1.5


OPTIONS = (
    "assistance", "civil_servant", "family_doctor", "programme", "use_account", "place", "filing", "referral",
    "chain_continues", "suspended", "hospital_borne_fen", "other_payer_fen",
)  # fmt: skip


def settings():
    """name -> (bundle, claims, splits) without refused claims."""
    every = benefit_bundle(*PACKS)
    claims, splits = random_claims(np.random.default_rng(2026), every, PERSONS, 12)
    off = claims.copy()
    for name in OPTIONS:
        off[name] = 0
    one = benefit_bundle("hangzhou")
    plain, plain_splits = random_claims(np.random.default_rng(2027), one, PERSONS, 12)
    for name in OPTIONS:
        plain[name] = 0
    plain["care_kind"], plain["scheme"], plain["person_type"], plain["disease"] = 7, 1, 1, -1
    plain["rule_date"] = np.maximum(plain["rule_date"], 20210101)
    good = accepted(every, claims, splits) & accepted(every, off, splits)
    fit = accepted(one, plain, plain_splits)
    return {
        "all options": (every, claims[good], splits[good]),
        "options off": (every, off[good], splits[good]),
        "one plain plan": (one, plain[fit], plain_splits[fit]),
    }


def accepted(bundle, claims, splits) -> np.ndarray:
    """Claims that are not refused."""
    out = np.zeros(len(claims), BENEFIT)
    run(bundle, claims.copy(), splits, out)
    return out["error"] == 0


def run(bundle, claims, splits, out) -> None:
    """One pass over empty years."""
    claims["quota"] = -1
    settle(bundle.benefit, claims, splits, np.zeros((PERSONS, ACCUMULATOR_COUNT), np.int64), np.zeros(0, QUOTA), out)


def seconds(action: Callable[[], None]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


@pytest.mark.benchmark(group="benefit")
def test_cascade(benchmark) -> None:
    cases = settings()
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(ROUNDS):
        for name, (bundle, claims, splits) in cases.items():
            copy, out = claims.copy(), np.zeros(len(claims), BENEFIT)
            best[name] = min(
                best[name], seconds(lambda b=bundle, c=copy, s=splits, o=out: run(b, c, s, o)) / len(claims)
            )
    bundle, claims, splits = cases["all options"]
    few = slice(0, TWIN_CLAIMS)
    years: dict[int, naive.Year] = {}

    def by_twin() -> None:
        for claim, split in zip(claims[few], splits[few], strict=True):
            naive.settle(bundle.packs[claim["pack"]], claim, split, years.setdefault(int(claim["state"]), naive.Year()))

    twin = seconds(by_twin) / TWIN_CLAIMS
    compare_with_twin(bundle, claims[few], splits[few])
    out = np.zeros(len(claims), BENEFIT)
    benchmark.pedantic(run, (bundle, claims.copy(), splits, out), rounds=3)
    for name, one in best.items():
        print(f"\n{name}: {1 / one:,.0f} claims/s, {one * 1e9:.0f} ns a claim")
    ratio = best["all options"] / best["options off"]
    print(f"all options / options off: {ratio:.2f} (aim <= {AIM_RATIO}: {'met' if ratio <= AIM_RATIO else 'not met'})")
    rate = 1 / best["all options"]
    print(
        f"aim {AIM:,} claims/s: {'met' if rate >= AIM else 'not met'}; naive twin {1 / twin:,.0f}, {rate * twin:,.0f} x"
    )
    benchmark.extra_info.update(claims_a_second=int(rate), ratio=round(ratio, 2), twin_claims_a_second=int(1 / twin))
