"""``adjudicator explain``: a claim in a file, cases, the national message; text, JSON and the sheet to print."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from adjudicator.cli.main import main
from adjudicator.cli.reports.explained import WORDS

CLAIM = "docs/first-call/claim.json"


@pytest.fixture
def claim_file(root: Path) -> Path:
    return root / CLAIM


def changed(claim_file: Path, folder: Path, **fields: object) -> Path:
    """The claim of the README with some fields changed."""
    path = folder / "claim.json"
    path.write_text(json.dumps(json.loads(claim_file.read_text("utf-8")) | fields), "utf-8")
    return path


def test_the_claim_of_the_readme_as_text(claim_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--lang", "en", str(claim_file)]) == 0
    said = capsys.readouterr().out
    assert "pooled fund: 10912.60 - 5665.61 = 5246.99" in said and "6909.28 × 82% = 5665.61" in said
    assert said.index("\ncost\n") < said.index("deductible: ") < said.index("\npayers\n") < said.index("cash: ")
    assert json.loads(claim_file.read_text("utf-8"))["person_id"] not in said


def test_the_same_in_chinese(claim_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--lang", "zh", str(claim_file)]) == 0
    said = capsys.readouterr().out
    assert "统筹基金: 10912.60 - 5665.61 = 5246.99" in said and "起付线" in said and "医疗费总额" in said


def test_as_json(claim_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", str(claim_file)]) == 0
    said = json.loads(capsys.readouterr().out)
    steps = {step["stage"]: step for step in said["explanation"]["steps"]}
    assert steps["pooled"]["amount_fen"] == "566561" and steps["pooled"]["chain"] == "burden"
    assert said["settlement"]["pooled_fund_fen"] == "566561"


class _Texts(HTMLParser):
    """Collects text and tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_sheet_to_print(claim_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str) -> None:
    hostile = "<script>alert('&')</script>"
    page = tmp_path / "sheet.html"
    claim = changed(claim_file, tmp_path, encounter_id=hostile)
    assert main(["explain", "--lang", lang, "--html", str(page), str(claim)]) == 0
    assert capsys.readouterr().out == ""
    text = page.read_text("utf-8")
    parser = _Texts()
    parser.feed(text)
    assert (
        WORDS["title"][lang == "zh"] in parser.texts and "5665.61" in parser.texts and "003310030010000" in parser.texts
    )
    assert "script" not in parser.tags and hostile in parser.texts
    assert "@page" in text and "http" not in text


def test_a_refused_claim_says_why(claim_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = changed(claim_file, tmp_path, total_fen=1)
    assert main(["explain", "--lang", "en", str(path)]) == 1
    assert "ADJ-3009 total_fen" in capsys.readouterr().out
    assert main(["explain", "--html", str(tmp_path / "sheet.html"), str(path)]) == 1
    assert "ADJ-3009" in (tmp_path / "sheet.html").read_text("utf-8")


def test_cases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "case.yaml"
    path.write_text("case: X\nplan: {rate_percent: 70}\nclaim: {amounts: {in_scope: 10}}\n", "utf-8")
    assert main(["explain", "--lang", "en", str(path)]) == 0
    assert "10.00 × 70% = 7.00" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--redis", "redis://localhost:1/0"],
        ["--target", "localhost:1", "--institution", "H", "--encounter", "E"],
        ["--redis", "redis://localhost:1/0", "--institution", "H", "--encounter", "E", "claim.json"],
    ],
)
def test_wrong_use(words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["explain", *words])
    assert stopped.value.code == 2


def test_faults_of_a_file(claim_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(changed(claim_file, tmp_path, insured_area="110101"))]) == 1
    assert "insured_area" in capsys.readouterr().err
    assert main(["explain", str(changed(claim_file, tmp_path, colour="red"))]) == 1
    assert "ADJ-5008" in capsys.readouterr().err


def test_settle_takes_the_claim_too(claim_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settle", str(claim_file)]) == 0
    assert "5665.61" in capsys.readouterr().out
    assert main(["settle", "--json", str(claim_file)]) == 0
    assert json.loads(capsys.readouterr().out)["pooled_fund_fen"] == "566561"
    assert main(["settle", str(changed(claim_file, tmp_path, total_fen=1))]) == 1
