"""The reports of a month or a year with the hospitals: one for the city, one for each hospital, one by the head."""

from __future__ import annotations

from collections.abc import Sequence

from adjudicator.cli.reports.parts import YUAN, Meter, Report, Section, Unit, part, unit_for, with_name
from adjudicator.cli.reports.pool_page import Table
from adjudicator.codes import SCHEME_NATIONAL, Scheme, scheme_zh
from adjudicator.payers import Fund, of
from adjudicator.pooling.heads.visit_packages import point_value_yuan
from adjudicator.pooling.hospitals.settlement import Lines
from adjudicator.pooling.periods.by_head import HeadsYear
from adjudicator.pooling.periods.context import PoolContext
from adjudicator.pooling.periods.run import Run
from adjudicator.pooling.periods.statement import Statement, statements_of


def period_report(context: PoolContext, run: Run) -> Report:
    """Return the report of a month or a year for the whole city."""
    settlement = run.settlement
    found = statements_of(run)
    unit = unit_for(amount for one in found for amount in (one.owed_fen, one.indicators.cost_fen))
    kind = "年度清算" if settlement.is_year else "月度结算"
    report = Report(
        f"{context.pooling.name} {settlement.period} {kind}", _state(run) + " Settlement with the hospitals.", unit
    )
    unpriced = sum(one.cases for one in settlement.unpriced.values())
    largest = max((one.owed_fen for one in found), default=0)
    report.sections.append(
        Section(
            "各医院",
            _hospital_table(context, found, unit),
            boxes=[
                ("病例", f"{len(settlement.cases):,}"),
                ("医疗费总额", unit.text(sum(one.indicators.cost_fen for one in found))),
                ("基金应付", unit.text(sum(one.owed_fen for one in found))),
                ("已预付" if settlement.is_year else "预付", unit.text(sum(one.prepaid_fen for one in found))),
                ("未计价病例", f"{unpriced:,}"),
            ],
            key=[("now", "基金应付")],
            meters=[
                _meter(context.names.get(one.hospital, one.hospital), one.owed_fen, largest, unit)
                for one in found if one.owed_fen > 0
            ],
        )
    )  # fmt: skip
    for code, clearing in settlement.clearings.items():
        scheme, _, outpatient = code.partition("/")
        title = f"{scheme_zh(scheme)}{'门诊' if outpatient else ''}：点值 {clearing.value_yuan} 元"
        rows = [
            [with_name(context.names, one.hospital), f"{each.cases:,}", f"{each.points_e8 / 1e8:,.4f}",
             *map(unit.text, (each.gross_fen, each.patient_fen, each.others_fen, each.owed_fen))]
            for one in found for each in one.schemes if each.scheme == code
        ]  # fmt: skip
        heads = ["医院", "病例", "点数", "结算总额", "个人负担", "其他基金", "基金应付"]
        text = f"预算 {unit.text(clearing.budget_fen)}，调剂金 {unit.text(clearing.reserve_fen)} {unit.name}。"
        report.sections.append(Section(title, Table(heads, rows), text=text))
    report.sections.append(Section("各区县", _county_table(context, found, unit)))
    report.sections += _difference_sections(context, run, unit)
    report.lacking = _unpriced_table(context, found, unit)
    report.notes = [note.zh for note in settlement.notes]
    return report


def _meter(name: str, fen: int, largest: int, unit: Unit) -> Meter:
    return Meter(name, [("now", part(fen, largest), unit.text(fen))], unit.text(fen))


def _state(run: Run) -> str:
    if run.closed is not None:
        return f"已结账（第 {run.closed.act.number} 号登记，{run.closed.act.by}）。"
    if run.done:
        return "已结账。" if run.closes else "已入账，未结账。"
    return "试算，未入账。"


def _area(context: PoolContext, county: str) -> str:
    return context.areas.get(county, county)


def _hospital_table(context: PoolContext, found: Sequence[Statement], unit: Unit) -> Table:
    rows = [
        [with_name(context.names, one.hospital), f"{one.indicators.cases:,}",
         *map(unit.text, (one.indicators.cost_fen, one.indicators.average_fen, one.owed_fen, sum(one.prior.values()),
                          one.prepaid_fen, one.to_pay_fen))]
        for one in found
    ]  # fmt: skip
    cost, owed = sum(one.indicators.cost_fen for one in found), sum(one.owed_fen for one in found)
    prior = sum(sum(one.prior.values()) for one in found)
    prepaid, to_pay = sum(one.prepaid_fen for one in found), sum(one.to_pay_fen for one in found)
    cases = f"{sum(one.indicators.cases for one in found):,}"
    sums = [["合计", cases, unit.text(cost), "", *map(unit.text, (owed, prior, prepaid, to_pay))]]
    return Table(["医院", "病例", "总费用", "次均费用", "基金应付", "往期差额", "预付", "尚应支付"], rows, sums)


def _county_table(context: PoolContext, found: Sequence[Statement], unit: Unit) -> Table:
    totals: dict[str, int] = {}
    for one in found:
        for county, fen in one.counties.items():
            totals[county] = totals.get(county, 0) + fen
    rows = [[_area(context, county), unit.text(totals[county])] for county in sorted(totals)]
    return Table(["区县", "基金应付"], rows, [["合计", unit.text(sum(totals.values()))]])


def _difference_sections(context: PoolContext, run: Run, unit: Unit) -> list[Section]:
    sections = [
        Section(f"已结期间 {period} 的差额", _line_table(context, lines, unit),
                text="结账后发生的结算、冲销、单议与重新计价，按该期间结账时的点值计算。")
        for period, lines in run.carried.items()
    ]  # fmt: skip
    if run.closed is None and run.changes:
        title = "本次入账" if run.done else "将入账（试算）"
        sections.append(Section(title, _line_table(context, run.changes, unit)))
    return sections


def _line_table(context: PoolContext, lines: Lines, unit: Unit) -> Table:
    """Return differences by account, hospital and county, each with its sign."""
    rows = []
    for (county, scheme, fund, hospital), fen in sorted(lines.items(), key=lambda line: (line[0][2], line[0][3])):
        sign = "+" if fen > 0 else ""
        rows.append([
            with_name(context.names, hospital) or "（未分医院）", of(fund).zh_short, _area(context, f"{county:06d}"),
            scheme_zh(SCHEME_NATIONAL[Scheme(scheme)]), sign + unit.text(fen),
        ])  # fmt: skip
    return Table(["医院", "科目", "区县", "险种", "差额"], rows, text=frozenset({1, 2, 3}))


def _unpriced_table(context: PoolContext, found: Sequence[Statement], unit: Unit) -> Table | None:
    rows = [
        ["未计价病例", f"{with_name(context.names, one.hospital)} {_area(context, county)}",
         f"{each.cases} 例，总费用 {unit.text(each.total_fen)} {unit.name}，{'、'.join(each.reasons) or '原因未记录'}；"
         "补充规则包后运行 adjudicator ledger resettle"]
        for one in found for county, each in one.unpriced.items()
    ]  # fmt: skip
    return Table(["未算出", "对象", "原因与处理"], rows, text=frozenset({1, 2})) if rows else None


# -------------------------------------------------------------------- one hospital


def statement_report(context: PoolContext, one: Statement) -> Report:
    """Return the statement of a hospital; in yuan, so that it can be compared with its books to the fen."""
    kind = "年度清算单" if one.period < 10_000 else "月度结算单"
    report = Report(
        f"{with_name(context.names, one.hospital)} {one.period} {kind}",
        f"{context.pooling.name}。Statement of a hospital.", YUAN,
    )  # fmt: skip
    rows = [
        [_scheme_name(each.scheme), f"{each.cases:,}", f"{each.points_e8 / 1e8:,.4f}", each.value_yuan,
         *map(YUAN.text, (each.gross_fen, each.patient_fen, each.others_fen, each.deposit_fen, each.withheld_fen,
                          each.owed_fen))]
        for each in one.schemes
    ]  # fmt: skip
    heads = ["险种", "病例", "点数", "点值", "结算总额", "个人负担", "其他基金", "质量保证金", "其中扣留", "基金应付"]
    boxes = [
        ("基金应付", YUAN.text(one.owed_fen)), ("往期差额", YUAN.text(sum(one.prior.values()))),
        ("已预付", YUAN.text(one.prepaid_fen)), ("尚应支付", YUAN.text(one.to_pay_fen)),
    ]  # fmt: skip
    report.sections.append(Section("按点数结算", Table(heads, rows), boxes=boxes))
    report.sections.append(Section("应付与已付", _account_table(one)))
    if one.months:
        months = [[str(each.month), *map(YUAN.text, each[1:])] for each in one.months]
        sums = [["合计", *(YUAN.text(sum(each[place] for each in one.months)) for place in (1, 2, 3))]]
        report.sections.append(Section("各月", Table(["月份", "月度应付", "往期差额", "预付"], months, sums)))
    counties = [[_area(context, county), YUAN.text(fen)] for county, fen in sorted(one.counties.items())]
    report.sections.append(Section("各参保区县", Table(["区县", "基金应付"], counties)))
    report.sections.append(Section("本院指标", _indicator_table(one)))
    report.lacking = _unpriced_table(context, [one], YUAN)
    return report


def _scheme_name(code: str) -> str:
    scheme, _, outpatient = code.partition("/")
    return scheme_zh(scheme) + ("门诊" if outpatient else "")


def _account_table(one: Statement) -> Table:
    """Return how what is still to pay comes about."""
    rows = [[f"按点数应付 {_scheme_name(each.scheme)}", YUAN.text(each.owed_fen)] for each in one.schemes]
    rows += [[f"其他付费方式应付 {scheme_zh(code)}", YUAN.text(fen)] for code, fen in sorted(one.by_method.items())]
    rows += [[f"已结期间 {period} 的差额", YUAN.text(fen)] for period, fen in sorted(one.prior.items())]
    if one.capitation_fen:
        rows.append([of(Fund.PROVIDER_CAPITATION).zh, YUAN.text(one.capitation_fen)])
    rows.append(["减：已预付", YUAN.text(-one.prepaid_fen)])
    return Table(["项目", "金额"], rows, [["尚应支付", YUAN.text(one.to_pay_fen)]])


def _indicator_table(one: Statement) -> Table:
    shown = one.indicators
    share = f"{shown.grouped * 100 / shown.stays:.2f}%" if shown.stays else "—"
    rows = [
        ["已计价病例", f"{shown.cases:,}"], ["医疗费总额", YUAN.text(shown.cost_fen)],
        ["次均费用", YUAN.text(shown.average_fen)],
        ["结算收入（个人、其他基金与基金应付）", YUAN.text(shown.income_fen)],
        ["收入减费用", YUAN.text(shown.income_fen - shown.cost_fen)], ["按 DRG 结算占住院病例", share],
    ]  # fmt: skip
    return Table(["指标", "数值"], rows)


def statement_rows(context: PoolContext, one: Statement) -> list[list[str]]:
    """Return the statement as rows for a spreadsheet: section, item, county or month, amount in yuan or a count."""
    report = statement_report(context, one)
    rows = [["医院", with_name(context.names, one.hospital)], ["期间", str(one.period)], []]
    for section in report.sections:
        shown = section.table
        rows += [[section.title], list(shown.heads), *map(list, shown.rows), *map(list, shown.sums), []]
    if report.lacking is not None:
        rows += [["未算出的项目"], list(report.lacking.heads), *map(list, report.lacking.rows)]
    return [[cell.replace(",", "") for cell in row] for row in rows]


# -------------------------------------------------------------------- by the head


def heads_report(context: PoolContext, year: int, found: HeadsYear) -> Report:
    """Return the report of what goes by the head in a year."""
    amounts = [one.quota_fen for _, one in found.institutions]
    amounts += [row.package_fen for _, rows in found.packages.values() for row in rows]
    unit = unit_for(amounts)
    state = "已入账。" if found.done else "试算，未入账。"
    report = Report(f"{context.pooling.name} {year} 年按人头付费清算", state + " Settlement by the head.", unit)
    if found.institutions:
        rows = [
            [with_name(context.names, one.name), scheme_zh(scheme) if scheme else "各险种合并",
             f"{one.person_months:,}",
             *map(unit.text, (one.quota_fen, one.own_fen, one.outside_fen, one.balance_fen, one.settled_fen))]
            for scheme, one in found.institutions
        ]  # fmt: skip
        heads = ["机构", "险种", "人月", "定额", "本院费用", "院外费用", "结余", "应付"]
        sums = [["合计", "", f"{sum(one.person_months for _, one in found.institutions):,}", *(
            unit.text(sum(getattr(one, name) for _, one in found.institutions))
            for name in ("quota_fen", "own_fen", "outside_fen", "balance_fen", "settled_fen")
        )]]  # fmt: skip
        report.sections.append(Section("各机构", Table(heads, rows, sums, text=frozenset({1}))))
    for scheme, (value, packages) in found.packages.items():
        rows = [
            [with_name(context.names, row.name), *map(unit.text, (row.package_fen, row.used_fen, row.earned_fen))]
            for row in packages
        ]
        title = f"{scheme_zh(scheme)}：门诊点值 {point_value_yuan(value)} 元"
        report.sections.append(Section(title, Table(["机构", "包干", "签约人使用", "应付"], rows)))
    counties = [
        [_area(context, county), scheme_zh(scheme), unit.text(fen)] for (county, scheme), fen in found.counties.items()
    ]
    total = [["合计", "", unit.text(sum(found.counties.values()))]]
    report.sections.append(Section("各区县", Table(["区县", "险种", "应付"], counties, total, text=frozenset({1}))))
    if found.changes:
        title = "本次入账" if found.done else "将入账（试算）"
        report.sections.append(Section(title, _line_table(context, found.changes, unit)))
    return report
