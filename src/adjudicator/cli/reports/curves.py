"""The page of curves of a pack on a day: what share of a bill the patient pays, over the cost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adjudicator.cli.reports.charts import SCRIPT, Line, lines, write_script
from adjudicator.cli.reports.pages import page
from adjudicator.dates import iso
from adjudicator.probe.curves import Curve, curves_of
from adjudicator.rules.bundle import Bundle

TEXTS = {
    "zh": {
        "title": "个人负担曲线", "persons": "各人群与医院等级（非救助对象）", "categories": "各类救助对象",
        "ordinary": "一般人员", "cost": "政策范围内费用（元）", "share": "个人负担比例（%）",
        "note": "年度内第一次结算，本地直接结算，费用全部在政策范围内；曲线在每个起付线、分段、封顶线处均有一点。",
    },
    "en": {
        "title": "Patient's share", "persons": "by person group and level, without assistance",
        "categories": "by category of assistance", "ordinary": "no category",
        "cost": "cost in scope (yuan)", "share": "patient's share (%)",
        "note": "First settlement of the year, at home, settled directly, all cost in scope; each deductible, tier and"
        " cap has a point of the curve.",
    },
}  # fmt: skip


def write_curves(bundle: Bundle, day: int, folder: Path, language: str) -> int:
    """Write the page and the script that draws it; return the number of charts.

    Errors: ImportError where the package of the charts is not installed.
    """
    pack, texts = bundle.packs[0], TEXTS[language]
    name = pack.name_zh if language == "zh" else pack.name
    charts = [chart for plan in _by_plan(curves_of(bundle, day)).items() for chart in _charts(bundle, *plan, language)]
    folder.mkdir(parents=True, exist_ok=True)
    html = page(
        "curves.html", language="zh-CN" if language == "zh" else "en", style="comparison.css",
        title=f"{name} {texts['title']} {iso(day)}", note=texts["note"], charts=charts, script=SCRIPT,
    )  # fmt: skip
    (folder / "index.html").write_text(html, "utf-8")
    write_script(folder)
    return len(charts)


def _by_plan(curves: Iterable[Curve]) -> dict[int, list[Curve]]:
    found: dict[int, list[Curve]] = {}
    for curve in curves:
        found.setdefault(curve.plan, []).append(curve)
    return found


def _charts(bundle: Bundle, plan: int, curves: list[Curve], language: str) -> Iterable[dict[str, Any]]:
    """Yield the chart of the persons of a plan, and that of its categories where they make a difference."""
    pack, texts, is_zh = bundle.packs[0], TEXTS[language], language == "zh"
    source, axes = bundle.plans.versions[plan].plan, (texts["cost"], texts["share"])
    title = f"{source.name_zh}：" if is_zh else f"{source.name}: "
    of_persons = [curve for curve in curves if curve.category == 0]
    if not of_persons:
        return
    named = [_line(_person(bundle, curve, is_zh), curve, curve.level) for curve in of_persons]
    yield lines(title + texts["persons"], named, axes)
    first = of_persons[0]
    assisted = [curve for curve in curves if (curve.group, curve.level) == (first.group, first.level)]
    if len({curve.personal_fen.tobytes() for curve in assisted}) > 1:
        names = [texts["ordinary"], *((one.name_zh if is_zh else one.name) for one in pack.assistance)]
        whose = _person(bundle, first, is_zh)
        some = [_line(names[curve.category], curve, 0) for curve in assisted]
        yield lines(title + texts["categories"] + (f"（{whose}）" if is_zh else f" ({whose})"), some, axes)


def _line(name: str, curve: Curve, group: int) -> Line:
    return Line(name, curve.cost_fen.tolist(), curve.personal_fen.tolist(), group)


def _person(bundle: Bundle, curve: Curve, is_zh: bool) -> str:
    group, level = bundle.packs[0].person_groups[curve.group], bundle.packs[0].levels[curve.level]
    return f"{group.name_zh} {level.name_zh}" if is_zh else f"{group.name}, {level.name}"
