"""Rows between the steps are read as they were written, take few bytes, and each task reads its own in one piece."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudicator.errors import AdjudicatorError
from adjudicator.reprice import packing, prepare, store
from adjudicator.reprice.bucket import joined
from adjudicator.reprice.packing import Frame
from adjudicator.reprice.run import SCRATCH_BYTES, Options, plan, run
from adjudicator.rules.bundle import load_bundle
from tests.reprice.tables import price_files

KINDS = {
    "record": np.dtype([("small", "i4"), ("none", "i4"), ("wide", "i8")], align=True),
    "digest": np.dtype((np.uint64, 2)), "number": np.dtype(np.int64),
}  # fmt: skip
NUMBERS = st.one_of(st.integers(-1, 3), st.sampled_from([0, 255, 256, 65_535, 2**24, 2**31 - 1]), st.integers(0, 2**31))


@st.composite
def tables(draw) -> list[tuple[int, ...]]:
    """Rows of numbers; a column is often the same in all rows."""
    same = draw(st.lists(st.booleans(), min_size=6, max_size=6))
    count = draw(st.integers(0, 70))
    columns = [draw(st.lists(NUMBERS, min_size=count, max_size=count)) for _ in same]
    columns = [column[:1] * count if alike else column for column, alike in zip(columns, same, strict=True)]
    return list(zip(*columns, strict=True))


def frame_of(rows: list[tuple[int, ...]]) -> Frame:
    frame = Frame(KINDS, len(rows))
    record, digest, number = frame.arrays.values()
    for place, (small, none, wide, low, high, whole) in enumerate(rows):
        record[place] = small % 300, none - 1 if none < 2**31 else -(2**31), wide << 31
        digest[place] = low * 0x9E3779B97F4A7C15 % 2**64, high % 2**64
        number[place] = -whole << 20
    return frame


def packed_by_hand(frame: Frame) -> list[bytes]:
    """Each column of words less its least number, in as few bytes as its largest rest takes, low first."""
    words = [
        frame.words[begin : begin + width * frame.count].reshape(frame.count, width) for begin, width in frame._parts
    ]
    columns = [column.tolist() for part in words for column in part.T]
    sizes = [(max(column) - min(column)).bit_length() + 7 >> 3 for column in columns]
    return [
        b"".join(
            (value - min(column)).to_bytes(size, "little")
            for column, value, size in zip(columns, row, sizes, strict=True)
        )
        for row in zip(*columns, strict=True)
    ]


@given(tables(), st.randoms(use_true_random=False))
def test_rows_come_back_as_they_were_in_the_order_of_the_parts(rows, random):
    frame = frame_of(rows)
    part_of = np.array([random.randrange(3) for _ in rows], np.int64)
    order = np.argsort(part_of, kind="stable")
    starts = np.searchsorted(part_of[order], np.arange(4))
    section = packing.section_of(frame, order, starts)
    by_hand = packed_by_hand(frame) if rows else []
    if any(by_hand):  # at least one byte where all rows are alike
        assert [row.tobytes() for row in section.rows] == [by_hand[place] for place in order.tolist()]
    parts = [section.rows[starts[one] : starts[one + 1]] for one in range(3)]
    back = joined([packing.Piece(section.columns, part) for part in parts], KINDS)
    for name, array in frame.arrays.items():
        assert back[name].tobytes() == array[order].tobytes()


def test_a_part_of_each_section_of_a_file_is_read_alone(tmp_path):
    rows, table = np.array([7, 2, 5, 9]), np.arange(12, dtype=np.int64).reshape(4, 3) - 5
    sections = packing.sections_of_table(rows, table, np.array([0, 5, 10]))
    path, noted = tmp_path / "amounts.bin", tmp_path / "notes.bin"
    for target, own in ((path, sections), (noted, [packing.section_of_bytes([b"", b"ab"])])):
        file = io.BytesIO()
        packing.write_sections(file, own)
        target.write_bytes(file.getvalue())
    assert [piece.rows.tobytes() for part in (0, 1) for piece in packing.read_pieces(noted, part)] == [b"", b"ab"]
    assert [len(piece.rows) for piece in packing.read_pieces(path, 0)] == [1, 1]
    found = np.full((5, 3), 99, np.int64)
    packing.read_table(path, 1, 5, found)
    assert found.tolist() == [[1, 2, 3], [99] * 3, [-5, -4, -3], [99] * 3, [4, 5, 6]]
    with path.open("r+b") as cut:
        cut.truncate(path.stat().st_size - 1)
    with pytest.raises(AdjudicatorError):
        packing.read_pieces(path, 1)


@pytest.fixture(scope="module")
def kept(year: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose files between the steps are still there."""
    output = tmp_path_factory.mktemp("kept") / "out"
    price_files(year / "parquet", output, buckets=20)
    return output


def test_the_claims_of_a_bucket_lie_together_however_few_are_read_at_once(year, kept, tmp_path):
    price_files(year / "parquet", tmp_path / "out", buckets=20, batch=97)
    for path in (kept / ".work").glob("*.bin"):
        assert path.read_bytes() == (tmp_path / "out" / ".work" / path.name).read_bytes()


def test_what_is_kept_of_a_claim_is_as_short_as_the_plan_says(kept):
    size = sum(path.stat().st_size for path in (kept / ".work").glob("*.bin"))
    heads = 20 * 2 * 8 * 200  # columns of each of the few claims of a bucket; nothing where a bucket is full
    assert size < 3000 * SCRATCH_BYTES + heads
    assert sum(kind.itemsize for kind in prepare.KEPT.values()) > 400


def test_a_manifest_takes_the_hashes_that_the_tasks_found(year, tmp_path, monkeypatch):
    from adjudicator.reprice import manifest

    chosen = Options(["taohuayuan"], year / "parquet", tmp_path / "out", with_lines=True)
    planned = plan(chosen, load_bundle(["taohuayuan"]).hash)
    summary = run(planned, chosen, lambda *_: None)
    read = []
    monkeypatch.setattr(manifest, "file_hash", lambda path: read.append(path.name) or store.file_hash(path))
    content = manifest.json.loads(manifest.write_manifest(planned.job, summary._asdict()).read_text("utf-8"))
    assert sorted(read) == ["rejected.parquet", "warnings.parquet"]  # nothing large is read once more by one process
    assert content["inputs"] == {name: store.file_hash(Path(name)) for name in planned.job.source.files}
    known = {name: store.file_hash(tmp_path / "out" / name) for name in content["outputs"]}
    assert content["outputs"] == known
