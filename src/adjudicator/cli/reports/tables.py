"""Settlements and county tables as a person reads them: yuan, Chinese names, the national field names beside them.

Column widths count a Chinese character as two columns, as terminals do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from adjudicator.codes import Fund, Method, Scheme, fund_type
from adjudicator.money import fen_to_yuan
from adjudicator.v1 import pooling_pb2, settlement_pb2

AMOUNTS: tuple[tuple[str, str, str], ...] = (
    ("total_fen", "medfee_sumamt", "医疗费总额"),
    ("wholly_self_paid_fen", "fulamt_ownpay_amt", "全自费金额"),
    ("over_ceiling_fen", "overlmt_selfpay", "超限价自费费用"),
    ("first_pay_fen", "preselfpay_amt", "先行自付金额"),
    ("in_scope_fen", "inscp_scp_amt", "符合政策范围金额"),
    ("deductible_fen", "act_pay_dedc", "实际支付起付线"),
    ("pooled_fund_fen", "hifp_pay", "统筹基金支出"),
    ("large_sum_fen", "hifob_pay", "职工大额医疗费用补助"),
    ("catastrophic_fen", "hifmi_pay", "居民大病保险"),
    ("civil_servant_fen", "cvlserv_pay", "公务员医疗补助"),
    ("enterprise_fen", "hifes_pay", "企业补充医疗保险"),
    ("assistance_fen", "maf_pay", "医疗救助"),
    ("other_fund_fen", "oth_pay", "其他支出"),
    ("hospital_borne_fen", "hosp_part_amt", "医院负担金额"),
    ("fund_total_fen", "fund_pay_sumamt", "基金支付总额"),
    ("personal_total_fen", "psn_part_amt", "个人负担总金额"),
    ("account_fen", "acct_pay", "个人账户支出"),
    ("family_account_fen", "acct_mulaid_pay", "个人账户共济支付"),
    ("cash_fen", "psn_cash_pay", "个人现金支出"),
)
"""Amounts of the national result (结算信息): our field, the national one, its Chinese name."""

OUTCOMES = {
    settlement_pb2.OUTCOME_TRIAL: "预结算",
    settlement_pb2.OUTCOME_SETTLED: "已结算",
    settlement_pb2.OUTCOME_REVERSED: "已冲销",
    settlement_pb2.OUTCOME_REFUSED: "已拒绝",
}

METHODS_ZH = {
    Method.NONE: "—",
    Method.BY_ITEM: "按项目",
    Method.SINGLE_DISEASE: "按病种",
    Method.OUTPATIENT_POINTS: "门诊点数",
    Method.DRG_POINTS: "DRG点数",
    Method.BED_DAY: "按床日",
    Method.CAPITATION: "按人头",
    Method.DAY_SURGERY: "日间手术",
    Method.QUOTA: "定额",
}

SCHEMES_ZH = {"310": "职工", "390": "居民", "340": "离休", "510": "生育"}
FUND_COLUMNS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("claims", "笔数", (fund_type(Scheme.EMPLOYEE, Fund.CLAIMS),)),
    ("total_cost", "医疗费总额", (fund_type(Scheme.EMPLOYEE, Fund.TOTAL_COST),)),
    ("pooled", "统筹基金", tuple(fund_type(scheme, Fund.POOLED) for scheme in Scheme)),
    ("large_sum", "大额补助", (fund_type(Scheme.EMPLOYEE, Fund.LARGE_SUM),)),
    ("catastrophic", "大病保险", (fund_type(Scheme.RESIDENT, Fund.CATASTROPHIC),)),
    ("assistance", "医疗救助", (fund_type(Scheme.RESIDENT, Fund.ASSISTANCE),)),
    ("account", "个人账户", (fund_type(Scheme.EMPLOYEE, Fund.ACCOUNT),)),
    ("provider_due", "应付医院", (fund_type(Scheme.EMPLOYEE, Fund.PROVIDER_DUE),)),
)
"""Columns of the county table: name, Chinese heading, the fund payment types that are added up in it."""


def width(text: str) -> int:
    """Columns that a terminal needs.

    >>> width("统筹 a")
    6
    """
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def pad(text: str, columns: int, right: bool = False) -> str:
    """Text filled up to a number of columns."""
    space = " " * max(0, columns - width(text))
    return space + text if right else text + space


def settlement_lines(answer: settlement_pb2.Settlement) -> list[str]:
    """One settlement: head, amounts that are not zero, DRG and provider payment, remarks."""
    head = f"{OUTCOMES.get(answer.outcome, '?')}  {answer.institution_code}  就诊 {answer.encounter_id}"
    lines = [f"{head}  第 {answer.settlement_sequence} 次  结算ID {answer.settlement_id or '—'}"]
    for field, national, chinese in AMOUNTS:
        amount_fen = getattr(answer, field)
        if amount_fen or field in ("total_fen", "fund_total_fen", "cash_fen"):
            lines.append(f"  {pad(chinese, 24)}{pad(national, 20)}{fen_to_yuan(amount_fen):>14} 元")
    if answer.grouping.drg:
        lines.append(f"  {pad('病组', 24)}{pad('DRG', 20)}{answer.grouping.drg:>14}")
    if answer.payment.method:
        method = METHODS_ZH.get(Method(answer.payment.method), "其他")
        due = fen_to_yuan(answer.payment.due_fen)
        lines.append(f"  {pad(f'应付医院（{method}）', 24)}{pad('', 20)}{due:>14} 元")
    for problem in answer.problems:
        lines.append(f"  {'提示' if problem.warning else '拒绝'} {problem.code} {problem.field} {problem.message_zh}")
    if answer.unverified_rules:
        lines.append("  注：所用规则中有尚未与文件核对的数值")
    lines.append(f"  规则 {answer.rules_version} ({answer.rules_hash})")
    return lines


def county_table(totals: pooling_pb2.CountyTotals, names: dict[str, str] | None = None) -> list[str]:
    """The totals of a pool: one row a county and scheme, one column a fund, the sum of all below."""
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for row in totals.rows:
        cells = sums.setdefault((row.county, row.scheme), {})
        for name, _, funds in FUND_COLUMNS:
            if row.fund in funds:
                cells[name] = cells.get(name, 0) + row.amount_fen
    used = [column for column in FUND_COLUMNS if any(cells.get(column[0]) for cells in sums.values())]
    rows = [["县（市、区）", "险种", *(heading for _, heading, _ in used)]]
    for (county, scheme), cells in sorted(sums.items()):
        label = " ".join(filter(None, (county, (names or {}).get(county, ""))))
        rows.append([label, SCHEMES_ZH.get(scheme, scheme), *_cells(cells, used)])
    whole = {name: sum(cells.get(name, 0) for cells in sums.values()) for name, _, _ in used}
    rows.append(["合计", "", *_cells(whole, used)])
    return table_lines(rows, left_columns=2)


def table_lines(rows: Sequence[Sequence[str]], left_columns: int = 1) -> list[str]:
    """Rows in columns; the first is the heading, numbers stand to the right."""
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = [pad(cell, widths[i], right=i >= left_columns) for i, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
        if number in (0, len(rows) - 2):
            lines.append("─" * (sum(widths) + 2 * (len(widths) - 1)))
    return lines


def _cells(cells: dict[str, int], used: Sequence[tuple[str, str, tuple[str, ...]]]) -> list[str]:
    return [str(cells.get(name, 0)) if name == "claims" else fen_to_yuan(cells.get(name, 0)) for name, _, _ in used]
