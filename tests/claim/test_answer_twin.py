"""Answers against their slow twin: the bytes of the engine are those of the protobuf library."""

from __future__ import annotations

import numpy as np
import pytest

from adjudicator.claim.engine import OUTCOME_SETTLED, OUTCOME_TRIAL, Engine
from adjudicator.claim.local import Years
from adjudicator.rules.bundle import load_bundle
from adjudicator.v1 import claim_pb2, settlement_pb2
from adjudicator.wire.decode import BATCH_DEPTH, split_batch
from tests.claim.naive_assemble import assemble
from tests.claim.test_resolve_twin import claims_of


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load_bundle(["taohuayuan", "hangzhou"]))


@pytest.mark.parametrize("outcome", [OUTCOME_TRIAL, OUTCOME_SETTLED])
@pytest.mark.parametrize("seed", range(20, 25))
def test_answers_equal_their_twin(engine: Engine, seed: int, outcome: int) -> None:
    claims = claims_of(engine, seed, 150)
    data = claim_pb2.ClaimBatch(claims=claims).SerializeToString()
    starts, ends, _ = split_batch(data)
    resolved = engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH)
    result = engine.price(resolved, resolved.good, *Years().rows(resolved, resolved.good))
    octets, offsets = engine.encode(result, outcome, np.arange(len(claims)))
    outcomes = set()
    for row, claim in enumerate(claims):
        got = octets[offsets[row] : offsets[row + 1]].tobytes()
        wanted = assemble(engine.bundle, claim, result, row, outcome)
        assert settlement_pb2.Settlement.FromString(got) == wanted, f"claim {row}"
        assert got == wanted.SerializeToString(deterministic=True), f"claim {row}"
        outcomes.add(wanted.outcome)
    assert outcomes == {outcome, settlement_pb2.OUTCOME_REFUSED}
