"""Kernels of the states: write the new states of a batch without an object per claim, and read stored ones.

The layout is that of ``ledger.layout``. All arrays are little-endian and C-contiguous unless they say otherwise;
outputs are passed in and fully overwritten. Parts begin at whole words of eight bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.claim.state import StoredOrder
from adjudicator.columns import ACCUMULATOR_COUNT, CARE_DAYS, QUOTA
from adjudicator.compiled.jit import kernel, uncounted_inlined, uncounted_kernel
from adjudicator.ledger import layout
from adjudicator.ledger.layout import STATE_HEAD

_STATE_WORDS, _FORMAT = layout.STATE_WORDS, layout.STATE_FORMAT

# What ``check_states`` says of a state.
GOOD, WRONG_SIZE, OTHER_FORMAT, UNKNOWN_NUMBER = range(4)


class Buffer(NamedTuple):
    """One buffer of whole words, seen in three widths, and where each state starts in it, in words."""

    words: np.ndarray  # uint64
    quarters: np.ndarray  # uint16
    octets: np.ndarray  # uint8
    offsets: np.ndarray  # int64[n + 1]

    @classmethod
    def of(cls, words: np.ndarray, offsets: np.ndarray) -> Buffer:
        """Return the views of ``words`` uint64."""
        return cls(words, words.view(np.uint16), words.view(np.uint8), offsets)


class Changes(NamedTuple):
    """What each settlement changes in its person's year."""

    state_rows: np.ndarray  # int64[n]: row of the states that were read, -1 for one that counts in no year
    before: np.ndarray  # int64[n, ACCUMULATOR_COUNT]: the year before this very settlement
    after: np.ndarray  # int64[n, ACCUMULATOR_COUNT]: and after it
    quota_keys: np.ndarray  # uint64[n]: disease quota of a period, 0 none
    quota_before: np.ndarray  # int64[n] fen that it had used
    quota_after: np.ndarray  # int64[n]
    days_keys: np.ndarray  # uint64[n]: stay or week of a visit (claim.care_days), 0 none
    days: np.ndarray  # int64[n]: what is added under it


class OldPairs(NamedTuple):
    """Pairs of a key and an amount that the states of a batch had before."""

    starts: np.ndarray  # int64[m]: state j had the pairs ``starts[j]`` to ``ends[j]``
    ends: np.ndarray  # int64[m]
    keys: np.ndarray  # uint64
    amounts: np.ndarray  # int64


class NewStates(NamedTuple):
    """The states that a batch touches, m of them; state j has the claims ``starts[j]`` to ``starts[j + 1]``."""

    heads: np.ndarray  # STATE_HEAD[m] with version, last and format; the counts are filled in
    head_words: np.ndarray  # the same as uint64[m, STATE_WORDS]
    claims: np.ndarray  # int64: claims by state, in the order they were priced
    starts: np.ndarray  # int64[m + 1]
    quotas: OldPairs
    days: OldPairs


@uncounted_inlined
def _clear_last(out: Buffer, at: int, words: int) -> int:
    """Clear the last word of a section that is not filled to its end."""
    if words > 0:
        out.words[np.uint64(at + words - 1)] = 0
    return words


@uncounted_inlined
def _put_old(out: Buffer, at: int, old: OldPairs, j: int) -> int:
    """Write the pairs that state j had; returns the word behind them."""
    for k in range(old.starts[j], old.ends[j]):
        out.words[np.uint64(at)] = old.keys[k]
        out.words[np.uint64(at + 1)] = np.uint64(old.amounts[k])
        at += 2
    return at


@uncounted_inlined
def _add_pair(out: Buffer, first: int, end: int, key: int, change: int) -> int:
    """Add to the pair of a key among those from word ``first`` to ``end``; returns the word behind them."""
    place = first
    while place < end and out.words[np.uint64(place)] != key:
        place += 2
    amount = np.uint64(change)
    if place < end:
        amount += out.words[np.uint64(place + 1)]  # two's complement: negative changes as well
    out.words[np.uint64(place)] = key
    out.words[np.uint64(place + 1)] = amount
    return max(end, place + 2)


@uncounted_inlined
def _put_quotas(out: Buffer, first: int, states: NewStates, changes: Changes, j: int) -> int:
    """Write the quotas of state j with what this batch used; returns the word behind them."""
    end = _put_old(out, first, states.quotas, j)
    for k in range(states.starts[j], states.starts[j + 1]):
        i = states.claims[k]
        if changes.quota_keys[i] != 0:
            end = _add_pair(out, first, end, changes.quota_keys[i], changes.quota_after[i] - changes.quota_before[i])
    return end


@uncounted_inlined
def _put_days(out: Buffer, first: int, states: NewStates, changes: Changes, j: int) -> int:
    """Write the care days of state j with those of this batch; returns the word behind them."""
    end = _put_old(out, first, states.days, j)
    for k in range(states.starts[j], states.starts[j + 1]):
        i = states.claims[k]
        if changes.days_keys[i] != 0:
            end = _add_pair(out, first, end, changes.days_keys[i], changes.days[i])
    return end


@uncounted_kernel
def write_states(states: NewStates, order: StoredOrder, changes: Changes, out: Buffer) -> None:
    """Write new states: the head, the amounts that are not zero, quotas, care days. ``out.words`` is large enough."""
    out.offsets[0] = 0
    for j in range(states.heads.shape[0]):
        start, final = out.offsets[j], states.claims[states.starts[j + 1] - 1]
        count = 0
        for place in range(changes.after.shape[1]):
            count += changes.after[final, place] != 0
        number = 4 * (start + _STATE_WORDS)
        words = _clear_last(out, start + _STATE_WORDS, (count + 3) // 4)
        amount = start + _STATE_WORDS + words
        for k in range(order.numbers.shape[0]):
            value = changes.after[final, order.places[k]]
            if value != 0:
                out.quarters[np.uint64(number)] = order.numbers[k]
                out.words[np.uint64(amount)] = np.uint64(value)
                number += 1
                amount += 1
        quotas_end = _put_quotas(out, amount, states, changes, j)
        end = _put_days(out, quotas_end, states, changes, j)
        states.heads[j].amount_count = count
        states.heads[j].quota_count = (quotas_end - amount) // 2
        states.heads[j].days_count = (end - quotas_end) // 2
        for word in range(_STATE_WORDS):
            out.words[np.uint64(start + word)] = states.head_words[j, word]
        out.offsets[j + 1] = end


class Years(NamedTuple):
    """What is read of stored states, m rows."""

    heads: np.ndarray  # STATE_HEAD[m], zero for a person without a settlement
    head_words: np.ndarray  # the same as uint64[m, STATE_WORDS]
    slots: np.ndarray  # int64[m, ACCUMULATOR_COUNT] in the order of memory
    quota_offsets: np.ndarray  # int64[m + 1]
    days_offsets: np.ndarray  # int64[m + 1]


@uncounted_inlined
def _why_wrong(stored: Buffer, place_of: np.ndarray, years: Years, j: int) -> int:
    """GOOD, or what is wrong with a state whose head has been read."""
    head, start = years.heads[j], stored.offsets[j]
    count = np.int64(head.amount_count)
    words = _STATE_WORDS + (count + 3) // 4 + count + 2 * (np.int64(head.quota_count) + np.int64(head.days_count))
    found = GOOD
    if head.format != _FORMAT:
        found = OTHER_FORMAT
    elif stored.offsets[j + 1] - start != words:
        found = WRONG_SIZE
    else:
        for k in range(count):
            number = np.int64(stored.quarters[np.uint64(4 * (start + _STATE_WORDS) + k)])
            if number >= place_of.shape[0] or place_of[number] < 0:
                found = UNKNOWN_NUMBER
    return found


@uncounted_inlined
def _read_states(stored: Buffer, place_of: np.ndarray, years: Years, found: np.ndarray) -> None:
    """Read stored states, and say of each whether it could be read.

    ``years`` has zero heads and slots before; an empty state leaves them so, and one that is wrong as well. ``found``
    int64[m] out: GOOD or what is wrong with each. ``place_of`` as in StoredOrder.
    """
    years.quota_offsets[0] = 0
    years.days_offsets[0] = 0
    for j in range(found.shape[0]):
        start, size = stored.offsets[j], stored.offsets[j + 1] - stored.offsets[j]
        found[j] = WRONG_SIZE if 0 < size < _STATE_WORDS else GOOD
        if size >= _STATE_WORDS:
            for word in range(_STATE_WORDS):
                years.head_words[j, word] = stored.words[np.uint64(start + word)]
            found[j] = _why_wrong(stored, place_of, years, j)
            if found[j] == GOOD:
                count = np.int64(years.heads[j].amount_count)
                number = 4 * (start + _STATE_WORDS)
                amount = start + _STATE_WORDS + (count + 3) // 4
                for k in range(count):
                    place = place_of[stored.quarters[np.uint64(number + k)]]
                    years.slots[j, place] = np.int64(stored.words[np.uint64(amount + k)])
            else:
                for word in range(_STATE_WORDS):
                    years.head_words[j, word] = 0
        years.quota_offsets[j + 1] = years.quota_offsets[j] + np.int64(years.heads[j].quota_count)
        years.days_offsets[j + 1] = years.days_offsets[j] + np.int64(years.heads[j].days_count)


@uncounted_inlined
def _read_pairs(stored: Buffer, years: Years, quotas: np.ndarray, days: np.ndarray) -> None:
    """Read the quotas and the care days of the states that ``_read_states`` has read, one after the other.

    ``quotas`` QUOTA and ``days`` CARE_DAYS are fully overwritten.
    """
    for j in range(years.heads.shape[0]):
        first, last = years.quota_offsets[j], years.quota_offsets[j + 1]
        first_days, last_days = years.days_offsets[j], years.days_offsets[j + 1]
        at = stored.offsets[j + 1] - 2 * (last - first + last_days - first_days)
        for k in range(first, last):
            quotas[k].key = stored.words[np.uint64(at)]
            quotas[k].used_fen = np.int64(stored.words[np.uint64(at + 1)])
            at += 2
        for k in range(first_days, last_days):
            days[k].key = stored.words[np.uint64(at)]
            days[k].days = np.int64(stored.words[np.uint64(at + 1)])
            at += 2


@kernel
def parse_states(octets: np.ndarray, ends: np.ndarray, place_of: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return what is wrong with each stored state, and the columns of ``ledger.states.StateRead`` behind its keys.

    The states stand one after the other in ``octets``; ``ends`` int64[m]: where each ends; ``place_of`` as in
    StoredOrder. int64[m]: GOOD, or what is wrong; the year of such a state is that of a person without a settlement.
    """
    count = ends.shape[0]
    words, offsets = np.zeros(octets.shape[0] // 8 + count + 1, np.uint64), np.zeros(count + 1, np.int64)
    copy, first = words.view(np.uint8), 0
    for j in range(count):
        size, at = ends[j] - first, 8 * offsets[j]
        # What is not of whole words is wrong; as one word it is no state either and keeps the words together.
        whole = size % 8 == 0
        if whole:
            for k in range(size):
                copy[np.uint64(at + k)] = octets[np.uint64(first + k)]
        offsets[j + 1] = offsets[j] + (size // 8 if whole else 1)
        first = ends[j]
    heads, found = np.zeros(count, STATE_HEAD), np.empty(count, np.int64)
    slots = np.zeros((count, ACCUMULATOR_COUNT), np.int64)
    quota_offsets, days_offsets = np.empty(count + 1, np.int64), np.empty(count + 1, np.int64)
    head_words = heads.view(np.uint64).reshape(count, _STATE_WORDS)
    years = Years(heads, head_words, slots, quota_offsets, days_offsets)
    stored = Buffer(words, words.view(np.uint16), copy, offsets)
    _read_states(stored, place_of, years, found)
    quotas, days = np.empty(quota_offsets[count], QUOTA), np.empty(days_offsets[count], CARE_DAYS)
    _read_pairs(stored, years, quotas, days)
    versions, last = np.empty(count, np.uint64), np.empty((count, 2), np.uint64)
    for j in range(count):
        versions[j], last[j, 0], last[j, 1] = head_words[j, 0], head_words[j, 1], head_words[j, 2]
    return found, versions, last.view(np.uint8), slots, quota_offsets, quotas, days_offsets, days
