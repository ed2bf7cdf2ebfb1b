"""The columns of a table as whole numbers: Arrow or NumPy arrays, dictionaries, or one value for all rows."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from adjudicator.dates import date_of
from adjudicator.errors import AdjudicatorError, E, Problem

FIRST_DAY, LAST_DAY = np.datetime64("1800-01-01", "D"), np.datetime64("2200-01-01", "D")
_FORMS = "iub"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}")


class Kind(Enum):
    """What a column holds."""

    CODE = "text, a dictionary of texts, or a whole number where the codes are digits"
    NAME = "text or a dictionary of texts"
    MONEY = "a whole number of fen"
    NUMBER = "a whole number"
    FLAG = "true and false, or 0 and 1"
    DATE = "a date, a whole number YYYYMMDD, or text YYYY-MM-DD"
    PERSON = "text, a dictionary of texts, or a whole number"


class Given(NamedTuple):
    """One column: ``values`` are numbers, or places in ``texts``; a column that is the same in all rows has one."""

    name: str
    values: np.ndarray
    """Whole numbers of any size, n or one."""
    texts: list[str] | None
    is_same: bool
    missing: np.ndarray | None = None
    """bool[n]: rows without a value."""


def rows_of(table: Any) -> dict[str, Any]:
    """Return the columns of an Arrow table or of a mapping by name. Errors: E.INPUT_TYPE."""
    if isinstance(table, pa.Table | pa.RecordBatch):
        if len(set(table.schema.names)) != len(table.schema.names):
            raise AdjudicatorError(Problem(int(E.INPUT_TYPE), "", "two columns have the same name"))
        return dict(zip(table.schema.names, table.columns, strict=True))
    if not isinstance(table, Mapping):
        detail = f"{type(table).__name__} is no table: give a pyarrow Table or RecordBatch, or a mapping of columns"
        raise AdjudicatorError(Problem(int(E.INPUT_TYPE), "", detail))
    return dict(table)


def read(name: str, kind: Kind, value: Any) -> Given:
    """Return a column. Errors: E.INPUT_TYPE where its type cannot be meant, with what to give."""
    array = value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        array = value = value.item()
    if value is None or isinstance(value, str | bool | int | np.generic | datetime.date | pa.Scalar):
        plain = value.as_py() if isinstance(value, pa.Scalar) else value
        plain = plain.item() if isinstance(plain, np.generic) else plain
        return _read_array(name, kind, _same(name, kind, plain))._replace(is_same=True)
    is_numbers = isinstance(value, np.ndarray) and value.dtype.kind not in "OUS"
    if not (is_numbers or isinstance(value, pa.Array | pa.ChunkedArray)):
        array = _arrow(name, kind, value)
    return _read_array(name, kind, array)


def _refuse(name: str, kind: Kind, of: Any) -> AdjudicatorError:
    return AdjudicatorError(Problem(int(E.INPUT_TYPE), name, f"{name} is {of}, and must be {kind.value}"))


def _same(name: str, kind: Kind, value: Any) -> pa.Array | np.ndarray:
    """Return an array of one value."""
    if isinstance(value, float):
        raise _refuse(name, kind, "a floating-point number")
    if value is None:
        return pa.array([None], pa.int64())
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return pa.array([value], pa.date32())
    try:
        return pa.array([value])
    except (pa.ArrowInvalid, OverflowError, pa.ArrowTypeError) as error:
        raise _refuse(name, kind, type(value).__name__) from error


def _arrow(name: str, kind: Kind, value: Any) -> pa.Array:
    try:
        return pa.array(value)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, OverflowError) as error:
        raise _refuse(name, kind, type(value).__name__) from error


def _read_array(name: str, kind: Kind, array: Any) -> Given:
    missing = None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
        array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    texts = None
    if isinstance(array, pa.Array):
        if kind in (Kind.CODE, Kind.NAME, Kind.PERSON, Kind.DATE) and _is_text(array.type):
            array = array.dictionary_encode()
        if kind is Kind.DATE and pa.types.is_dictionary(array.type):
            array = _days_of_texts(name, kind, array)
        if pa.types.is_dictionary(array.type):
            texts, array = _dictionary(name, kind, array)
        if array.null_count:
            missing = array.is_null().to_numpy(zero_copy_only=False)
        array = _numbers(name, kind, array, texts)
    return Given(name, _whole(name, kind, array, texts), texts, False, missing)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _dictionary(name: str, kind: Kind, array: pa.DictionaryArray) -> tuple[list[str], pa.Array]:
    """Return the texts of a dictionary and the places in it."""
    values = array.dictionary
    if kind not in (Kind.CODE, Kind.NAME, Kind.PERSON) or not (
        _is_text(values.type) or pa.types.is_integer(values.type)
    ):
        raise _refuse(name, kind, array.type)
    return [str(one) if one is not None else "" for one in values.to_pylist()], array.indices


def _days_of_texts(name: str, kind: Kind, array: pa.DictionaryArray) -> pa.Array:
    """Return texts YYYY-MM-DD or YYYYMMDD as numbers; another text is 1, which is no date."""
    if not _is_text(array.dictionary.type):
        raise _refuse(name, kind, array.type)
    texts = [text or "" for text in array.dictionary.to_pylist()]
    days = [int(text.replace("-", "")) if _DAY.fullmatch(text) else int(text != "") for text in texts]
    return pa.array(days, pa.int64()).take(array.indices)


def _numbers(name: str, kind: Kind, array: pa.Array, texts: list[str] | None) -> np.ndarray:
    """Return an Arrow array as NumPy numbers; a missing one is 0."""
    of = array.type
    if pa.types.is_null(of):
        return np.zeros(len(array), np.int8)
    if pa.types.is_date(of) or pa.types.is_timestamp(of):
        array = array.cast(pa.date32(), safe=False).cast(pa.int32())
        array = array.fill_null(0) if array.null_count else array
        days: np.ndarray = array.to_numpy(zero_copy_only=False).astype("datetime64[D]")
        return days
    if not (pa.types.is_integer(of) or pa.types.is_boolean(of)):
        raise _refuse(name, kind, of)
    array = array.fill_null(False if pa.types.is_boolean(of) else 0) if array.null_count else array
    numbers: np.ndarray = array.to_numpy(zero_copy_only=False)
    return numbers


def _whole(name: str, kind: Kind, array: np.ndarray, texts: list[str] | None) -> np.ndarray:
    """Return an array of whole numbers in one piece; dates as YYYYMMDD."""
    if array.ndim != 1:
        raise _refuse(name, kind, f"an array of {array.ndim} dimensions")
    if array.dtype.kind == "M":
        if kind is not Kind.DATE:
            raise _refuse(name, kind, array.dtype)
        return _dates(array)
    is_name = kind is not Kind.NAME or texts is not None or not array.any()
    if array.dtype.kind not in _FORMS or not is_name:
        raise _refuse(name, kind, array.dtype)
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    if array.dtype == np.uint64:
        array = array.view(np.int64)
    if not array.flags.c_contiguous or not array.dtype.isnative:
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    return array


def _dates(array: np.ndarray) -> np.ndarray:
    """Return days as YYYYMMDD; one that is far away, or not a time, is no date."""
    days = array.astype("datetime64[D]")
    near = (days >= FIRST_DAY) & (days < LAST_DAY)
    offsets = np.where(near, (days - FIRST_DAY).astype(np.int64), 0)
    first = int(FIRST_DAY.astype(np.int64))
    count = int(offsets.max(initial=0)) + 1
    least = int(offsets.min(initial=count))
    known = np.array([date_of(first + day) for day in range(least, count)] or [0], np.int64)
    dates: np.ndarray = np.where(near, known[np.maximum(offsets - least, 0)], 1)
    return dates
