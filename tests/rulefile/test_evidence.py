"""The evidence of a value: what each grade needs, and what no document may be called."""

from __future__ import annotations

from typing import Any

import pytest

from adjudicator.rulefile.evidence import Evidence, read_support
from adjudicator.rulefile.faults import Faults

GOOD: dict[str, Any] = {
    "document": "浙医保发〔2021〕56号 关于药品目录的通知",
    "clause": "第三条",
    "link": "https://ybj.zj.gov.cn/art/2021/12/31/art_1_2.html",
    "checked_on": "2026-11-21",
    "evidence": "official",
}


def told(**changes: Any) -> list[str]:
    faults = Faults()
    block = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    support = read_support(block, "pack.toml", "rule[0]", faults)
    assert (support is None) == bool(faults)
    return [str(fault) for fault in faults]


def test_a_good_block() -> None:
    support = read_support(GOOD, "pack.toml", "rule[0]", Faults())
    assert support is not None and support.evidence.verified and support.checked_on == 20261121


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"document": "杭州市基本医疗保障办法"}, "has no document number, which official needs"),
        ({"document": "杭政2020 56号"}, "has no document number, which official needs"),
        ({"link": None}, "rule[0].link: is missing, which official needs"),
        ({"link": "ybj.zj.gov.cn/art_1.html"}, "is not a whole link"),
        ({"link": "https://ybj.zj.gov.cn"}, "is not a whole link"),
        ({"link": "https://ybj/art_1.html"}, "is not a whole link"),
        ({"link": "ftp://ybj.zj.gov.cn/art_1.html"}, "is not a whole link"),
        ({"link": "https://ybj.zj.gov.cn/art_…"}, "is not a whole link"),
        ({"link": "https://ybj.zj.gov.cn/art 1"}, "is not a whole link"),
        ({"checked_on": None}, "checked_on: is missing"),
        ({"checked_on": None, "evidence": "reprint"}, "checked_on: is missing"),
        ({"checked_on": "21.11.2026", "evidence": "reading"}, "is missing or not a date"),
        ({"evidence": None}, "rule[0].evidence: is missing — write official, reprint"),
        ({"evidence": "certain"}, "'certain' is not a grade of evidence"),
        ({"evidence": True}, "True is not a grade of evidence"),
        ({"document": "浙医保发〔2021〕56号 关于…"}, "is cut off"),
        ({"document": "img.ccschy.com/techan/0d67…; another", "evidence": "secondary"}, "is cut off"),
        ({"document": "benefit-rules.md 2.1", "evidence": "reading"}, "names the file benefit-rules.md"),
        ({"document": " "}, "document: is missing"),
    ],
)  # fmt: skip
def test_one_fault(changes: dict[str, Any], expected: str) -> None:
    (fault,) = told(**changes)
    assert expected in fault and " — " in fault


@pytest.mark.parametrize("grade", ["reading", "demonstration"])
def test_what_nobody_compared_needs_no_day(grade: str) -> None:
    assert told(evidence=grade, checked_on=None, link=None, document="our choice (R19)") == []


def test_the_grades() -> None:
    assert [grade for grade in Evidence if grade.verified] == [Evidence.OFFICIAL]
