"""The cases that an officer signs: few, at the edges, and as the engine settles them."""

from __future__ import annotations

from pathlib import Path

import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import run_case
from adjudicator.cli.main import main
from adjudicator.probe.cover import ABOVE, BELOW, cases_of, cover_of
from adjudicator.rules.bundle import load_bundle
from adjudicator.rules.inline import inline_bundle
from tests.probe.plans import PLAIN

DAY = 20_261_101
MOST_CASES = 300


def test_every_edge_is_reached_from_both_sides():
    cover = cover_of(inline_bundle(PLAIN), DAY)
    covered = {element for case in cover.candidates for element in case.covers}
    sides = {element[1:] for element in covered if element[-1] in (BELOW, ABOVE)}
    for group in (0, 1):
        for level in (0, 1):
            assert {("deductible_yuan", 0, group, level, side) for side in (BELOW, ABOVE)} <= sides
        assert {("cap_yuan", 0, group, side) for side in (BELOW, ABOVE)} <= sides
    for category in (0, 1, 2):
        assert {("catastrophic_threshold_yuan", 0, category, side) for side in (BELOW, ABOVE)} <= sides
    assert len(covered) == cover.elements and len(cover.candidates) <= 15


def test_a_case_says_in_chinese_who_and_which_edge():
    bundle = inline_bundle(PLAIN | {"person_groups": [{"id": "active", "name_zh": "在职职工", "person_types": ["11"]}],
                                    "deductible_yuan": 200, "rate_percent": 90})  # fmt: skip
    cases = cases_of(bundle, cover_of(bundle, DAY))
    assert any("在职职工" in case["title"] and case["title"].endswith("：起付线差一分") for case in cases)


def test_the_cases_of_a_pack_are_a_file_that_settles_as_it_says(tmp_path: Path, capsys):
    file = tmp_path / "huzhou.yaml"
    assert main(["rules", "cases", "huzhou@2026-11-01", "--output", str(file), "--lang", "en"]) == 0
    assert "cases reach" in capsys.readouterr().out
    assert file.read_text("utf-8").startswith("# 湖州市待遇政策核对案例，政策日期 2026-11-01")
    cases = list(read_cases([file]))
    assert 20 < len(cases) <= 60
    assert [settled.differences() for case in cases for settled in run_case(case) if settled.differences()] == []


@pytest.mark.check
@pytest.mark.parametrize("pack", ["hangzhou", "taizhou", "zhuzhou"])
def test_the_cases_of_each_city_are_few_and_settle_as_they_say(pack: str, tmp_path: Path):
    file = tmp_path / "cases.yaml"
    main(["rules", "cases", f"{pack}@2026-11-01", "--output", str(file)])
    cases = list(read_cases([file]))
    assert len(cases) <= MOST_CASES
    assert [case.name for case in cases for settled in run_case(case) if settled.differences()] == []


def test_cases_are_the_same_from_run_to_run():
    bundle = load_bundle(["huzhou"])
    first, second = (cases_of(bundle, cover_of(bundle, DAY)) for _ in range(2))
    assert first == second
