"""Which cases may go to special-case review, and the commands of quotas and surpluses by the head."""

from __future__ import annotations

import csv
import json

import pytest

from adjudicator.cli.main import main
from adjudicator.payment.methods.drg.terms import SpecialCases
from adjudicator.pooling.hospitals.applications import Quota, accepted, applications
from tests.pooling.made import case, cases
from tests.pooling.test_commands import case_file


def special(limit_ppm: int, by_class: dict[str, int] | None = None, rounding: str = "down") -> SpecialCases:
    return SpecialCases(limit_ppm, by_class or {}, rounding, 0, verified=True)


COSTS = [3_000_000, 3_000_001, 5_000_000, 4_000_000, 100]


def test_above_the_multiple_largest_excess_first_up_to_the_quota() -> None:
    given = cases(*(case(f"c{n}", total_fen=cost) for n, cost in enumerate(COSTS)))
    found, quotas = applications(given, {"FR21": 1_000_000}, 3_000_000, special(400_000), {})
    assert [(one.case, one.excess_fen, one.taken) for one in found] == [
        ("c2", 4_000_000, True), ("c3", 3_000_000, True), ("c1", 2_000_001, False),
    ]  # fmt: skip
    assert quotas == [Quota("", 5, 2, doubtful=False)]
    assert not applications(given, {}, 3_000_000, special(400_000), {})[0]  # a group without average has no line


def test_each_class_has_its_quota_and_a_doubtful_fraction_is_said() -> None:
    given = cases(*(case(f"c{n}", total_fen=cost, hospital=n % 2) for n, cost in enumerate(COSTS)))
    limits = special(0, {"A": 500_000, "B": 0}, "undefined")
    found, quotas = applications(given, {"FR21": 1_000_000}, 3_000_000, limits, {"H1": "A", "H2": "B"})
    assert quotas == [Quota("A", 3, 1, doubtful=True), Quota("B", 2, 0, doubtful=False)]
    assert [(one.case, one.taken) for one in found] == [("c2", True), ("c3", False), ("c1", False)]


def test_of_equal_excess_the_smaller_id_is_taken_whatever_the_order() -> None:
    assert accepted({"c": 9, "b": 9, "a": 5, "d": 1}, 3) == ["b", "c", "a"]


class TestCommand:
    @pytest.fixture
    def path(self, tmp_path):
        rows = [{"case": f"o{n}", "person": n} for n in range(996)]
        dear = [
            {"case": name, "person": name, "total_fen": cost, "hospital": hospital}
            for name, cost, hospital in (
                ("x", 9_000_000, "H99000100001"), ("y", 8_000_000, "H99000200001"), ("z", 7_000_000, "H99000100001"),
            )
        ]  # fmt: skip
        other = {"case": "i", "person": "i", "total_fen": 99_000_000, "method": 1, "points_e8": 0}
        return case_file(tmp_path / "c.csv", [*rows, *dear, other])

    def run(self, capsys, path, *words: str) -> dict:
        command = ["points", "review", "--pack", "taohuayuan", "--cases", str(path), "--period", "202503", "--json"]
        assert main([*command, *words]) == 0
        return json.loads(capsys.readouterr().out)

    def test_a_hospital_s_cases(self, capsys, path, tmp_path) -> None:
        whole = self.run(capsys, path, "--multiple", "4")
        assert [row["case"] for row in whole["cases"]] == ["x", "y", "z"]
        assert sum(quota["cases"] for quota in whole["quotas"]) == 999
        out = tmp_path / "review.csv"
        own = self.run(capsys, path, "--multiple", "4", "--hospital", "H99000100001", "--output", str(out))
        assert own["cases"] == [row for row in whole["cases"] if row["hospital"] == "H99000100001"]
        assert list(csv.DictReader(out.open(encoding="utf-8"))) == own["cases"]
        assert float(own["cases"][0]["excess_yuan"]) == 90_000 - float(own["cases"][0]["average_yuan"])
        assert [row["case"] for row in self.run(capsys, path)["cases"]] == ["x", "y", "z"]  # 3 by [[review]]
        words = ["points", "review", "--pack", "taohuayuan", "--cases", str(path), "--period", "202503"]
        assert main(words) == 0
        assert "名额" in capsys.readouterr().out

    @pytest.mark.parametrize("multiple", ["x", "0", "-1", "51"])
    def test_what_is_no_multiple(self, capsys, path, multiple: str) -> None:
        words = ["points", "review", "--pack", "taohuayuan", "--cases", str(path), "--period", "202503"]
        assert main([*words, f"--multiple={multiple}"]) == 1
        assert "is no multiple" in capsys.readouterr().err

    def test_a_pack_without_a_multiple_is_told_so(self, capsys, path) -> None:
        words = ["points", "review", "--pack", "hangzhou", "--cases", str(path), "--period", "202503"]
        assert main(words) == 1
        assert "has no [[review]]" in capsys.readouterr().err


class TestByTheHead:
    def run(self, capsys, *words: str) -> dict:
        assert main(["capitation", *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    def test_a_quota_from_the_financing_of_a_year(self, capsys) -> None:
        """DER-16; by a head and its members the financing is the same."""
        words = ["--risk-percent", "10", "--critical-percent", "5", "--carried", "400000", "--adjustment", "100000"]
        for financing in (["--financing", "10000000"], ["--per-head", "500"]):
            found = self.run(capsys, "quota", "--members", "20000", *financing, *words)
            assert (found["financing_fen"], found["quota_fen"]) == (10**9, 44_000)
        assert main(["capitation", "quota", "--members", "20000", "--financing", "10000000"]) == 0
        assert "quota_per_person_yuan = 500.00" in capsys.readouterr().out

    def test_a_surplus_by_weights(self, capsys) -> None:
        words = ["share", "--surplus", "80.01", "--part", "county=6", "--part", "town=3", "--part", "village=1"]
        assert self.run(capsys, *words)["shares_fen"] == {"county": 4_801, "town": 2_400, "village": 800}
        assert main(["capitation", *words]) == 0
        assert "合计 80.01 元" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("words", "expected"),
        [("quota --members 0 --financing 1", "needs the number of members"),
         ("quota --members 1 --financing 1 --risk-percent 101", "is no percentage"),
         ("quota --members 1 --financing 1 --adjustment 2", "nothing is left of a fund"),
         ("quota --members 1 --financing 1.001", "ADJ-3015"),
         ("share --surplus 1 --part a", "is no MEMBER=WEIGHT"), ("share --surplus 1 --part a=1 --part a=2", "twice"),
         ("share --surplus 1 --part a=0", "weight above 0"), ("share --surplus=-1 --part a=1", "not negative")],
    )  # fmt: skip
    def test_what_they_refuse(self, capsys, words: str, expected: str) -> None:
        assert main(["capitation", *words.split()]) == 1
        assert expected in capsys.readouterr().err
