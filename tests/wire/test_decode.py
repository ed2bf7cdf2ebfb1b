"""Claims on the wire become columns; what is refused and what is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from adjudicator.v1.claim_pb2 import Claim, ClaimBatch
from adjudicator.v1.grouping_pb2 import GroupBatch
from adjudicator.wire.decode import (
    BATCH_DEPTH,
    MALFORMED,
    OK,
    TOO_MANY_ROWS,
    decode,
    split_batch,
)
from adjudicator.wire.schema import compile_schema
from tests.wire.everything import Everything
from tests.wire.generate import varint
from tests.wire.oracle import differences, parse, read_together

CLAIM = compile_schema(Claim.DESCRIPTOR)


def _claim() -> Claim:
    claim = Claim(institution_code="H33010100012", encounter_id="E-1", settlement_sequence=1, total_fen=1_500)
    claim.lines.add(line_id="1", item_code="XN05AXW037A001010201101", quantity_e4=-10_000, amount_fen=-500)
    claim.lines.add(line_id="2", item_code="001101000010000", quantity_e4=20_000, amount_fen=2_000, discharge_drug=True)
    claim.diagnoses.extend(["I25.103", "E11.900"])
    claim.age_years = 0
    claim.accumulators.year = 2024
    claim.accumulators.entries.add(name="deductible_charged_fen", value=30_000)
    return claim


def _text(buffer: bytes, record, name: str) -> str:
    start = int(record[f"{name}_start"])
    return buffer[start : start + int(record[f"{name}_size"])].decode()


def _field(number: int, payload: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def test_a_claim_becomes_rows():
    data = _claim().SerializeToString()
    tables = decode(CLAIM, data).tables
    (claim,) = tables[""]
    assert claim["total_fen"] == 1_500 and _text(data, claim, "encounter_id") == "E-1"
    lines = tables["lines"][claim["lines_start"] : claim["lines_end"]]
    assert lines["amount_fen"].tolist() == [-500, 2_000]
    assert lines["discharge_drug"].tolist() == [0, 1]
    assert [_text(data, line, "item_code") for line in lines] == ["XN05AXW037A001010201101", "001101000010000"]
    codes = tables["diagnoses"][claim["diagnoses_start"] : claim["diagnoses_end"]]
    assert [data[code["start"] : code["start"] + code["size"]] for code in codes] == [b"I25.103", b"E11.900"]
    entries = tables["accumulators.entries"]
    assert tables["accumulators"][claim["accumulators"]]["year"] == 2024 and entries["value"].tolist() == [30_000]


def test_given_and_not_given_differ():
    claim = decode(CLAIM, _claim().SerializeToString()).tables[""][0]
    assert (claim["age_years"], claim["has_age_years"]) == (0, 1), "a newborn"
    assert (claim["age_days"], claim["has_age_days"]) == (0, 0), "not given"


def test_an_empty_message_is_a_claim_without_anything():
    decoded = decode(CLAIM, b"")
    assert decoded.status.tolist() == [OK]
    assert decoded.tables[""]["accumulators"].tolist() == [-1]
    assert decoded.tables[""]["lines_start"].tolist() == decoded.tables[""]["lines_end"].tolist() == [0]


def test_no_claims_at_all():
    none = np.zeros(0, np.int64)
    decoded = decode(CLAIM, b"", none, none)
    assert len(decoded.status) == 0 and all(len(table) == 0 for table in decoded.tables.values())


def test_the_last_value_wins_and_sub_messages_merge():
    first, second = Claim(total_fen=1), Claim(total_fen=2, person_id="P")
    first.accumulators.year = 2023
    first.accumulators.entries.add(name="stays", value=1)
    second.accumulators.entries.add(name="stays", value=2)
    data = first.SerializeToString() + second.SerializeToString()
    tables = decode(CLAIM, data).tables
    assert tables[""]["total_fen"].tolist() == [2]
    assert tables["accumulators"]["year"].tolist() == [2023]
    assert tables["accumulators.entries"]["value"].tolist() == [1, 2]


def test_a_malformed_claim_leaves_its_neighbours_alone():
    good = _claim().SerializeToString()
    late = _claim().SerializeToString() + _field(14, _field(1, b"\xff"))  # a line id that is not UTF-8
    _, decoded = read_together(CLAIM, [good, good[:-1], good, late, good])
    assert decoded.status.tolist() == [OK, MALFORMED, OK, MALFORMED, OK]
    claims, lines = decoded.tables[""], decoded.tables["lines"]
    assert (claims["lines_end"] - claims["lines_start"]).tolist() == [2, 0, 2, 0, 2]
    assert len(lines) == 6 and claims["total_fen"].tolist() == [1_500, 0, 1_500, 0, 1_500]
    assert (claims["lines_start"][1:] == claims["lines_end"][:-1]).all(), "ranges follow each other"


def test_a_claim_that_is_already_refused_is_left_out():
    data = _claim().SerializeToString()
    decoded = decode(CLAIM, data, np.array([0]), np.array([len(data)]), np.array([7]))
    assert decoded.status.tolist() == [7] and len(decoded.tables["lines"]) == 0


def test_a_claim_with_more_rows_than_allowed():
    data = ClaimBatch(claims=[Claim(lines=[{}] * 30), Claim(lines=[{}] * 31)]).SerializeToString()
    starts, ends, _ = split_batch(data)
    decoded = decode(CLAIM, data, starts, ends, max_rows=30)
    assert decoded.status.tolist() == [OK, TOO_MANY_ROWS] and len(decoded.tables["lines"]) == 30


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (0, 5), (3, 2)])
def test_a_claim_outside_the_buffer(start, end):
    with pytest.raises(ValueError, match="outside the buffer"):
        decode(CLAIM, b"\x18\x01\x18\x02", np.array([start]), np.array([end]))


@pytest.mark.parametrize(
    ("accepted", "what", "data"),
    [
        (True, "unknown field", "f8 7f 01"),
        (True, "unknown group", "fb 7f 08 01 fc 7f"),
        (True, "a group inside a group", "fb 7f 0b 0c fc 7f"),
        (True, "number 0 inside an unknown group", "fb 7f 00 01 fc 7f"),
        (False, "number 0", "00 01"),
        (False, "group that does not end", "fb 7f 08 01"),
        (False, "group that ends with another number", "fb 7f f4 7f"),
        (False, "end of a group that never began", "fc 7f"),
        (False, "wire type 6", "0e"),
        (False, "wire type 7", "0f"),
        (True, "tag of five bytes", "98 80 80 80 00 01"),
        (False, "tag of six bytes", "98 80 80 80 80 00 01"),
        (True, "highest tag of 32 bits", "f8 ff ff ff 0f 01"),
        (False, "tag over 32 bits", "f8 ff ff ff 1f 01"),
        (True, "number of ten bytes", "18 81 80 80 80 80 80 80 80 80 7f"),
        (False, "number of eleven bytes", "18 81 80 80 80 80 80 80 80 80 80 00"),
        (True, "size of five bytes", "0a 81 80 80 80 00 41"),
        (False, "size of six bytes", "0a 81 80 80 80 80 00 41"),
        (False, "size beyond the end", "0a 02 41"),
        (False, "size over 32 bits", "0a 81 80 80 80 10 41"),
        (False, "tag alone", "18"),
        (False, "half a number", "18 80"),
        (True, "text where a number should be: an unknown field", "1a 01 ff"),
        (True, "number where a text should be: an unknown field", "08 01"),
        (True, "text of 32 bits: an unknown field", "0d ff ff ff ff"),
        (False, "32 bits cut short", "0d ff ff ff"),
        (False, "64 bits cut short", "09 ff ff ff ff ff ff ff"),
        (False, "text that is not UTF-8", "0a 01 ff"),
        (False, "surrogate", "0a 03 ed a0 80"),
        (False, "overlong letter", "0a 02 c1 81"),
        (False, "above U+10FFFF", "0a 04 f4 90 80 80"),
        (True, "U+10FFFF", "0a 04 f4 8f bf bf"),
        (False, "letter cut by the end of the field", "0a 02 e5 86"),
        (False, "line that is malformed", "72 01 0a"),
        (False, "diagnosis that is not UTF-8", "7a 01 ff"),
        (True, "unknown text may hold anything", "fa 7f 01 ff"),
    ],
)
def test_verdicts(accepted, what, data):
    data = bytes.fromhex(data)
    assert (parse(Claim, data) is not None) == accepted, f"the library has changed its mind: {what}"
    assert not [str(found) for found in differences(Claim, [data])]


@pytest.mark.parametrize("levels", [1, 98, 99, 100, 101])
def test_depth(levels):
    """Messages and groups below the root: 100 are accepted, and one less of a claim inside a batch."""
    group = b"\xfb\x7f" * levels + b"\xfc\x7f" * levels
    assert decode(CLAIM, group).status[0] == (OK if levels <= 100 else MALFORMED)
    in_line = _field(14, group)
    assert decode(CLAIM, in_line).status[0] == (OK if levels <= 99 else MALFORMED)
    for data in (group, in_line):
        assert not list(differences(Claim, [data]))
        batch = _field(1, data)
        starts, ends, _ = split_batch(batch)
        accepted = decode(CLAIM, batch, starts, ends, max_depth=BATCH_DEPTH).status[0] == OK
        assert accepted == (parse(ClaimBatch, batch) is not None)


def test_numbers_of_every_kind_in_packed_and_unpacked_lists():
    message = Everything(list_int32=[1, -1], unpacked_int32=[2], list_fixed64=[3, 4], unpacked_double=[0.5, -0.0])
    data = message.SerializeToString()
    also = b"".join(varint(41 << 3) + varint(number) for number in (7, 2**40 + 8))  # unpacked; cut to 32 bits
    assert not list(differences(Everything, [data + also, also + data + data]))
    schema = compile_schema(Everything.DESCRIPTOR)
    assert decode(schema, data + also).tables["list_int32"]["value"].tolist() == [1, -1, 7, 8]


@pytest.mark.compiled
def test_two_threads_read_at_once():
    data = ClaimBatch(claims=[_claim()] * 200).SerializeToString()
    starts, ends, _ = split_batch(data)

    def total(_) -> int:
        return int(decode(CLAIM, data, starts, ends).tables["lines"]["amount_fen"].sum())

    with ThreadPoolExecutor(2) as threads:
        assert set(threads.map(total, range(50))) == {200 * 1_500}


class TestSplitBatch:
    def test_claims_are_cut_out(self):
        claims = [Claim(encounter_id="a"), Claim(), Claim(encounter_id="bcd")]
        data = ClaimBatch(claims=claims).SerializeToString()
        starts, ends, status = split_batch(data)
        assert status == OK
        assert [Claim.FromString(data[start:end]) for start, end in zip(starts, ends, strict=True)] == claims

    def test_unknown_fields_between_claims(self):
        data = b"\xf8\x7f\x01" + _field(1, b"") + b"\xfb\x7f\xfc\x7f"
        starts, ends, status = split_batch(data)
        assert (starts.tolist(), ends.tolist(), status) == ([5], [5], OK)

    @pytest.mark.parametrize("data", [b"\x0a\x02\x18", b"\x0a", b"\x00\x01", b"\x0c"])
    def test_a_malformed_batch(self, data):
        starts, _, status = split_batch(data)
        assert status == MALFORMED and len(starts) == 0 and parse(ClaimBatch, data) is None

    def test_a_malformed_claim_is_not_the_batch(self):
        data = _field(1, b"\x18") + _field(1, b"\x18\x05")
        starts, ends, status = split_batch(data)
        assert status == OK
        decoded = decode(CLAIM, data, starts, ends, max_depth=BATCH_DEPTH)
        assert decoded.status.tolist() == [MALFORMED, OK]
        assert decoded.tables[""]["settlement_sequence"].tolist() == [0, 5]

    def test_more_claims_than_allowed(self):
        data = ClaimBatch(claims=[Claim()] * 3).SerializeToString()
        assert split_batch(data, max_parts=3)[2] == OK
        starts, _, status = split_batch(data, max_parts=2)
        assert status == TOO_MANY_ROWS and len(starts) == 0

    def test_another_field_number(self):
        data = GroupBatch(records=[{"id": "r"}]).SerializeToString()
        starts, ends, _ = split_batch(data, field_number=2)
        assert data[starts[0] : ends[0]] == b"\x0a\x01r"
