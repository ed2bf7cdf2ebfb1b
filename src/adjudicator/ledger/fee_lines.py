"""The lines of an answer as a record keeps them: ``adjudicator.v1.FeeLines``, written by a kernel, read one by one.

What follows from the rest is left out: the in-scope amount (identity L1), line ids that count up, a first pay that is
the ratio times the amount.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.limits import NO_CEILING_E4
from adjudicator.v1.record_pb2 import FeeLines
from adjudicator.v1.settlement_pb2 import LineResult
from adjudicator.wire.backward import put_bytes, put_tag, put_varint
from adjudicator.wire.schema import varint_bytes

_U64 = np.uint64
_ZERO, _ONE = np.uint64(0), np.uint64(1)
_LARGEST = 1 << 40
"""Amounts of this size and more are not told by a ratio: their product with it might not fit 64 bits."""
_DIGIT_0, _DIGIT_1, _DIGIT_9 = np.frombuffer(b"019", np.uint8)
_PPM, _HALF = 1_000_000, 500_000
_DIGITS = re.compile(r"[0-9]*\Z", re.ASCII)


class Lines(NamedTuple):
    """The fee lines of a batch and how they were split."""

    text: np.ndarray  # uint8: where the line ids stand
    wire: np.ndarray  # rows of the message: line_id_start, line_id_size, amount_fen
    splits: np.ndarray  # LINE_SPLIT, as many
    starts: np.ndarray  # int64[n]: claim i has the lines ``starts[i]`` to ``ends[i]``
    ends: np.ndarray  # int64[n]


class Kinds(NamedTuple):
    """Room for the kinds of the lines of one claim; as long as the longest claim."""

    of_lines: np.ndarray  # int64
    ratios: np.ndarray  # int64, one a kind; the next as well
    classes: np.ndarray
    notes: np.ndarray


def _tag(name: str, wire_type: int = 2) -> tuple[np.uint32, np.uint64]:
    tag = varint_bytes(FeeLines.DESCRIPTOR.fields_by_name[name].number << 3 | wire_type)
    return np.uint32(int.from_bytes(tag, "little")), np.uint64(len(tag))


_LINE_IDS, _AMOUNTS, _KINDS = _tag("line_ids"), _tag("amounts"), _tag("kinds")
_RATIOS, _CLASSES, _NOTES = _tag("kind_first_pay_ppm"), _tag("kind_classes"), _tag("kind_notes")
_WHOLLY, _OVER, _FIRST_PAY = _tag("wholly_self_paid"), _tag("over_ceiling"), _tag("first_pay")
_CEILINGS, _BY_RATIO = _tag("price_ceilings"), _tag("first_pay_by_ratio", 0)
_AMOUNT, _PARTLY, _EXCESS, _PAID_FIRST, _CEILING, _KIND = range(6)


@uncounted_inlined
def _is_whole(lines: Lines, i: int) -> bool:
    """Whether all of a line is self-paid."""
    amount = lines.wire[i].amount_fen
    return amount != 0 and lines.splits[i].wholly_self_paid_fen == amount


@uncounted_inlined
def _by_ratio(amount: int, ratio_ppm: int) -> int:
    """Ratio times an amount, half up; half down below zero, so that the reversal of a line mirrors it."""
    if amount >= 0:
        part = (amount * ratio_ppm + _HALF) // _PPM
    else:
        part = -((-amount * ratio_ppm + _HALF) // _PPM)
    return part


@uncounted_inlined
def _find_kind(kinds: Kinds, count: int, ratio: int, grade: int, note: int) -> int:
    """Return the place of a kind among the first ``count``; a new one is put behind them."""
    place = 0
    while place < count and (
        kinds.ratios[place] != ratio or kinds.classes[place] != grade or kinds.notes[place] != note
    ):
        place += 1
    if place == count:
        kinds.ratios[place], kinds.classes[place], kinds.notes[place] = ratio, grade, note
    return place


@uncounted_inlined
def _value(lines: Lines, kinds: Kinds, column: int, first: int, i: int) -> int:
    """Return what a column has for line ``i``, as the bits that go on the wire."""
    number, row = np.int64(0), lines.splits[i]
    if column == _KIND:
        bits = _U64(kinds.of_lines[i - first])
    elif column == _CEILING:
        bits = _ZERO if row.price_ceiling_e4 == NO_CEILING_E4 else _U64(row.price_ceiling_e4 + 1)
    else:
        if column == _AMOUNT:
            number = lines.wire[i].amount_fen
        elif column == _PARTLY:
            number = np.int64(0) if _is_whole(lines, i) else row.wholly_self_paid_fen
        elif column == _EXCESS:
            number = row.over_ceiling_fen
        else:
            number = row.first_pay_fen
        bits = _U64((number << 1) ^ (number >> 63))
    return bits


@uncounted_inlined
def _put_column(out, end, tag, lines: Lines, kinds: Kinds, column: int, span: tuple[int, int]):
    """Write a column of the lines ``span``; returns where it starts."""
    first, last = span
    at = end
    for back in range(last - first):
        at = put_varint(out, at, _value(lines, kinds, column, first, last - 1 - back))
    at = put_varint(out, at, end - at)
    return put_tag(out, at, tag[0], tag[1])


@uncounted_inlined
def _put_kinds(out, end, tag, numbers: np.ndarray, count: int):
    """Write what each kind has; returns where it starts."""
    at = end
    for back in range(count):
        at = put_varint(out, at, _U64(numbers[count - 1 - back]))
    at = put_varint(out, at, end - at)
    return put_tag(out, at, tag[0], tag[1])


@uncounted_inlined
def _is_digit(octet: int) -> bool:
    return octet >= _DIGIT_0 and octet <= _DIGIT_9


@uncounted_inlined
def _counts_up(text: np.ndarray, before: int, before_size: int, start: int, size: int) -> bool:
    """Whether an id is the one before it with its decimal number at the end plus 1."""
    nines = 0  # nines at the end of the id before
    while nines < before_size and text[_U64(before + before_size - 1 - nines)] == _DIGIT_9:
        nines += 1
    place = before_size - 1 - nines  # what is before them counts up
    grows = size - before_size
    fits = grows == 0 and place >= 0
    if fits:
        old = text[_U64(before + place)]
        fits = _is_digit(old) and text[_U64(start + place)] == old + 1
    elif grows == 1 and nines > 0:
        fits = (place < 0 or not _is_digit(text[_U64(before + place)])) and text[_U64(start + place + 1)] == _DIGIT_1
        place += 1
    for k in range(size):
        if fits and k < place:
            fits = text[_U64(start + k)] == text[_U64(before + k)]
        elif fits and k > place:
            fits = text[_U64(start + k)] == _DIGIT_0
    return fits


@uncounted_inlined
def _put_ids(out, end, lines: Lines, first: int, last: int):
    """Write the line ids; returns where they start."""
    at = end
    for back in range(last - first):
        i = last - 1 - back
        start, size = lines.wire[i].line_id_start, np.int64(lines.wire[i].line_id_size)
        before, before_size = np.int64(0), np.int64(0)
        if i > first:
            before, before_size = lines.wire[i - 1].line_id_start, np.int64(lines.wire[i - 1].line_id_size)
        if _counts_up(lines.text, before, before_size, start, size):
            at = put_varint(out, at, _ZERO)
        else:
            common = 0
            while (
                common < min(size, before_size)
                and lines.text[_U64(start + common)] == lines.text[_U64(before + common)]
            ):
                common += 1
            at = put_bytes(out, at, lines.text, _U64(start + common), _U64(size - common))
            at = put_varint(out, at, _U64(size - common))
            at = put_varint(out, at, _U64(common + 1))
    at = put_varint(out, at, end - at)
    return put_tag(out, at, _LINE_IDS[0], _LINE_IDS[1])


@uncounted_inlined
def put_fee_lines(out, end, lines: Lines, claim: int, kinds: Kinds):
    """Write the lines of a claim as FeeLines that end at ``end``; returns where they start."""
    first, last, at = lines.starts[claim], lines.ends[claim], end
    count, named, partly, excess, paid_first, ceilings, by_ratio = 0, False, False, False, False, False, True
    for i in range(first, last):
        row, amount = lines.splits[i], lines.wire[i].amount_fen
        whole = _is_whole(lines, i)
        place = _find_kind(kinds, count, row.first_pay_ppm, 2 * row.item_class + (1 if whole else 0), row.note)
        count = max(count, place + 1)
        kinds.of_lines[i - first] = place
        named |= lines.wire[i].line_id_size != 0
        partly |= not whole and row.wholly_self_paid_fen != 0
        excess |= row.over_ceiling_fen != 0
        paid_first |= row.first_pay_fen != 0
        ceilings |= row.price_ceiling_e4 != NO_CEILING_E4
        rest = amount - row.wholly_self_paid_fen - row.over_ceiling_fen
        by_ratio &= rest < _LARGEST and rest > -_LARGEST and _by_ratio(rest, row.first_pay_ppm) == row.first_pay_fen
    if last > first:
        if paid_first and by_ratio:
            at = put_tag(out, put_varint(out, at, _ONE), _BY_RATIO[0], _BY_RATIO[1])
        if ceilings:
            at = _put_column(out, at, _CEILINGS, lines, kinds, _CEILING, (first, last))
        if paid_first and not by_ratio:
            at = _put_column(out, at, _FIRST_PAY, lines, kinds, _PAID_FIRST, (first, last))
        if excess:
            at = _put_column(out, at, _OVER, lines, kinds, _EXCESS, (first, last))
        if partly:
            at = _put_column(out, at, _WHOLLY, lines, kinds, _PARTLY, (first, last))
        at = _put_kinds(out, at, _NOTES, kinds.notes, count)
        at = _put_kinds(out, at, _CLASSES, kinds.classes, count)
        at = _put_kinds(out, at, _RATIOS, kinds.ratios, count)
        if count > 1:
            at = _put_column(out, at, _KINDS, lines, kinds, _KIND, (first, last))
        at = _put_column(out, at, _AMOUNTS, lines, kinds, _AMOUNT, (first, last))
        if named:
            at = _put_ids(out, at, lines, first, last)
    return at


# ---------------------------------------------------------------- one by one


def next_id(before: str) -> str | None:
    """Return an id with its decimal number at the end plus 1, None where it ends in no digit.

    >>> next_id("A-009"), next_id("99"), next_id("A")
    ('A-010', '100', None)
    """
    digits = _DIGITS.search(before)
    number = digits[0] if digits else ""
    return before[: len(before) - len(number)] + str(int(number) + 1).zfill(len(number)) if number else None


def encode_lines(lines: Sequence[LineResult]) -> bytes | None:
    """Return lines as a record keeps them, the same bytes as the kernel; None for lines that do not add up (L1)."""
    stored, kinds = FeeLines(amounts=[line.amount_fen for line in lines]), list[tuple[int, int, int]]()
    wholly, of_lines, by_ratio = [], [], True
    for line in lines:
        rest = line.amount_fen - line.wholly_self_paid_fen - line.over_ceiling_fen
        if rest - line.first_pay_fen != line.in_scope_fen:
            return None
        whole = line.amount_fen != 0 and line.wholly_self_paid_fen == line.amount_fen
        kind = (line.first_pay_ppm, 2 * line.item_class + whole, line.note)
        if kind not in kinds:
            kinds.append(kind)
        of_lines.append(kinds.index(kind))
        wholly.append(0 if whole else line.wholly_self_paid_fen)
        by_ratio &= abs(rest) < _LARGEST and _first_pay(rest, line.first_pay_ppm) == line.first_pay_fen
    if any(line.line_id for line in lines):
        stored.line_ids = _encode_ids(line.line_id for line in lines)
    if len(kinds) > 1:
        stored.kinds.extend(of_lines)
    for column, values in zip(
        (stored.kind_first_pay_ppm, stored.kind_classes, stored.kind_notes), zip(*kinds, strict=True), strict=False
    ):
        column.extend(values)
    first_pay = [line.first_pay_fen for line in lines]
    stored.first_pay_by_ratio = by_ratio and any(first_pay)
    ceilings = [0 if line.price_ceiling_e4 == NO_CEILING_E4 else line.price_ceiling_e4 + 1 for line in lines]
    for column, amounts in (
        (stored.wholly_self_paid, wholly),
        (stored.over_ceiling, [line.over_ceiling_fen for line in lines]),
        (stored.first_pay, [] if stored.first_pay_by_ratio else first_pay),
        (stored.price_ceilings, ceilings),
    ):
        if any(amounts):
            column.extend(amounts)
    return stored.SerializeToString()


def _first_pay(amount_fen: int, ratio_ppm: int) -> int:
    part = (abs(amount_fen) * ratio_ppm + _HALF) // _PPM
    return part if amount_fen >= 0 else -part


def _encode_ids(ids: Iterable[str]) -> bytes:
    parts, before = bytearray(), ""
    for one in ids:
        if one == next_id(before):
            parts += varint_bytes(0)
        else:
            old, new = before.encode(), one.encode()
            pairs = zip(old, new, strict=False)
            common = next((k for k, (left, right) in enumerate(pairs) if left != right), min(len(old), len(new)))
            parts += varint_bytes(1 + common) + varint_bytes(len(new) - common) + new[common:]
        before = one
    return bytes(parts)


def decode_lines(data: bytes) -> list[LineResult]:
    """Return the lines that a record keeps. Raises ValueError where they cannot be read."""
    try:
        stored = FeeLines.FromString(data)
    except DecodeError as error:
        raise ValueError("its lines cannot be read") from error
    count = len(stored.amounts)
    ids = _decode_ids(stored.line_ids, count) if stored.line_ids else [""] * count
    kinds = list(zip(stored.kind_first_pay_ppm, stored.kind_classes, stored.kind_notes, strict=True))
    columns = [
        _column(values, count)
        for values in (stored.wholly_self_paid, stored.over_ceiling, stored.first_pay, stored.price_ceilings)
    ]
    lines = []
    for i, kind in enumerate(stored.kinds or [0] * count):
        ratio, grade, note = kinds[kind]
        amount, over, ceiling = stored.amounts[i], columns[1][i], columns[3][i]
        wholly = amount if grade & 1 else columns[0][i]
        rest = amount - wholly - over
        first_pay = _first_pay(rest, ratio) if stored.first_pay_by_ratio else columns[2][i]
        lines.append(
            LineResult(
                line_id=ids[i], amount_fen=amount, wholly_self_paid_fen=wholly, over_ceiling_fen=over,
                first_pay_fen=first_pay, in_scope_fen=rest - first_pay,
                price_ceiling_e4=ceiling - 1 if ceiling else NO_CEILING_E4, first_pay_ppm=ratio,
                item_class=grade >> 1, note=note,
            )
        )  # fmt: skip
    if len(lines) != count:
        raise ValueError("its lines do not add up")
    return lines


def _column(values: Sequence[int], count: int) -> Sequence[int]:
    if values and len(values) != count:
        raise ValueError("its lines do not add up")
    return values or [0] * count


def _decode_ids(data: bytes, count: int) -> list[str]:
    """Read the line ids."""
    ids: list[str] = []
    before, at = b"", 0
    for _ in range(count):
        head, at = _varint(data, at)
        if head == 0:
            text = next_id(before.decode())
            if text is None:
                raise ValueError("a line id cannot count up")
            before = text.encode()
        else:
            size, at = _varint(data, at)
            before, at = before[: head - 1] + data[at : at + size], at + size
        ids.append(before.decode())
    return ids


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = data[at]
        at += 1
        value |= (octet & 127) << shift
        shift += 7
        if octet < 128:
            return value, at
