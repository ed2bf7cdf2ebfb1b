"""How long tables of a comparison are written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from adjudicator.reprice.row_groups import RowGroupWriter

ROWS = 65_536
"""Rows of a row group."""


def table_writer(path: Path, kinds: pa.Schema) -> RowGroupWriter:
    """Return a writer of a table of a comparison."""
    return RowGroupWriter(path, kinds, ROWS, lambda table: _own_dictionaries(table, kinds))


def _own_dictionaries(table: pa.Table, kinds: pa.Schema) -> pa.Table:
    """Return rows in one piece, with dictionaries of their own texts alone, in the order in which these come."""
    columns = []
    for kind, column in zip(kinds, table.combine_chunks().columns, strict=True):
        is_text = pa.types.is_dictionary(kind.type)
        columns.append(column.cast(kind.type.value_type).dictionary_encode() if is_text else column)
    return pa.table(columns, kinds)
