"""Columns become the bytes that the library would write."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudicator.v1.claim_pb2 import Claim, ClaimBatch
from adjudicator.v1.settlement_pb2 import Settlement, SettlementBatch
from adjudicator.wire.decode import decode
from adjudicator.wire.encode import encode, encode_batch
from adjudicator.wire.schema import compile_schema
from tests.wire.everything import Everything
from tests.wire.generate import fill
from tests.wire.oracle import read_together

CLAIM, SETTLEMENT = compile_schema(Claim.DESCRIPTOR), compile_schema(Settlement.DESCRIPTOR)
RULES = b"taohuayuan@2024-01-01"


def _settlements():
    """Two settlements of two lines and one line; texts of the service are in the static heap."""
    heap = b"E-1E-2L1L2L3"
    tables = SETTLEMENT.allocate({"": 2, "lines": 3, "grouping": 1})
    roots, lines = tables[""], tables["lines"]
    roots["encounter_id_start"], roots["encounter_id_size"] = [0, 3], 3
    roots["total_fen"], roots["cash_fen"] = [1_500, 700], [-20, 0]
    roots["rules_version_start"], roots["rules_version_size"] = -1, len(RULES)
    roots["unverified_rules"] = [1, 0]
    roots["lines_start"], roots["lines_end"] = [0, 2], [2, 3]
    roots["grouping"] = [-1, 0]
    tables["grouping"]["status"] = 4_000_000_000
    lines["line_id_start"], lines["line_id_size"] = [6, 8, 10], 2
    lines["amount_fen"] = [1_000, 500, 700]
    expected = [
        Settlement(
            encounter_id="E-1", total_fen=1_500, cash_fen=-20, rules_version=RULES.decode(), unverified_rules=True,
            lines=[{"line_id": "L1", "amount_fen": 1_000}, {"line_id": "L2", "amount_fen": 500}],
        ),
        Settlement(
            encounter_id="E-2", total_fen=700, rules_version=RULES.decode(),
            lines=[{"line_id": "L3", "amount_fen": 700}], grouping={"status": 4_000_000_000},
        ),
    ]  # fmt: skip
    return tables, heap, expected


def test_settlements_are_what_the_library_writes():
    tables, heap, expected = _settlements()
    data, offsets = encode(SETTLEMENT, tables, heap, RULES)
    parts = [data[start:end].tobytes() for start, end in pairwise(offsets)]
    assert parts == [settlement.SerializeToString() for settlement in expected]


def test_one_batch_message():
    tables, heap, expected = _settlements()
    data = encode_batch(SETTLEMENT, tables, heap, RULES)
    assert data.tobytes() == SettlementBatch(settlements=expected).SerializeToString()


def test_tables_of_the_caller_are_copied_into_one_arena():
    tables, heap, _ = _settlements()
    own = {path: table.copy() for path, table in tables.items() if len(table)}
    assert encode(SETTLEMENT, own, heap, RULES)[0].tobytes() == encode(SETTLEMENT, tables, heap, RULES)[0].tobytes()
    with pytest.raises(TypeError, match="'lines'"):
        encode(SETTLEMENT, {**own, "lines": np.zeros(3)}, heap, RULES)


def test_no_settlements():
    data, offsets = encode(SETTLEMENT, SETTLEMENT.allocate({}))
    assert data.tobytes() == b"" and offsets.tolist() == [0]


@settings(max_examples=60, deadline=None)
@given(rng=st.randoms(use_true_random=False), kind=st.sampled_from((Claim, Settlement, Everything)))
def test_any_message_is_written_as_the_library_writes_it(rng, kind):
    messages = [fill(rng, kind(), density=0.6, repeats=3) for _ in range(3)]
    cases = [message.SerializeToString() for message in messages]
    schema = compile_schema(kind.DESCRIPTOR)
    buffer, decoded = read_together(schema, cases)
    data, offsets = encode(schema, decoded.tables, buffer)
    assert [data[offsets[row] : offsets[row + 1]].tobytes() for row in range(3)] == [
        message.SerializeToString(deterministic=True) for message in messages
    ]


def test_numbers_of_every_length():
    values = [sign * (1 << bits) + delta for bits in range(63) for sign in (1, -1) for delta in (-1, 0, 1)]
    claims = [Claim(total_fen=value, icu_hours=value % 2**32, settlement_date=value % 2**31) for value in values]
    data = ClaimBatch(claims=claims).SerializeToString()
    schema = compile_schema(ClaimBatch.DESCRIPTOR)
    assert encode(schema, decode(schema, data).tables, data)[0].tobytes() == data


@pytest.mark.parametrize(
    "size", [*range(40), 127, 128, 129, 16_383, 16_384, pytest.param(300_000, marks=pytest.mark.compiled)]
)
def test_texts_of_every_length_at_both_ends_of_the_heap(size):
    text = (b"0123456789" * (size // 10 + 1))[:size]
    for start in (0, 1, 7, 8, 20):
        tables = CLAIM.allocate({"": 2})
        tables[""]["person_id_start"], tables[""]["person_id_size"] = [start, -1 - start], size
        heap = b"x" * start + text
        expected = Claim(person_id=text.decode()).SerializeToString()
        assert encode(CLAIM, tables, heap, heap)[0].tobytes() == expected * 2


def test_the_buffer_grows_when_one_text_is_written_many_times():
    text = b"x" * 10_000
    tables = CLAIM.allocate({"": 500})
    tables[""]["person_id_start"], tables[""]["person_id_size"] = -1, len(text)
    data, offsets = encode(CLAIM, tables, b"", text)
    assert len(data) == 500 * 10_003 and offsets[-1] == len(data)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("lines_end", 4), ("lines_start", -1), ("lines_end", -1), ("grouping", 1), ("funds_end", 1),
        ("encounter_id_start", 10), ("encounter_id_size", -1), ("rules_version_start", -2),
    ],
)  # fmt: skip
def test_ranges_that_leave_their_table_or_heap(column, value):
    tables, heap, _ = _settlements()
    tables[""][column][1] = value
    with pytest.raises(ValueError, match="outside its table or heap"):
        encode(SETTLEMENT, tables, heap, RULES)
