"""A table of amounts, columns in and columns out, beside NumPy and a Numba loop that know this one plan: one core.

The plan is inpatient care of Hangzhou's employees; one claim a person. In: cost in scope, level of the hospital, person
type; out: four amounts. All contestants are equal to the fen. Turns alternate and the best CPU time of the rounds
counts. The aim is 25,000,000 claims/s. Refused rows go through everything but the stages.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pyarrow as pa
import pytest

from adjudicator import load_bundle, price_columns

CLAIMS, ROUNDS, AIM = 1_000_000, 15, 25_000_000
TOP, TIER, THRESHOLD, CATASTROPHIC_CAP = 40_000_000, 4_000_000, 2_500_000, 60_000_000
DEDUCTIBLES = np.array([30_000, 50_000, 50_000, 80_000])
LOW, HIGH = np.array([88, 84, 84, 82, 92, 88, 88, 86]), np.array([92, 90, 90, 88, 96, 94, 94, 92])
LEVELS, TYPES = ["community", "other", "secondary", "tertiary"], ["11", "12"]
RESULTS = ("deductible_fen", "pooled_fund_fen", "large_sum_fen", "personal_total_fen")
Columns = tuple[np.ndarray, ...]


def claims() -> Columns:
    """Cost in scope (mostly some thousand yuan, some far above the top), level, retired."""
    rng = np.random.default_rng(20220610)
    scope = np.exp(rng.normal(np.log(1_000_000), 1.2, CLAIMS)).astype(np.int64)
    far = rng.random(CLAIMS) < 0.05
    scope[far] = rng.integers(0, 120_000_000, int(far.sum()))
    level = rng.choice(4, CLAIMS, p=[0.1, 0.1, 0.3, 0.5])
    return scope, level, (rng.random(CLAIMS) < 0.45).astype(np.int64)


def by_numpy(scope: np.ndarray, level: np.ndarray, retired: np.ndarray) -> Columns:
    """The plan as an analyst writes it."""
    cell = retired * 4 + level
    deductible = np.minimum(DEDUCTIBLES[level], scope)
    inside = np.minimum(scope, TOP)
    low, high = np.maximum(np.minimum(inside, TIER) - deductible, 0), np.maximum(inside - TIER, 0)
    pooled = (low * LOW[cell] + high * HIGH[cell] + 50) // 100
    above = (np.maximum(scope - TOP, 0) * 90 + 50) // 100
    left = scope - pooled - above
    catastrophic = np.minimum((np.maximum(left - THRESHOLD, 0) * 70 + 50) // 100, CATASTROPHIC_CAP)
    return deductible, pooled, above + catastrophic, left - catastrophic


@numba.njit(nogil=True, error_model="numpy")
def loop(scope, level, retired, out):
    for i in range(scope.shape[0]):
        cell = retired[i] * 4 + level[i]
        deductible = min(DEDUCTIBLES[level[i]], scope[i])
        inside = min(scope[i], TOP)
        low, high = max(min(inside, TIER) - deductible, 0), max(inside - TIER, 0)
        pooled = (low * LOW[cell] + high * HIGH[cell] + 50) // 100
        above = (max(scope[i] - TOP, 0) * 90 + 50) // 100
        left = scope[i] - pooled - above
        catastrophic = min((max(left - THRESHOLD, 0) * 70 + 50) // 100, CATASTROPHIC_CAP)
        out[0, i], out[1, i], out[2, i], out[3, i] = deductible, pooled, above + catastrophic, left - catastrophic


def by_loop(scope: np.ndarray, level: np.ndarray, retired: np.ndarray) -> Columns:
    out = np.empty((4, len(scope)), np.int64)
    loop(scope, level, retired, out)
    return tuple(out)


def table(scope: np.ndarray, level: np.ndarray, retired: np.ndarray) -> dict[str, Any]:
    """The columns of ``price_columns``; the others are the same in all rows."""
    return {
        "insured_area": "330102", "scheme": "310", "care_type": "21", "settlement_date": 20220610,
        "admission_date": 20220601, "age_years": 50, "in_scope_fen": scope,
        "level": pa.DictionaryArray.from_arrays(level.astype(np.int8), LEVELS),
        "person_type": pa.DictionaryArray.from_arrays(retired.astype(np.int8), TYPES),
    }  # fmt: skip


def contestants(columns: Columns) -> dict[str, Callable[[], Columns]]:
    bundle, given = load_bundle(["hangzhou"]), table(*columns)
    owned = given | {"person_id": np.arange(CLAIMS) // 4, "use_account": True, "account_current_fen": columns[0] // 9}
    asked = [*RESULTS, "error"]

    def product(which: dict[str, Any], results: list[str], **more: Any) -> Callable[[], Columns]:
        return lambda: tuple(price_columns(bundle, which, results, **more).values())[:4]

    return {
        "price_columns": product(given, asked),
        "price_columns, specialise=True": product(given, asked, specialise=True),
        "NumPy": lambda: by_numpy(*columns),
        "Numba loop of this plan": lambda: by_loop(*columns),
        "price_columns, every result": product(given, [*RESULTS, "pooled_rate_ppm", "cash_fen", "fund_total_fen"]),
        "price_columns, four claims a person, account": product(owned, asked),
        "price_columns, every row refused": product(given | {"assistance_category": _none()}, asked),
    }  # fmt: skip


def _none() -> pa.Array:
    """A category that no pack has: every row is refused before the stages."""
    return pa.DictionaryArray.from_arrays(np.zeros(CLAIMS, np.int8), ["no such category"])


@pytest.mark.benchmark(group="columns")
def test_columns(benchmark) -> None:
    os.sched_setaffinity(0, [sorted(os.sched_getaffinity(0))[-1]])
    columns = claims()
    turns = contestants(columns)
    same = list(turns)[:4]
    want = turns["NumPy"]()
    for name in same:
        assert all((one == other).all() for one, other in zip(turns[name](), want, strict=True)), name
    best = dict.fromkeys(turns, float("inf"))
    for _ in range(ROUNDS):
        for name, price in turns.items():
            start = time.process_time()
            price()
            best[name] = min(best[name], (time.process_time() - start) / CLAIMS)
    benchmark.pedantic(turns["price_columns"], rounds=3)
    for name, one in best.items():
        print(f"\n{name}: {1 / one:,.0f} claims/s, {one * 1e9:.1f} ns a claim", end="")
    rates = {name: 1 / one for name, one in best.items()}
    fastest = max(rates["price_columns"], rates["price_columns, specialise=True"])
    print(
        f"\naim {AIM:,} claims/s: {'met' if fastest >= AIM else 'not met'}; NumPy {rates['NumPy'] / fastest:.2f} x ours"
    )
    benchmark.extra_info.update(claims_a_second=int(rates["price_columns"]), specialised=int(fastest))
