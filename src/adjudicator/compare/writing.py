"""Writes long tables of a comparison: the same bytes however many rows come at a time."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.reprice.store import draft_of

ROWS = 65_536
"""Rows of a row group."""


class TableWriter:
    """A Parquet file that is there whole or not at all."""

    def __init__(self, path: Path, kinds: pa.Schema) -> None:
        self._path, self._draft, self._kinds = path, draft_of(path), kinds
        self._writer = pq.ParquetWriter(self._draft, kinds, compression="zstd")
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        """Append rows."""
        self._waiting.append(table)
        self._rows += len(table)
        while self._rows >= ROWS:
            self._flush(ROWS)

    def _flush(self, rows: int) -> None:
        table = pa.concat_tables(self._waiting)
        self._writer.write_table(_own_dictionaries(table.slice(0, rows), self._kinds), row_group_size=rows)
        self._waiting, self._rows = [table.slice(rows)], self._rows - rows

    def close(self) -> None:
        """Write the rest; the file is whole then."""
        if self._rows:
            self._flush(self._rows)
        self._writer.close()
        self._draft.replace(self._path)


def _own_dictionaries(table: pa.Table, kinds: pa.Schema) -> pa.Table:
    """Return rows in one piece, with dictionaries of their own texts alone, in the order in which these come."""
    columns = []
    for kind, column in zip(kinds, table.combine_chunks().columns, strict=True):
        is_text = pa.types.is_dictionary(kind.type)
        columns.append(column.cast(kind.type.value_type).dictionary_encode() if is_text else column)
    return pa.table(columns, kinds)
