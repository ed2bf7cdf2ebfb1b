"""The reports of budgets: which tables, figures and bars a plan, an execution and a final account have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TypeVar

from adjudicator.cli.reports.parts import (
    Column,
    Meter,
    Report,
    Section,
    Unit,
    lacking_table,
    part,
    rate,
    unit_for,
    warning_table,
)
from adjudicator.cli.reports.pool_page import NOT_COMPUTED, Table, levies_text, subject_text
from adjudicator.codes import scheme_zh
from adjudicator.pooling.budget.execution import Executed, Execution
from adjudicator.pooling.budget.figures import added, fund_zh, place_zh
from adjudicator.pooling.budget.final import Account, Final
from adjudicator.pooling.budget.funding import Funded
from adjudicator.pooling.budget.performance import Assessment
from adjudicator.pooling.budget.plan import Plan, PlanLine
from adjudicator.pooling.budget.terms import Place
from adjudicator.pooling.counties.warning import decimal, percent
from adjudicator.pooling.counties.year import CountyRow
from adjudicator.pooling.rules import PoolingRules
from adjudicator.rounding import PPM
from adjudicator.rulefile.evidence import EVIDENCE_ZH

Item = TypeVar("Item")
METER_PERCENT = 120
"""Share of the budget at the right end of a progress meter."""
EXPECTED_TEXT = (
    "预计全年有两种算法：直线法 = 已支出 × 12 ÷ 已过月数；"
    "按上年进度 = 已支出 × 上年全年 ÷ 上年同期。均不含年度清算差额。"
)


def plan_report(
    plan: Plan, funding: Sequence[Funded], rules: PoolingRules, date: int, unit: Unit | None = None
) -> Report:
    """Return the report of a budget; without a unit in the one that fits a page."""
    unit = unit or unit_for(amount for line in plan.lines for amount in (line.spending_fen, line.last_spending_fen))
    report = _report(f"{plan.name} {plan.year} 年基金预算", "Budget of the year by county and fund.", unit, rules, date)
    rows = (
        {} if plan.pool is None else {(row.shares.year.scheme, row.shares.year.county): row for row in plan.pool.rows}
    )
    for (scheme, fund), lines in _by_fund(plan.lines, lambda line: line.place):
        report.sections.append(_plan_section(fund_zh(scheme, fund), lines, rows, unit))
    report.sections += _funding_sections(funding, unit, _funding_plan_table)
    pool = plan.pool
    if pool is not None:
        found = [*pool.warnings, *(entry for row in pool.rows for entry in row.warnings)]
        report.warnings = warning_table((subject_text(entry.subject), entry) for entry in found)
    report.lacking, report.notes = lacking_table(plan.lacking), plan.notes
    return report


def _report(title: str, subtitle: str, unit: Unit, rules: PoolingRules, date: int) -> Report:
    sources = [
        f"依据：{source.document}"
        + (f"：{source.clause}" if source.clause else "")
        + f"（{EVIDENCE_ZH[source.evidence]}）"
        for source in rules.budget_sources(date)
    ]
    return Report(title, subtitle, unit, sources=list(dict.fromkeys(sources)))


def _by_fund(items: Iterable[Item], place_of: Callable[[Item], Place]) -> list[tuple[tuple[str, str], list[Item]]]:
    found: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        place = place_of(item)
        found.setdefault((place.scheme, place.fund), []).append(item)
    return list(found.items())


def _plan_section(title: str, lines: Sequence[PlanLine], rows: dict[tuple[str, str], CountyRow], unit: Unit) -> Section:
    heads = [
        "区县", "上年支出", "商定增幅", "支出预算", "比上年", "收入预算", "年初结余", "年末结余", "支付能力（月）",
        "结余率", "应上解",
    ]  # fmt: skip
    cells = []
    for line in lines:
        row = rows.get((line.place.pooled_as, line.place.county))
        figures = None if row is None else row.figures
        agreed = "—" if line.growth_ppm is None else percent(Fraction(line.growth_ppm, PPM))
        balance = line.balance_fen if row is None else row.balance_fen
        cells.append(
            [
                line.name, unit.text(line.last_spending_fen) + ("（预计）" if line.is_expected else ""), agreed,
                unit.text(line.spending_fen), rate(line.growth), unit.text(line.income_fen),
                unit.text(line.carried_fen), unit.text(balance),
                _months(None if figures is None else figures.months, row is not None),
                "—" if figures is None else rate(figures.surplus),
                "—" if row is None else levies_text(row.levies, unit.text) or "—",
            ]
        )  # fmt: skip
    sums = [
        added([getattr(line, name) for line in lines])
        for name in ("last_spending_fen", "spending_fen", "income_fen", "carried_fen")
    ]
    last, spending, income, carried = (unit.text(amount) for amount in sums)
    total = ["合计", last, "", spending, _growth(sums[1], sums[0]), income, carried, "", "", "", ""]
    largest = max((line.spending_fen or 0 for line in lines), default=0)
    largest = max([largest, *(line.last_spending_fen or 0 for line in lines)])
    meters = [
        Meter(
            line.name,
            [("last", part(line.last_spending_fen, largest), f"上年 {unit.text(line.last_spending_fen)}"),
             ("now", part(line.spending_fen, largest), f"预算 {unit.text(line.spending_fen)}")],
            unit.text(line.spending_fen),
        )
        for line in lines
    ]  # fmt: skip
    boxes = [("支出预算", spending), ("收入预算", income), ("比上年", total[4])]
    key = [("last", "上年支出"), ("now", "支出预算")]
    return Section(title, Table(heads, cells, [total]), boxes=boxes, key=key, meters=meters)


def _growth(amount: int | None, last: int | None) -> str:
    return NOT_COMPUTED if amount is None or not last or last < 0 else percent(Fraction(amount - last, last))


def _months(value: Fraction | None, is_watched: bool = True) -> str:
    if not is_watched:
        return "—"
    return NOT_COMPUTED if value is None else decimal(value)


def _funding_sections(
    funding: Sequence[Funded], unit: Unit, table: Callable[[Sequence[Funded], Unit], Table]
) -> list[Section]:
    text = (
        "各县收入按月上解、分县记账；年初预拨周转金，之后每期按已支数补足周转金，年末按实际支出结算"
        "（正数为市级补拨，负数留作下年周转金）。"
    )
    return [
        Section(f"{scheme_zh(scheme)}资金拨付（统收统支）", table(own, unit), text=text)
        for (scheme, _), own in _by_fund(funding, lambda one: one.place)
    ]


def _funding_plan_table(own: Sequence[Funded], unit: Unit) -> Table:
    periods = own[0].periods
    heads = ["区县", "周转金", *(_period(one.first_month, one.last_month) for one in periods), "年末结算", "全年"]
    amounts = [
        [one.float_fen, *(period.transfer_fen for period in one.periods), one.settled_at_end_fen,
         sum(period.spent_fen for period in one.periods)]
        for one in own
    ]  # fmt: skip
    rows = [[one.name, *map(unit.text, line)] for one, line in zip(own, amounts, strict=True)]
    sums = ["合计", *(unit.text(sum(column)) for column in zip(*amounts, strict=True))]
    return Table(heads, rows, [sums])


def _period(first: int, last: int) -> str:
    return f"{first}–{last}月拨付" if last > first else f"{first}月拨付"


def _funding_table(own: Sequence[Funded], unit: Unit) -> Table:
    heads = [
        "区县",
        "周转金",
        "应拨累计",
        "已支出",
        "经办机构余额",
        "年初结余与收入",
        "市级分户余额",
        "年内尚需拨付",
    ]
    amounts = [
        [
            one.float_fen,
            one.transferred_fen,
            one.spent_fen,
            one.agency_fen,
            one.supply_fen,
            one.city_fen,
            one.to_fund_fen,
        ]
        for one in own
    ]
    rows = [[one.name, *map(unit.text, line)] for one, line in zip(own, amounts, strict=True)]
    sums = ["合计", *(unit.text(added(list(column))) for column in zip(*amounts, strict=True))]
    alarms = frozenset((place, 4) for place, one in enumerate(own) if one.agency_fen < 0)
    return Table(heads, rows, [sums], alarms=alarms)


def execution_report(result: Execution, rules: PoolingRules, date: int, unit: Unit | None = None) -> Report:
    """Return the report of an execution; without a unit in the one that fits a page."""
    unit = unit or unit_for(amount for row in result.rows for amount in (row.spent_fen, row.plan_fen, row.balance_fen))
    title = f"{result.name} {result.year} 年 1–{result.months} 月预算执行"
    report = _report(title, "Execution of the budget by county and fund.", unit, rules, date)
    sums = {(row.place.scheme, row.place.fund): row for row in result.sums}
    for (scheme, fund), rows in _by_fund(result.rows, lambda row: row.place):
        report.sections.append(_execution_section(fund_zh(scheme, fund), rows, sums.get((scheme, fund)), unit))
    report.sections += _funding_sections(result.funding, unit, _funding_table)
    report.warnings = warning_table(
        (place_zh(row.place, row.name), entry) for row in [*result.sums, *result.rows] for entry in row.warnings
    )
    report.lacking, report.notes = lacking_table(result.lacking), result.notes
    return report


def _execution_section(title: str, rows: Sequence[Executed], whole: Executed | None, unit: Unit) -> Section:
    heads = [
        "区县", "支出预算", "本年支出", "执行率", "同比", "预计全年（直线）", "预计全年（按上年进度）", "收入", "结余",
        "支付能力（月）",
    ]  # fmt: skip
    cells = [_execution_cells(row, unit) for row in rows]
    sums = [] if whole is None else [_execution_cells(whole, unit)]
    alarms = frozenset(
        (place, column)
        for place, row in enumerate(rows)
        for column in (3, 5, 6)
        if any(entry.line == {3: "progress", 5: "progress", 6: "expected"}[column]
               for entry in row.warnings)
    )  # fmt: skip
    planned = [row for row in rows if row.plan_fen]
    boxes = [] if whole is None else [
        ("本年支出", unit.text(whole.spent_fen)), ("支出预算", unit.text(whole.plan_fen) if planned else "—"),
        ("执行率", rate(whole.share) if planned else "—"), ("时间进度", percent(rows[0].time)),
        ("同比", rate(whole.growth)),
    ]  # fmt: skip
    mark = part(int(rows[0].time * 1000), 10 * METER_PERCENT)
    meters = [
        Meter(
            row.name,
            [("over" if row.share is not None and row.share > row.time else "now",
              "0.0" if row.share is None else part(min(int(row.share * 1000), 10 * METER_PERCENT), 10 * METER_PERCENT),
              f"{unit.text(row.spent_fen)} / {unit.text(row.plan_fen)}")],
            rate(row.share), mark,
        )
        for row in planned
    ]  # fmt: skip
    key = (
        [("now", "执行率不高于时间进度"), ("over", "执行率高于时间进度"), ("mark", f"时间进度 {percent(rows[0].time)}")]
        if planned
        else []
    )
    columns = [] if whole is None else _columns(whole, unit)
    key += [("last", "上年各月"), ("now", "本年各月")] if columns else []
    return Section(title, Table(heads, cells, sums, alarms=alarms), EXPECTED_TEXT, boxes, key, meters, columns)


def _execution_cells(row: Executed, unit: Unit) -> list[str]:
    has_plan = row.plan_fen is not None
    return [
        row.name, unit.text(row.plan_fen) if has_plan else "—", unit.text(row.spent_fen),
        rate(row.share) if has_plan else "—", rate(row.growth), unit.text(row.straight_line_fen),
        unit.text(row.by_last_year_fen), unit.text(row.income_fen), unit.text(row.balance_fen), _months(row.capacity),
    ]  # fmt: skip


def _columns(row: Executed, unit: Unit) -> list[Column]:
    """Return the months of both years."""
    known = [amount for amount in [*row.months, *row.last_months] if amount is not None]
    largest = max(known, default=0)
    months = [*row.months, *[None] * (len(row.last_months) - len(row.months))]
    return [
        Column(
            str(number),
            [("last", part(last, largest), f"上年 {number} 月 {unit.text(last)}"),
             ("now", part(now, largest), f"本年 {number} 月 {unit.text(now)}")],
        )
        for number, (now, last) in enumerate(zip(months, row.last_months, strict=True), start=1)
    ]  # fmt: skip


def final_report(result: Final, rules: PoolingRules, date: int, unit: Unit | None = None) -> Report:
    """Return the report of a final account; without a unit in the one that fits a page."""
    unit = unit or unit_for(
        amount for one in result.accounts for amount in (one.spending_fen, one.income_fen, one.balance_fen)
    )
    provisional = "（暂定）" if result.is_provisional else ""
    title = f"{result.name} {result.year} 年基金决算{provisional}"
    report = _report(title, "Final account by county and fund.", unit, rules, date)
    for (scheme, fund), own in _by_fund(result.accounts, lambda one: one.place):
        report.sections.append(_final_section(fund_zh(scheme, fund), own, unit))
    report.sections += [_assessment_section(one, unit) for one in result.assessments]
    report.warnings = warning_table(
        (place_zh(one.place, one.name), entry) for one in result.accounts for entry in one.warnings
    )
    report.lacking, report.notes = lacking_table(result.lacking), result.notes
    return report


FINAL_AMOUNTS = (
    ("收入预算", "plan_income_fen"), ("收入决算", "income_fen"), ("收入差额", "income_difference_fen"),
    ("支出预算", "plan_spending_fen"), ("支出决算", "spending_fen"), ("其中年度清算", "clearing_fen"),
    ("支出差额", "spending_difference_fen"), ("年初结余", "carried_fen"), ("年末结余", "balance_fen"),
)  # fmt: skip
"""Heading and property of each amount of a final account."""


def _final_section(title: str, own: Sequence[Account], unit: Unit) -> Section:
    heads = ["区县", *(head for head, _ in FINAL_AMOUNTS), "支付能力（月）", "结余率", "支出增幅"]
    cells = [
        [one.name, *(unit.text(getattr(one, name)) for _, name in FINAL_AMOUNTS), _months(one.figures.months),
         rate(one.figures.surplus), rate(one.figures.growth)]
        for one in own
    ]  # fmt: skip
    sums = {name: added([getattr(one, name) for one in own]) for _, name in FINAL_AMOUNTS}
    total = ["合计", *(unit.text(sums[name]) for _, name in FINAL_AMOUNTS), "", "", ""]
    largest = max([one.spending_fen or 0 for one in own] + [one.plan_spending_fen or 0 for one in own])
    meters = [
        Meter(
            one.name,
            [("last", part(one.plan_spending_fen, largest), f"预算 {unit.text(one.plan_spending_fen)}"),
             ("over" if (one.spending_difference_fen or 0) > 0 else "now", part(one.spending_fen, largest),
              f"决算 {unit.text(one.spending_fen)}")],
            unit.text(one.spending_fen),
        )
        for one in own
    ]  # fmt: skip
    boxes = [
        ("收入决算", unit.text(sums["income_fen"])), ("支出决算", unit.text(sums["spending_fen"])),
        ("年末结余", unit.text(sums["balance_fen"])),
    ]  # fmt: skip
    key = [("last", "支出预算"), ("now", "支出决算"), ("over", "支出决算超预算")]
    text = "年末结余 = 年初结余 + 收入 − 支出，未计上解与缺口分担（由 adjudicator pool 计算）。"
    return Section(title, Table(heads, cells, [total]), text, boxes, key, meters)


def _assessment_section(one: Assessment, unit: Unit) -> Section:
    indicators = one.terms.indicators
    heads = [
        "区县", *(f"{indicator.name_zh} {percent(Fraction(indicator.weight_ppm, PPM))}" for indicator in indicators),
        "总分", "应得份额", "按分核发", "再分配", "实得",
    ]  # fmt: skip
    rows = []
    for county in one.counties:
        scores = [county.scores[indicator.id] for indicator in indicators]
        texts = [NOT_COMPUTED if score is None else decimal(Fraction(score, 100)) for score in scores]
        total = NOT_COMPUTED if county.total is None else decimal(county.total)
        amounts = (county.part_fen, county.released_fen, county.redistributed_fen, county.paid_fen)
        rows.append([county.name, *texts, total, *map(unit.text, amounts)])
    basis = "；".join(f"{indicator.name_zh}：{indicator.basis}" for indicator in indicators)
    boxes = [
        ("激励资金", unit.text(one.pot_fen)), ("发放", unit.text(one.paid_fen)), ("未定", unit.text(one.open_fen)),
        ("留在基金", unit.text(one.kept_fen)),
    ]  # fmt: skip
    return Section(f"{scheme_zh(one.scheme)}目标考核", Table(heads, rows), f"评分依据：{basis}", boxes)
