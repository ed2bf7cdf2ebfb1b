"""Published pooling examples (PUB) and derived ones (DER) of funds, budgets and deficit shares."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from adjudicator.cli.main import main
from adjudicator.errors import E
from adjudicator.money import fen_to_yuan, yuan_to_fen
from adjudicator.pooling.counties import deficit, warning
from adjudicator.pooling.counties.figures import CountyYear
from adjudicator.pooling.counties.year import pool_year
from adjudicator.pooling.heads import capitation
from adjudicator.pooling.rules import load_pooling
from adjudicator.rounding import divide_half_up
from adjudicator.rulefile.faults import Faults

TEN_THOUSAND_YUAN = 1_000_000
"""万元 in fen."""


def ten_thousands(fen: int) -> str:
    """An amount in 万 yuan with two decimals, half-up."""
    hundredths = divide_half_up(fen * 100, TEN_THOUSAND_YUAN)
    return f"{hundredths // 100:,}.{hundredths % 100:02d}"


def rules(packs, name: str):
    faults = Faults()
    result = load_pooling(packs / name, faults)
    assert not faults
    return result


def county(code: str = "430202", scheme: str = "310", gap: int = 0, **given: int) -> CountyYear:
    return CountyYear(
        code, code, scheme, given.pop("income_fen", 10_000), given.pop("expenditure_fen", 10_000 + gap),
        given.pop("carried_fen", 0), **given,
    )  # fmt: skip


def test_pub_07_capitation_amount() -> None:
    """Guangdong rule of 2026: 10,000 people at 100 a head is 100 万 a year."""
    people = [capitation.Enrolment(f"p{n}", "station", 202601, 202612) for n in range(10_000)]
    terms = capitation.CapitationTerms(yuan_to_fen("100"), capitation.Weights(), 10**6, 0)
    result = capitation.settle_year(2026, people, terms)
    assert fen_to_yuan(result[0].quota_fen) == "1000000.00"


def test_pub_10_surplus_rate() -> None:
    income, spent = 1_000 * TEN_THOUSAND_YUAN, 900 * TEN_THOUSAND_YUAN
    assert ten_thousands(income - spent) == "100.00"
    assert warning.percent(warning.surplus_rate(income, spent)) == "10.00%"


def test_pub_11_months_of_capacity_urumqi_2013() -> None:
    months = warning.months_of_capacity(yuan_to_fen("2248000000"), yuan_to_fen("1567000000"))
    assert months.__floor__() == 17
    assert warning.capacity_class(months, warning.Lines()) == "high"


@pytest.mark.parametrize(
    ("gap", "reserve", "own"), [(50, 50, 0), (150, 105, 45), (200, 140, 60), (350, 105, 245), (450, 135, 315)]
)
def test_der_09_zhuzhou_whole_reading(packs, gap: int, reserve: int, own: int) -> None:
    rule = rules(packs, "zhuzhou").pick("deficit", 20210101, "310")
    shares = deficit.share_gaps(rule, [county(gap=gap, financing_fen=1_000)], {"reserve": 10_000})
    assert shares[0].payments == {"reserve": reserve} | ({"county": own} if own else {})


@pytest.mark.parametrize("gap", [100, 300, 500, 600])
def test_der_09_zhuzhou_whole_reading_is_undefined(packs, gap: int) -> None:
    rule = rules(packs, "zhuzhou").pick("deficit", 20210101, "310")
    shares = deficit.share_gaps(rule, [county(gap=gap, financing_fen=1_000)], {"reserve": 10_000})[0]
    assert shares.problem is not None and shares.problem.number == E.PAYMENT_RULE_UNDEFINED
    assert not shares.payments


MARGINAL = [(50, 50, 0), (150, 135, 15), (200, 170, 30), (350, 255, 95), (450, 285, 165), (100, 100, 0), (300, 240, 60),
            (500, 300, 200)]  # fmt: skip


def marginal(packs, tmp_path):
    text = (packs / "zhuzhou" / "pooling.toml").read_text(encoding="utf-8")
    path = tmp_path / "marginal.toml"
    path.write_text(text.replace('reading = "whole"', 'reading = "marginal"'), encoding="utf-8")
    faults = Faults()
    result = load_pooling(path, faults)
    assert not faults
    return result.pick("deficit", 20210101, "310")


@pytest.mark.parametrize(("gap", "reserve", "own"), MARGINAL)
def test_der_09_zhuzhou_marginal_reading(packs, tmp_path, gap: int, reserve: int, own: int) -> None:
    rule = marginal(packs, tmp_path)
    shares = deficit.share_gaps(rule, [county(gap=gap, financing_fen=1_000)], {"reserve": 10_000})[0]
    assert (shares.payments.get("reserve", 0), shares.payments.get("county", 0)) == (reserve, own)


def test_der_09_above_half_is_undefined_in_the_marginal_reading_too(packs, tmp_path) -> None:
    years = [county(gap=600, financing_fen=1_000)]
    shares = deficit.share_gaps(marginal(packs, tmp_path), years, {"reserve": 10_000})[0]
    assert shares.problem is not None and "above the last band" in shares.problem.detail


@pytest.mark.parametrize("fund", ["reserve", "reserve@430202"])
@pytest.mark.parametrize(("balance", "cut", "levy"), [(250, False, 100), (330, False, 0), (250, True, 80)])
def test_der_10_zhuzhou_reserve_levy(packs, tmp_path, capsys, balance: int, cut: bool, levy: int, fund: str) -> None:
    """By the command, with the balance of the fund as with the county's own."""
    text = (packs / "zhuzhou" / "pooling.toml").read_text(encoding="utf-8")
    assert "cut_at_cap = false" in text
    path, counties = tmp_path / "zhuzhou.toml", tmp_path / "counties.csv"
    path.write_text(text.replace("cut_at_cap = false", f"cut_at_cap = {str(cut).lower()}"), encoding="utf-8")
    counties.write_text(
        "county,scheme,income_yuan,expenditure_yuan,carried_yuan,financing_yuan,last_financing_yuan\n"
        "430202,employee,2000,1000,0,1100,1000\n",
        encoding="utf-8",
    )
    words = ["pool", "--rules", str(path), "--year", "2021", "--counties", str(counties), "--json"]
    assert main([*words, "--fund", f"{fund}={balance}"]) == 0
    row = json.loads(capsys.readouterr().out)["counties"][0]
    assert row["levies_fen"] == {"reserve": levy * 100}
    assert row["carried_after_fen"] == (2_000 - 1_000 - levy) * 100


@pytest.mark.parametrize(("code", "shares"), [("330102", {"city": 150, "county": 150}), ("330109", {"county": 300})])
def test_der_12_hangzhou_residents(packs, code: str, shares: dict) -> None:
    rule = rules(packs, "hangzhou").pick("deficit", 20210601, "390")
    result = deficit.share_gaps(rule, [county(code, "390", gap=1_000, carried_fen=700)], {})[0]
    assert result.payments == {"own_surplus": 700, **shares}


def test_der_17_three_year_weighting() -> None:
    assert capitation.weighted_share_ppm([280_000, 300_000, 310_000], [200_000, 300_000, 500_000]) == 301_000


def test_taizhou_shares_and_its_shortage(packs) -> None:
    """Own surplus, then collected fund and county half each; what the fund lacks city : county = 2 : 8."""
    rule = rules(packs, "taizhou").pick("deficit", 20230101, "310")
    years = [county("331002", gap=1_000, carried_fen=200), county("331003", gap=400), county("331004", gap=-50)]
    full = deficit.share_gaps(rule, years, {"collected": 600})
    assert [result.payments for result in full] == [
        {"own_surplus": 200, "collected": 400, "county": 400},
        {"collected": 200, "county": 200},
        {},
    ]
    short = deficit.share_gaps(rule, years, {"collected": 300})
    assert short[0].payments == {"own_surplus": 200, "collected": 200, "county": 400 + 160, "city": 40}
    assert short[1].payments == {"collected": 100, "county": 200 + 80, "city": 20}
    assert [result.carried_after_fen for result in short] == [0, 0, 50]


@pytest.mark.parametrize(
    ("code", "city"), [("500103", 500), ("500101", 550), ("500235", 600)]
)  # fmt: skip
def test_chongqing(packs, code: str, city: int) -> None:
    rule = rules(packs, "pooling_examples/chongqing.toml").pick("deficit", 20130101, "390")
    assert deficit.share_gaps(rule, [county(code, gap=1_000)], {})[0].payments == {"city": city, "county": 1_000 - city}


@pytest.mark.parametrize(
    ("plan", "actual", "income", "fund"),
    [
        (1_000, 1_500, 1_000, 240),  # 500 above plan, 300 eligible: the fund 240, the county 60 and the 200 above
        (1_000, 1_050, 900, 40),  # 50 above plan; the 100 of income below plan are no overspend
        (1_000, 1_000, 900, 0),
        (1_000, 900, 800, 0),
        (1_000, 1_200, 1_150, 40),  # never more than the gap
    ],
)
def test_guangyuan_pays_eighty_percent_of_the_overspend_above_plan(
    packs, tmp_path, capsys, plan: int, actual: int, income: int, fund: int
) -> None:
    """R43: plan and actual spending are measured apart from income."""
    counties = tmp_path / "counties.csv"
    counties.write_text(
        "county,scheme,income_yuan,expenditure_yuan,carried_yuan,plan_expenditure_yuan,last_financing_yuan\n"
        f"510802,employee,{income},{actual},0,{plan},0\n",
        encoding="utf-8",
    )
    path = packs / "pooling_examples" / "guangyuan.toml"
    words = ["pool", "--rules", str(path), "--year", "2009", "--counties", str(counties), "--json"]
    assert main([*words, "--fund", "adjustment=10000"]) == 0
    payments = json.loads(capsys.readouterr().out)["counties"][0]["payments_fen"]
    assert payments.get("adjustment", 0) == fund * 100
    assert sum(payments.values()) == max(0, actual - income) * 100


def test_lishui_grant_is_at_most_what_the_treasury_paid(packs) -> None:
    rule = rules(packs, "pooling_examples/lishui.toml").pick("deficit", 20120101, "310")
    year = county(gap=500, last_expenditure_fen=12_000, contribution_base_fen=15_000, treasury_paid_fen=200)
    result = deficit.share_gaps(rule, [year], {"adjustment": 10_000})[0]
    assert result.payments == {"county": 300, "adjustment": 200}


def test_huzhou_capacity_of_2020() -> None:
    """73.43 at 17.06 months and 9.56 at 6.08 months imply 51.65 + 18.87 = 70.52; printed 70.51 (亿)."""
    implied = Fraction("73.43") * 12 / Fraction("17.06") + Fraction("9.56") * 12 / Fraction("6.08")
    assert f"{float(implied):.2f}" == "70.52"


def figures(income: int, spent: int, balance: int, last: int) -> warning.Figures:
    months, surplus = warning.months_of_capacity(balance, spent), warning.surplus_rate(income, spent)
    return warning.Figures(months, surplus, Fraction(spent - last, last))


def test_huzhou_targets_are_warnings(packs) -> None:
    lines = rules(packs, "huzhou").pick("warnings", 20220101, "310")
    found = warning.warnings("湖州", figures(1_000, 950, 400, 800), lines)
    assert [entry.line for entry in found] == ["capacity target", "surplus rate", "growth"]
    assert [entry.figure for entry in found] == ["5.05", "5.00%", "18.75%"]
    assert not warning.warnings("湖州", figures(1_000, 850, 500, 800), lines)


@pytest.mark.parametrize(("scheme", "months"), [("310", 3), ("390", 1)])
def test_taizhou_transfers_months_of_payments(packs, scheme: str, months: int) -> None:
    """Each county transfers enough for three months of payments (employees), one month (residents)."""
    year = county("331002", scheme, last_expenditure_fen=120_000)
    result = pool_year(rules(packs, "taizhou"), 2023, [year], {"collected": 0})
    assert result.rows[0].levies["collected"].due_fen == 10_000 * months
    partly = pool_year(rules(packs, "taizhou"), 2023, [year], {"collected": 0, "collected@331002": 4_000})
    assert partly.rows[0].levies["collected"].due_fen == 10_000 * months - 4_000


@pytest.mark.parametrize(("balance", "levy"), [(600, 100), (659, 100), (660, 0)])
def test_zhuzhou_levy_stops_when_the_fund_has_reached_its_share(packs, balance: int, levy: int) -> None:
    """30 % of the pooled financing of both counties, 2,200, is 660."""
    years = [county(code, financing_fen=1_100, last_financing_fen=1_000) for code in ("430202", "430203")]
    result = pool_year(rules(packs, "zhuzhou"), 2021, years, {"reserve": balance})
    assert [row.levies["reserve"].due_fen for row in result.rows] == [levy] * 2
