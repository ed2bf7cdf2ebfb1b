"""The results of fee lines, with ``--lines``: one file a unit, in the order of the input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from adjudicator.claim.batch import Resolved
from adjudicator.reprice.row_groups import RowGroupWriter

AMOUNTS = ("wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen")
"""The four parts of a line, which add up to its amount."""
NUMBERS: dict[str, pa.DataType] = {
    "amount_fen": pa.int64(), **dict.fromkeys(AMOUNTS, pa.int64()), "price_ceiling_e4": pa.int64(),
    "first_pay_ppm": pa.int32(), "item_class": pa.int8(), "note": pa.int16(),
}  # fmt: skip
TEXTS = ("line_id", "item_code")
SCHEMA = pa.schema(
    [("claim", pa.int64()), ("line", pa.int32()), *((name, pa.string()) for name in TEXTS), *NUMBERS.items()]
)
"""Columns of a file. ``claim`` is the row of the claim in the input, ``line`` the place in the claim, from 0."""
_ROWS = 1 << 18
"""Lines of a row group."""


def lines_path(folder: Path, unit: int) -> Path:
    """Return the file of the lines of a unit."""
    return folder / "lines" / f"part-{unit:05d}.parquet"


def taken(flat: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many entries each range has, and all of them one after the other."""
    counts = (ends - begins).astype(np.int64)
    own = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=own[1:])
    return counts, flat[np.repeat(begins - own[:-1], counts) + np.arange(own[-1])]


class LineWriter:
    """Writes the results of fee lines; row groups do not depend on how the claims are batched."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        small = [name for name, kind in NUMBERS.items() if kind.bit_width < pa.int32().bit_width]
        packed = dict.fromkeys((name for name in SCHEMA.names if name not in TEXTS), "DELTA_BINARY_PACKED")
        self._writer = RowGroupWriter(
            path, SCHEMA, _ROWS, pa.Table.combine_chunks, use_dictionary=list(TEXTS),
            column_encoding=packed | dict.fromkeys(small, "PLAIN"),
        )  # fmt: skip
        self.count = 0

    def add(self, resolved: Resolved, first: int) -> None:
        """Append the lines of the claims without error; ``first`` is the row of the first claim in the input."""
        claims, splits, chosen = resolved.claims, resolved.line_splits, resolved.good
        counts, lines = taken(np.arange(len(resolved.lines)), claims["line_start"][chosen], claims["line_end"][chosen])
        own = np.arange(len(lines)) - np.repeat(np.cumsum(counts) - counts, counts)
        columns: dict[str, Any] = {"claim": np.repeat(chosen + first, counts), "line": own.astype(np.int32)}
        columns |= {name: _texts(resolved, name, lines) for name in TEXTS}
        columns["amount_fen"] = resolved.lines["amount_fen"][lines]
        for name, kind in NUMBERS.items():
            if name != "amount_fen":
                columns[name] = splits[name][lines].astype(kind.to_pandas_dtype())
        self._writer.write(pa.table(columns, SCHEMA))
        self.count += len(lines)

    def close(self) -> None:
        """Write the rest; the file is whole then."""
        self._writer.close()


def _texts(resolved: Resolved, name: str, lines: np.ndarray) -> pa.Array:
    """Return a text of some lines as their claims brought it."""
    incoming = resolved.incoming
    starts = incoming.lines[f"{name}_start"][lines].astype(np.int64)
    counts, octets = taken(incoming.heap, starts, starts + incoming.lines[f"{name}_size"][lines])
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return pa.Array.from_buffers(pa.string(), len(counts), [None, pa.py_buffer(offsets), pa.py_buffer(octets)])
