"""Pages and statements of a month and a year: figures are those of the run, in a real browser at two widths."""

from __future__ import annotations

import asyncio
import csv
import json

import pytest

from adjudicator.cli.main import main
from adjudicator.codes import Scheme
from tests.cli.test_pages import PAPER, measured
from tests.cli.test_pages import browser as browser
from tests.pooling.settled import HOSPITAL, DrgCase, settle_all

OTHER = "H99000200001"
CASES = [
    DrgCase("p1", "E1", catastrophic_fen=5_000),
    DrgCase("p2", "E2", county=990002, points_e8=300 * 10**8),
    DrgCase("p3", "E3", institution=OTHER, points_e8=200 * 10**8),
    DrgCase("p4", "E4", institution=OTHER, method=0),
    DrgCase("p5", "E5", institution=OTHER, method=0, scheme=Scheme.EMPLOYEE),
]


@pytest.fixture
def written(store_url, tmp_path, capsys):
    """Settle a month and its year, and write everything there is to read."""
    asyncio.run(settle_all(store_url, CASES))
    found = {}
    for words in (["settle-month", "--month", "202503"], ["settle-year", "--year", "2025"]):
        words += ["--pack", "taohuayuan", "--from-ledger", "--redis", store_url, "--budget", "390=6000", "--json"]
        words += ["--post", "--without-unpriced", "--html", str(tmp_path / f"{words[2]}.html")]
        assert main([*words, "--statements", str(tmp_path / "st")]) == 0
        found[words[2]] = json.loads(capsys.readouterr().out)
    return tmp_path, found


def rows_of(path) -> dict[str, list[str]]:
    """Rows of a statement by their first cell; what a spreadsheet shows."""
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    return {row[0]: row[1:] for row in csv.reader(data.decode("utf-8-sig").splitlines()) if row}


def test_each_hospital_gets_what_it_is_owed_paid_and_still_to_get(written) -> None:
    folder, found = written
    for period, data in found.items():
        for hospital, fen in data["hospitals_fen"].items():
            rows = rows_of(folder / "st" / f"{period}-{hospital}.csv")
            prepaid = -sum(line[-1] for line in found["202503"]["posted"] if line[2] == 14 and line[3] == hospital)
            assert rows["减：已预付"] == [f"{prepaid / 100:.2f}"]
            assert rows["尚应支付"] == [f"{(fen + prepaid) / 100:.2f}"]
            assert rows["医院"][0].endswith(hospital) and rows["期间"] == [period]
    rows = rows_of(folder / "st" / f"2025-{OTHER}.csv")
    assert rows["未计价病例"][1].startswith("2 例") and "ledger resettle" in rows["未计价病例"][1]
    assert rows_of(folder / "st" / f"202503-{HOSPITAL}.csv")["次均费用"] == ["1000.00"]


def test_the_page_of_the_city_says_what_the_run_says(written) -> None:
    folder, found = written
    for period, data in found.items():
        page = (folder / f"{period}.html").read_text("utf-8")
        assert f"{sum(data['hospitals_fen'].values()) / 100:,.2f}" in page
        assert "桃花源第一医院" in page and "未计价病例" in page and "<script" not in page


@pytest.mark.check
@pytest.mark.parametrize("width", [1280, 420, PAPER])
def test_nothing_lies_outside_the_pages(browser: str, written, tmp_path, width: int) -> None:
    folder, _ = written
    pages = [*folder.glob("*.html"), *(folder / "st").glob("*.html")]
    assert len(pages) == 6
    for page in pages:
        found = measured(browser, tmp_path, page, width)
        assert found["wide"] <= 0 and found["out"] == [], page.name
