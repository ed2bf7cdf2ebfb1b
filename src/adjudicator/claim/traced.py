"""One claim, priced and explained in this process: what cases, files and trials are shown with."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adjudicator.benefit.explain import Step, explain
from adjudicator.claim.engine import OUTCOME_TRIAL, Engine
from adjudicator.claim.local import Years
from adjudicator.claim.years import join_stays
from adjudicator.v1 import claim_pb2, settlement_pb2
from adjudicator.wire.decode import BATCH_DEPTH, split_batch


@dataclass(frozen=True, slots=True)
class Facts:
    """What resolving and pricing found out about a claim, beyond its answer; -1: none, or the claim was refused."""

    plan: int = -1
    """Row of ``bundle.plans`` that decided."""
    disease: int = -1
    """Row of the pack's disease list."""
    place: int = -1
    filing: int = -1
    settled_at_counter: bool = False
    level: int = -1
    """Level group of the pack for the deductible and the rates."""
    benefit_year: int = 0


@dataclass(frozen=True, slots=True)
class YearAfter:
    """The year that the claim was priced over, with the claim in it; only of a claim that was not refused."""

    slots: np.ndarray
    """int64: one amount an accumulator."""
    quotas: dict[int, int] = field(default_factory=dict)
    """What the claim's disease quota has used, by its key."""


@dataclass(frozen=True, slots=True)
class Traced:
    """The answer to one claim and how it came about; a refused claim has no steps and no year."""

    answer: settlement_pb2.Settlement
    steps: tuple[Step, ...]
    facts: Facts
    year: YearAfter | None


def settle_traced(
    engine: Engine, claim: claim_pb2.Claim, years: Years | None = None, outcome: int = OUTCOME_TRIAL
) -> Traced:
    """Settle one claim over ``years``, bytes in and bytes out, and keep every step of the cascade."""
    data = claim_pb2.ClaimBatch(claims=[claim]).SerializeToString()
    starts, ends, _ = split_batch(data)
    resolved = engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH)
    state_rows, before = (years or Years()).rows(resolved, resolved.good)
    result = engine.price(resolved, resolved.good, state_rows, before)
    octets, _ = engine.encode(result, outcome, np.arange(1))
    answer = settlement_pb2.Settlement.FromString(octets.tobytes())
    refused = answer.outcome == settlement_pb2.OUTCOME_REFUSED
    row = resolved.claims[0]
    facts = Facts(
        -1 if refused else int(result.benefits["plan"][0]), int(row["disease"]), int(row["place"]),
        int(row["filing"]), bool(row["settled_at_counter"]), int(row["deductible_level"]), int(row["benefit_year"]),
    )  # fmt: skip
    if refused:
        return Traced(answer, (), facts, None)
    in_scope = np.ascontiguousarray(resolved.line_splits["in_scope_fen"])
    used = int(result.quota_seen[0])
    claims = result.claims.copy()
    stays = join_stays(claims, result.rows, before.stays)
    steps = explain(engine.bundle.benefit, claims, resolved.splits.copy(), result.seen[0], used, in_scope, stays)
    year = YearAfter(result.seen[0] + result.after[0] - result.before[0])
    if result.quota_keys[0]:
        year.quotas[int(result.quota_keys[0])] = used + int(result.quota_after[0] - result.quota_before[0])
    return Traced(answer, steps, facts, year)
