"""Writes the records of this format as files: ``python -m tests.ledger.records.make``. Files of a release are kept."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from adjudicator.claim.engine import Engine
from adjudicator.ledger.batch import pack
from adjudicator.ledger.layout import FORMAT, Kind
from adjudicator.ledger.record import Record
from adjudicator.ledger.record_kernel import Parts
from adjudicator.ledger.reversal import reversal_of
from adjudicator.ledger.states import StateRead
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.metrics import Metrics
from adjudicator.service.open_claims import OpenClaims
from adjudicator.service.options import ServeOptions
from adjudicator.service.settling import Settler, split
from adjudicator.service.years import person_years, year_keys
from adjudicator.v1 import claim_pb2
from adjudicator.wire.decode import BATCH_DEPTH
from tests.service.claims import claim

FOLDER = Path(__file__).parent / f"format_{FORMAT}_names"
"""``format_3`` was written before records kept the names of their claims."""


def main() -> None:
    engine = Engine(load_bundle(["hangzhou"]))
    settler = Settler(engine, None, ServeOptions(), Metrics())  # type: ignore[arg-type]  # nothing is stored
    one = claim(300_000, 50_000, procedures=["38.9300", "47.0100"], department="0700", assistance_category="low_edge")
    one.diagnoses.append("E11.900")
    one.other_assistance_categories.append("low_income")
    message = claim_pb2.ClaimBatch(claims=[one]).SerializeToString()
    resolved = engine.prepare(message, *split(message), max_depth=BATCH_DEPTH, digested=True)
    rows = np.arange(1)
    work = OpenClaims(resolved, "330100", rows, np.full(1, math.inf))
    keys, state_rows, kin = year_keys(engine.bundle, resolved, rows)
    states = StateRead.parse(keys, [b""] * len(keys))
    result = engine.price(resolved, rows, state_rows, person_years(states, state_rows, kin))
    answers, basis = engine.encode_settled(result, rows)
    batch = pack(settler.columns(work, result, rows, states, (Parts(*answers), Parts(*basis))), 1_700_000_000_000)
    settlement, state = bytes(batch.entries[0].block), batch.states.pieces()[0]
    reversal = reversal_of(
        Record.from_bytes(settlement), bytes(range(16)), StateRead.parse(keys[:1], [state]), 20250401
    )
    posting = Record(Kind.POSTING, 330100, 202503, bytes(16), bytes(16), postings=((330106, 2, 13, 700),), answer=b"{}")
    FOLDER.mkdir(exist_ok=True)
    for name, value in (
        ("settlement", settlement),
        ("state", state),
        ("reversal", bytes(reversal.entries[0].block)),
        ("posting", posting.to_bytes()),
    ):
        (FOLDER / f"{name}.bin").write_bytes(value)


if __name__ == "__main__":
    main()
