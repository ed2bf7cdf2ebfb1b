"""Funds of their own in a pooling year: large-sum, catastrophic and maternity insurance, and a province of cities."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adjudicator.cli.main import main

PACKS = Path(__file__).parents[2] / "src" / "adjudicator" / "packs"
HEAD = "county,scheme,insurance,income_yuan,expenditure_yuan,carried_yuan,financing_yuan,last_financing_yuan"


def pool(capsys, tmp_path, source: list[str], rows: list[str], *words: str):
    """Exit code and JSON of the command, the page and standard error."""
    path, page = tmp_path / "counties.csv", tmp_path / "page.html"
    path.write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    code = main(["pool", *source, "--counties", str(path), "--html", str(page), "--json", *words])
    shown = capsys.readouterr()
    return code, json.loads(shown.out) if shown.out else None, page.read_text("utf-8") if page.exists() else shown.err


BASIC = "430202,employee,basic,1000,1000,200,1000,1000"
LARGE = "430202,employee,large_sum,100,130,10,,"
CATASTROPHIC = "430299,resident,catastrophic,500,520,5,,"
MATERNITY = "430202,maternity,,50,40,0,50,50"
ZHUZHOU = ["--pack", "zhuzhou", "--year", "2021"]


def test_each_insurance_keeps_its_own_income_spending_and_balance(capsys, tmp_path) -> None:
    rows = [LARGE, CATASTROPHIC, MATERNITY, BASIC]
    funds = ("--fund", "310:reserve=0", "--fund", "510:reserve=0")
    code, data, page = pool(capsys, tmp_path, ZHUZHOU, rows, *funds)
    assert code == 0, page
    assert [
        (one["scheme"], one["insurance"], one["gap_fen"], one["payments_fen"], one["carried_after_fen"])
        for one in data["counties"]
    ] == [
        ("310", "basic", 10_000, {"own_surplus": 10_000}, 10_000),
        ("310", "large_sum", 3_000, {"own_surplus": 1_000, "county": 2_000}, 0),
        ("390", "catastrophic", 2_000, {"own_surplus": 500, "city": 1_500}, 0),
        ("510", "basic", 0, {}, 500),
    ]
    assert all(name in page for name in ("职工大额补助", "居民大病保险", "生育"))
    alone = pool(capsys, tmp_path, ZHUZHOU, [BASIC], "--fund", "310:reserve=0")[1]
    assert data["counties"][0] == alone["counties"][0]
    assert [fund for fund in data["funds"] if fund["scheme"] == "310"] == alone["funds"]


def test_lines_of_the_basic_fund_warn_of_no_other(capsys, tmp_path) -> None:
    """人社部发〔2009〕67号 is about the pooled fund: 0.9 months of mutual aid cross no line that a document names."""
    data = pool(capsys, tmp_path, ZHUZHOU, ["430202,employee,large_sum,100,100,7.5,,"])[1]
    (county,) = data["counties"]
    assert (county["capacity_months"], county["capacity"], county["warnings"]) == ("0.90", "unnamed", [])


def test_no_word_about_a_levy_where_there_is_none(capsys, tmp_path) -> None:
    page = pool(capsys, tmp_path, ZHUZHOU, [LARGE, CATASTROPHIC])[2]
    assert "职工大额补助" in page and "应上解 0.00 元" not in page


def test_an_insurance_without_a_rule_is_named(capsys, tmp_path) -> None:
    source = ["--pack", "huzhou", "--year", "2022"]
    code, data, _ = pool(capsys, tmp_path, source, ["330502,employee,large_sum,100,130,10,,"])
    assert code == 1
    (point,) = [point for point in data["open"] if point["what"] == "gap"]
    assert (point["county"], point["scheme"], point["insurance"]) == ("330502", "310", "large_sum")
    assert "310/large_sum" in point["message"] and "职工大额补助" in point["message_zh"]


def test_a_word_that_is_no_insurance(capsys, tmp_path) -> None:
    code, data, error = pool(capsys, tmp_path, ZHUZHOU, ["430202,employee,big,100,130,10,,"])
    assert (code, data) == (1, None) and "insurance" in error and "large_sum" in error


def test_a_rule_that_ended_is_named_with_the_remedy(capsys, tmp_path) -> None:
    """株洲 2025: the rule ended on 2025-05-18, and what followed was not read."""
    rows = ["430202,employee,basic,1000,1100,200,1000,900"]
    code, data, page = pool(capsys, tmp_path, ["--pack", "zhuzhou", "--year", "2025"], rows)
    (point,) = [point for point in data["open"] if point["what"] == "gap"]
    assert code == 1
    assert "株政办发〔2020〕5号, as read in a copy holds from 2020-05-18 to 2025-05-18" in point["message"]
    assert "take a day with one: --date 20250518" in point["message"]
    assert "用 --date 20250518 按原规定计算" in point["message_zh"]
    assert [(one["table"], one["to"]) for one in data["ended"]] == [
        ("deficit[0]", "2025-05-18"), ("levy[0]", "2025-05-18"), ("old_gaps[0]", "2025-05-18")
    ]  # fmt: skip
    assert "“缺口分担”规定已于 2025-05-18 失效且无后续规定" in page


def test_a_year_without_a_gap_names_the_levy_that_ended(capsys, tmp_path) -> None:
    rows = ["430202,employee,basic,1000,900,200,1000,900"]
    code, data, page = pool(capsys, tmp_path, ["--pack", "zhuzhou", "--year", "2025"], rows)
    assert code == 0 and data["counties"][0]["levies_fen"] == {}
    assert "“提取”规定已于 2025-05-18 失效" in page
    words = ("--date", "20250518", "--fund", "reserve=0")
    data = pool(capsys, tmp_path, ["--pack", "zhuzhou", "--year", "2025"], rows, *words)[1]
    assert (data["ended"], data["counties"][0]["levies_fen"]) == ([], {"reserve": 9_000})


def test_a_year_after_the_rule_has_no_day_to_take(capsys, tmp_path) -> None:
    rows = ["430202,employee,basic,1000,1100,200,1000,900"]
    data = pool(capsys, tmp_path, ["--pack", "zhuzhou", "--year", "2026"], rows)[1]
    (point,) = [point for point in data["open"] if point["what"] == "gap"]
    assert "add the rule that holds" in point["message"] and "--date" not in point["message"]
    assert data["ended"] == []


@pytest.mark.parametrize("spent", ["1190", "1390", "1590"])
def test_a_county_exactly_on_a_limit_is_named_and_the_others_come_out(capsys, tmp_path, spent: str) -> None:
    """10, 30 and 50 % of 1,000 are in neither band of the text (R41); the levy of 90 is part of the gap."""
    rows = [f"430202,employee,basic,1180,{spent},0,1000,900", "430203,employee,basic,1000,850,0,1000,900"]
    code, data, _ = pool(capsys, tmp_path, ZHUZHOU, rows, "--fund", "reserve=250")
    (point,) = [point for point in data["open"] if point["what"] == "gap"]
    assert code == 1 and point["county"] == "430202" and "exactly on a limit" in point["message"]
    assert data["counties"][1]["carried_after_fen"] == 6_000


def test_an_old_gap_of_a_county_is_its_own(capsys, tmp_path) -> None:
    path = tmp_path / "counties.csv"
    path.write_text(f"{HEAD},old_gap_yuan\n{BASIC},350\n", encoding="utf-8")
    assert main(["pool", *ZHUZHOU, "--counties", str(path), "--fund", "reserve=0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counties"][0]["old_gap_fen"] == [35_000]


# --- a province of cities ---------------------------------------------------------------------------------------------

PROVINCE = ["--rules", str(PACKS / "pooling_examples" / "province.toml"), "--year", "2025"]


def test_a_province_adjusts_among_its_cities(capsys, tmp_path) -> None:
    """Gap 80 of 1,000: 50 in the band, 60 : 40, 30 above it the city's; the others transfer 3 % of last year."""
    rows = [
        "990100,employee,,1000,1100,20,1000,1000", "990200,employee,,3000,2600,900,3000,2800",
        "990300,employee,,2000,1990,300,2000,1900",
    ]  # fmt: skip
    code, data, page = pool(capsys, tmp_path, PROVINCE, rows, "--fund", "provincial=100")
    assert code == 0
    first, second, third = data["counties"]
    assert first["payments_fen"] == {"own_surplus": 2_000, "provincial": 3_000, "city": 5_000}
    assert first["levies_owed_fen"] == {"provincial": 3_000}, "a city in need has nothing to transfer"
    assert (second["carried_after_fen"], third["carried_after_fen"]) == (130_000 - 8_400, 31_000 - 5_700)
    (fund,) = data["funds"]
    assert fund["after_fen"] == 10_000 - 3_000 + 8_400 + 5_700
    assert "省级调剂金" in page
