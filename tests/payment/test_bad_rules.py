"""Bad payment data: every fault in one run, with file, key and what to write instead; nothing becomes 1 in silence."""

from __future__ import annotations

import pytest

from adjudicator.errors import E
from tests.payment import toy


def faults_of(folder, toml: str, **files: str) -> list[str]:
    _, faults = toy.read(folder, toml, **files)
    return [str(fault) for fault in faults]


def only(folder, toml: str, **files: str) -> str:
    found = faults_of(folder, toml, **files)
    assert len(found) == 1, "\n".join(found)
    return found[0]


def method(name: str, method: str, conditions: str = "", priority: int = 0) -> str:
    return (
        f'[[method]]\nid = "{name}"\n{toy.SOURCE}method = "{method}"\npriority = {priority}\n{conditions}\n'
    )  # fmt: skip


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


class TestPoints:
    def test_a_group_that_occurs_has_no_points(self, tmp_path) -> None:
        short = "\n".join(line for line in toy.POINTS.splitlines() if not line.startswith("GB25"))
        fault = only(tmp_path, toy.THIN, points=short)
        assert fault == (
            "payment.toml: drg[0].file: points.csv has no points for GB25 — "
            "add the groups to the file, or list them in no_points with a reason"
        )

    def test_listed_without_points_is_refused_when_it_occurs(self, tmp_path) -> None:
        short = "\n".join(line for line in toy.POINTS.splitlines() if not line.startswith("GB25"))
        toml = toy.THIN.replace('file = "points.csv"', 'file = "points.csv"\nno_points = ["GB25"]')
        assert "say why these groups have no points" in only(tmp_path, toml, points=short)
        toml = toml.replace('["GB25"]', '["GB25"]\nno_points_reason = "closed"')
        b = toy.batch(1)
        b.groups["drg"] = 2
        out = toy.paid(toy.bundle(tmp_path, toml, points=short), b)
        assert (out["error"][0], out["due_fen"][0], out["method"][0]) == (E.GROUP_WITHOUT_POINTS, 0, 0)

    def test_a_hospital_without_level_or_coefficient(self, tmp_path) -> None:
        b = toy.batch(1)
        b.claims["hospital"] = 3
        out = toy.paid(toy.bundle(tmp_path, toy.THIN), b)
        assert (out["error"][0], out["due_fen"][0]) == (E.HOSPITAL_WITHOUT_COEFFICIENT, 0)

    def test_a_class_without_rank(self, tmp_path) -> None:
        from dataclasses import replace

        from adjudicator.payment.section import read_payment
        from adjudicator.rulefile.faults import Faults

        faults = Faults()
        view = replace(toy.VIEW, hospital_classes=("tertiary", "secondary", "village", ""))
        read_payment(toy.write_pack(tmp_path, toy.THIN), view, toy.GROUPINGS, faults)
        assert "hospitals.csv has the class 'village'" in str(faults[0])

    def test_a_month_without_value(self, tmp_path) -> None:
        b = toy.batch(2)
        b.claims["settlement_date"] = [20250310, 20250310]
        b.claims["scheme"] = [1, 3]
        out = toy.paid(toy.bundle(tmp_path, toy.THIN), b)
        assert out["error"].tolist() == [0, E.NO_POINT_VALUE]

    def test_an_ungrouped_case_without_rule(self, tmp_path) -> None:
        b = toy.batch(1)
        b.groups["status"], b.groups["drg"] = 2, -1
        out = toy.paid(toy.bundle(tmp_path, toy.THIN.replace('ungrouped = "cost_points"', "")), b)
        assert out["error"][0] == E.PAYMENT_RULE_UNDEFINED

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


def test_months_of_contracts_overlap(tmp_path) -> None:
    contract = (
        f'[[contract]]\nid = "{{}}"\nhospital = "H00000000003"\nscheme = "employee"\n{toy.SOURCE}'
    )  # fmt: skip
    fault = only(tmp_path, toy.THIN + contract.format("c1") + contract.format("c2"))
    assert fault == "payment.toml: contract[1]: months of c2 and c1 overlap — end one before the other"


def test_two_values_of_a_point_on_one_day(tmp_path) -> None:
    more = toy.VALUE.split("[[point_value]]")[1]
    assert "two values hold on 20250101" in only(tmp_path, toy.THIN + "[[point_value]]" + more)


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ("psych,,1,30,100\npsych,,32,,90", "gap or overlap at day 32 — begin at 31"),
        ("psych,,1,30,100\npsych,,30,,90", "gap or overlap at day 30 — begin at 31"),
        ("psych,,1,30,100", "ends at day 30"),
        ("other,,1,,100", "bed_day.csv has no rate of the table 'psych'"),
        ("psych,village,1,,100", "'village' is not a class"),
    ],
)
def test_bed_day_rates_leave_no_day_out(tmp_path, rates: str, expected: str) -> None:
    toml = toy.THIN + f'[[bed_day]]\nid = "psych"\n{toy.SOURCE}file = "bed_day.csv"\nformula = "less_patient"\n'
    found = faults_of(tmp_path, toml, bed_day="table,payment_class,day_from,day_to,rate_yuan\n" + rates)
    assert any(expected in fault for fault in found), "\n".join(found)


def test_a_class_without_bed_day_rate_is_refused(tmp_path) -> None:
    toml = (
        toy.HEAD + toy.BY_ITEM + method("a", "bed_day", 'table = "psych"\ncare = ["inpatient"]')
        + f'[[bed_day]]\nid = "psych"\n{toy.SOURCE}file = "bed_day.csv"\nformula = "less_patient"\n'
    )  # fmt: skip
    b = toy.batch(2)
    b.claims["hospital"] = [0, 1]
    rules = toy.bundle(tmp_path, toml, bed_day="table,payment_class,day_from,day_to,rate_yuan\npsych,tertiary,1,,100")
    assert toy.paid(rules, b)["error"].tolist() == [0, E.NO_BED_DAY_RATE]


def test_fund_on_the_limit_above_the_limit_is_undefined(tmp_path) -> None:
    """Hainan 2011 (docs/law.md#S-62): what the fund does above the limit could not be read."""
    toml = (
        toy.HEAD + toy.BY_ITEM + method("a", "single_disease", 'table = "p"\ncare = ["inpatient"]')
        + f'[[package]]\nid = "p"\n{toy.SOURCE}file = "package.csv"\nformula = "fund_on_limit"\nby = "none"\n'
    )  # fmt: skip
    b = toy.batch(2)
    b.claims["total_fen"] = [900_000, 1_100_000]
    out = toy.paid(toy.bundle(tmp_path, toml, package="table,code,payment_class,price_yuan\np,,,10000.00"), b)
    assert out["error"].tolist() == [0, E.PAYMENT_RULE_UNDEFINED]
    assert out["due_fen"][0] == 1_000_000 - 300_000


def test_an_unverified_value_marks_the_result(tmp_path) -> None:
    b = toy.batch(1)
    assert toy.paid(toy.bundle(tmp_path, toy.THIN), b)["unverified"][0] == 0
    toml = toy.THIN.replace("official", "reprint")
    marks = int(toy.paid(toy.bundle(tmp_path, toml), b)["unverified"][0])
    assert marks == 1 | 2 | 4 | 16  # method, points, coefficient, value
