"""Codes to numbers: what a dict does, straight from the bytes of a request."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudicator.wire.codetable import CodeTable

CODES = st.lists(st.text(max_size=30), unique=True, max_size=60)


@given(codes=CODES, asked=st.lists(st.text(max_size=30), max_size=20))
def test_finds_what_a_dict_finds(codes, asked):
    table, expected = CodeTable(codes), {code: position for position, code in enumerate(codes)}
    for code in [*codes, *asked]:
        assert table.find(code) == expected.get(code, -1)
        assert (code in table) == (code in expected)
    assert len(table) == len(codes)


@given(codes=CODES, asked=st.lists(st.text(max_size=30), max_size=20))
def test_finds_all_codes_of_a_buffer(codes, asked):
    expected = {code: position for position, code in enumerate(codes)}
    wanted = [code.encode() for code in [*asked, *codes]]
    buffer = np.frombuffer(b"|".join([b"", *wanted, b""]), np.uint8)
    sizes = np.array([len(code) for code in wanted], np.int32)
    starts = np.cumsum([1, *(sizes + 1)])[:-1]
    found = CodeTable(codes).find_all(buffer, starts, sizes)
    assert found.tolist() == [expected.get(code.decode(), -1) for code in wanted]


def test_neighbours_and_prefixes_are_other_codes():
    codes = ["XN05AXW037A001010201101", "XN05AXW037A001010201102", "XN05AXW037A00101020110", "XN05AXW0", "XN05AXW", ""]
    table = CodeTable(codes)
    assert [table.find(code) for code in codes] == list(range(6))
    assert table.find("XN05AXW037A0010102011011") == -1 and table.find("xn05axw0") == -1


@pytest.mark.compiled
def test_a_national_catalogue():
    codes = [f"{row * 2_654_435_761 % 2**32:010d}{row:05d}" for row in range(50_000)]
    table = CodeTable(codes)
    octets = np.frombuffer("".join(codes).encode(), np.uint8)
    found = table.find_all(octets, np.arange(50_000) * 15, np.full(50_000, 15, np.int32))
    assert (found == np.arange(50_000)).all()


def test_the_same_code_twice():
    with pytest.raises(ValueError, match="'B02' is in the table twice"):
        CodeTable(["A01", "B02", "B02"])


def test_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        CodeTable(["A"]).slots[0] = 3
