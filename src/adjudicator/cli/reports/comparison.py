"""The report of a comparison: a page for the whole, one for each county and each hospital, and the tables as files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.cli.reports.charts import LESS, MORE, SCRIPT, Series, bars, columns, write_script
from adjudicator.cli.reports.pages import page
from adjudicator.cli.reports.pool_page import yuan
from adjudicator.cli.reports.sheets import Sheet, is_number, write_csv, write_workbook
from adjudicator.compare.answers import MONEY
from adjudicator.compare.differences import FILE, names_of
from adjudicator.compare.lines import FILE as LINES_FILE
from adjudicator.compare.lines import ITEMS
from adjudicator.compare.run import SUMMARY
from adjudicator.compare.sides import Recorded
from adjudicator.compare.totals import COUNTS, rolled_up
from adjudicator.compare.words import AMOUNTS, KEYS, Names, amount_name, said
from adjudicator.rules.bundle import Bundle

REPORT, TABLES, WORKBOOK = "report", "tables", "tables.xlsx"
COUNTIES, HOSPITALS = "counties", "hospitals"
FUND, BURDEN, DUE = (names_of(name) for name in ("fund_total_fen", "personal_total_fen", "due_fen"))
MOST_SHOWN = 50
"""Rows of a long table on a page; the files have all."""
MOST_BARS = 20
Row = Mapping[str, Any]

TEXT: dict[str, tuple[str, str]] = {
    "title": ("What another rule does", "规则调整影响分析"),
    "sides": ("Old: {old}. New: {new}. Amounts in yuan.", "原规则：{old}；新规则：{new}。金额单位：元。"),
    "recorded": ("recorded answers", "已结算结果"),
    "proved": (
        "For each payer the differences of the claims add up to the difference of the sums.",
        "各支付方逐笔差额之和等于新旧合计之差，已核对。",
    ),
    "whole": ("The whole", "全部"),
    "differ": ("claims that differ", "结果不同的结算"),
    "of": ("of {0}", "共 {0} 笔"),
    "less": ("persons who pay less", "负担减少的人"),
    "more": ("persons who pay more", "负担增加的人"),
    "together": ("{0} yuan together", "合计 {0} 元"),
    "payers": ("Payers", "各支付方"),
    "payers_change": ("Difference by payer, yuan", "各支付方差额（元）"),
    "counties": ("Counties", "各统筹区县"),
    "counties_change": ("Funds and persons by county, difference in yuan", "各区县基金与个人差额（元）"),
    "months_change": ("Funds by month, difference in yuan", "各月基金差额（元）"),
    "hospitals": ("Hospitals", "医疗机构"),
    "hospitals_change": ("Owed to hospitals, largest differences in yuan", "应付医疗机构差额，前列（元）"),
    "care": ("Kinds of care", "医疗类别"),
    "care_change": ("Funds by kind of care, difference in yuan", "各医疗类别基金差额（元）"),
    "schemes": ("Schemes", "险种"),
    "levels": ("Levels of hospitals", "医院等级"),
    "classes": ("Classes of persons", "人员类别"),
    "tenths": ("Who gains and who loses", "谁受益、谁受损"),
    "tenths_change": ("Burden of persons by tenths, difference in yuan", "按原负担十等分的个人负担差额（元）"),
    "tenths_count": ("Persons who pay less and more, by tenths", "按原负担十等分的增减人数"),
    "causes": ("Why", "原因"),
    "causes_change": ("Claims by first differing stage", "按首个差异环节的结算笔数"),
    "items": ("Items of the catalogue: fee lines that are split differently", "目录项目变化：切分结果不同的费用明细"),
    "largest": ("The largest changes of a person's year", "个人年度变化最大的一百例"),
    "groups": ("Groups", "病组变化"),
    "cleared": ("owed after clearing", "清算后应付"),
    "cleared_hospitals": ("Clearing: what each hospital gains or loses", "清算后各医疗机构增减"),
    "cleared_counties": ("Clearing: what each county pays", "清算后各区县支付增减"),
    "cleared_change": ("Clearing of hospitals, largest differences in yuan", "清算后医疗机构差额，前列（元）"),
    "point_values": ("Values of a point", "点值"),
    "deficits": ("Gaps of the counties and who pays them", "区县缺口与分担"),
    "first": ("{0}: the first {1} of {2}, all in the files", "{0}：前 {1} 行，共 {2} 行，全部见文件"),
}  # fmt: skip


class Shown(NamedTuple):
    """What every page needs."""

    names: Names
    sides: str
    summary: Row

    def text(self, key: str, *values: object) -> str:
        """Return a text of the report."""
        return said(TEXT[key], self.names.language).format(*values)


class Page(NamedTuple):
    """One page before it is written."""

    path: str
    heading: str
    totals: Row
    charts: list[dict[str, Any]]
    sheets: list[Sheet]


def write_report(folder: Path, bundle: Bundle, language: str) -> Path:
    """Write the report of a comparison beside its tables and return its first page.

    Errors: ImportError where the packages of the extra ``report`` are not installed.
    """
    report = folder / REPORT
    for name in ("", TABLES, COUNTIES, HOSPITALS):
        (report / name).mkdir(parents=True, exist_ok=True)
    write_script(report)
    summary = json.loads((folder / SUMMARY).read_text("utf-8"))
    names = Names(bundle, language)
    old = said(TEXT["recorded"], language) if summary["old"] == Recorded.label else summary["old"]
    shown = Shown(names, said(TEXT["sides"], language).format(old=old, new=summary["new"]), summary)
    single = (FILE, LINES_FILE)  # a row a claim or a line: of no table of the report
    tables = {path.stem: pq.read_table(path) for path in folder.glob("*.parquet") if path.name not in single}
    sheets = _sheets(shown, tables)
    for sheet in sheets:
        write_csv(sheet, report / TABLES, names)
    write_csv(_whole_cube(tables["totals"]), report / TABLES, names)
    write_workbook(sheets, report / WORKBOOK, names)
    _write(report, shown, _whole(shown, tables, sheets))
    for one in (*_counties(shown, tables), *_hospitals(shown, tables)):
        _write(report, shown, one)
    return report / "index.html"


# ---------------------------------------------------------------- tables


SHORT = (*COUNTS[:4], FUND[2], BURDEN[2], *DUE)
"""What a table of totals shows: counts, what funds and persons pay more or less, what institutions are owed."""
_LEDGER = ("claims", "claims_differ", FUND[2], BURDEN[2], *DUE)


def _rows(table: pa.Table, keys: Sequence[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = rolled_up(table, keys).to_pylist()
    return rows


def _sheets(shown: Shown, tables: Mapping[str, pa.Table]) -> list[Sheet]:
    """Return the tables of the whole, in the order of the page."""
    totals, text = tables["totals"], shown.text
    hospitals = sorted(_rows(tables["hospitals"], ["institution_code"]), key=lambda row: -abs(row[DUE[2]]))
    moved = rolled_up(tables["groups"], ["drg_old", "drg_new"]).to_pylist()
    moved = sorted((row for row in moved if row[DUE[2]] or row["drg_old"] != row["drg_new"]), key=_by_due)
    tenths, causes = tables["tenths"].to_pylist(), tables["causes"]
    return [
        payers_sheet(shown, _rows(totals, [])[0]),
        Sheet("causes", text("causes"), causes.column_names, causes.to_pylist()),
        Sheet("counties", text("counties"), ("county", *SHORT), _rows(totals, ["county"])),
        Sheet("tenths", text("tenths"), tables["tenths"].column_names, tenths),
        Sheet("schemes", text("schemes"), ("scheme", *SHORT), _rows(totals, ["scheme"])),
        Sheet("care", text("care"), ("care_kind", *SHORT), _rows(totals, ["care_kind"])),
        Sheet("levels", text("levels"), ("level", *SHORT), _rows(totals, ["level"])),
        Sheet("classes", text("classes"), ("person_type", *SHORT), _rows(totals, ["person_type"])),
        Sheet("hospitals", text("hospitals"), ("institution_code", *_LEDGER), hospitals),
        Sheet("groups", text("groups"), ("drg_old", "drg_new", *_LEDGER), moved),
        *_cleared(shown, tables),
        *_items(shown, tables),
        Sheet("largest", text("largest"), tables["largest"].column_names, tables["largest"].to_pylist()),
    ]  # fmt: skip


def _cleared(shown: Shown, tables: Mapping[str, pa.Table]) -> list[Sheet]:
    """Return what the clearing and the deficits come to, where the comparison went on to them."""
    found = []
    for name in ("cleared_hospitals", "cleared_counties", "point_values", "deficits"):
        if name in tables:
            found.append(Sheet(name, shown.text(name), tables[name].column_names, tables[name].to_pylist()))
    return found


def _items(shown: Shown, tables: Mapping[str, pa.Table]) -> list[Sheet]:
    """Return the items whose lines differ, largest sums first, where both runs wrote their lines."""
    if ITEMS not in tables:
        return []
    table = tables[ITEMS]
    columns = [name for name in table.column_names if not name.endswith(("_old_fen", "_new_fen"))]
    return [Sheet("items", shown.text("items"), columns, table.select(columns).to_pylist())]


def _by_due(row: Row) -> int:
    return -abs(int(row[DUE[2]]))


def _whole_cube(totals: pa.Table) -> Sheet:
    """Return every cell of the totals, for the file alone."""
    return Sheet("totals", "", totals.column_names, totals.to_pylist())


PAYER_COLUMNS = ("payer", "burden_old_fen", "burden_new_fen", "burden_difference_fen")


def payers_sheet(shown: Shown, totals: Row) -> Sheet:
    """Return each payer old, new and difference; the sums of a page are these."""
    rows = []
    for name in MONEY:
        old, new, difference = (totals[one] for one in names_of(name))
        if old or new:
            label = amount_name(name, shown.names.language)
            rows.append(dict(zip(PAYER_COLUMNS, (label, old, new, difference), strict=True)))
    return Sheet("payers", shown.text("payers"), PAYER_COLUMNS, rows)


# ---------------------------------------------------------------- pages


def _whole(shown: Shown, tables: Mapping[str, pa.Table], sheets: Sequence[Sheet]) -> Page:
    text, names = shown.text, shown.names
    by_file = {sheet.file: sheet for sheet in sheets}
    totals = tables["totals"]
    tenths = [row for row in by_file["tenths"].rows if row["tenth"]]
    counties, care = by_file["counties"].rows, by_file["care"].rows
    stages = _rows(tables["stages"], ["stage"])
    labels = [str(row["tenth"]) for row in tenths]
    charts = [
        _payers_chart(shown, _rows(totals, [])[0]),
        bars(text("counties_change"), [names.of("county", row["county"]) for row in counties], _both(shown, counties)),
        columns(text("tenths_change"), labels, [_series(shown, "personal_total_fen", tenths, "burden_difference_fen")]),
        columns(
            text("tenths_count"), labels,
            [Series(text(name), [row[f"persons_pay_{name}"] for row in tenths], colour, fen=False)
             for name, colour in (("less", LESS), ("more", MORE))],
        ),
        _months_chart(shown, _rows(totals, ["month"])),
        bars(text("care_change"), [names.of("care_kind", row["care_kind"]) for row in care], [_fund(shown, care)]),
        bars(
            text("causes_change"), [names.of("stage", row["stage"]) for row in stages],
            [Series(text("differ"), [row["claims_differ"] for row in stages], fen=False)],
        ),
        _largest_chart(shown, by_file["hospitals"].rows),
        *_cleared_chart(shown, by_file),
    ]  # fmt: skip
    return Page(
        "index.html", text("title"), _rows(totals, [])[0], [one for one in charts if one], [*map(_cut(shown), sheets)]
    )


def _cut(shown: Shown) -> Any:
    def cut(sheet: Sheet) -> Sheet:
        if len(sheet.rows) <= MOST_SHOWN or sheet.file in ("hospitals", "largest"):
            return sheet
        title = shown.text("first", sheet.title, MOST_SHOWN, f"{len(sheet.rows):,}")
        return sheet._replace(title=title, rows=sheet.rows[:MOST_SHOWN])

    return cut


def _series(shown: Shown, amount: str, rows: Sequence[Row], column: str) -> Series:
    return Series(said(AMOUNTS[amount], shown.names.language), [row[column] for row in rows])


def _fund(shown: Shown, rows: Sequence[Row]) -> Series:
    return _series(shown, "fund_total_fen", rows, FUND[2])


def _both(shown: Shown, rows: Sequence[Row]) -> list[Series]:
    return [_fund(shown, rows), _series(shown, "personal_total_fen", rows, BURDEN[2])]


def _payers_chart(shown: Shown, totals: Row) -> dict[str, Any]:
    changed = [(name, totals[names_of(name)[2]]) for name in MONEY if totals[names_of(name)[2]]]
    labels = [amount_name(name, shown.names.language) for name, _ in changed]
    values = [value for _, value in changed]
    return bars(shown.text("payers_change"), labels, [Series(shown.text("payers"), values)])


def _months_chart(shown: Shown, rows: Sequence[Row]) -> dict[str, Any]:
    named = [row for row in rows if row["month"]]
    return columns(
        shown.text("months_change"), [shown.names.of("month", row["month"]) for row in named], [_fund(shown, named)]
    )


def _largest_chart(shown: Shown, rows: Sequence[Row]) -> dict[str, Any]:
    chosen = [row for row in rows if row[DUE[2]]][:MOST_BARS]
    labels = [shown.names.of("institution_code", row["institution_code"]) for row in chosen]
    return bars(shown.text("hospitals_change"), labels, [_series(shown, "due_fen", chosen, DUE[2])])


def _cleared_chart(shown: Shown, by_file: Mapping[str, Sheet]) -> list[dict[str, Any]]:
    if "cleared_hospitals" not in by_file:
        return []
    column = "cleared_difference_fen"
    rows = sorted(by_file["cleared_hospitals"].rows, key=lambda row: -abs(row[column]))
    chosen = [row for row in rows if row[column]][:MOST_BARS]
    labels = [shown.names.of("institution_code", row["institution_code"]) for row in chosen]
    values = [row[column] for row in chosen]
    return [bars(shown.text("cleared_change"), labels, [Series(shown.text("cleared_hospitals"), values)])]


def _by(rows: Iterable[Row], key: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


CLEARED = ("cleared_old_fen", "cleared_new_fen", "cleared_difference_fen")


def _cleared_by(tables: Mapping[str, pa.Table], name: str, key: str) -> dict[str, dict[str, int]]:
    """Return what the clearing of each hospital or county comes to; nothing where the comparison did not go so far."""
    if name not in tables:
        return {}
    found = _by(tables[name].to_pylist(), key)
    return {code: {one: sum(row[one] for row in rows) for one in CLEARED} for code, rows in found.items()}


def _counties(shown: Shown, tables: Mapping[str, pa.Table]) -> Iterable[Page]:
    """Yield the page of each county of insurance."""
    totals, money = tables["totals"], _cleared_by(tables, "cleared_counties", "county")
    parts = {name: _by(_rows(totals, ["county", name]), "county") for name in ("month", "scheme", "care_kind", "level")}
    for row in _rows(totals, ["county"]):
        county = row["county"]
        if not county:
            continue
        row |= money.get(county, {})
        own = {name: part.get(county, []) for name, part in parts.items()}
        titles = {"scheme": "schemes", "care_kind": "care", "level": "levels"}
        yield Page(
            f"{COUNTIES}/{county}.html", shown.names.of("county", county), row, _own_charts(shown, row, own),
            [payers_sheet(shown, row)]
            + [Sheet(name, shown.text(title), (name, *SHORT), own[name]) for name, title in titles.items()],
        )  # fmt: skip


def _hospitals(shown: Shown, tables: Mapping[str, pa.Table]) -> Iterable[Page]:
    """Yield the page of each institution."""
    cube, key = tables["hospitals"], "institution_code"
    money = _cleared_by(tables, "cleared_hospitals", key)
    parts = {name: _by(_rows(cube, [key, name]), key) for name in ("month", "scheme", "care_kind")}
    groups = _by(_rows(tables["groups"], [key, "drg_old", "drg_new"]), key)
    for row in _rows(cube, [key]):
        code = row[key]
        row |= money.get(code, {})
        own = {name: part.get(code, []) for name, part in parts.items()}
        moved = sorted(
            (one for one in groups.get(code, []) if one[DUE[2]] or one["drg_old"] != one["drg_new"]), key=_by_due
        )
        sheets = [payers_sheet(shown, row)]
        sheets += [
            Sheet(name, shown.text(title), (name, *SHORT), own[name])
            for name, title in (("scheme", "schemes"), ("care_kind", "care"))
        ]
        if moved:
            sheets.append(_cut(shown)(Sheet("moved", shown.text("groups"), ("drg_old", "drg_new", *_LEDGER), moved)))
        yield Page(
            f"{HOSPITALS}/{code}.html", f"{shown.names.of(key, code)} {code}", row, _own_charts(shown, row, own), sheets
        )


def _own_charts(shown: Shown, totals: Row, own: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    care = own["care_kind"]
    labels = [shown.names.of("care_kind", row["care_kind"]) for row in care]
    return [
        _payers_chart(shown, totals), _months_chart(shown, own["month"]),
        bars(shown.text("care_change"), labels, [_fund(shown, care)]),
    ]  # fmt: skip


# ---------------------------------------------------------------- writing


def _figures(shown: Shown, totals: Row, persons: Row | None) -> list[tuple[str, str, str]]:
    """Return the boxes on top of a page: what, how much, and beside what."""
    language = shown.names.language
    boxes = [(shown.text("differ"), f"{totals['claims_differ']:,}", shown.text("of", f"{totals['claims']:,}"))]
    if persons is not None:
        for name in ("less", "more"):
            together = shown.text("together", yuan(persons[f"{name}_fen"]))
            boxes.append((shown.text(name), f"{persons[f'persons_pay_{name}']:,}", together))
    for name in ("claims_only_old", "claims_only_new"):
        if totals[name]:
            boxes.append((said(KEYS[name], language), f"{totals[name]:,}", ""))
    for amount in ("fund_total_fen", "personal_total_fen", "due_fen"):
        old, new, difference = (totals[one] for one in names_of(amount))
        boxes.append((amount_name(amount, language), _signed(difference), f"{yuan(old)} → {yuan(new)}"))
    if CLEARED[0] in totals:
        old, new, difference = (totals[name] for name in CLEARED)
        boxes.append((shown.text("cleared"), _signed(difference), f"{yuan(old)} → {yuan(new)}"))
    return boxes


def _signed(fen: int) -> str:
    return f"+{yuan(fen)}" if fen > 0 else yuan(fen)


def _write(report: Path, shown: Shown, one: Page) -> None:
    is_whole = one.path == "index.html"
    root = "" if is_whole else "../"
    language = shown.names.language

    def links(column: str, code: Any) -> str:
        """Return the page of a county or an institution."""
        folder = {"county": COUNTIES, "institution_code": HOSPITALS}.get(column)
        path = f"{folder}/{code}.html" if folder and code else ""
        return path if path and path != one.path else ""

    html = page(
        "comparison.html", language="zh-CN" if language == "zh" else "en", style="comparison.css",
        title=f"{shown.text('title')} · {one.heading}", heading=one.heading, sides=shown.sides, root=root,
        above="" if is_whole else f"← {shown.text('title')} · {shown.text('whole')}",
        figures=_figures(shown, one.totals, shown.summary["persons"] if is_whole else None), note=shown.text("proved"),
        charts=one.charts, sheets=one.sheets, names=shown.names, script=SCRIPT, number=is_number, links=links,
        heads=lambda sheet: sheet.heads(language),
    )  # fmt: skip
    (report / one.path).write_text(html, "utf-8")
