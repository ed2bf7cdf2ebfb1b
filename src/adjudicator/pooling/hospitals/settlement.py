"""Month and year settlement: cases in, clearing and postings out; run again, it posts only what changed.

Accounts of the ledger: ``provider_due`` is posted with each claim and is provisional; a month's settlement posts
``provider_final`` (owed at the month's value) and ``provider_prepaid`` (paid in advance); a year's clearing posts
``provider_year``, the year's money less the months'. A late reversal or review changes the target, and the difference
to what stands in the ledger is posted; nothing is overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from adjudicator.codes import SCHEME_CODES, Method
from adjudicator.errors import E, refuse
from adjudicator.payers import Fund
from adjudicator.payment.methods.drg.terms import Readmission, SpecialCases
from adjudicator.payment.point_values import POOL_SUFFIXES
from adjudicator.payment.registry import point_kind_of
from adjudicator.pooling.cases import Cases, inside, net
from adjudicator.pooling.hospitals.clearing import Cell, Clearing, Terms, case_due_fen, cells, clear, prepayments
from adjudicator.pooling.hospitals.packages import LimitYear
from adjudicator.pooling.hospitals.review import (
    Decision,
    apply_decisions,
    check_review_swaps,
    check_reviews,
    halve_readmissions,
)

Postings = dict[tuple[int, int, int], int]
"""Amount in fen by (county area code, codes.Scheme, payers.Fund)."""
Lines = dict[tuple[int, int, int, str], int]
"""The same by hospital as well, which stands last."""


def sums_of(lines: Mapping[tuple[int, int, int, str], int]) -> Postings:
    """Return lines summed over the hospitals.

    >>> sums_of({(330102, 1, 13, "H1"): 700, (330102, 1, 13, "H2"): -300})
    {(330102, 1, 13): 400}
    """
    result: Postings = {}
    for (county, scheme, fund, _), amount in lines.items():
        result[county, scheme, fund] = result.get((county, scheme, fund), 0) + amount
    return result


@dataclass(frozen=True, slots=True)
class Rules:
    """What a settlement needs of a pack for its period."""

    terms: Mapping[str, Terms]
    """Terms by scheme code; ``310/outpatient`` for outpatient points."""
    readmission: Readmission | None = None
    special: SpecialCases | None = None
    classes: Mapping[str, str] = field(default_factory=dict)
    """Payment class by hospital, for review limits by class."""
    scale_e8: int = 100 * 10**8
    all_average_fen: int = 0
    rounding_unit_e8: int = 10_000


class Unpriced(NamedTuple):
    """Cases that were settled without a price: nothing is owed for them until they are priced."""

    cases: int
    total_fen: int
    """What they cost."""
    fund_fen: int
    """What the clearing funds would owe by item."""
    reasons: tuple[str, ...]
    """Codes of the error table."""

    def plus(self, other: Unpriced) -> Unpriced:
        """Return both together."""
        return Unpriced(
            self.cases + other.cases,
            self.total_fen + other.total_fen,
            self.fund_fen + other.fund_fen,
            tuple(sorted({*self.reasons, *other.reasons})),
        )


NONE_UNPRICED = Unpriced(0, 0, 0, ())


class Note(NamedTuple):
    """What could not be known of the cases of a period, with the way out: a sentence in English and in Chinese."""

    en: str
    zh: str


@dataclass(slots=True)
class Settlement:
    """Settlement of a period: clearing by scheme, postings, and the points that each case kept."""

    period: int
    """YYYYMM of a month, YYYY of a year."""
    cases: Cases
    points_e8: np.ndarray
    clearings: dict[str, Clearing]
    prepaid: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """Prepayment in fen by (scheme, hospital, county)."""
    kept: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """What the cases of all other methods are owed, in fen by (scheme, hospital, county): as priced, no clearing.

    Yearly quotas and average limits change it (``packages.settle_limits``).
    """
    unpriced: dict[tuple[str, str, str], Unpriced] = field(default_factory=dict)
    """Cases without a price by (scheme, hospital, county); they are in no other sum of this settlement."""
    limits: list[LimitYear] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def is_year(self) -> bool:
        """A year, not a month."""
        return self.period < 10_000

    def targets(self) -> Postings:
        """Return what the ledger should hold for this period."""
        return sums_of(self.lines())

    def lines(self) -> Lines:
        """Return the same by hospital."""
        result: Lines = {}
        for code, clearing in self.clearings.items():
            for line in clearing.lines:
                _add(result, (code, line.hospital, line.county), Fund.PROVIDER_FINAL, line.fund_fen)
        for place, amount in self.kept.items():
            _add(result, place, Fund.PROVIDER_FINAL, amount)
        for place, amount in self.prepaid.items():
            _add(result, place, Fund.PROVIDER_PREPAID, amount)
        return result

    def hospital_fen(self) -> dict[str, int]:
        """Return what the fund owes each hospital for the period, all schemes and methods."""
        result: dict[str, int] = {}
        for clearing in self.clearings.values():
            for hospital, amount in clearing.hospital_fen().items():
                result[hospital] = result.get(hospital, 0) + amount
        for (_, hospital, _), amount in self.kept.items():
            result[hospital] = result.get(hospital, 0) + amount
        return dict(sorted(result.items()))


def _add(result: Lines, of: tuple[str, str, str], fund: Fund, amount: int) -> None:
    code, hospital, county = of
    place = (int(county), int(SCHEME_CODES[code.partition("/")[0]]), int(fund), hospital)
    result[place] = result.get(place, 0) + amount


POOLS = POOL_SUFFIXES
"""Kinds of points that have a value of their own, as they stand behind the scheme code."""


def pool_of(rows: np.ndarray) -> np.ndarray:
    """Return which kind of points each case shares, int[n]: position in :data:`POOLS`, -1 none."""
    return point_kind_of(rows["method"], rows["points_e8"])


def settle(
    cases: Cases,
    period: int,
    budgets_fen: Mapping[str, int],
    rules: Rules,
    decisions: Mapping[str, Decision] | None = None,
    scores: Mapping[str, int] | None = None,
) -> Settlement:
    """Settles a month (period YYYYMM) or a year (YYYY) from its cases.

    Reversed settlements fall out, readmissions are halved over all given cases (so give the following month's cases as
    well: an earlier stay changes when the later one is known), decisions replace points. ``budgets_fen`` is the fund's
    budget of the period by scheme code. Errors: a scheme with cases but without terms or budget, E.CANNOT_CLEAR.
    """
    standing, points = standing_points(cases, rules, decisions)
    if decisions and rules.special is not None:
        check_reviews(standing, period, decisions, rules.special, rules.classes)
        check_review_swaps(standing, period, decisions, rules.special)
    result = settle_standing(standing, points, period, budgets_fen, rules, scores)
    result.notes = unknown_stays(result, rules) + unused_decisions(standing, decisions or {}, rules)
    if result.is_year and scores is None and any(rules.terms[code].deposit_ppm for code in result.clearings):
        result.notes.append(
            Note(
                "the pack holds a quality deposit back: without quality scores all of it is paid out",
                "规则包扣留质量保证金：没有考核得分时全部返还",
            )
        )
    return result


def unknown_stays(settlement: Settlement, rules: Rules) -> list[Note]:
    """Sentences about cases whose readmission could not be judged, with the way out; none where all is known."""
    rule, cases = rules.readmission, settlement.cases
    if rule is None:
        return []
    grouped = cases.rows["method"] == Method.DRG_POINTS
    undated = int((grouped & ((cases.rows["discharge_date"] <= 0) | (cases.rows["admission_date"] <= 0))).sum())
    notes = []
    if undated:
        notes.append(
            Note(
                f"{undated} DRG cases have no dates of the stay: nothing is halved for them; give them in --stays",
                f"{undated} 例 DRG 病例没有入出院日期，未按再入院减半，请用 --stays 给出",
            )
        )
    if rule.exempt_diagnoses:
        known = np.zeros(len(cases), bool) if cases.diagnoses is None else cases.diagnoses != ""
        halved = grouped & ~known & (settlement.points_e8 < cases.rows["points_e8"])
        if halved.any():
            count = int(halved.sum())
            notes.append(
                Note(
                    f"{count} DRG cases without a known diagnosis lost points; where a readmission is exempt, say so "
                    "in the column exempt of --stays or of the cases",
                    f"{count} 例诊断不明的 DRG 病例因再入院扣减点数；如属例外，请在 --stays 或病例文件的 exempt 列注明",
                )
            )
    return notes


def unused_decisions(standing: Cases, decisions: Mapping[str, Decision], rules: Rules) -> list[Note]:
    """Sentences about decisions without a case, and reviews without a rule for them."""
    notes = []
    strays = sorted(set(decisions) - set(standing.ids.tolist()))
    if strays:
        shown = ", ".join(strays[:5]) + (", …" if len(strays) > 5 else "")
        notes.append(
            Note(
                f"{len(strays)} decisions name no standing case of these months and change nothing: {shown}",
                f"{len(strays)} 条评审结果在这些月份没有对应的有效病例，未生效：{shown}",
            )
        )
    if decisions and rules.special is None:
        notes.append(
            Note(
                "the pack has no [drg.special_cases]: how many cases may be reviewed is not checked",
                "规则包没有 [drg.special_cases]，未核对特例单议例数",
            )
        )
    return notes


def standing_points(
    cases: Cases, rules: Rules, decisions: Mapping[str, Decision] | None = None
) -> tuple[Cases, np.ndarray]:
    """Cases that stand, with the points they keep after readmissions and reviews."""
    standing = net(cases)
    points = standing.rows["points_e8"].copy()
    if rules.readmission is not None:
        grouped = np.flatnonzero(standing.rows["method"] == Method.DRG_POINTS)
        points[grouped] = halve_readmissions(standing.select(grouped), rules.readmission, rules.rounding_unit_e8)
    if decisions:
        known = set(standing.ids.tolist())
        mine = {case: decision for case, decision in decisions.items() if case in known}
        points = apply_decisions(standing, points, mine, rules.scale_e8, rules.all_average_fen, rules.rounding_unit_e8)
    return standing, points


def settle_standing(
    standing: Cases,
    points: np.ndarray,
    period: int,
    budgets_fen: Mapping[str, int],
    rules: Rules,
    scores: Mapping[str, int] | None = None,
) -> Settlement:
    """Return the second half of :func:`settle`, for callers that settle many periods of the same cases."""
    chosen = inside(standing, period)
    standing, points = standing.select(chosen), points[chosen]
    result = Settlement(period, standing, points, {})
    pools = pool_of(standing.rows)
    for number, scheme in enumerate(standing.schemes):
        own = standing.rows["scheme"] == number
        for pool, suffix in enumerate(POOLS):
            code, chosen = scheme + suffix, own & (pools == pool)
            if suffix and code not in rules.terms:
                chosen, pools = chosen & False, np.where(chosen, -1, pools)  # no value of its own: stays as priced
            if chosen.any():
                _clear_one(result, code, cells(standing, points, chosen), budgets_fen, rules, scores)
                check_conservation(result.clearings[code], int(points[chosen].sum()))
        without = own & (standing.rows["method"] == Method.NONE)
        _keep(result, scheme, own & (pools < 0) & ~without)
    result.unpriced = unpriced_of(standing, np.ones(len(standing), bool))
    return result


def _clear_one(
    result: Settlement,
    code: str,
    listed: list[Cell],
    budgets_fen: Mapping[str, int],
    rules: Rules,
    scores: Mapping[str, int] | None,
) -> None:
    if code not in rules.terms:
        raise refuse(
            E.PAYMENT_RULE_UNDEFINED,
            "clearing",
            f"pooling.toml has no clearing terms for scheme {code}",
            f"pooling.toml 没有险种 {code} 的结算规则（[[clearing]]）",
        )
    if code not in budgets_fen:
        raise refuse(
            E.CANNOT_CLEAR,
            "budget",
            f"scheme {code} has cases but no budget in {result.period}",
            f"险种 {code} 有病例，但 {result.period} 没有预算",
        )
    terms = rules.terms[code]
    clearing = clear(code, listed, budgets_fen[code], terms, result.is_year, scores)
    result.clearings[code] = clearing
    if not result.is_year:
        for (hospital, county), amount in prepayments(clearing, terms.prepay_ppm).items():
            result.prepaid[code, hospital, county] = amount


def _keep(result: Settlement, scheme: str, chosen: np.ndarray) -> None:
    """Sum what cases outside the point values are owed, by hospital and county."""
    cases, rows = result.cases, result.cases.rows[chosen]
    key = rows["hospital"].astype(np.int64) * len(cases.counties) + rows["county"]
    known, back = np.unique(key, return_inverse=True)
    sums = np.zeros(len(known), np.int64)
    np.add.at(sums, back, rows["due_fen"])
    for number, amount in zip(known.tolist(), sums.tolist(), strict=True):
        hospital, county = divmod(number, len(cases.counties))
        result.kept[scheme, cases.hospitals[hospital], cases.counties[county]] = amount


def unpriced_of(cases: Cases, chosen: np.ndarray) -> dict[tuple[str, str, str], Unpriced]:
    """Count the cases without a price among the chosen ones (bool[n]), by scheme, hospital and county."""
    reasons = np.full(len(cases), "", object) if cases.reasons is None else cases.reasons
    found: dict[tuple[str, str, str], list[int]] = {}
    for place in np.flatnonzero(chosen & (cases.rows["method"] == Method.NONE)).tolist():
        row = cases.rows[place]
        key = (cases.schemes[row["scheme"]], cases.hospitals[row["hospital"]], cases.counties[row["county"]])
        found.setdefault(key, []).append(place)
    result = {}
    for key, places in sorted(found.items()):
        total, fund = (int(cases.rows[name][places].sum()) for name in ("total_fen", "fund_fen"))
        result[key] = Unpriced(len(places), total, fund, tuple(sorted({*reasons[places]} - {""})))
    return result


def check_conservation(clearing: Clearing, points_e8: int) -> None:
    """Points, hospital money and county money are each the whole; a difference is a bug and stops the run."""
    assert clearing.points_e8 == points_e8 == sum(line.points_e8 for line in clearing.lines)
    hospitals, counties = clearing.hospital_fen(), clearing.county_fen()
    assert sum(hospitals.values()) == sum(counties.values()) == clearing.fund_fen


def case_lines(settlement: Settlement, hospital: str) -> list[tuple[Any, ...]]:
    """Lines a hospital can check: case, group, points priced and kept, value, money, and the rounding line at the end.

    Columns: case, scheme, county, group, month, points_e8, kept_points_e8, value_yuan (``unpriced`` for a case without
    a price), gross_fen, patient_fen, others_fen, due_fen. The last line of each scheme holds what rounding and quality
    leave between cases and clearing.
    """
    cases, lines = settlement.cases, []
    if hospital not in cases.hospitals:
        raise refuse(E.UNKNOWN_INSTITUTION, "hospital", hospital)
    mine = cases.rows["hospital"] == cases.hospitals.index(hospital)
    pools = pool_of(cases.rows)
    for code, clearing in settlement.clearings.items():
        scheme, slash, kind = code.partition("/")
        in_pool = (cases.rows["scheme"] == cases.schemes.index(scheme)) & (pools == POOLS.index(slash + kind))
        own = _by_id(cases, mine & in_pool)
        mode = clearing.mode
        total = 0
        for place in own:
            row, points = cases.rows[place], int(settlement.points_e8[place])
            patient, others = int(row["patient_fen"]), int(row["others_fen"])
            due = case_due_fen(points, clearing.value, patient, others, mode)
            gross = case_due_fen(points, clearing.value, 0, 0, mode)
            total += due
            lines.append(
                (
                    cases.ids[place], code, cases.counties[row["county"]], cases.groups[row["group"]],
                    int(row["month"]), int(row["points_e8"]), points, clearing.value_yuan, gross, patient, others, due,
                )
            )  # fmt: skip
        if len(own):
            rest = clearing.hospital_fen().get(hospital, 0) - total
            lines.append(("rounding and quality", code, "", "", 0, 0, 0, clearing.value_yuan, 0, 0, 0, rest))
    kept = np.ones(len(cases), bool)
    for code in settlement.clearings:
        scheme, slash, kind = code.partition("/")
        kept &= (cases.rows["scheme"] != cases.schemes.index(scheme)) | (pools != POOLS.index(slash + kind))
    for place in _by_id(cases, mine & kept):
        row = cases.rows[place]
        value = "unpriced" if row["method"] == Method.NONE else ""
        lines.append(
            (
                cases.ids[place], cases.schemes[row["scheme"]], cases.counties[row["county"]],
                cases.groups[row["group"]], int(row["month"]), int(row["points_e8"]), int(settlement.points_e8[place]),
                value, 0, int(row["patient_fen"]), int(row["others_fen"]), int(row["due_fen"]),
            )
        )  # fmt: skip
    for year in settlement.limits:
        if year.limit.hospital == hospital:
            change = year.settled_fen - year.priced_fen
            what = f"{year.limit.kind} of the year"
            lines.append((what, year.limit.scheme, "", year.limit.diagnosis, 0, 0, 0, "", 0, 0, 0, change))
    return lines


def _by_id(cases: Cases, chosen: np.ndarray) -> list[int]:
    """Places of some cases in the order of their ids, whatever the order of the file."""
    return sorted(np.flatnonzero(chosen).tolist(), key=cases.ids.__getitem__)


CASE_LINE_COLUMNS = (
    "case", "scheme", "county", "group", "month", "points_e8", "kept_points_e8", "value_yuan", "gross_fen",
    "patient_fen", "others_fen", "due_fen",
)  # fmt: skip
