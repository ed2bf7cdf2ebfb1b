"""The reports of points: what past cases make of each group, and which cases may go to special-case review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from adjudicator.cli.reports.parts import Meter, Report, Section, Unit, part, unit_for, with_name
from adjudicator.cli.reports.pool_page import Table
from adjudicator.dates import iso
from adjudicator.payment.exact import E8
from adjudicator.payment.section import group_names
from adjudicator.pooling.cases import Cases
from adjudicator.pooling.counties.warning import decimal, percent
from adjudicator.pooling.hospitals.applications import Application, Quota
from adjudicator.pooling.periods.context import PoolContext
from adjudicator.pooling.points.calibrate import CalibrationResult, GroupResult
from adjudicator.pooling.points.files import Before, PointsTable, e8_text
from adjudicator.pooling.points.past_cases import LeftOut
from adjudicator.rounding import PPM, divide_half_up

MOST_BARS = 20
"""Groups or cases that a chart shows."""
NAMED = 10
"""So many groups or institutions a line names."""
NO_FIGURE = "—"
REASONS_ZH = {"fewer": "病例不足", "varies": "变异过大"}


@dataclass(frozen=True, slots=True)
class Names:
    """Names of what a report lists, by code."""

    city: str
    groups: Mapping[str, str]
    hospitals: Mapping[str, str]

    @classmethod
    def of(cls, context: PoolContext, day: int) -> Names:
        """Return the names that a pack knows on a day."""
        return cls(context.pooling.name, group_names(context.payment.groupings, day), context.names)

    def group(self, code: str) -> str:
        """Return a group's code and name."""
        return f"{code} {self.groups.get(code, '')}".strip()

    def hospital(self, code: str) -> str:
        """Return a hospital's name and code."""
        return with_name(self.hospitals, code)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One run of the calibration."""

    periods: str
    cases: Cases
    """Those that count."""
    result: CalibrationResult
    table: PointsTable
    before: Before
    left_out: Sequence[LeftOut]


def calibration_report(run: Calibrated, names: Names, unit: Unit | None = None) -> Report:
    """Return the report of new points: groups, hospitals, what was left out; without a unit in the one that fits."""
    result, table = run.result, run.table
    unit = unit or unit_for(group.average_fen for group in result.groups)
    report = Report(
        f"{names.city} {run.periods} DRG 基准点数测算",
        f"新点数自 {iso(table.first_day)} 起；此前为现行点数。",
        unit,
        sections=[_overview(run, names, unit), _groups(run, names, unit), _hospitals(run, names, unit)],
    )
    report.notes = [f"未计入 {one.cases} 例：{one.reason_zh}{_named(one.names)}" for one in run.left_out]
    if table.carried:
        report.notes.append(f"床日病组 {len(table.carried)} 个，标准不变{_named(table.carried)}")
    if table.no_points:
        report.notes.append(f"无点数病组 {len(table.no_points)} 个{_named(table.no_points)}")
    return report


def _overview(run: Calibrated, names: Names, unit: Unit) -> Section:
    """Return the figures of the whole, the largest changes as bars, and a row a major category."""
    result, former = run.result, run.before.terms.groups
    changed = [group for group in result.groups if group.stable and group.group in former]
    changed.sort(key=lambda group: (-abs(group.base_e8 - former[group.group].base_e8), group.group))
    changed = changed[:MOST_BARS]
    largest = max((max(group.base_e8, former[group.group].base_e8) for group in changed), default=0)
    meters = [
        Meter(
            names.group(group.group),
            [("last", part(former[group.group].base_e8, largest), f"现行 {e8_text(former[group.group].base_e8)}"),
             ("now", part(group.base_e8, largest), f"新 {e8_text(group.base_e8)}")],
            _change(group, run),
        )
        for group in changed
    ]  # fmt: skip
    stable = [group for group in result.groups if group.stable]
    boxes = [
        ("计入病例", f"{len(run.cases):,}"), ("全部病组均费", unit.text(result.all_average_fen)),
        ("稳定病组", f"{len(stable):,}"), ("无点数病组", f"{len(run.table.no_points):,}"),
        ("床日病组", f"{len(run.table.carried):,}"),
    ]  # fmt: skip
    rows = []
    for mdc in sorted({group.group[0] for group in result.groups}):
        own = [group for group in result.groups if group.group[0] == mdc]
        kept = sum(group.cases - group.trimmed for group in own)
        costs = sum(group.average_fen * (group.cases - group.trimmed) for group in own)
        counted = [group for group in own if group.stable]
        rows.append(
            [f"MDC{mdc}", str(len(own)), str(len(counted)), f"{sum(group.cases for group in own):,}",
             unit.text(divide_half_up(costs, kept)) if kept else NO_FIGURE]
        )  # fmt: skip
    key = [("last", "现行点数"), ("now", "新点数")] if meters else []
    text = f"图为点数变化最大的 {len(meters)} 个病组。" if meters else ""
    heads = ["主要诊断大类", "有病例的病组", "稳定病组", "病例", "裁剪后均费"]
    return Section("概况", Table(heads, rows), text, boxes, key, meters)


def _groups(run: Calibrated, names: Names, unit: Unit) -> Section:
    former = run.before.terms.groups
    rows, alarms = [], set()
    for place, group in enumerate(run.result.groups):
        reasons = [zh for word, zh in REASONS_ZH.items() if word in group.reason]
        if reasons:
            alarms.add((place, 8))
        old = former.get(group.group)
        rows.append(
            [names.group(group.group), f"{group.cases:,}", f"{group.trimmed:,}", unit.text(group.average_fen),
             _points(group.base_e8), NO_FIGURE if old is None else _points(old.base_e8), _change(group, run),
             f"{decimal(Fraction(group.cv_ppm, PPM))}", "、".join(reasons) or "稳定"]
        )  # fmt: skip
    heads = ["病组", "病例", "裁剪", "均费", "新基准点数", "现行点数", "变化", "变异系数", "结果"]
    text = "病例不足或变异过大的病组不定点数，病例转特例单议；均费与变异系数按裁剪后的病例计算。"
    return Section("各病组", Table(heads, rows, alarms=frozenset(alarms)), text=text)


def _points(value_e8: int) -> str:
    """Return points with four decimals, more where they have more.

    >>> _points(126 * 10**8), _points(236_182_972)
    ('126.0000', '2.36182972')
    """
    return f"{value_e8 // E8}.{value_e8 % E8:08d}".removesuffix("0000")


def _change(group: GroupResult, run: Calibrated) -> str:
    old = run.before.terms.groups.get(group.group)
    if old is None or not old.base_e8:
        return NO_FIGURE
    return percent(Fraction(group.base_e8 - old.base_e8, old.base_e8))


def _hospitals(run: Calibrated, names: Names, unit: Unit) -> Section:
    """Return a row a hospital; its points are those of its cases in stable groups before any coefficient."""
    cases = run.cases
    base = {group.group: group.base_e8 for group in run.result.groups if group.stable}
    points_of = np.array([base.get(code, 0) for code in cases.groups], np.int64)[cases.rows["group"]]
    rows = []
    for number in np.unique(cases.rows["hospital"]).tolist():
        own = cases.rows["hospital"] == number
        cost, count = int(cases.rows["total_fen"][own].sum()), int(own.sum())
        pointed = own & (points_of > 0)
        points, with_points = int(points_of[pointed].sum()), int(pointed.sum())
        paid = int(cases.rows["total_fen"][pointed].sum())
        rows.append(
            [names.hospital(cases.hospitals[number]), f"{count:,}", unit.text(divide_half_up(cost, count)),
             decimal(Fraction(points, with_points * E8)) if with_points else NO_FIGURE,
             unit.text(divide_half_up(paid * E8, points)) if points else NO_FIGURE]
        )  # fmt: skip
    heads = ["医院", "病例", "次均费用", "例均基准点数", "每点费用"]
    text = "例均基准点数为稳定病组病例的基准点数均值，未乘系数；每点费用为这些病例的费用除以点数。"
    return Section("各医院", Table(heads, rows), text=text)


def review_report(
    period: int, listed: Sequence[Application], quotas: Sequence[Quota], names: Names, unit: Unit | None = None
) -> Report:
    """Return the report of the cases that may go to special-case review; without a unit in the one that fits."""
    unit = unit or unit_for(one.cost_fen for one in listed)
    taken = [one for one in listed if one.taken]
    rows = [
        [one.case, names.hospital(one.hospital), names.group(one.group),
         *map(unit.text, (one.cost_fen, one.average_fen, one.excess_fen)), "是" if one.taken else "否"]
        for one in listed
    ]  # fmt: skip
    largest = max((one.excess_fen for one in listed), default=0)
    meters = [
        Meter(one.case, [("now" if one.taken else "last", part(one.excess_fen, largest), unit.text(one.excess_fen))],
              unit.text(one.excess_fen))
        for one in listed[:MOST_BARS]
    ]  # fmt: skip
    heads = ["病例", "医院", "病组", "总费用", "病组均费", "超出均费", "名额内"]
    shown = Section(
        "可申请的病例",
        Table(heads, rows, text=frozenset({1, 2})),
        f"图为超出均费最多的 {len(meters)} 例。" if meters else "没有超过申请线的病例。",
        boxes=[("可申请", f"{len(listed):,}"), ("名额内", f"{len(taken):,}"),
               ("超出均费合计", unit.text(sum(one.excess_fen for one in listed)))],
        key=[("now", "名额内"), ("last", "名额外")] if meters else [],
        meters=meters,
    )  # fmt: skip
    report = Report(f"{names.city} {period} 可申请特例单议的病例", "按超出病组均费由多到少排列。", unit, [shown])
    for quota in quotas:
        whose = f"{quota.payment_class} 类医院" if quota.payment_class else "全统筹区"
        doubt = "（文件未规定尾数如何取整，可能多 1 例）" if quota.doubtful else ""
        report.notes.append(f"{whose} DRG 病例 {quota.cases} 例，名额 {quota.allowed} 例{doubt}")
    return report


def _named(names: Sequence[str]) -> str:
    """Return some names in brackets, nothing where there are none."""
    listed = [name for name in names if name]
    more = f" 等 {len(listed)} 个" if len(listed) > NAMED else ""
    return f"（{'、'.join(listed[:NAMED])}{more}）" if listed else ""
