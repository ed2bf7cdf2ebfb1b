"""Benefit of claims in columns: deciding dates, then the cascade over each person's year."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from adjudicator.benefit.cascade import settle_claims
from adjudicator.benefit.compile import Benefit
from adjudicator.benefit.records import WORK
from adjudicator.benefit.tables import Claims, Rules
from adjudicator.columns import BENEFIT, CLAIM, SPLIT

Kernel = Callable[[Rules, Claims, np.ndarray, np.ndarray, np.ndarray, np.ndarray], None]

NO_LINES = np.zeros(0, np.int64)
WIDTH = BENEFIT.itemsize // 8
"""Words of a row of the result."""


def settle(
    benefit: Benefit,
    claims: np.ndarray,
    splits: np.ndarray,
    states: np.ndarray,
    quotas: np.ndarray,
    out: np.ndarray,
    lines_in_scope: np.ndarray | None = None,
) -> None:
    """Price claims in order; update ``states`` int64[k, slots] and ``quotas[QUOTA]`` in place, overwrite ``out``.

    claims[CLAIM] with ``state`` and ``quota`` rows (-1 none), splits[SPLIT], out[BENEFIT], all of one length. A claim
    with an error, or one that gets one here (``claims["error"]`` and ``out["error"]``: no plan, no rule on the date,
    undefined, not covered), has an all-zero result and leaves its state untouched. ``lines_in_scope`` int64, the
    in-scope amount of every line of the batch, is needed only for packs with ``extra_position = "lines"`` (R25).
    """
    lines = NO_LINES if lines_in_scope is None else lines_in_scope
    run(benefit, Claims.over(claims, splits, lines, states, quotas), out, np.empty(1, WORK))


def run(benefit: Benefit, batch: Claims, out: np.ndarray, work: np.ndarray, kernel: Kernel = settle_claims) -> None:
    """Price a batch; the work amounts of the last claim are left in ``work`` WORK[1].

    ``kernel`` is the compiled one, or a variant of its source (``compiled.interpret``).
    """
    claims = batch.claims
    assert claims.dtype == CLAIM and batch.splits.dtype == SPLIT and out.dtype == BENEFIT
    assert len(claims) == len(batch.splits) == len(out) and len(work) == 1
    kernel(benefit.rules, batch, work, work.view(np.int64), out, out.view(np.int64).reshape(len(out), WIDTH))
