"""Settlements and county tables as a person reads them: yuan, Chinese names, the national field names beside them.

Column widths count a Chinese character as two columns, as terminals do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from adjudicator.codes import Method, scheme_zh
from adjudicator.money import fen_to_yuan
from adjudicator.payers import ACCOUNTS, PAYERS, Fund, Identity, Payer, of
from adjudicator.payment.registry import NAMES_ZH
from adjudicator.v1 import pooling_pb2, settlement_pb2


def _amounts(*identities: Identity) -> tuple[tuple[str, str, str], ...]:
    return tuple((payer.field, payer.national, payer.national_zh) for payer in PAYERS if payer.identity in identities)


AMOUNTS: tuple[tuple[str, str, str], ...] = (
    ("total_fen", "medfee_sumamt", "医疗费总额"),
    ("wholly_self_paid_fen", "fulamt_ownpay_amt", "全自费金额"),
    ("over_ceiling_fen", "overlmt_selfpay", "超限价自费费用"),
    ("first_pay_fen", "preselfpay_amt", "先行自付金额"),
    ("in_scope_fen", "inscp_scp_amt", "符合政策范围金额"),
    ("deductible_fen", "act_pay_dedc", "实际支付起付线"),
    *_amounts(Identity.FUND, Identity.HOSPITAL),
    ("fund_total_fen", "fund_pay_sumamt", "基金支付总额"),
    ("personal_total_fen", "psn_part_amt", "个人负担总金额"),
    *_amounts(Identity.ACCOUNT, Identity.CASH),
)
"""Amounts of the national result (结算信息): our field, the national one, its Chinese name."""

OUTCOMES = {
    settlement_pb2.OUTCOME_TRIAL: "预结算",
    settlement_pb2.OUTCOME_SETTLED: "已结算",
    settlement_pb2.OUTCOME_REVERSED: "已冲销",
    settlement_pb2.OUTCOME_REFUSED: "已拒绝",
}

_COUNT = of(Fund.CLAIMS).id
_FIRST = (Fund.CLAIMS, Fund.TOTAL_COST)
COLUMNS: tuple[Payer, ...] = tuple(
    sorted((payer for payer in PAYERS + ACCOUNTS if payer.fund is not None), key=lambda one: one.fund not in _FIRST)
)
"""Columns of a table of totals: the number of settlements and the cost, the payers, then what institutions are owed."""


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
        method = NAMES_ZH[Method(answer.payment.method)]
        due = fen_to_yuan(answer.payment.due_fen)
        lines.append(f"  {pad(f'应付医院（{method}）', 24)}{pad('', 20)}{due:>14} 元")
    for problem in answer.problems:
        lines.append(f"  {'提示' if problem.warning else '拒绝'} {problem.code} {problem.field} {problem.message_zh}")
    if answer.unverified_rules:
        lines.append("  注：所用规则中有尚未与文件核对的数值")
    lines.append(f"  规则 {answer.rules_version} ({answer.rules_hash})")
    return lines


def county_table(totals: pooling_pb2.CountyTotals, names: dict[str, str] | None = None) -> list[str]:
    """Return the totals of a pool: one row a county and scheme, one column a payer or account, the sum of all below.

    A column is printed where some row has money in it. A fund type that no column has gets a column under its own name,
    so that no money of the county is left out.
    """
    headings = {payer.id: payer.zh_short for payer in COLUMNS}
    column_of = {code: payer.id for payer in COLUMNS for code in payer.codes}
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for row in totals.rows:
        cells = sums.setdefault((row.county, row.scheme), {})
        column = column_of.get(row.fund, row.fund)
        cells[column] = cells.get(column, 0) + row.amount_fen
    unknown = sorted({column for cells in sums.values() for column in cells} - set(headings))
    used = [name for name in (*headings, *unknown) if any(cells.get(name) for cells in sums.values())]
    rows = [["县（市、区）", "险种", *(headings.get(name, name) for name in used)]]
    for (county, scheme), cells in sorted(sums.items()):
        label = " ".join(filter(None, (county, (names or {}).get(county, ""))))
        rows.append([label, scheme_zh(scheme), *_cells(cells, used)])
    whole = {name: sum(cells.get(name, 0) for cells in sums.values()) for name in used}
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


def _cells(cells: dict[str, int], used: Sequence[str]) -> list[str]:
    return [str(cells.get(name, 0)) if name == _COUNT else fen_to_yuan(cells.get(name, 0)) for name in used]
