"""What ``rules check`` doubts: slips that a pack can be used with, each with its place in both languages."""
# ruff: noqa: E501 (one line a slip)

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from adjudicator.cli.main import main
from adjudicator.rulefile.faults import Weight
from adjudicator.rules.check import check_pack
from adjudicator.rules.load import PACKS
from tests.rules.test_coverage import METHOD, PACK, PLAN, TODAY, changed, city, findings

NEXT = """
[[plan.rule]]
from = 2026-01-01
document = "test"
evidence = "demonstration"
"""
OLD = changed(PLAN, "[[plan.rule]]\nfrom = 2024-01-01", "[[plan.rule]]\nfrom = 2024-01-01\nto = 2025-12-31")
COUNTING = 'deductible_counting = "per_stay"\n'
RATES = "rate_percent = { active = { low = 90, high = 80 }, retired = { low = 95, high = 85 } }\n"


def later(values: str) -> str:
    """The plan with a second block of 2026."""
    return OLD + NEXT + COUNTING + values


SLIPS = [
    ("a rate as a fraction", changed(PLAN, "low = 90, high = 80", "low = 0.90, high = 80"), "plan[0].rule[0].rate_percent.active.low",
     "0.90 percent is hardly anything — write 90 for 90 percent", "0.90 表示百分之 0.90，疑为小数写法"),
    ("a rate of one", changed(PLAN, "low = 95, high = 85", "low = 1, high = 85"), "plan[0].rule[0].rate_percent.retired.low",
     "1 percent is hardly anything", "疑为小数写法"),
    ("a deductible ten times as high", later("deductible_yuan = { low = 100, high = 2000 }\n" + RATES), "plan[0].rule[1].deductible_yuan",
     "active high 200 becomes 2,000 on 2026-01-01, more than 3 times apart", "在职 三级 起付线 2026-01-01 由 200 变为 2,000"),
    ("a rate a tenth", later("deductible_yuan = { low = 100, high = 200 }\nrate_percent = { active = { low = 9, high = 80 }, retired = { low = 95, high = 85 } }\n"),
     "plan[0].rule[1].rate_percent", "active low tier 1 90% becomes 9% on 2026-01-01, more than 3 times apart", "由 90% 变为 9%"),
    ("a day of comparison to come", changed(PLAN, 'document = "test"\nevidence = "demonstration"', 'document = "test"\nevidence = "secondary"\nchecked_on = 2027-01-01'),
     "plan[0].rule[0].checked_on", "2027-01-01 is after today, 2026-11-28", "晚于今日"),
    ("deductibles in the wrong order", changed(PLAN, "low = 100, high = 200", "low = 200, high = 100"), "plan[0].rule[0].deductible_yuan",
     "active high 100 is below low 200, a lower hospital", "在职 三级 100 低于级别更低的基层 200"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "plan", "key", "en", "zh"), SLIPS, ids=[row[0] for row in SLIPS])
def test_a_slip_is_doubted(tmp_path: Path, name: str, plan: str, key: str, en: str, zh: str) -> None:
    folder = city(tmp_path / "city", plan=plan)
    assert findings(folder) == []
    (warning,) = findings(folder, Weight.WARNING)
    assert (warning.file, warning.key) == ("benefit/plan.toml", key)
    assert en in str(warning) and zh in warning.text("zh")


def test_a_category_that_the_next_block_forgets(tmp_path: Path) -> None:
    groups = '[[assistance]]\nid = "poor"\nname = "poor"\nname_zh = "特困"\n[[assistance]]\nid = "edge"\nname = "edge"\nname_zh = "低边"\n'
    old = changed(OLD, "deductible_counting", "assistance_percent = { poor = 90, edge = 60 }\ndeductible_counting")
    plan = (
        old
        + NEXT
        + COUNTING
        + "deductible_yuan = { low = 100, high = 200 }\nassistance_percent = { poor = 90 }\n"
        + RATES
    )
    (warning,) = findings(city(tmp_path / "city", PACK + groups, plan), Weight.WARNING)
    assert warning.message == "has no value for edge any more, from 2026-01-01"
    assert warning.message_zh == "自 2026-01-01 起不再有 edge 的救助比例"


def test_a_level_that_the_next_block_forgets_is_a_hole_too(tmp_path: Path) -> None:
    rates = "rate_percent = { active = { low = 90 }, retired = { low = 95, high = 85 } }\n"
    folder = city(tmp_path / "city", plan=later("deductible_yuan = { low = 100, high = 200 }\n" + rates))
    assert [one.message for one in findings(folder)] == [
        "employee active, inpatient, local, level high, from 2026-01-01 on: no rule"
    ]
    assert [one.message for one in findings(folder, Weight.WARNING)] == [
        "has no value for active high any more, from 2026-01-01"
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("deductible_year_ceiling_yuan = 150", "active high deductible_yuan 200 is above deductible_year_ceiling_yuan 150 from 2024-01-01"),
        ("deductible_level_ceiling_yuan = { high = 150 }", "active high deductible_yuan 200 is above deductible_level_ceiling_yuan 150 from 2024-01-01"),
        ("cap_yuan = { active = 150 }", "active high deductible_yuan 200 is above cap_yuan 150 from 2024-01-01"),
        ("deductible_signed_yuan = { low = 120 }", "low active deductible_signed_yuan 120 is above deductible_yuan 100 from 2024-01-01"),
        ("limit_yuan = 500\nlimit_signed_yuan = 300", "active limit_yuan 500 is above limit_signed_yuan 300 from 2024-01-01"),
    ],
)  # fmt: skip
def test_thresholds_out_of_order(tmp_path: Path, value: str, message: str) -> None:
    plan = changed(PLAN, "deductible_counting", f"{value}\ndeductible_counting")
    (fault,) = findings(city(tmp_path / "city", plan=plan))
    assert fault.message == message and "高于" in fault.message_zh


def test_bounds_of_a_deductible_elsewhere(tmp_path: Path) -> None:
    cross = '[[plan.rule.cross_region]]\nplace = "province"\ndeductible_percent = 10\ndeductible_at_least_yuan = 900\ndeductible_at_most_yuan = 500\n'
    plan = changed(PLAN, 'place = "local"', 'place = ["local", "province"]') + cross
    pack = changed(PACK, 'place = ["province", "outside"]', 'place = "outside"')
    (fault,) = findings(city(tmp_path / "city", pack, plan))
    assert fault.message == "deductible_at_least_yuan is above deductible_at_most_yuan"


def test_deductibles_that_are_counted_differently_are_not_compared(tmp_path: Path) -> None:
    plan = OLD + NEXT + 'deductible_counting = "year_highest"\ndeductible_yuan = { low = 1000, high = 2000 }\n' + RATES
    assert check_pack(city(tmp_path / "city", plan=plan), TODAY) == []


# -------------------------------------------------------------------- catalogue, payment, hospitals


def toy(folder: Path, file: str, old: str, new: str) -> list[str]:
    """The warnings of the toy city after one edit."""
    shutil.copytree(PACKS / "taohuayuan", folder)
    path = folder / file
    path.write_text(changed(path.read_text("utf-8"), old, new), "utf-8")
    found = check_pack(folder, TODAY)
    assert all(one.weight is Weight.WARNING for one in found), found
    return [str(one) for one in found]


def test_a_point_value_in_fen(tmp_path: Path) -> None:
    warning, *others = toy(tmp_path / "city", "payment.toml", "value_yuan = 96.25", "value_yuan = 9625")
    assert all("point_value employee drg" in other for other in others)
    assert warning.startswith("payment.toml: point_value employee drg value_yuan: 88.5 becomes 9625 on 2025-01-01")


def test_a_share_of_payment_as_a_fraction(tmp_path: Path) -> None:
    (warning,) = toy(tmp_path / "city", "payment.toml", "missing_up_percent = 90", "missing_up_percent = 0.9")
    assert warning.endswith("missing_up_percent: 0.9 percent is hardly anything — write 90 for 90 percent")


def test_a_hospital_without_coefficient(tmp_path: Path) -> None:
    line = "hospital,H99000200002,,0.9\n"
    found = toy(tmp_path / "city", "payment/coefficients_2020.csv", line, "")
    assert found == [
        "payment.toml: drg[0]: hospital H99000200002 has no coefficient of DRG points for any group from 2020-01-01 to "
        "2024-12-31, which the methods inpatient, day_surgery need — add it, or give the hospital a payment_class in hospitals.csv"
    ]


def test_a_hospital_without_the_class_that_its_bed_days_need(tmp_path: Path) -> None:
    found = toy(tmp_path / "city", "hospitals.csv", "05,secondary,secondary,secondary,", "05,secondary,secondary,,")
    assert any("no price of its class '' from 2020-01-01 on, which method psychiatric needs" in one for one in found)


def test_ratios_as_fractions(tmp_path: Path) -> None:
    shutil.copytree(PACKS / "taohuayuan", tmp_path / "city")
    path = tmp_path / "city" / "catalogue" / "ratio_rule.csv"
    text = path.read_text("utf-8")
    assert ",10," in text
    path.write_text(text.replace(",10,", ",0.1,"), "utf-8")
    (warning,) = [one for one in check_pack(tmp_path / "city", TODAY) if one.file == "catalogue/ratio_rule.csv"]
    assert warning.message.startswith("first_pay_percent 0.1 is hardly anything (")


# -------------------------------------------------------------------- the command


def test_warnings_leave_the_exit_code_at_0_and_speak_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(city(tmp_path / "city", plan=changed(PLAN, "low = 90", "low = 0.9")))
    assert main(["rules", "check", "--lang", "en", folder]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{folder}: no faults, 1 warning(s)",
        "  warning: benefit/plan.toml: plan[0].rule[0].rate_percent.active.low: 0.9 percent is hardly anything"
        " — write 90 for 90 percent",
    ]
    assert main(["rules", "check", "--lang", "zh", folder]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{folder}: 没有错误, 1 处警告\n  警告: benefit/plan.toml: ") and "百分之 90 请写 90" in text
    assert main(["rules", "check", "--json", folder]) == 0
    (found,) = json.loads(capsys.readouterr().out)[folder]
    assert found["weight"] == "warning" and found["message_zh"]


def test_a_hole_is_exit_code_1_and_the_language_follows_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    folder = str(city(tmp_path / "city", plan=changed(PLAN, "low = 90, high = 80", "low = 90")))
    assert main(["rules", "check", folder]) == 1
    assert capsys.readouterr().out.startswith(
        f"{folder}: 1 处错误\n  benefit: plan: 在职，住院，本地，三级：没有规则 — "
    )


def test_a_fault_of_the_method_table_speaks_chinese(tmp_path: Path) -> None:
    method = changed(METHOD, 'method = "by_item"', 'method = "by_item"\nplace = "local"')
    (fault,) = findings(city(tmp_path / "city", method=method))
    assert fault.message_zh == "2000-01-01 没有付费方式行接受此类结算单：省内异地"
