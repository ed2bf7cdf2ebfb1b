"""Postings of settlements to the ledger: what stands, what should stand, and the difference as one atomic posting."""

from __future__ import annotations

import hashlib
import itertools
import json

from adjudicator.codes import Fund
from adjudicator.pooling.settlement import Postings, Settlement


def differences(targets: Postings, posted: Postings) -> Postings:
    """What must be posted so that the ledger holds the targets; empty where nothing changed.

    >>> differences({(330102, 1, 13): 700}, {(330102, 1, 13): 1000, (330105, 1, 13): 5})
    {(330102, 1, 13): -300, (330105, 1, 13): -5}
    """
    places = sorted(set(targets) | set(posted))
    found = {place: targets.get(place, 0) - posted.get(place, 0) for place in places}
    return {place: amount for place, amount in found.items() if amount}


def posting_key(pool: str, kind: str, period: int, targets: Postings, posted: Postings) -> bytes:
    """16 bytes that name one posting: the same change over the same ledger has the same key, so it counts once."""
    text = json.dumps([pool, kind, period, sorted(targets.items()), sorted(posted.items())])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def year_targets(settlement: Settlement, monthly: Postings) -> Postings:
    """The year's money less what the months have posted, by county and scheme, for the account ``provider_year``."""
    year = {place[:2]: amount for place, amount in settlement.targets().items()}
    months = {place[:2]: amount for place, amount in monthly.items() if place[2] == Fund.PROVIDER_FINAL}
    return {
        (*place, int(Fund.PROVIDER_YEAR)): year.get(place, 0) - months.get(place, 0)
        for place in sorted(set(year) | set(months))
    }


async def post(ledger, pool: str, settlement: Settlement) -> Postings:
    """Posts the difference between the settlement and the ledger; returns what was posted.

    ``ledger`` is ``ledger.store.Ledger``. Safe to repeat after a lost answer, and when two settle at once: the
    posting's key is made of what it changes, and of how often the same change was posted before.
    """
    if not settlement.is_year:
        funds = {Fund.PROVIDER_FINAL, Fund.PROVIDER_PREPAID}
        return await post_targets(ledger, pool, "settle-month", settlement.period, settlement.targets(), funds)
    monthly: Postings = {}
    for number in range(1, 13):
        add(monthly, await posted(ledger, pool, settlement.period * 100 + number, {Fund.PROVIDER_FINAL}))
    targets = year_targets(settlement, monthly)
    return await post_targets(ledger, pool, "settle-year", settlement.period, targets, {Fund.PROVIDER_YEAR})


async def post_targets(ledger, pool: str, kind: str, period: int, targets: Postings, funds: set[Fund]) -> Postings:
    """Brings some accounts of a period to their targets; a year (YYYY) is posted in its December."""
    month = period if period > 10_000 else period * 100 + 12
    while True:
        standing = await posted(ledger, pool, month, funds)
        changes = differences(targets, standing)
        if not changes:
            return {}
        key = await _free_key(ledger, pool, kind, period, targets, standing)
        if standing != await posted(ledger, pool, month, funds):
            continue
        listed = [(*place, amount) for place, amount in changes.items()]
        if await ledger.post(pool, key, month, listed, {"what": kind, "period": period}):
            return changes


async def _free_key(ledger, pool: str, kind: str, period: int, targets: Postings, standing: Postings) -> bytes:
    """Key of the next posting of a change; the same change over the same state may come back (there and back again)."""
    for turn in itertools.count():
        key = posting_key(pool, f"{kind}/{turn}", period, targets, standing)
        if await ledger.get(pool, key) is None:
            return key
    raise AssertionError("unreachable")


async def posted(ledger, pool: str, month: int, funds: set[Fund]) -> Postings:
    """What the ledger holds of some accounts in a month."""
    totals = await ledger.totals(pool, month=month)
    return {
        (int(row.county), int(row.scheme), int(row.fund)): row.amount_fen
        for row in totals.rows
        if row.fund in funds and row.amount_fen
    }


def add(into: Postings, more: Postings) -> None:
    """Adds postings to postings."""
    for place, amount in more.items():
        into[place] = into.get(place, 0) + amount
