"""Tables and library side by side on messages of every sort; and proof that this comparison notices a fault."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudicator.compiled.cache import source_stamp
from adjudicator.v1.claim_pb2 import Claim
from adjudicator.wire import decode_kernel, encode_kernel
from adjudicator.wire.decode import Decoded
from tests.wire.fuzz import MESSAGES, fuzz, make_case
from tests.wire.generate import fill
from tests.wire.oracle import differences, parse, read_together

CRASHERS = Path(__file__).parent / "crashers"


def _names(message_class) -> str:
    return message_class.__name__


@pytest.mark.compiled
@pytest.mark.parametrize("message_class", MESSAGES, ids=_names)
def test_tables_and_library_agree(message_class):
    found, accepted = fuzz(message_class, 4_000, seed=1)
    assert not found, "\n".join(map(str, found[:5]))
    assert 1_000 < accepted < 3_500, "the cases are too easy or too hard to tell anything"


@pytest.mark.full
@pytest.mark.parametrize("message_class", MESSAGES, ids=_names)
def test_tables_and_library_agree_at_length(message_class):
    found, _ = fuzz(message_class, 200_000, seed=2)
    assert not found, "\n".join(map(str, found[:5]))


@pytest.mark.parametrize("message_class", MESSAGES, ids=_names)
@settings(max_examples=50, deadline=None)
@given(rng=st.randoms(use_true_random=False), density=st.sampled_from((0.0, 0.2, 0.9, 1.0)))
def test_what_the_library_writes_is_read_and_written_again(message_class, rng, density):
    message = fill(rng, message_class(), density=density, repeats=3)
    assert not [str(found) for found in differences(message_class, [message.SerializeToString()])]


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=40), message_class=st.sampled_from(MESSAGES))
def test_any_bytes_get_the_verdict_of_the_library(data, message_class):
    assert not [str(found) for found in differences(message_class, [data])]


@pytest.mark.parametrize("path", sorted(CRASHERS.glob("*.hex")), ids=lambda path: path.stem)
def test_case_that_once_differed(path):
    name, data = path.read_text().split(maxsplit=1)
    message_class = next(found for found in MESSAGES if found.__name__ == name)
    assert not [str(found) for found in differences(message_class, [bytes.fromhex(data)])]


@pytest.fixture
def with_bounds_checks(root, request):
    """Runs Python with bounds checks compiled into the kernels: an index outside an array raises IndexError."""
    stamp = source_stamp(Path(encode_kernel.__file__)) + source_stamp(Path(decode_kernel.__file__))
    cache = request.config.cache.mkdir(f"numba-boundscheck-{hashlib.sha256(stamp).hexdigest()[:12]}")
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(cache)}
    return lambda *arguments: subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("cases", [2_000, pytest.param(200_000, marks=pytest.mark.full)])
def test_no_index_leaves_its_array(cases, with_bounds_checks):
    run = with_bounds_checks("-m", "tests.wire.fuzz", "--cases", str(cases), "--seed", "3")
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]


def test_bounds_checks_are_really_there(with_bounds_checks):
    """A template that is too short: the same kernel must raise, or the test above proves nothing."""
    run = with_bounds_checks("-c", _SHORT_TEMPLATE)
    assert "IndexError" in run.stderr, run.stderr[-2000:]


_SHORT_TEMPLATE = """
from dataclasses import replace
from adjudicator.v1.claim_pb2 import Claim
from adjudicator.wire.decode import decode
from adjudicator.wire.schema import compile_schema
schema = compile_schema(Claim.DESCRIPTOR)
decode(replace(schema, template=schema.template[:3].copy()), b"")
"""


# --- A harness that cannot fail proves nothing: each of these faults must be found ---


def _accepts_one_more(decoded: Decoded) -> None:
    decoded.status[np.flatnonzero(decoded.status)[:1]] = 0


def _refuses_one_more(decoded: Decoded) -> None:
    decoded.status[np.flatnonzero(decoded.status == 0)[:1]] = 1


def _adds_one_fen(decoded: Decoded) -> None:
    decoded.tables["lines"]["amount_fen"][0] += 1


def _drops_a_line(decoded: Decoded) -> None:
    claims = decoded.tables[""]
    claims["lines_end"][np.flatnonzero(claims["lines_end"] > claims["lines_start"])[:1]] -= 1


def _moves_a_string(decoded: Decoded) -> None:
    ids = decoded.tables["lines"]
    ids["line_id_start"][np.flatnonzero(ids["line_id_size"])[:1]] += 1


def _forgets_an_age_of_zero(decoded: Decoded) -> None:
    claims = decoded.tables[""]
    claims["has_age_years"][np.flatnonzero(claims["has_age_years"])[:1]] = 0


@pytest.mark.parametrize(
    "fault",
    [
        _accepts_one_more,
        _refuses_one_more,
        _adds_one_fen,
        _drops_a_line,
        _moves_a_string,
        _forgets_an_age_of_zero,
    ],
    ids=lambda fault: fault.__name__.strip("_"),
)
def test_the_comparison_notices(fault):
    def broken(schema, cases):
        buffer, decoded = read_together(schema, cases)
        fault(decoded)
        return buffer, decoded

    found, _ = fuzz(Claim, 200, seed=4, reader=broken)
    assert found


def test_the_cases_hold_what_makes_a_claim_hard():
    """At least: unknown fields kept by the library, merged accumulators, empty and long claims, refused ones."""
    rng = random.Random(5)
    cases = [make_case(rng, Claim) for _ in range(2_000)]
    claims = [parse(Claim, case) for case in cases]
    read = [claim for claim in claims if claim is not None]
    assert any(claim is None for claim in claims)
    assert any(len(claim.lines) > 3 for claim in read) and any(not claim.ByteSize() for claim in read)
    assert any(claim.HasField("accumulators") for claim in read)
    discarded = 0
    for claim in read:
        size = claim.ByteSize()
        claim.DiscardUnknownFields()
        discarded += claim.ByteSize() < size
    assert discarded > 20
