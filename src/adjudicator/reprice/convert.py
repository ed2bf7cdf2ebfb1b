"""One column of a table becomes the numbers or texts of a field: exactly, or the row is noted with what is wrong.

A column of a type that cannot be meant is refused as a whole (``check_type``): a floating-point number never becomes an
amount, and a decimal number only where the mapping says that it is yuan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from adjudicator.errors import E, refuse
from adjudicator.reprice.fields import Kind
from adjudicator.reprice.kernels import Texts
from adjudicator.reprice.mapping import Column

AMOUNTS = (Kind.MONEY, Kind.PRICE, Kind.QUANTITY)
_WANTED = {
    Kind.TEXT: "text", Kind.TEXTS: "a list of texts", Kind.NUMBER: "a whole number",
    Kind.MONEY: "a whole number of fen, or with unit = 'yuan' in the mapping a decimal number",
    Kind.PRICE: "a whole number of 1/10000 fen, or with unit = 'yuan' in the mapping a decimal number",
    Kind.QUANTITY: "a whole number of 1/10000 unit, or with unit = 'unit' in the mapping a decimal number",
    Kind.DATE: "a date, a whole number YYYYMMDD, or text YYYY-MM-DD", Kind.FLAG: "true and false, or 0 and 1",
}  # fmt: skip
_DIGITS, _DAY = r"^-?[0-9]{1,18}$", r"^[0-9]{4}-?[0-9]{2}-?[0-9]{2}([ T].*)?$"
NO_DAY = 1
"""A number that no calendar has, for a text that is no date."""


class Note(NamedTuple):
    """One kind of fault in a column: its rows cannot be priced."""

    number: int
    field: str
    rows: np.ndarray


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def check_type(column: Column, kind: pa.DataType) -> None:
    """Refuse a column whose type does not fit its field. Errors: E.INPUT_TYPE."""
    of, wanted = _value_type(kind), column.field.kind
    fits = pa.types.is_null(of)
    if wanted is Kind.TEXT:
        fits |= _is_text(of)
    elif wanted is Kind.TEXTS:
        fits |= _is_text(of) or (_is_list(of) and _is_text(_value_type(of.value_type)))
    else:
        fits |= pa.types.is_integer(of)
        fits |= pa.types.is_decimal(of) and (wanted is Kind.NUMBER or column.decimals > 0)
        fits |= _is_text(of) and wanted not in AMOUNTS
        fits |= wanted is Kind.DATE and (pa.types.is_date(of) or pa.types.is_timestamp(of))
        fits |= wanted is Kind.FLAG and pa.types.is_boolean(of)
    if not fits:
        detail = f"{column.name} is {kind}, {column.field.name} needs {_WANTED[wanted]}"
        raise refuse(E.INPUT_TYPE, column.field.name, detail)


# ---------------------------------------------------------------- numbers


def numbers_of(column: Column, array: pa.Array, notes: list[Note]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return int64[n], 0 where there is none, and bool[n] where there is one (None: everywhere)."""
    values, present, wrong = _over_values(array, lambda part: _numbers(column, part))
    one = column.field
    fault = E.INVALID_DATE if one.kind is Kind.DATE else E.INVALID_CODE_VALUE
    if one.kind in AMOUNTS:
        fault = E.NOT_AN_AMOUNT
    if wrong is not None and wrong.any():
        notes.append(Note(int(fault), one.name, np.flatnonzero(wrong)))
    if present is not None and one.required and one.kind in AMOUNTS:
        notes.append(Note(int(E.MISSING_VALUE), one.name, np.flatnonzero(~present)))
    if one.form != "i8":
        outside = (values < one.least) | (values > one.most)
        if outside.any():
            notes.append(Note(int(fault), one.name, np.flatnonzero(outside)))
            values = np.where(outside, 0, values)
    return values, present


_Converted = tuple[np.ndarray, np.ndarray | None, np.ndarray | None]
"""Values int64[n], where there is one, and where what is there cannot be read."""


def _over_values(array: pa.Array, convert: Callable[[pa.Array], _Converted]) -> _Converted:
    """Convert the values of a dictionary once and take them by their index."""
    if not pa.types.is_dictionary(array.type):
        return convert(array)
    values, present, wrong = convert(array.dictionary)
    index = array.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    absent = array.null_count > 0 or present is not None
    present = np.ones(len(values), np.bool_) if present is None else present
    wrong = np.zeros(len(values), np.bool_) if wrong is None else wrong
    taken = (np.append(part, end)[index] for part, end in ((values, 0), (present, False), (wrong, False)))
    values, present, wrong = taken
    return values, present if absent else None, wrong


def _numbers(column: Column, array: pa.Array) -> _Converted:
    kind = array.type
    if pa.types.is_null(kind):
        return np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_), None
    if _is_text(kind):
        return _from_text(column, array)
    if pa.types.is_decimal(kind):
        return _from_decimal(column, array)
    present = array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else None
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        filled = array.fill_null(pa.scalar(0, kind)) if array.null_count else array
        days = (pc.year(filled), pc.month(filled), pc.day(filled))
        year, month, day = (part.to_numpy(zero_copy_only=False).astype(np.int64) for part in days)
        values = year * 10_000 + month * 100 + day
        return (values if present is None else np.where(present, values, 0)), present, None
    if array.null_count:
        array = array.fill_null(False if pa.types.is_boolean(kind) else 0)
    raw = array.to_numpy(zero_copy_only=False)
    values = raw.astype(np.int64, copy=False)
    wrong = raw > np.uint64(2**63 - 1) if raw.dtype == np.uint64 else None
    if column.decimals:
        return _scaled(values, 10**column.decimals, present, wrong)
    return values, present, wrong


def _scaled(values: np.ndarray, factor: int, present: np.ndarray | None, wrong: np.ndarray | None) -> _Converted:
    """Multiply; a product beyond 63 bits is wrong."""
    most = (2**63 - 1) // factor
    outside = (values > most) | (values < -most)
    wrong = outside if wrong is None else wrong | outside
    return np.where(outside, 0, values) * factor, present, wrong


def _from_decimal(column: Column, array: pa.Array) -> _Converted:
    """Read decimal numbers by their digits; one with more decimals than the field has is wrong."""
    scale = array.type.scale
    wide = array.cast(pa.decimal128(38, scale)) if array.type != pa.decimal128(38, scale) else array
    words = np.frombuffer(wide.buffers()[1], np.int64).reshape(-1, 2)[wide.offset : wide.offset + len(wide)]
    present = array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else None
    low, high = words[:, 0], words[:, 1]
    wrong = high != (low >> 63)
    if present is not None:
        low, wrong = np.where(present, low, 0), wrong & present
    low = np.where(wrong, 0, low)
    surplus = scale - column.decimals
    if surplus <= 0:
        return _scaled(low, 10**-surplus, present, wrong)
    divisor = 10**surplus
    # An age has one decimal and counts the years that were completed.
    inexact = (low % divisor != 0) & (column.field.name != "age_years")
    return low // divisor, present, wrong | inexact


def _from_text(column: Column, array: pa.Array) -> _Converted:
    """Read digits, or the day of a date; an empty text is none."""
    texts = pc.utf8_trim_whitespace(array.cast(pa.string()))
    if column.codes:
        texts = _coded(column, texts)
    present = pc.fill_null(pc.greater(pc.utf8_length(texts), 0), False)
    is_day = column.field.kind is Kind.DATE
    good = pc.and_(present, pc.fill_null(pc.match_substring_regex(texts, _DAY if is_day else _DIGITS), False))
    digits = pc.replace_substring(pc.utf8_slice_codeunits(texts, 0, 10), "-", "") if is_day else texts
    digits = pc.utf8_slice_codeunits(digits, 0, 8) if is_day else digits
    values = pc.if_else(good, digits, pa.scalar(str(NO_DAY) if is_day else "0")).cast(pa.int64())
    there, right = (part.to_numpy(zero_copy_only=False) for part in (present, good))
    numbers = np.where(there, values.to_numpy(zero_copy_only=False), 0)
    return numbers, None if there.all() else there, there & ~right


def _coded(column: Column, texts: pa.Array) -> pa.Array:
    """Replace the texts of a column by the codes that the mapping gives; others stay as they are."""
    known = pa.array(list(column.codes), pa.string())
    place = pc.index_in(texts, known)
    return pc.if_else(pc.is_valid(place), pc.take(pa.array(list(column.codes.values()), pa.string()), place), texts)


# ---------------------------------------------------------------- texts


class Heap:
    """The bytes that texts of a batch stand in; each dictionary and each column once."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._size = 0

    def add(self, octets: np.ndarray) -> int:
        """Append bytes and return where they begin."""
        start = self._size
        self._parts.append(octets)
        self._size += len(octets)
        return start

    def array(self, behind: int) -> np.ndarray:
        """Return all bytes, and so many behind them."""
        return np.concatenate([*self._parts, np.zeros(behind, np.uint8)])


def texts_of(column: Column, array: pa.Array, heap: Heap, notes: list[Note]) -> Texts:
    """Return the texts of a column, empty where there is none."""
    if pa.types.is_null(array.type):
        return Texts(np.full(len(array), -1, np.int32), np.zeros(1, np.int64), np.zeros(1, np.int32))
    if pa.types.is_dictionary(array.type):
        values, faults = _values(column, array.dictionary, heap)
        indices = array.indices.fill_null(-1) if array.null_count else array.indices
        index = np.ascontiguousarray(indices.to_numpy(zero_copy_only=False), np.int32)
        rows = np.flatnonzero(np.isin(index, faults)) if len(faults) else faults
    else:
        values, faults = _values(column, array, heap)
        index, rows = np.arange(len(array), dtype=np.int32), faults
    if len(rows):
        notes.append(Note(int(E.NOT_UTF8), column.field.name, rows))
    return Texts(index, *values)


def _values(column: Column, array: pa.Array, heap: Heap) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Return starts and sizes of texts, and which of them are not UTF-8."""
    faults = np.zeros(0, np.int64)
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        array, faults = _without_faults(array)
    if column.codes:
        array = _coded(column, array)
    array = array if pa.types.is_string(array.type) else array.cast(pa.string())
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1] if len(array) else None
    if ends is None:
        return (np.zeros(1, np.int64), np.zeros(1, np.int32)), faults
    octets = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    start = heap.add(octets[int(ends[0]) : int(ends[-1])]) - int(ends[0])
    return (start + ends[:-1].astype(np.int64), np.diff(ends)), faults


def _without_faults(array: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Return the texts with those that are not UTF-8 left out, and their places."""
    octets = array.cast(pa.large_binary()).to_pylist()
    wrong = [place for place, text in enumerate(octets) if text is not None and not _is_utf8(text)]
    kept = [None if place in set(wrong) else text for place, text in enumerate(octets)]
    return pa.array(kept, pa.binary()).cast(pa.string()), np.array(wrong, np.int64)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def list_of(array: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Return int64[n + 1] where the entries of each list begin, and all entries; a text is a list of one."""
    if pa.types.is_null(array.type):
        return np.zeros(len(array) + 1, np.int64), pa.array([], pa.string())
    if not _is_list(array.type):
        texts = array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array
        there = pc.fill_null(pc.greater(pc.binary_length(texts), 0), False)
        return _offsets(there.to_numpy(zero_copy_only=False).astype(np.int64)), texts.filter(there)
    counts = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    return _offsets(counts), array.flatten()


def _offsets(counts: Any) -> np.ndarray:
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets
