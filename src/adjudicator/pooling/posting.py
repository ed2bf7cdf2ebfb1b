"""Postings of settlements to the ledger: what stands, what should stand, and the difference as one atomic posting."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Set as AnySet
from typing import Any, NamedTuple

from adjudicator.errors import AdjudicatorError, E
from adjudicator.payers import Fund
from adjudicator.pooling.settlement import Postings, Settlement


def differences(targets: Postings, posted: Postings) -> Postings:
    """Return what must be posted so that the ledger holds the targets; empty where nothing changed.

    >>> differences({(330102, 1, 13): 700}, {(330102, 1, 13): 1000, (330105, 1, 13): 5})
    {(330102, 1, 13): -300, (330105, 1, 13): -5}
    """
    places = sorted(set(targets) | set(posted))
    found = {place: targets.get(place, 0) - posted.get(place, 0) for place in places}
    return {place: amount for place, amount in found.items() if amount}


def posting_key(pool: str, period: int, funds: AnySet[Fund], turn: int, standing: Postings) -> bytes:
    """16 bytes that name one posting: the ``turn``-th one over this state of the accounts.

    Two runs that saw the same state have the same key, so that only one of them posts, whatever each wanted.
    """
    text = json.dumps([pool, period, sorted(map(int, funds)), turn, sorted(standing.items())])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def year_targets(settlement: Settlement, monthly: Postings) -> Postings:
    """Return the year's money less what the months have posted, by county and scheme, for the account
    ``provider_year``.
    """
    year = {place[:2]: amount for place, amount in settlement.targets().items()}
    months = {place[:2]: amount for place, amount in monthly.items() if place[2] == Fund.PROVIDER_FINAL}
    return {
        (*place, int(Fund.PROVIDER_YEAR)): year.get(place, 0) - months.get(place, 0)
        for place in sorted(set(year) | set(months))
    }


async def post(ledger: Any, pool: str, settlement: Settlement, *, only_look: bool = False) -> Postings:
    """Post the difference between the settlement and the ledger; return it. With ``only_look`` nothing is posted.

    ``ledger`` is ``ledger.store.Ledger``. Safe to repeat after a lost answer, and when two settle at once: the
    posting's key is made of what stands in the ledger, so that of two runs one posts and the other looks again.
    """
    if not settlement.is_year:
        month = Accounts("settle-month", settlement.period, frozenset({Fund.PROVIDER_FINAL, Fund.PROVIDER_PREPAID}))
        return await post_targets(ledger, pool, month, settlement.targets(), only_look=only_look)
    monthly: Postings = {}
    for number in range(1, 13):
        add(monthly, await posted(ledger, pool, settlement.period * 100 + number, {Fund.PROVIDER_FINAL}))
    year = Accounts("settle-year", settlement.period, frozenset({Fund.PROVIDER_YEAR}))
    return await post_targets(ledger, pool, year, year_targets(settlement, monthly), only_look=only_look)


class Accounts(NamedTuple):
    """The accounts of a period that one kind of run brings to their targets."""

    kind: str
    """What posts, for the note of the posting."""
    period: int
    """YYYYMM, or YYYY, which is posted in its December."""
    funds: frozenset[Fund]
    schemes: frozenset[int] | None = None
    """Only these (codes.Scheme), the others stay as they are; ``None``: all."""

    @property
    def month(self) -> int:
        """Month of the ledger."""
        return self.period if self.period > 10_000 else self.period * 100 + 12


async def post_targets(
    ledger: Any, pool: str, accounts: Accounts, targets: Postings, *, only_look: bool = False
) -> Postings:
    """Bring some accounts of a period to their targets and return the differences. ``only_look``: nothing is posted."""
    funds, month = accounts.funds, accounts.month
    while True:
        standing = await posted(ledger, pool, month, funds)
        changes = differences(targets, _of_schemes(standing, accounts.schemes))
        if only_look or not changes:
            return changes
        key = await _free_key(ledger, pool, accounts.period, funds, standing)
        if standing != await posted(ledger, pool, month, funds):
            continue
        listed = [(*place, amount) for place, amount in changes.items()]
        note = {"what": accounts.kind, "period": accounts.period}
        if await _post_once(ledger, pool, key, month, listed, note):
            return changes


async def _post_once(ledger: Any, pool: str, key: bytes, month: int, listed: list[Any], note: dict[str, Any]) -> bool:
    """Return False where another run has posted over the same state, whether the same or something else."""
    try:
        return bool(await ledger.post(pool, key, month, listed, note))
    except AdjudicatorError as error:
        if error.problems[0].number != E.KEY_REUSED:
            raise
        return False


def _of_schemes(postings: Postings, schemes: AnySet[int] | None) -> Postings:
    return {place: amount for place, amount in postings.items() if schemes is None or place[1] in schemes}


async def _free_key(ledger: Any, pool: str, period: int, funds: AnySet[Fund], standing: Postings) -> bytes:
    """Key of the next posting over a state; the same state may come back (there and back again)."""
    for turn in itertools.count():
        key = posting_key(pool, period, funds, turn, standing)
        if await ledger.get(pool, key) is None:
            return key
    raise AssertionError("unreachable")


async def posted(ledger: Any, pool: str, month: int, funds: AnySet[Fund]) -> Postings:
    """Return what the ledger holds of some accounts in a month."""
    totals = await ledger.totals(pool, month=month)
    return {
        (int(row.county), int(row.scheme), int(row.fund)): row.amount_fen
        for row in totals.rows
        if row.fund in funds and row.amount_fen
    }


def add(into: Postings, more: Postings) -> None:
    """Add postings to postings."""
    for place, amount in more.items():
        into[place] = into.get(place, 0) + amount
