"""The engine on one core: all kernels alone, and claims from wire bytes to wire bytes with pricing.

The peer of the whole way does what a Python service does with the protobuf library and no rules at all: parse, read
every field of every line, build an answer of the same shape, serialise it. Ours prices as well. Turns alternate; the
printed ratio is what counts, not the seconds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import numpy as np
import pytest

from adjudicator import columns
from adjudicator.benefit import settle as benefit
from adjudicator.catalogue.line_split import LineBatch
from adjudicator.catalogue.lines import split_lines
from adjudicator.claim.engine import Engine
from adjudicator.claim.local import Years, price_batch
from adjudicator.payment import pay as payment
from adjudicator.rules.bundle import load_bundle
from adjudicator.v1.claim_pb2 import Claim, ClaimBatch, Line
from adjudicator.v1.settlement_pb2 import SettlementBatch
from adjudicator.wire.decode import BATCH_DEPTH, split_batch

ROUNDS = 9


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load_bundle(["hangzhou"]))


def batch_of(engine: Engine, claims: int, line_count: int) -> bytes:
    """A ClaimBatch of inpatient claims of different persons, hospitals and items."""
    rng = random.Random(5)
    pack, codes = engine.bundle.packs[0], engine.bundle.catalogue.codes
    hospitals = [hospital for hospital in pack.hospitals if not hospital.code.startswith("P")]
    batch = ClaimBatch()
    for number in range(claims):
        claim = batch.claims.add(
            institution_code=rng.choice(hospitals).code, encounter_id=f"{number:020d}", settlement_sequence=1,
            person_id=f"{rng.randrange(10**18):018d}", insured_area=str(rng.choice(pack.areas).code),
            scheme="310", person_type=rng.choice(("11", "12")), care_type="21", settlement_date=20240610,
            admission_date=20240601, discharge_date=20240610, sex=1, age_years=rng.randrange(40, 90),
            diagnoses=["I10.x00", "E11.900"],
        )  # fmt: skip
        for position in range(line_count):
            quantity, price = rng.randrange(1, 9), rng.randrange(100, 60_000)
            claim.lines.add(
                line_id=f"{rng.randrange(10**18):018d}", item_code=rng.choice(codes), fee_date=20240601 + position % 9,
                unit_price_e4=price * 10_000, quantity_e4=quantity * 10_000, amount_fen=quantity * price,
                institution_item_code=f"YPBM{rng.randrange(10**8)}", department="A03.01",
            )  # fmt: skip
        claim.total_fen = sum(line.amount_fen for line in claim.lines)
    return batch.SerializeToString()


def compare(benchmark, what: str, ours: Callable, peer: Callable | None, claims: int, aim: str) -> None:
    """Alternating turns, best of each, the first one dropped; prints claims/s, the ratio and the aim of the design."""
    turns = []
    for _ in range(ROUNDS + 1):
        turn = []
        for call in (ours, peer):
            start = time.perf_counter()
            if call is not None:
                call()
            turn.append((time.perf_counter() - start) / claims)
        turns.append(turn)
    best, best_peer = (min(column) for column in zip(*turns[1:], strict=True))
    beside = f", peer {1 / best_peer:,.0f}/s, ratio {best_peer / best:.1f}" if peer else ""
    print(f"\n{what}: {1 / best:,.0f} claims/s ({best * 1e6:.2f} us a claim){beside}; aim {aim}")
    benchmark.extra_info.update(claims_per_second=1 / best, aim=aim)
    benchmark.pedantic(ours, rounds=3, iterations=1)


def test_all_kernels(benchmark, engine: Engine) -> None:
    """Line split, benefit cascade and provider payment over columns: 20 lines a claim."""
    count = 20_000
    data = batch_of(engine, count, 20)
    starts, ends, _ = split_batch(data)
    batch = engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH)
    claims = batch.claims.copy()
    claims["state"] = np.arange(count)
    states, quotas = np.zeros((count, columns.ACCUMULATOR_COUNT), np.int64), np.zeros(1, columns.QUOTA)
    benefits, payments = np.zeros(count, columns.BENEFIT), np.zeros(count, columns.PAYMENT)
    fee_lines, line_splits, splits, groups = (
        array.copy() for array in (batch.lines, batch.line_splits, batch.splits, batch.groups)
    )

    def run() -> None:
        states[:] = 0
        split_lines(engine.bundle.catalogue.rules, LineBatch(claims, fee_lines, line_splits, splits))
        benefit.settle(engine.bundle.benefit, claims, splits, states, quotas, benefits)
        payment.pay(engine.bundle, claims, splits, benefits, groups, payments, batch.codes)

    compare(benchmark, "all kernels, 20 lines a claim, one core", run, None, count, ">= 2,000,000 claims/s")
    assert not claims["error"].any() and not benefits["error"].any()


@pytest.mark.parametrize("size", [1, 100, 1000])
def test_wire_to_wire(benchmark, engine: Engine, size: int) -> None:
    """Claims of 50 lines, bytes to bytes in process, with every stage."""
    data = batch_of(engine, size, 50)
    line_fields = [field.name for field in Line.DESCRIPTOR.fields]
    claim_fields = [field.name for field in Claim.DESCRIPTOR.fields if field.name != "lines"]

    def peer() -> None:
        answers = SettlementBatch()
        for claim in ClaimBatch.FromString(data).claims:
            for name in claim_fields:
                getattr(claim, name)
            answer = answers.settlements.add(
                institution_code=claim.institution_code, encounter_id=claim.encounter_id, settlement_sequence=1,
                total_fen=claim.total_fen, in_scope_fen=claim.total_fen, fund_total_fen=1, personal_total_fen=1,
            )  # fmt: skip
            for line in claim.lines:
                for name in line_fields:
                    getattr(line, name)
                answer.lines.add(
                    line_id=line.line_id, amount_fen=line.amount_fen, in_scope_fen=line.amount_fen, first_pay_fen=1,
                    over_ceiling_fen=1, price_ceiling_e4=1, first_pay_ppm=1, item_class=1,
                )  # fmt: skip
        answers.SerializeToString()

    run = lambda: price_batch(engine, data, Years())  # noqa: E731
    repeats = 1 if size > 1 else 200
    many = lambda: [run() for _ in range(repeats)]  # noqa: E731
    many_peer = lambda: [peer() for _ in range(repeats)]  # noqa: E731
    what = f"wire to wire, 50 lines, batches of {size}"
    compare(benchmark, what, many, many_peer, size * repeats, ">= 100,000 claims/s in batches")
