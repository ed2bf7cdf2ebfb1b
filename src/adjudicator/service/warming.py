"""Compiles or loads every kernel on the way of a claim before the first claim comes."""

from __future__ import annotations

import math

import numpy as np

from adjudicator.ledger.batch import pack, pack_records
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.record import Record
from adjudicator.ledger.record_kernel import Parts
from adjudicator.ledger.states import StateRead
from adjudicator.rules.bundle import Bundle
from adjudicator.service.open_claims import OpenClaims
from adjudicator.service.settling import Settler, split
from adjudicator.service.years import person_years, year_keys
from adjudicator.v1 import claim_pb2
from adjudicator.wire.decode import BATCH_DEPTH
from adjudicator.wire.schema import varint_bytes


def warm_up(settler: Settler) -> None:
    """Take three claims from bytes to a commit that is thrown away, one of them as no serialiser writes it.

    Kernels run over refused claims as well, so it does not matter whether the pack has a rule for them.
    """
    engine = settler.engine
    one = example(engine.bundle).SerializeToString()
    twice = one + one[: 2 + one[1]]  # its first field again
    message = b"".join(b"\x0a" + varint_bytes(len(part)) + part for part in (one, one, twice))
    starts, ends = split(message)
    resolved = engine.prepare(message, starts, ends, max_depth=BATCH_DEPTH, digested=True)
    rows = np.arange(len(resolved))
    work = OpenClaims(resolved, "000000", rows, np.full(len(rows), math.inf))
    keys, state_rows, kin = year_keys(engine.bundle, resolved, rows)
    states = StateRead.parse(keys, [b""] * len(keys))
    result = engine.price(resolved, rows, state_rows, person_years(states, state_rows, kin))
    answers, basis = engine.encode_settled(result, rows)
    pack(settler.columns(work, result, rows, states, (Parts(*answers), Parts(*basis))))
    record = Record(Kind.REVERSE, 0, 202401, bytes(16), bytes(16), settlement_date=20240103, institution="H")
    pack_records("000000", [Record.from_bytes(record.to_bytes())], [])


def example(bundle: Bundle) -> claim_pb2.Claim:
    """Return a stay in the first hospital of the first pack, with one line of the first item."""
    rules = bundle.packs[0]
    hospital = rules.hospitals[0].code if rules.hospitals else "H000000000"
    line = claim_pb2.Line(
        line_id="1", item_code=bundle.catalogue.codes[0] if len(bundle.catalogue.codes) else "-",
        fee_date=20240102, unit_price_e4=1_000_000, quantity_e4=10_000, amount_fen=100,
    )  # fmt: skip
    return claim_pb2.Claim(
        institution_code=hospital, encounter_id="warm-up", settlement_sequence=1, person_id="warm-up",
        insured_area=f"{rules.areas[0].code:06d}", scheme="390", person_type="15", care_type="21",
        settlement_date=20240103, admission_date=20240101, discharge_date=20240103, total_fen=100, lines=[line],
        diagnoses=["A00.000"], procedures=["00.0100"], sex=1, age_years=50,
    )  # fmt: skip
