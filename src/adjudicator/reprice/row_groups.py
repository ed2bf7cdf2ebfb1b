"""Writes a long Parquet table: the same bytes however many rows come at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.reprice.store import draft_of


class RowGroupWriter:
    """A Parquet file in row groups of so many rows, which is there whole or not at all.

    ``made`` makes a row group what it is written as; ``options`` go to ``pyarrow.parquet.ParquetWriter``.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, rows: int, made: Callable[[pa.Table], pa.Table], **options: Any
    ) -> None:
        self._path, self._draft, self._at_once, self._made = path, draft_of(path), rows, made
        self._writer = pq.ParquetWriter(self._draft, schema, compression="zstd", **options)
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        """Append rows."""
        self._waiting.append(table)
        self._rows += len(table)
        while self._rows >= self._at_once:
            self._flush(self._at_once)

    def _flush(self, rows: int) -> None:
        table = pa.concat_tables(self._waiting)
        self._writer.write_table(self._made(table.slice(0, rows)), row_group_size=rows)
        self._waiting, self._rows = [table.slice(rows)], self._rows - rows

    def close(self) -> None:
        """Write the rest; the file is whole then."""
        if self._rows:
            self._flush(self._rows)
        self._writer.close()
        self._draft.replace(self._path)
