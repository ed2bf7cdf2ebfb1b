"""The files that a month's or year's settlement is given by hand: CSV in the words of rule files, amounts in yuan.

Every wrong cell is named in one run; docs/pooling.md lists the columns.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from adjudicator.codes import SCHEME_NATIONAL, Scheme
from adjudicator.payment.point_values import POOL_SUFFIXES, PointKind
from adjudicator.payment.registry import YEAR_LIMITS
from adjudicator.pooling.counties.figures import NOT_GIVEN, CountyYear
from adjudicator.pooling.counties.insurances import BASIC, INSURANCES, key_of
from adjudicator.pooling.heads.capitation import Care, Enrolment, check_enrolments
from adjudicator.pooling.heads.visit_packages import Visits
from adjudicator.pooling.hospitals.packages import Limit
from adjudicator.pooling.hospitals.review import Decision
from adjudicator.rulefile.faults import Faults
from adjudicator.rulefile.fields import Date, FundYuan, Member, Number, Points, Where, Word, Yuan, count
from adjudicator.rulefile.reader import read_rows

Row = TypeVar("Row", bound=msgspec.Struct)
OneScheme = Annotated[Scheme, Member(Scheme)]
Month = Annotated[int, count(190001, 209912)]
Year = Annotated[int, count(1990, 2099)]
SignedYuan = Annotated[int, Number("yuan", 2, -(10**15), 10**15)]
"""A balance in yuan, read as fen: what a fund has, or lacks."""


def national(scheme: Scheme) -> str:
    """Return the national code by which cases, settlements and the ledger name a scheme.

    >>> national(Scheme.EMPLOYEE)
    '310'
    """
    return SCHEME_NATIONAL[scheme]


def _rows(kind: type[Row], path: Path, faults: Faults) -> list[Row]:
    return read_rows(kind, path.parent, path.name, faults)


def _fault(where: Where, column: str, message: str, remedy: str, faults: Faults) -> None:
    faults.add(where.file, f"{where.key}.{column}", message, remedy)


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the review of one case decided."""

    where: Where
    case: str
    points: Points | None = None
    reasonable_cost_yuan: Yuan | None = None
    replaces: str = ""
    """A case applied for before that gave its place to this one."""


def read_decisions(path: Path) -> dict[str, Decision]:
    """Read review decisions: each has points or a reasonable cost."""
    faults, result = Faults(), {}
    for row in _rows(DecisionRow, path, faults):
        if (row.points is None) == (row.reasonable_cost_yuan is None):
            message = "and reasonable_cost_yuan are both filled or both empty"
            _fault(row.where, "points", message, "fill one of the two", faults)
        if row.case in result:
            _fault(row.where, "case", "is there twice", "keep one decision a case", faults)
        points, cost = (-1 if value is None else value for value in (row.points, row.reasonable_cost_yuan))
        result[row.case] = Decision(points, cost, row.replaces)
    faults.raise_if_any("review decisions")
    return result


class ScoreRow(msgspec.Struct, frozen=True, kw_only=True):
    """The quality score of one hospital."""

    hospital: str
    score: Annotated[int, count(0, 1000)]


def read_scores(path: Path) -> dict[str, int]:
    """Read quality scores by hospital."""
    faults = Faults()
    result = {row.hospital: row.score for row in _rows(ScoreRow, path, faults)}
    faults.raise_if_any("quality scores")
    return result


class BudgetRow(msgspec.Struct, frozen=True, kw_only=True):
    """The fund's budget of one scheme and kind of points."""

    where: Where
    scheme: OneScheme
    kind: Annotated[PointKind, Member(PointKind)] = PointKind.DRG
    amount_yuan: FundYuan


def read_budgets(path: Path) -> dict[str, int]:
    """Read the fund's budgets of a period in fen, by scheme and kind of points (``310``, ``310/outpatient``)."""
    faults, result = Faults(), {}
    for row in _rows(BudgetRow, path, faults):
        code = national(row.scheme) + POOL_SUFFIXES[row.kind]
        if code in result:
            _fault(row.where, "scheme", f"{code} is there twice", "keep one row", faults)
        result[code] = row.amount_yuan
    faults.raise_if_any("budgets")
    return result


class EnrolmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """Some months of one person under the contract of one institution."""

    where: Where
    person: str
    hospital: str
    county: str
    scheme: OneScheme
    from_month: Month
    to_month: Month
    age_years: Annotated[int, count(0, 150)]
    chronic: bool


def read_enrolments(path: Path, areas: Mapping[str, str]) -> list[Enrolment]:
    """Read a register of capitation contracts; persons are never named in a fault."""
    faults, result = Faults(), []
    for row in _rows(EnrolmentRow, path, faults):
        if row.county not in areas:
            message = f"{row.county} is not a county of the pool"
            _fault(row.where, "county", message, "write one of " + ", ".join(areas), faults)
        result.append(
            Enrolment(
                row.person, row.hospital, row.from_month, row.to_month, row.age_years, row.chronic, row.county,
                national(row.scheme),
            )
        )  # fmt: skip
    faults.extend(check_enrolments(result))
    faults.raise_if_any("capitation register")
    return result


class CareRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the care of the people signed with one institution cost."""

    where: Where
    hospital: str
    scheme: OneScheme | None = None
    """Empty: of all schemes together, which are then settled as one."""
    own_yuan: FundYuan
    """At their own institution."""
    outside_yuan: FundYuan
    consortium: str = ""


def read_care(path: Path) -> dict[str, Care]:
    """Read the cost of signed people by institution, at home and outside, and the consortium of each.

    By scheme; "" where the rows name none.
    """
    faults, result = Faults(), dict[str, Care]()
    for row in _rows(CareRow, path, faults):
        scheme = "" if row.scheme is None else national(row.scheme)
        own, outside, consortia = ({}, {}, {}) if scheme not in result else _parts(result[scheme])
        if row.hospital in own:
            _fault(row.where, "hospital", f"{row.hospital} is there twice", "keep one row", faults)
        own[row.hospital], outside[row.hospital] = row.own_yuan, row.outside_yuan
        if row.consortium:
            consortia[row.hospital] = row.consortium
        result[scheme] = Care(own, outside, consortia)
    if "" in result and len(result) > 1:
        faults.add(path.name, "scheme", "is empty in some rows and filled in others", "fill all of them or none")
    faults.raise_if_any("care under capitation")
    return result


def _parts(care: Care) -> tuple[dict[str, int], dict[str, int], dict[str, str]]:
    return dict(care.own_fen), dict(care.outside_fen), dict(care.consortia)


class LimitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A yearly quota or average limit of one hospital."""

    hospital: str
    scheme: OneScheme
    kind: Annotated[str, Word(tuple(YEAR_LIMITS))]
    limit_yuan: Annotated[int, Number("yuan", 2, 1)]
    diagnosis: str = ""
    approved_yuan: FundYuan = 0
    stays: Annotated[int, count(0, 10**9)] = 0
    visits: Annotated[int, count(0, 10**9)] = 0


def read_limits(path: Path) -> list[Limit]:
    """Read yearly quotas and average limits; ``stays`` and ``visits`` are for the reward of a quota."""
    faults = Faults()
    result = [
        Limit(
            row.hospital, national(row.scheme), row.kind, row.limit_yuan, row.diagnosis, row.approved_yuan, row.stays,
            row.visits,
        )
        for row in _rows(LimitRow, path, faults)
    ]  # fmt: skip
    faults.raise_if_any("yearly quotas")
    return result


class VisitRow(msgspec.Struct, frozen=True, kw_only=True):
    """Outpatient points that people signed with one institution earned at another."""

    signed_with: str
    provider: str
    scheme: OneScheme
    points: Points


def read_visits(path: Path) -> list[Visits]:
    """Read outpatient points of signed people."""
    faults = Faults()
    rows = _rows(VisitRow, path, faults)
    result = [Visits(row.signed_with, row.provider, row.points, national(row.scheme)) for row in rows]
    faults.raise_if_any("visits under the per-head package")
    return result


class PastRow(msgspec.Struct, frozen=True, kw_only=True):
    """One amount of one year of a scheme."""

    where: Where
    scheme: OneScheme
    year: Year
    item: str
    """``fund`` and ``spent`` of past years, ``fund`` of the year itself, its deductions under any other name."""
    amount_yuan: FundYuan


def read_past(path: Path) -> dict[str, dict[int, dict[str, int]]]:
    """Read the years of a three-year budget: scheme -> year -> item -> fen."""
    faults = Faults()
    result: dict[str, dict[int, dict[str, int]]] = {}
    for row in _rows(PastRow, path, faults):
        items = result.setdefault(national(row.scheme), {}).setdefault(row.year, {})
        if row.item in items:
            message = f"{row.item} of {row.year} is there twice for scheme {row.scheme.name.lower()}"
            _fault(row.where, "item", message, "keep one row", faults)
        items[row.item] = row.amount_yuan
    faults.raise_if_any("past years")
    return result


class CountyRow(msgspec.Struct, frozen=True, kw_only=True):
    """The year of one county and scheme; a rule that needs an amount says so where it is empty."""

    where: Where
    county: str
    name: str = ""
    scheme: OneScheme
    insurance: Annotated[str, Word(tuple(INSURANCES))] = BASIC
    income_yuan: FundYuan | None = None
    expenditure_yuan: FundYuan | None = None
    carried_yuan: SignedYuan | None = None
    financing_yuan: FundYuan | None = None
    last_financing_yuan: FundYuan | None = None
    last_expenditure_yuan: FundYuan | None = None
    plan_expenditure_yuan: FundYuan | None = None
    contribution_base_yuan: FundYuan | None = None
    treasury_paid_yuan: FundYuan | None = None
    old_gap_yuan: FundYuan = 0


FIGURES = (
    "income", "expenditure", "carried", "financing", "last_financing", "last_expenditure", "plan_expenditure",
    "contribution_base", "treasury_paid",
)  # fmt: skip


def read_counties(path: Path, areas: Mapping[str, str]) -> list[CountyYear]:
    """Read the year of each county; an empty cell is not given. Faults: an unknown or doubled county, a bad amount."""
    faults = Faults()
    result: list[CountyYear] = []
    seen = set()
    for row in _rows(CountyRow, path, faults):
        scheme = key_of(national(row.scheme), row.insurance)
        if areas and row.county not in areas:
            message = f"{row.county} is not a county of the pool"
            _fault(row.where, "county", message, "write one of " + ", ".join(areas), faults)
        if (row.county, scheme) in seen:
            message = f"{row.county} is there twice for scheme {row.scheme.name.lower()}"
            _fault(row.where, "county", message, "keep one row", faults)
        seen.add((row.county, scheme))
        figures = {f"{name}_fen": getattr(row, f"{name}_yuan") for name in FIGURES}
        given: dict[str, Any] = {"income_fen": NOT_GIVEN, "expenditure_fen": NOT_GIVEN, "carried_fen": None}
        given |= {name: amount for name, amount in figures.items() if amount is not None}
        shown = row.name or areas.get(row.county, row.county)
        result.append(CountyYear(row.county, shown, scheme, old_gap_fen=row.old_gap_yuan, **given))
    faults.raise_if_any("county figures")
    return result


class StayRow(msgspec.Struct, frozen=True, kw_only=True):
    """Dates of one stay; the case is institution/encounter/sequence as the ledger names it."""

    where: Where
    case: str
    admission_date: Date
    discharge_date: Date
    exempt: bool = False
    """From the readmission rule."""


def stay_rows(path: Path) -> list[StayRow]:
    """Read a file of stays."""
    faults = Faults()
    rows = _rows(StayRow, path, faults)
    for row in rows:
        if row.discharge_date < row.admission_date:
            _fault(row.where, "discharge_date", "is before admission_date", "correct the dates", faults)
    faults.raise_if_any("stays")
    return rows


def write_rows(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]], encoding: str = "utf-8") -> None:
    """Write a CSV file, without a header where it is empty; ``utf-8-sig`` is what spreadsheets take for UTF-8."""
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([header, *rows] if header else rows)
