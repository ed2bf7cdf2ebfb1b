"""Postings of settlements to the ledger: what stands, what should stand, and the difference as one atomic posting.

The postings of a month are one series of numbered records (``ledger.numbered``). Each says in its note which hospital
each fen is for, so that a run shows by hospital and county what it changes. Two runs that saw the same postings want
the same number: one posts and the other looks again.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AnySet
from typing import NamedTuple

from adjudicator.ledger.acts import journal_month
from adjudicator.ledger.batch import pack_records, posting_record
from adjudicator.ledger.numbered import numbered_key, read_series
from adjudicator.ledger.record import Record
from adjudicator.ledger.store import Ledger
from adjudicator.payers import Fund
from adjudicator.pooling.hospitals.settlement import Lines, Postings, Settlement, sums_of

NO_HOSPITAL = ""
"""Stands for amounts of which the ledger does not say for whom they are."""
Place = tuple[int, int, int, str]


def differences(targets: Mapping[Place, int], standing: Mapping[Place, int]) -> Lines:
    """Return what must be posted so that the ledger holds the targets; empty where nothing changed.

    >>> differences({(330102, 1, 13, "H1"): 700}, {(330102, 1, 13, "H1"): 1000, (330105, 1, 13, "H2"): 5})
    {(330102, 1, 13, 'H1'): -300, (330105, 1, 13, 'H2'): -5}
    """
    places = sorted(set(targets) | set(standing))
    found = {place: targets.get(place, 0) - standing.get(place, 0) for place in places}
    return {place: amount for place, amount in found.items() if amount}


class Accounts(NamedTuple):
    """The accounts of a period that one kind of run brings to their targets."""

    kind: str
    """What posts, for the note of the posting."""
    period: int
    """YYYYMM, or YYYY, which is posted in its December."""
    funds: frozenset[Fund]

    @property
    def month(self) -> int:
        """Month of the ledger."""
        return journal_month(self.period)

    def own(self, lines: Mapping[Place, int]) -> Lines:
        """Return the lines of these accounts."""
        return {place: fen for place, fen in lines.items() if place[2] in self.funds}


MONTH_FUNDS = frozenset({Fund.PROVIDER_FINAL, Fund.PROVIDER_PREPAID})


def accounts_of(settlement: Settlement) -> Accounts:
    """Return the accounts that the run of a month or a year brings to its targets."""
    if settlement.is_year:
        return Accounts("settle-year", settlement.period, frozenset({Fund.PROVIDER_YEAR}))
    return Accounts("settle-month", settlement.period, MONTH_FUNDS)


def year_lines(settlement: Settlement, monthly: Mapping[Place, int]) -> Lines:
    """Return the year's money less what the months have posted for it, for the account ``provider_year``.

    ``monthly``: lines of ``provider_final`` of the year's months, and of ``provider_prior`` that name one of them.
    """
    result: Lines = {}
    owed = {place: fen for place, fen in settlement.lines().items() if place[2] == Fund.PROVIDER_FINAL}
    for sign, lines in ((1, owed), (-1, monthly)):
        for (county, scheme, _, hospital), fen in lines.items():
            place = (county, scheme, int(Fund.PROVIDER_YEAR), hospital)
            result[place] = result.get(place, 0) + sign * fen
    return result


class Standing(NamedTuple):
    """What the postings of a month of the ledger say."""

    number: int
    """How many postings there are."""
    lines: Lines
    """By county, scheme, account and hospital."""


async def standing_of(ledger: Ledger, pool: str, month: int) -> Standing:
    """Return the postings of a month; an amount of the totals that no posting explains is for :data:`NO_HOSPITAL`."""
    while True:
        postings = await read_series(ledger, pool, series_of(month))
        lines: Lines = {}
        for record in postings:
            add(lines, lines_of(record))
        held = await posted(ledger, pool, month, frozenset(fund for fund in Fund if fund >= Fund.PROVIDER_FINAL))
        if len(await read_series(ledger, pool, series_of(month))) == len(postings):
            break
    explained = sums_of(lines)
    for place in sorted(held.keys() | explained.keys()):
        if rest := held.get(place, 0) - explained.get(place, 0):
            lines[(*place, NO_HOSPITAL)] = lines.get((*place, NO_HOSPITAL), 0) + rest
    return Standing(len(postings), lines)


def series_of(month: int) -> str:
    """Name of the series of a month's postings."""
    return f"posting {month}"


def lines_of(record: Record) -> Lines:
    """Return what a posting says of each hospital."""
    return {
        (county, scheme, fund, hospital): fen
        for county, scheme, fund, hospital, fen in json.loads(record.answer).get("lines", [])
    }


Write = Callable[[Record], Awaitable[bool]]
"""Writes a posting, alone or with others in one commit; False where its number has been taken."""
Allowed = Callable[[], Awaitable[None]]
"""Raises where the period may not be posted to any more."""


async def post_lines(
    ledger: Ledger,
    pool: str,
    accounts: Accounts,
    targets: Mapping[Place, int],
    *,
    only_look: bool = False,
    allowed: Allowed | None = None,
    write: Write | None = None,
) -> Lines:
    """Bring some accounts of a period to their targets and return the differences. ``only_look``: nothing is posted.

    Safe to repeat after a lost answer, and when two settle at once. ``allowed`` is asked after the ledger was read, so
    that a period which is closed meanwhile refuses. ``write`` is for a posting that belongs to an act; it is called
    even where nothing changes.
    """
    month = accounts.month
    while True:
        standing = await standing_of(ledger, pool, month)
        changes = differences(targets, accounts.own(standing.lines))
        if only_look or not (changes or write):
            return changes
        if allowed is not None:
            await allowed()
        key = numbered_key(pool, series_of(month), standing.number + 1)
        listed = [(*place, fen) for place, fen in sums_of(changes).items() if fen]
        note = {
            "what": accounts.kind, "period": accounts.period,
            "lines": [[*place, fen] for place, fen in changes.items()],
        }  # fmt: skip
        record = posting_record(pool, key, month, listed, note)
        if await (write(record) if write else _write(ledger, pool, record)):
            return changes


async def _write(ledger: Ledger, pool: str, record: Record) -> bool:
    return (await ledger.commit(pack_records(pool, [record], []))).done


async def posted(ledger: Ledger, pool: str, month: int, funds: AnySet[Fund]) -> Postings:
    """Return what the ledger holds of some accounts in a month, by county."""
    totals = await ledger.totals(pool, month=month)
    return {
        (int(row.county), int(row.scheme), int(row.fund)): row.amount_fen
        for row in totals.rows
        if row.fund in funds and row.amount_fen
    }


def add(into: Lines, more: Mapping[Place, int]) -> None:
    """Add lines to lines."""
    for place, fen in more.items():
        into[place] = into.get(place, 0) + fen
