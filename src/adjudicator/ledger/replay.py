"""What totals, states and index must be, computed from the journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from adjudicator.claim.state import STORED
from adjudicator.codes import Scheme
from adjudicator.columns import ACCUMULATOR_COUNT, KEY
from adjudicator.ledger.journal import Chunk
from adjudicator.ledger.layout import ZERO_DIGEST, Kind
from adjudicator.ledger.pairs import Pairs
from adjudicator.ledger.statement_kernel import AMOUNTS, Settled, digest_entries, hash_institutions, sum_postings
from adjudicator.ledger.statements import COLUMN_OF_FUND, codes_of, name_of
from adjudicator.ledger.states import encode_state
from adjudicator.payers import Fund

_LINK = np.dtype([("row", "i8"), ("position", "i8"), ("previous", "V16"), ("last", "V16")])


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
    rows: dict[bytes, int] = field(default_factory=dict)
    """State key -> row of the arrays below."""
    slots: np.ndarray = field(default_factory=lambda: np.zeros((1024, ACCUMULATOR_COUNT), np.int64))
    versions: np.ndarray = field(default_factory=lambda: np.zeros(1024, np.int64))
    last: np.ndarray = field(default_factory=lambda: np.zeros((1024, 16), np.uint8))
    last_position: np.ndarray = field(default_factory=lambda: np.zeros(1024, np.int64))
    quotas: Pairs = field(default_factory=Pairs)
    days: Pairs = field(default_factory=Pairs)
    positions: list[np.ndarray] = field(default_factory=list)
    keys: list[np.ndarray] = field(default_factory=list)
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
        self.keys.append(chunk.keys.view("V16").reshape(-1))
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

    def _add_states(self, chunk: Chunk) -> None:
        with_state = np.flatnonzero(chunk.with_state)
        if not len(with_state):
            return
        keys = chunk.state_keys[with_state]
        rows = np.array([self._row(key) for key in keys.view(KEY).ravel().tolist()], np.int64)
        row_of = np.full(len(chunk), -1, np.int64)
        row_of[with_state] = rows
        places = STORED.place_of[chunk.changes[:, 1]]
        np.add.at(self.slots, (row_of[chunk.changes[:, 0]], places), chunk.changes[:, 2])
        np.add.at(self.versions, rows, 1)
        for pairs, changed in ((self.quotas, chunk.quotas), (self.days, chunk.days)):
            pairs.add(row_of[changed[:, 0]], changed[:, 1], changed[:, 2])
        links = np.zeros(len(rows), _LINK)
        links["row"], links["position"] = rows, chunk.positions[with_state]
        for name in ("previous", "last"):
            links[name] = getattr(chunk, name)[with_state].view("V16").reshape(-1)
        self.links.append(links)
        order = np.argsort(links["position"], kind="stable")  # the last write to a row wins: the highest position
        newest = order[links["position"][order] > self.last_position[rows[order]]]
        self.last[rows[newest]] = chunk.last[with_state][newest]
        self.last_position[rows[newest]] = links["position"][newest]

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

    def _row(self, key: bytes) -> int:
        row = self.rows.setdefault(key, len(self.rows))
        if row == len(self.versions):
            for name in ("slots", "versions", "last", "last_position"):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros_like(array)]))
        return row

    def state_value(self, key: bytes) -> bytes:
        """Return the value that the store must hold; empty for a state that no record touches."""
        row = self.rows.get(key)
        if row is None:
            return b""
        return encode_state(
            int(self.versions[row]), self.last[row].tobytes(), self.slots[row], self.quotas.of(row), self.days.of(row)
        )

    def missing_positions(self) -> tuple[list[int], list[int]]:
        """Positions up to ``version`` that no record has, and those that two records have."""
        found = np.sort(np.concatenate(self.positions)) if self.positions else np.zeros(0, np.int64)
        twice = np.unique(found[1:][found[1:] == found[:-1]])
        missing = np.setdiff1d(np.arange(1, self.version + 1), found, assume_unique=False)
        return missing.tolist(), twice.tolist()

    def repeated_keys(self) -> list[int]:
        """Positions of records whose settlement key an earlier record has."""
        if not self.keys:
            return []
        positions, keys = np.concatenate(self.positions), np.concatenate(self.keys)
        order = np.argsort(positions, kind="stable")
        _, first = np.unique(keys[order].view("S16"), return_index=True)
        repeated = np.ones(len(order), bool)
        repeated[first] = False
        found: list[int] = positions[order][repeated].tolist()
        return found

    def broken_chains(self) -> Iterator[int]:
        """Positions of records that do not follow on the person's record before."""
        if not self.links:
            return
        links = np.concatenate(self.links)
        links = links[np.lexsort((links["position"], links["row"]))]
        first = np.diff(links["row"], prepend=-1) != 0
        before = np.roll(links["last"], 1)
        before[first] = np.void(ZERO_DIGEST)
        yield from links["position"][links["previous"] != before].tolist()


def settled_of(chunk: Chunk) -> tuple[np.ndarray, Settled]:
    """Return the rows that are no postings, and what statements say of them."""
    rows = np.flatnonzero(chunk.kinds != Kind.POSTING)
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
