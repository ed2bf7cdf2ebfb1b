"""`adjudicator budget` as a bureau runs it: over a ledger with settled months and a cleared year, and over files."""

from __future__ import annotations

import asyncio
import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from adjudicator.cli.main import main
from adjudicator.codes import Scheme
from adjudicator.ledger.acts import Act
from adjudicator.ledger.store import Ledger
from adjudicator.ledger.totals import Total
from adjudicator.payers import Fund
from adjudicator.pooling.budget.spending import of_totals, with_closings
from adjudicator.pooling.budget.terms import Place
from tests.pooling.budget import naive
from tests.pooling.test_ledger_cases import POOL, DrgCase, settle_all

COUNTIES = (990001, 990002)
PLAN = """\
county,scheme,fund,income_yuan,expenditure_yuan,expenditure_growth_percent,carried_yuan,financing_yuan
990001,resident,pooled,70000,,10,50000.55,65000
990002,resident,pooled,45000,40000,,20000,44000
"""


def cases() -> list[DrgCase]:
    """A case a month and county, dearer in 2025; some have catastrophic insurance."""
    found = []
    for month in [202400 + number for number in range(1, 13)] + [202500 + number for number in range(1, 6)]:
        for place, county in enumerate(COUNTIES):
            one = DrgCase(f"p{county}", f"E{month}{place}", county=county, date=month * 100 + 10)
            due = 300_000 + 7 * place + month % 100 + (30_000 if month > 202500 else 0)
            found.append(replace(one, due_fen=due, catastrophic_fen=5_000 if county == 990001 else 0))
    return found


def income(path: Path) -> Path:
    """Income of all months of both years, with the part that is financing."""
    rows = ["county,scheme,month,income_yuan,financing_yuan"]
    for year in (2024, 2025):
        for number in range(1, 13):
            rows += [f"{county},resident,{year}{number:02d},{5000 + place}.5{number % 10},5000" for place, county in
                     enumerate(COUNTIES)]  # fmt: skip
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict:
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def ledger(store_url: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """A ledger with 17 months, of which three are settled, and the clearing of 2024."""
    asyncio.run(settle_all(store_url, cases()))
    words = ["--pack", "taohuayuan", "--from-ledger", "--redis", store_url, "--post"]
    for month in ("202401", "202402", "202501"):
        run(capsys, "settle-month", "--month", month, "--budget", "390=6000", *words)
    run(capsys, "settle-year", "--year", "2024", "--budget", "390=75000", *words)
    return ["--pack", "taohuayuan", "--redis", store_url]


def totals(store_url: str) -> list:
    async def read() -> list:
        async with await Ledger.open(store_url, allow_volatile=True) as one:
            return (await one.totals(POOL)).rows

    return asyncio.run(read())


def by_place(rows: list[dict]) -> dict[tuple[str, str], dict]:
    return {(row["county"], row["fund"]): row for row in rows}


def test_a_year_from_plan_to_pool(ledger, store_url, capsys, tmp_path) -> None:
    """Plan from last year's ledger, five months of execution, and the figures of last year's final account in pool."""
    (tmp_path / "agreed.csv").write_text(PLAN, encoding="utf-8")
    money = ["--income", str(income(tmp_path / "income.csv"))]
    plan = run(
        capsys, "budget", "plan", "--year", "2025", *ledger, *money, "--file", str(tmp_path / "agreed.csv"),
        "--fund", "390:reserve=3000", "--output", str(tmp_path / "plan.csv"), code=1,
    )  # fmt: skip
    rows = totals(store_url)
    lines = by_place(plan["lines"])
    for county in map(str, COUNTIES):
        last = naive.year_spending(rows, county, "390", "pooled", 2024, {"pooled", "large_sum"})
        assert lines[county, "pooled"]["last_spending_fen"] == last
    first = lines["990001", "pooled"]
    assert first["spending_fen"] == naive.half_up(naive.Fraction(first["last_spending_fen"] * 11, 10))
    assert lines["990001", "catastrophic"]["last_spending_fen"] == 60_000
    assert lines["990001", "catastrophic"]["spending_fen"] == 61_800  # the pack's 3 %
    named = {(one["what"], one["county"], one["fund"], one["field"]) for one in plan["lacking"]}
    assert named == {("income", "990001", "catastrophic", "income_yuan")}
    basic = [row for row in plan["pooling_year"]["counties"] if row["insurance"] == "basic"]
    levies = {row["county"]: row["levies_fen"]["reserve"] for row in basic}
    assert levies == {"990001": 600_000, "990002": 600_000}  # 10 % of last year's financing
    assert [one["float_fen"] for one in plan["funding"]] == [
        naive.half_up(naive.Fraction(line["spending_fen"], 4)) for line in plan["lines"] if line["fund"] == "pooled"
    ]

    words = ["budget", "execution", "--year", "2025", *ledger, *money, "--plan", str(tmp_path / "plan.csv")]
    result = run(capsys, *words, code=1)
    assert result["months"] == 5
    row = by_place(result["rows"])["990001", "pooled"]
    final = [one.amount_fen for one in rows if one.fund.name == "PROVIDER_FINAL" and one.county == "990001"]
    assert row["months_fen"] == [final[-1], *(330_000 + number for number in range(2, 6))]
    assert row["last_months_fen"] == [*final[:2], *(300_000 + number for number in range(3, 13))]
    spent, last = sum(row["months_fen"]), row["last_months_fen"]
    assert row["expected_fen"] == {
        "straight_line": naive.half_up(naive.Fraction(spent * 12, 5)),
        "by_last_year": naive.half_up(naive.Fraction(spent * sum(last), sum(last[:5]))),
    }
    assert row["time_ppm"] == 416_666 and row["share_ppm"] == spent * 10**6 // row["plan_fen"]
    assert row["balance_fen"] == row["carried_fen"] + row["income_fen"] - spent
    whole = by_place(result["sums"])["", "pooled"]
    assert whole["spent_fen"] == sum(one["spent_fen"] for one in result["rows"] if one["fund"] == "pooled")
    assert any("202502–202505 尚未月结" in note for note in result["notes"])
    for one in result["funding"]:
        balance = by_place(result["rows"])[one["county"], "pooled"]["balance_fen"]
        assert one["agency_fen"] + one["city_fen"] == balance

    (tmp_path / "plan24.csv").write_text(PLAN.replace(",10,", ",,").replace("70000,", "70000,36000"), encoding="utf-8")
    account = run(
        capsys, "budget", "final", "--year", "2024", *ledger, *money, "--plan", str(tmp_path / "plan24.csv"),
        "--counties", str(tmp_path / "counties.csv"),
    )  # fmt: skip
    assert account["is_provisional"] is False
    for one in account["accounts"]:
        spending = naive.year_spending(rows, one["county"], "390", one["fund"], 2024, {"pooled", "large_sum"})
        assert one["spending_fen"] == spending == one["months_fen"] + one["clearing_fen"]
        if one["fund"] == "pooled":
            assert one["balance_fen"] == one["carried_fen"] + one["income_fen"] - spending
            assert one["spending_difference_fen"] == spending - one["plan_spending_fen"]
            assert one["income_difference_fen"] == one["income_fen"] - one["plan_income_fen"]
    pool = ["pool", "--pack", "taohuayuan", "--year", "2024", "--counties", str(tmp_path / "counties.csv")]
    with (tmp_path / "counties.csv").open(encoding="utf-8") as stream:
        written = list(csv.DictReader(stream))
    assert {row["last_financing_yuan"] for row in written} == {""}
    shared = run(capsys, *pool, "--fund", "reserve=3000", code=1)  # a levy needs the financing of 2023
    assert [row["expenditure_fen"] for row in shared["counties"]] == [
        one["spending_fen"] for one in account["accounts"] if one["fund"] == "pooled"
    ]
    check_pool_takes_spending_from_the_ledger(capsys, tmp_path, store_url, shared)


def check_pool_takes_spending_from_the_ledger(capsys, tmp_path, store_url, shared) -> None:
    path = tmp_path / "counties.csv"
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    words = ["pool", "--pack", "taohuayuan", "--year", "2024", "--counties", str(path), "--fund", "reserve=3000"]
    for row in rows:
        row["expenditure_yuan"] = ""
    write(path, rows)
    again = run(capsys, *words, "--redis", store_url, code=1)
    assert again["counties"] == shared["counties"] and again["remarks"] == []
    rows[0]["expenditure_yuan"] = "12.34"
    write(path, rows)
    assert main([*words, "--redis", store_url]) == 1
    english, chinese = capsys.readouterr().err.splitlines()[:2]
    assert "expenditure_yuan: county 990001 scheme 390: it is typed as 12.34, the ledger says" in english
    assert "武陵县 居民支出：expenditure_yuan 填写为 12.34 元，台账为" in chinese and "请将该格留空" in chinese


def write(path: Path, rows: list[dict]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_a_year_that_is_not_cleared_is_provisional_and_says_so(ledger, store_url, capsys, tmp_path) -> None:
    later = [
        replace(one, encounter=f"F{one.encounter}", person=f"f{one.person}", date=one.date + 10_000)
        for one in cases() if 202405 < one.date // 100 < 202500
    ]  # fmt: skip
    asyncio.run(settle_all(store_url, later))
    account = run(capsys, "budget", "final", "--year", "2025", *ledger, code=1)
    assert account["is_provisional"] is True
    assert any("没有 2025 年的年度清算差额" in note for note in account["notes"])
    assert all(one["spending_fen"] is not None and one["income_fen"] is None for one in account["accounts"])


def months(path: Path, *lines: str) -> Path:
    path.write_text("county,scheme,fund,month,expenditure_yuan\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_files_take_the_place_of_a_ledger_and_what_is_missing_is_named_by_county(capsys, tmp_path) -> None:
    lines = [f"990001,employee,pooled,2024{number:02d},100" for number in range(1, 13)]
    lines += [f"990001,employee,pooled,2025{number:02d},130" for number in (1, 2, 3)]
    lines += [f"990002,employee,pooled,2025{number:02d},50" for number in (1, 3)]
    path = months(tmp_path / "spent.csv", *lines)
    (tmp_path / "plan.csv").write_text(
        "county,scheme,expenditure_yuan\n990001,employee,1300\n990002,employee,\n", encoding="utf-8"
    )
    words = ["budget", "execution", "--pack", "taohuayuan", "--year", "2025", "--spending", str(path)]
    words += ["--plan", str(tmp_path / "plan.csv")]
    result = run(capsys, *words, code=1)
    first, second = result["rows"]
    assert (first["spent_fen"], first["growth_ppm"], first["share_ppm"]) == (39_000, 300_000, 300_000)
    assert first["expected_fen"] == {"straight_line": 156_000, "by_last_year": 156_000}
    assert {entry["line"] for entry in first["warnings"]} == {"growth", "progress", "expected"}
    assert second["spent_fen"] is None and second["expected_fen"] == {"straight_line": None, "by_last_year": None}
    assert {(one["county"], one["what"]) for one in result["lacking"]} == {
        ("990002", "spending"), ("990002", "growth"), ("990002", "plan"),
    }  # fmt: skip
    assert result["sums"][0]["spent_fen"] == 39_000
    assert any("支出不全，合计未含其数" in note for note in result["notes"])
    assert main(words) == 1
    shown, errors = capsys.readouterr()
    assert "桃花源市 2025 年 1–3 月预算执行" in shown and "支出进度快于时间进度" in shown
    assert "county 990002 scheme 310" in errors and "缺 202502 的数据，台账中没有，请用 --spending 给出" in errors


def test_a_plan_of_a_year_that_is_not_over_takes_expected_spending_only_when_asked(capsys, tmp_path) -> None:
    lines = [f"990001,employee,pooled,2024{number:02d},100" for number in range(1, 13)]
    lines += [f"990001,employee,pooled,2025{number:02d},110" for number in range(1, 10)]
    path = months(tmp_path / "spent.csv", *lines)
    words = ["budget", "plan", "--pack", "taohuayuan", "--year", "2026", "--spending", str(path), "--fund", "reserve=0"]
    lacking = {one["what"]: one["message"] for one in run(capsys, *words, code=1)["lacking"]}
    assert "202510–202512 are missing" in lacking["last spending"]
    line = run(capsys, *words, "--expected", code=1)["lines"][0]
    assert line["is_expected"] and line["last_spending_fen"] == 132_000
    assert line["spending_fen"] == 140_580  # 6.5 % more


@pytest.mark.parametrize(
    ("row", "expected"),
    [("990001,employee,100,5,90", "expenditure_yuan is typed as 100.00, its growth gives 94.50"),
     ("990001,employee,,5,", "202401–202412 are missing"),
     ("990001,retired_cadre,,,90", "neither an amount nor an agreed growth")],
)  # fmt: skip
def test_a_plan_names_what_contradicts_or_is_missing(capsys, tmp_path, row: str, expected: str) -> None:
    head = "county,scheme,expenditure_yuan,expenditure_growth_percent,last_expenditure_yuan\n"
    (tmp_path / "p.csv").write_text(head + row + "\n", encoding="utf-8")
    found = run(capsys, "budget", "plan", "--pack", "taohuayuan", "--year", "2025", "--file", str(tmp_path / "p.csv"),
                "--fund", "reserve=0", code=1)  # fmt: skip
    assert expected in " ".join(one["message"] for one in found["lacking"])
    assert found["lines"][0]["spending_fen"] is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("990088,employee,pooled,202501,1", "990088 is not a county of the pool"),
     ("990001,employee,pooled,202513x,1", "month"),
     ("990001,employee,dental,202501,1", "'dental' is not known"),
     ("990001,employee,pooled,202501,1.234", "third decimal"),
     ("990001,employee,pooled,202501,1\n990001,employee,pooled,202501,1", "990001 is there twice")],
)  # fmt: skip
def test_bad_cells_are_named(capsys, tmp_path, text: str, expected: str) -> None:
    path = months(tmp_path / "s.csv", text)
    assert main(["budget", "execution", "--pack", "taohuayuan", "--year", "2025", "--spending", str(path)]) == 1
    assert expected in capsys.readouterr().err


def test_a_month_that_the_ledger_has_is_not_typed(ledger, capsys, tmp_path) -> None:
    path = months(tmp_path / "s.csv", "990001,resident,pooled,202501,1")
    assert main(["budget", "execution", "--year", "2025", *ledger, "--spending", str(path)]) == 1
    assert "the ledger has 202501" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["--through", "202413"], ("is not a month", "不是月份")),
     (["--through", "202403"], ("is not in 2025", "不在 2025 年内")),
     (["--date", "20240101"], ("is not in 2025", "不在 2025 年内")),
     ([], ("there is no spending of 2025", "没有 2025 年的支出"))],
)  # fmt: skip
def test_refusals_are_in_both_languages(capsys, words: list[str], expected: tuple[str, str]) -> None:
    assert main(["budget", "execution", "--pack", "taohuayuan", "--year", "2025", *words]) == 1
    english, chinese = capsys.readouterr().err.splitlines()
    assert expected[0] in english and expected[1] in chinese


def test_scores_pay_a_pot(capsys, tmp_path) -> None:
    """1 % of 2,400 yuan; one county keeps to its budget, the other is 20 % above it and 50 % above last year."""
    lines = [f"{county},employee,pooled,2024{number:02d},100" for county in COUNTIES for number in range(1, 13)]
    lines += [f"990001,employee,pooled,2025{number:02d},100" for number in range(1, 13)]
    lines += [f"990002,employee,pooled,2025{number:02d},120" for number in range(1, 13)]
    path = months(tmp_path / "s.csv", *lines)
    (tmp_path / "plan.csv").write_text(
        "county,scheme,income_yuan,expenditure_yuan,carried_yuan\n"
        "990001,employee,1300,1200,0\n990002,employee,1300,1200,0\n", encoding="utf-8",
    )  # fmt: skip
    scores = ["county,scheme,indicator,score", "990001,employee,enrolment,95.5", "990001,employee,supervision,90",
              "990002,employee,enrolment,80", "990002,employee,supervision,100"]  # fmt: skip
    (tmp_path / "scores.csv").write_text("\n".join(scores) + "\n", encoding="utf-8")
    words = ["budget", "final", "--pack", "taohuayuan", "--year", "2025", "--spending", str(path), "--plan"]
    words += [str(tmp_path / "plan.csv"), "--scores", str(tmp_path / "scores.csv")]
    (assessment,) = run(capsys, *words, code=1)["assessments"]
    good, bad = assessment["counties"]
    assert (good["total"], bad["total"]) == ("97.10", "36.00")
    assert assessment["pot_fen"] == 2_400 == good["paid_fen"] + bad["paid_fen"]
    assert (good["paid_fen"], bad["paid_fen"]) == (2_400, 0)
    assert main(words) == 1
    assert "评分依据" not in capsys.readouterr().err
    (tmp_path / "scores.csv").write_text("\n".join(scores[:-1]) + "\n", encoding="utf-8")
    account = run(capsys, *words, code=1)
    assert [one["message_zh"] for one in account["lacking"] if one["what"] == "score"] == [
        "无法清算或分担：桃源县 职工考核得分：没有指标“基金监管”的得分，请补充到得分文件（--scores）。"
        "请补充数据或规则包后重新运行。"
    ]
    assert account["assessments"][0]["open_fen"] == 1_200
    (tmp_path / "scores.csv").write_text("county,scheme,indicator,score\n990001,employee,growth,1\n", encoding="utf-8")
    assert main(words) == 1
    assert "'growth' is no indicator that is scored by a file" in capsys.readouterr().err


@pytest.mark.parametrize(("reserve", "warned"), [("0", True), ("390", False), ("40000", True)])
def test_the_reserve_is_watched_between_its_levy_and_its_cap(capsys, tmp_path, reserve: str, warned: bool) -> None:
    """株洲: 10 % of last year's financing a year until 30 % of this year's."""
    (tmp_path / "p.csv").write_text(
        "county,scheme,income_yuan,expenditure_yuan,carried_yuan,last_expenditure_yuan,financing_yuan,last_financing_yuan\n"
        "430202,employee,11000,9000,20000,8900,10000,9000\n", encoding="utf-8",
    )  # fmt: skip
    found = run(capsys, "budget", "plan", "--pack", "zhuzhou", "--year", "2022", "--file", str(tmp_path / "p.csv"),
                "--fund", f"reserve={reserve}")  # fmt: skip
    lines = [entry["line"] for entry in found["pooling_year"]["warnings"]]
    assert ("reserve" in lines) is warned
    assert found["funding"][0]["float_fen"] == 225_000


def test_a_budget_income_and_scores_last_in_the_ledger(ledger, capsys, tmp_path) -> None:
    """Kept once, read without a file; the same again changes nothing, another amount names the act to withdraw."""
    (tmp_path / "agreed.csv").write_text(PLAN, encoding="utf-8")
    path = str(income(tmp_path / "income.csv"))
    plan = ["budget", "plan", "--year", "2025", *ledger, "--file", str(tmp_path / "agreed.csv"), "--income", path]
    plan += ["--fund", "390:reserve=3000", "--output", str(tmp_path / "plan.csv")]
    assert "act" not in run(capsys, *plan, code=1)
    first = run(capsys, *plan, "--post", "--by", "zhang", code=1)["act"]
    assert first > 0
    assert run(capsys, *plan, "--post", code=1)["act"] == 0
    store = [word for word in ledger if word not in ("--pack", "taohuayuan")]
    decide = ["ledger", "decide", "--pack", "taohuayuan", "--period", "2025", *store]
    assert run(capsys, *decide, "county_income", path) == {"act": first + 1}
    execution = ["budget", "execution", "--year", "2025", *ledger]
    kept = run(capsys, *execution, code=1)
    assert kept == run(capsys, *execution, "--plan", str(tmp_path / "plan.csv"), "--income", path, code=1)
    assert {row["plan_fen"] is None for row in kept["rows"] if row["fund"] == "pooled"} == {False}
    (tmp_path / "agreed.csv").write_text(PLAN.replace("40000", "41000"), encoding="utf-8")
    assert main([*plan, "--post"]) == 1
    assert f"ledger withdraw {first}" in capsys.readouterr().err
    scores = tmp_path / "scores.csv"
    scores.write_text("county,scheme,indicator,score\n990001,resident,enrolment,90\n", encoding="utf-8")
    assert run(capsys, *decide, "county_scores", str(scores)) == {"act": first + 2}
    assessments = run(capsys, "budget", "final", "--year", "2025", *ledger, code=1)["assessments"]
    (one,) = [one for one in assessments if one["scheme"] == "390"]
    assert [county["scores_e2"]["enrolment"] for county in one["counties"]] == [9_000, None]
    assert main(["ledger", "decisions", *store]) == 0
    assert "区县预算  2025" in capsys.readouterr().out


def test_what_a_closing_carries_belongs_to_the_year_whose_clearing_took_it_in() -> None:
    """A difference of 2024 posted in 202501 counts for 2024 until that year is closed, later ones for their month."""
    rows = [
        Total("990001", 202412, Scheme.RESIDENT, Fund.PROVIDER_FINAL, 1_000),
        Total("990001", 202412, Scheme.RESIDENT, Fund.PROVIDER_YEAR, 50),
        Total("990001", 202501, Scheme.RESIDENT, Fund.PROVIDER_FINAL, 900),
        Total("990001", 202501, Scheme.RESIDENT, Fund.PROVIDER_PRIOR, 30),
        Total("990001", 202502, Scheme.RESIDENT, Fund.PROVIDER_DUE, 800),
        Total("990001", 202502, Scheme.RESIDENT, Fund.PROVIDER_PRIOR, 7),
    ]  # fmt: skip

    def closing(number: int, period: int, carried: list) -> Act:
        content = {"version": number, "values": [], "lines": [], "carried": carried}
        return Act("close", period, "zhang", content, number=number)

    line = [990001, int(Scheme.RESIDENT), int(Fund.PROVIDER_PRIOR), "H1"]
    acts = [
        closing(1, 202412, []), closing(2, 202501, [[202412, [[*line, 30]]]]), closing(3, 2024, []),
        closing(4, 202502, [[2024, [[*line, 7]]]]),
    ]  # fmt: skip
    place = Place("390", "990001")
    before = of_totals(rows, ["pooled"])
    assert (before.month_fen(place, 202501), before.clearing_fen(place, 2024)) == (930, 50)
    found = with_closings(before, acts)
    assert (found.month_fen(place, 202501), found.clearing_fen(place, 2024)) == (900, 80)
    assert found.month_fen(place, 202502) == 807
    assert found.cleared == {2024} and found.provisional == set()
