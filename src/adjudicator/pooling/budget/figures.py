"""What is lacking for a figure of a budget, by place, and how a place is named for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adjudicator.codes import scheme_zh
from adjudicator.errors import E, Problem, refuse
from adjudicator.payers import FUNDS
from adjudicator.pooling.budget.terms import POOLED, Place

FUND_NAMES_ZH = {payer.id: payer.zh_short for payer in FUNDS}


@dataclass(frozen=True, slots=True)
class Lacking:
    """A figure of a place that cannot be computed, and why; the others come out without it."""

    place: Place
    name: str
    """Of the county."""
    what: str
    """A key of :data:`WHAT_ZH`."""
    field: str
    """Column that is missing or wrong."""
    reason: str
    """Why, with what to do, without the place."""
    reason_zh: str

    @property
    def problem(self) -> Problem:
        """The same as a problem of the table of errors."""
        detail = f"{self.field}: {named(self.place)}: {self.reason}"
        detail_zh = f"{place_zh(self.place, self.name)}{WHAT_ZH[self.what]}：{self.reason_zh}"
        return refuse(E.CANNOT_CLEAR, self.field, detail, detail_zh).problems[0]

    @property
    def is_money(self) -> bool:
        """Whether money is missing from the result, not only a figure to compare with."""
        return self.what in ("income", "spending", "last spending", "plan", "balance", "gap", "levy", "old gap")


WHAT_ZH = {
    "income": "收入", "spending": "支出", "plan": "预算", "growth": "支出增幅", "profile": "按上年进度预计",
    "balance": "结余", "last spending": "上年支出", "score": "考核得分", "financing": "筹资", "gap": "缺口分担",
    "levy": "上解", "capacity": "支付能力", "surplus rate": "当年结余率", "old gap": "历史缺口", "reserve": "储备",
}  # fmt: skip
"""Figures that may be lacking."""


def in_order(places: Iterable[Place]) -> list[Place]:
    """Return places by scheme, fund (the basic one first) and county.

    >>> in_order([Place("310", "1", "large_sum"), Place("310", "2"), Place("310", "1")])[0]
    Place(scheme='310', county='1', fund='pooled')
    """
    funds = list(FUND_NAMES_ZH)
    return sorted(places, key=lambda place: (place.scheme, funds.index(place.fund), place.county))


def fund_zh(scheme: str, fund: str) -> str:
    """Return the Chinese name of a fund of a scheme.

    >>> fund_zh("310", "pooled"), fund_zh("390", "catastrophic")
    ('职工统筹基金', '居民大病保险')
    """
    return scheme_zh(scheme) + FUND_NAMES_ZH[fund]


def place_zh(place: Place, name: str) -> str:
    """Return the name of a place: county and scheme, and the fund where it is not the basic one."""
    fund = "" if place.fund == POOLED else FUND_NAMES_ZH[place.fund]
    return f"{name} {scheme_zh(place.scheme)}{fund}"


def named(place: Place) -> str:
    """Return a place for English messages.

    >>> named(Place("310", "990001")), named(Place("310", "990001", "large_sum"))
    ('county 990001 scheme 310', 'county 990001 scheme 310 fund large_sum')
    """
    return f"county {place.county} scheme {place.scheme}" + ("" if place.fund == POOLED else f" fund {place.fund}")


def missing_months(months: Sequence[int | None], year: int) -> list[int]:
    """Return the months YYYYMM that have no figure."""
    return [year * 100 + number for number, amount in enumerate(months, start=1) if amount is None]


def listed(months: Iterable[int]) -> str:
    """Return months in order for a message, a run of them by its ends.

    >>> listed([202411, 202412, 202501, 202503])
    '202411–202501, 202503'
    """
    runs: list[list[int]] = []
    for month in months:
        if runs and runs[-1][-1] in (month - 1, month - 89):  # the next month, or January after December
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def added(months: Sequence[int | None]) -> int | None:
    """Return the sum, ``None`` where a month is not known.

    >>> added([1, 2]), added([1, None])
    (3, None)
    """
    known = [amount for amount in months if amount is not None]
    return sum(known) if len(known) == len(months) else None


def lacking_months(what: str, field: str, place: Place, name: str, months: Iterable[int]) -> Lacking:
    """Return that months of a figure are missing, and where to give them."""
    text = listed(months)
    remedy, remedy_zh = {
        "expenditure_yuan": (
            "the ledger has nothing of them; give them with --spending", "台账中没有，请用 --spending 给出",
        ),
        "income_yuan": ("give them with --income", "请用 --income 给出"),
    }[field]  # fmt: skip
    return Lacking(place, name, what, field, f"{text} are missing; {remedy}", f"缺 {text} 的数据，{remedy_zh}")


def not_in_plan(what: str, column: str, place: Place, name: str) -> Lacking:
    """Return that a budget leaves a column empty."""
    reason, reason_zh = f"its budget has no {column}; fill the column", f"预算中没有 {column}，请填写该列"
    return Lacking(place, name, what, column, reason, reason_zh)


def grouped(lacking: Iterable[Lacking]) -> dict[tuple[str, str], list[Lacking]]:
    """Return what is lacking by figure and reason in Chinese, so that one line can name all its places."""
    found: dict[tuple[str, str], list[Lacking]] = {}
    for one in lacking:
        found.setdefault((one.what, one.reason_zh), []).append(one)
    return found
