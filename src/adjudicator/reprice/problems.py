"""What was wrong or doubtful with claims, as tables: rejected claims and warnings, each with code, field and row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

from adjudicator.errors import Problem


class Found(NamedTuple):
    """One problem of the claim in a row of the input."""

    row: int
    problem: Problem


SCHEMA = pa.schema(
    [
        ("row", pa.int64()), ("code", pa.string()), ("field", pa.string()), ("message", pa.string()),
        ("message_zh", pa.string()), ("warning", pa.bool_()),
    ]
)  # fmt: skip
"""Problems between the steps."""


def write_problems(file: BinaryIO, found: Sequence[Found]) -> None:
    """Write problems as Arrow IPC."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for row, problem in found:
        values = (row, problem.row.code, problem.field, problem.message, problem.message_zh, problem.warning)
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    table = pa.table(columns, SCHEMA)
    with pa.ipc.new_file(file, SCHEMA) as writer:
        writer.write_table(table)


def read_problems(path: Path) -> pa.Table:
    """Return the problems of a file."""
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()


def in_order(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the problems of all steps by claim: what refused it first, then warnings in the order of the steps."""
    table = pa.concat_tables(tables, promote_options="none") if tables else SCHEMA.empty_table()
    rows, warning = (table.column(name).to_numpy() for name in ("row", "warning"))
    return table.take(pa.array(np.lexsort((warning, rows))))
