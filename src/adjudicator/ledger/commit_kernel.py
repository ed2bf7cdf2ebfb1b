"""What a commit writes, in one compiled call: the blocks of the journal, the new states, the sums of the totals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator import columns
from adjudicator.claim.state import StoredOrder
from adjudicator.compiled.jit import inlined, kernel, uncounted_inlined
from adjudicator.ledger.fee_lines import Kinds, Lines
from adjudicator.ledger.layout import STATE_FORMAT, STATE_HEAD, STATE_WORDS
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
    write_blocks,
)
from adjudicator.ledger.state_kernel import Buffer, Changes, NewStates, OldPairs, write_states
from adjudicator.ledger.statement_kernel import settlement_runs
from adjudicator.payers import LEDGER, LEDGER_COUNT, Origin

LARGEST_TOTAL = 2**53 - 1
"""The script of a commit adds in doubles, which are exact up to here: some 90 trillion yuan."""


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


class OldStates(NamedTuple):
    """The years as they were read, m of them (``ledger.states.StateRead``)."""

    keys: np.ndarray  # uint8[m, 16]
    versions: np.ndarray  # uint64[m]
    last: np.ndarray  # uint8[m, 16]
    quota_offsets: np.ndarray  # int64[m + 1]
    quotas: np.ndarray  # columns.QUOTA
    days_offsets: np.ndarray  # int64[m + 1]
    days: np.ndarray  # columns.CARE_DAYS


class Texts(NamedTuple):
    """What the records keep as bytes."""

    answers: Parts
    basis: Parts
    lines: Lines


class Written(NamedTuple):
    """What one commit writes."""

    octets: np.ndarray
    """uint8: the blocks."""
    entries: np.ndarray
    """int64[blocks, 4]: month, records, where the block begins and ends, in the order of the journal."""
    state_keys: np.ndarray
    """uint8[k, 16] of the states that change."""
    state_versions: np.ndarray
    """uint64[k] as read."""
    states: np.ndarray
    """uint64: the new states, one after the other."""
    state_sizes: np.ndarray
    """uint32[k]: bytes of each."""
    totals: np.ndarray
    """int64[t, 5]: month, county, scheme, payers.Fund, fen."""
    statements: np.ndarray
    """uint8: runs of entries by month and institution (``ledger.statements``)."""


_ORIGINS = (Origin.BENEFIT, Origin.PAYMENT, Origin.CLAIM)
_OF_BENEFIT, _OF_PAYMENT, _OF_CLAIM, _COUNTED = range(4)
_RECORDS = (columns.BENEFIT, columns.PAYMENT, columns.CLAIM)


def _posted() -> np.ndarray:
    """Return int64[:, 3]: account, origin, word of its record that is added."""
    rows = []
    for place, account in enumerate(LEDGER):
        for column in account.columns if account.origin in _ORIGINS else ():
            origin = _ORIGINS.index(account.origin)
            kind, offset = (_RECORDS[origin].fields or {})[column][:2]
            assert kind == np.int64 and offset % 8 == 0, column
            rows.append((place, origin, offset // 8))
        if account.origin is Origin.COUNT:
            rows.append((place, _COUNTED, 0))
    return np.array(rows, np.int64)


_POSTED = _posted()


@kernel
def post_amounts(claims: np.ndarray, benefits: np.ndarray, payments: np.ndarray, out: np.ndarray) -> None:
    """Write to ``out`` int64[n, accounts] what each settlement posts, in fen, by payers.Fund (``payers.LEDGER``)."""
    count = claims.shape[0]
    of_benefit = benefits.view(np.int64).reshape(count, benefits.itemsize // 8)
    of_payment = payments.view(np.int64).reshape(count, payments.itemsize // 8)
    of_claim = claims.view(np.int64).reshape(count, claims.itemsize // 8)
    out[:] = 0
    for k in range(_POSTED.shape[0]):
        account, origin, word = _POSTED[k, 0], _POSTED[k, 1], _POSTED[k, 2]
        for i in range(count):
            if origin == _OF_BENEFIT:
                out[i, account] += of_benefit[i, word]
            elif origin == _OF_PAYMENT:
                out[i, account] += of_payment[i, word]
            elif origin == _OF_CLAIM:
                out[i, account] += of_claim[i, word]
            else:
                out[i, account] += 1


# ---------------------------------------------------------------- whose settlements follow each other


@uncounted_inlined
def _by_state(state_rows: np.ndarray, order: np.ndarray, starts: np.ndarray, seats: np.ndarray) -> int:
    """Group the claims that have a state by it, in order; return how many groups there are.

    ``order`` int64[n] and ``starts`` int64[groups + 1] out; ``seats`` int64[states + 1] is zero before.
    """
    for i in range(state_rows.shape[0]):
        if state_rows[i] >= 0:
            seats[state_rows[i] + 1] += 1
    groups, total = 0, 0
    for row in range(seats.shape[0] - 1):
        size = seats[row + 1]
        if size > 0:
            starts[groups] = total
            groups += 1
        seats[row + 1], total = total, total + size
    starts[groups] = total
    for i in range(state_rows.shape[0]):
        if state_rows[i] >= 0:
            order[seats[state_rows[i] + 1]] = i
            seats[state_rows[i] + 1] += 1
    return groups


@uncounted_inlined
def _copy_digest(source: np.ndarray, row: int, target: np.ndarray, place: int) -> None:
    """Copy the 16 bytes of a row."""
    for k in range(16):
        target[np.uint64(place), np.uint64(k)] = source[np.uint64(row), np.uint64(k)]


@inlined
def _heads(ids: Identities, claims: np.ndarray, states: OldStates, state_rows: np.ndarray, groups: Any) -> Heads:
    """Return what the records say about themselves; ``groups``: order and starts of the claims by state."""
    count = claims.shape[0]
    heads = np.empty(count, HEAD)
    state_keys, previous = np.zeros((count, 16), np.uint8), np.zeros((count, 16), np.uint8)
    for i in range(count):
        head, claim = heads[i], claims[i]
        head.settlement_date = claim.settlement_date
        head.month = claim.settlement_date // 100
        head.benefit_year = claim.benefit_year
        head.scheme = claim.scheme
        head.county, head.sequence = ids.counties[i], ids.sequences[i]
        if state_rows[i] >= 0:
            _copy_digest(states.keys, state_rows[i], state_keys, i)
            _copy_digest(states.last, state_rows[i], previous, i)
    order, starts = groups
    for j in range(starts.shape[0] - 1):
        for k in range(starts[j] + 1, starts[j + 1]):  # the person's second settlement of the batch follows the first
            _copy_digest(ids.keys, order[k - 1], previous, order[k])
    return Heads(
        heads, ids.names, ids.keys.reshape(-1), ids.contents.reshape(-1), ids.persons.reshape(-1),
        state_keys.reshape(-1), previous.reshape(-1),
    )  # fmt: skip


@inlined
def _new_states(
    ids: Identities, states: OldStates, changes: Changes, stored: StoredOrder, groups: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return keys and versions of the states that change, their new values, and how many bytes each has."""
    order, starts = groups
    count, numbers = starts.shape[0] - 1, stored.numbers.shape[0]
    keys, versions = np.empty((count, 16), np.uint8), np.empty(count, np.uint64)
    heads = np.zeros(count, STATE_HEAD)
    old = np.empty((4, count), np.int64)
    head_words = heads.view(np.uint64).reshape(count, STATE_WORDS)
    last_word = np.empty((1, 16), np.uint8)
    for j in range(count):
        row, final = changes.state_rows[order[starts[j]]], order[starts[j + 1] - 1]
        _copy_digest(states.keys, row, keys, j)
        _copy_digest(ids.keys, final, last_word, 0)
        versions[j] = states.versions[row]
        heads[j].version = versions[j] + np.uint64(starts[j + 1] - starts[j])
        heads[j].format = STATE_FORMAT
        halves = last_word.view(np.uint64)
        head_words[j, 1], head_words[j, 2] = halves[0, 0], halves[0, 1]
        old[0, j], old[1, j] = states.quota_offsets[row], states.quota_offsets[row + 1]
        old[2, j], old[3, j] = states.days_offsets[row], states.days_offsets[row + 1]
    quotas, days = states.quotas, states.days
    quota_keys, quota_amounts = np.empty(quotas.shape[0], np.uint64), np.empty(quotas.shape[0], np.int64)
    for k in range(quotas.shape[0]):
        quota_keys[k], quota_amounts[k] = quotas[k].key, quotas[k].used_fen
    days_keys, days_amounts = np.empty(days.shape[0], np.uint64), np.empty(days.shape[0], np.int64)
    for k in range(days.shape[0]):
        days_keys[k], days_amounts[k] = days[k].key, days[k].days
    pairs = quotas.shape[0] + days.shape[0] + 2 * order.shape[0]
    words = np.empty(count * (STATE_WORDS + numbers + (numbers + 3) // 4) + 2 * pairs, np.uint64)
    out = Buffer(words, words.view(np.uint16), words.view(np.uint8), np.empty(count + 1, np.int64))
    new = NewStates(
        heads, head_words, order, starts, OldPairs(old[0], old[1], quota_keys, quota_amounts),
        OldPairs(old[2], old[3], days_keys, days_amounts),
    )  # fmt: skip
    write_states(new, stored, changes, out)
    sizes = np.empty(count, np.uint32)
    for j in range(count):
        sizes[j] = 8 * (out.offsets[j + 1] - out.offsets[j])
    return keys, versions, words[: out.offsets[count]], sizes


# ---------------------------------------------------------------- journal and totals


@uncounted_inlined
def _room(ids: Identities, texts: Texts, stored: StoredOrder, accounts: int) -> int:
    """Return bytes that the blocks do not exceed."""
    count, names, lines = ids.keys.shape[0], ids.names, texts.lines
    room = RECORD_BYTES * (count + 1) + texts.answers.data.shape[0] + texts.basis.data.shape[0]
    room += count * (2 * ids.field_digests.shape[1] + CHANGE_BYTES * (accounts + stored.numbers.shape[0]))
    for i in range(count):
        room += LINE_BYTES * (lines.ends[i] - lines.starts[i])
        room += np.int64(names.institution_sizes[i]) + np.int64(names.encounter_sizes[i])
    for k in range(lines.wire.shape[0]):
        room += np.int64(lines.wire[k].line_id_size)
    return room


@inlined
def _write_journal(
    commit: Commit, heads: Heads, content: Content, years: tuple[StoredOrder, Changes], room: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the blocks, and their rows of ``Written.entries``."""
    count, longest = heads.columns.shape[0], np.int64(1)
    for i in range(count):
        longest = max(longest, content.lines.ends[i] - content.lines.starts[i])
    out, places, kinds = np.empty(room, np.uint8), np.empty((6, count), np.int64), np.empty((4, longest), np.int64)
    blocks = Blocks(out, places[0], places[1], places[2], places[3], places[4], places[5])
    scratch = Room(Kinds(kinds[0], kinds[1], kinds[2], kinds[3]), np.empty((MOST_SEGMENTS, 2), np.int64))
    written = write_blocks(commit, heads, content, years, scratch, blocks)
    entries, last = np.empty((written, 4), np.int64), count
    for block in range(written):  # from the last to the first
        row, first = written - 1 - block, blocks.firsts[block]
        entries[row, 0], entries[row, 1] = heads.columns[first].month, last - first
        entries[row, 2], entries[row, 3] = blocks.begins[block], blocks.stops[block]
        last = first
    return out, entries


@uncounted_inlined
def _place_of_total(places: np.ndarray, groups: int, place: int) -> int:
    """Return the position of a place among the first ``groups`` of ascending ones, or the one where it belongs."""
    low, high = 0, groups
    while low < high:
        middle = (low + high) // 2
        if places[middle] < place:
            low = middle + 1
        else:
            high = middle
    return low


@uncounted_inlined
def _group_totals(
    heads: np.ndarray, amounts: np.ndarray, places: np.ndarray, sums: np.ndarray, rows: np.ndarray
) -> int:
    """Add up what the settlements post by month, county and scheme; ``rows`` of ``sums`` by ascending place.

    Returns how many groups there are.
    """
    groups = 0
    for i in range(heads.shape[0]):
        head = heads[i]
        place = (np.int64(head.month) * 10_000_000 + np.int64(head.county)) * 100 + np.int64(head.scheme)
        at = _place_of_total(places, groups, place)
        if at == groups or places[at] != place:
            for back in range(groups - at):
                places[groups - back], rows[groups - back] = places[groups - back - 1], rows[groups - back - 1]
            places[at], rows[at] = place, groups
            for fund in range(amounts.shape[1]):
                sums[groups, fund] = 0
            groups += 1
        for fund in range(amounts.shape[1]):
            sums[rows[at], fund] += amounts[i, fund]
    return groups


@uncounted_inlined
def _is_too_large(amounts: np.ndarray) -> bool:
    """Whether sums of so many amounts might not be exact in the store."""
    most, large = LARGEST_TOTAL // max(amounts.shape[0], 1), False
    for i in range(amounts.shape[0]):
        for fund in range(amounts.shape[1]):
            large |= amounts[i, fund] > most or -amounts[i, fund] > most
    return large


@inlined
def _totals(heads: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Return the totals that change, as in ``Written``."""
    count, funds = amounts.shape
    places, rows, sums = np.empty(count, np.int64), np.empty(count, np.int64), np.empty((count, funds), np.int64)
    groups = _group_totals(heads, amounts, places, sums, rows)
    found, out = 0, np.empty((groups * funds + 1, 5), np.int64)
    for at in range(groups):
        place = places[at]
        for fund in range(funds):
            amount = sums[rows[at], fund]
            if amount != 0:
                out[found, 0], out[found, 1] = place // 1_000_000_000, place // 100 % 10_000_000
                out[found, 2], out[found, 3], out[found, 4] = place % 100, fund, amount
                found += 1
    return out[:found]


@kernel
def write_commit(
    commit: Commit, ids: Identities, money: Money, states: OldStates, changes: Changes, texts: Texts,
    stored: StoredOrder,
) -> tuple[bool, Written]:  # fmt: skip
    """Return whether the amounts are small enough, and what the commit writes.

    Rows are settlements of one pool in the order they were priced. Nothing may be written where an amount is too large.
    """
    count = money.claims.shape[0]
    amounts = np.empty((count, LEDGER_COUNT), np.int64)
    post_amounts(money.claims, money.benefits, money.payments, amounts)
    order, starts = np.empty(count, np.int64), np.empty(count + 1, np.int64)
    known = _by_state(changes.state_rows, order, starts, np.zeros(states.keys.shape[0] + 1, np.int64))
    groups = (order[: starts[known]], starts[: known + 1])
    heads = _heads(ids, money.claims, states, changes.state_rows, groups)
    keys, versions, words, sizes = _new_states(ids, states, changes, stored, groups)
    content = Content(ids.field_digests, amounts, texts.answers, texts.basis, texts.lines)
    octets, entries = _write_journal(commit, heads, content, (stored, changes), _room(ids, texts, stored, LEDGER_COUNT))
    totals = _totals(heads.columns, amounts)
    statements = settlement_runs(ids.names, money.claims, amounts)
    return not _is_too_large(amounts), Written(octets, entries, keys, versions, words, sizes, totals, statements)
