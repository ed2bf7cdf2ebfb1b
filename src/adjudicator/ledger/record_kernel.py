"""Kernels of the journal: columns of settlements become the blocks of a commit, and stored records are checked.

A block is the message ``JournalBlock`` (proto/adjudicator/v1/record.proto), written from the last byte to the first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from adjudicator.claim.state import StoredOrder
from adjudicator.compiled.jit import uncounted_inlined, uncounted_kernel
from adjudicator.ledger.checksums import SEED, fold_octets
from adjudicator.ledger.fee_lines import Kinds, Lines, put_fee_lines
from adjudicator.ledger.layout import BLOCK_MESSAGE, CHECKSUM_BYTES, FORMAT, RECORD_MESSAGE, Kind
from adjudicator.ledger.state_kernel import Changes
from adjudicator.v1.record_pb2 import RecordBasis
from adjudicator.v1.settlement_pb2 import Settlement
from adjudicator.wire.backward import put_bytes, put_tag, put_varint, put_word
from adjudicator.wire.octets import word_at
from adjudicator.wire.schema import varint_bytes

MOST_RECORDS, MOST_BYTES = 64, 65_536
"""A block ends with the record that reaches one of these: one record is read without copying too many others."""
RECORD_BYTES, CHANGE_BYTES = 1024, 16
"""Room for a record without texts, lines, answer and basis, and for a change."""
LINE_BYTES = 64
"""Room for the numbers of a line."""

_U64 = np.uint64
_ZERO, _ONE, _EIGHT, _SIXTEEN = np.uint64(0), np.uint64(1), np.uint64(8), np.uint64(16)
_SETTLE, _FORMAT = np.uint64(Kind.SETTLE), np.uint64(FORMAT)
_CHECKSUM_SIZE = np.uint64(CHECKSUM_BYTES)


class Names(NamedTuple):
    """Institution and encounter of each claim, as text that stands anywhere in a buffer."""

    text: np.ndarray  # uint8
    institution_starts: np.ndarray  # int[n], contiguous; the next as well
    institution_sizes: np.ndarray
    encounter_starts: np.ndarray
    encounter_sizes: np.ndarray


class Heads(NamedTuple):
    """What the records of a batch say about themselves, n rows; digests are one after the other, 16 bytes each."""

    columns: np.ndarray  # HEAD[n]
    names: Names
    keys: np.ndarray  # uint8[16 n]
    contents: np.ndarray
    persons: np.ndarray
    state_keys: np.ndarray  # all zeros for a settlement that counts in no year
    previous: np.ndarray


HEAD = np.dtype(
    [
        ("month", "u4"), ("settlement_date", "u4"), ("benefit_year", "u4"), ("scheme", "u4"), ("county", "u4"),
        ("sequence", "u4"),
    ]
)  # fmt: skip


class Parts(NamedTuple):
    """Pieces of bytes one after the other; piece i is ``data[offsets[i]:offsets[i + 1]]``."""

    data: np.ndarray  # uint8
    offsets: np.ndarray  # int64[n + 1]


class Content(NamedTuple):
    """What the records of a batch hold."""

    fields: np.ndarray  # uint32[n, f]: the digest of each field
    amounts: np.ndarray  # int64[n, funds] fen
    answers: Parts
    basis: Parts
    lines: Lines


class Room(NamedTuple):
    """Scratch for one record at a time."""

    kinds: Kinds
    segments: np.ndarray  # int64[MOST_SEGMENTS, 2]


class Commit(NamedTuple):
    """What all blocks of a commit have in common."""

    pool: int
    number: int
    recorded_ms: int


class Blocks(NamedTuple):
    """Where things were written, blocks from the last to the first."""

    out: np.ndarray  # uint8
    starts: np.ndarray  # int64[n]: bytes of each record, without the checksum at its end; one a record
    ends: np.ndarray
    firsts: np.ndarray  # int64[n]: first record of each block; one a block
    begins: np.ndarray  # where the block begins
    heads_end: np.ndarray  # where its first record begins, with its tag
    stops: np.ndarray  # where the block ends


def _tag(message: object, name: str, wire_type: int = 2) -> tuple[np.uint32, np.uint64]:
    tag = varint_bytes(message.fields_by_name[name].number << 3 | wire_type)
    return np.uint32(int.from_bytes(tag, "little")), np.uint64(len(tag))


_B_FORMAT, _B_COUNT = _tag(BLOCK_MESSAGE, "format", 0), _tag(BLOCK_MESSAGE, "count", 0)
_B_POOL, _B_MONTH = _tag(BLOCK_MESSAGE, "pool", 0), _tag(BLOCK_MESSAGE, "month", 0)
_B_COMMIT, _B_RECORDED, _B_RECORDS = (
    _tag(BLOCK_MESSAGE, "commit", 1),
    _tag(BLOCK_MESSAGE, "recorded_ms", 1),
    _tag(BLOCK_MESSAGE, "records"),
)
_KIND, _KEY, _CONTENT = _tag(RECORD_MESSAGE, "kind", 0), _tag(RECORD_MESSAGE, "key"), _tag(RECORD_MESSAGE, "content")
_PERSON, _STATE_KEY, _PREVIOUS = (
    _tag(RECORD_MESSAGE, "person"),
    _tag(RECORD_MESSAGE, "state_key"),
    _tag(RECORD_MESSAGE, "previous"),
)
_DATE, _YEAR = _tag(RECORD_MESSAGE, "settlement_date", 0), _tag(RECORD_MESSAGE, "benefit_year", 0)
_SCHEME, _COUNTY, _SEQUENCE = (
    _tag(RECORD_MESSAGE, "scheme", 0),
    _tag(RECORD_MESSAGE, "county", 0),
    _tag(RECORD_MESSAGE, "sequence", 0),
)
_INSTITUTION, _ENCOUNTER = _tag(RECORD_MESSAGE, "institution"), _tag(RECORD_MESSAGE, "encounter")
_FIELDS = _tag(RECORD_MESSAGE, "field_digests")
_FUNDS, _AMOUNTS = _tag(RECORD_MESSAGE, "posting_funds"), _tag(RECORD_MESSAGE, "posting_amounts")
_NUMBERS, _CHANGES = _tag(RECORD_MESSAGE, "change_numbers"), _tag(RECORD_MESSAGE, "changes")
_QUOTA_KEYS, _QUOTA_CHANGES = _tag(RECORD_MESSAGE, "quota_keys"), _tag(RECORD_MESSAGE, "quota_changes")
_DAYS_KEYS, _DAYS_CHANGES = _tag(RECORD_MESSAGE, "days_keys"), _tag(RECORD_MESSAGE, "days_changes")
_ANSWER, _LINES, _BASIS = _tag(RECORD_MESSAGE, "answer"), _tag(RECORD_MESSAGE, "lines"), _tag(RECORD_MESSAGE, "basis")
_WHOLE, _ANSWER_CHECKSUM = _tag(RECORD_MESSAGE, "whole_answer"), _tag(RECORD_MESSAGE, "answer_checksum", 5)
_CHECKSUM = _tag(RECORD_MESSAGE, "checksum", 1)

FOLLOWS = (
    "institution_code", "encounter_id", "settlement_sequence", "direction", "settlement_id", "rules_hash", "lines",
)  # fmt: skip
"""Fields of an answer that follow from the rest of its record."""
_FOLLOWS = np.zeros(64, np.bool_)
_FOLLOWS[[Settlement.DESCRIPTOR.fields_by_name[name].number for name in FOLLOWS]] = True
_RULES_HASH, _ANSWER_LINES = (
    np.uint64(Settlement.DESCRIPTOR.fields_by_name[name].number) for name in ("rules_hash", "lines")
)
HEX_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_LAST_OCTET = np.uint8(127)
"""A varint goes on behind an octet above this."""
_HASH_TAG = np.uint8(RecordBasis.DESCRIPTOR.fields_by_name["rules_hash"].number << 3 | 1)
MOST_SEGMENTS = 8
"""Parts of an answer that a record keeps; more of them and it is kept whole."""


@uncounted_kernel
def check_records(
    octets: np.ndarray, blocks: tuple[np.ndarray, np.ndarray], starts: np.ndarray, ends: np.ndarray, good: np.ndarray
) -> None:
    """Say whether the checksum at the end of each record holds, ``good`` bool[n] out.

    ``blocks`` int64[n], int64[n]: where the head of the record's block begins and ends.
    """
    for i in range(starts.shape[0]):
        good[i] = False
        end = _U64(ends[i]) - _CHECKSUM_SIZE
        if ends[i] - starts[i] > np.int64(_CHECKSUM_SIZE):
            value = fold_octets(octets, blocks[0][i], blocks[1][i], SEED)
            value = fold_octets(octets, starts[i], np.int64(end), value)
            good[i] = word_at(octets, end + _CHECKSUM_SIZE - _EIGHT) == value
            for k in range(_CHECKSUM[1]):
                good[i] &= octets[end + k] == np.uint8(_CHECKSUM[0] >> np.uint32(_EIGHT * k))


# ---------------------------------------------------------------- parts of a record


@uncounted_inlined
def _put_number(out, at, tag, value):
    """Write a number that is not 0 with its tag."""
    if value != _ZERO:
        at = put_varint(out, at, value)
        at = put_tag(out, at, tag[0], tag[1])
    return at


@uncounted_inlined
def _close(out, at, end, tag):
    """Write size and tag of what stands from ``at`` to ``end``; nothing where that is nothing."""
    if at < end:
        at = put_varint(out, at, end - at)
        at = put_tag(out, at, tag[0], tag[1])
    return at


@uncounted_inlined
def _put_part(out, at, tag, data, start, size):
    """Write bytes with size and tag."""
    if size > 0:
        end = at
        at = _close(out, put_bytes(out, at, data, _U64(start), _U64(size)), end, tag)
    return at


@uncounted_inlined
def _put_digest(out, at, tag, digests: np.ndarray, i: int):
    """Write a digest that is not all zeros."""
    place = _SIXTEEN * _U64(i)
    low, high = word_at(digests, place), word_at(digests, place + _EIGHT)
    if low | high != _ZERO:
        put_word(out, at - _EIGHT, high)
        put_word(out, at - _SIXTEEN, low)
        at = _close(out, at - _SIXTEEN, at, tag)
    return at


@uncounted_inlined
def _zigzag(number: int):
    return _U64((number << 1) ^ (number >> 63))


@uncounted_inlined
def _put_fields(out, at, fields: np.ndarray, i: int):
    """Write the lowest bytes of the field digests that are not 0, behind one bit a field."""
    end, count = at, fields.shape[1]
    for back in range(count):
        low = np.uint8(fields[i, count - 1 - back])
        if low != 0:
            at -= _ONE
            out[at] = low
    for back in range((count + 7) // 8):
        first, bits = 8 * ((count + 7) // 8 - 1 - back), 0
        for k in range(first, min(first + 8, count)):
            bits |= (1 if np.uint8(fields[i, k]) != 0 else 0) << (k - first)
        at -= _ONE
        out[at] = np.uint8(bits)
    if count > 0:
        at -= _ONE
        out[at] = np.uint8(count)
    return _close(out, at, end, _FIELDS)


@uncounted_inlined
def _put_postings(out, at, amounts: np.ndarray, i: int):
    """Write the amounts that are not zero, and their funds."""
    end, count = at, amounts.shape[1]
    for back in range(count):
        amount = amounts[i, count - 1 - back]
        if amount != 0:
            at = put_varint(out, at, _zigzag(amount))
    end = at = _close(out, at, end, _AMOUNTS)
    for back in range(count):
        if amounts[i, count - 1 - back] != 0:
            at = put_varint(out, at, _U64(count - 1 - back))
    return _close(out, at, end, _FUNDS)


@uncounted_inlined
def _put_changes(out, at, order: StoredOrder, changes: Changes, i: int):
    """Write what the settlement changes in the year: amounts, and their numbers."""
    end, count = at, order.numbers.shape[0]
    for back in range(count):
        place = order.places[count - 1 - back]
        change = changes.after[i, place] - changes.before[i, place]
        if change != 0:
            at = put_varint(out, at, _zigzag(change))
    end = at = _close(out, at, end, _CHANGES)
    for back in range(count):
        place = order.places[count - 1 - back]
        if changes.after[i, place] != changes.before[i, place]:
            at = put_varint(out, at, _U64(order.numbers[count - 1 - back]))
    return _close(out, at, end, _NUMBERS)


@uncounted_inlined
def _put_pair(out, at, tags, key: int, change: int):
    """Write one keyed change; ``tags`` of the keys and of the changes."""
    at = _close(out, put_varint(out, at, _zigzag(change)), at, tags[1])
    put_word(out, at - _EIGHT, _U64(key))
    return _close(out, at - _EIGHT, at, tags[0])


_QUOTA, _DAYS = (_QUOTA_KEYS, _QUOTA_CHANGES), (_DAYS_KEYS, _DAYS_CHANGES)


# ---------------------------------------------------------------- the answer


@uncounted_inlined
def _read_varint(octets, at, end):
    """Return a varint of up to nine bytes and where it ends; beyond ``end`` where it is cut or longer."""
    value, shift, more = _ZERO, _ZERO, True
    while more and at < end and shift < _U64(63):
        octet = _U64(octets[at])
        value |= (octet & _U64(127)) << shift
        shift += _U64(7)
        at += _ONE
        more = octet > _U64(127)
    return value, at if not more else end + _ONE


@uncounted_inlined
def _is_hash(octets, end, size, basis: Parts, i: int) -> bool:
    """Whether the ``size`` characters before ``end`` are the hash that the basis begins with (its field 1)."""
    start = _U64(basis.offsets[i])
    same = (
        size == _SIXTEEN
        and basis.offsets[i + 1] - basis.offsets[i] > np.int64(_EIGHT)
        and basis.data[start] == _HASH_TAG
    )
    for k in range(16):
        if same:
            octet = basis.data[start + _EIGHT - _U64(k // 2)]
            digit = octet >> np.uint8(4) if k % 2 == 0 else octet & np.uint8(15)
            character = octets[end - _SIXTEEN + _U64(k)]
            same = character == HEX_DIGITS[digit]
    return same


@uncounted_inlined
def _segments(octets, start, end, line_count: int, basis: Parts, i: int, segments: np.ndarray) -> int:
    """Find the parts of an answer that a record keeps, ``segments`` int64[:, 2] out; returns how many.

    -1 where the answer has not just the fields that follow from the rest of the record.
    """
    at, count, kept_end, lines, followed = _U64(start), 0, _U64(0), 0, 0
    has_hash, good, size = basis.offsets[i + 1] > basis.offsets[i], True, _ZERO
    while good and at < _U64(end):
        begin = at
        tag, at = _read_varint(octets, at, _U64(end))
        wire_type, number = tag & _U64(7), tag >> _U64(3)
        if wire_type == _ZERO:
            while at < _U64(end) and octets[at] > _LAST_OCTET:
                at += _ONE
            at += _ONE
        elif wire_type == _U64(2):
            size, at = _read_varint(octets, at, _U64(end))
            at += min(size, _U64(end))
        else:
            good = False
        good = good and at <= _U64(end) and number < _U64(64)
        if good and _FOLLOWS[number]:
            lines += 1 if number == _ANSWER_LINES else 0
            followed += 1 if number != _ANSWER_LINES else 0
            good = number != _RULES_HASH or _is_hash(octets, at, size, basis, i)
        elif good:
            if count == 0 or kept_end != begin:
                good = count < segments.shape[0]
                if good:
                    segments[count, 0] = np.int64(begin)
                    count += 1
            if good:
                segments[count - 1, 1] = np.int64(at)
                kept_end = at
    wanted = 6 if has_hash else 5
    return count if good and count > 0 and lines == line_count and followed == wanted else -1


@uncounted_inlined
def _put_answer(out, at, content: Content, i: int, room: Room):
    """Write the answer with basis and lines; whole where it cannot be put together from them."""
    start, end = content.answers.offsets[i], content.answers.offsets[i + 1]
    answers, basis, segments = content.answers.data, content.basis, room.segments
    value = fold_octets(answers, start, end, SEED)
    put_word(out, at - _EIGHT, value << _U64(32))
    at = put_tag(out, at - _U64(4), _ANSWER_CHECKSUM[0], _ANSWER_CHECKSUM[1])
    basis_size, lines = basis.offsets[i + 1] - basis.offsets[i], content.lines.ends[i] - content.lines.starts[i]
    count = _segments(answers, start, end, lines, basis, i, segments)
    if count < 0:
        at = _put_part(out, at, _WHOLE, answers, start, end - start)
    at = _put_part(out, at, _BASIS, basis.data, basis.offsets[i], basis_size)
    if count >= 0:
        at = _close(out, put_fee_lines(out, at, content.lines, i, room.kinds), at, _LINES)
        part_end = at
        for back in range(count):
            first, last = segments[count - 1 - back, 0], segments[count - 1 - back, 1]
            at = put_bytes(out, at, answers, _U64(first), _U64(last - first))
        at = _close(out, at, part_end, _ANSWER)
    return at


# ---------------------------------------------------------------- records and blocks


@uncounted_inlined
def _put_record(out, at, heads: Heads, content: Content, years: tuple[StoredOrder, Changes], i: int, room: Room):
    """Write a record without its checksum; returns where it starts."""
    order, changes = years
    head, names = heads.columns[i], heads.names
    at = _put_answer(out, at, content, i, room)
    if changes.days_keys[i] != 0:
        at = _put_pair(out, at, _DAYS, changes.days_keys[i], changes.days[i])
    if changes.quota_before[i] != changes.quota_after[i]:
        at = _put_pair(out, at, _QUOTA, changes.quota_keys[i], changes.quota_after[i] - changes.quota_before[i])
    if changes.state_rows[i] >= 0:
        at = _put_changes(out, at, order, changes, i)
    at = _put_postings(out, at, content.amounts, i)
    at = _put_fields(out, at, content.fields, i)
    at = _put_part(out, at, _ENCOUNTER, names.text, names.encounter_starts[i], names.encounter_sizes[i])
    at = _put_part(out, at, _INSTITUTION, names.text, names.institution_starts[i], names.institution_sizes[i])
    at = _put_number(out, at, _SEQUENCE, _U64(head.sequence))
    at = _put_number(out, at, _COUNTY, _U64(head.county))
    at = _put_number(out, at, _SCHEME, _U64(head.scheme))
    at = _put_number(out, at, _YEAR, _U64(head.benefit_year))
    at = _put_number(out, at, _DATE, _U64(head.settlement_date))
    at = _put_digest(out, at, _PREVIOUS, heads.previous, i)
    at = _put_digest(out, at, _STATE_KEY, heads.state_keys, i)
    at = _put_digest(out, at, _PERSON, heads.persons, i)
    at = _put_digest(out, at, _CONTENT, heads.contents, i)
    at = _put_digest(out, at, _KEY, heads.keys, i)
    return _put_number(out, at, _KIND, _SETTLE)


@uncounted_inlined
def _put_head(out, at, commit: Commit, month: int, count: int):
    """Write what stands before the records of a block; returns where the block starts."""
    put_word(out, at - _EIGHT, _U64(commit.recorded_ms))
    at = put_tag(out, at - _EIGHT, _B_RECORDED[0], _B_RECORDED[1])
    put_word(out, at - _EIGHT, _U64(commit.number))
    at = put_tag(out, at - _EIGHT, _B_COMMIT[0], _B_COMMIT[1])
    at = _put_number(out, at, _B_MONTH, _U64(month))
    at = _put_number(out, at, _B_POOL, _U64(commit.pool))
    at = _put_number(out, at, _B_COUNT, _U64(count))
    return _put_number(out, at, _B_FORMAT, _FORMAT)


@uncounted_inlined
def _seal(blocks: Blocks, block: int, first: int, last: int) -> None:
    """Write the checksums of the records of a block."""
    seed = fold_octets(blocks.out, blocks.begins[block], blocks.heads_end[block], SEED)
    for i in range(first, last):
        value = fold_octets(blocks.out, blocks.starts[i], blocks.ends[i], seed)
        put_word(blocks.out, _U64(blocks.ends[i]) + _CHECKSUM_SIZE - _EIGHT, value)


@uncounted_kernel
def write_blocks(
    commit: Commit, heads: Heads, content: Content, years: tuple[StoredOrder, Changes], room: Room, blocks: Blocks
) -> int:
    """Write the blocks of a commit, one behind the other, so that they end with ``blocks.out``; return how many.

    ``blocks.out`` has room for everything (``RECORD_BYTES`` and the others).
    """
    out, block, last = blocks.out, 0, heads.columns.shape[0]
    at, stop = _U64(out.shape[0]), _U64(out.shape[0])
    for back in range(heads.columns.shape[0]):
        i = heads.columns.shape[0] - 1 - back
        end = at
        at = put_tag(out, at - _EIGHT, _CHECKSUM[0], _CHECKSUM[1])
        blocks.ends[i] = np.int64(at)
        at = _put_record(out, at, heads, content, years, i, room)
        blocks.starts[i] = np.int64(at)
        at = _close(out, at, end, _B_RECORDS)
        month = heads.columns[i].month
        full = last - i >= MOST_RECORDS or stop - at >= _U64(MOST_BYTES)
        if i == 0 or full or heads.columns[i - 1].month != month:
            blocks.firsts[block], blocks.stops[block], blocks.heads_end[block] = i, np.int64(stop), np.int64(at)
            at = _put_head(out, at, commit, month, last - i)
            blocks.begins[block] = np.int64(at)
            _seal(blocks, block, i, last)
            block, last, stop = block + 1, i, at
    return block
