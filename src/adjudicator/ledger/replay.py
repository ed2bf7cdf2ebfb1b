"""What totals, states and index must be, computed from the journal alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from adjudicator.claim.state import STORED
from adjudicator.codes import Scheme
from adjudicator.columns import ACCUMULATOR_COUNT
from adjudicator.ledger.journal import Chunk
from adjudicator.ledger.key_table import ABSENT, KeyTable, as_words, grown
from adjudicator.ledger.layout import OF_CLAIMS
from adjudicator.ledger.pairs import Pairs
from adjudicator.ledger.replay_kernel import add_changes, add_records, find_broken, note_firsts
from adjudicator.ledger.statement_kernel import (
    AMOUNTS,
    COLUMN_OF_FUND,
    Settled,
    codes_of,
    digest_entries,
    hash_institutions,
    sum_postings,
)
from adjudicator.ledger.statements import name_of
from adjudicator.ledger.states import encode_state
from adjudicator.payers import Fund

_LINK = np.dtype([("row", "i8"), ("position", "i8"), ("previous", "u8", 2), ("last", "u8", 2)])


class Settling(NamedTuple):
    """What an institution settled in a month: how much, and the sum of the digests of its entries, 64 bits."""

    settlements: int = 0
    digest: int = 0

    def with_more(self, settlements: int, digest: int) -> Settling:
        """Return it with some entries more."""
        return Settling(self.settlements + settlements, (self.digest + digest) & 2**64 - 1)


@dataclass(slots=True)
class Replay:
    """A journal played from its beginning to position ``version``; months may come in any order."""

    version: int = 0
    totals: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    """Month, county, scheme, fund -> amount."""
    years: KeyTable = field(default_factory=KeyTable)
    """State keys; a key's row is that of the arrays below, which are filled where there is one."""
    slots: np.ndarray = field(default_factory=lambda: np.zeros((1, ACCUMULATOR_COUNT), np.int64))
    versions: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    last: np.ndarray = field(default_factory=lambda: np.zeros((1, 2), np.uint64))
    last_position: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    quotas: Pairs = field(default_factory=Pairs)
    days: Pairs = field(default_factory=Pairs)
    positions: list[np.ndarray] = field(default_factory=list)
    settlements: KeyTable = field(default_factory=KeyTable)
    firsts: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    """Of each settlement key the position of its first record."""
    repeated: list[int] = field(default_factory=list)
    """Positions of records whose settlement key an earlier record has."""
    links: list[np.ndarray] = field(default_factory=list)
    statements: dict[bytes, Settling] = field(default_factory=dict)
    """Name of an institution's month (``statements.name_of``) -> what it settled."""
    months: set[int] = field(default_factory=set)
    counties: set[int] = field(default_factory=set)

    def add(self, chunk: Chunk) -> None:
        """Plays some records."""
        if not len(chunk):
            return
        self.months.add(chunk.month)
        self.positions.append(chunk.positions)
        self._add_keys(chunk)
        self._add_totals(chunk)
        self._add_states(chunk)
        self._add_statements(chunk)

    def _add_totals(self, chunk: Chunk) -> None:
        if not len(chunk.postings):
            return
        place = (chunk.posting_counties * 2**16 + chunk.postings[:, 1]) * 2**16 + chunk.postings[:, 2]
        groups, members = np.unique(place, return_inverse=True)
        for group, amount in zip(groups.tolist(), _exact_sums(members, chunk.postings[:, 3], len(groups)), strict=True):
            county = group >> 32
            self.counties.add(county)
            name = (chunk.month, county, group >> 16 & 0xFFFF, group & 0xFFFF)
            self.totals[name] = self.totals.get(name, 0) + amount

    def _add_keys(self, chunk: Chunk) -> None:
        rows, repeated = self.settlements.add(as_words(chunk.keys)), np.empty(len(chunk), np.int64)
        if len(self.firsts) < self.settlements.room:
            self.firsts = grown(self.firsts, self.settlements.room)
        count = note_firsts(rows, chunk.positions, self.firsts, repeated)
        self.repeated += repeated[:count].tolist()

    def _add_states(self, chunk: Chunk) -> None:
        with_state = np.flatnonzero(chunk.with_state)
        if not len(with_state):
            return
        rows = self.years.add(as_words(chunk.state_keys[with_state]))
        if len(self.versions) < self.years.room:
            for name in ("slots", "versions", "last", "last_position"):
                setattr(self, name, grown(getattr(self, name), self.years.room))
        row_of = np.full(len(chunk), -1, np.int64)
        row_of[with_state] = rows
        add_changes(row_of, chunk.changes, STORED.place_of, self.slots)
        for pairs, changed in ((self.quotas, chunk.quotas), (self.days, chunk.days)):
            pairs.add(row_of[changed[:, 0]], changed[:, 1], changed[:, 2])
        links = np.empty(len(rows), _LINK)
        links["row"], links["position"] = rows, chunk.positions[with_state]
        links["previous"] = as_words(chunk.previous[with_state])
        links["last"] = last = as_words(chunk.last[with_state])
        self.links.append(links)
        add_records(rows, chunk.positions[with_state], last, self.versions, (self.last_position, self.last))

    def _add_statements(self, chunk: Chunk) -> None:
        rows, settled = settled_of(chunk)
        hashes, digests = np.empty((2, len(rows)), np.uint64)
        hash_institutions(settled, hashes)
        digest_entries(chunk.positions[rows], settled.codes, settled.amounts, digests)
        _, firsts, members, counts = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
        sums = np.zeros(len(firsts), np.uint64)
        np.add.at(sums, members, digests)
        for first, count, total in zip(firsts.tolist(), counts.tolist(), sums.tolist(), strict=True):
            start = int(settled.starts[first])
            institution = settled.text[start : start + int(settled.sizes[first])].tobytes()
            name = name_of(chunk.month, institution)
            self.statements[name] = self.statements.get(name, Settling()).with_more(count, total)

    @property
    def records(self) -> int:
        """Number of records played."""
        return sum(map(len, self.positions))

    def states_with(self, stored: np.ndarray) -> np.ndarray:
        """Return the keys uint64[m, 2] of all states: those that a record touches, and others among ``stored``."""
        return np.concatenate([self.years.words[: len(self.years)], stored[self.years.rows(stored) == ABSENT]])

    def state_value(self, row: int) -> bytes:
        """Return the value that the store must hold; empty for a state that no record touches (row ABSENT)."""
        if row == ABSENT:
            return b""
        return encode_state(
            int(self.versions[row]), self.last[row].tobytes(), self.slots[row], self.quotas.of(row), self.days.of(row)
        )

    def missing_positions(self) -> tuple[list[int], list[int]]:
        """Positions up to ``version`` that no record has, and those that two records have."""
        found = np.concatenate([np.zeros(0, np.int64), *self.positions])
        times = np.bincount(found, minlength=self.version + 1)
        return (np.flatnonzero(times[1 : self.version + 1] == 0) + 1).tolist(), np.flatnonzero(times > 1).tolist()

    def broken_chains(self) -> list[int]:
        """Positions of records that do not follow on the person's record before, ascending."""
        links = np.concatenate([np.zeros(0, _LINK), *self.links])
        rows, positions, previous, last = (np.ascontiguousarray(links[name]) for name in links.dtype.names or ())
        ends = np.cumsum(np.bincount(rows, minlength=max(len(self.years), 1)))
        broken, order = np.empty(len(rows), bool), np.empty(len(rows), np.int64)
        find_broken((rows, positions, previous, last), ends, order, broken)
        found: list[int] = np.sort(positions[broken]).tolist()
        return found


def settled_of(chunk: Chunk) -> tuple[np.ndarray, Settled]:
    """Return the rows that hospitals sent, and what statements say of them."""
    rows = np.flatnonzero(np.isin(chunk.kinds, [*OF_CLAIMS]))
    amounts = np.empty((len(chunk), AMOUNTS), np.int64)
    sum_postings(chunk.postings, COLUMN_OF_FUND, amounts)
    columns = (chunk.dates, chunk.schemes, chunk.kinds, chunk.institution_starts, chunk.institution_sizes)
    dates, schemes, kinds, starts, sizes = (column[rows] for column in columns)
    months = np.full(len(rows), chunk.month, np.int64)
    codes = codes_of(dates, schemes, kinds)
    return rows, Settled(months, codes, amounts[rows], chunk.octets, starts, sizes)


def _exact_sums(members: np.ndarray, amounts: np.ndarray, groups: int) -> list[int]:
    """Sum by group as Python integers; in int64 where it cannot overflow."""
    if len(amounts) and max(int(amounts.max()), -int(amounts.min())) * len(amounts) >= 2**62:
        exact = [0] * groups
        for member, amount in zip(members.tolist(), amounts.tolist(), strict=True):
            exact[member] += amount
        return exact
    sums = np.zeros(groups, np.int64)
    np.add.at(sums, members, amounts)
    return sums.tolist()


def describe_total(month: int, county: int, scheme: int, fund: int) -> str:
    """Return a total in words, also one that no code list knows."""
    in_scheme = Scheme(scheme).name.lower() if scheme in Scheme._value2member_map_ else str(scheme)
    in_fund = Fund(fund).name.lower() if fund in Fund._value2member_map_ else str(fund)
    return f"{county:06d} {month:06d} {in_scheme} {in_fund}"
