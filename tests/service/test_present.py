"""Settlements and county tables as a person reads them."""

from adjudicator import payers
from adjudicator.cli.reports.tables import county_table, settlement_lines, width
from adjudicator.payers import Fund
from adjudicator.v1 import pooling_pb2, settlement_pb2


def test_a_settlement_names_each_amount_in_chinese_and_nationally_and_leaves_out_what_is_zero():
    answer = settlement_pb2.Settlement(
        outcome=settlement_pb2.OUTCOME_SETTLED, institution_code="H1", encounter_id="E1", settlement_sequence=1,
        total_fen=1_234_56, in_scope_fen=1_234_56, pooled_fund_fen=1_000_00, fund_total_fen=1_000_00,
        personal_total_fen=234_56, cash_fen=234_56, rules_version="toy@2024-01-01", rules_hash="0" * 16,
        unverified_rules=True,
    )  # fmt: skip
    answer.problems.add(code="ADJ-8004", field="payment", message_zh="没有点值", warning=True)
    text = "\n".join(settlement_lines(answer))
    for part in (
        "已结算",
        "医疗费总额",
        "medfee_sumamt",
        "1234.56 元",
        "统筹基金支出",
        "1000.00 元",
        "提示 ADJ-8004",
        "尚未与文件核对",
    ):
        assert part in text
    assert "医疗救助" not in text
    amounts = [line for line in settlement_lines(answer) if line.endswith("元")]
    assert len({width(line) for line in amounts}) == 1, "amounts stand below each other"


def test_the_county_table_has_a_row_for_each_county_and_scheme_and_their_sum():
    totals = pooling_pb2.CountyTotals(pool="330100")
    for county, scheme, fund, amount in (
        ("330102", "310", "310100", 5_00), ("330102", "390", "390100", 7_00), ("330106", "390", "390100", 1_00),
        ("330102", "390", "claims", 2), ("330106", "390", "claims", 1), ("330106", "390", "390100", 1_00),
    ):  # fmt: skip
        totals.rows.add(county=county, scheme=scheme, fund=fund, month=202501, amount_fen=amount)
    lines = county_table(totals, {"330102": "上城区"})
    assert "上城区" in lines[2]
    assert "职工" in lines[2]
    assert lines[-1].split() == ["合计", "3", "14.00"]
    assert "330106" in lines[4]
    assert lines[4].endswith("2.00")
    assert len({width(line) for line in lines}) == 1


def test_the_county_table_shows_every_payer_and_account_and_sums_them_all():
    totals = pooling_pb2.CountyTotals(pool="330100")
    shown = ("310100", "320100", "370100", "999997", "999996", "family_account", "provider_final")
    for amount, fund in enumerate(shown, 1):
        totals.rows.add(county="330102", scheme="310", fund=fund, month=202501, amount_fen=amount * 100)
    heading, _, row, _, whole = county_table(totals)
    assert heading.split()[2:] == [
        "统筹基金", "公务员补助", "企业补充", "其他支出", "医院负担", "家庭共济", "月度应付"
    ]  # fmt: skip
    assert row.split()[2:] == ["1.00", "2.00", "3.00", "4.00", "5.00", "6.00", "7.00"]
    assert whole.split()[1:] == row.split()[2:]


def test_the_county_table_leaves_no_code_of_the_table_of_payers_out():
    for payer in payers.LEDGER:
        for code in payer.codes:
            totals = pooling_pb2.CountyTotals(pool="330100")
            totals.rows.add(county="330102", scheme="310", fund=code, month=202501, amount_fen=1)
            heading, *_, whole = county_table(totals)
            assert heading.split()[2:] == [payer.zh_short]
            assert whole.split()[1:] == ["1" if payer.fund is Fund.CLAIMS else "0.01"]


def test_the_county_table_shows_money_of_a_fund_that_a_newer_server_added():
    totals = pooling_pb2.CountyTotals(pool="330100")
    totals.rows.add(county="330102", scheme="310", fund="380100", month=202501, amount_fen=250)
    heading, *_, whole = county_table(totals)
    assert heading.split()[2:] == ["380100"]
    assert whole.split()[1:] == ["2.50"]


def test_an_empty_ledger_has_an_empty_table():
    assert county_table(pooling_pb2.CountyTotals(pool="330100"))[-1].strip().startswith("合计")
