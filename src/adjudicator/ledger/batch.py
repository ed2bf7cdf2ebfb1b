"""What goes to the commit script: columns of settlements become records, new states and summed totals."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from adjudicator.claim.state import STORED
from adjudicator.errors import E, refuse
from adjudicator.ledger.fee_lines import Kinds, Lines
from adjudicator.ledger.keys import prefix
from adjudicator.ledger.layout import STATE_FORMAT, STATE_HEAD, STATE_WORDS
from adjudicator.ledger.names import fund_text, scheme_text
from adjudicator.ledger.record import Record
from adjudicator.ledger.record_kernel import (
    CHANGE_BYTES,
    HEAD,
    LINE_BYTES,
    MOST_SEGMENTS,
    RECORD_BYTES,
    Blocks,
    Commit,
    Content,
    Heads,
    Names,
    Parts,
    Room,
    sum_groups,
    write_blocks,
)
from adjudicator.ledger.state_kernel import Buffer, Changes, NewStates, OldPairs, write_states
from adjudicator.ledger.statement_kernel import settlement_runs
from adjudicator.ledger.statements import runs_of_records
from adjudicator.ledger.states import StateRead
from adjudicator.payers import LEDGER, LEDGER_COUNT, Origin

LARGEST_TOTAL = 2**53 - 1
"""The script of a commit adds in doubles, which are exact up to here: some 90 trillion yuan."""

Total = tuple[int, int, int, int, int]
"""Month, county, scheme, payers.Fund, amount in fen (for the number of settlements a count)."""


class Identities(NamedTuple):
    """Which settlement each row is, and of whom."""

    keys: np.ndarray  # uint8[n, 16] digest of institution, encounter, sequence and direction
    contents: np.ndarray  # uint8[n, 16] digest of the claim
    field_digests: np.ndarray  # uint32[n, fields], fields may be 0
    persons: np.ndarray  # uint8[n, 16]
    counties: np.ndarray  # uint32[n] area code of insurance
    sequences: np.ndarray  # uint32[n]
    names: Names


class Money(NamedTuple):
    """What is posted: of the claims the date, year, scheme and total, of the others the amounts."""

    claims: np.ndarray  # columns.CLAIM[n]
    benefits: np.ndarray  # columns.BENEFIT[n]
    payments: np.ndarray  # columns.PAYMENT[n]


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


def fund_amounts(claims: np.ndarray, benefits: np.ndarray, payments: np.ndarray) -> np.ndarray:
    """Return what each settlement posts: int64[n, accounts] in fen, by payers.Fund (``payers.LEDGER``).

    The personal account is the person's own, current and past years; relatives' money is FAMILY_ACCOUNT, as in
    the answer.
    """
    amounts = np.zeros((len(claims), LEDGER_COUNT), np.int64)
    records = {Origin.BENEFIT: benefits, Origin.PAYMENT: payments, Origin.CLAIM: claims}
    for place, account in enumerate(LEDGER):
        for column in account.columns:
            amounts[:, place] += records[account.origin][column]
        if account.origin is Origin.COUNT:
            amounts[:, place] = 1
    return amounts


def now_ms() -> int:
    """Return the clock of the ledger, milliseconds since 1970; the one place where it is read."""
    return time.time_ns() // 1_000_000


def new_commit() -> int:
    """Return a number that tells one commit from every other."""
    return secrets.randbits(63) | 1


def pack(rows: Settlements, recorded_ms: int | None = None) -> CommitBatch:
    """Turn priced settlements into what one commit writes; work per claim is done in kernels."""
    commit = new_commit()
    amounts = fund_amounts(*rows.money)
    by_state = _by_state(rows.changes.state_rows)
    state_rows, new_states = _pack_states(rows, by_state)
    recorded_ms = now_ms() if recorded_ms is None else recorded_ms
    return CommitBatch(
        pool=rows.pool,
        keys=rows.identities.keys.tobytes(),
        entries=_pack_records(rows, Commit(int(rows.pool), commit, recorded_ms), amounts, by_state),
        state_keys=rows.states.keys[state_rows].tobytes(),
        state_versions=rows.states.versions[state_rows].tobytes(),
        states=new_states,
        totals=_sum_totals(rows, amounts),
        statements=settlement_runs(rows.identities.names, rows.money.claims, amounts),
        commit=commit,
        guard_keys=rows.states.keys[rows.guarded].tobytes(),
        guard_versions=rows.states.versions[rows.guarded].tobytes(),
    )


def _pack_records(
    rows: Settlements, commit: Commit, amounts: np.ndarray, by_state: tuple[np.ndarray, np.ndarray]
) -> list[JournalEntry]:
    """Return the records in blocks."""
    count, names, heads = len(amounts), rows.identities.names, _heads(rows, by_state)
    fields = np.ascontiguousarray(rows.identities.field_digests, np.uint32)
    content = Content(fields, amounts, rows.answers, rows.basis, rows.lines)
    line_counts = rows.lines.ends - rows.lines.starts
    room = RECORD_BYTES * (count + 1) + len(rows.answers.data) + len(rows.basis.data) + LINE_BYTES * line_counts.sum()
    room += int(names.institution_sizes.sum() + names.encounter_sizes.sum())
    room += count * (2 * fields.shape[1] + CHANGE_BYTES * (amounts.shape[1] + len(STORED.numbers)))
    room += int(rows.lines.wire["line_id_size"].sum())
    out, places = np.empty(int(room), np.uint8), np.empty((6, count), np.int64)
    blocks = Blocks(out, *places)
    longest = max(int(line_counts.max(initial=0)), 1)
    scratch = Room(Kinds(*np.empty((4, longest), np.int64)), np.empty((MOST_SEGMENTS, 2), np.int64))
    written = write_blocks(commit, heads, content, (STORED, rows.changes), scratch, blocks)
    octets, columns = out.data, heads.columns["month"]
    firsts = blocks.firsts[:written]
    of_block = zip(firsts.tolist(), blocks.begins[:written].tolist(), blocks.stops[:written].tolist(), strict=True)
    entries, last = [], count
    for first, begin, stop in of_block:  # from the last to the first
        entries.append(JournalEntry(int(columns[first]), last - first, octets[begin:stop]))
        last = first
    return entries[::-1]


def _heads(rows: Settlements, by_state: tuple[np.ndarray, np.ndarray]) -> Heads:
    """Return what the records say about themselves."""
    ids, changes, claims = rows.identities, rows.changes, rows.money.claims
    heads = np.empty(len(ids.keys), HEAD)
    heads["month"], heads["county"], heads["sequence"] = claims["settlement_date"] // 100, ids.counties, ids.sequences
    for name in ("settlement_date", "benefit_year", "scheme"):
        heads[name] = claims[name]
    state_keys, previous = np.zeros((2, len(heads), 16), np.uint8)
    with_state = np.flatnonzero(changes.state_rows >= 0)
    state_rows = changes.state_rows[with_state]
    state_keys[with_state] = rows.states.keys[state_rows]
    previous[with_state] = rows.states.last[state_rows]
    order, starts = by_state
    chained = np.ones(len(order), bool)  # the person's second settlement of the batch follows the first of the batch
    chained[starts[:-1]] = False
    previous[order[chained]] = ids.keys[order[np.flatnonzero(chained) - 1]]
    return Heads(
        heads, ids.names, ids.keys.ravel(), ids.contents.ravel(), ids.persons.ravel(), state_keys.ravel(),
        previous.ravel(),
    )  # fmt: skip


def _by_state(state_rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Claims that have a state, grouped by it and in order; and where each group starts (with the end)."""
    with_state = np.flatnonzero(state_rows >= 0)
    order = with_state[np.argsort(state_rows[with_state], kind="stable")]
    sorted_rows = state_rows[order]
    starts = np.flatnonzero(np.diff(sorted_rows, prepend=-1))
    return order, np.append(starts, len(order))


def _pack_states(rows: Settlements, by_state: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, Shelf]:
    """Return the rows of the states that the batch touches, and their new values."""
    states = rows.states
    order, starts = by_state
    touched, final = rows.changes.state_rows[order[starts[:-1]]], order[starts[1:] - 1]
    heads = np.zeros(len(touched), STATE_HEAD)
    heads["version"] = states.versions[touched] + np.diff(starts).astype(np.uint64)
    heads["last"], heads["format"] = rows.identities.keys[final], STATE_FORMAT
    most = STATE_WORDS + len(STORED.numbers) + (len(STORED.numbers) + 3) // 4
    pairs = len(states.quotas) + len(states.days) + 2 * len(order)
    words = np.empty(len(touched) * most + 2 * pairs, np.uint64)
    out = Buffer.of(words, np.empty(len(touched) + 1, np.int64))
    new = NewStates(
        heads, heads.view(np.uint64).reshape(-1, STATE_WORDS), order, starts,
        OldPairs(
            states.quota_offsets[touched], states.quota_offsets[touched + 1], states.quotas["key"],
            states.quotas["used_fen"],
        ),
        OldPairs(
            states.days_offsets[touched], states.days_offsets[touched + 1], states.days["key"], states.days["days"]
        ),
    )  # fmt: skip
    write_states(new, STORED, rows.changes, out)
    return touched, Shelf(out.octets.data[: int(out.offsets[-1]) * 8], (np.diff(out.offsets) * 8).astype(np.uint32))


def _sum_totals(rows: Settlements, amounts: np.ndarray) -> list[Total]:
    months = rows.money.claims["settlement_date"] // 100
    place = (months.astype(np.int64) * 10**7 + rows.identities.counties) * 100 + rows.money.claims["scheme"]
    groups, members = np.unique(place, return_inverse=True)
    sums = np.zeros((len(groups), LEDGER_COUNT), np.int64)
    if len(amounts) and max(int(amounts.max()), -int(amounts.min())) > LARGEST_TOTAL // len(amounts):
        raise refuse(E.AMOUNT_OUT_OF_RANGE, detail=str(LARGEST_TOTAL))
    sum_groups(members.astype(np.int64), amounts, sums)
    places, funds = np.nonzero(sums)
    group = groups[places]
    columns = (group // 10**9, group // 100 % 10**7, group % 100, funds, sums[places, funds])
    return list(zip(*map(np.ndarray.tolist, columns), strict=True))


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
