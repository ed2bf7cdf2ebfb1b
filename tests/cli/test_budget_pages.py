"""The pages of budgets in a real browser: readable at both widths and on paper, bars as long as their figures."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from adjudicator.cli.main import main
from tests.cli.test_pages import PAPER, fitting, run
from tests.cli.test_pages import browser as browser

WIDE, NARROW = 1280, 420
SCORES = """\
county,scheme,indicator,score
990001,employee,enrolment,98
990001,employee,supervision,92.5
990002,employee,enrolment,88
990002,employee,supervision,75
"""

BARS = """<script>addEventListener("load", () => {
  const part = (bar, side) => 100 * bar.getBoundingClientRect()[side] / bar.parentElement.getBoundingClientRect()[side];
  const wide = document.documentElement.clientWidth;
  document.body.dataset.found = JSON.stringify({
    meters: [...document.querySelectorAll(".track")].map(track => [...track.querySelectorAll("i")].map(bar => part(bar, "width"))),
    columns: [...document.querySelectorAll(".months div")].map(month => [...month.children].map(bar => part(bar, "height"))),
    small: [...document.querySelectorAll("body *")].filter(one => one.children.length === 0 && one.textContent.trim() &&
      parseFloat(getComputedStyle(one).fontSize) < 12).map(one => one.textContent),
    outside: [...document.querySelectorAll(".meters > *, .months > *, .figures > *, .key > *")]
      .filter(one => one.getBoundingClientRect().right > wide).length,
  });
});</script>"""  # noqa: E501


@pytest.fixture(params=["plan", "execution", "final"])
def page(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Path:
    """A page of the example's figures; the final account is that of the year that is whole."""
    files = {name: str(root / "docs" / "budget" / f"{name}.csv") for name in ("agreed", "spending", "income")}
    path, plan = tmp_path / "page.html", str(tmp_path / "plan.csv")
    common = ["--pack", "taohuayuan", "--spending", files["spending"]]
    words = ["budget", "plan", *common, "--year", "2025", "--file", files["agreed"], "--fund", "310:reserve=60000000"]
    assert main([*words, "--output", plan, "--html", str(path)]) == 0
    if request.param == "execution":
        words = ["budget", "execution", *common, "--year", "2025", "--income", files["income"], "--plan", plan]
        assert main([*words, "--html", str(path)]) == 0
    if request.param == "final":
        (tmp_path / "scores.csv").write_text(SCORES, encoding="utf-8")
        words = ["budget", "final", *common, "--year", "2024", "--plan", plan, "--scores", str(tmp_path / "scores.csv")]
        assert main([*words, "--html", str(path)]) == 1  # the example has no income of 2024
    return path


@pytest.mark.check
@pytest.mark.parametrize("width", [WIDE, NARROW, PAPER])
def test_nothing_lies_outside_the_page(browser: str, page: Path, tmp_path: Path, width: int) -> None:
    fitting(browser, tmp_path, page, width)


@pytest.mark.check
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_bars_are_drawn_and_letters_are_large_enough(browser: str, page: Path, tmp_path: Path, width: int) -> None:
    copy = tmp_path / "bars.html"
    copy.write_text(page.read_text("utf-8").replace("</body>", BARS + "</body>"), "utf-8")
    dom = run(browser, tmp_path / "profile", copy, f"--window-size={width},1400", "--dump-dom")
    match = re.search(r'data-found="([^"]*)"', dom)
    assert match, dom[-500:]
    found = json.loads(unescape(match[1]))
    assert found["outside"] == 0 and found["small"] == []
    asked = [[float(part) for part in re.findall(r"(?:width|height):([\d.]+)%", bars)] for bars in re.findall(
        r'<div(?: class="track")?>((?:<i .*?</i>)+)', page.read_text("utf-8")
    )]  # fmt: skip
    drawn = [*found["meters"], *found["columns"]]
    assert len(asked) == len(drawn) > 0
    for wanted, seen in zip(asked, drawn, strict=True):
        assert seen == pytest.approx(wanted, abs=1.5)


@pytest.mark.check
def test_it_prints_on_a4(browser: str, page: Path, tmp_path: Path) -> None:
    printed = tmp_path / "page.pdf"
    run(browser, tmp_path / "profile", page, f"--print-to-pdf={printed}", "--no-pdf-header-footer")
    data = printed.read_bytes()
    assert 0 < len(re.findall(rb"/Type\s*/Page\b", data)) < 10


def test_a_page_counts_in_the_unit_that_fits_and_cites_its_documents(page: Path) -> None:
    text = page.read_text("utf-8")
    assert "<script" not in text and "http" not in text
    assert "金额单位：万元" in text and "依据：桃医保〔2020〕58号" in text and "演示数据" in text
    assert not re.search(r"\d{1,3},\d{3},\d{3}", text)
