"""What is kept of a settlement explains it later, and does not depend on how the columns lie in memory."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from adjudicator.benefit.explain import explain
from adjudicator.benefit.records import PART
from adjudicator.claim.basis import (
    NOT_STORED,
    Origin,
    PricedOver,
    basis_rules,
    inputs_of,
    layout_of,
    read_basis,
    write_basis,
)
from adjudicator.claim.batch import Result
from adjudicator.claim.kept_names import names_of
from adjudicator.claim.kin import ELSEWHERE
from adjudicator.claim.state import stored_order
from adjudicator.columns import ACCUMULATOR_COUNT, ACCUMULATORS, CLAIM, SPLIT
from adjudicator.errors import AdjudicatorError, E
from adjudicator.steps import BURDEN
from adjudicator.synth.city import Synthesizer
from adjudicator.v1 import claim_pb2, record_pb2
from tests.claim.claims import engine, inpatient, prepare, price


def day() -> tuple[list[claim_pb2.Claim], Result]:
    """A day of a synthetic city, priced; the claims that were not refused."""
    claims = claim_pb2.ClaimBatch.FromString(next(iter(Synthesizer(["hangzhou"], 9).batches(120, 120)))).claims
    result = price(prepare(*claims))
    return [claims[row] for row in result.rows], result


def origin_of(result: Result) -> Origin:
    """What the messages of priced claims are made of."""
    incoming = result.resolved.incoming
    return Origin(
        result.claims,
        result.resolved.splits.take(result.rows),
        PricedOver(result.seen, result.quota_keys, result.quota_seen, result.elsewhere),
        names_of(incoming, incoming.claims.take(result.rows)),
        result.parts,
    )


def written(origin: Origin, *layout_and_order) -> tuple[np.ndarray, np.ndarray]:
    return write_basis(basis_rules(engine().bundle.hash, engine().lookup.arrays, *layout_and_order), origin)


def cut(data: np.ndarray, offsets: np.ndarray) -> list[bytes]:
    whole = data.tobytes()
    return [whole[start:end] for start, end in pairwise(offsets.tolist())]


@pytest.mark.compiled
def test_what_was_written_prices_the_claim_again() -> None:
    claims, result = day()
    bundle = engine().bundle
    messages = cut(*engine().encode_settled(result, np.arange(len(result.rows)))[1])
    assert messages == cut(*written(origin_of(result)))
    for position, (claim, message) in enumerate(zip(claims, messages, strict=True)):
        basis = read_basis(message)
        assert basis is not None
        assert basis.principal_diagnosis == (list(claim.diagnoses) or [""])[0]
        assert (basis.facts.admission_date, basis.facts.discharge_date) == (claim.admission_date, claim.discharge_date)
        inputs = inputs_of(basis, bundle.hash)
        assert inputs is not None
        for name in set(CLAIM.names) - set(NOT_STORED):
            assert inputs.claim[name][0] == result.claims[name][position], name
        assert inputs.split[0] == result.resolved.splits[result.rows[position]]
        assert (inputs.year == result.seen[position]).all()
        assert inputs.quota_used_fen == result.quota_seen[position]
        assert (inputs.claim["quota"][0] >= 0) == (result.quota_keys[position] != 0)
        steps = explain(engine().bundle.benefit, inputs.claim, inputs.split, inputs.year, inputs.quota_used_fen)
        borne = [step for step in steps if step.chain == BURDEN]
        assert sum(step.amount_fen for step in borne) == result.claims["total_fen"][position]
        cash = sum(step.amount_fen for step in borne if step.stage == "cash")
        assert cash == result.benefits["cash_fen"][position]


def test_every_column_of_a_claim_is_stored_or_named_as_left_out() -> None:
    """A new column of CLAIM that pricing needs must get a field of the message; one that it does not is listed."""
    parts = record_pb2.ClaimFacts.DESCRIPTOR, record_pb2.BundleRows.DESCRIPTOR
    stored = [member.name for part in parts for member in part.fields]
    assert sorted([*stored, *NOT_STORED]) == sorted(CLAIM.names)
    assert sorted(member.name for member in record_pb2.LineSums.DESCRIPTOR.fields) == sorted(SPLIT.names)


@pytest.mark.compiled
def test_more_columns_and_amounts_in_memory_change_nothing_stored() -> None:
    _, result = day()
    origin = origin_of(result)
    expected = written(origin)

    wider, wider_split = widened(origin.claims), widened(origin.splits)
    table = (*ACCUMULATORS[:7], (901, "new_fen"), *ACCUMULATORS[7:])
    amounts = np.insert(origin.year.accumulators, 7, 0, axis=1)
    found = written(
        origin._replace(claims=wider, splits=wider_split, year=origin.year._replace(accumulators=amounts)),
        layout_of(wider.dtype, wider_split.dtype),
        stored_order(table),
    )
    assert [part.tolist() for part in found] == [part.tolist() for part in expected]


def widened(rows: np.ndarray) -> np.ndarray:
    """The same records with a column before the first and one in the middle."""
    fields = [(name, rows.dtype[name]) for name in rows.dtype.names]
    wider = np.zeros(len(rows), np.dtype([("first", "i4"), *fields[:9], ("middle", "i8"), *fields[9:]], align=True))
    wider["first"] = wider["middle"] = 7
    for name, _ in fields:
        wider[name] = rows[name]
    return wider


def test_a_field_without_a_column_is_named() -> None:
    narrow = np.dtype([(name, CLAIM[name]) for name in CLAIM.names if name != "admission_date"], align=True)
    with pytest.raises(ValueError, match=r"facts\.admission_date has no column"):
        layout_of(narrow, SPLIT)


def test_other_rules_or_an_unknown_amount_price_nothing_again_but_the_facts_are_read() -> None:
    claim = inpatient()
    del claim.diagnoses[:]
    batch = prepare(claim)
    numbers = np.ones((1, ACCUMULATOR_COUNT), np.int64)
    elsewhere = np.zeros((1, len(ELSEWHERE)), np.int64)
    year = PricedOver(numbers, np.zeros(1, np.uint64), np.zeros(1, np.int64), elsewhere)
    codes = names_of(batch.incoming, batch.incoming.claims)
    origin = Origin(batch.claims.copy(), batch.splits.copy(), year, codes, np.zeros(0, PART))
    (message,) = cut(*write_basis(basis_rules("00000000000000ff", engine().lookup.arrays), origin))
    basis = read_basis(message)
    assert basis is not None and basis.principal_diagnosis == ""
    assert inputs_of(basis, "00000000000000ff") is not None
    assert inputs_of(basis, engine().bundle.hash) is None
    basis.year_numbers.append(900)
    basis.year_amounts.append(1)
    assert inputs_of(basis, "00000000000000ff") is None
    assert basis.facts.admission_date == batch.claims["admission_date"][0]


def test_nothing_kept_and_bytes_that_are_no_message() -> None:
    assert read_basis(b"") is None
    with pytest.raises(AdjudicatorError) as refused:
        read_basis(b"\xff")
    assert refused.value.problems[0].number == E.LEDGER_CORRUPT
