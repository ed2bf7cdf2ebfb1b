"""A pool's year whatever the figures: money adds up, missing figures are named, the order of a file changes nothing."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudicator.cli.main import main
from adjudicator.pooling.counties.deficit import OWN_SURPLUS
from adjudicator.pooling.counties.figures import NOT_GIVEN, CountyYear
from adjudicator.pooling.counties.year import PoolYear, as_data, pool_year
from adjudicator.pooling.rules import PoolingRules, load_pooling
from adjudicator.rulefile.faults import Faults

PACKS = Path(__file__).parents[2] / "src" / "adjudicator" / "packs"
COLUMNS = (
    "county", "scheme", "income_yuan", "expenditure_yuan", "carried_yuan", "financing_yuan", "last_financing_yuan",
    "last_expenditure_yuan",
)  # fmt: skip
FIGURES = COLUMNS[2:]


def load(name: str) -> PoolingRules:
    faults = Faults()
    result = load_pooling(PACKS / name, faults)
    assert not faults
    return result


def cutting(name: str) -> PoolingRules:
    """The rules of a pack whose levy is cut at its cap."""
    rules = load(name)
    rules.levies = [
        dataclasses.replace(entry, value=dataclasses.replace(entry.value, cut_at_cap=True)) for entry in rules.levies
    ]
    return rules


CITIES = {
    "zhuzhou": (load("zhuzhou"), 2021, "reserve"), "taizhou": (load("taizhou"), 2023, "collected"),
    "taohuayuan": (load("taohuayuan"), 2025, "reserve"), "zhuzhou, cut": (cutting("zhuzhou"), 2021, "reserve"),
    "guangyuan": (load("pooling_examples/guangyuan.toml"), 2010, "adjustment"),
    "lishui": (load("pooling_examples/lishui.toml"), 2012, "adjustment"),
    "huzhou": (load("huzhou"), 2022, ""),
}  # fmt: skip
fen = st.integers(0, 3_000)
optional = st.one_of(st.just(NOT_GIVEN), fen)


@st.composite
def counties_of(draw: st.DrawFn, missing: bool) -> list[CountyYear]:
    """Up to five counties of two schemes; with ``missing`` any figure may be left out."""
    figure = optional if missing else fen
    names = draw(st.lists(st.integers(430202, 430206), unique=True, min_size=1, max_size=5))
    return [
        CountyYear(
            str(name), f"county {name}", scheme, draw(figure), draw(figure),
            draw(st.one_of(st.none(), st.integers(-500, 3_000)) if missing else st.integers(-500, 3_000)),
            **{f"{column}_fen": draw(figure) for column in (
                "financing", "last_financing", "last_expenditure", "plan_expenditure", "contribution_base",
                "treasury_paid",
            )},
            old_gap_fen=draw(st.sampled_from([0, 0, 7])),
        )
        for name in names
        for scheme in draw(st.sampled_from([["310"], ["390", "310"]]))
    ]  # fmt: skip


def balances(city: str, counties: list[CountyYear], balance: int | None) -> dict[str, int]:
    fund = CITIES[city][2]
    schemes = {county.scheme for county in counties}
    return {} if balance is None or not fund else {f"{scheme}:{fund}": balance for scheme in schemes}


def run(city: str, counties: list[CountyYear], balance: int | None) -> PoolYear:
    rules, year, _ = CITIES[city]
    return pool_year(rules, year, counties, balances(city, counties, balance))


@pytest.mark.parametrize("city", CITIES)
@given(data=st.data(), balance=fen)
def test_what_comes_in_is_what_is_spent_and_what_is_left(city: str, data: st.DataObject, balance: int) -> None:
    """Over all counties that come out and their funds: opening + income + treasuries = spending + closing."""
    result = run(city, data.draw(counties_of(missing=False)), balance)
    for scheme in {row.shares.year.scheme for row in result.rows}:
        rows = [row for row in result.rows if row.shares.year.scheme == scheme and row.balance_fen is not None]
        funds = [one for one in result.funds if one.scheme == scheme]
        names = {one.fund for one in funds}
        years = [row.shares.year for row in rows]
        treasuries = sum(
            amount for row in rows for payer, amount in row.shares.payments.items()
            if payer != OWN_SURPLUS and payer not in names
        )  # fmt: skip
        opening = sum(year.opening_fen + year.income_fen - year.expenditure_fen for year in years)
        closing = sum(row.balance_fen or 0 for row in rows)
        assert opening + sum(one.before_fen for one in funds) + treasuries == closing + sum(
            one.after_fen for one in funds
        )
        for one in funds:
            assert one.levied_fen == one.received_fen + one.owed_fen + one.open_fen
            assert min(one.received_fen, one.owed_fen, one.open_fen) >= 0
            assert 0 <= one.paid_fen <= one.before_fen


@pytest.mark.parametrize("city", CITIES)
@given(data=st.data(), balance=st.one_of(st.none(), fen))
def test_each_county_is_shared_whole_or_named(city: str, data: st.DataObject, balance: int | None) -> None:
    """Payments are the gap; a levy leaves the county's balance once; a county that is not whole has an open point."""
    counties = data.draw(counties_of(missing=True))
    result = run(city, counties, balance)
    assert len(result.rows) == len(counties)
    for row in result.rows:
        year = row.shares.year
        named = {point.what for point in result.open if (point.county, point.scheme) == (year.county, year.scheme)}
        assert (row.gap_fen is None) == ("gap" in named)
        assert (row.balance_fen is None) == bool(named & {"gap", "levy"})
        if row.gap_fen is None:
            assert not row.shares.payments
            continue
        assert min(year.income_fen, year.expenditure_fen) >= 0 and year.carried_fen is not None
        assert sum(row.shares.payments.values()) == row.gap_fen
        if row.balance_fen is not None:
            paid = sum(levy.paid_fen or 0 for levy in row.levies.values())
            help_fen = sum(amount for payer, amount in row.shares.payments.items() if payer != OWN_SURPLUS)
            flow = year.income_fen - year.expenditure_fen
            assert row.balance_fen == year.carried_fen + flow + help_fen - paid
            assert row.balance_fen >= min(0, year.carried_fen)


@pytest.mark.parametrize("city", CITIES)
@given(data=st.data(), balance=st.one_of(st.none(), fen))
def test_any_order_of_the_counties_gives_the_same_year(city: str, data: st.DataObject, balance: int | None) -> None:
    counties = data.draw(counties_of(missing=True))
    other = data.draw(st.permutations(counties))
    assert as_data(run(city, counties, balance)) == as_data(run(city, other, balance))


@pytest.mark.parametrize("city", ["zhuzhou, cut", "zhuzhou", "taizhou"])
@given(data=st.data(), balance=fen)
def test_a_levy_fills_the_fund_to_its_line_and_not_beyond(city: str, data: st.DataObject, balance: int) -> None:
    """30 % of the financing (株洲), the counties' months of payments (台州); only a cut levy ends at the line."""
    counties = [county for county in data.draw(counties_of(missing=False)) if county.scheme == "310"]
    result = run(city, counties, balance)
    levied = sum(one.levied_fen for one in result.funds)
    if city == "taizhou":
        target = sum((county.last_expenditure_fen * 300 + 600) // 1200 for county in counties)
        assert levied == max(0, target - balance)
        return
    cap = (sum(county.financing_fen for county in counties) * 30 + 50) // 100
    full = sum((county.last_financing_fen * 10 + 50) // 100 for county in counties)
    if balance >= cap:
        assert levied == 0
    else:
        assert levied == (min(full, cap - balance) if "cut" in city else full)


# --- by the command -------------------------------------------------------------------------------------------------


def pool(capsys, tmp_path, city: str, year: int, rows: list[str], *words: str, header: str = ",".join(COLUMNS)):
    """Exit code, JSON and standard error of the command."""
    path = tmp_path / "counties.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    source = ["--rules", str(PACKS / city)] if city.endswith(".toml") else ["--pack", city]
    code = main(["pool", *source, "--year", str(year), "--counties", str(path), "--json", *words])
    shown = capsys.readouterr()
    return code, json.loads(shown.out) if shown.out else None, shown.err


def test_a_levy_that_is_spending_is_counted_once(capsys, tmp_path) -> None:
    """株洲: the levy of 100 makes a gap of 100, which the county's own 200 pay: 100 here and 100 in the reserve."""
    rows = ["430202,employee,1000,1000,200,1000,1000,"]
    code, data, _ = pool(capsys, tmp_path, "zhuzhou", 2021, rows, "--fund", "reserve=0")
    county, fund = data["counties"][0], data["funds"][0]
    assert code == 0
    assert (county["gap_fen"], county["payments_fen"]) == (10_000, {"own_surplus": 10_000})
    assert (county["carried_after_fen"], fund["after_fen"]) == (10_000, 10_000)
    assert county["capacity_months"] == "1.20"


def test_a_levy_that_nobody_can_pay_is_named_and_not_received(capsys, tmp_path) -> None:
    """台州: three months of 1,200 are 300; one county has 120 left, the other a gap and nothing."""
    rows = ["331002,employee,1000,1000,120,,,1200", "331003,employee,900,1000,0,,,1200"]
    words = ["--fund", "collected=50", "--html", str(tmp_path / "page.html")]
    code, data, _ = pool(capsys, tmp_path, "taizhou", 2023, rows, *words)
    first, second = data["counties"]
    assert code == 0
    assert first["levies_fen"] == second["levies_fen"] == {"collected": 27_500}
    assert (first["levies_owed_fen"], first["carried_after_fen"]) == ({"collected": 15_500}, 0)
    assert (second["levies_owed_fen"], second["payments_fen"]) == (
        {"collected": 27_500}, {"collected": 5_000, "county": 5_000}
    )  # fmt: skip
    fund = data["funds"][0]
    assert (fund["levied_fen"], fund["received_fen"], fund["owed_fen"]) == (55_000, 12_000, 43_000)
    assert fund["after_fen"] == 5_000 - 5_000 + 12_000
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "未缴 155.00 元" in text and "未缴 275.00 元" in text


def test_a_gap_that_the_fund_cannot_pay_is_named(capsys, tmp_path) -> None:
    """株洲 does not say who pays what the reserve lacks: the counties that ask it are named, the others come out."""
    rows = ["430202,employee,1000,1000,0,1500,1000,", "430203,employee,1000,700,0,1500,1000,"]
    code, data, error = pool(capsys, tmp_path, "zhuzhou", 2021, rows, "--fund", "reserve=60")
    assert code == 1
    assert [row["carried_after_fen"] for row in data["counties"]] == [None, 20_000]
    assert [(point["county"], point["what"], point["code"]) for point in data["open"]] == [
        ("430202", "gap", "ADJ-8006")
    ]
    assert "lacks 40.00 yuan" in error and "差 40.00 元" in error
    assert data["funds"][0] == {
        "scheme": "310", "insurance": "basic", "fund": "reserve", "before_fen": 6_000, "paid_fen": 0,
        "levied_fen": 20_000, "received_fen": 10_000, "owed_fen": 0, "open_fen": 10_000, "after_fen": 16_000,
    }  # fmt: skip


GOOD = "430203,employee,1000,900,500,1000,900,800"
ONE = ["430202", "employee", "1000", "1000", "2000", "1000", "900", "800"]


@pytest.mark.parametrize(
    ("column", "value", "what", "money"),
    [
        ("income_yuan", "", "gap", True),
        ("expenditure_yuan", "", "gap", True),
        ("carried_yuan", "", "gap", True),
        ("last_financing_yuan", "", "gap", True),
        ("expenditure_yuan", "0", "capacity", False),
        ("income_yuan", "0", "surplus rate", False),
    ],
)
def test_one_county_that_lacks_a_figure_does_not_stop_the_others(
    capsys, tmp_path, column: str, value: str, what: str, money: bool
) -> None:
    cells = [value if name == column else cell for name, cell in zip(COLUMNS, ONE, strict=True)]
    words = ["--fund", "reserve=250", "--html", str(tmp_path / "page.html")]
    alone = pool(capsys, tmp_path, "zhuzhou", 2021, [GOOD], *words)[1]["counties"][0]
    code, data, error = pool(capsys, tmp_path, "zhuzhou", 2021, [",".join(cells), GOOD], *words)
    assert code == (1 if money else 0)
    points = [point for point in data["open"] if point["what"] == what]
    assert [(point["county"], point["field"]) for point in points] == [("430202", column)]
    assert "430202" in points[0]["message"] and "430202" in points[0]["message_zh"]
    assert ("430202" in error) == money
    assert data["counties"][1] == alone
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "未算出的项目" in page and points[0]["message_zh"] in page


@pytest.mark.parametrize("spent", ["1200", "1700"])
def test_a_gap_without_a_rule_is_named_and_the_others_come_out(capsys, tmp_path, spent: str) -> None:
    """Exactly 10 % of the financing, and above 50 % (R41)."""
    rows = [f"430202,employee,1090,{spent},100,1000,900,800", GOOD]
    code, data, error = pool(capsys, tmp_path, "zhuzhou", 2021, rows, "--fund", "reserve=250")
    assert code == 1 and "ADJ-8006 430202" in error
    assert [row["gap_fen"] for row in data["counties"]] == [None, 0]
    assert "文件未规定" in data["open"][0]["message_zh"]


def test_a_city_without_a_rule_shows_the_counties_without_gap(capsys, tmp_path) -> None:
    rows = ["330502,employee,100,200,500,,,100", "330503,employee,200,100,500,,,100"]
    code, data, error = pool(capsys, tmp_path, "huzhou", 2022, rows, "--html", str(tmp_path / "page.html"))
    assert code == 1 and "has no [[deficit]]" in error
    assert [row["carried_after_fen"] for row in data["counties"]] == [None, 60_000]
    assert "未算出" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_an_accumulated_deficit_is_a_figure(capsys, tmp_path) -> None:
    """It pays nothing, and the county's balance shows it."""
    rows = ["430202,employee,1000,900,-300.50,1000,900,800"]
    code, data, _ = pool(capsys, tmp_path, "zhuzhou", 2021, rows, "--fund", "reserve=250")
    row = data["counties"][0]
    assert code == 0
    assert (row["carried_after_fen"], row["capacity_months"], row["capacity"]) == (-29_050, "-3.87", "low")


def test_a_missing_balance_is_not_0(capsys, tmp_path) -> None:
    """Whether the levy has stopped depends on what the fund holds."""
    code, data, error = pool(capsys, tmp_path, "zhuzhou", 2021, [GOOD])
    assert code == 1 and "--fund 310:reserve=YUAN" in error
    assert data["counties"][0]["levies_fen"] == {}


def test_a_county_without_financing_does_not_lower_the_cap_of_all(capsys, tmp_path) -> None:
    """The cap of two counties is at least 300: at 299 both pay, at 300 nobody knows."""
    rows = ["430202,employee,2000,1000,0,,900,800", GOOD]
    below = pool(capsys, tmp_path, "zhuzhou", 2021, rows, "--fund", "reserve=299")[1]
    assert [row["levies_fen"] for row in below["counties"]] == [{"reserve": 9_000}] * 2
    code, data, error = pool(capsys, tmp_path, "zhuzhou", 2021, rows, "--fund", "reserve=300")
    assert code == 1 and "financing_yuan: is missing for county 430202" in error
    assert [point["county"] for point in data["open"]] == ["430202", "430203"]


def test_a_county_without_last_year_leaves_the_growth_of_the_others(capsys, tmp_path) -> None:
    rows = ["330502,employee,1000,100,900,,,", "330503,employee,1000,500,900,,,400"]
    path = tmp_path / "page.html"
    code, data, _ = pool(capsys, tmp_path, "huzhou", 2022, rows, "--html", str(path))
    assert code == 0
    assert [(w["line"], w["figure"]) for w in data["warnings"] if w["line"] == "growth"] == [("growth", "25.00%")]
    assert [(point["county"], point["what"]) for point in data["open"]] == [("330502", "growth")]
    assert "全市支出增幅未含其数" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("funds", "expected"),
    [
        (["reservee=99"], "no rule of the scheme 310 has a fund reservee; its funds: reserve"),
        (["reserve=1", "reserve=2"], "reserve is given twice"),
        (["390:reserve=1"], "no county of the scheme 390 is in the file"),
        (["reserve=1", "reserve@430299=2"], "the county 430299 is not in the file"),
    ],
)
def test_a_fund_that_no_rule_reads_is_refused(capsys, tmp_path, funds: list[str], expected: str) -> None:
    words = [word for fund in funds for word in ("--fund", fund)]
    code, data, error = pool(capsys, tmp_path, "zhuzhou", 2021, [GOOD], *words)
    assert (code, data) == (1, None)
    assert expected in error


def test_a_rule_that_ends_in_the_year(capsys, tmp_path) -> None:
    """株洲's rule ended on 2025-05-18: the day is said, and can be chosen."""
    rows = ["430202,employee,1000,1100,200,1000,900,800"]
    code, _, error = pool(capsys, tmp_path, "zhuzhou", 2025, rows)
    assert code == 1 and "holds from 2020-05-18 to 2025-05-18; add the rule that holds" in error
    code, data, _ = pool(capsys, tmp_path, "zhuzhou", 2025, rows, "--date", "20250518", "--fund", "reserve=9000")
    assert code == 0 and data["counties"][0]["payments_fen"] == {"own_surplus": 10_000}
    code, data, error = pool(capsys, tmp_path, "zhuzhou", 2025, rows, "--date", "20240518")
    assert (code, data) == (1, None) and "20240518 is not in 2025" in error
