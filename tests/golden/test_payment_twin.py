"""Two ways to what is owed for a case: the kernel over compiled tables, and the slow twin over the rules as read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from adjudicator.cases.file import Case, read_cases
from adjudicator.cases.rules import payment_of
from adjudicator.cases.run import Settled, run_case
from adjudicator.claim.engine import Engine
from adjudicator.claim.local import Years
from adjudicator.v1 import claim_pb2
from adjudicator.wire.decode import BATCH_DEPTH, split_batch
from tests.payment import naive

CASES = [case for case in read_cases(sorted(Path(__file__).parent.rglob("*.yaml"))) if case.payment]


def by_hand(settled: Settled) -> dict:
    """The twin's answer, over the same facts and the same benefit."""
    engine, bundle = Engine(settled.bundle), settled.bundle
    data = claim_pb2.ClaimBatch(claims=[settled.claim]).SerializeToString()
    starts, ends, _ = split_batch(data)
    resolved = engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH)
    result = engine.price(resolved, resolved.good, *Years().rows(resolved, resolved.good))
    assert result.benefits["pooled_fen"][0] == settled.answer.pooled_fund_fen, "the case needs a year before the claim"
    rules = payment_of(bundle.packs[0], bundle.schemes, settled.case.payment)
    drg = settled.answer.grouping.drg
    return naive.pay(
        rules, result.claims[0], resolved.splits[0], result.benefits[0], resolved.groups[0], drg
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case: Case) -> None:
    for settled in run_case(case):
        twin, payment = by_hand(settled), settled.answer.payment
        assert twin["error"] == 0
        assert (payment.method, payment.due_fen) == (twin["method"], twin["due_fen"])
        assert payment.difference_fen == twin["due_fen"] - twin["by_item"]
        assert Fraction(payment.points_e8, 10**8) == twin["points"]
        assert Fraction(payment.point_value_e4, 10**4) == twin["value"]


def test_there_are_published_wrong_and_derived_cases() -> None:
    names = {case.name.split("-")[0] for case in CASES}
    assert names >= {"PUB", "NEG", "DER"}
