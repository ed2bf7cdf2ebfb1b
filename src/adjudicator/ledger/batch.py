"""What goes to the commit script: columns of settlements become records, new states and summed totals."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from adjudicator.claim.state import STORED
from adjudicator.columns import KEY
from adjudicator.errors import E, refuse
from adjudicator.ledger.keys import prefix, states
from adjudicator.ledger.layout import (
    FORMAT,
    HAS_STATE,
    HEADER,
    HEADER_WORDS,
    STATE_HEAD,
    STATE_WORDS,
    Kind,
)
from adjudicator.ledger.names import fund_text, scheme_text, total_field
from adjudicator.ledger.posting import (
    Buffer,
    Changes,
    Headers,
    Names,
    NewStates,
    OldPairs,
    Parts,
    measure,
    sum_groups,
    write_records,
    write_states,
)
from adjudicator.ledger.record import Record
from adjudicator.ledger.states import StateRead
from adjudicator.payers import LEDGER, LEDGER_COUNT, Origin

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


@dataclass(slots=True)
class CommitBatch:
    """What the commit script takes. ``keys`` 16 bytes a record, ``months`` six digits a record, in order.

    ``state_keys``, ``state_versions`` (as read, 8 bytes each) and ``states`` (new values) belong to one another. The
    states ``guard_keys`` are not written; they must have the versions ``guard_versions``.
    """

    pool: str
    keys: bytes
    months: bytes
    records: list[memoryview | bytes]
    state_keys: list[bytes]
    state_versions: bytes
    states: list[memoryview | bytes]
    totals: list[Total]
    commit: int
    guard_keys: list[bytes] = field(default_factory=list)
    guard_versions: bytes = b""

    def __len__(self) -> int:
        return len(self.records)

    def arguments(self) -> list[bytes | memoryview | str | int]:
        """Arguments of the script (commit.lua)."""
        by_month: dict[int, list[str]] = {}
        by_county: dict[int, list[str]] = {}
        for month, county, scheme, fund, amount in self.totals:
            by_month.setdefault(month, []).extend((total_field(county, scheme, fund), str(amount)))
            name = f"{month:06d}|{scheme_text(scheme)}|{fund_text(scheme, fund)}"
            by_county.setdefault(county, []).extend((name, str(amount)))
        arguments: list[bytes | memoryview | str | int] = [prefix(self.pool), self.keys, self.months]
        arguments.append(self.state_versions + self.guard_versions)
        for groups in (by_month, by_county):
            arguments.append(len(groups))
            for group, values in groups.items():
                arguments += (f"{group:06d}", len(values), *values)
        arguments += self.records
        state_prefix = states(self.pool)
        for key, value in zip(self.state_keys, self.states, strict=True):
            arguments += (state_prefix + key, value)
        arguments += map(state_prefix.__add__, self.guard_keys)
        return arguments


def _cut(buffer: Buffer) -> list[memoryview | bytes]:
    """Pieces of a buffer of 8-byte words, without copying."""
    whole, ends = buffer.octets.data, (buffer.offsets * 8).tolist()
    return list(map(whole.__getitem__, map(slice, ends[:-1], ends[1:])))


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
    months = rows.money.claims["settlement_date"] // 100
    amounts = fund_amounts(*rows.money)
    by_state = _by_state(rows.changes.state_rows)
    headers = _headers(rows, months, by_state)
    headers["commit"], headers["recorded_ms"] = commit, now_ms() if recorded_ms is None else recorded_ms
    state_rows, new_states = _pack_states(rows, by_state)
    return CommitBatch(
        pool=rows.pool,
        keys=rows.identities.keys.tobytes(),
        months="".join(map(str, months.tolist())).encode(),
        records=_cut(_pack_records(rows, headers, amounts)),
        state_keys=rows.states.keys[state_rows].view(KEY).ravel().tolist(),
        state_versions=rows.states.versions[state_rows].tobytes(),
        states=_cut(new_states),
        totals=_sum_totals(months, rows, amounts),
        commit=commit,
        guard_keys=rows.states.keys[rows.guarded].view(KEY).ravel().tolist(),
        guard_versions=rows.states.versions[rows.guarded].tobytes(),
    )


def _pack_records(rows: Settlements, headers: np.ndarray, amounts: np.ndarray) -> Buffer:
    """Return the records; fills what the headers say about sizes."""
    names, parts = rows.identities.names, (rows.answers, rows.basis)
    fields = np.ascontiguousarray(rows.identities.field_digests, np.uint32)
    offsets = np.empty(len(headers) + 1, np.int64)
    measure(headers, names, fields.shape[1], amounts, rows.changes, parts, offsets)
    out = Buffer.of(np.empty(int(offsets[-1]), np.uint64), offsets)
    both = Headers(headers, headers.view(np.uint64).reshape(-1, HEADER_WORDS))
    write_records(both, names, fields, amounts, (STORED, rows.changes), parts, out)
    return out


def _headers(rows: Settlements, months: np.ndarray, by_state: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Headers without commit, time and sizes."""
    ids, changes = rows.identities, rows.changes
    headers = np.zeros(len(months), HEADER)
    headers["format"], headers["kind"], headers["pool"] = FORMAT, Kind.SETTLE, int(rows.pool)
    headers["flags"] = np.where(changes.state_rows >= 0, HAS_STATE, 0)
    headers["month"], headers["county"], headers["sequence"] = months, ids.counties, ids.sequences
    for name in ("settlement_date", "benefit_year", "scheme"):
        headers[name] = rows.money.claims[name]
    headers["key"], headers["content"], headers["person"] = ids.keys, ids.contents, ids.persons
    with_state = np.flatnonzero(changes.state_rows >= 0)
    state_rows = changes.state_rows[with_state]
    headers["state_key"][with_state] = rows.states.keys[state_rows]
    headers["previous"][with_state] = rows.states.last[state_rows]
    headers["last"][with_state] = ids.keys[with_state]
    order, starts = by_state
    chained = np.ones(len(order), bool)  # the person's second settlement of the batch follows the first of the batch
    chained[starts[:-1]] = False
    headers["previous"][order[chained]] = ids.keys[order[np.flatnonzero(chained) - 1]]
    return headers


def _by_state(state_rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Claims that have a state, grouped by it and in order; and where each group starts (with the end)."""
    with_state = np.flatnonzero(state_rows >= 0)
    order = with_state[np.argsort(state_rows[with_state], kind="stable")]
    sorted_rows = state_rows[order]
    starts = np.flatnonzero(np.diff(sorted_rows, prepend=-1))
    return order, np.append(starts, len(order))


def _pack_states(rows: Settlements, by_state: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, Buffer]:
    """Return the rows of the states that the batch touches, and their new values."""
    states = rows.states
    order, starts = by_state
    touched, final = rows.changes.state_rows[order[starts[:-1]]], order[starts[1:] - 1]
    heads = np.zeros(len(touched), STATE_HEAD)
    heads["version"] = states.versions[touched] + np.diff(starts).astype(np.uint64)
    heads["last"], heads["format"] = rows.identities.keys[final], FORMAT
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
    return touched, out


def _sum_totals(months: np.ndarray, rows: Settlements, amounts: np.ndarray) -> list[Total]:
    place = (months.astype(np.int64) * 10**7 + rows.identities.counties) * 100 + rows.money.claims["scheme"]
    groups, members = np.unique(place, return_inverse=True)
    sums = np.zeros((len(groups), LEDGER_COUNT), np.int64)
    if len(amounts) and max(int(amounts.max()), -int(amounts.min())) > 2**62 // len(amounts):
        raise refuse(E.AMOUNT_OUT_OF_RANGE, detail="2**62")  # the sum of a batch must stay exact
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
    if any(abs(amount) >= 2**63 for amount in sums.values()):
        raise refuse(E.AMOUNT_OUT_OF_RANGE, detail=str(2**63 - 1))
    packed: list[memoryview | bytes] = [record.to_bytes() for record in listed]
    return CommitBatch(
        pool=pool,
        keys=b"".join(record.key for record in listed),
        months="".join(f"{record.month:06d}" for record in listed).encode(),
        records=packed,
        state_keys=[key for key, _, _ in states],
        state_versions=b"".join(version.to_bytes(8, "little") for _, version, _ in states),
        states=[value for _, _, value in states],
        totals=[(*place, amount) for place, amount in sorted(sums.items()) if amount],
        commit=listed[0].commit,
    )
