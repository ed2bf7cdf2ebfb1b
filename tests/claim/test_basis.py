"""What is kept of a settlement explains it later: the steps add up to the answer that was given."""

from __future__ import annotations

import numpy as np

from adjudicator.benefit.explain import BURDEN, explain
from adjudicator.claim.basis import principal_codes, read_basis, write_basis
from adjudicator.columns import ACCUMULATOR_COUNT
from adjudicator.synth.city import Synthesizer
from adjudicator.v1 import claim_pb2
from tests.claim.claims import engine, inpatient, prepare, price


def test_basis_is_read_as_it_was_written() -> None:
    claims = claim_pb2.ClaimBatch.FromString(next(iter(Synthesizer(["hangzhou"], 9).batches(120, 120)))).claims
    batch = prepare(*claims)
    priced, incoming = price(batch), batch.incoming
    rows = priced.rows
    principals = principal_codes(incoming.heap, incoming.claims[rows], incoming.decoded.tables["diagnoses"])
    words, offsets = write_basis(priced.claims, batch.splits[rows], priced.seen, priced.quota_seen, principals)
    for position in range(len(rows)):
        basis = read_basis(words[offsets[position] : offsets[position + 1]].tobytes())
        assert basis is not None
        assert basis.claim[0] == priced.claims[position] and basis.split[0] == batch.splits[rows[position]]
        assert (basis.year == priced.seen[position]).all()
        assert basis.quota_used_fen == priced.quota_seen[position]
        assert basis.principal == (list(claims[rows[position]].diagnoses) or [""])[0]
        steps = explain(engine().bundle, basis.claim, basis.split, basis.year, basis.quota_used_fen)
        borne = [step for step in steps if step.chain == BURDEN]
        assert sum(step.amount_fen for step in borne) == priced.claims["total_fen"][position]
        cash = sum(step.amount_fen for step in borne if step.stage == "cash")
        assert cash == priced.benefits["cash_fen"][position]


def test_another_layout_is_not_read() -> None:
    batch = prepare(inpatient())
    words, _ = write_basis(
        batch.claims, batch.splits, np.zeros((1, ACCUMULATOR_COUNT), np.int64), np.zeros(1, np.int64)
    )
    assert read_basis(words.tobytes()) is not None
    words[0] ^= np.uint64(1)
    assert read_basis(words.tobytes()) is None and read_basis(b"") is None
