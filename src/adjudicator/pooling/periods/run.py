"""One run of a month or a year: cases and decisions in, settlement out, posted and closed if asked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.ledger.acts import Act, Draft, append, read_acts
from adjudicator.ledger.record import Record
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from adjudicator.pooling.cases import Cases, inside, join, read_cases
from adjudicator.pooling.hospitals.packages import settle_limits
from adjudicator.pooling.hospitals.review import Decision
from adjudicator.pooling.hospitals.settlement import (
    NONE_UNPRICED,
    Lines,
    Settlement,
    settle,
    standing_points,
    unpriced_of,
)
from adjudicator.pooling.periods import decisions
from adjudicator.pooling.periods.closing import (
    CLOSE,
    Carried,
    Closed,
    carried_before,
    carried_of_year,
    check_open,
    check_order,
    closings,
    content_of,
    dues,
    periods_that_carry,
)
from adjudicator.pooling.periods.context import PoolContext, budgets, first_month, last_day, read_budgets
from adjudicator.pooling.periods.decisions import Decisions, Kind, draft_of
from adjudicator.pooling.periods.ledger_cases import LedgerCases, Stay, cases_of, months_from, months_of, read_stays
from adjudicator.pooling.periods.posting import (
    accounts_of,
    add,
    differences,
    post_lines,
    standing_of,
    year_lines,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked for."""

    period: int
    """YYYYMM or YYYY."""
    case_files: Sequence[Path] = ()
    from_ledger: bool = False
    stays: Path | None = None
    files: Mapping[Kind, Path] = field(default_factory=dict)
    """Decisions given by hand: a trial, or recorded before the run posts."""
    budget: Sequence[str] = ()
    """Budgets given by hand, ``310=1234.56``; the same."""
    post: bool = False
    close: bool = False
    without_unpriced: bool = False
    by: str = ""
    """Who posts."""

    @property
    def writes(self) -> bool:
        """Whether the ledger is to change."""
        return self.post or self.close


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to."""

    settlement: Settlement
    changes: Lines | None = None
    """Differences to the ledger, ``None`` without one."""
    done: bool = False
    """Whether they were posted."""
    closes: bool = False
    """Whether this very run closed the period."""
    closed: Closed | None = None
    """The closing of the period, where it is closed: the settlement is as it was then."""
    carried: Carried = field(default_factory=dict)
    """Differences of closed periods that the closing of this one posts, or would post."""
    ledger: Mapping[int, Lines] = field(default_factory=dict)
    """What the ledger's postings say after a run of a year, by month."""


async def run_period(ledger: Ledger | None, context: PoolContext, request: Request) -> Run:
    """Settle a period; with a ledger say what changes there, and change it if asked to.

    Errors: E.CANNOT_CLEAR without cases, E.PERIOD_CLOSED where the period is closed and ``request`` writes.
    """
    if request.close and not (request.from_ledger and ledger is not None):
        raise refuse(
            E.CANNOT_CLEAR,
            "close",
            "a period is closed over the ledger's own cases: add --from-ledger with --redis or --data",
            "结账须以账本中的病例为准，请用 --from-ledger 加 --redis 或 --data",
        )
    if ledger is not None and request.period < 10_000:
        run = await _run_over(ledger, context, request)
        return replace(run, ledger=await _months_of_year(ledger, context.pool, request.period))
    if ledger is not None:
        return await _run_over(ledger, context, request)
    return Run(_settle(context, request, _from_files(request), _given(context, request, Decisions({}))))


async def _months_of_year(ledger: Ledger, pool: str, year: int) -> dict[int, Lines]:
    months = range(year * 100 + 1, year * 100 + 13)
    return {month: (await standing_of(ledger, pool, month)).lines for month in months}


async def _run_over(ledger: Ledger, context: PoolContext, request: Request) -> Run:
    """Settle a period over a ledger; see :func:`run_period`."""
    if request.writes:
        await _record_given(ledger, context, request)
    while True:
        found = await _Books.read(ledger, context, request)
        known = closings(found.acts)
        if request.period in known:
            if request.writes:
                check_open(found.acts, request.period)
            return _as_closed(context, request, found, known[request.period])
        run = _over_ledger(context, request, found)
        if not request.writes:
            return replace(run, changes=await _post(ledger, context, run, found, only_look=True))
        if run.settlement.unpriced and (request.close or not request.without_unpriced):
            return replace(run, changes=await _post(ledger, context, run, found, only_look=True))
        if not request.close:
            return replace(run, changes=await _post(ledger, context, run, found), done=True)
        changes = await _close(ledger, context, request, run, found)
        if changes is not None:
            return replace(run, changes=changes, done=True, closes=True)


@dataclass(slots=True)
class _Books:
    """What a run reads of a ledger."""

    acts: list[Act]
    version: int
    """Of the ledger; records up to it count."""
    cases: LedgerCases | None
    """``None`` where the cases come from files."""

    @classmethod
    async def read(cls, ledger: Ledger, context: PoolContext, request: Request) -> _Books:
        acts = await read_acts(ledger, context.pool)
        version = await ledger.version(context.pool)
        if not request.from_ledger:
            return cls(acts, version, None)
        first = min([request.period, *(one.period for one in _carrying(acts, request.period))], key=first_month)
        months = await months_from(ledger, context.pool, first)
        stays = read_stays(request.stays) if request.stays else dict[str, Stay]()
        cases = await cases_of(ledger, context.pool, months, stays, context.payment.clearing_funds)
        return cls(acts, version, cases)


def _carrying(acts: Sequence[Act], period: int) -> list[Closed]:
    """Return the closed periods of which a month that is open takes the later differences."""
    known = closings(acts)
    return [] if period < 10_000 or period in known else periods_that_carry(known, period)


def _from_files(request: Request) -> Cases:
    if not request.case_files:
        raise refuse(
            E.CANNOT_CLEAR,
            "cases",
            "no cases: give --cases, or --from-ledger with --redis or --data",
            "没有病例，请用 --cases 给出文件，或用 --from-ledger 加 --redis 或 --data",
        )
    return join([read_cases(path) for path in request.case_files])


def _over_ledger(context: PoolContext, request: Request, found: _Books) -> Run:
    """Settle a period that is open."""
    taken = _given(context, request, decisions.standing(found.acts, found.version))
    if found.cases is None:
        return Run(_settle(context, request, _from_files(request), taken))
    cases = found.cases.as_of(found.version)
    settlement = _settle(context, request, _since(cases, request.period), taken)
    carried: Carried = {}
    for closed in _carrying(found.acts, request.period):
        later = _later(context, found, closed, taken, settlement)
        late = differences(later, carried_before(closings(found.acts), closed.period))
        if late:
            carried[closed.period] = late
    return Run(settlement, carried=carried)


def _since(cases: Cases, period: int) -> Cases:
    """Return what was settled from a period on, which changes its readmissions, and what was taken back of it."""
    rows, ids = cases.rows, cases.ids
    chosen = rows["month"] >= first_month(period)
    settled = rows["sign"] == 1
    reversals = np.flatnonzero(chosen & ~settled)
    if len(reversals):
        earlier = set(ids[settled & ~chosen].tolist())
        chosen[reversals] = [ids[row] not in earlier for row in reversals.tolist()]
    return cases.select(chosen)


def _later(context: PoolContext, found: _Books, closed: Closed, now: Decisions, settlement: Settlement) -> Lines:
    """Return what has come to a closed period since: what it is owed now less what it was owed, at its own values.

    Its cases without a price go to those of ``settlement``: over a closed period they came later.
    """
    assert found.cases is not None
    rules = context.rules(last_day(closed.period))
    owed = []
    for version, taken in ((found.version, now), (closed.version, decisions.standing(found.acts, closed.version))):
        cases = _since(found.cases.as_of(version), closed.period)
        reviews = _of_cases(taken.reviews(closed.period), cases)
        standing, points = standing_points(cases, rules, reviews)
        owed.append(dues(standing, points, closed.period, closed.values))
        if version == found.version:
            for place, one in unpriced_of(standing, inside(standing, closed.period)).items():
                settlement.unpriced[place] = settlement.unpriced.get(place, NONE_UNPRICED).plus(one)
    return differences(owed[0], owed[1])


def _of_cases(reviews: Mapping[str, Decision], cases: Cases) -> dict[str, Decision]:
    known = set(cases.ids.tolist())
    return {case: decision for case, decision in reviews.items() if case in known}


def _as_closed(context: PoolContext, request: Request, found: _Books, closed: Closed) -> Run:
    """Settle a closed period as it was: the records, decisions and budgets of its closing.

    Errors: E.CANNOT_CLEAR where the rules loaded now give other amounts; E.PERIOD_CLOSED without the ledger's cases.
    """
    if found.cases is None:
        raise refuse(
            E.PERIOD_CLOSED, "period",
            f"{closed.period} was closed by act {closed.act.number}; add --from-ledger to see it",
            f"{closed.period} 已由第 {closed.act.number} 号登记结账，请加 --from-ledger 查看",
        )  # fmt: skip
    cases = _since(found.cases.as_of(closed.version), closed.period)
    then = replace(request, budget=(), files={})
    settlement = _settle(context, then, cases, decisions.standing(found.acts, closed.version))
    if settlement.lines() != closed.lines:
        number = closed.act.number
        raise refuse(
            E.CANNOT_CLEAR,
            "pack",
            f"the rules loaded give {closed.period} other amounts than its closing, act {number}; use its pack",
            f"按现行规则重算的 {closed.period} 与第 {number} 号登记结账时不一致，请使用结账时的规则包",
        )
    return Run(settlement, {}, closed=closed, carried=closed.carried)


def _given(context: PoolContext, request: Request, standing: Decisions) -> Decisions:
    """Return the decisions with those given by hand."""
    for draft in _drafts(context, request):
        standing = standing.with_rows(Kind(draft.kind), draft.period, draft.content["rows"])
    return standing


def _drafts(context: PoolContext, request: Request) -> list[Draft]:
    found = [draft_of(kind, path, request.period, request.by, context.areas) for kind, path in request.files.items()]
    if request.budget:
        rows = list(read_budgets(request.budget).items())
        found.append(Draft(str(Kind.BUDGET), request.period, request.by, {"rows": rows}))
    return found


async def _record_given(ledger: Ledger, context: PoolContext, request: Request) -> None:
    """Record what is given by hand before it is posted, so that the next run knows it."""
    for draft in _drafts(context, request):
        await decisions.record(ledger, context.pool, draft, lambda acts: check_open(acts, request.period))


def _settle(context: PoolContext, request: Request, cases: Cases, taken: Decisions) -> Settlement:
    """Settle the cases of a period with what was decided."""
    period = request.period
    context.check(cases)
    if not inside(cases, period).any():
        raise refuse(
            E.CANNOT_CLEAR,
            "cases",
            f"there is no case of {period}; check the period and the files",
            f"没有 {period} 的病例，请核对期间与文件",
        )
    date = last_day(period)
    reviews = taken.reviews(period)
    if Kind.REVIEW not in request.files:
        reviews = _of_cases(reviews, cases)
    money = budgets(context.pooling, period, taken.budgets(period))
    is_year = period < 10_000
    scores = taken.scores(period) if is_year else None
    settlement = settle(cases, period, money, context.rules(date), reviews or None, scores)
    settlement.limits += settle_limits(
        settlement.cases,
        settlement.kept,
        period,
        taken.limits(period) if is_year else (),
        lambda scheme: context.pooling.pick("quota_year", date, scheme),
    )
    return settlement


async def targets_of(ledger: Ledger, pool: str, settlement: Settlement, known: Mapping[int, Closed]) -> Lines:
    """Return what the accounts of the period should hold."""
    if not settlement.is_year:
        return settlement.lines()
    monthly = carried_of_year(known, settlement.period)
    for number in range(1, 13):
        held = await standing_of(ledger, pool, settlement.period * 100 + number)
        add(monthly, {place: fen for place, fen in held.lines.items() if place[2] == Fund.PROVIDER_FINAL})
    return year_lines(settlement, monthly)


async def _post(ledger: Ledger, context: PoolContext, run: Run, found: _Books, *, only_look: bool = False) -> Lines:
    """Post a period that stays open. Errors: E.PERIOD_CLOSED where it is closed meanwhile."""
    settlement = run.settlement
    targets = await targets_of(ledger, context.pool, settlement, closings(found.acts))

    async def allowed() -> None:
        check_open(await read_acts(ledger, context.pool), settlement.period)

    accounts = accounts_of(settlement)
    return await post_lines(ledger, context.pool, accounts, targets, only_look=only_look, allowed=allowed)


async def _months_with_settlements(ledger: Ledger, pool: str) -> list[int]:
    """Months of the journal in which something is settled, as the totals say."""
    found = []
    for month in await months_of(ledger, pool):
        totals = await ledger.totals(pool, month=month)
        if any(row.fund == Fund.CLAIMS and row.amount_fen for row in totals.rows):
            found.append(month)
    return found


class _ActsMovedError(Exception):
    """Somebody has acted while a period was about to be closed."""


async def _close(ledger: Ledger, context: PoolContext, request: Request, run: Run, found: _Books) -> Lines | None:
    """Post a period and close it in one commit. Return ``None`` where somebody acted meanwhile: read again."""
    check_open(found.acts, request.period)
    check_order(found.acts, request.period, await _months_with_settlements(ledger, context.pool))
    settlement, pool = run.settlement, context.pool
    targets = await targets_of(ledger, pool, settlement, closings(found.acts))
    accounts = accounts_of(settlement)
    if not settlement.is_year:
        accounts = accounts._replace(funds=accounts.funds | {Fund.PROVIDER_PRIOR})
    for lines in run.carried.values():
        add(targets, lines)
    draft = Draft(CLOSE, request.period, request.by, content_of(settlement, found.version, run.carried))

    async def write(record: Record) -> bool:
        if await append(ledger, pool, draft, len(found.acts), [record]):
            return True
        if len(await read_acts(ledger, pool)) != len(found.acts):
            raise _ActsMovedError
        return False

    try:
        return await post_lines(ledger, pool, accounts, targets, write=write)
    except _ActsMovedError:
        return None


def refuse_unpriced(run: Run, request: Request, text: tuple[str, str]) -> AdjudicatorError | None:
    """Return the refusal of a run that posted nothing because cases have no price."""
    if request.writes and not run.done and run.settlement.unpriced:
        return refuse(E.UNPRICED_CASES, "cases", *text)
    return None
