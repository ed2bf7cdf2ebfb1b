"""The list of callers: what is read, and everything that is wrong with it at once, in both languages."""

from __future__ import annotations

import re

import pytest

from adjudicator.errors import AdjudicatorError, E
from adjudicator.service.callers import Caller, Role, read_callers

HOSPITAL = '[[caller]]\nname = "first"\nrole = "hospital"\ncertificates = ["a.example"]\ninstitutions = ["H1"]\n'


@pytest.fixture
def read(tmp_path):
    def read(text: str):
        (tmp_path / "callers.toml").write_text(text, "utf-8")
        return read_callers(tmp_path / "callers.toml")

    return read


def test_callers_are_found_by_any_name_of_their_certificates(read):
    callers = read(HOSPITAL + HOSPITAL.replace("first", "second").replace('["a.example"]', '["b.example", "一院"]'))
    assert len(callers) == 2
    first = Caller("first", Role.HOSPITAL, frozenset({"H1"}))
    assert callers.find([b"other", b"a.example"]) == first
    assert callers.find(["一院".encode()]).name == "second"
    assert callers.find([]) is callers.find([b"nobody"]) is callers.find([b"\xff"]) is None
    assert callers.find([b"a.example", b"b.example"]) is None, "a certificate of two callers is nobody's"


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("", "caller", "write a [[caller]] block"),
        ("caller = 1", "caller", "not an array"),
        ("other = 1\n" + HOSPITAL, "other", "unknown key"),
        ("[[caller", "file", "TOML"),
        (HOSPITAL.replace("hospital", "hospitl"), "caller[0].role", "'hospitl'"),
        (HOSPITAL.replace('"first"', '"First Hospital"'), "caller[0].name", "'First Hospital'"),
        (HOSPITAL.replace("name", "nme"), "caller[0].name", "is missing"),
        (HOSPITAL.replace('["a.example"]', "[]"), "caller[0].certificates", "[]"),
        (HOSPITAL.replace("a.example", " a"), "caller[0].certificates", "' a'"),
        (HOSPITAL.replace("H1", "H 1"), "caller[0].institutions", "'H 1'"),
        (HOSPITAL.replace('institutions = ["H1"]', ""), "caller[0].institutions", "needs"),
        (HOSPITAL + 'pools = ["330100"]', "caller[0].pools", "not for the role hospital"),
        (HOSPITAL.replace("hospital", "operator"), "caller[0].institutions", "not for the role operator"),
        (HOSPITAL + HOSPITAL.replace("a.example", "b.example"), "caller[1].name", "'first' is given twice"),
        (HOSPITAL + HOSPITAL.replace("first", "second"), "caller[1].certificates", "'a.example' is given twice"),
        (HOSPITAL.replace("hospital", "bureau").replace('institutions = ["H1"]', 'pools = ["33010"]'),
         "caller[0].pools", "'33010'"),
        (HOSPITAL.replace("hospital", "fund_manager").replace('institutions = ["H1"]', 'counties = ["one"]'),
         "caller[0].counties", "'one'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_field_value_and_remedy_in_both_languages(read, text, field, words):
    with pytest.raises(AdjudicatorError) as caught:
        read(text)
    found = {problem.field: problem for problem in caught.value.problems}
    assert field in found, found
    assert found[field].number == E.CORRUPT_CALLERS
    assert words in found[field].message
    assert re.search("[\u4e00-\u9fff].*—.*[\u4e00-\u9fff]", found[field].message_zh), found[field].message_zh


def test_all_faults_come_at_once(read):
    with pytest.raises(AdjudicatorError) as caught:
        read(HOSPITAL.replace("hospital", "x") + HOSPITAL.replace('"first"', '"A"').replace("H1", "") + "typo = 1")
    assert len(caught.value.problems) >= 3


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(AdjudicatorError, match=r"ADJ-5009.*missing"):
        read_callers(tmp_path / "none.toml")
