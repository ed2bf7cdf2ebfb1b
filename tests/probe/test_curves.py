"""The page of curves: its points, and that a browser draws every chart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from adjudicator.cli.main import main
from adjudicator.probe.curves import curves_of
from adjudicator.rules.inline import inline_bundle
from tests.cli.test_pages import browser, run
from tests.probe.plans import PLAIN

CATASTROPHIC_FEN = (2_242_222 - 2_000_000) * 60 // 100
"""Catastrophic insurance pays 60 % of the burden of the year above 20,000 yuan."""
assert callable(browser)  # the fixture of a browser


def test_a_curve_begins_at_the_whole_bill_and_has_its_breaks():
    curves = list(curves_of(inline_bundle(PLAIN), 20_261_101))
    persons = {(curve.group, curve.level) for curve in curves if curve.category == 0}
    assert persons == {(group, level) for group in (0, 1) for level in (0, 1)}
    assert {curve.category for curve in curves} == {0, 1, 2}
    plain = next(curve for curve in curves if (curve.group, curve.level, curve.category) == (0, 0, 0))
    paid = dict(zip(plain.cost_fen.tolist(), plain.personal_fen.tolist(), strict=True))
    assert (
        paid[20_000] == 20_000
        and paid[20_001] == 20_000
        and paid[22_242_222] == 22_242_222 - 20_000_000 - CATASTROPHIC_FEN
    )
    assert (plain.personal_fen <= plain.cost_fen).all()


def test_the_page_names_every_plan_and_loads_nothing(tmp_path: Path, capsys):
    pytest.importorskip("plotly")
    assert main(["rules", "curves", "huzhou@2026-11-01", "--output", str(tmp_path), "--lang", "zh"]) == 0
    page = (tmp_path / "index.html").read_text("utf-8")
    found = re.search(r'id="figures">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    titles = [chart["layout"]["title"]["text"] for chart in json.loads(found[1])]
    assert [title for title in titles if "职工住院" in title] and f"{len(titles)} 幅图" in capsys.readouterr().out
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["plotly.min.js"]


@pytest.mark.check
def test_a_browser_draws_every_chart(browser: str, tmp_path: Path):
    pytest.importorskip("plotly")
    main(["rules", "curves", "hangzhou@2026-11-01", "--output", str(tmp_path)])
    page = tmp_path / "index.html"
    charts = page.read_text("utf-8").count('class="chart ')
    drawn = run(browser, tmp_path / "profile", page, "--virtual-time-budget=10000", "--dump-dom")
    assert charts > 5 and drawn.count('class="scatterlayer mlayer"') == charts
