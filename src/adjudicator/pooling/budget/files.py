"""The files of budgets: plans, income and spending by month, scores; CSV in the words of rule files, amounts in yuan.

Every wrong cell is named in one run. docs/budget.md lists the columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from adjudicator.codes import SCHEME_CODES
from adjudicator.money import fen_to_yuan
from adjudicator.options import choice_name
from adjudicator.pooling.budget.figures import added
from adjudicator.pooling.budget.spending import MONTHS, Spending
from adjudicator.pooling.budget.terms import POOLED, Place
from adjudicator.pooling.periods.files import Month, OneScheme, SignedYuan, national, write_rows
from adjudicator.pooling.tables import FundWord, Growth, Score
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import FundYuan, Where
from adjudicator.rulefile.reader import read_rows


class OfPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A row that belongs to a county and scheme."""

    where: Where
    county: str
    scheme: OneScheme


class PlanRow(OfPlace, frozen=True, kw_only=True):
    """What was agreed or typed for the budget of one fund of a county."""

    name: str = ""
    fund: FundWord = POOLED
    income_yuan: FundYuan | None = None
    income_growth_percent: Growth | None = None
    expenditure_yuan: FundYuan | None = None
    expenditure_growth_percent: Growth | None = None
    carried_yuan: SignedYuan | None = None
    """Accumulated balance at the start of the year."""
    last_income_yuan: FundYuan | None = None
    last_expenditure_yuan: FundYuan | None = None
    financing_yuan: FundYuan | None = None
    last_financing_yuan: FundYuan | None = None


class IncomeRow(OfPlace, frozen=True, kw_only=True):
    """Income of one fund of a county in a month."""

    fund: FundWord = POOLED
    month: Month
    income_yuan: FundYuan
    financing_yuan: FundYuan | None = None
    """The part that is pooled financing (统筹基金筹资)."""


class SpendingRow(OfPlace, frozen=True, kw_only=True):
    """Spending of one fund of a county in a month that no ledger has."""

    fund: FundWord = POOLED
    month: Month
    expenditure_yuan: SignedYuan


class ScoreRow(OfPlace, frozen=True, kw_only=True):
    """Score of a county by one indicator."""

    indicator: str
    score: Score


Row = TypeVar("Row", bound=OfPlace)


def place_of(row: OfPlace) -> Place:
    """Return the place of a row."""
    return Place(national(row.scheme), row.county, getattr(row, "fund", POOLED))


def _read(kind: type[Row], path: Path, areas: Mapping[str, str], key: str, what: str) -> list[Row]:
    """Read a file; an unknown county and two rows of one place (and month or indicator) are faults."""
    faults = Faults()
    rows = read_rows(kind, path.parent, path.name, faults)
    seen = set()
    for row in rows:
        place = place_of(row)
        if areas and place.county not in areas:
            message = f"{place.county} is not a county of the pool"
            faults.add(row.where.file, f"{row.where.key}.county", message, "write one of " + ", ".join(areas))
        name = (place, getattr(row, key, None))
        if name in seen:
            faults.add(row.where.file, f"{row.where.key}.county", f"{place.county} is there twice", "keep one row")
        seen.add(name)
    faults.raise_if_any(what)
    return rows


def read_plan(path: Path, areas: Mapping[str, str]) -> list[PlanRow]:
    """Read a budget, whole or as far as it is agreed. Faults: an unknown or doubled place, a bad amount."""
    return _read(PlanRow, path, areas, "", "budget")


@dataclass(slots=True)
class Income:
    """Income of the funds by month, fen: place -> month -> amount."""

    income: dict[Place, dict[int, int]] = field(default_factory=dict)
    financing: dict[Place, dict[int, int]] = field(default_factory=dict)

    def months_fen(self, place: Place, year: int) -> list[int | None]:
        """Return the twelve months of a year; ``None`` is not given."""
        own = self.income.get(place, {})
        return [own.get(year * 100 + number) for number in range(1, MONTHS + 1)]

    def financing_fen(self, place: Place, year: int) -> int | None:
        """Return the pooled financing of a year, ``None`` where a month of it is not given."""
        own = self.financing.get(place, {})
        return added([own.get(year * 100 + number) for number in range(1, MONTHS + 1)])


def read_income(path: Path, areas: Mapping[str, str]) -> Income:
    """Read the income of counties by month; the months of last year may stand in the same file."""
    result = Income()
    for row in _read(IncomeRow, path, areas, "month", "income"):
        place = place_of(row)
        result.income.setdefault(place, {})[row.month] = row.income_yuan
        if row.financing_yuan is not None:
            result.financing.setdefault(place, {})[row.month] = row.financing_yuan
    return result


def add_spending(path: Path, areas: Mapping[str, str], into: Spending) -> None:
    """Read spending by month that the ledger does not have. Faults: a month that it has: one fact has one source."""
    faults = Faults()
    for row in _read(SpendingRow, path, areas, "month", "spending"):
        if row.month in into.ledger_months:
            faults.add(
                row.where.file,
                f"{row.where.key}.month",
                f"the ledger has {row.month}",
                "remove the row; the ledger's figure counts",
            )
        into.by_month.setdefault(place_of(row), {})[row.month] = row.expenditure_yuan
    faults.raise_if_any("spending")


def read_scores(path: Path, areas: Mapping[str, str], known: Sequence[str] | None) -> dict[tuple[Place, str], int]:
    """Read the scores of counties by indicator, in hundredths.

    Faults: an indicator that is not ``known`` as one that a file scores; ``None`` does not look at it.
    """
    faults = Faults()
    result = {}
    for row in _read(ScoreRow, path, areas, "indicator", "scores"):
        if known is not None and row.indicator not in known:
            remedy = "write one of " + ", ".join(known) if known else "remove the row"
            message = f"{row.indicator!r} is no indicator that is scored by a file"
            faults.add(row.where.file, f"{row.where.key}.indicator", message, remedy)
        result[place_of(row), row.indicator] = row.score
    faults.raise_if_any("scores")
    return result


def scheme_word(code: str) -> str:
    """Return the word of rule files for a national scheme code.

    >>> scheme_word("310")
    'employee'
    """
    return choice_name(SCHEME_CODES[code])


def cell(fen: int | None) -> str:
    """Return an amount as a cell in yuan; what is not known stays empty."""
    return "" if fen is None else fen_to_yuan(fen)


def write_table(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV that these commands and `adjudicator pool` read again."""
    write_rows(path, list(header), [list(row) for row in rows])
