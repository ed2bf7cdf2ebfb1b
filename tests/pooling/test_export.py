"""The export of a ledger's cases: what the other commands read of it is what they read of the ledger."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path

import pytest

from adjudicator.cli.main import main
from adjudicator.errors import AdjudicatorError
from adjudicator.ledger.store import Ledger
from adjudicator.pooling import case_files
from adjudicator.pooling.case_files import WRITTEN, check_targets
from adjudicator.pooling.periods import ledger_cases
from tests.pooling.test_ledger_cases import CASES, HOSPITAL, POOL, DrgCase, settle_all

LATE = DrgCase("p9", "E9", date=20250320)
"""Settled in March, taken back in May."""
STAYS = [
    DrgCase("p1", "E4", stay=(20250301, 20250308), principal="I21.000"),
    DrgCase("p1", "E5", date=20250402, stay=(20250320, 20250402), principal="I21.000x001"),
]


@pytest.fixture
def ledger_url(store_url: str) -> str:
    asyncio.run(settle_all(store_url, [*CASES, LATE, *STAYS], reverse=CASES[1]))

    async def late() -> None:
        async with await Ledger.open(store_url, allow_volatile=True) as ledger:
            await ledger.reverse(POOL, LATE.key, LATE.reversal_key, date=20250506)

    asyncio.run(late())
    return store_url


def export(url: str, *words: str) -> int:
    return main(["ledger", "export", "--pack", "taohuayuan", "--redis", url, *words])


def settled(capsys, *words: str) -> dict:
    command = ["settle-month", "--pack", "taohuayuan", "--month", "202503", "--budget", "390=5000", "--json"]
    assert main([*command, *words]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_month_settles_from_the_export_as_from_the_ledger(ledger_url: str, capsys, tmp_path, suffix: str) -> None:
    path = tmp_path / f"cases.{suffix}"
    assert export(ledger_url, str(path), "--period", "202503", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["months"], told["settlements"], told["reversals"]) == (3, 6, 2)
    from_file = settled(capsys, "--cases", str(path))
    assert from_file["schemes"]["390"]["points_e8"] == 150 * 10**8  # E1, and half of E4
    assert from_file == {key: value for key, value in settled(capsys, "--from-ledger", "--redis", ledger_url).items()
                         if key != "would_post"}  # fmt: skip
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_both_forms_at_once_hold_the_documented_columns_and_no_person(ledger_url: str, tmp_path, root) -> None:
    import pyarrow.parquet

    files = [tmp_path / "cases.csv", tmp_path / "cases.parquet"]
    assert export(ledger_url, *map(str, files), "--period", "2025") == 0
    rows = list(csv.DictReader(files[0].open(encoding="utf-8")))
    table = pyarrow.parquet.read_table(files[1])
    assert list(rows[0]) == table.column_names == list(WRITTEN)
    assert [{name: str(value) for name, value in row.items()} for row in table.to_pylist()] == rows
    assert {row["case"] for row in rows if row["sign"] == "-1"} == {f"{HOSPITAL}/E2/1", f"{HOSPITAL}/E9/1"}
    persons = {row["case"]: row["person"] for row in rows}
    assert persons[f"{HOSPITAL}/E1/1"] == persons[f"{HOSPITAL}/E4/1"] != persons[f"{HOSPITAL}/E2/1"]
    assert not {"p1", "p2"} & set(persons.values())
    page = (root / "docs" / "pooling.md").read_text(encoding="utf-8")
    listed = page.split("## Cases\n")[1].split("\n## ")[0]
    assert [name for name in WRITTEN if f"`{name}`" not in listed] == []


def test_until_leaves_later_settlements_and_keeps_late_reversals(ledger_url: str, capsys, tmp_path) -> None:
    path = tmp_path / "march.csv"
    assert export(ledger_url, str(path), "--period", "202503", "--until", "202503") == 0
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert {row["month"] for row in rows if row["sign"] == "1"} == {"202503"}
    assert [row["month"] for row in rows if row["sign"] == "-1"] == ["202503", "202505"]
    capsys.readouterr()
    assert export(ledger_url, str(path), "--period", "202504") == 0  # what was taken back in May was settled in March
    assert "结算 2 例, 冲销 0 例" in capsys.readouterr().out


def test_it_holds_one_month_at_a_time(ledger_url: str, tmp_path, monkeypatch) -> None:
    """Each month is written before the next one is read."""
    seen: list[str] = []
    scan, write = ledger_cases.journal.scan, case_files.CaseFiles.write

    def scanned(connection, pool, month):
        seen.append(f"read {month}")
        return scan(connection, pool, month)

    monkeypatch.setattr(ledger_cases.journal, "scan", scanned)
    monkeypatch.setattr(case_files.CaseFiles, "write", lambda self, cases: (seen.append("write"), write(self, cases)))
    assert export(ledger_url, str(tmp_path / "c.parquet"), "--period", "2025") == 0
    assert seen == ["read 202503", "write", "read 202504", "write", "read 202505", "write"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [(["cases.txt"], "neither .parquet nor .csv"), (["a.csv", "./a.csv"], "named twice"),
     (["stays.csv"], "read by this run")],
)  # fmt: skip
def test_what_must_not_be_written_over(
    ledger_url: str, capsys, tmp_path, monkeypatch, files: list[str], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    stays = "case,admission_date,discharge_date\n"
    Path("stays.csv").write_text(stays, encoding="utf-8")
    assert export(ledger_url, *files, "--period", "2025", "--stays", "stays.csv") == 1
    assert expected in capsys.readouterr().err
    assert Path("stays.csv").read_text(encoding="utf-8") == stays


def test_a_period_without_cases_and_one_that_is_none(ledger_url: str, capsys, tmp_path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("as it was", encoding="utf-8")
    assert export(ledger_url, str(path), "--period", "2026") == 1
    assert "no case of pool 990000 from 2026 on" in capsys.readouterr().err
    assert export(ledger_url, str(path), "--period", "202513") == 1
    assert "202513 is not a month" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["c.csv"] and path.read_text(encoding="utf-8") == "as it was"


def test_the_folder_of_the_ledger_is_an_input(tmp_path) -> None:
    with pytest.raises(AdjudicatorError, match="read by this run"):
        check_targets([tmp_path / "ledger" / "dump.csv"], [tmp_path / "ledger"])
