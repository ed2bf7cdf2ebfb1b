"""Rules as they stood on a day: a bundle whose every date looks up what held on that day.

The rules of a pack hold by date, so a pack is a bundle of all days. ``PACK@DATE`` takes the rules of one day for all
days: what a claim of another year comes to under them is what re-pricing compares. Point values stay those of the
claim's month, because a point value is what a month came to and not a rule, and benefit years stay the claim's.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adjudicator.benefit.plan.keys import PLAN
from adjudicator.limits import LAST_DATE
from adjudicator.rules.bundle import Bundle, load_bundle
from adjudicator.rules.lookup import NO_END, Lookup

_SPANS = (("from_date", "to_date"), ("from", "to"))
"""Names of the first and the last day in the rows of compiled tables."""
NEVER, ALWAYS = (LAST_DATE + 1, 0), (0, LAST_DATE)
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})\Z", re.ASCII)


def split_name(name: str) -> tuple[str, int]:
    """Return a pack and its day as YYYYMMDD, 0 for the rules of all days. Errors: ValueError for a day that is none.

    >>> split_name("hangzhou@2024-12-31"), split_name("hangzhou")
    (('hangzhou', 20241231), ('hangzhou', 0))
    """
    pack, separator, day = name.rpartition("@")
    if not separator or Path(name).is_dir():
        return name, 0
    match = _DAY.match(day)
    if match is None:
        raise ValueError(f"{name!r}: {day!r} is not a day: write {pack}@2021-01-01")
    date = datetime.date(*map(int, match.groups()))
    return pack, date.year * 10_000 + date.month * 100 + date.day


def load_rules(names: Sequence[str]) -> Bundle:
    """Return the bundle of some packs, each ``PACK`` or ``PACK@DATE``, all of them on the same day.

    Errors: PackError as ``load_bundle``; ValueError where the days differ.
    """
    split = [split_name(name) for name in names]
    days = {day for _, day in split}
    if len(days) > 1:
        raise ValueError(f"{', '.join(names)}: rules of several packs are taken on one day, or all on their own days")
    bundle = load_bundle([pack for pack, _ in split])
    day = days.pop() if days else 0
    return as_on(bundle, day) if day else bundle


def as_on(bundle: Bundle, day: int) -> Bundle:
    """Return the bundle that holds on ``day`` (YYYYMMDD) on all days, with a hash of its own."""
    walk = _Walk(day)
    own_hash = hashlib.blake2b(f"{bundle.hash}@{day}".encode(), digest_size=8).hexdigest()
    packs = tuple(dataclasses.replace(pack, groupings=walk.entries(pack.groupings)) for pack in bundle.packs)
    return dataclasses.replace(
        bundle, packs=packs, benefit=walk.of(bundle.benefit), catalogue=walk.of(bundle.catalogue),
        payment=walk.of(bundle.payment), lookup=_register_on(bundle.lookup, day), hash=own_hash,
    )  # fmt: skip


def _register_on(lookup: Lookup, day: int) -> Lookup:
    """Return the register as it stood on a day; an institution that is not in it on the day keeps its own days."""
    rows = lookup.hospitals.copy()
    holds = (rows["from_date"] <= day) & (rows["to_date"] >= day)
    for first, end in itertools.pairwise(lookup.hospital_first.tolist()):
        if holds[first:end].any():
            rows["from_date"][first:end] = np.where(holds[first:end], ALWAYS[0], NEVER[0])
            rows["to_date"][first:end] = np.where(holds[first:end], NO_END, NEVER[1])
    return dataclasses.replace(lookup, hospitals=rows)


class _Walk:
    """Replaces the tables with days in a tree of compiled rules."""

    def __init__(self, day: int) -> None:
        self._day = day

    def of(self, rules: Any) -> Any:
        """Return the same rules; a part in which nothing changes is the same object."""
        if isinstance(rules, np.ndarray):
            return self._table(rules)
        if isinstance(rules, tuple) and hasattr(rules, "_fields"):
            return type(rules)(*(self.of(part) for part in rules))
        if dataclasses.is_dataclass(rules) and not isinstance(rules, type):
            return self._changed(rules, self.of)
        return rules

    def _changed(self, rules: Any, change: Callable[[Any], Any]) -> Any:
        parts = {one.name: getattr(rules, one.name) for one in dataclasses.fields(rules)}
        changed = {name: new for name, part in parts.items() if (new := change(part)) is not part}
        return dataclasses.replace(rules, **changed) if changed else rules

    def _table(self, table: np.ndarray) -> np.ndarray:
        """Return a table whose rows hold always or never; others as they are."""
        names = table.dtype.names or ()
        for first, last in _SPANS:
            if first in names and table.dtype != PLAN:
                out = table.copy()
                holds = (out[first] <= self._day) & (out[last] >= self._day)
                out[first], out[last] = (np.where(holds, *both) for both in zip(ALWAYS, NEVER, strict=True))
                out.setflags(write=table.flags.writeable)  # another layout would compile every kernel anew
                return out
        return table

    def entries(self, entries: Any) -> Any:
        """Return what holds on the day, for ever."""
        held = [entry for entry in entries if entry.from_date <= self._day <= entry.to_date]
        return type(entries)(dataclasses.replace(entry, from_date=ALWAYS[0], to_date=ALWAYS[1]) for entry in held)
