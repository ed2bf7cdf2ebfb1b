"""What goes to the commit script: columns of settlements become records, new states and summed totals."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from adjudicator.columns import KEY, QUOTA
from adjudicator.errors import E, refuse
from adjudicator.ledger.keys import prefix, state
from adjudicator.ledger.names import fund_text, scheme_text, total_field
from adjudicator.ledger.posting import measure, sum_groups, write_records, write_states
from adjudicator.ledger.record import CHECKSUM_WORD, FORMAT, HAS_STATE, HEADER, STATE, Kind, Record
from adjudicator.payers import LEDGER, LEDGER_COUNT, Origin

Total = tuple[int, int, int, int, int]
"""Month, county, scheme, codes.Fund, amount in fen (for the number of settlements a count)."""


@dataclass(slots=True)
class StateRead:
    """Persons' years as read, one row a key; ``slots`` and ``quotas`` may be written by the benefit kernel.

    ``keys`` uint8[m, 16]; ``versions`` uint64[m], 0 for a person without a settlement; ``last`` uint8[m, 16],
    key of the latest settlement that stands; ``slots`` int64[m, 64]; ``quota_offsets`` int64[m+1] into
    ``quotas`` QUOTA.
    """

    keys: np.ndarray
    versions: np.ndarray
    last: np.ndarray
    slots: np.ndarray
    quota_offsets: np.ndarray
    quotas: np.ndarray

    @classmethod
    def parse(cls, keys: np.ndarray, values: Sequence[bytes | None]) -> StateRead:
        """From the stored values, None or empty where there is none. Errors: E.LEDGER_CORRUPT for a wrong size."""
        unborn = bytes(STATE.itemsize)
        values = [value or unborn for value in values]
        sizes = np.fromiter(map(len, values), np.int64, len(values))
        if ((sizes < STATE.itemsize) | ((sizes - STATE.itemsize) % QUOTA.itemsize != 0)).any():
            raise refuse(E.LEDGER_CORRUPT, detail="a person's state has an impossible size")
        data = np.frombuffer(b"".join(values), np.uint8)
        starts = np.cumsum(sizes) - sizes
        quota_offsets = np.zeros(len(values) + 1, np.int64)
        np.cumsum((sizes - STATE.itemsize) // QUOTA.itemsize, out=quota_offsets[1:])
        if quota_offsets[-1] == 0:
            fixed, quotas = data.view(STATE), np.zeros(0, QUOTA)
        else:
            is_fixed = np.zeros(len(data), bool)
            is_fixed[(starts[:, None] + np.arange(STATE.itemsize)).ravel()] = True
            fixed, quotas = data[is_fixed].view(STATE), data[~is_fixed].view(QUOTA)
        return cls(keys, fixed["version"].copy(), fixed["last"].copy(), fixed["slots"].copy(), quota_offsets, quotas)

    def quotas_of(self, row: int) -> dict[int, int]:
        """Disease quotas of one row: key -> fen used."""
        part = self.quotas[self.quota_offsets[row] : self.quota_offsets[row + 1]]
        return dict(zip(part["key"].tolist(), part["used_fen"].tolist(), strict=True))


@dataclass(slots=True)
class Settlements:
    """Settlements of one pool in the order they were priced; n rows, every array C-contiguous.

    A claim of a person appears after the person's earlier ones; ``before`` and ``after`` are the person's year
    around this very settlement, so a person may have several rows.
    """

    pool: str
    keys: np.ndarray  # uint8[n, 16]
    contents: np.ndarray  # uint8[n, 16] digest of the claim
    field_digests: np.ndarray  # uint32[n, fields], fields may be 0
    persons: np.ndarray  # uint8[n, 16]
    counties: np.ndarray  # uint32[n] area code of insurance
    claims: np.ndarray  # columns.CLAIM[n]
    benefits: np.ndarray  # columns.BENEFIT[n]
    payments: np.ndarray  # columns.PAYMENT[n]
    sequences: np.ndarray  # uint32[n]
    text: np.ndarray  # uint8: where the institution and encounter ids stand
    names: np.ndarray  # int64[n, 4]: start and size of the institution code, start and size of the encounter id
    answers: np.ndarray  # uint8: the serialised answers one after the other
    answer_offsets: np.ndarray  # int64[n+1]
    states: StateRead
    state_rows: np.ndarray  # int64[n] row of ``states``; -1 for a settlement that counts in no year
    before: np.ndarray  # int64[n, 64]
    after: np.ndarray  # int64[n, 64]
    quota_keys: np.ndarray  # uint64[n], 0 none
    quota_before: np.ndarray  # int64[n]
    quota_after: np.ndarray  # int64[n]
    basis: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))  # words to explain with, opaque here
    basis_offsets: np.ndarray | None = None  # int64[n+1], in words; None: no basis


@dataclass(slots=True)
class CommitBatch:
    """What the commit script takes. ``keys`` 16 bytes a record, ``months`` six digits a record, in order.

    ``state_keys``, ``state_versions`` (as read, 8 bytes each) and ``states`` (new values) belong to one another.
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
        arguments.append(self.state_versions)
        for groups in (by_month, by_county):
            arguments.append(len(groups))
            for group, values in groups.items():
                arguments += (f"{group:06d}", len(values), *values)
        arguments += self.records
        state_prefix = state(self.pool, b"")
        for key, value in zip(self.state_keys, self.states, strict=True):
            arguments += (state_prefix + key, value)
        return arguments


def _cut(words: np.ndarray, offsets: np.ndarray) -> list[memoryview | bytes]:
    """Pieces of a buffer of 8-byte words, without copying."""
    whole, ends = memoryview(words.view(np.uint8)), (offsets * 8).tolist()
    return [whole[start:end] for start, end in pairwise(ends)]


def fund_amounts(claims: np.ndarray, benefits: np.ndarray, payments: np.ndarray) -> np.ndarray:
    """Return what each settlement posts: int64[n, accounts] in fen, by codes.Fund (``payers.LEDGER``).

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
    """The clock of the ledger, milliseconds since 1970; the one place where it is read."""
    return time.time_ns() // 1_000_000


def new_commit() -> int:
    """A number that tells one commit from every other."""
    return secrets.randbits(63) | 1


def pack(rows: Settlements, recorded_ms: int | None = None) -> CommitBatch:
    """Turns priced settlements into what one commit writes; work per claim is done in kernels."""
    commit = new_commit()
    months = rows.claims["settlement_date"] // 100
    amounts = fund_amounts(rows.claims, rows.benefits, rows.payments)
    records, offsets = _pack_records(rows, months, amounts, commit, now_ms() if recorded_ms is None else recorded_ms)
    state_rows, states, state_offsets = _pack_states(rows)
    return CommitBatch(
        pool=rows.pool,
        keys=rows.keys.tobytes(),
        months="".join(map(str, months.tolist())).encode(),
        records=_cut(records, offsets),
        state_keys=rows.states.keys[state_rows].view(KEY).ravel().tolist(),
        state_versions=rows.states.versions[state_rows].tobytes(),
        states=_cut(states, state_offsets),
        totals=_sum_totals(months, rows, amounts),
        commit=commit,
    )


def _pack_records(
    rows: Settlements, months: np.ndarray, amounts: np.ndarray, commit: int, recorded_ms: int
) -> tuple[np.ndarray, np.ndarray]:
    count = len(rows.claims)
    counts = np.zeros((count, 3), np.int64)
    quota_changes = rows.quota_after - rows.quota_before
    measure(amounts, rows.before, rows.after, rows.state_rows, quota_changes, counts)
    basis_offsets = np.zeros(count + 1, np.int64) if rows.basis_offsets is None else rows.basis_offsets
    headers = _headers(rows, months, counts, commit, recorded_ms)
    headers["basis_words"] = np.diff(basis_offsets)
    fields = np.ascontiguousarray(rows.field_digests, np.uint32)
    words = (
        HEADER.itemsize // 8
        + (rows.names[:, 1] + rows.names[:, 3] + 7) // 8
        + (fields.shape[1] + 1) // 2
        + 2 * counts.sum(axis=1)
        + (np.diff(rows.answer_offsets) + 7) // 8
        + np.diff(basis_offsets)
    )
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(words, out=offsets[1:])
    out = np.empty(offsets[-1], np.uint64)
    header_words = headers.view(np.uint64).reshape(-1, HEADER.itemsize // 8)
    write_records(
        header_words, rows.text, rows.names, fields, amounts, rows.before, rows.after, rows.state_rows,
        rows.quota_keys, quota_changes, rows.answers, rows.answer_offsets, rows.basis, basis_offsets,
        CHECKSUM_WORD, offsets,
        out, out.view(np.uint8), out.view(np.uint32),
    )  # fmt: skip
    return out, offsets


def _headers(rows: Settlements, months: np.ndarray, counts: np.ndarray, commit: int, recorded_ms: int) -> np.ndarray:
    headers = np.zeros(len(rows.claims), HEADER)
    headers["format"], headers["kind"], headers["pool"] = FORMAT, Kind.SETTLE, int(rows.pool)
    headers["flags"] = np.where(rows.state_rows >= 0, HAS_STATE, 0)
    headers["month"], headers["county"], headers["sequence"] = months, rows.counties, rows.sequences
    for name in ("settlement_date", "benefit_year", "scheme"):
        headers[name] = rows.claims[name]
    headers["answer_size"] = np.diff(rows.answer_offsets)
    headers["institution_size"], headers["encounter_size"] = rows.names[:, 1], rows.names[:, 3]
    headers["field_count"] = rows.field_digests.shape[1]
    headers["posting_count"], headers["delta_count"], headers["quota_count"] = counts.T
    headers["commit"], headers["recorded_ms"] = commit, recorded_ms
    headers["key"], headers["content"], headers["person"] = rows.keys, rows.contents, rows.persons
    with_state = np.flatnonzero(rows.state_rows >= 0)
    state_rows = rows.state_rows[with_state]
    headers["state_key"][with_state] = rows.states.keys[state_rows]
    headers["previous"][with_state] = rows.states.last[state_rows]
    headers["last"][with_state] = rows.keys[with_state]
    order, starts = _by_state(rows.state_rows)
    chained = np.ones(len(order), bool)  # the person's second settlement of the batch follows the first of the batch
    chained[starts[:-1]] = False
    headers["previous"][order[chained]] = rows.keys[order[np.flatnonzero(chained) - 1]]
    return headers


def _by_state(state_rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Claims that have a state, grouped by it and in order; and where each group starts (with the end)."""
    with_state = np.flatnonzero(state_rows >= 0)
    order = with_state[np.argsort(state_rows[with_state], kind="stable")]
    sorted_rows = state_rows[order]
    starts = np.flatnonzero(np.diff(sorted_rows, prepend=-1))
    return order, np.append(starts, len(order))


def _pack_states(rows: Settlements) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """New values of the states that the batch touches: their rows, the words, the offsets in words."""
    states = rows.states
    order, starts = _by_state(rows.state_rows)
    touched, final = rows.state_rows[order[starts[:-1]]], order[starts[1:] - 1]
    fixed = np.zeros(len(touched), STATE)
    fixed["version"] = states.versions[touched] + np.diff(starts).astype(np.uint64)
    fixed["last"], fixed["slots"] = rows.keys[final], rows.after[final]
    old = np.zeros((len(states.quotas), 2), np.uint64)
    old[:, 0], old[:, 1] = states.quotas["key"], states.quotas["used_fen"].astype(np.uint64)
    offsets = np.zeros(len(touched) + 1, np.int64)
    out = np.empty(len(touched) * (STATE.itemsize // 8) + old.size + 2 * len(order), np.uint64)
    write_states(
        fixed.view(np.uint64).reshape(-1, STATE.itemsize // 8), states.quota_offsets[touched],
        states.quota_offsets[touched + 1], old, order, starts, rows.quota_keys, rows.quota_after, out, offsets,
    )  # fmt: skip
    return touched, out[: offsets[-1]], offsets


def _sum_totals(months: np.ndarray, rows: Settlements, amounts: np.ndarray) -> list[Total]:
    place = (months.astype(np.int64) * 10**7 + rows.counties) * 100 + rows.claims["scheme"]
    groups, members = np.unique(place, return_inverse=True)
    sums = np.zeros((len(groups), LEDGER_COUNT), np.int64)
    if len(amounts) and max(int(amounts.max()), -int(amounts.min())) > 2**62 // len(amounts):
        raise refuse(E.AMOUNT_OUT_OF_RANGE, detail="2**62")  # the sum of a batch must stay exact
    sum_groups(members.astype(np.int64), amounts, sums)
    return [
        (group // 10**9, group // 100 % 10**7, group % 100, fund, amount)
        for group, line in zip(groups.tolist(), sums.tolist(), strict=True)
        for fund, amount in enumerate(line)
        if amount
    ]


def pack_records(pool: str, records: Iterable[Record], states: Sequence[tuple[bytes, int, bytes]]) -> CommitBatch:
    """The same for single records: ``states`` holds key, version as read and new value of each state that changes."""
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
