"""What the agency decided of a period: reviews, scores, quotas, budgets, contracts, care and visits, kept as acts.

Each file's rows have a natural key (a case, a hospital …). A row stands until the act that brought it is withdrawn by
an act of its own; saying something else of the same key is refused with the number of that act. Runs of a month or a
year take the rows that stand, so that a run without a file undoes nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger.acts import Act, Draft, append, read_acts
from adjudicator.ledger.store import Ledger
from adjudicator.pooling.budget import kept
from adjudicator.pooling.heads.capitation import Care, Enrolment
from adjudicator.pooling.heads.visit_packages import Visits
from adjudicator.pooling.hospitals.packages import Limit
from adjudicator.pooling.hospitals.review import Decision
from adjudicator.pooling.periods import files

WITHDRAW = "withdraw"
"""Kind of the act that takes another one back."""


class Kind(StrEnum):
    """What an act decides; the words of ``adjudicator ledger decide``."""

    REVIEW = "review"
    SCORES = "scores"
    QUOTAS = "quotas"
    BUDGET = "budget"
    ENROLMENTS = "enrolments"
    CARE = "care"
    VISITS = "visits"
    COUNTY_BUDGET = "county_budget"
    COUNTY_INCOME = "county_income"
    COUNTY_SCORES = "county_scores"


class Contracts(NamedTuple):
    """Some people of one kind under contract with an institution; nobody is named."""

    institution: str
    scheme: str
    county: str
    from_month: int
    to_month: int
    age_years: int
    chronic: bool


Row = tuple[str, Any]
"""Natural key of a row, and what it says as plain data."""


class Form(NamedTuple):
    """How one kind of decisions is read and kept."""

    zh: str
    read: Callable[[Path, Mapping[str, str]], list[Row]]
    """Rows of a file; the areas of the pool by code."""


def _review_rows(path: Path, _: Mapping[str, str]) -> list[Row]:
    return [(case, msgspec.to_builtins(decision)) for case, decision in files.read_decisions(path).items()]


def _score_rows(path: Path, _: Mapping[str, str]) -> list[Row]:
    return list(files.read_scores(path).items())


def _quota_rows(path: Path, _: Mapping[str, str]) -> list[Row]:
    return [
        ("|".join((one.hospital, one.scheme, one.kind, one.diagnosis)), msgspec.to_builtins(one))
        for one in files.read_limits(path)
    ]


def _budget_rows(path: Path, _: Mapping[str, str]) -> list[Row]:
    return list(files.read_budgets(path).items())


def _enrolment_rows(path: Path, areas: Mapping[str, str]) -> list[Row]:
    """One row for each institution and scheme: how many people of each kind are signed for which months."""
    found: dict[str, Counter[Contracts]] = {}
    for one in files.read_enrolments(path, areas):
        kind = Contracts(
            one.institution, one.scheme, one.county, one.from_month, one.to_month, one.age_years, one.chronic
        )
        found.setdefault(f"{one.institution}|{one.scheme}", Counter())[kind] += 1
    return [(key, [[*kind[2:], count] for kind, count in sorted(kinds.items())]) for key, kinds in found.items()]


def _care_rows(path: Path, _: Mapping[str, str]) -> list[Row]:
    return [
        (f"{hospital}|{scheme}", [own, care.outside_fen[hospital], care.consortia.get(hospital, "")])
        for scheme, care in files.read_care(path).items()
        for hospital, own in care.own_fen.items()
    ]


def _visit_rows(path: Path, _: Mapping[str, str]) -> list[Row]:
    found: dict[str, int] = {}
    for one in files.read_visits(path):
        key = f"{one.signed_with}|{one.provider}|{one.scheme}"
        found[key] = found.get(key, 0) + one.points_e8
    return list(found.items())


FORMS = {
    Kind.REVIEW: Form("特病单议", _review_rows),
    Kind.SCORES: Form("质量考核得分", _score_rows),
    Kind.QUOTAS: Form("年度定额与次均限额", _quota_rows),
    Kind.BUDGET: Form("基金预算", _budget_rows),
    Kind.ENROLMENTS: Form("签约人员", _enrolment_rows),
    Kind.CARE: Form("签约人员费用", _care_rows),
    Kind.VISITS: Form("签约人员门诊点数", _visit_rows),
    Kind.COUNTY_BUDGET: Form("区县预算", kept.read_plan_rows),
    Kind.COUNTY_INCOME: Form("区县收入", kept.read_income_rows),
    Kind.COUNTY_SCORES: Form("区县考核得分", kept.read_score_rows),
}
OF_COUNTIES = frozenset({Kind.COUNTY_BUDGET, Kind.COUNTY_INCOME, Kind.COUNTY_SCORES})
"""Kinds that no settlement with hospitals reads: they may be decided when the period is closed."""
YEARLY = frozenset({Kind.SCORES, Kind.QUOTAS, Kind.ENROLMENTS, Kind.CARE, Kind.VISITS}) | OF_COUNTIES
"""Kinds that are decided of a year, not of a month."""


class Said(NamedTuple):
    """What a row says, and which act brought it."""

    value: Any
    act: int


@dataclass(slots=True)
class Decisions:
    """Rows that stand, by kind, period and natural key."""

    rows: dict[Kind, dict[int, dict[str, Said]]]

    def of(self, kind: Kind, *periods: int) -> dict[str, Any]:
        """Return the rows of some periods by natural key."""
        return {key: said.value for period in periods for key, said in self.rows.get(kind, {}).get(period, {}).items()}

    def reviews(self, period: int) -> dict[str, Decision]:
        """Return the reviews that a run of a period takes: a month those of all months, a year its own as well.

        A case is reviewed once, whatever month is run; cases are swapped with the year's settlement only.
        """
        periods = [one for one in self.rows.get(Kind.REVIEW, {}) if one > 10_000 or one == period]
        return {case: Decision(**value) for case, value in self.of(Kind.REVIEW, *periods).items()}

    def scores(self, year: int) -> dict[str, int] | None:
        """Return the quality scores of a year, ``None`` where there are none."""
        return self.of(Kind.SCORES, year) or None

    def limits(self, year: int) -> list[Limit]:
        """Return the quotas and average limits of a year."""
        return [Limit(**value) for value in self.of(Kind.QUOTAS, year).values()]

    def budgets(self, period: int) -> dict[str, int]:
        """Return the fund's budgets of a period in fen by scheme."""
        return self.of(Kind.BUDGET, period)

    def enrolments(self, year: int) -> list[Enrolment]:
        """Return the people signed in a year; their names are their places in this list."""
        found: list[Enrolment] = []
        for key, kinds in self.of(Kind.ENROLMENTS, year).items():
            institution, _, scheme = key.partition("|")
            for county, from_month, to_month, age_years, chronic, count in kinds:
                for _ in range(count):
                    found.append(
                        Enrolment(
                            str(len(found)), institution, from_month, to_month, age_years, chronic, county, scheme
                        )
                    )
        return found

    def care(self, year: int) -> dict[str, Care]:
        """Return what the care of the people of each institution cost in a year, by scheme, "" for all together."""
        found: dict[str, dict[str, list[Any]]] = {}
        for key, row in self.of(Kind.CARE, year).items():
            hospital, _, scheme = key.partition("|")
            found.setdefault(scheme, {})[hospital] = row
        return {
            scheme: Care(
                {hospital: row[0] for hospital, row in rows.items()},
                {hospital: row[1] for hospital, row in rows.items()},
                {hospital: row[2] for hospital, row in rows.items() if row[2]},
            )
            for scheme, rows in found.items()
        }

    def visits(self, year: int) -> list[Visits]:
        """Return the outpatient points of signed people of a year."""
        listed = self.of(Kind.VISITS, year).items()
        return [
            Visits(signed_with, provider, points, scheme)
            for (signed_with, provider, scheme), points in ((key.split("|"), points) for key, points in listed)
        ]

    def with_rows(self, kind: Kind, period: int, rows: Sequence[Row], number: int = 0) -> Decisions:
        """Return these and more rows. Errors: E.CANNOT_CLEAR where a key stands with something else."""
        before = self.rows.get(kind, {})
        where = before if kind is Kind.REVIEW else {period: before.get(period, {})}
        for key, value in rows:
            for said in (known[key] for known in where.values() if key in known):
                if said.value != value:
                    raise _decided_already(kind, key, said.act)
        known = set().union(*where.values())
        own = before.get(period, {}) | {key: Said(value, number) for key, value in rows if key not in known}
        return Decisions(self.rows | {kind: before | {period: own}})

    def new_rows(self, kind: Kind, period: int, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that do not stand yet."""
        known = self.rows.get(kind, {})
        periods = known if kind is Kind.REVIEW else {period}
        return [(key, value) for key, value in rows if not any(key in known.get(one, {}) for one in periods)]


def _decided_already(kind: Kind, key: str, number: int) -> AdjudicatorError:
    shown = key.replace("|", " ").strip()
    return refuse(
        E.CANNOT_CLEAR,
        str(kind),
        f"act {number} has decided {kind} of {shown} otherwise; first adjudicator ledger withdraw {number}",
        f"第 {number} 号登记对 {shown} 的{FORMS[kind].zh}另有决定，请先撤回：adjudicator ledger withdraw {number}",
    )


def standing(acts: Iterable[Act], version: int | None = None) -> Decisions:
    """Return the decisions that stand, as of a version of the ledger or now."""
    listed = [act for act in acts if version is None or act.position <= version]
    withdrawn = {act.content["act"] for act in listed if act.kind == WITHDRAW}
    rows: dict[Kind, dict[int, dict[str, Said]]] = {}
    for act in listed:
        if act.kind in list(Kind) and act.number not in withdrawn:
            own = rows.setdefault(Kind(act.kind), {}).setdefault(act.period, {})
            own |= {key: Said(value, act.number) for key, value in act.content["rows"]}
    return Decisions(rows)


async def record(ledger: Ledger, pool: str, draft: Draft, allowed: Callable[[Sequence[Act]], None]) -> int:
    """Keep the rows of ``draft`` that do not stand yet; return the number of the act, 0 where all stand already.

    ``allowed`` refuses a period that is closed. Errors: E.CANNOT_CLEAR where a key was decided otherwise, and those of
    ``acts.append``.
    """
    kind, rows = Kind(draft.kind), [(str(key), value) for key, value in draft.content["rows"]]
    while True:
        acts = await read_acts(ledger, pool)
        allowed(acts)
        known = standing(acts)
        known.with_rows(kind, draft.period, rows)
        new = known.new_rows(kind, draft.period, rows)
        if not new:
            return 0
        own = Draft(draft.kind, draft.period, draft.by, {"rows": [list(row) for row in new]}, draft.file, draft.sha256)
        if await append(ledger, pool, own, len(acts)):
            return len(acts) + 1


async def withdraw(
    ledger: Ledger, pool: str, number: int, by: str, why: str, allowed: Callable[[Sequence[Act], Act], None]
) -> int:
    """Take an act back by one of its own; return its number.

    Errors: E.CANNOT_CLEAR for a number that is no decision, or one that is withdrawn already.
    """
    while True:
        acts = await read_acts(ledger, pool)
        if not 1 <= number <= len(acts) or acts[number - 1].kind not in list(Kind):
            raise refuse(
                E.CANNOT_CLEAR,
                "act",
                f"act {number} is no decision; see adjudicator ledger decisions",
                f"第 {number} 号登记不是可撤回的决定，请用 adjudicator ledger decisions 查看",
            )
        for act in acts:
            if act.kind == WITHDRAW and act.content["act"] == number:
                raise refuse(
                    E.CANNOT_CLEAR,
                    "act",
                    f"act {number} was withdrawn by act {act.number}",
                    f"第 {number} 号登记已由第 {act.number} 号登记撤回",
                )
        allowed(acts, acts[number - 1])
        draft = Draft(WITHDRAW, acts[number - 1].period, by, {"act": number, "why": why})
        if await append(ledger, pool, draft, len(acts)):
            return len(acts) + 1


def draft_of(kind: Kind, path: Path, period: int, by: str, areas: Mapping[str, str]) -> Draft:
    """Read a file of decisions. Errors: a fault of a row; E.CANNOT_CLEAR for a month where a year is decided."""
    if kind in YEARLY and period > 10_000:
        raise refuse(
            E.CANNOT_CLEAR,
            "period",
            f"{kind} are decided of a year; write YYYY, for example {period // 100}",
            f"{FORMS[kind].zh}按年度登记，请填写年份，如 {period // 100}",
        )
    data = path.read_bytes()
    rows = FORMS[kind].read(path, areas)
    twice = [key for key, count in Counter(key for key, _ in rows).items() if count > 1]
    if twice:
        shown = twice[0].replace("|", " ").strip()
        raise refuse(
            E.CANNOT_CLEAR,
            str(kind),
            f"{path.name} has {shown} twice; keep one row",
            f"{path.name} 中 {shown} 出现两次，请只保留一行",
        )
    return Draft(kind, period, by, {"rows": rows}, path.name, hashlib.sha256(data).hexdigest())
