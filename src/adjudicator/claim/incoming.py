"""The claims of one call as they came, decoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adjudicator.limits import LAST_DATE
from adjudicator.wire.decode import Decoded

ID_BYTES = 32
"""Room for the settlement id of each claim, behind the request bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Incoming:
    """The claims of one call as they came, decoded; ``claims`` has one row a claim."""

    heap: np.ndarray
    """uint8: the request bytes, then ``ID_BYTES`` for each claim, which the answers use."""
    size: int
    """Bytes of the request."""
    starts: np.ndarray
    """int64[n]: where the message of each claim begins, and in ``ends`` where it ends."""
    ends: np.ndarray
    decoded: Decoded
    claims: np.ndarray
    """Wire table of the claims."""
    lines: np.ndarray
    """Wire table of the fee lines of all claims."""
    latest: int = LAST_DATE
    """YYYYMMDD: no claim may be settled after this day."""

    def message(self, row: int) -> bytes:
        """Return the message of one claim."""
        return bytes(self.heap[int(self.starts[row]) : int(self.ends[row])])

    def text(self, row: int, name: str) -> str:
        """Return a string field of one claim, for messages and the rare paths."""
        wire = self.claims[row]
        start = int(wire[f"{name}_start"])
        return bytes(self.heap[start : start + int(wire[f"{name}_size"])]).decode()

    def texts(self, path: str, start: int, end: int) -> list[str]:
        """Return some rows of a repeated string field."""
        rows = self.decoded.tables[path][start:end]
        return [bytes(self.heap[int(row["start"]) : int(row["start"] + row["size"])]).decode() for row in rows]
