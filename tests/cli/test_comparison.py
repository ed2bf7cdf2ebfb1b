"""A report in a real browser, as CSV and as a workbook, in both languages; figures equal the totals."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import zipfile
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from adjudicator.cli.main import main
from adjudicator.cli.reports.charts import Series, bars, columns
from adjudicator.cli.reports.comparison import TEXT
from adjudicator.cli.reports.pool_page import yuan
from adjudicator.compare.differences import names_of
from adjudicator.compare.words import AMOUNTS, KEYS, SIDES
from tests.cli.test_pages import browser as browser
from tests.compare.conftest import base as base
from tests.compare.conftest import deductible as deductible
from tests.compare.conftest import year as year
from tests.compare.runs import rows
from tests.compare.test_lines import sides as sides

pytest.importorskip("plotly", reason="the extra report is not installed (pip install -e .[report])")
pytest.importorskip("xlsxwriter", reason="the extra report is not installed (pip install -e .[report])")

MEASURE = """<script>
addEventListener("load", () => setTimeout(() => {
  const charts = [...document.querySelectorAll(".chart")].map(one => ({
    id: one.id, svg: one.querySelectorAll("svg.main-svg").length, marks: one.querySelectorAll(".point path").length,
    bars: one.data.reduce((sum, series) => sum + series.y.length, 0), width: one.getBoundingClientRect().width,
  }));
  const amounts = [...document.querySelectorAll("td[data-fen]")].map(cell => [cell.dataset.fen, cell.textContent]);
  const links = [...document.querySelectorAll("a")].map(one => one.getAttribute("href"));
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.body.dataset.found = JSON.stringify({charts, amounts, links, wide});
}, 300));</script>"""


@pytest.fixture(scope="module", params=["zh", "en"])
def report(request, base, deductible, tmp_path_factory) -> tuple[str, Path]:
    """Language and folder of a comparison with its report."""
    output = tmp_path_factory.mktemp(request.param) / "out"
    command = ["reprice", "compare", str(base), str(deductible), "--output", str(output), "--lang", request.param]
    assert main(command) == 0
    return request.param, output


def opened(browser: str, profile: Path, page: Path) -> tuple[dict, list[str]]:
    """What a browser finds on a page, and what it says on its console."""
    copy = page.with_name(f"measured-{page.name}")
    copy.write_text(page.read_text("utf-8").replace("</body>", MEASURE + "</body>"), "utf-8")
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
    done = subprocess.run(
        [browser, *flags, f"--user-data-dir={profile}", "--enable-logging=stderr", "--window-size=1280,2000",
         "--virtual-time-budget=6000", "--dump-dom", copy.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    copy.unlink()
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found, done.stderr[-800:]
    return json.loads(unescape(found[1])), [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.check
def test_each_page_draws_its_charts_and_shows_the_totals(browser, report, tmp_path):
    language, output = report
    folder = output / "report"
    pages = [folder / "index.html", *sorted((folder / "counties").iterdir()), *sorted((folder / "hospitals").iterdir())]
    assert len(pages) > 10
    for page in pages if language == "zh" else pages[:2] + pages[-2:]:
        found, console = opened(browser, tmp_path / "profile", page)
        assert console == [], page.name
        assert found["wide"] <= 0, page.name
        assert len(found["charts"]) >= 3
        for chart in found["charts"]:
            assert chart["svg"] >= 1 and chart["marks"] == chart["bars"] and chart["width"] > 300, (page.name, chart)
        assert found["amounts"]
        assert all(text == yuan(int(fen)) for fen, text in found["amounts"])
        assert all((page.parent / link).is_file() for link in found["links"])
        assert "http" not in "".join(found["links"])


@pytest.mark.check
def test_the_first_page_shows_each_payer_old_new_and_difference(report):
    language, output = report
    summary = json.loads((output / "summary.json").read_text("utf-8"))
    text = (output / "report" / "index.html").read_text("utf-8")
    for name, old in summary["sums_old"].items():
        new = summary["sums_new"][name]
        cells = [f">{yuan(amount)}<" for amount in (old, new, new - old)]
        if old or new:
            row = text[text.index(f">{AMOUNTS[name][language == 'zh']}</td>") :].partition("</tr>")[0]
            assert all(cell in row for cell in cells), name


@pytest.mark.check
def test_files_have_the_same_rows_and_sums_as_the_tables(report):
    language, output = report
    with (output / "report" / "tables" / "hospitals.csv").open(encoding="utf-8-sig") as file:
        heads, *lines = list(csv.reader(file))
    place = heads.index(f"{AMOUNTS['due_fen'][0]}, difference" if language == "en" else "应付医疗机构，差额")
    due = sum(row[names_of("due_fen")[2]] for row in rows(output / "hospitals.parquet"))
    assert sum(int(line[place].replace(".", "")) for line in lines) == due
    with zipfile.ZipFile(output / "report" / "tables.xlsx") as book:
        names = {name: re.findall(r'sheet name="([^"]+)"', book.read(name).decode())
                 for name in book.namelist() if name.endswith("workbook.xml")}  # fmt: skip
        assert next(iter(names.values()))[:3] == ["payers", "causes", "counties"]
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    values = [cell.text for cell in sheet.findall(".//m:row[2]/m:c/m:v", space)]
    summary = json.loads((output / "summary.json").read_text("utf-8"))
    assert yuan(summary["sums_old"]["pooled_fund_fen"]).replace(",", "").rstrip("0").rstrip(".") in values


def test_figures_are_figures_of_the_library():
    from plotly.graph_objects import Figure

    one = bars("a", ["x", "y"], [Series("s", [-100, 250])])
    assert one["data"][0]["x"] == [-1.0, 2.5]
    for figure in (one, columns("b", ["x"], [Series("s", [1], fen=False), Series("t", [2], fen=False)])):
        Figure(figure)  # refuses what the library does not know


def test_every_text_is_there_in_both_languages():
    for words in (*TEXT.values(), *AMOUNTS.values(), *KEYS.values(), *SIDES.values()):
        assert all(words) and words[0] != words[1]


@pytest.fixture(scope="module")
def items_report(sides, tmp_path_factory) -> Path:
    """A comparison of two catalogues with its report."""
    output = tmp_path_factory.mktemp("items") / "out"
    assert main(["reprice", "compare", *map(str, sides), "--output", str(output), "--lang", "en"]) == 0
    return output


@pytest.mark.check
def test_items_of_the_catalogue_are_on_the_page_and_in_the_files(items_report):
    page = (items_report / "report" / "index.html").read_text("utf-8")
    assert "监护病房床位费" in page and TEXT["items"][0] in page
    items = rows(items_report / "items_that_differ.parquet")
    with (items_report / "report" / "tables" / "items.csv").open(encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    assert [line["item"] for line in lines] == [row["item_code"] for row in items]
    place = "in scope, difference"
    assert sum(int(line[place].replace(".", "")) for line in lines) == sum(
        row["in_scope_difference_fen"] for row in items
    )
    assert {(line["old class"], line["new class"]) for line in lines if line["name"] == "监护病房床位费"} == {
        ("B", "C")
    }
    assert {(line["old first pay"], line["new first pay"]) for line in lines} >= {("10%", "12%"), ("10%", "100%")}
