"""Closing of months and years (月结、年结): what was settled stays, and what comes later goes to the open month.

A closing is an act with the version of the ledger up to which it counted, the values of the points, and every line. A
claim, a reversal, a review or a settlement made again that comes later is priced at the values of its closed period,
and the difference is posted with the closing of the month that is open then (account ``provider_prior``), hospital by
hospital, with the name of its period (reading R48). Once its year is closed, a month's later differences are the
year's. The yearly clearing takes in all that came until it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from adjudicator.codes import SCHEME_CODES, Method
from adjudicator.errors import E, refuse
from adjudicator.ledger.acts import Act
from adjudicator.payers import Fund
from adjudicator.pooling.cases import Cases, inside
from adjudicator.pooling.hospitals.clearing import case_due_fen
from adjudicator.pooling.hospitals.settlement import POOLS, Lines, Settlement, pool_of
from adjudicator.pooling.periods.context import first_month
from adjudicator.pooling.periods.posting import add

CLOSE = "close"
"""Kind of the act."""


class Value(NamedTuple):
    """Value of a point when a period was closed, exact, and what the fund pays of it."""

    mode: str
    value: Fraction


Carried = dict[int, Lines]
"""Differences of closed periods, by period, for the account ``provider_prior``."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed period."""

    act: Act
    period: int
    version: int
    """Of the ledger: records up to it were counted."""
    values: Mapping[str, Value]
    """By scheme and kind of points."""
    lines: Lines
    """What the period was settled at, by county, scheme, account and hospital."""
    carried: Carried
    """Differences of periods closed before, that its closing posted."""


def closings(acts: Iterable[Act]) -> dict[int, Closed]:
    """Return the closed periods, in the order in which they were closed."""
    return {act.period: _closed_of(act) for act in acts if act.kind == CLOSE}


def _closed_of(act: Act) -> Closed:
    said = act.content
    values = {code: Value(mode, Fraction(up, down)) for code, mode, up, down in said["values"]}
    carried = {period: _lines(rows) for period, rows in said["carried"]}
    return Closed(act, act.period, said["version"], values, _lines(said["lines"]), carried)


def _lines(rows: Sequence[Sequence[Any]]) -> Lines:
    return {(county, scheme, fund, hospital): fen for county, scheme, fund, hospital, fen in rows}


def content_of(settlement: Settlement, version: int, carried: Carried) -> dict[str, Any]:
    """Return what the act of a closing says."""
    return {
        "version": version,
        "values": [
            [code, one.mode, one.value.numerator, one.value.denominator] for code, one in settlement.clearings.items()
        ],
        "lines": _rows_of(settlement.lines()),
        "carried": [[period, _rows_of(lines)] for period, lines in sorted(carried.items())],
        "cases": len(settlement.cases),
    }


def _rows_of(lines: Lines) -> list[list[Any]]:
    return [[*place, fen] for place, fen in sorted(lines.items())]


def check_open(acts: Iterable[Act], period: int) -> None:
    """Refuse a period that is closed, and a month whose year is. Errors: E.PERIOD_CLOSED."""
    known = closings(acts)
    for one in (period, period // 100):
        if one in known:
            number = known[one].act.number
            raise refuse(
                E.PERIOD_CLOSED, "period", f"{one} was closed by act {number}", f"{one} 已由第 {number} 号登记结账"
            )


def check_order(acts: Iterable[Act], period: int, months_with_cases: Collection[int]) -> None:
    """Refuse to close a period while an earlier month with settlements, or a month of the year, is open.

    Errors: E.CANNOT_CLEAR, which names the first such month.
    """
    known = closings(acts)
    last = period if period > 10_000 else period * 100 + 13
    open_months = [
        month for month in sorted(months_with_cases) if month < last and not {month, month // 100} & known.keys()
    ]
    if open_months:
        first = open_months[0]
        raise refuse(
            E.CANNOT_CLEAR,
            "close",
            f"{first} has settlements and is open; close the months in order, {first} first",
            f"{first} 有结算且未结账，请按月份顺序结账，先结 {first}",
        )


def dues(cases: Cases, points_e8: np.ndarray, period: int, values: Mapping[str, Value]) -> Lines:
    """Return what the cases of a period are owed at given values, by county, scheme, account and hospital.

    Cases with points of a kind that has no value then keep what they were priced at, as all other methods do.
    """
    rows = cases.rows
    priced = inside(cases, period) & (rows["method"] != Method.NONE)
    pools, result = pool_of(rows), dict[tuple[int, int, int, str], int]()
    for place in np.flatnonzero(priced).tolist():
        row, scheme = rows[place], cases.schemes[rows[place]["scheme"]]
        code = scheme + POOLS[pools[place]] if pools[place] >= 0 else ""
        if code in values:
            one = values[code]
            patient, others = int(row["patient_fen"]), int(row["others_fen"])
            fen = case_due_fen(int(points_e8[place]), one.value, patient, others, one.mode)
        else:
            fen = int(row["due_fen"])
        key = (
            int(cases.counties[row["county"]]), int(SCHEME_CODES[scheme]), int(Fund.PROVIDER_PRIOR),
            cases.hospitals[row["hospital"]],
        )  # fmt: skip
        result[key] = result.get(key, 0) + fen
    return result


def periods_that_carry(known: Mapping[int, Closed], period: int) -> list[Closed]:
    """Return the closed periods whose later differences the closing of ``period`` posts, the earliest first.

    A month of a year that is closed has none of its own.
    """
    return [
        one
        for number, one in sorted(known.items(), key=lambda pair: first_month(pair[0]))
        if number // 100 not in known and first_month(number) < first_month(period)
    ]


def carried_before(known: Mapping[int, Closed], period: int) -> Lines:
    """Return what all closings have posted of the later differences of a period."""
    result: Lines = {}
    for one in known.values():
        add(result, one.carried.get(period, {}))
    return result


def carried_of_year(known: Mapping[int, Closed], year: int) -> Lines:
    """Return what all closings have posted of the later differences of a year's months."""
    result: Lines = {}
    for one in known.values():
        for period, lines in one.carried.items():
            if period // 100 == year:
                add(result, lines)
    return result
