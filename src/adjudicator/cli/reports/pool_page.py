"""The HTML page of a pooling year: one file without scripts; charts are inline SVG beside their figures."""

from __future__ import annotations

from html import escape

from adjudicator.cli.reports.pages import TEMPLATES
from adjudicator.codes import scheme_zh
from adjudicator.money import fen_to_yuan
from adjudicator.pooling.deficit import OWN_SURPLUS
from adjudicator.pooling.warning import Warning
from adjudicator.pooling.year import CountyRow, PoolYear

PAYER_NAMES = {
    OWN_SURPLUS: "本级累计结余", "reserve": "调剂金", "collected": "归集基金", "risk": "风险调剂金",
    "adjustment": "调剂金", "county": "县级财政", "city": "市级财政", "district": "区级财政",
}  # fmt: skip
CAPACITY_NAMES = {"low": "过低", "normal": "正常", "high": "过多", "unnamed": "—"}
COLOURS = ("#2f6f8f", "#d08c32", "#7a5c99", "#4f8a4b", "#b5504b", "#6b6b6b")
"""One a payer; told apart by lightness too, and every bar has its figure in the table."""

ROW, BAR, LEFT, WIDTH = 30, 18, 150, 900

STYLE = (TEMPLATES / "page.css").read_text("utf-8")


def render(result: PoolYear) -> str:
    """Return the page as HTML text."""
    payers = result.payers
    colours = {payer: COLOURS[place % len(COLOURS)] for place, payer in enumerate(payers)}
    parts = [
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(result.name)} {result.year} 统筹基金年度</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(result.name)} · {result.year} 年度统筹基金收支与缺口分担</h1>",
        "<p>Pooling year: income, spending, gap and who pays it. 金额单位：元。</p>",
        _figures(result),
        "<h2>缺口由谁承担</h2>" + _gap_chart(result, payers, colours),
        _gap_table(result, payers),
        _fund_table(result),
        "<h2>支付能力（月）</h2>" + _capacity_note(result) + _capacity_chart(result),
        _capacity_table(result),
        _old_gaps(result),
        _warnings(result),
        _notes(result),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _figures(result: PoolYear) -> str:
    """One line of figures a scheme: their funds are kept apart and never add up."""
    parts = []
    for scheme in dict.fromkeys(row.shares.year.scheme for row in result.rows):
        rows = [row for row in result.rows if row.shares.year.scheme == scheme]
        income = sum(row.shares.year.income_fen for row in rows)
        spent = sum(row.shares.year.expenditure_fen for row in rows)
        gap = sum(max(0, row.shares.year.gap_fen) for row in rows)
        after = sum(row.shares.carried_after_fen for row in rows)
        crossed = [entry for entry in _all_warnings(result) if entry.subject.endswith(f" {scheme}")]
        boxes = [
            ("收入", yuan(income)), ("支出", yuan(spent)), ("区县缺口合计", yuan(gap)),
            ("年末累计结余", yuan(after)), ("预警", f"{len(crossed)} 项"),
        ]  # fmt: skip
        cells = "".join(f"<div><span>{name}</span><b>{value}</b></div>" for name, value in boxes)
        parts.append(f'<h2>{_scheme(scheme)}基金</h2><div class="figures">{cells}</div>')
    return "".join(parts)


def _all_warnings(result: PoolYear) -> list[Warning]:
    return [*result.warnings, *(entry for row in result.rows for entry in row.warnings)]


def _scheme(code: str) -> str:
    return escape(scheme_zh(code))


def yuan(fen: int) -> str:
    """Yuan with thousands separators.

    >>> yuan(-123456789)
    '-1,234,567.89'
    """
    text = fen_to_yuan(abs(fen))
    whole, _, cents = text.partition(".")
    return f"{'-' if fen < 0 else ''}{int(whole):,}.{cents}"


def _label(row: CountyRow) -> str:
    year = row.shares.year
    return escape(f"{year.name} {scheme_zh(year.scheme)}")


def _payer(name: str) -> str:
    return escape(PAYER_NAMES.get(name, name))


def _gap_chart(result: PoolYear, payers: list[str], colours: dict[str, str]) -> str:
    rows = [row for row in result.rows if row.shares.year.gap_fen > 0]
    if not rows:
        return "<p>没有区县出现缺口。</p>"
    largest = max(row.shares.year.gap_fen for row in rows)
    span, height = WIDTH - LEFT - 150, ROW * len(rows) + 10
    bars = []
    for place, row in enumerate(rows):
        top, x = place * ROW + 6, float(LEFT)
        bars.append(f'<text x="{LEFT - 10}" y="{top + 14}" text-anchor="end">{_label(row)}</text>')
        for payer in payers:
            amount = row.shares.payments.get(payer, 0)
            width = amount * span / largest
            if amount:
                title = f"<title>{_label(row)} {_payer(payer)} {yuan(amount)}</title>"
                bars.append(
                    f'<rect x="{x:.1f}" y="{top}" width="{max(width, 1):.1f}" height="{BAR}" fill="{colours[payer]}">'
                    f"{title}</rect>"
                )
            x += width
        bars.append(f'<text class="soft" x="{x + 8:.1f}" y="{top + 14}">{yuan(row.shares.year.gap_fen)}</text>')
    key = "".join(f'<span><i style="background:{colours[payer]}"></i>{_payer(payer)}</span>' for payer in payers)
    return (
        f'<div class="key">{key}</div><svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="缺口分担">'
        + "".join(bars) + "</svg>"
    )  # fmt: skip


def _gap_table(result: PoolYear, payers: list[str]) -> str:
    heads = ["区县", "收入", "支出", "缺口", *(_payer(payer) for payer in payers), "年末结余"]
    lines = []
    for row in result.rows:
        year = row.shares.year
        cells = [yuan(year.income_fen), yuan(year.expenditure_fen), yuan(max(0, year.gap_fen))]
        cells += [yuan(row.shares.payments.get(payer, 0)) for payer in payers] + [yuan(row.shares.carried_after_fen)]
        lines.append(f"<tr><td>{_label(row)}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return _table(heads, lines + _totals(result, payers))


def _totals(result: PoolYear, payers: list[str]) -> list[str]:
    """Return a line of sums a scheme, so that a reader can check that the payers make up the gap."""
    lines = []
    for scheme in dict.fromkeys(row.shares.year.scheme for row in result.rows):
        rows = [row for row in result.rows if row.shares.year.scheme == scheme]
        years = [row.shares.year for row in rows]
        sums = [sum(year.income_fen for year in years), sum(year.expenditure_fen for year in years)]
        sums += [sum(max(0, year.gap_fen) for year in years)]
        sums += [sum(row.shares.payments.get(payer, 0) for row in rows) for payer in payers]
        sums += [sum(row.shares.carried_after_fen for row in rows)]
        cells = "".join(f"<td>{yuan(amount)}</td>" for amount in sums)
        lines.append(f'<tr class="sum"><td>{_scheme(scheme)}合计</td>{cells}</tr>')
    return lines


def _fund_table(result: PoolYear) -> str:
    """Return the opening balance, what was paid to gaps, what the counties owe it, and what is left."""
    if not result.funds:
        return ""
    lines = [
        f"<tr><td>{_scheme(one.scheme)}{_payer(one.fund)}</td>"
        + "".join(f"<td>{yuan(fen)}</td>" for fen in (one.before_fen, one.paid_fen, one.levied_fen, one.after_fen))
        + "</tr>"
        for one in result.funds
    ]
    return "<h2>调剂类基金余额</h2>" + _table(["基金", "年初余额", "本年支付", "本年应上解", "年末余额"], lines)


def _table(heads: list[str], lines: list[str]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _capacity_note(result: PoolYear) -> str:
    lines = result.lines
    low, start, end, high = (
        f"{value / 100:g}"
        for value in (lines.low_months_e2, lines.normal_from_e2, lines.normal_to_e2, lines.high_months_e2)
    )
    return (
        f"<p>年末累计结余 ÷ 当年月均支出。低于 {low} 个月为过低，{start}–{end} 个月为正常，"
        f"高于 {high} 个月为过多（红色虚线为过低、过多线）。</p>"
    )


def _capacity_chart(result: PoolYear) -> str:
    lines = result.lines
    limits = [(f"{value / 100:g}", value) for value in
              (lines.low_months_e2, lines.normal_from_e2, lines.normal_to_e2, lines.high_months_e2)]  # fmt: skip
    largest = max([row.months_e2 for row in result.rows] + [limits[-1][1] * 11 // 10])
    span, height = WIDTH - LEFT - 110, ROW * len(result.rows) + 34
    drawn = []
    for text, value in limits:
        x = LEFT + value * span / largest
        style = "limit" if value in (lines.low_months_e2, lines.high_months_e2) else "axis"
        drawn.append(f'<line class="{style}" x1="{x:.1f}" y1="18" x2="{x:.1f}" y2="{height - 6}"/>')
        drawn.append(f'<text class="soft" x="{x:.1f}" y="13" text-anchor="middle">{text}</text>')
    for place, row in enumerate(result.rows):
        top, width = place * ROW + 24, max(0, row.months_e2) * span / largest
        colour = COLOURS[4] if row.capacity in ("low", "high") else COLOURS[0]
        drawn.append(f'<text x="{LEFT - 10}" y="{top + 14}" text-anchor="end">{_label(row)}</text>')
        drawn.append(
            f'<rect x="{LEFT}" y="{top}" width="{max(width, 1):.1f}" height="{BAR}" fill="{colour}"/>'
            f'<text class="soft" x="{LEFT + width + 8:.1f}" y="{top + 14}">{row.months_e2 / 100:.2f}</text>'
        )
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="支付能力">' + "".join(drawn) + "</svg>"


def _capacity_table(result: PoolYear) -> str:
    lines = []
    for row in result.rows:
        kind = CAPACITY_NAMES[row.capacity]
        mark = ' class="alarm"' if row.capacity in ("low", "high") else ""
        levies = "、".join(f"{_payer(name)} {yuan(amount)}" for name, amount in row.levies_fen.items()) or "—"
        lines.append(
            f"<tr><td>{_label(row)}</td><td>{row.months_e2 / 100:.2f}</td><td{mark}>{kind}</td>"
            f"<td>{row.surplus_ppm / 10_000:.2f}%</td><td>{levies}</td></tr>"
        )
    return _table(["区县", "支付能力（月）", "等级", "当年结余率", "应上解"], lines)


def _old_gaps(result: PoolYear) -> str:
    rows = [row for row in result.rows if row.old_gap_fen]
    if not rows:
        return ""
    years = max(len(row.old_gap_fen) for row in rows)
    lines = []
    for row in rows:
        parts = [yuan(amount) for amount in row.old_gap_fen] + [""] * (years - len(row.old_gap_fen))
        cells = "".join(f"<td>{part}</td>" for part in (yuan(sum(row.old_gap_fen)), *parts))
        lines.append(f"<tr><td>{_label(row)}</td>{cells}</tr>")
    heads = ["区县", "历史缺口", *(f"第 {number + 1} 年" for number in range(years))]
    return "<h2>历史缺口偿还计划</h2>" + _table(heads, lines)


def _warnings(result: PoolYear) -> str:
    found = _all_warnings(result)
    if not found:
        return ""
    lines = [
        f'<tr><td>{escape(subject_text(entry.subject))}</td><td class="text">{escape(entry.text_zh)}</td>'
        f'<td class="alarm">{escape(entry.figure)}</td><td>{escape(entry.limit)}</td></tr>'
        for entry in found
    ]
    table = _table(["对象", "预警", "实际", "警戒线"], lines)
    return "<h2>预警</h2>" + table.replace("<th>预警</th>", '<th class="text">预警</th>')


def subject_text(text: str) -> str:
    """Return a warning's subject with the name of its scheme.

    >>> subject_text("武陵县 310")
    '武陵县 职工'
    """
    name, _, scheme = text.rpartition(" ")
    return f"{name} {scheme_zh(scheme)}"


def _notes(result: PoolYear) -> str:
    notes = [
        f"{_label(row)}：{_payer(fund)}余额不足，应付 {yuan(asked)} 元，实付 {yuan(paid)} 元"
        for row in result.rows
        for fund, paid, asked in row.shares.cut
    ]
    notes += [f"依据：{escape(text)}" for text in result.documents]
    notes += [f"规则未经与文件核对：{escape(text)}" for text in result.unverified]
    if not notes:
        return ""
    return '<div class="note">' + "<br>".join(notes) + "</div>"
