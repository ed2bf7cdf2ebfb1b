"""Prices a table of amounts in scope: columns in, columns out, without a message or a line in between."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from adjudicator.amounts.fields import (
    AFTER,
    ERROR_OUT,
    FLAGS_OUT,
    KINDS,
    LEVELS,
    REQUIRED,
    RESULTS,
    USUAL,
)
from adjudicator.amounts.given import Given, read, rows_of
from adjudicator.amounts.run import Call, run
from adjudicator.columns import SLOT
from adjudicator.errors import AdjudicatorError, E, Problem
from adjudicator.rules.bundle import Bundle

Columns: TypeAlias = "pa.Table | pa.RecordBatch | Mapping[str, Any]"


def price_columns(
    bundle: Bundle, table: Columns, results: Sequence[str] | None = None, specialise: bool = False
) -> pa.Table | pa.RecordBatch | dict[str, np.ndarray]:
    """Price a table of claims without lines, whose amounts in scope are known; one row is one claim.

    Args:
        bundle: the rules.
        table: an Arrow table or record batch, or a mapping of NumPy arrays, Arrow arrays and single values that hold
            for all rows. Columns are fields of ``Claim`` and parts of a split; docs/python.md lists them. Money is
            whole fen. With ``person_id`` the rows of a person are priced over one year, in order of settlement date,
            admission date and row; ``before_`` and the name of an accumulator is the year before the first of them.
        results: fields of ``Settlement``, ``error``, and ``after_`` with the name of an accumulator: the year after
            the row. Left out: all amounts, and ``error``.
        specialise: compile a kernel for these columns and this plan, and keep it. It takes some 15 seconds the first
            time and is then twice as fast or more; the whole table must come under one plan row.

    Returns:
        The results in the form of the table, in the order of its rows: int64, ``error`` int32 (a number of
        docs/errors.md, 0 none), flags bool. A row with an error has amounts of 0.

    Raises:
        AdjudicatorError: a column is missing, unknown or of a wrong type, a value that holds for all rows is wrong,
            or a row is refused and ``error`` is not among the results.
    """
    given = _given(table)
    names = _results(USUAL if results is None else results)
    rows = _rows(given)
    out = {name: np.zeros(rows, np.int64) for name in names}
    errors = out[ERROR_OUT] if ERROR_OUT in out else np.zeros(rows, np.int64)
    run(Call(bundle, given, rows, {**out, ERROR_OUT: errors}, specialise))
    if ERROR_OUT not in out:
        _raise_refused(errors)
    return _in_form(table, {name: _as_type(name, values) for name, values in out.items()})


def _given(table: Columns) -> dict[str, Given]:
    """Return the columns; every mistake of the table at once. Errors: E.INPUT_COLUMN, E.INPUT_TYPE."""
    given: dict[str, Given] = {}
    problems: list[Problem] = []
    for name, value in rows_of(table).items():
        if name not in KINDS:
            problems.append(Problem(int(E.INPUT_TYPE), str(name), *_unknown(str(name), list(KINDS))))
            continue
        try:
            given[name] = read(name, KINDS[name], value)
        except AdjudicatorError as error:
            problems += error.problems
    present = {*given, *(problem.field for problem in problems)}
    problems += [Problem(int(E.INPUT_COLUMN), name, name) for name in REQUIRED if name not in present]
    if not present & set(LEVELS):
        problems.append(Problem(int(E.INPUT_COLUMN), LEVELS[0], ", ".join(LEVELS)))
    lengths = {len(column.values) for column in given.values() if not column.is_same}
    if len(lengths) > 1:
        told = ", ".join(f"{column.name} {len(column.values)}" for column in given.values() if not column.is_same)
        problems.append(Problem(int(E.INPUT_TYPE), "", f"columns of different lengths: {told}"))
    if problems:
        raise AdjudicatorError(*problems)
    return given


def _unknown(name: str, known: Sequence[str]) -> tuple[str]:
    """Return what is told about a column that nobody knows."""
    near = difflib.get_close_matches(name, known, 1)
    return (f"{name} is no column of docs/python.md" + (f"; is {near[0]} meant?" if near else ""),)


def _rows(given: dict[str, Given]) -> int:
    return next((len(column.values) for column in given.values() if not column.is_same), 1)


def _results(results: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the results, each once. Errors: E.INPUT_TYPE."""
    if isinstance(results, str):
        results = [results]
    names = tuple(dict.fromkeys(results))
    listed = [*RESULTS, *(AFTER + name for name in SLOT)]
    problems = [Problem(int(E.INPUT_TYPE), name, *_unknown(name, listed)) for name in names if name not in listed]
    if problems:
        raise AdjudicatorError(*problems)
    return names


def _raise_refused(errors: np.ndarray) -> None:
    """Raise for the first refused row. Errors: that of the row."""
    refused = np.flatnonzero(errors)
    if len(refused):
        first, number = int(refused[0]), int(errors[refused[0]])
        value = f"row {first}, the first of {len(refused)}; ask for the result {ERROR_OUT!r} to go on without them"
        raise AdjudicatorError(Problem(number, f"[{first}]", value=value))


def _as_type(name: str, values: np.ndarray) -> np.ndarray:
    if name == ERROR_OUT:
        return values.astype(np.int32)
    return values != 0 if name in FLAGS_OUT else values


def _in_form(table: Columns, out: dict[str, np.ndarray]) -> pa.Table | pa.RecordBatch | dict[str, np.ndarray]:
    """Return the results in the form of the table."""
    if isinstance(table, pa.Table):
        return pa.table(out)
    if isinstance(table, pa.RecordBatch):
        return pa.RecordBatch.from_pydict(out)
    return out
