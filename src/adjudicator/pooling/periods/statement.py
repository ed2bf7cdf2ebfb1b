"""What a hospital reads of a month or a year (结算单): its cases, its money by account, what is still to pay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from adjudicator.codes import Method
from adjudicator.payers import Fund
from adjudicator.pooling.hospitals.clearing import Clearing
from adjudicator.pooling.hospitals.settlement import NONE_UNPRICED, Unpriced
from adjudicator.pooling.periods.run import Run


class SchemePart(NamedTuple):
    """The cases of a hospital that share a point value, and what they come to."""

    scheme: str
    """National code, with the kind of points behind it (``310/outpatient``)."""
    cases: int
    points_e8: int
    value_yuan: str
    gross_fen: int
    patient_fen: int
    others_fen: int
    owed_fen: int
    deposit_fen: int
    """Quality deposit of the year, 0 in a month."""
    withheld_fen: int
    """What of it the score does not release."""


class MonthPart(NamedTuple):
    """What the ledger says of one month of the year."""

    month: int
    owed_fen: int
    prior_fen: int
    prepaid_fen: int


class Indicators(NamedTuple):
    """How the hospital's priced cases came out."""

    cases: int
    cost_fen: int
    income_fen: int
    """What patients, other funds and the clearing funds pay for them."""
    grouped: int
    """Cases paid by DRG points."""
    stays: int
    """Cases that have dates of a stay or are paid by DRG points."""

    @property
    def average_fen(self) -> int:
        """Average cost of a case, down to the fen; for reading, no money is computed from it."""
        return self.cost_fen // self.cases if self.cases else 0


NO_CASES = Indicators(0, 0, 0, 0, 0)


@dataclass(slots=True)
class Statement:
    """A hospital's month or year, in fen."""

    hospital: str
    period: int
    schemes: list[SchemePart] = field(default_factory=list)
    by_method: dict[str, int] = field(default_factory=dict)
    """What cases of all other methods are owed, by scheme."""
    unpriced: dict[str, Unpriced] = field(default_factory=dict)
    """Cases without a price by county; nothing is owed for them yet."""
    counties: dict[str, int] = field(default_factory=dict)
    """What each county owes of the period."""
    prior: dict[int, int] = field(default_factory=dict)
    """Differences of closed periods that the closing of this one posts, by period."""
    months: list[MonthPart] = field(default_factory=list)
    """Of a year: what its months posted."""
    capitation_fen: int = 0
    """Owed by the head, of a year."""
    prepaid_fen: int = 0
    indicators: Indicators = NO_CASES

    @property
    def owed_fen(self) -> int:
        """What the fund owes for the period, quality taken off."""
        return sum(part.owed_fen for part in self.schemes) + sum(self.by_method.values())

    @property
    def to_pay_fen(self) -> int:
        """What is still to pay once the prepayments are paid; negative where they were too high."""
        return self.owed_fen + sum(self.prior.values()) + self.capitation_fen - self.prepaid_fen


def statements_of(run: Run) -> list[Statement]:
    """Return the statement of each hospital with cases or money in the period, by code."""
    settlement = run.settlement
    codes = set(settlement.hospital_fen()) | {hospital for _, hospital, _ in settlement.unpriced}
    codes |= {place[3] for lines in (*run.carried.values(), *run.ledger.values()) for place in lines} - {""}
    return [statement_of(run, code) for code in sorted(codes)]


def statement_of(run: Run, hospital: str) -> Statement:
    """Return the statement of one hospital."""
    settlement = run.settlement
    result = Statement(hospital, settlement.period)
    for code, clearing in settlement.clearings.items():
        if (part := _part_of(code, clearing, hospital)) is not None:
            result.schemes.append(part)
            for line in clearing.lines:
                if line.hospital == hospital:
                    result.counties[line.county] = result.counties.get(line.county, 0) + line.fund_fen
    for (code, own, county), fen in settlement.kept.items():
        if own == hospital:
            result.by_method[code] = result.by_method.get(code, 0) + fen
            result.counties[county] = result.counties.get(county, 0) + fen
    for (_, own, county), unpriced in settlement.unpriced.items():
        if own == hospital:
            result.unpriced[county] = result.unpriced.get(county, NONE_UNPRICED).plus(unpriced)
    for period, lines in run.carried.items():
        if fen := sum(fen for place, fen in lines.items() if place[3] == hospital):
            result.prior[period] = fen
    if settlement.is_year:
        _add_months(result, run)
    else:
        result.prepaid_fen = sum(fen for (_, own, _), fen in settlement.prepaid.items() if own == hospital)
    result.indicators = _indicators(run, hospital)
    return result


def _part_of(code: str, clearing: Clearing, hospital: str) -> SchemePart | None:
    own = [line for line in clearing.lines if line.hospital == hospital]
    if not own:
        return None
    deposit, withheld = clearing.quality.get(hospital, (0, 0))
    return SchemePart(
        code, sum(line.cases for line in own), sum(line.points_e8 for line in own), clearing.value_yuan,
        sum(line.gross_fen for line in own), sum(line.patient_fen for line in own),
        sum(line.others_fen for line in own), sum(line.fund_fen for line in own), deposit, withheld,
    )  # fmt: skip


def _add_months(result: Statement, run: Run) -> None:
    """Add what the months of the year posted, and what goes by the head."""
    for month, lines in sorted(run.ledger.items()):
        sums = dict.fromkeys(Fund, 0)
        for (_, _, fund, hospital), fen in lines.items():
            if hospital == result.hospital:
                sums[Fund(fund)] += fen
        owed, prior = sums[Fund.PROVIDER_FINAL], sums[Fund.PROVIDER_PRIOR]
        prepaid = sums[Fund.PROVIDER_PREPAID]
        if owed or prior or prepaid:
            result.months.append(MonthPart(month, owed, prior, prepaid))
        result.prepaid_fen += prepaid
        result.capitation_fen += sums[Fund.PROVIDER_CAPITATION]


def _indicators(run: Run, hospital: str) -> Indicators:
    cases = run.settlement.cases
    if hospital not in cases.hospitals:
        return NO_CASES
    rows = cases.rows
    own = (rows["hospital"] == cases.hospitals.index(hospital)) & (rows["method"] != Method.NONE)
    mine = rows[own]
    cost, others = int(mine["total_fen"].sum()), int(mine["patient_fen"].sum()) + int(mine["others_fen"].sum())
    grouped = mine["method"] == Method.DRG_POINTS
    stays = grouped | ((mine["admission_date"] > 0) & (mine["discharge_date"] > mine["admission_date"]))
    owed = run.settlement.hospital_fen().get(hospital, 0)
    return Indicators(len(mine), cost, others + owed, int(grouped.sum()), int(np.count_nonzero(stays)))
