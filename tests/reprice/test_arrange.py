"""Fee lines in any order, and lines that name their claim by encounter, give the bytes of lines in order."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adjudicator.cli.main import main
from adjudicator.errors import AdjudicatorError, E
from adjudicator.reprice import arrange, source
from tests.reprice.tables import contents, price_files

KEYS = ("institution_code", "encounter_id", "settlement_sequence")


@pytest.fixture(scope="module")
def plain(year: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("plain") / "out"
    price_files(year / "parquet", output, with_lines=True)
    return contents(output)


@pytest.fixture(scope="module")
def mixed(year: Path) -> pa.Table:
    """The lines of the year in a chance order; those of one claim keep their order."""
    lines = pq.read_table(year / "parquet" / "lines.parquet")
    of = lines.column("claim").to_numpy()
    drawn = np.random.default_rng(4).permutation(of)
    order = np.empty(len(of), np.int64)
    order[np.argsort(drawn, kind="stable")] = np.arange(len(of))
    return lines.take(pa.array(order))


def by_encounter(lines: pa.Table, year: Path, keys=KEYS) -> pa.Table:
    """Lines that have keys of their claim instead of its row."""
    claims = pq.read_table(year / "parquet" / "claims.parquet", columns=list(KEYS))
    own = claims.take(lines.column("claim"))
    lines = lines.drop_columns(["claim"])
    for name in keys:
        lines = lines.append_column(name, own.column(name))
    return lines


def written(year: Path, folder: Path, lines: pa.Table, files: int = 3) -> Path:
    (folder / "lines").mkdir(parents=True)
    shutil.copy(year / "parquet" / "claims.parquet", folder)
    size = -(-len(lines) // files)
    for number in range(files):
        part = lines.slice(number * size, size)
        pq.write_table(part, folder / "lines" / f"{number}.parquet", row_group_size=5000)
    return folder


@pytest.mark.parametrize("keyed", [pytest.param(False, marks=pytest.mark.check), True])
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.check)])
def test_lines_in_any_order_change_no_byte(year, mixed, plain, tmp_path, monkeypatch, keyed, workers):
    monkeypatch.setattr(source, "MOST_LINES_READ", 20_000)
    monkeypatch.setattr(arrange, "PARTITION_CLAIMS", 1000)
    monkeypatch.setattr(arrange, "CLAIMS_AT_ONCE", 500)
    folder = written(year, tmp_path / "in", by_encounter(mixed, year) if keyed else mixed)
    price_files(folder, tmp_path / "out", with_lines=True, arrange=not keyed, workers=workers)
    assert contents(tmp_path / "out") == plain


def test_the_command_prices_and_proves_them(year, mixed, plain, tmp_path):
    folder = written(year, tmp_path / "in", by_encounter(mixed, year), files=1)
    command = ["reprice", "--pack", "taohuayuan", "--input", str(folder), "--output", str(tmp_path / "out"), "--lines"]
    assert main(command) == 0
    assert contents(tmp_path / "out") == plain
    assert main(["reprice", "verify", str(tmp_path / "out" / "manifest.json"), "--sample", "20"]) == 0
    assert not (tmp_path / "out" / ".work").exists()


def refused(folder: Path, output: Path, **options) -> tuple[int, str]:
    with pytest.raises(AdjudicatorError) as caught:
        price_files(folder, output, **options)
    assert not list(output.glob("settlements/*.parquet"))
    return caught.value.problems[0].number, caught.value.problems[0].message


def test_what_cannot_be_sorted_is_refused_and_says_why(year, mixed, tmp_path):
    number, message = refused(written(year, tmp_path / "order", mixed), tmp_path / "1")
    assert number == E.INPUT_UNREADABLE and "--arrange" in message
    lines = by_encounter(mixed, year)
    place = lines.schema.get_field_index("encounter_id")
    names = lines.column("encounter_id").to_pylist()
    names[7] = "NOBODY"
    lost = lines.set_column(place, "encounter_id", pa.array(names))
    number, message = refused(written(year, tmp_path / "lost", lost), tmp_path / "2")
    assert number == E.INPUT_UNREADABLE and "1 lines of 0.parquet from row 7 on name no claim" in message
    alone = by_encounter(mixed, year, ("settlement_sequence", "encounter_id"))
    folder = written(year, tmp_path / "alone", alone)
    claims = pq.read_table(folder / "claims.parquet")
    names = claims.column("encounter_id").to_pylist()
    names[5] = names[3]
    place = claims.schema.get_field_index("encounter_id")
    pq.write_table(claims.set_column(place, "encounter_id", pa.array(names)), folder / "claims.parquet")
    number, message = refused(folder, tmp_path / "3")
    assert number == E.INPUT_UNREADABLE and "row 5 of the claims shares; add institution_code" in message
    neither = lines.drop_columns(["encounter_id"])
    assert refused(written(year, tmp_path / "neither", neither), tmp_path / "4")[0] == E.INPUT_COLUMN
