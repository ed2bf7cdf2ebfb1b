"""Benefit of claims in columns: deciding dates, then the cascade over each person's year."""

from __future__ import annotations

import numpy as np

from adjudicator.benefit.cascade import WORK_COUNT, settle_claims
from adjudicator.benefit.dates import decide
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, CLAIM, QUOTA, SPLIT
from adjudicator.rules.bundle import Bundle

_NO_LINES = np.zeros(0, np.int64)
_NO_TRACE = np.zeros((0, WORK_COUNT), np.int64)
_NO_QUOTAS = np.zeros(1, QUOTA)
_NO_STATES = np.zeros((1, ACCUMULATOR_COUNT), np.int64)


def decide_dates(bundle: Bundle, claims: np.ndarray) -> None:
    """Writes ``rule_date`` and ``benefit_year`` of ``claims[CLAIM]`` by the options of each claim's pack (V08).

    A claim of no pack keeps 0. Outpatient care has no discharge date: the settlement date takes its place.
    """
    assert claims.dtype == CLAIM
    lookup = bundle.lookup
    decide(claims, lookup.rule_date, lookup.benefit_year, lookup.year_begins)


def settle(
    bundle: Bundle,
    claims: np.ndarray,
    splits: np.ndarray,
    states: np.ndarray,
    quotas: np.ndarray,
    out: np.ndarray,
    lines_in_scope: np.ndarray | None = None,
) -> None:
    """Prices claims in order; ``states`` int64[k, 64] and ``quotas[QUOTA]`` are updated in place, ``out`` overwritten.

    claims[CLAIM] with ``state`` and ``quota`` rows (-1 none), splits[SPLIT], out[BENEFIT], all of one length. A claim
    with an error, or one that gets one here (``claims["error"]`` and ``out["error"]``: no plan, no rule on the date,
    undefined, not covered), has an all-zero result and leaves its state untouched. ``lines_in_scope`` int64, the
    in-scope amount of every line of the batch, is needed only for packs with ``extra_position = "lines"`` (R25).
    """
    run(bundle, claims, splits, states, quotas, out, lines_in_scope, _NO_TRACE)


def run(bundle, claims, splits, states, quotas, out, lines_in_scope, trace) -> None:
    """The same with the work amounts of every claim in ``trace`` int64[n, WORK], for explanations."""
    assert claims.dtype == CLAIM and splits.dtype == SPLIT and out.dtype == BENEFIT
    assert len(claims) == len(splits) == len(out)
    lookup, plans = bundle.lookup, bundle.plans
    settle_claims(
        plans.matrix, plans.selector, plans.dated, lookup.person_group, lookup.disease_values, lookup.disease_ranges,
        lookup.programme_rows, claims, splits, _NO_LINES if lines_in_scope is None else lines_in_scope,
        states if len(states) else _NO_STATES, quotas if len(quotas) else _NO_QUOTAS, out, trace,
        np.empty((2, max(WORK_COUNT, ACCUMULATOR_COUNT)), np.int64),
    )  # fmt: skip
