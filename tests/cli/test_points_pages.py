"""The pages of new points and of special-case review: figures are those of the run, in a real browser at two widths."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from adjudicator.cli.main import main
from adjudicator.pooling.periods.context import load_context
from tests.cli.test_budget_pages import NARROW, WIDE
from tests.cli.test_pages import PAPER, fitting, run
from tests.cli.test_pages import browser as browser
from tests.pooling.test_commands import case_file

HOSPITALS = ("H99000100001", "H99000200001", "H99000300002")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cases of every group in three hospitals, a few of them ten times as dear as their group."""
    terms, random_ = load_context("taohuayuan").drg_terms(20251231), random.Random(11)
    assert terms is not None
    rows = []
    for number in range(2_400):
        drg = list(terms.groups)[number % (len(terms.groups) + 5) % len(terms.groups)]
        dear = 10 if random_.random() < 0.02 else 1
        cost = int((terms.groups[drg].average_fen or 500_000) * random_.lognormvariate(0, 0.3) * dear)
        place = {"group": drg, "hospital": random_.choice(HOSPITALS)}
        rows.append({"case": f"c{number}", "person": str(number), "total_fen": cost} | place)
    return case_file(tmp_path_factory.mktemp("points") / "cases.csv", rows)


@pytest.fixture(params=["calibrate", "review"])
def page(request: pytest.FixtureRequest, cases: Path, tmp_path: Path) -> Path:
    path = tmp_path / f"{request.param}.html"
    words = ["points", request.param, "--pack", "taohuayuan", "--cases", str(cases), "--period", "2025"]
    assert main([*words, "--html", str(path)]) == 0
    return path


@pytest.mark.check
@pytest.mark.parametrize("width", [WIDE, NARROW, PAPER])
def test_nothing_lies_outside_the_page(browser: str, page: Path, tmp_path: Path, width: int) -> None:
    fitting(browser, tmp_path, page, width)


@pytest.mark.check
def test_bars_leave_room_for_long_names_on_a_narrow_page(browser: str, page: Path, tmp_path: Path) -> None:
    script = """<script>addEventListener("load", () => { document.body.dataset.found = JSON.stringify(
      [...document.querySelectorAll(".track")].map(track => track.getBoundingClientRect().width)) });</script>"""
    copy = tmp_path / "bars.html"
    copy.write_text(page.read_text("utf-8").replace("</body>", script + "</body>"), "utf-8")
    dom = run(browser, tmp_path / "profile", copy, f"--window-size={NARROW},1400", "--dump-dom")
    match = re.search(r'data-found="([^"]*)"', dom)
    assert match, dom[-500:]
    widths = json.loads(match[1])
    assert len(widths) == 20 and min(widths) > 60


def test_the_page_has_the_figures_of_the_run(cases: Path, tmp_path: Path, capsys) -> None:
    words = ["--pack", "taohuayuan", "--cases", str(cases), "--period", "2025", "--json"]
    assert main(["points", "calibrate", *words, "--html", str(tmp_path / "c.html")]) == 0
    told, text = json.loads(capsys.readouterr().out), (tmp_path / "c.html").read_text("utf-8")
    for group in told["groups"]:
        row = re.search(rf"<td>{group['group']} [^<]*</td>(.*?)</tr>", text, re.DOTALL)
        assert row, group["group"]
        cells = re.findall(r"<td[^>]*>([^<]*)</td>", row[1])
        assert cells[0] == f"{group['cases']:,}" and cells[2] == f"{group['average_fen'] / 100:,.2f}"
        assert round(float(cells[3]) * 10**8) == group["base_e8"]
    assert main(["points", "review", *words, "--html", str(tmp_path / "r.html")]) == 0
    told, text = json.loads(capsys.readouterr().out), (tmp_path / "r.html").read_text("utf-8")
    assert told["cases"] and all(f"<td>{one['case']}</td>" in text for one in told["cases"])
    assert f"<b>{sum(one['taken'] == 'true' for one in told['cases'])}</b>" in text
