"""The same content has the same digest; any other content has another."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudicator.v1.claim_pb2 import Claim
from adjudicator.wire.decode import CANONICAL, decode
from adjudicator.wire.decode_kernel import OTHERWISE
from adjudicator.wire.digest import KEY, digest_bytes, digest_ranges, digests
from adjudicator.wire.schema import compile_schema
from tests.wire.generate import fill, wire_bytes
from tests.wire.naive import siphash128
from tests.wire.oracle import parse, ranges_of, read_together

CLAIM = compile_schema(Claim.DESCRIPTOR)
KEY_BYTES = np.array(KEY, np.uint64).tobytes()
PAPER_KEY = tuple(np.frombuffer(bytes(range(16)), np.uint64))


def _digest(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    decoded = decode(CLAIM, data)
    fields, content = digests(CLAIM, data, np.zeros(1, np.int64), np.array([len(data)]), decoded)
    return fields[0], content[0]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "a3817f04ba25a8e66df67214c7550293"),
        (1, "da87c1d86b99af44347659119b22fc45"),
        (2, "8177228da4a45dc7fca38bdef60affe4"),
        (3, "9c70b60c5267a94e5f33b6b02985ed51"),
    ],
)
def test_vectors_of_the_authors(size, expected):
    """The first of the test vectors that the authors publish with their code (vectors_sip128)."""
    assert digest_bytes(bytes(range(size)), PAPER_KEY).hex() == expected
    assert siphash128(bytes(range(size)), bytes(range(16))).hex() == expected


@given(st.binary(max_size=80))
def test_siphash_equals_its_naive_twin(data):
    assert digest_bytes(data) == siphash128(data, KEY_BYTES)


def test_ranges_of_a_buffer():
    data = b"H33010100012E-1"
    found = digest_ranges(data, np.array([0, 12, 3]), np.array([12, 15, 3]))
    assert [row.tobytes() for row in found] == [digest_bytes(data[:12]), digest_bytes(data[12:]), digest_bytes(b"")]
    with pytest.raises(ValueError, match="outside"):
        digest_ranges(data, np.array([0]), np.array([16]))


def _from_the_definition(claim: Claim) -> tuple[list[int], bytes]:
    """Digests as the module describes them, from the library's bytes of one field at a time."""
    fields, content = [], b""
    for member in sorted(Claim.DESCRIPTOR.fields, key=lambda member: member.number):
        only = Claim()
        if member.is_repeated:
            getattr(only, member.name).extend(getattr(claim, member.name))
        elif member.message_type is not None:
            if claim.HasField(member.name):
                getattr(only, member.name).CopyFrom(getattr(claim, member.name))
        elif not member.has_presence or claim.HasField(member.name):
            setattr(only, member.name, getattr(claim, member.name))
        part = only.SerializeToString(deterministic=True)
        if part:
            digest = siphash128(part, KEY_BYTES)
            fields.append(int.from_bytes(digest[:4], "little"))
            content += member.number.to_bytes(8, "little") + digest
        else:
            fields.append(0)
    return fields, siphash128(content, KEY_BYTES)


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_digests_are_what_the_module_says(rng):
    claim = fill(rng, Claim(), density=0.5, repeats=2)
    fields, content = _digest(claim.SerializeToString())
    expected_fields, expected_content = _from_the_definition(claim)
    assert fields.tolist() == expected_fields and content.tobytes() == expected_content


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_the_library_writes_is_hashed_where_it_stands(rng):
    claim = fill(rng, Claim(), density=0.5, repeats=2)
    assert decode(CLAIM, claim.SerializeToString()).written.tolist() == [CANONICAL]


@pytest.mark.parametrize(
    "case",
    [
        b"\x18\x01\x0a\x01H",  # fields out of order
        b"\x0a\x01H\x0a\x01I",  # a field twice
        b"\x0a\x00",  # a default value
        b"\x18\x00",
        b"\x18\x81\x00",  # a number of more bytes than it needs
        b"\x98\x00\x01",  # a tag of more bytes than it needs
        b"\x0a\x81\x00H",  # a size of more bytes than it needs
        b"\x18\xff\xff\xff\xff\x7f",  # more bits than the field has
        b"\xf8\x3f\x01",  # a field that nobody knows
        b"\x0d\x01\x02\x03\x04",  # a number where a text belongs
    ],
)
def test_what_is_written_otherwise_is_encoded_first(case):
    claim = Claim.FromString(case)
    claim.DiscardUnknownFields()
    assert claim.SerializeToString() != case
    assert decode(CLAIM, case).written.tolist() == [OTHERWISE]
    ours, tidy = _digest(case), _digest(claim.SerializeToString())
    assert (ours[0] == tidy[0]).all() and (ours[1] == tidy[1]).all()


def test_order_on_the_wire_does_not_matter():
    rng = random.Random(2)
    cases = [wire_bytes(rng, Claim.DESCRIPTOR) for _ in range(500)]
    claims = {case: parse(Claim, case) for case in cases}
    accepted = [case for case in cases if claims[case] is not None]
    assert len(accepted) > 100
    for case in accepted:
        claims[case].DiscardUnknownFields()
        ours, tidy = _digest(case), _digest(claims[case].SerializeToString())
        assert (ours[0] == tidy[0]).all() and (ours[1] == tidy[1]).all()


def test_the_field_that_differs_is_named():
    claim = Claim(institution_code="H1", encounter_id="E", settlement_sequence=1, total_fen=100)
    claim.lines.add(line_id="1", amount_fen=100)
    other = Claim.FromString(claim.SerializeToString())
    other.lines[0].amount_fen = 101
    other.age_years = 0
    first, second = _digest(claim.SerializeToString()), _digest(other.SerializeToString())
    names = [name for name, differs in zip(CLAIM.root_fields, first[0] != second[0], strict=True) if differs]
    assert names == ["lines", "age_years"] and (first[1] != second[1]).any()


def test_moving_a_value_to_another_field_is_other_content():
    assert (
        _digest(Claim(person_id="x").SerializeToString())[1] != _digest(Claim(scheme="x").SerializeToString())[1]
    ).any()


def test_many_claims_at_once():
    rng = random.Random(1)
    cases = [fill(rng, Claim(), density=0.4).SerializeToString() for _ in range(20)]
    cases[3] = b"\x00"  # refused: the digest of an empty claim
    cases[5] = cases[5] + cases[5]  # not canonical: every field comes twice
    buffer, decoded = read_together(CLAIM, cases)
    assert np.flatnonzero(decoded.written != CANONICAL).tolist() == [3, 5]
    fields, content = digests(CLAIM, buffer, *ranges_of(cases), decoded)
    for row, case in enumerate(cases):
        alone = _digest(b"" if row == 3 else case)
        assert (fields[row] == alone[0]).all() and (content[row] == alone[1]).all()
    assert len({row.tobytes() for row in content}) == len(cases)
