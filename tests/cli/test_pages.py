"""The HTML pages in a real browser: nothing lies outside the page, on screen and on paper, and every row is seen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from adjudicator.cli.main import main
from tests.pooling.test_commands import COUNTIES

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCREEN, NARROW, PAPER = 900, 600, 688
"""Widths in pixels; the last one is A4 without its margins."""

MEASURE = """<script>addEventListener("load", () => {
  const wide = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("h1,h2,p,td,th,dt,dd,small,a")].filter(one => {
    const scroll = one.closest(".scroll"), box = one.getBoundingClientRect();
    if (scroll && getComputedStyle(scroll).overflowX === "auto") return false;
    return box.left < -1 || box.right > wide + 1 || one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0;
  }).map(one => one.textContent.slice(0, 60));
  const rows = [...document.querySelectorAll("tbody tr")];
  document.body.dataset.found = JSON.stringify({
    wide: document.documentElement.scrollWidth - wide, out, rows: rows.length,
    seen: rows.filter(row => row.getBoundingClientRect().height > 10).length,
    steps: [...document.querySelectorAll("tr.step td:first-child")].map(cell => cell.textContent),
  });
});</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no browser is installed (Debian: apt install chromium fonts-wqy-microhei)")
    return found


def run(browser: str, profile: Path, page: Path, *options: str) -> str:
    flags = (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
        f"--user-data-dir={profile}",
    )  # fmt: skip
    command = [browser, *flags, *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def measured(browser: str, folder: Path, page: Path, width: int) -> dict:
    """What a browser shows of a page in a window of some width; on paper the rules of print hold."""
    text = page.read_text("utf-8").replace("</body>", MEASURE + "</body>")
    if width == PAPER:
        text = text.replace("@media print", "@media screen")
    copy = folder / f"{width}.html"
    copy.write_text(text, "utf-8")
    dom = run(browser, folder / "profile", copy, f"--window-size={width},1400", "--dump-dom")
    found = re.search(r'data-found="([^"]*)"', dom)
    assert found, dom[-500:]
    return json.loads(unescape(found[1]))


@pytest.fixture(params=["sheet zh", "sheet en", "pack", "pool"])
def page(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    kind, _, lang = request.param.partition(" ")
    if kind == "sheet":
        asked = ["explain", "--lang", lang, "--html", str(path), str(root / "docs/first-call/claim.json")]
    elif kind == "pool":
        counties = tmp_path / "counties.csv"
        counties.write_text(COUNTIES, "utf-8")
        asked = ["pool", "--pack", "taohuayuan", "--year", "2025", "--counties", str(counties)]
        asked += ["--fund", "310:reserve=100000", "--fund", "390:reserve=500000", "--html", str(path)]
    else:
        asked = ["rules", "show", "hangzhou", "--on", "2024-06-01", "--html", str(path)]
    assert main(asked) == 0
    return path


def fitting(browser: str, tmp_path: Path, page: Path, width: int) -> dict:
    """Return what is measured of a page of which nothing lies outside, and every row can be seen."""
    found = measured(browser, tmp_path, page, width)
    assert found["wide"] <= 0 and found["out"] == [], page.name
    text = page.read_text("utf-8")
    assert found["rows"] == found["seen"] == text.count("<tr") - text.count("<thead"), page.name
    return found


@pytest.mark.check
@pytest.mark.parametrize("width", [SCREEN, NARROW, PAPER])
def test_nothing_lies_outside_the_page(browser: str, page: Path, tmp_path: Path, width: int) -> None:
    found = fitting(browser, tmp_path, page, width)
    if found["steps"]:
        assert len(found["steps"]) == 8 and found["steps"][-1] in ("个人现金", "cash")


@pytest.mark.check
def test_it_prints_on_a4(browser: str, page: Path, tmp_path: Path) -> None:
    printed = tmp_path / "page.pdf"
    run(browser, tmp_path / "profile", page, f"--print-to-pdf={printed}", "--no-pdf-header-footer")
    data = printed.read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    boxes = re.findall(rb"/MediaBox\s*\[([^\]]+)\]", data)
    assert {tuple(round(float(edge)) for edge in box.split()) for box in boxes} == {(0, 0, 595, 842)}
    text = page.read_text("utf-8")
    assert pages == 2 if 'class="step"' in text else 2 < pages < 40
