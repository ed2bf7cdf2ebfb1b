"""Prices claims in this process, without a ledger: for files, re-pricing and tests."""

from __future__ import annotations

import sys

import numpy as np

from adjudicator.claim.batch import Resolved
from adjudicator.claim.engine import OUTCOME_TRIAL, Engine
from adjudicator.claim.state import PersonYears
from adjudicator.columns import KEY
from adjudicator.errors import E, refuse
from adjudicator.rules.bundle import Bundle
from adjudicator.v1 import claim_pb2, settlement_pb2
from adjudicator.wire.decode import BATCH_DEPTH, split_batch


class Years:
    """The years of many persons, as long as a stream of claims lasts; by pool and digest of person, scheme and year."""

    def __init__(self, most: int = sys.maxsize) -> None:
        """``most``: person-years of 512 bytes that may be kept."""
        self._most = most
        self._rows: dict[tuple[int, bytes], int] = {}
        self._years = PersonYears.new(64)

    def rows(self, resolved: Resolved, chosen: np.ndarray) -> tuple[np.ndarray, PersonYears]:
        """int64[k] rows of the claims' persons, new ones included, and the years they index. Errors: E.OVERLOADED."""
        keys = resolved.state_keys[chosen].view(KEY).ravel().tolist()
        pools = resolved.claims["pack"][chosen].tolist()  # a person number means a person within one pool
        named = zip(pools, keys, strict=True)
        rows = np.fromiter((self._rows.setdefault(name, len(self._rows)) for name in named), np.int64, len(pools))
        if len(self._rows) > self._most:
            raise refuse(E.OVERLOADED)
        if len(self._rows) > self._years.slots.shape[0]:
            grown = PersonYears.new(2 * len(self._rows))
            grown.slots[: self._years.slots.shape[0]] = self._years.slots
            grown.quotas = self._years.quotas
            self._years = grown
        return rows, self._years


def price_batch(
    engine: Engine, data: bytes, years: Years, outcome: int = OUTCOME_TRIAL
) -> tuple[np.ndarray, np.ndarray]:
    """Answers of a serialised ClaimBatch over ``years``: bytes uint8[:] and offsets int64[n + 1]."""
    starts, ends, _ = split_batch(data)
    resolved = engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH)
    result = engine.price(resolved, resolved.good, *years.rows(resolved, resolved.good))
    return engine.encode(result, outcome, np.arange(len(resolved)))


def price_message(bundle: Bundle, claim: claim_pb2.Claim) -> settlement_pb2.Settlement:
    """Return the trial settlement of one claim as a message."""
    data = claim_pb2.ClaimBatch(claims=[claim]).SerializeToString()
    answer, _ = price_batch(Engine(bundle), data, Years())
    return settlement_pb2.Settlement.FromString(answer.tobytes())
