"""The HTML page of a pooling year: one file without scripts; charts are inline SVG beside their figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from adjudicator.cli.reports.pages import page
from adjudicator.dates import iso
from adjudicator.money import fen_to_yuan
from adjudicator.pooling.counties.deficit import OWN_SURPLUS
from adjudicator.pooling.counties.insurances import name_zh
from adjudicator.pooling.counties.warning import Warning, decimal, percent
from adjudicator.pooling.counties.year import CountyRow, FundYear, LevyPaid, PoolYear
from adjudicator.rules.blocks import TABLES_ZH

PAYER_NAMES = {
    OWN_SURPLUS: "本级累计结余", "reserve": "调剂金", "collected": "归集基金", "risk": "风险调剂金",
    "adjustment": "调剂金", "provincial": "省级调剂金", "county": "县级财政", "city": "市级财政",
    "district": "区级财政",
}  # fmt: skip
CAPACITY_NAMES = {"low": "过低", "normal": "正常", "high": "过多", "unnamed": "—", "unknown": "未算出"}
OPEN_NAMES = {
    "gap": "缺口分担", "levy": "上解", "old gap": "历史缺口", "capacity": "支付能力", "surplus rate": "当年结余率",
    "growth": "支出增幅",
}  # fmt: skip
NOT_COMPUTED = "未算出"
ALARMS = ("low", "high")
COLOURS = ("#2f6f8f", "#d08c32", "#7a5c99", "#4f8a4b", "#b5504b", "#6b6b6b")
"""One a payer; told apart by lightness too, and every bar has its figure in the table."""

ROW, BAR, LEFT, WIDTH = 30, 18, 150, 900


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page; the first cell of a row names it."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    sums: Sequence[Sequence[str]] = ()
    """Rows below, set off as sums."""
    text: frozenset[int] = frozenset()
    """Columns of running text."""
    alarms: frozenset[tuple[int, int]] = frozenset()
    """Row and column of what is beyond a limit."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a chart."""

    x: str
    width: str
    colour: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class BarRow:
    """A row of a chart: its name, its bars and the figure at their end."""

    name: str
    top: int
    bars: Sequence[Bar]
    end: str
    figure: str


def render(result: PoolYear) -> str:
    """Return the page as HTML text."""
    payers, lines = result.payers, result.lines
    colours = {payer: COLOURS[place % len(COLOURS)] for place, payer in enumerate(payers)}
    gaps = _gap_rows(result, payers, colours)
    limits = (lines.low_months_e2, lines.normal_from_e2, lines.normal_to_e2, lines.high_months_e2)
    return page(
        "pool.html", language="zh-CN", style="page.css", title=f"{result.name} {result.year} 统筹基金年度",
        name=result.name, year=result.year, figures=_figures(result), left=LEFT, width=WIDTH, bar=BAR,
        key=[(colours[payer], _payer(payer)) for payer in payers], gaps=gaps, gap_height=ROW * len(gaps) + 10,
        gap_table=_gap_table(result, payers), fund_table=_fund_table(result),
        limits=[f"{value / 100:g}" for value in limits], lines=_limit_lines(result, limits),
        capacities=_capacity_rows(result, limits), capacity_height=ROW * len(result.rows) + 34,
        capacity_table=_capacity_table(result), old_gaps=_old_gaps(result), warnings=_warnings(result),
        open_points=_open_points(result), notes=[*notes(result), *_sources(result)],
    )  # fmt: skip


def _schemes(result: PoolYear) -> Iterable[tuple[str, list[CountyRow]]]:
    """Yield each scheme with its counties: their funds are kept apart and never add up."""
    for scheme in dict.fromkeys(row.shares.year.scheme for row in result.rows):
        yield scheme, [row for row in result.rows if row.shares.year.scheme == scheme]


def _figures(result: PoolYear) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return one line of figures a scheme."""
    found = []
    for scheme, rows in _schemes(result):
        income, spent, _, gap, *_, after = _gap_amounts(rows, [])
        crossed = [entry for entry in _all_warnings(result) if entry.subject.endswith(f" {scheme}")]
        unknown = [point for point in result.open if point.scheme == scheme]
        boxes = [
            ("收入", yuan(income)), ("支出", yuan(spent)), ("区县缺口合计", yuan(gap)),
            ("年末累计结余", yuan(after)), ("预警", f"{len(crossed)} 项"),
        ]  # fmt: skip
        if unknown:
            boxes.append((NOT_COMPUTED, f"{len(unknown)} 项"))
        found.append((name_zh(scheme), boxes))
    return found


def _all_warnings(result: PoolYear) -> list[Warning]:
    return [*result.warnings, *(entry for row in result.rows for entry in row.warnings)]


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
    return f"{year.name} {name_zh(year.scheme)}"


def _payer(name: str) -> str:
    return PAYER_NAMES.get(name, name)


def _gap_rows(result: PoolYear, payers: list[str], colours: dict[str, str]) -> list[BarRow]:
    rows = [(row, row.gap_fen) for row in result.rows if row.gap_fen]
    largest = max((gap for _, gap in rows), default=1)
    span, drawn = WIDTH - LEFT - 150, []
    for place, (row, gap) in enumerate(rows):
        x, bars = float(LEFT), []
        for payer in payers:
            amount = row.shares.payments.get(payer, 0)
            width = amount * span / largest
            if amount:
                title = f"{_label(row)} {_payer(payer)} {yuan(amount)}"
                bars.append(Bar(f"{x:.1f}", f"{max(width, 1):.1f}", colours[payer], title))
            x += width
        drawn.append(BarRow(_label(row), place * ROW + 6, bars, f"{x + 8:.1f}", yuan(gap)))
    return drawn


def _gap_table(result: PoolYear, payers: list[str]) -> Table:
    heads = ["区县", "收入", "支出", "上解列支", "缺口", *(_payer(payer) for payer in payers), "年末结余"]
    rows = [_gap_line(row, payers) for row in result.rows]
    sums = [
        [f"{name_zh(scheme)}合计", *map(yuan, _gap_amounts(rows, payers))] for scheme, rows in _schemes(result)
    ]  # so that a reader can check that the payers make up the gap
    return Table(heads, rows, sums)


def _gap_line(row: CountyRow, payers: list[str]) -> list[str]:
    year, shares = row.shares.year, row.shares
    given = [yuan(amount) if amount >= 0 else "未填" for amount in (year.income_fen, year.expenditure_fen)]
    paid = [NOT_COMPUTED if shares.problem else yuan(shares.payments.get(payer, 0)) for payer in payers]
    return [_label(row), *given, yuan(year.levied_fen), yuan_or_not(row.gap_fen), *paid, yuan_or_not(row.balance_fen)]


def yuan_or_not(fen: int | None) -> str:
    """Return an amount, or that it cannot be computed."""
    return NOT_COMPUTED if fen is None else yuan(fen)


def _gap_amounts(rows: list[CountyRow], payers: list[str]) -> list[int]:
    """Return the sums of the rows' figures that are known."""
    years = [row.shares.year for row in rows]
    return [
        sum(max(0, year.income_fen) for year in years),
        sum(max(0, year.expenditure_fen) for year in years),
        sum(year.levied_fen for year in years),
        sum(row.gap_fen or 0 for row in rows),
        *(sum(row.shares.payments.get(payer, 0) for row in rows) for payer in payers),
        sum(row.balance_fen or 0 for row in rows),
    ]


def _fund_table(result: PoolYear) -> Table | None:
    """Return the opening balance, what was paid to gaps, the levies with what is not paid of them, and what is left."""
    rows = [
        [
            name_zh(one.scheme) + _payer(one.fund),
            *map(yuan, _fund_amounts(one)),
        ]
        for one in result.funds
    ]
    return (
        Table(["基金", "年初余额", "本年支付", "本年应上解", "其中未缴", "其中未定", "年末余额"], rows)
        if rows
        else None
    )


def _fund_amounts(one: FundYear) -> list[int]:
    return [one.before_fen, one.paid_fen, one.levied_fen, one.owed_fen, one.open_fen, one.after_fen]


def _months_to_pixels(result: PoolYear, limits: Sequence[int]) -> float:
    """Return the pixels of a hundredth of a month on the chart of capacities."""
    largest = max([_months_e2(row) for row in result.rows] + [limits[-1] * 11 // 10])
    return (WIDTH - LEFT - 110) / largest


def _months_e2(row: CountyRow) -> int:
    return max(0, int((row.figures.months or Fraction(0)) * 100))


def months_text(row: CountyRow) -> str:
    """Return the months of capacity with two decimals, or that they cannot be computed."""
    return NOT_COMPUTED if row.figures.months is None else decimal(row.figures.months)


def levies_text(levies: dict[str, LevyPaid], amount: Callable[[int], str] = yuan) -> str:
    """Return what a county owes each fund, and what it cannot pay of that."""
    return "、".join(
        f"{_payer(fund)} {amount(levy.due_fen)}"
        + (f"（未缴 {amount(levy.owed_fen)}）" if levy.owed_fen else "")
        + ("（未定）" if levy.open_fen else "")
        for fund, levy in levies.items()
    )


def _limit_lines(result: PoolYear, limits: Sequence[int]) -> list[tuple[str, str, str]]:
    """Return style, place and name of each limit; the outer two are alarms."""
    scale = _months_to_pixels(result, limits)
    return [
        (
            "limit" if value in (limits[0], limits[-1]) else "axis",
            f"{LEFT + value * scale:.1f}",
            f"{value / 100:g}",
        )
        for value in limits
    ]


def _capacity_rows(result: PoolYear, limits: Sequence[int]) -> list[BarRow]:
    scale, drawn = _months_to_pixels(result, limits), []
    for place, row in enumerate(result.rows):
        width = _months_e2(row) * scale
        bar = Bar(str(LEFT), f"{max(width, 1):.1f}", COLOURS[4] if row.capacity in ALARMS else COLOURS[0])
        end = f"{LEFT + width + 8:.1f}"
        drawn.append(BarRow(_label(row), place * ROW + 24, [bar], end, months_text(row)))
    return drawn


def _capacity_table(result: PoolYear) -> Table:
    rows = [
        [
            _label(row), months_text(row), CAPACITY_NAMES[row.capacity],
            NOT_COMPUTED if row.figures.surplus is None else percent(row.figures.surplus),
            levies_text(row.levies) or "—",
        ]
        for row in result.rows
    ]  # fmt: skip
    alarms = frozenset((place, 2) for place, row in enumerate(result.rows) if row.capacity in ALARMS)
    return Table(["区县", "支付能力（月）", "等级", "当年结余率", "应上解"], rows, alarms=alarms)


def _old_gaps(result: PoolYear) -> Table | None:
    rows = [row for row in result.rows if row.old_gap_fen]
    years = max((len(row.old_gap_fen) for row in rows), default=0)
    lines = [
        [_label(row), yuan(sum(row.old_gap_fen)), *map(yuan, row.old_gap_fen)]
        + [""] * (years - len(row.old_gap_fen))
        for row in rows
    ]  # fmt: skip
    return Table(["区县", "历史缺口", *(f"第 {number + 1} 年" for number in range(years))], lines) if rows else None


def _warnings(result: PoolYear) -> Table | None:
    rows = [
        [subject_text(entry.subject), entry.text_zh, entry.figure, entry.limit] for entry in _all_warnings(result)
    ]  # fmt: skip
    alarms = frozenset((place, 2) for place in range(len(rows)))
    return Table(["对象", "预警", "实际", "警戒线"], rows, text=frozenset({1}), alarms=alarms) if rows else None


def subject_text(text: str) -> str:
    """Return a warning's subject with the name of its scheme.

    >>> subject_text("武陵县 310")
    '武陵县 职工'
    """
    name, _, scheme = text.rpartition(" ")
    return f"{name} {name_zh(scheme)}"


def _open_points(result: PoolYear) -> Table | None:
    rows = [
        [f"{point.name} {name_zh(point.scheme)}", OPEN_NAMES[point.what], point.problem.message_zh]
        for point in result.open
    ]
    return Table(["区县", "项目", "原因与处理"], rows, text=frozenset({1, 2})) if rows else None


def notes(result: PoolYear) -> list[str]:
    """Return what a reader must know of the figures: short funds, levies without money, counties left out."""
    found = list(result.remarks)
    found += [
        f"{_label(row)}：{_payer(fund)}余额不足，应付 {yuan(asked)} 元，实付 {yuan(paid)} 元"
        for row in result.rows
        for fund, paid, asked in row.shares.cut
    ]
    for row in result.rows:
        levied = row.shares.year.levied_fen
        own = row.shares.year.opening_fen + levied - row.shares.year.gap_fen if row.balance_fen is not None else levied
        if own < levied > 0:
            short = yuan(levied - max(0, own))
            found.append(f"{_label(row)}：应上解 {yuan(levied)} 元，其中 {short} 元本级基金无力承担，已计入缺口分担")
        found += [
            f"{_label(row)}：应上解{_payer(fund)} {yuan(levy.due_fen)} 元，"
            f"可缴 {yuan(levy.due_fen - levy.owed_fen)} 元，未缴 {yuan(levy.owed_fen)} 元"
            for fund, levy in row.levies.items()
            if levy.owed_fen
        ]
    for scheme, _ in _schemes(result):
        found += _left_out(result, scheme)
    for source in result.ended:
        rule = f"{source.document} 的“{TABLES_ZH[source.key.partition('[')[0]]}”规定"
        found.append(
            f"{rule}已于 {iso(source.to_date)} 失效且无后续规定，未用于本年；按该规定计算请加 --date {source.to_date}"
        )
    return found


def _sources(result: PoolYear) -> list[str]:
    found = [f"依据：{text}" for text in result.documents]
    return found + [f"规则未经与文件核对：{text}" for text in result.unverified]


def _left_out(result: PoolYear, scheme: str) -> list[str]:
    """Return which figures of the city leave counties out."""
    own = [point for point in result.open if point.scheme == scheme]
    money = dict.fromkeys(point.name for point in own if point.what in ("gap", "levy"))
    growth = dict.fromkeys(point.name for point in own if point.what == "growth")
    found = []
    if money:
        text = "、".join(money)
        found.append(f"{name_zh(scheme)}：{text} 未算出，合计与支付能力未含其数，调剂类基金的分担与余额为暂定")
    if growth:
        found.append(f"{name_zh(scheme)}：{'、'.join(growth)} 无上年支出，全市支出增幅未含其数")
    return found
