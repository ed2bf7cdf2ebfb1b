"""A claim of Hangzhou that settles, to be changed by a test."""

from __future__ import annotations

from functools import cache

import numpy as np

from adjudicator.claim.batch import Resolved, Result
from adjudicator.claim.engine import OUTCOME_TRIAL, Engine
from adjudicator.claim.local import Years
from adjudicator.rules.bundle import load_bundle
from adjudicator.v1 import claim_pb2, settlement_pb2
from adjudicator.wire.decode import split_batch


@cache
def engine(pack: str = "hangzhou") -> Engine:
    """The engine of a shipped pack."""
    return Engine(load_bundle([pack]))


def inpatient(lines: int = 3, **changes) -> claim_pb2.Claim:
    """An inpatient claim of ``lines`` lines of class A items; ``changes`` set fields of the message."""
    pack = engine().bundle.packs[0]
    claim = claim_pb2.Claim(
        institution_code=pack.hospitals[0].code, encounter_id="E1", settlement_sequence=1, person_id="P1",
        insured_area=str(pack.areas[0].code), scheme="310", person_type="11", care_type="21",
        settlement_date=20240610, admission_date=20240601, discharge_date=20240610, sex=1, age_years=50,
        diagnoses=["I10.x00"],
    )  # fmt: skip
    codes = engine().bundle.catalogue.codes
    for number in range(lines):
        claim.lines.add(
            line_id=f"L{number}", item_code=codes[number % len(codes)], fee_date=20240602, unit_price_e4=10_000_000,
            quantity_e4=20_000, amount_fen=2_000,
        )  # fmt: skip
    claim.total_fen = sum(line.amount_fen for line in claim.lines)
    for name, value in changes.items():
        setattr(claim, name, value)
    return claim


def prepare(*claims: claim_pb2.Claim | bytes) -> Resolved:
    """Return some claims resolved; bytes stand for a message as it came."""
    parts = [claim if isinstance(claim, bytes) else claim.SerializeToString() for claim in claims]
    ends = np.cumsum([len(part) for part in parts]).astype(np.int64)
    starts = np.concatenate(([0], ends[:-1])).astype(np.int64)
    return engine().prepare(b"".join(parts), starts, ends)


def settle(*claims: claim_pb2.Claim | bytes, years: Years | None = None) -> list[settlement_pb2.Settlement]:
    """The trial settlements of some claims, in order, over one set of years."""
    resolved = prepare(*claims)
    return messages(*engine().encode(price(resolved, years), OUTCOME_TRIAL, np.arange(len(resolved))))


def price(resolved: Resolved, years: Years | None = None) -> Result:
    """Price the claims that can be priced, in order over one set of years."""
    return engine().price(resolved, resolved.good, *(years or Years()).rows(resolved, resolved.good))


def messages(data: np.ndarray, offsets: np.ndarray) -> list[settlement_pb2.Settlement]:
    """Answers as messages."""
    pairs = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    return [settlement_pb2.Settlement.FromString(data[start:end].tobytes()) for start, end in pairs]


def batch_of(data: bytes) -> list[claim_pb2.Claim]:
    """Claims of a serialised ClaimBatch."""
    assert split_batch(data)[2] == 0
    return list(claim_pb2.ClaimBatch.FromString(data).claims)
