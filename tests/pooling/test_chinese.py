"""What pooling refuses, and its notes, are Chinese in Chinese: no English sentence stands in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import adjudicator
from adjudicator.errors import AdjudicatorError
from adjudicator.payment.methods.drg.terms import Readmission
from adjudicator.pooling.heads import capitation, visit_packages
from adjudicator.pooling.hospitals import clearing, packages, review, settlement
from adjudicator.pooling.points import calibrate
from tests.pooling.made import case, cases

PACKAGE = Path(adjudicator.__file__).parent
CHINESE = re.compile("[\u4e00-\u9fff]")
SENTENCE = re.compile(r"[a-z]+ [a-z]+ [a-z]+")
"""Three English words in a row."""
EXPLAINED = {"E.CANNOT_CLEAR", "E.PAYMENT_RULE_UNDEFINED", "E.UNPRICED_CASES"}
"""Errors whose text of the table is only the beginning of a sentence."""


def without_chinese(source: str, name: str = "it") -> list[str]:
    """The refusals of a module that say what is wrong in English only."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "refuse" or not node.args:
            continue
        given = node.args[3:4] + [one.value for one in node.keywords if one.arg == "detail_zh"]
        if ast.unparse(node.args[0]) not in EXPLAINED or any(isinstance(one, ast.Starred) for one in node.args):
            continue
        texts = [one for one in given if isinstance(one, ast.Constant | ast.JoinedStr)]
        if not given or any(not CHINESE.search(ast.unparse(text)) for text in texts):
            found.append(f"{name}:{node.lineno}")
    return found


@pytest.mark.parametrize("folder", ["pooling", "cli"])
def test_every_refusal_is_in_both_languages(folder: str) -> None:
    paths = sorted((PACKAGE / folder).rglob("*.py"))
    assert [place for path in paths for place in without_chinese(path.read_text("utf-8"), path.name)] == []


def test_the_guard_finds_what_it_looks_for() -> None:
    assert without_chinese('raise refuse(E.CANNOT_CLEAR, "budget", "scheme has no budget")') == ["it:1"]
    assert without_chinese('raise refuse(E.CANNOT_CLEAR, "budget", "no budget", detail_zh="none")') == ["it:1"]
    assert not without_chinese('raise refuse(E.CANNOT_CLEAR, "budget", "no budget", f"没有 {n} 的预算")')


def calibrated(costs: list[int]) -> object:
    return calibrate.calibrate(
        np.array(costs, np.int64), np.zeros(len(costs), int), np.zeros(len(costs), int), ["A"], ["H9"], {},
        calibrate.Calibration(own_weight_ppm=700_000, level_weight_ppm=300_000),
    )  # fmt: skip


PEOPLE = [capitation.Enrolment("p", "A", 202501, 202512, county="990001", scheme="310")]
TERMS = capitation.CapitationTerms(42_000, capitation.Weights(((17, 10**6),)), 10**6, 0)
LIMIT = packages.Limit("H1", "310", "quota", 100)

REFUSED: list[Callable[[], object]] = [
    lambda: clearing.check_budget("310", 0, 1),
    lambda: clearing.check_budget("310", 1, -(10**10)),
    lambda: clearing.clear(
        "310", [clearing.Cell("H1", "990001", 1, 10**8, -500, 0, 0)], 400, clearing.Terms(), final=False
    ),
    lambda: clearing.released_ppm(10, ((60, 1),)),
    lambda: clearing.deposits([clearing.Line("H1", "990001", 1, 1, 1, 0, 0, 1, 1)], clearing.Terms(deposit_ppm=1), {}),
    lambda: review.review_quota(1529, 5_000, "undefined"),
    lambda: review.check_quota(3, 1500, 1_000, "up"),
    lambda: review.check_swaps(10, 3, 200_000, "H1"),
    lambda: review.apply_decisions(
        cases(case("a")), np.zeros(1, np.int64), {"a": review.Decision(reasonable_cost_fen=1)}, 1, 0, 1
    ),
    lambda: packages.quota_year(1, 0, 0, 0, packages.QuotaTerms()),
    lambda: packages.quota_year(1, 2, 0, 0, packages.QuotaTerms()),
    lambda: packages.average_limit_year([1], 0),
    lambda: packages.settle_limits(cases(case("a")), {}, 2025, [LIMIT], lambda _: packages.QuotaTerms()),
    lambda: visit_packages.settle_packages({"A": 1}, []),
    lambda: visit_packages.settle_packages({"A": 1}, [visit_packages.Visits("B", "B", 1)]),
    lambda: capitation.weighted_share_ppm([1], [1]),
    lambda: capitation.package_fen(0, {}),
    lambda: capitation.three_year_budget([(0, 0)], 1, [10**6], 0, {}, Fraction(0)),
    lambda: capitation.Weights(((17, 1),)).of(40, chronic=False),
    lambda: capitation.settle_year(2025, PEOPLE, capitation.CapitationTerms(0, capitation.Weights(), 0, 0)),
    lambda: capitation.settle_year(2025, [], TERMS, capitation.Care({"B": 1})),
    lambda: capitation.split_over_counties(2026, PEOPLE, {"A": 5}),
    lambda: calibrated([]),
    lambda: calibrated([0]),
    lambda: calibrated([5]),
]


@pytest.mark.parametrize("act", REFUSED)
def test_a_refusal_speaks_chinese(act: Callable[[], object]) -> None:
    with pytest.raises(AdjudicatorError) as refused:
        act()
    (problem,) = refused.value.problems
    assert problem.field and SENTENCE.search(problem.message)
    assert CHINESE.search(problem.detail_zh) and not SENTENCE.search(problem.message_zh)


def test_notes_speak_chinese() -> None:
    given = cases(
        case("a", person=1, discharge_date=0), case("b", person=2), case("c", person=2, discharge_date=20250312)
    )
    given.rows["admission_date"][2] = 20250311
    rules = settlement.Rules(
        {"310": clearing.Terms(deposit_ppm=1)}, Readmission(15, 500_000, frozenset(), ("Z51*",), verified=False)
    )
    found = settlement.settle(given, 2025, {"310": 10**6}, rules, {"x": review.Decision(1)})
    assert [note.en.split()[0] for note in found.notes] == ["1", "1", "1", "the", "the"]
    assert all(CHINESE.search(note.zh) and not SENTENCE.search(note.zh) for note in found.notes)
