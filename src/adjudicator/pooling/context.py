"""What the pooling commands read of a pack: codes, payment rules of the period, pooling rules."""

from __future__ import annotations

import calendar
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudicator.codes import SCHEME_CODES
from adjudicator.errors import E, refuse
from adjudicator.money import MoneyError, split_by_weight, yuan_to_fen
from adjudicator.payment import section as payment
from adjudicator.payment.compile import PackPayment
from adjudicator.payment.methods.drg.reader import DrgTerms
from adjudicator.payment.point_values import POOL_SUFFIXES
from adjudicator.payment.reader import read_csv
from adjudicator.pooling.capitation import Enrolment, check_enrolments
from adjudicator.pooling.cases import Cases, check_cases
from adjudicator.pooling.deficit import CountyYear
from adjudicator.pooling.packages import KINDS, Limit
from adjudicator.pooling.review import Decision
from adjudicator.pooling.rules import PoolingRules, load_pooling
from adjudicator.pooling.settlement import Rules
from adjudicator.pooling.visit_packages import Visits
from adjudicator.rulefile.faults import Faults
from adjudicator.rules.load import load_pack


@dataclass(slots=True)
class PoolContext:
    """One pool's rules for settlement."""

    id: str
    pool: str
    areas: dict[str, str]
    """County code -> Chinese name."""
    payment: PackPayment
    pooling: PoolingRules

    def drg_terms(self, date: int) -> DrgTerms | None:
        """DRG terms of a day."""
        for terms in self.payment.drg:
            if terms.source.from_date <= date <= terms.source.to_date:
                return terms
        return None

    def check(self, cases: Cases) -> None:
        """Raise :class:`adjudicator.rulefile.faults.PackError` naming what the pack does not know in the cases."""
        schemes = [self.payment.groupings.on(terms.source.from_date) for terms in self.payment.drg]
        groups = {group for codes in schemes if codes is not None for group in codes.drgs}
        check_cases(cases, self.areas, self.payment.view.hospitals, groups).raise_if_any("cases")

    def contract_fen(self, institution: str, scheme: str, month: int) -> int:
        """Quota a head of an institution's own capitation contract on a month's first day, 0 without one."""
        day = month * 100 + 1
        for contract in self.payment.contracts:
            mine = self.payment.view.hospitals[contract.hospital] == institution
            if (
                mine
                and contract.scheme == SCHEME_CODES[scheme]
                and contract.source.from_date <= day <= contract.source.to_date
            ):
                return int(contract.quota_fen)
        return 0

    def rules(self, date: int) -> Rules:
        """Return what a settlement of a period needs, as of its last day."""
        terms = self.drg_terms(date)
        if terms is None:
            return Rules(self.pooling.terms(date))
        return Rules(
            self.pooling.terms(date),
            terms.readmission,
            terms.special,
            dict(zip(self.payment.view.hospitals, self.payment.view.hospital_classes, strict=True)),
            int(terms.row["scale_e8"]),
            int(terms.row["all_average_fen"]),
            int(terms.row["rounding_unit_e8"]),
        )


def load_context(name: str) -> PoolContext:
    """Read a pack for pooling. Raises :class:`adjudicator.rulefile.faults.PackError` with every fault."""
    faults = Faults()
    pack = load_pack(name, faults)
    faults.raise_if_any(f"rule pack {name}")
    assert pack is not None
    rules = payment.load_section(pack.folder, pack, faults)
    pooling = load_pooling(pack.folder, faults)
    faults.raise_if_any(f"rule pack {name}")
    areas = {str(area.code): area.name_zh for area in pack.areas}
    return PoolContext(pack.id, str(pack.pool), areas, rules, pooling)


def last_day(period: int) -> int:
    """Last day of a month YYYYMM or a year YYYY.

    >>> last_day(202402), last_day(2025)
    (20240229, 20251231)
    """
    if period < 10_000:
        return period * 10_000 + 1231
    year, month = divmod(period, 100)
    if not 1 <= month <= 12:
        raise refuse(E.CANNOT_CLEAR, "month", f"{period} is not a month; write YYYYMM, for example 202503")
    return period * 100 + calendar.monthrange(year, month)[1]


def budgets(pooling: PoolingRules, period: int, given: Sequence[str]) -> dict[str, int]:
    """Budget of a period by scheme: as given (``310=1234.56``), else the pack's year, a month a twelfth."""
    year = pooling.budget(last_day(period))
    result = dict(year)
    if period > 10_000:
        result = {
            code: split_by_weight(amount, [1] * 12)[period % 100 - 1] for code, amount in year.items() if amount > 0
        }
        result |= {code: amount for code, amount in year.items() if amount <= 0}
    for text in given:
        code, _, amount = text.partition("=")
        if code not in {scheme + suffix for scheme in SCHEME_CODES for suffix in POOL_SUFFIXES}:
            raise refuse(E.UNKNOWN_SCHEME, "budget", code)
        try:
            result[code] = yuan_to_fen(amount)
        except MoneyError as error:
            raise refuse(E.NOT_AN_AMOUNT, "budget", text) from error
    return result


def read_decisions(path: Path) -> dict[str, Decision]:
    """Read review decisions: CSV with case, points, reasonable_cost (yuan), one of the two filled, and replace.

    ``replaces`` names a case applied for before that gave its place to this one.
    """
    faults, result = Faults(), {}
    for row in read_csv(path.parent, path.name, ("case", "points", "reasonable_cost"), faults):
        case = row.text("case")
        points = row.e8("points") if row.has("points") else -1
        cost = row.fen("reasonable_cost") if row.has("reasonable_cost") else -1
        if (points >= 0) == (cost >= 0):
            row.fault("points", "and reasonable_cost are both filled or both empty", "fill one of the two")
        if case in result:
            row.fault("case", "is there twice", "keep one decision a case")
        result[case] = Decision(points, cost, row.text("replaces", ""))
    faults.raise_if_any("review decisions")
    return result


def read_scores(path: Path) -> dict[str, int]:
    """Read quality scores: CSV with hospital, score (a whole number)."""
    faults = Faults()
    rows = read_csv(path.parent, path.name, ("hospital", "score"), faults)
    result = {row.text("hospital"): row.integer("score", high=1000) for row in rows}
    faults.raise_if_any("quality scores")
    return result


def read_enrolments(path: Path, areas: Mapping[str, str]) -> list[Enrolment]:
    """Read a register of capitation contracts; persons are never named in a fault."""
    faults, result = Faults(), []
    needed = ("person", "institution", "county", "scheme", "from_month", "to_month", "age_years", "chronic")
    for row in read_csv(path.parent, path.name, needed, faults):
        first, last = (row.integer(name, low=190001, high=209912) for name in ("from_month", "to_month"))
        county, scheme = row.text("county"), row.choice("scheme", SCHEME_CODES)
        if county not in areas:
            row.fault("county", f"{county} is not a county of the pool", "write one of " + ", ".join(areas))
        result.append(
            Enrolment(
                row.text("person"), row.text("institution"), first,
                last, row.integer("age_years", high=150),
                row.boolean("chronic"), county, scheme,
            )
        )  # fmt: skip
    faults.extend(check_enrolments(result))
    faults.raise_if_any("capitation register")
    return result


def read_care(path: Path) -> tuple[dict[str, int], dict[str, int], dict[str, str]]:
    """Read the cost of signed people: CSV with institution, own (at home) and outside, in yuan, and consortium.

    Institutions of one consortium (医共体) are settled together; the third result maps each to its consortium.
    """
    faults, own, outside, consortia = Faults(), {}, {}, {}
    for row in read_csv(path.parent, path.name, ("institution", "own", "outside"), faults):
        name = row.text("institution")
        if name in own:
            row.fault("institution", f"{name} is there twice", "keep one row")
        own[name], outside[name] = row.fen("own"), row.fen("outside")
        if row.has("consortium"):
            consortia[name] = row.text("consortium")
    faults.raise_if_any("care under capitation")
    return own, outside, consortia


def read_limits(path: Path) -> list[Limit]:
    """Read yearly quotas and average limits: CSV with hospital, scheme, kind (quota, average_limit), limit (yuan).

    Further columns: diagnosis, approved (yuan), and for the reward of a quota stays and visits.
    """
    faults, result = Faults(), []
    for row in read_csv(path.parent, path.name, ("hospital", "scheme", "kind", "limit"), faults):
        kind = row.choice("kind", KINDS)
        result.append(
            Limit(
                row.text("hospital"), row.choice("scheme", SCHEME_CODES), kind, row.fen("limit", low=1),
                row.text("diagnosis", ""), row.fen("approved", 0), row.integer("stays", 0), row.integer("visits", 0),
            )
        )  # fmt: skip
        row.finish()
    faults.raise_if_any("yearly quotas")
    return result


def read_visits(path: Path) -> list[Visits]:
    """Read outpatient points of signed people: CSV with signed_with, provider, scheme, points."""
    faults, result = Faults(), []
    for row in read_csv(path.parent, path.name, ("signed_with", "provider", "scheme", "points"), faults):
        scheme = row.choice("scheme", SCHEME_CODES)
        result.append(Visits(row.text("signed_with"), row.text("provider"), row.e8("points"), scheme))
        row.finish()
    faults.raise_if_any("visits under the per-head package")
    return result


def read_past(path: Path) -> dict[str, dict[int, dict[str, int]]]:
    """Read the years of a three-year budget: CSV with scheme, year, item, amount (yuan); scheme -> year -> item.

    Items: ``fund`` and ``spent`` of past years, ``fund`` of the year itself and its deductions under any other name.
    """
    faults = Faults()
    result: dict[str, dict[int, dict[str, int]]] = {}
    for row in read_csv(path.parent, path.name, ("scheme", "year", "item", "amount"), faults):
        scheme, year = row.choice("scheme", SCHEME_CODES), row.integer("year", low=1990, high=2099)
        items, item = result.setdefault(scheme, {}).setdefault(year, {}), row.text("item")
        if item in items:
            row.fault("item", f"{item} of {year} is there twice for scheme {scheme}", "keep one row")
        items[item] = row.fen("amount")
        row.finish()
    faults.raise_if_any("past years")
    return result


COUNTY_COLUMNS = ("county", "scheme", "income", "expenditure", "carried")
OPTIONAL_COLUMNS = (
    "financing", "last_financing", "last_expenditure", "plan_expenditure", "contribution_base", "treasury_paid",
)  # fmt: skip


def read_counties(path: Path, areas: Mapping[str, str]) -> list[CountyYear]:
    """Read the year of each county: CSV in yuan. Faults: a county without income, an unknown or doubled one."""
    faults = Faults()
    result: list[CountyYear] = []
    seen = set()
    for row in read_csv(path.parent, path.name, COUNTY_COLUMNS, faults):
        code, scheme = row.text("county"), row.choice("scheme", SCHEME_CODES)
        if areas and code not in areas:
            row.fault("county", f"{code} is not a county of the pool", "write one of " + ", ".join(areas))
        if (code, scheme) in seen:
            row.fault("county", f"{code} is there twice for scheme {scheme}", "keep one row")
        seen.add((code, scheme))
        given = {f"{name}_fen": row.fen(name) for name in OPTIONAL_COLUMNS if row.has(name)}
        if row.has("old_gap"):
            given["old_gap_fen"] = row.fen("old_gap")
        result.append(
            CountyYear(
                code, row.text("name", "") or areas.get(code, code), scheme, row.fen("income"),
                row.fen("expenditure"), row.fen("carried"), **given,
            )
        )  # fmt: skip
        row.finish()
    faults.raise_if_any("county figures")
    return result


def read_funds(texts: Sequence[str]) -> dict[str, int]:
    """Fund balances given as ``reserve=1234.56`` or ``310:reserve=…``; keys stay as given."""
    result = {}
    for text in texts:
        name, _, amount = text.partition("=")
        try:
            result[name] = yuan_to_fen(amount)
        except MoneyError as error:
            raise refuse(E.NOT_AN_AMOUNT, "fund", text) from error
    return result


def write_rows(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
