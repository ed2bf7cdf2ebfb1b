"""However it is run, a run gives the same bytes: processes, buckets, batches, a killed run that goes on; wrong input is
refused or rejected by name."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from adjudicator.cli.main import main
from adjudicator.errors import AdjudicatorError, E
from adjudicator.reprice import engines
from adjudicator.reprice.tasks import Task
from tests.reprice.tables import contents, price_files, result_rows, write_nested


@pytest.fixture(scope="module")
def plain(year: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a plain run."""
    output = tmp_path_factory.mktemp("plain") / "out"
    price_files(year / "parquet", output, with_lines=True)
    return contents(output)


@pytest.mark.parametrize("options", [{"workers": 2}, {"buckets": 7}, {"batch": 211}, {"buckets": 3, "batch": 1000}])
def test_processes_buckets_and_batches_change_no_byte(year, plain, tmp_path, options):
    price_files(year / "parquet", tmp_path / "out", with_lines=True, **options)
    assert contents(tmp_path / "out") == plain


class Stopping(engines.Local):
    """An engine that is ended after some tasks."""

    left = 0

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, dict]]:
        for result in super().run(tasks):
            if Stopping.left == 0:
                raise KeyboardInterrupt
            Stopping.left -= 1
            yield result


@pytest.mark.parametrize("tasks", [0, 1, 3, 5])
def test_an_ended_run_goes_on_and_does_finished_tasks_once(year, plain, tmp_path, monkeypatch, tasks):
    monkeypatch.setitem(engines.ENGINES, "stopping", Stopping)
    Stopping.left, output = tasks, tmp_path / "out"
    options = {"with_lines": True, "buckets": 4}
    with pytest.raises(KeyboardInterrupt):
        price_files(year / "parquet", output, engine="stopping", **options)
    with pytest.raises(AdjudicatorError) as refused:
        price_files(year / "parquet", output, **options)
    assert refused.value.problems[0].number == E.RUN_DIFFERS  # nobody asked to go on
    with pytest.raises(AdjudicatorError) as refused:
        price_files(year / "pb", output, resume=True, **options)
    assert refused.value.problems[0].number == E.RUN_DIFFERS  # another input
    damaged = [path for path in output.rglob("*") if path.is_file() and path.suffix not in (".json", ".parquet")]
    if damaged:
        with damaged[0].open("r+b") as file:
            file.write(b"\xff")  # its receipt no longer holds, so the task is done again
    price_files(year / "parquet", output, resume=True, **options)
    assert contents(output) == plain


def test_a_killed_process_leaves_a_state_that_goes_on(year, plain, tmp_path):
    output = tmp_path / "out"
    command = [
        sys.executable, "-m", "adjudicator", "reprice", "--pack", "taohuayuan", "--input", str(year / "parquet"),
        "--output", str(output), "--lines", "--workers", "2",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if any(path.suffix == ".json" and path.parent != output for path in output.rglob("*.json")):
            os.killpg(process.pid, signal.SIGKILL)
            break
        time.sleep(0.01)
    process.wait(60)
    if not (output / "manifest.json").exists():
        subprocess.run([*command, "--resume"], check=True, capture_output=True, timeout=240)
    assert contents(output) == plain
    assert main(["reprice", "verify", str(output / "manifest.json"), "--sample", "50"]) == 0


def test_a_run_that_was_killed_before_it_wrote_its_job_begins_anew(year, plain, tmp_path):
    output = tmp_path / "out"
    (output / ".work").mkdir(parents=True)
    (output / ".work" / "job.json.0.draft").write_text('{"folder"')
    price_files(year / "parquet", output, with_lines=True, resume=True)
    assert contents(output) == plain


@pytest.mark.check
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_a_state_that_goes_on(claims, tmp_path, workers):
    for number in range(12):  # each file is a task
        write_nested(claims[number * 250 : (number + 1) * 250], tmp_path / "in" / f"{number:02d}.parquet")
    price_files(tmp_path / "in", tmp_path / "plain")
    output = tmp_path / "out"
    command = [
        sys.executable, "-m", "adjudicator", "reprice", "--pack", "taohuayuan", "--input", str(tmp_path / "in"),
        "--output", str(output), "--workers", str(workers),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 240
    while not list(output.rglob("claims-*.json")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers too
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and told.count("Interrupted") == 1 and "Traceback" not in told, told
    assert 0 < len(list(output.rglob("claims-*.json"))) < 12
    subprocess.run([*command, "--resume"], check=True, capture_output=True, timeout=240)
    assert contents(output) == contents(tmp_path / "plain")
    assert not list(output.rglob("*.draft"))


def changed(year: Path, folder: Path, table: str, change) -> Path:
    """The tables of the year with one of them changed."""
    shutil.copytree(year / "parquet", folder)
    path = folder / f"{table}.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    return folder


def put(name: str, change):
    """Change one column of a table."""
    return lambda table: table.set_column(table.column_names.index(name), name, change(table.column(name)))


def nulled(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([None if row == 3 else value for row, value in enumerate(column.to_pylist())], column.type)


def in_floats(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.divide(column.cast(pa.float64()), 100.0)


def in_decimals(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.decimal128(21, 2))


def as_flags(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([True] * len(column))


MISTAKES = {
    "a column left out": ("claims", lambda table: table.drop_columns(["total_fen"]), E.INPUT_COLUMN),
    "a column of the lines left out": ("lines", lambda table: table.drop_columns(["amount_fen"]), E.INPUT_COLUMN),
    "yuan as floats": ("claims", put("total_fen", in_floats), E.INPUT_TYPE),
    "decimals without a unit": ("lines", put("amount_fen", in_decimals), E.INPUT_TYPE),
    "a date as a flag": ("claims", put("admission_date", as_flags), E.INPUT_TYPE),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_table_that_cannot_be_meant_is_refused_by_the_column(year, tmp_path, name):
    table, change, number = MISTAKES[name]
    source = changed(year, tmp_path / "in", table, change)
    with pytest.raises(AdjudicatorError) as refused:
        price_files(source, tmp_path / "out")
    problem = refused.value.problems[0]
    assert problem.number == number and problem.field, problem
    assert not (tmp_path / "out" / "settlements").exists()


@pytest.mark.parametrize(
    ("table", "column", "change", "code"),
    [
        ("claims", "total_fen", nulled, "ADJ-1006"),
        ("lines", "amount_fen", nulled, "ADJ-1006"),
        ("claims", "scheme", lambda column: pa.array(["999", *column.to_pylist()[1:]]), "ADJ-2012"),
        ("claims", "total_fen", lambda column: pa.array([1, *column.to_pylist()[1:]]), "ADJ-3009"),
    ],
)
def test_a_wrong_row_is_rejected_with_code_field_and_row_and_the_others_are_priced(
    year, plain, tmp_path, table, column, change, code
):
    source = changed(year, tmp_path / "in", table, put(column, change))
    summary = price_files(source, tmp_path / "out")
    assert summary.rejected == 1
    (row,) = {(one["row"], one["code"]) for one in pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()}
    assert row[1] == code
    texts = pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()[0]
    assert texts["field"].split(".")[-1] == column and texts["message"] and texts["message_zh"]
    assert [one["outcome"] for one in result_rows(tmp_path / "out")].count(4) == 1


def test_what_is_no_table_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(AdjudicatorError):
        price_files(tmp_path / "in", tmp_path / "none")
    (tmp_path / "in" / "claims.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(AdjudicatorError) as refused:
        price_files(tmp_path / "in", tmp_path / "out")
    assert refused.value.problems[0].number == E.INPUT_UNREADABLE


def test_a_mapping_with_yuan_gives_the_same_amounts(year, tmp_path):
    source = tmp_path / "in"
    shutil.copytree(year / "parquet", source)
    claims = pq.read_table(source / "claims.parquet")
    yuan = pa.array([f"{fen // 100}.{fen % 100:02d}" for fen in claims.column("total_fen").to_pylist()])
    claims = claims.append_column("medfee_sumamt", yuan.cast(pa.decimal128(18, 2))).drop_columns(["total_fen"])
    pq.write_table(claims, source / "claims.parquet")
    names = set(claims.column_names)
    lines = set(pq.read_table(source / "lines.parquet").column_names)
    from adjudicator.reprice.fields import CLAIM_FIELDS, LINE_FIELDS

    (tmp_path / "own.toml").write_text(
        "[claim]\n" + "".join(f'{name} = "{name}"\n' for name in CLAIM_FIELDS if name in names)
        + 'total_fen = { column = "medfee_sumamt", unit = "yuan" }\n[line]\n'
        + "".join(f'{name} = "{name}"\n' for name in LINE_FIELDS if name in lines),
        encoding="utf-8",
    )  # fmt: skip
    price_files(source, tmp_path / "out", mapping=str(tmp_path / "own.toml"))
    price_files(year / "parquet", tmp_path / "plain")
    assert contents(tmp_path / "out") == contents(tmp_path / "plain")
