"""What goes to the commit script: columns of settlements become records, new states and summed totals."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from adjudicator.claim.state import STORED
from adjudicator.errors import E, refuse
from adjudicator.ledger.commit_kernel import (
    LARGEST_TOTAL,
    Identities,
    Money,
    OldStates,
    Texts,
    write_commit,
)
from adjudicator.ledger.fee_lines import Lines
from adjudicator.ledger.keys import prefix
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.names import fund_text, scheme_text
from adjudicator.ledger.record import Record
from adjudicator.ledger.record_kernel import Commit, Parts
from adjudicator.ledger.state_kernel import Changes
from adjudicator.ledger.statements import runs_of_records
from adjudicator.ledger.states import StateRead

Total = tuple[int, int, int, int, int]
"""Month, county, scheme, payers.Fund, amount in fen (for the number of settlements a count)."""


@dataclass(slots=True)
class Settlements:
    """Settlements of one pool in the order they were priced; n rows, every array C-contiguous.

    A claim of a person appears after the person's earlier ones; ``changes`` has the person's year around this very
    settlement, so a person may have several rows. ``states`` are the years as read, which ``changes`` points into.
    """

    pool: str
    identities: Identities
    money: Money
    states: StateRead
    changes: Changes
    guarded: np.ndarray
    """int64: rows of states that no claim changes and that must be as they were read when the batch is written."""
    answers: Parts
    """The serialised answers."""
    basis: Parts
    """What each was priced from, to explain it later; opaque here (claim.basis)."""
    lines: Lines
    """The fee lines of the answers."""


class Shelf(NamedTuple):
    """Values one after the other, and how long each is."""

    octets: bytes | memoryview
    sizes: np.ndarray  # uint32

    def pieces(self) -> list[bytes]:
        """Return each value."""
        ends = np.cumsum(self.sizes, dtype=np.int64)
        return [
            bytes(self.octets[end - size : end]) for size, end in zip(self.sizes.tolist(), ends.tolist(), strict=True)
        ]


class JournalEntry(NamedTuple):
    """What becomes one entry of a journal stream: a block, its month and how many records it has."""

    month: int
    records: int
    block: bytes | memoryview


@dataclass(slots=True)
class CommitBatch:
    """What the commit script takes. ``keys`` 16 bytes a record, in order.

    ``state_keys`` (16 bytes each), ``state_versions`` (as read, 8 bytes each) and ``states`` (new values) belong to one
    another. The states ``guard_keys`` are not written; they must have the versions ``guard_versions``.
    """

    pool: str
    keys: bytes
    entries: list[JournalEntry]
    state_keys: bytes
    state_versions: bytes
    states: Shelf
    totals: list[Total]
    statements: bytes
    """Runs of entries by month and institution (``ledger.statements``)."""
    commit: int
    guard_keys: bytes = b""
    guard_versions: bytes = b""

    def __len__(self) -> int:
        return len(self.keys) // 16

    def new_states(self) -> dict[bytes, bytes]:
        """Return the states that are written: key -> value."""
        keys = (self.state_keys[at : at + 16] for at in range(0, len(self.state_keys), 16))
        return dict(zip(keys, self.states.pieces(), strict=True))

    def arguments(self) -> list[bytes | memoryview | str]:
        """Arguments of the script (commit.lua)."""
        totals = [
            f"{month:06d} {county:06d} {_fund(scheme, fund)} {amount}\n"
            for month, county, scheme, fund, amount in self.totals
        ]
        return [
            prefix(self.pool), self.keys, "".join([f"{entry.month:06d}{entry.records:04d}" for entry in self.entries]),
            self.state_keys + self.guard_keys, self.state_versions + self.guard_versions, self.states.sizes.tobytes(),
            self.states.octets, "".join(totals), self.statements, *[entry.block for entry in self.entries],
        ]  # fmt: skip


@cache
def _fund(scheme: int, fund: int) -> str:
    return f"{scheme_text(scheme)}|{fund_text(scheme, fund)}"


def now_ms() -> int:
    """Return the clock of the ledger, milliseconds since 1970; the one place where it is read."""
    return time.time_ns() // 1_000_000


def new_commit() -> int:
    """Return a number that tells one commit from every other."""
    return secrets.randbits(63) | 1


def pack(rows: Settlements, recorded_ms: int | None = None) -> CommitBatch:
    """Turn priced settlements into what one commit writes; everything is done in one kernel.

    Errors: E.AMOUNT_OUT_OF_RANGE where a sum would not be exact in the store.
    """
    number, states = new_commit(), rows.states
    commit = Commit(int(rows.pool), number, now_ms() if recorded_ms is None else recorded_ms)
    old = OldStates(
        states.keys, states.versions, states.last, states.quota_offsets, states.quotas, states.days_offsets, states.days
    )
    texts = Texts(rows.answers, rows.basis, rows.lines)
    exact, new = write_commit(commit, rows.identities, rows.money, old, rows.changes, texts, STORED)
    if not exact:
        raise refuse(E.AMOUNT_OUT_OF_RANGE, detail=str(LARGEST_TOTAL))
    blocks = new.octets.data
    return CommitBatch(
        pool=rows.pool,
        keys=rows.identities.keys.tobytes(),
        entries=[
            JournalEntry(month, records, blocks[begin:end]) for month, records, begin, end in new.entries.tolist()
        ],
        state_keys=new.state_keys.tobytes(),
        state_versions=new.state_versions.tobytes(),
        states=Shelf(new.states.tobytes(), new.state_sizes),
        totals=list(map(tuple, new.totals.tolist())),
        statements=new.statements.tobytes(),
        commit=number,
        guard_keys=states.keys[rows.guarded].tobytes() if rows.guarded.size else b"",
        guard_versions=states.versions[rows.guarded].tobytes() if rows.guarded.size else b"",
    )


def pack_records(pool: str, records: Iterable[Record], states: Sequence[tuple[bytes, int, bytes]]) -> CommitBatch:
    """Return the same for single records: ``states`` holds key, version as read and new value of each state that
    changes.
    """
    listed = list(records)
    sums: dict[tuple[int, int, int, int], int] = {}
    for record in listed:
        for county, scheme, fund, amount in record.postings:
            place = (record.month, county, scheme, fund)
            sums[place] = sums.get(place, 0) + amount
    if any(abs(amount) > LARGEST_TOTAL for amount in sums.values()):
        raise refuse(E.AMOUNT_OUT_OF_RANGE, detail=str(LARGEST_TOTAL))
    values = [value for _, _, value in states]
    return CommitBatch(
        pool=pool,
        keys=b"".join(record.key for record in listed),
        entries=[JournalEntry(record.month, 1, record.to_bytes()) for record in listed],
        state_keys=b"".join(key for key, _, _ in states),
        state_versions=b"".join(version.to_bytes(8, "little") for _, version, _ in states),
        states=Shelf(b"".join(values), np.array([len(value) for value in values], np.uint32)),
        totals=[(*place, amount) for place, amount in sorted(sums.items()) if amount],
        statements=runs_of_records(listed),
        commit=listed[0].commit,
    )


def posting_record(
    pool: str,
    key: bytes,
    month: int,
    postings: Iterable[tuple[int, int, int, int]],
    note: Mapping[str, object] | None = None,
) -> Record:
    """Return the record of amounts that come from no claim: county, codes.Scheme, payers.Fund, fen; see Ledger.post."""
    text = json.dumps(note or {}, ensure_ascii=False, sort_keys=True).encode()
    listed = tuple((int(county), int(scheme), int(fund), int(fen)) for county, scheme, fund, fen in postings)
    content = hashlib.blake2b(f"{month}{sorted(listed)}".encode() + text, digest_size=16).digest()
    return Record(
        Kind.POSTING, int(pool), month, key, content, settlement_date=month * 100 + 1, postings=listed, answer=text,
        commit=new_commit(), recorded_ms=now_ms(),
    )  # fmt: skip
