"""Groups Parquet files of discharge records, a batch of rows at a time.

Same columns as text files (``grouping.records.files``); numbers in any integer type, code lists as lists of strings or
as text joined by ``|``. A row that cannot be read answers ``malformed`` and is named with its number, from 1.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adjudicator import limits
from adjudicator.codes import GroupStatus
from adjudicator.columns import GROUP
from adjudicator.grouping.coding_kernel import CodeTexts
from adjudicator.grouping.group import (
    NO_GROUP,
    STATUS_TEXTS,
    department_table,
    diagnosis_table,
    group,
    procedure_table,
)
from adjudicator.grouping.layout import GroupColumns
from adjudicator.grouping.records import text_kernel as kernel
from adjudicator.grouping.records.files import (
    ALIASES,
    ANSWER,
    REQUIRED,
    Block,
    Outcome,
    RecordFileError,
    Task,
    outcome_of,
)
from adjudicator.wire.codetable import CodeTable

ROWS = 200_000


def group_parquet(
    task: Task, source: Path, target: Path, advance: Callable[[int], None] = lambda rows: None
) -> Outcome:
    """Group ``source`` into ``target``; ``advance`` is told the rows that were done."""
    file = _open(source)
    names = [ALIASES.get(name, name) for name in file.schema_arrow.names]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise RecordFileError(f"column {', '.join(missing)} missing")
    outcome, row = Outcome(unit="row"), 1
    schema = pa.schema([(name, pa.string()) for name in (*ANSWER, *task.extra_names)])
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in file.iter_batches(ROWS):
            block, keys = _block(task, batch.rename_columns(names))
            groups = np.zeros(batch.num_rows, GROUP)
            group(task.scheme, block.columns, groups, task.translate)
            extras = task.extra(block.columns, groups, block.codes) if task.extra else []
            arrays = [keys, *_answer_columns(task, groups, block.faults[:, 0]), *(pa.array(texts) for texts in extras)]
            writer.write_table(pa.table(arrays, schema=schema))
            task.add(outcome, outcome_of(block, groups, names, row))
            row += batch.num_rows
            advance(batch.num_rows)
    return outcome


def row_count(source: Path) -> int:
    """Rows of a Parquet file."""
    return int(_open(source).metadata.num_rows)


def _open(source: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(source)
    except pa.ArrowInvalid as error:
        raise RecordFileError(f"not a Parquet file: {error}") from error


def _block(task: Task, batch: pa.RecordBatch) -> tuple[Block, pa.Array]:
    faults = np.zeros((batch.num_rows, 2), "i4")
    numbers = {
        name: _numbers(batch, name, row, faults)
        if name in batch.schema.names
        else np.full(batch.num_rows, missing, "i4")
        for row, (name, missing) in enumerate(zip(kernel.NUMBERS, kernel.MISSING.tolist(), strict=True))
    }
    departments = np.zeros(batch.num_rows, "i4")
    if "department" in batch.schema.names:
        octets, starts, ends = _texts(batch.column("department"))
        departments = (department_table(task.scheme).find_all(octets, starts, ends - starts) + 1).astype("i4")
    lists, places = {}, []
    for name, table in (("diagnoses", diagnosis_table(task.scheme)), ("procedures", procedure_table(task.scheme))):
        *lists[name], place = _codes(batch.column(name), table)
        places.append(place)
        long = np.diff(lists[name][0]) > limits.MAX_DIAGNOSES_PER_CLAIM
        faults[long & (faults[:, 0] == 0)] = kernel.TOO_MANY_CODES, batch.schema.names.index(name)
    columns = GroupColumns(
        **numbers, department=departments, diagnosis_offsets=lists["diagnoses"][0], diagnoses=lists["diagnoses"][1],
        procedure_offsets=lists["procedures"][0], procedures=lists["procedures"][1],
    )  # fmt: skip
    keys = pc.cast(batch.column("id"), pa.string())
    empty = np.zeros((batch.num_rows, 2), "i8")
    return Block(columns, empty, faults, np.arange(batch.num_rows), np.zeros(0, "u1"), lambda: _joined(places)), keys


def _joined(places: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> CodeTexts:
    """Code texts of two columns in one buffer."""
    (octets, starts, ends), (more, more_starts, more_ends) = places
    shift = len(octets)
    return CodeTexts(
        np.concatenate([octets, more]), starts, ends - starts, more_starts + shift, more_ends - more_starts
    )


def _numbers(batch: pa.RecordBatch, name: str, row: int, faults: np.ndarray) -> np.ndarray:
    """One numeric column as int32, missing where null; what is out of range is a fault."""
    column = batch.schema.names.index(name)
    try:
        values = pc.cast(batch.column(name), pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise RecordFileError(f"column {name}: not whole numbers ({batch.column(name).type})") from error
    missing = int(kernel.MISSING[row])
    plain = values.fill_null(missing).to_numpy(zero_copy_only=False)
    bad = (plain > kernel.HIGHEST[row]) | ((plain < 0) & ~values.is_null().to_numpy(zero_copy_only=False))
    faults[bad & (faults[:, 0] == 0)] = kernel.OUT_OF_RANGE, column
    return np.where(bad, missing, plain).astype("i4")


def _texts(array: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bytes, starts and ends of the texts of a column; null is the empty text."""
    plain = pc.cast(array, pa.large_string()).fill_null("")
    _, offsets, octets = plain.buffers()
    places = np.frombuffer(offsets, "i8")[plain.offset : plain.offset + len(plain) + 1]
    return np.frombuffer(octets, "u1") if octets else np.zeros(0, "u1"), places[:-1], places[1:]


def _codes(array: pa.Array, table: CodeTable) -> tuple[Any, ...]:
    """Offsets and ids of a column of code lists, and where the text of each code stands."""
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        sizes = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
        octets, starts, ends = _texts(array.flatten())
        offsets = np.concatenate(([0], np.cumsum(sizes))).astype("i8")
        return offsets, table.find_all(octets, starts, ends - starts).astype("i4"), (octets, starts, ends)
    octets, starts, ends = _texts(array)
    offsets = np.empty(len(array) + 1, "i8")
    room = int((octets == kernel.BAR).sum()) + len(array)
    codes, places = np.empty(room, "i4"), np.empty((2, room), "i8")
    count = kernel.split_codes(octets, starts, ends, table.arrays, offsets, codes, places)
    return offsets, codes[:count], (octets, places[0, :count], places[1, :count])


def _answer_columns(task: Task, groups: np.ndarray, faults: np.ndarray) -> list[pa.Array]:
    """Status, MDC, ADRG and DRG as texts."""
    texts = task.scheme.texts
    status = np.where(faults != kernel.GOOD, len(GroupStatus), groups["status"])
    words = [STATUS_TEXTS[value] for value in sorted(GroupStatus)] + ["malformed"]
    columns = [(words, status)]
    for codes, name, nothing in zip(
        (texts.mdc_codes, texts.adrg_codes, texts.drg_codes), ("mdc", "adrg", "drg"), NO_GROUP, strict=True
    ):
        number = np.where((groups[name] < 0) | (faults != kernel.GOOD), len(codes), groups[name])
        columns.append(([*codes, nothing], number))
    return [pc.take(pa.array(words), pa.array(number)) for words, number in columns]
