"""Kernels of the journal: write the records and new states of a batch without an object per claim, and read states.

The layouts are those of ``ledger.layout``. All arrays are little-endian and C-contiguous unless they say otherwise;
outputs are passed in and fully overwritten. Sections begin at whole words of eight bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.claim.state import StoredOrder
from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.ledger import layout

_SEED, _PRIME = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(29)
_CHECKSUM_WORD, _HEADER_WORDS, _STATE_WORDS = layout.CHECKSUM_WORD, layout.HEADER_WORDS, layout.STATE_WORDS
_FORMAT = layout.FORMAT

# What ``check_states`` says of a state.
GOOD, WRONG_SIZE, OTHER_FORMAT, UNKNOWN_NUMBER = range(4)


class Buffer(NamedTuple):
    """One buffer of whole words, seen in four widths, and where each record or state starts in it, in words."""

    words: np.ndarray  # uint64
    halves: np.ndarray  # uint32
    quarters: np.ndarray  # uint16
    octets: np.ndarray  # uint8
    offsets: np.ndarray  # int64[n + 1]

    @classmethod
    def of(cls, words: np.ndarray, offsets: np.ndarray) -> Buffer:
        """Return the views of ``words`` uint64."""
        return cls(words, words.view(np.uint32), words.view(np.uint16), words.view(np.uint8), offsets)


class Parts(NamedTuple):
    """Pieces of bytes one after the other; piece i is ``data[offsets[i]:offsets[i + 1]]``."""

    data: np.ndarray  # uint8
    offsets: np.ndarray  # int64[n + 1]


class Names(NamedTuple):
    """Institution and encounter of each claim, as text that stands anywhere in a buffer."""

    text: np.ndarray  # uint8
    institution_starts: np.ndarray  # int[n], any stride; the next as well
    institution_sizes: np.ndarray
    encounter_starts: np.ndarray
    encounter_sizes: np.ndarray


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


class Headers(NamedTuple):
    """Filled headers with checksum 0: HEADER[n], and the same as uint64[n, HEADER_WORDS]."""

    rows: np.ndarray
    words: np.ndarray


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
def _checksum(words: np.ndarray, start: int, end: int) -> np.uint64:
    value = _SEED
    for i in range(np.uint64(start), np.uint64(end)):
        value = (value ^ words[i]) * _PRIME
        value ^= value >> _SHIFT
    return value


@uncounted_kernel
def checksum(words: np.ndarray, start: int, end: int) -> np.uint64:
    """Return the checksum of the words ``start <= i < end`` of a uint64 array: it detects damage, not malice."""
    return _checksum(words, start, end)


@uncounted_kernel
def check_records(words: np.ndarray, offsets: np.ndarray, good: np.ndarray) -> None:
    """Say whether each record's checksum holds; ``offsets`` int64[n+1] in words, ``good`` bool[n] out.

    The checksum fields of ``words`` uint64 are zero afterwards.
    """
    for i in range(offsets.shape[0] - 1):
        at = np.uint64(offsets[i] + _CHECKSUM_WORD)
        good[i] = False
        if offsets[i + 1] - offsets[i] > _CHECKSUM_WORD:
            stored = words[at]
            words[at] = np.uint64(0)
            good[i] = _checksum(words, offsets[i], offsets[i + 1]) == stored


@uncounted_kernel
def measure(
    headers: np.ndarray, names: Names, field_count: int, amounts: np.ndarray, changes: Changes,
    parts: tuple[Parts, Parts], offsets: np.ndarray,
) -> None:  # fmt: skip
    """Fill the sizes and counts of ``headers`` HEADER[n], and ``offsets`` int64[n + 1], where each record starts.

    ``amounts`` int64[n, funds] fen; ``parts``: answers, basis.
    """
    answers, basis = parts
    offsets[0] = 0
    for i in range(headers.shape[0]):
        header = headers[i]
        postings = 0
        for fund in range(amounts.shape[1]):
            postings += amounts[i, fund] != 0
        moved = 0
        if changes.state_rows[i] >= 0:
            for place in range(changes.before.shape[1]):
                moved += changes.before[i, place] != changes.after[i, place]
        quotas = 1 if changes.quota_before[i] != changes.quota_after[i] else 0
        days = 1 if changes.days_keys[i] != 0 else 0
        names_size = names.institution_sizes[i] + names.encounter_sizes[i]
        answer_size = answers.offsets[i + 1] - answers.offsets[i]
        basis_size = basis.offsets[i + 1] - basis.offsets[i]
        header.institution_size = names.institution_sizes[i]
        header.encounter_size = names.encounter_sizes[i]
        header.field_count = field_count
        header.posting_count = postings
        header.change_count = moved
        header.quota_count = quotas
        header.days_count = days
        header.answer_size = answer_size
        header.basis_size = basis_size
        words = (names_size + 7) // 8 + (field_count + 1) // 2 + 2 * postings + (moved + 3) // 4 + moved
        words += 2 * (quotas + days)
        offsets[i + 1] = offsets[i] + _HEADER_WORDS + words + (answer_size + 7) // 8 + (basis_size + 7) // 8


@uncounted_inlined
def _clear_last(out: Buffer, at: int, words: int) -> int:
    """Clear the last word of a section that is not filled to its end."""
    if words > 0:
        out.words[np.uint64(at + words - 1)] = 0
    return words


@uncounted_inlined
def _put_bytes(out: Buffer, byte: int, data: np.ndarray, start: int, size: int) -> int:
    """Copy bytes to a byte of the buffer; returns the byte behind them."""
    for k in range(size):
        out.octets[np.uint64(byte + k)] = data[np.uint64(start + k)]
    return byte + size


@uncounted_inlined
def _put_part(out: Buffer, at: int, parts: Parts, i: int) -> int:
    """Write a piece as a section; returns the word behind it."""
    start, size = parts.offsets[i], parts.offsets[i + 1] - parts.offsets[i]
    words = _clear_last(out, at, (size + 7) // 8)
    _put_bytes(out, at * 8, parts.data, start, size)
    return at + words


@uncounted_inlined
def _put_names(out: Buffer, at: int, names: Names, i: int) -> int:
    """Write institution and encounter; returns the word behind them."""
    first, second = names.institution_sizes[i], names.encounter_sizes[i]
    words = _clear_last(out, at, (first + second + 7) // 8)
    byte = _put_bytes(out, at * 8, names.text, names.institution_starts[i], first)
    _put_bytes(out, byte, names.text, names.encounter_starts[i], second)
    return at + words


@uncounted_inlined
def _put_postings(out: Buffer, at: int, county: int, scheme: int, amounts: np.ndarray, i: int) -> int:
    """Write the amounts that are not zero as POSTING; returns the word behind them."""
    for fund in range(amounts.shape[1]):
        if amounts[i, fund] != 0:
            out.halves[np.uint64(2 * at)] = county
            out.quarters[np.uint64(4 * at + 2)] = scheme
            out.quarters[np.uint64(4 * at + 3)] = fund
            out.words[np.uint64(at + 1)] = np.uint64(amounts[i, fund])
            at += 2
    return at


@uncounted_inlined
def _put_changes(out: Buffer, at: int, count: int, order: StoredOrder, changes: Changes, i: int) -> int:
    """Write the ``count`` changes of the year: numbers, then amounts; returns the word behind them."""
    words = _clear_last(out, at, (count + 3) // 4)
    number, amount = 4 * at, at + words
    if count > 0:
        for k in range(order.numbers.shape[0]):
            place = order.places[k]
            change = changes.after[i, place] - changes.before[i, place]
            if change != 0:
                out.quarters[np.uint64(number)] = order.numbers[k]
                out.words[np.uint64(amount)] = np.uint64(change)
                number += 1
                amount += 1
    return amount


@uncounted_kernel
def write_records(
    headers: Headers, names: Names, fields: np.ndarray, amounts: np.ndarray, years: tuple[StoredOrder, Changes],
    parts: tuple[Parts, Parts], out: Buffer,
) -> None:  # fmt: skip
    """Write the records of a batch.

    ``fields`` uint32[n, f], the digest of each field; ``amounts`` int64[n, funds] fen; ``parts``: answers, basis.
    """
    order, changes = years
    answers, basis = parts
    for i in range(headers.rows.shape[0]):
        header = headers.rows[i]
        at = out.offsets[i]
        for word in range(_HEADER_WORDS):
            out.words[np.uint64(at + word)] = headers.words[i, word]
        at = _put_names(out, at + _HEADER_WORDS, names, i)

        words = _clear_last(out, at, (fields.shape[1] + 1) // 2)
        for k in range(fields.shape[1]):
            out.halves[np.uint64(2 * at + k)] = fields[i, k]
        at = _put_postings(out, at + words, header.county, header.scheme, amounts, i)
        at = _put_changes(out, at, header.change_count, order, changes, i)
        if header.quota_count != 0:
            out.words[np.uint64(at)] = changes.quota_keys[i]
            out.words[np.uint64(at + 1)] = np.uint64(changes.quota_after[i] - changes.quota_before[i])
            at += 2
        if header.days_count != 0:
            out.words[np.uint64(at)] = changes.days_keys[i]
            out.words[np.uint64(at + 1)] = np.uint64(changes.days[i])
            at += 2
        at = _put_part(out, at, answers, i)
        at = _put_part(out, at, basis, i)
        out.words[np.uint64(out.offsets[i] + _CHECKSUM_WORD)] = _checksum(out.words, out.offsets[i], at)


@uncounted_kernel
def sum_groups(groups: np.ndarray, amounts: np.ndarray, sums: np.ndarray) -> None:
    """Add the rows of ``amounts`` int64[n, funds] to ``sums`` int64[g, funds] by ``groups`` int64[n]."""
    sums[:] = 0
    for i in range(groups.shape[0]):
        for fund in range(amounts.shape[1]):
            sums[groups[i], fund] += amounts[i, fund]


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


@uncounted_kernel
def read_states(stored: Buffer, place_of: np.ndarray, years: Years, found: np.ndarray) -> bool:
    """Read stored states and say whether all could be read.

    ``years`` has zero heads and slots before; an empty state leaves them so, and one that is wrong as well. ``found``
    int64[m] out: GOOD or what is wrong with each. ``place_of`` as in StoredOrder.
    """
    good = True
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
        good = good and found[j] == GOOD
        years.quota_offsets[j + 1] = years.quota_offsets[j] + np.int64(years.heads[j].quota_count)
        years.days_offsets[j + 1] = years.days_offsets[j] + np.int64(years.heads[j].days_count)
    return good


@uncounted_kernel
def read_pairs(stored: Buffer, years: Years, quotas: np.ndarray, days: np.ndarray) -> None:
    """Read the quotas and the care days of the states that ``read_states`` has read, one after the other.

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
