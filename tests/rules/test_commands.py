"""``adjudicator rules``: what a benefit officer reads."""

from __future__ import annotations

import json
import shutil

import pytest

from adjudicator.cli.main import main
from adjudicator.rules.load import PACKS


def rules(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["rules", *arguments])
    return code, capsys.readouterr().out


def test_diff_tells_the_change_of_2021_with_old_new_and_document(capsys) -> None:
    code, text = rules(capsys, "diff", "hangzhou@2020-12", "hangzhou@2021")
    assert code == 0
    assert "封顶线 yearly cap: 360,000 → 400,000" in text
    assert "封顶线 yearly cap: 250,000 → 300,000" in text
    assert "§ 杭政〔2020〕56号" in text
    assert "大病起付标准 threshold — 普通人员 (ordinary): — (none 无) → 25,000" in text
    assert "救助比例 assistance pays — 低保对象、重度残疾人 (low_income, disabled): — (none 无) → 80%" in text
    assert "统筹支付比例" not in text  # the rates stayed
    assert "[secondary 二手资料, not verified 未核实]" in text


def test_diff_names_only_the_cells_that_change(capsys) -> None:
    _, text = rules(capsys, "diff", "huzhou@2023-12", "huzhou@2024-01")
    assert "统筹支付比例 pooled fund pays — 在职职工 (active) · 二级医院 (secondary): 82% → 85%" in text
    assert "年度限额 yearly limit of this care (V17): 1,200 → 1,500" in text
    assert "起付线" not in text


def test_diff_of_a_day_with_itself_is_empty(capsys) -> None:
    code, text = rules(capsys, "diff", "zhuzhou@2024", "zhuzhou@2024", "--json")
    assert code == 0 and json.loads(text) == []


def test_show_prints_every_value_with_its_document(capsys) -> None:
    code, text = rules(capsys, "show", "taizhou", "--on", "2024-06-01")
    assert code == 0 and "一类人员市外住院" in text and "70% / 80%" in text
    data = json.loads(rules(capsys, "show", "taizhou", "--on", "2024-06-01", "--json")[1])
    values = [value for plan in data["plans"] for value in plan["values"]]
    assert values and all(value["document"] and value["checked_on"] for value in values)


def test_show_prints_the_shares_by_grade_of_evidence(capsys, tmp_path) -> None:
    _, text = rules(capsys, "show", "zhuzhou", "--on", "2024-06-01")
    grades = json.loads(rules(capsys, "show", "zhuzhou", "--on", "2024-06-01", "--json")[1])["evidence"]
    assert list(grades) == ["official", "reprint", "secondary", "reading", "demonstration"]
    assert grades["official"] == 0 < grades["secondary"]
    assert f"evidence 依据: official 原文核对 0, reprint 转载核对 {grades['reprint']}, " in text


def test_show_writes_a_page(capsys, tmp_path) -> None:
    path = tmp_path / "hangzhou.html"
    assert rules(capsys, "show", "hangzhou", "--on", "2024-06-01", "--html", str(path)) == (0, "")
    page = path.read_text("utf-8")
    assert page.startswith("<!doctype html>") and "<script" not in page
    assert "<td>official 原文核对</td><td>0</td><td>0%</td>" in page
    assert '<a href="https://m.jiusongjiankang.com/health/news/5069166.html">杭政〔2020〕56号, as told by' in page
    assert "职工住院" in page and "82% / 88%" in page


def test_show_of_a_day_without_rules(capsys) -> None:
    assert "no plan holds on this day" in rules(capsys, "show", "taizhou", "--on", "2001")[1]


def test_check_says_that_the_packs_are_good(capsys) -> None:
    code, text = rules(capsys, "check", "hangzhou")
    assert code == 0 and text == "hangzhou: no faults\n"


def test_check_of_a_bad_pack_fails(capsys) -> None:
    code, text = rules(capsys, "check", "tests/bad/packs/many_faults", "--json")
    assert code == 1 and len(json.loads(text)["tests/bad/packs/many_faults"]) > 30


def test_a_wrong_day_is_refused(capsys) -> None:
    assert main(["rules", "show", "hangzhou", "--on", "2024-13-01"]) == 2


def test_diff_of_two_states_of_one_pack_tells_institutions_that_changed_level(capsys, tmp_path) -> None:
    folder = tmp_path / "taohuayuan"
    shutil.copytree(PACKS / "taohuayuan", folder, ignore=shutil.ignore_patterns("catalogue", "payment*"))
    register = folder / "hospitals.csv"
    text = register.read_text("utf-8").replace("05,secondary,secondary,secondary", "03,tertiary,tertiary,tertiary", 1)
    register.write_text(text, "utf-8")
    _, told = rules(capsys, "diff", "taohuayuan@2024", f"{folder}@2024")
    assert "桃源县医院" in told and "起付线医院等级 level group: 二级医院 → 三级医院" in told


def test_show_prints_the_tables_of_payment_and_pooling(capsys, tmp_path) -> None:
    _, text = rules(capsys, "show", "taohuayuan", "--on", "2025-06-01")
    assert "点值 point_value employee drg: value_yuan 96.25\n" in text and "value_yuan 88.5" not in text
    assert "选项 options: deciding_date discharge; clearing_funds pooled, large_sum; payment_classes tertiary" in text
    assert "coefficient.weights.hospital 0.7" in text and "清算 clearing resident: mode fund_only" in text
    tables = json.loads(rules(capsys, "show", "taohuayuan", "--on", "2025-06-01", "--json")[1])["tables"]
    assert {table["file"] for table in tables} == {"payment.toml", "pooling.toml"}
    path = tmp_path / "page.html"
    assert rules(capsys, "show", "taohuayuan", "--on", "2025-06-01", "--html", str(path))[0] == 0
    assert "支付与清算 Payment and pooling" in path.read_text("utf-8")


def test_diff_tells_what_changes_in_payment(capsys) -> None:
    _, text = rules(capsys, "diff", "taohuayuan@2024-12-31", "taohuayuan@2025-01-01")
    assert "点值 point_value employee drg [payment.toml point_value employee drg]" in text
    assert "  value_yuan: 88.5 → 96.25\n" in text and "  readmission.days: 10 → 15\n" in text
    assert "  file: payment/points_2020.csv → payment/points_2025.csv\n" in text
    assert "§ 桃医保〔2020〕44号 (invented toy city), from 2025-01-01" in text
    assert "method inpatient" not in text  # it stayed


def test_diff_of_two_states_tells_rows_of_a_price_table(capsys, tmp_path) -> None:
    folder = tmp_path / "taohuayuan"
    shutil.copytree(PACKS / "taohuayuan", folder, ignore=shutil.ignore_patterns("catalogue"))
    prices = folder / "payment" / "package.csv"
    prices.write_text(prices.read_text("utf-8").replace("6500.00,5200.00", "6600.00,5300.00"), "utf-8")
    _, text = rules(capsys, "diff", "taohuayuan@2025", f"{folder}@2025")
    assert "病种与定额 package single_disease" in text
    assert "payment/package.csv: 1 row(s) 行 → 1 other row(s) 行" in text
