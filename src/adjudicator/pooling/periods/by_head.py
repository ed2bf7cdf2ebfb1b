"""One run of what goes by the head in a year: capitation by item, or per-head packages divided by outpatient points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from adjudicator.codes import SCHEME_CODES
from adjudicator.errors import E, refuse
from adjudicator.ledger.acts import read_acts
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from adjudicator.pooling.heads import capitation
from adjudicator.pooling.heads.capitation import CapitationTerms, Enrolment, Result
from adjudicator.pooling.heads.visit_packages import PackageResult, settle_packages
from adjudicator.pooling.hospitals.settlement import Lines
from adjudicator.pooling.periods import decisions
from adjudicator.pooling.periods.closing import check_open
from adjudicator.pooling.periods.context import PoolContext, last_day
from adjudicator.pooling.periods.decisions import Decisions, Kind, draft_of
from adjudicator.pooling.periods.posting import Accounts, post_lines

BY_ITEM, BY_POINTS = "capitation", "packages"


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked for."""

    year: int
    files: Mapping[Kind, Path]
    """Contracts, care and visits given by hand: a trial, or recorded before the run posts."""
    post: bool = False
    by: str = ""


@dataclass(slots=True)
class HeadsYear:
    """What a year by the head came to."""

    kind: str
    """:data:`BY_ITEM` or :data:`BY_POINTS`."""
    counties: dict[tuple[str, str], int] = field(default_factory=dict)
    """What the counties of the people pay, fen by (county, scheme)."""
    lines: Lines = field(default_factory=dict)
    """The same by the institution or consortium that the people are signed with."""
    institutions: list[tuple[str, Result]] = field(default_factory=list)
    """By item: scheme, "" where all are settled as one, and institution or consortium."""
    packages: dict[str, tuple[Fraction, list[PackageResult]]] = field(default_factory=dict)
    """By points: scheme -> value of a point, institutions."""
    changes: Lines | None = None
    """Differences to the ledger, ``None`` without one."""
    done: bool = False


async def run_heads(ledger: Ledger | None, context: PoolContext, request: Request) -> HeadsYear:
    """Settle the year by the head; with a ledger say what changes there, and post it if asked to.

    Contracts, care and visits that the ledger keeps count with those given by hand. Errors: E.CANNOT_CLEAR without
    contracts, or with care and visits both, which would pay the same people twice.
    """
    drafts = [draft_of(kind, path, request.year, request.by, context.areas) for kind, path in request.files.items()]
    known = Decisions({})
    if ledger is not None:
        if request.post:
            for draft in drafts:
                await decisions.record(ledger, context.pool, draft, lambda acts: check_open(acts, request.year))
        known = decisions.standing(await read_acts(ledger, context.pool))
    for draft in drafts:
        known = known.with_rows(Kind(draft.kind), draft.period, draft.content["rows"])
    result = _settle(context, request.year, known)
    if ledger is not None:

        async def allowed() -> None:
            check_open(await read_acts(ledger, context.pool), request.year)

        accounts = Accounts(result.kind, request.year, frozenset({Fund.PROVIDER_CAPITATION}))
        result.changes = await post_lines(
            ledger, context.pool, accounts, result.lines, only_look=not request.post, allowed=allowed
        )
        result.done = request.post
    return result


def _settle(context: PoolContext, year: int, known: Decisions) -> HeadsYear:
    people, care, visits = known.enrolments(year), known.care(year), known.visits(year)
    if not people:
        raise refuse(
            E.CANNOT_CLEAR,
            "enrolments",
            f"nobody is signed in {year}: give --enrolments",
            f"{year} 年没有签约人员，请用 --enrolments 给出",
        )
    if care and visits:
        raise refuse(
            E.CANNOT_CLEAR,
            "visits",
            "there is care by item (--care) and by points (--visits) for the same people; give one, or withdraw the "
            "other (adjudicator ledger decisions)",
            "签约人员既有按项目费用（--care）又有门诊点数（--visits），"
            "请只给其一，或撤回另一项（adjudicator ledger decisions）",
        )
    if visits:
        return _by_points(context, year, people, known)
    return _by_item(context, year, people, known)


def _terms(context: PoolContext, year: int, people: Sequence[Enrolment]) -> dict[str, CapitationTerms]:
    """Capitation terms of each scheme in the register."""
    schemes = sorted({person.scheme for person in people})
    return {scheme: context.pooling.pick("capitation", last_day(year), scheme) for scheme in schemes}


def _by_item(context: PoolContext, year: int, people: Sequence[Enrolment], known: Decisions) -> HeadsYear:
    """Settle each scheme by itself; together where the care does not say of which scheme it is."""
    care, terms_of = known.care(year), _terms(context, year, people)
    terms = next(iter(terms_of.values()))
    if "" in care and (len(care) > 1 or any(other != terms for other in terms_of.values())):
        listed = ", ".join(terms_of)
        raise refuse(
            E.CANNOT_CLEAR,
            "care",
            f"the schemes {listed} have other terms: fill the column scheme of --care",
            f"各险种规则不同（{listed}），请在 --care 中填写 scheme 列",
        )
    found = HeadsYear(BY_ITEM)
    parts = {"": people} if "" in care else {code: [one for one in people if one.scheme == code] for code in terms_of}
    for scheme, own in parts.items():
        cost = care.get(scheme, capitation.NO_CARE)
        results = capitation.settle_year(year, own, terms_of.get(scheme, terms), cost, context.contract_fen)
        found.institutions += [(scheme, one) for one in results]
        _spread(found, year, own, {one.name: one.settled_fen for one in results}, cost.consortia)
    return found


def _by_points(context: PoolContext, year: int, people: Sequence[Enrolment], known: Decisions) -> HeadsYear:
    """Per-head packages divided by outpatient points, scheme by scheme (门诊按人头包干结合 APG 点数法)."""
    visits, terms_of = known.visits(year), _terms(context, year, people)
    strange = sorted({visit.scheme for visit in visits} - set(terms_of))
    if strange:
        listed = ", ".join(strange)
        raise refuse(
            E.CANNOT_CLEAR,
            "visits",
            f"scheme {listed} has visits but nobody is signed; add its people or remove its rows",
            f"险种 {listed} 有门诊点数但无签约人员，请补充签约人员或删除相应行",
        )
    found = HeadsYear(BY_POINTS)
    for scheme, terms in terms_of.items():
        own = [person for person in people if person.scheme == scheme]
        quotas = capitation.settle_year(year, own, terms, contract_fen=context.contract_fen)
        packages = {result.name: result.quota_fen for result in quotas}
        value, rows = settle_packages(packages, [visit for visit in visits if visit.scheme == scheme])
        found.packages[scheme] = (value, rows)
        _spread(found, year, own, {row.name: row.used_fen for row in rows if row.name in packages}, {})
    return found


def _spread(
    found: HeadsYear, year: int, people: Sequence[Enrolment], owed: Mapping[str, int], consortia: Mapping[str, str]
) -> None:
    """Spread what each institution is owed over the counties of its people."""
    for name, fen in owed.items():
        for (county, scheme), part in capitation.split_over_counties(year, people, {name: fen}, consortia).items():
            found.counties[county, scheme] = found.counties.get((county, scheme), 0) + part
            place = (int(county), int(SCHEME_CODES[scheme]), int(Fund.PROVIDER_CAPITATION), name)
            found.lines[place] = found.lines.get(place, 0) + part
