"""``adjudicator group`` and ``adjudicator scheme check``: files in, files out, bad lines named and the rest grouped."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adjudicator.cli.main import main
from adjudicator.grouping.records import files as record_files
from adjudicator.grouping.records.files import Task, group_text
from tests.grouping.conftest import Pair
from tests.grouping.naive import Record
from tests.grouping.support import answers, random_records

HEADER = (
    "id", "sex", "age_years", "age_days", "birth_weight_g", "department", "los_days", "discharge_way", "icu_hours",
    "diagnoses", "procedures",
)  # fmt: skip


def cells(number: int, record: Record) -> list[str]:
    """A record as the cells of a line."""
    values = (
        record.sex, record.age_years, record.age_days, record.birth_weight_g or None, record.department,
        record.stay_days, record.discharge_way, record.icu_hours,
    )  # fmt: skip
    plain = ["" if value is None else str(value) for value in values]
    return [f"R{number:06}", *plain, "|".join(record.diagnoses), "|".join(record.procedures)]


def text_of(records: list[Record], separator: str = "\t") -> bytes:
    """A whole text file."""
    lines = [HEADER, *(cells(number, record) for number, record in enumerate(records))]
    return "".join(separator.join(line) + "\n" for line in lines).encode()


def run(tmp_path: Path, name: str, content: bytes, *options: str) -> tuple[int, list[list[str]]]:
    """Exit code and answer rows of the command."""
    source, target = tmp_path / name, tmp_path / f"out-{name}"
    source.write_bytes(content)
    code = main(["group", "--scheme", "chs-demo", "--input", str(source), "--output", str(target), *options])
    if not target.exists():
        return code, []
    opener = gzip.open if name.endswith(".gz") else open
    with opener(target, "rt", encoding="utf-8") as file:
        return code, [line.rstrip("\n").split("," if "csv" in name else "\t") for line in file]


@pytest.mark.parametrize("name", ["records.tsv", "records.csv", "records.tsv.gz"])
def test_a_text_file_in_a_text_file_out(name: str, tmp_path: Path, demo: Pair) -> None:
    records = random_records(demo.naive, 3_000, seed=61)
    content = text_of(records, "," if "csv" in name else "\t")
    code, rows = run(tmp_path, name, gzip.compress(content) if name.endswith(".gz") else content)
    assert code == 0
    assert rows[0] == ["id", "status", "mdc", "adrg", "drg"]
    expected = [[f"R{number:06}", *answer] for number, answer in enumerate(answers(demo.scheme, records))]
    assert rows[1:] == expected


@pytest.mark.compiled
def test_blocks_threads_and_line_ends_do_not_matter(demo: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    content = text_of(random_records(demo.naive, 2_000, seed=62))
    results = set()
    for block in (record_files.BLOCK_BYTES, 5_000, 300):
        for threads, variant in ((1, content), (3, content), (1, content.replace(b"\n", b"\r\n")), (1, content[:-1])):
            monkeypatch.setattr(record_files, "BLOCK_BYTES", block)
            target = io.BytesIO()
            outcome = group_text(Task(demo.scheme, threads=threads), io.BytesIO(variant), target, b"\t")
            results.add((target.getvalue(), tuple(outcome.messages), outcome.records))
    assert len(results) == 1


BAD_LINES = {
    "too few columns": b"B\t1\t50",
    "too many columns": b"B\t1\t50\t\t\t\t\t\t\tJ18.900\t\t\t",
    "sex: not a whole number": "B\t男\t50\t\t\t\t\t\t\tJ18.900\t".encode(),
    "sex is neither 1 nor 2": b"B\t3\t50\t\t\t\t\t\t\tJ18.900\t",
    "age_years: out of range": b"B\t1\t300\t\t\t\t\t\t\tJ18.900\t",
    "age_days: out of range": b"B\t1\t0\t-1\t\t\t\t\t\tJ18.900\t",
    "age_years is missing": b"B\t1\t\t\t\t\t\t\t\tJ18.900\t",
    "age_years: not a whole number": b"B\t1\t50.5\t\t\t\t\t\t\tJ18.900\t",
    "no diagnosis": b"B\t1\t50\t\t\t\t\t\t\t\t",
    "diagnoses: more than 200 codes": b"B\t1\t50\t\t\t\t\t\t\t" + b"|".join([b"J18.900"] * 5_000) + b"\t",
    "procedures: more than 200 codes": b"B\t1\t50\t\t\t\t\t\t\tJ18.900\t" + b"|" * 5_000,
    "diagnoses: a code of more than 64 bytes": b"B\t1\t50\t\t\t\t\t\t\t" + b"J" * 65 + b"\t",
    "id: more than 64 bytes": b"B" * 65 + b"\t1\t50\t\t\t\t\t\t\tJ18.900\t",
    "not UTF-8": b"B\xff\t1\t50\t\t\t\t\t\t\tJ18.900\t",
    "birth_weight_g: not a whole number": b"B\t1\t50\t\t99999999999999999999\t\t\t\t\tJ18.900\t",
    "sex: quotes that do not close the field": b'B\t"1\t50\t\t\t\t\t\t\tJ18.900\t',
}


@pytest.mark.parametrize("message", BAD_LINES)
def test_a_bad_line_is_named_and_the_others_come_out(
    message: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    good = b"G1\t1\t50\t\t\t\t\t\t\tJ18.900\t\n"
    content = "\t".join(HEADER).encode() + b"\n" + good + b"\n" + BAD_LINES[message] + b"\n" + good
    code, rows = run(tmp_path, "records.tsv", content)
    error = capsys.readouterr().err
    assert f"line 4: {message}" in error or (f"line 4: {message.split(': ')[0]}" in error and message in error)
    status = "invalid" if message.startswith(("no ", "sex is", "age_years is")) else "malformed"
    assert [row[1:] for row in rows[1:]] == [
        ["grouped", "MDCE", "ES3", "ES35"], [status, "0000", "00", "0000"], ["grouped", "MDCE", "ES3", "ES35"],
    ]  # fmt: skip
    assert code == (1 if status == "malformed" else 0)


def test_utf8_is_judged_as_python_does(demo: Pair) -> None:
    edges = bytes.fromhex("417f808f909fa0bfc1c2dfe0e1ecedeeeff0f1f3f4f5ff")
    draw = random.Random(7)
    texts = [bytes(text) for size in (1, 2, 3) for text in itertools.product(edges, repeat=size)]
    texts += [bytes(draw.choices(edges, k=draw.choice((4, 5)))) for _ in range(20_000)]
    lines = b"".join(text + b"\t1\t50\t\t\t\t\t\t\tJ18.900\t\n" for text in texts)
    refused: dict[int, str] = {}
    task = Task(demo.scheme, tell=refused.__setitem__)
    outcome = group_text(task, io.BytesIO("\t".join(HEADER).encode() + b"\n" + lines), io.BytesIO(), b"\t")
    assert (outcome.message_count, len(outcome.messages)) == (len(refused), 1_000)
    assert refused.keys() == {
        line for line, text in enumerate(texts, 2) if text.decode("utf-8", "replace").encode() != text
    }


def test_random_bytes_disturb_no_other_line(demo: Pair) -> None:
    draw = random.Random(9)
    good = [cells(number, record) for number, record in enumerate(random_records(demo.naive, 2_000, seed=64))]
    lines, kept = [], []
    for line in good:
        lines.append("\t".join(line).encode())
        kept.append(line[0])
        if draw.random() < 0.5:
            rubbish = bytes(draw.choices(range(256), k=draw.randrange(1, 80)))
            lines.append(b"\xff" + rubbish.replace(b"\n", b""))
    content = "\t".join(HEADER).encode() + b"\n" + b"\n".join(lines) + b"\n"
    target = io.BytesIO()
    outcome = group_text(Task(demo.scheme), io.BytesIO(content), target, b"\t")
    assert outcome.malformed == len(lines) - len(good)
    answered = [line.split(b"\t") for line in target.getvalue().split(b"\n")[1:-1]]
    ids = [answer[0].decode() for answer in answered if answer[1] != b"malformed"]
    assert ids == kept


BAD_HEADERS = {
    b"": "line 1: column id, sex",
    b"id\tsex\tage_years\tage_days\tbirth_weight_g\tprocedures\n": "line 1: column diagnoses missing",
    "\t".join((*HEADER, "sex")).encode() + b"\n": "line 1: column sex stands twice",
    b"\xff\xfe\n": "line 1: the header is not UTF-8",
}


@pytest.mark.parametrize("header", BAD_HEADERS)
def test_a_bad_header(header: bytes, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    code, rows = run(tmp_path, "records.tsv", header)
    assert (code, rows) == (2, [])
    assert BAD_HEADERS[header] in capsys.readouterr().err


def test_all_messages_go_to_a_file(tmp_path: Path) -> None:
    content = "\t".join(HEADER).encode() + b"\n" + b"B\t1\n" * 50
    code, _ = run(tmp_path, "records.tsv", content, "--errors", str(tmp_path / "errors.txt"))
    lines = (tmp_path / "errors.txt").read_text().splitlines()
    assert (code, len(lines), lines[0], lines[-1]) == (1, 50, "2\ttoo few columns", "51\ttoo few columns")


def test_trace_and_coding_checks_are_further_columns(tmp_path: Path) -> None:
    record = Record(2, 50, diagnoses=["N40.x00"], procedures=[])
    code, rows = run(tmp_path, "records.tsv", text_of([record]), "--trace", "--coding-checks")
    assert code == 0
    assert rows[0][5:] == ["trace", "problems"]
    assert rows[1][5].startswith(
        "MDCM 男性生殖系统疾病及功能障碍: closed, principal diagnosis N40.x00, but of the other sex"
    )
    assert rows[1][6] == "warning diagnoses[0]: N40.x00: only of male patients (male-only)"


def test_codes_of_the_clinical_edition(tmp_path: Path) -> None:
    content = text_of([Record(1, 50, diagnoses=["I21.000x001"], procedures=["36.0700x003"])])
    assert run(tmp_path, "records.tsv", content)[1][1][1] == "ungrouped"
    assert run(tmp_path, "records.tsv", content, "--map-codes")[1][1][4] == "FM15"


@pytest.mark.parametrize("lists", [True, False])
def test_parquet_in_parquet_out(lists: bool, tmp_path: Path, demo: Pair) -> None:
    records = random_records(demo.naive, 2_000, seed=63)
    columns = dict(zip(HEADER, zip(*(cells(n, record) for n, record in enumerate(records)), strict=True), strict=True))
    numbers = {"sex", "age_years", "age_days", "birth_weight_g", "los_days", "discharge_way", "icu_hours"}
    arrays = {
        name: pa.array([int(cell) if cell else None for cell in column]) if name in numbers else pa.array(column)
        for name, column in columns.items()
    }
    if lists:
        arrays["diagnoses"] = pa.array([record.diagnoses for record in records], pa.list_(pa.string()))
        arrays["procedures"] = pa.array([record.procedures for record in records], pa.large_list(pa.large_string()))
    source, target = tmp_path / "records.parquet", tmp_path / "groups.parquet"
    pq.write_table(pa.table(arrays), source, row_group_size=700)
    assert main(["group", "--scheme", "chs-demo", "--input", str(source), "--output", str(target)]) == 0
    rows = pq.read_table(target)
    assert rows.column_names == ["id", "status", "mdc", "adrg", "drg"]
    got = [tuple(row.values()) for row in rows.to_pylist()]
    assert got == [(f"R{n:06}", *answer) for n, answer in enumerate(answers(demo.scheme, records))]


def test_a_row_of_parquet_that_is_out_of_range(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    table = {
        "id": ["a", "b"], "sex": [1, 1], "age_years": [50, 300], "age_days": pa.nulls(2, pa.int32()),
        "birth_weight_g": [0, 0], "diagnoses": ["J18.900", "J18.900"], "procedures": ["", ""],
    }  # fmt: skip
    source, target = tmp_path / "records.parquet", tmp_path / "groups.parquet"
    pq.write_table(pa.table(table), source)
    assert main(["group", "--scheme", "chs-demo", "--input", str(source), "--output", str(target)]) == 1
    assert pq.read_table(target)["status"].to_pylist() == ["grouped", "malformed"]
    assert "row 2: age_years: out of range" in capsys.readouterr().err


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    common = ["group", "--scheme", "chs-demo", "--output", str(tmp_path / "out.tsv"), "--input"]
    assert main([*common, str(tmp_path / "nothing.tsv")]) == 2
    (tmp_path / "no.parquet").write_bytes(b"no parquet")
    assert main([*common, str(tmp_path / "no.parquet")]) == 2
    assert main([*common[:3], "--output", str(tmp_path / "o.parquet"), "--input", str(tmp_path / "no.parquet")]) == 2
    assert "not a Parquet file" in capsys.readouterr().err


def test_a_scheme_with_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "scheme").mkdir()
    assert main(["scheme", "check", str(tmp_path / "scheme")]) == 1
    error = capsys.readouterr().err
    assert "mdc.csv: file: missing" in error and "adrg.csv: file: missing" in error


def test_counts_as_json(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    run(tmp_path, "records.tsv", text_of([Record(1, 50, diagnoses=["J18.900"])] * 3), "--json")
    assert json.loads(capsys.readouterr().out) == {"records": 3, "statuses": {"grouped": 3}}
    assert main(["scheme", "check", "chs-demo", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["scheme"], told["mdcs"], told["faults"]) == ("chs-demo", 25, [])
