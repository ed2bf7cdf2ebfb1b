"""Bad payment data: every fault in one run, with file, key and what to write instead; nothing becomes 1 in silence."""

from __future__ import annotations

import pytest

from adjudicator.errors import E
from tests.payment import toy
from tests.payment.bad import faults_of, method, only


class TestMethodTable:
    """None or two without priority is an error when the pack is loaded, with an example claim."""

    def test_no_row_takes_a_claim(self, tmp_path) -> None:
        toml = toy.HEAD + method("local", "by_item", 'place = ["local"]')
        assert only(tmp_path, toml) == (
            "payment.toml: method: no row gives a method to a claim on 20250101: province — add a row that takes it"
        )

    def test_two_rows_take_a_claim(self, tmp_path) -> None:
        toml = (
            toy.HEAD + toy.BY_ITEM + method("a", "by_item", 'care = ["inpatient"]')
            + method("b", "by_item", 'scheme = ["resident"]')
        )  # fmt: skip
        fault = only(tmp_path, toml)
        assert "rows a and b both take a claim on 20250101: inpatient, resident" in fault
        assert fault.endswith("give one of them a higher priority")

    def test_priority_decides(self, tmp_path) -> None:
        toml = (
            toy.HEAD + toy.BY_ITEM + method("a", "by_item", 'care = ["inpatient"]')
            + method("b", "by_item", 'scheme = ["resident"]', 1)
        )  # fmt: skip
        assert faults_of(tmp_path, toml) == []

    @pytest.mark.parametrize(
        ("conditions", "example"),
        [
            ("stay_days = {to = 60}", "stay days 61"), ("stay_days = {from = 2}", "stay days -1"),
            ('contract = "yes"', "no capitation contract"), ('hospital = ["H00000000002"]', "a hospital outside"),
            ("registered = true", "a hospital outside the register"),
            ('group_status = ["grouped"]', "group not_asked"),
            ('filing = ["referred"]', "unspecified"), ('maternity_type = ["1"]', "maternity type 0"),
            ("age_years = {from = 18}", "age -1"), ('procedure = ["47.0100"]', "any claim"),
        ],
    )  # fmt: skip
    def test_each_dimension_is_part_of_the_proof(self, tmp_path, conditions: str, example: str) -> None:
        fault = only(tmp_path, toy.HEAD + method("a", "by_item", conditions))
        assert "no row gives a method" in fault and (example in fault or example == "any claim")

    def test_a_day_without_a_row(self, tmp_path) -> None:
        early = method("a", "by_item").replace("from = 2025-01-01", "from = 2025-01-01\nto = 2025-05-31")
        late = method("b", "by_item").replace("from = 2025-01-01", "from = 2025-06-02")
        assert "on 20250601" in only(tmp_path, toy.HEAD + early + late)

    def test_procedures_of_two_lists_in_one_claim(self, tmp_path) -> None:
        toml = (
            toy.HEAD + toy.BY_ITEM + method("a", "by_item", 'procedure = ["47.0100"]')
            + method("b", "by_item", 'procedure = ["36.0600"]')
        )  # fmt: skip
        assert "procedures of 2 list(s)" in only(tmp_path, toml)

    def test_no_table_at_all_and_no_file(self, tmp_path) -> None:
        assert "there is no method table" in only(tmp_path, toy.HEAD)
        from adjudicator.payment.section import read_payment
        from adjudicator.rulefile.faults import Faults

        faults = Faults()
        read_payment(tmp_path / "empty", toy.VIEW, toy.GROUPINGS, faults)
        assert "without a method table no claim can be paid" in str(faults[0])

    def test_a_row_names_a_table_that_does_not_exist(self, tmp_path) -> None:
        toml = toy.HEAD + toy.BY_ITEM + method("a", "bed_day", 'table = "none"\ncare = ["home_bed"]')
        assert "no table 'none' holds on all days of this row" in only(tmp_path, toml)
        assert "capitation without any contract" in only(
            tmp_path, toy.HEAD + toy.BY_ITEM + method("a", "capitation", 'contract = "yes"')
        )


class TestClaims:
    def test_a_class_without_rank(self, tmp_path) -> None:
        from dataclasses import replace

        from adjudicator.payment.section import read_payment
        from adjudicator.rulefile.faults import Faults

        faults = Faults()
        view = replace(toy.VIEW, hospital_classes=("tertiary", "secondary", "village", ""))
        read_payment(toy.write_pack(tmp_path, toy.THIN), view, toy.GROUPINGS, faults)
        assert "hospitals.csv has the class 'village'" in str(faults[0])

    def test_a_day_before_the_table(self, tmp_path) -> None:
        b = toy.batch(1)
        b.claims["discharge_date"] = b.claims["settlement_date"] = 20241231
        assert toy.paid(toy.bundle(tmp_path, toy.THIN), b)["error"][0] == E.NO_PAYMENT_METHOD

    def test_a_refused_claim_is_left_alone(self, tmp_path) -> None:
        b = toy.batch(1)
        b.claims["error"] = E.NO_LINES
        out = toy.paid(toy.bundle(tmp_path, toy.THIN), b)
        assert (out["method"][0], out["error"][0], out["due_fen"][0]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("family = 1", "family = 1.5", "family: 1.5 has too many decimals"),
        ("family = 1", 'family = 2\nweights = {hospital = 0.7, level = 0.2}', "weights: do not add up to 1"),
        ("family = 1", 'family = 2\nweights = {hospital = 0.7, cmi = 0.3}', "cmi is not part of family 2"),
        ("family = 1", "family = 2", "weights: is missing"),
        ("scale_points = 100", "scale = 100", "scale: unknown key — did you mean scale_points?"),
        ("scale_points = 100", 'scale_points = "100"', "scale_points: '100' is not a number (points)"),
        ("all_average_yuan = 10000", "all_average_yuan = 10000.005", "10000.005 has too many decimals (yuan)"),
        ('mode = "total_cost"', 'mode = "total"', "write one of total_cost, fund_only"),
        ('mode = "total_cost"', "", "mode: is missing"),
        ("value_yuan = 95.5", "value_yuan = 0", "out of range"),
        ("value_yuan = 95.5", "value = 95.5", "value: unknown key — did you mean value_yuan?"),
        ('scheme = "employee"', 'scheme = "310"', "'310' is not known — write any, or some of employee, resident"),
        ('care = ["inpatient"]', 'care = ["inpatient", "ward"]', "method[1].care: 'ward' is not known"),
        ('care = ["inpatient"]', 'hospital = ["H00000000009"]', "'H00000000009' is not known — did you mean H0"),
        ('no_coefficient = ["FR23"]', 'no_coefficient = ["XX11"]', "XX11 is not a group of the scheme"),
        ("cap = \"base\"", 'cap = "base"\ncaps = "x"', "caps: unknown key — did you mean cap?"),
        ('clearing_funds = ["pooled"]', "clearing_funds = []", "names no fund"),
        ('evidence = "official"', 'evidence = "yes"', "evidence: 'yes' is not a grade of evidence"),
        ('checked_on = "2025-01-01"\n', "", "checked_on: is missing or not a date"),
        ("from = 2025-01-01", "from = 2025-13-01", "is not valid TOML"),
        ("from = 2025-01-01", "from = 2025-01-01\nto = 2024-01-01", "ends before it begins"),
        ('file = "coefficients.csv"', 'file = "none.csv"', "none.csv: file: does not exist"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named(tmp_path, old: str, new: str, expected: str) -> None:
    found = faults_of(tmp_path, toy.THIN.replace(old, new, 1))
    assert any(expected in fault for fault in found), "\n".join(found)


def test_all_faults_come_in_one_run(tmp_path) -> None:
    toml = (
        toy.THIN.replace('mode = "total_cost"', "").replace('cap = "base"', "")
        .replace("value_yuan = 95.5", 'value_yuan = "x"')
    )  # fmt: skip
    found = faults_of(tmp_path, toml, coefficients="component,subject,drg,value\nhospital,HX,,1\nmoon,tertiary,,1")
    for expected in (
        "mode: is missing",
        "cap: is missing",
        "'x' is not a number (yuan)",
        "'HX' is not known",
        "'moon'",
    ):
        assert any(expected in fault for fault in found), expected


def test_two_values_of_a_point_on_one_day(tmp_path) -> None:
    more = toy.VALUE.split("[[point_value]]")[1]
    assert "two values hold on 20250101" in only(tmp_path, toy.THIN + "[[point_value]]" + more)


def test_an_unverified_value_marks_the_result(tmp_path) -> None:
    b = toy.batch(1)
    assert toy.paid(toy.bundle(tmp_path, toy.THIN), b)["unverified"][0] == 0
    toml = toy.THIN.replace("official", "reprint")
    marks = int(toy.paid(toy.bundle(tmp_path, toml), b)["unverified"][0])
    assert marks == 1 | 2 | 4 | 16  # method, points, coefficient, value
