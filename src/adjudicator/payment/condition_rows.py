"""Compiles conditions as read to rows of CONDITION, with sets that equal rows share."""

from __future__ import annotations

import numpy as np

from adjudicator.payment.conditions import MASKS, SETS, Codes, Condition, PackView

ALL_BITS = (1 << 64) - 1


class SetPool:
    """Byte sets shared by all rows; equal sets are stored once."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, ...], int] = {}
        self.starts: list[int] = [0]
        self._parts: list[np.ndarray] = []

    def add(self, members: frozenset[int] | None, size: int) -> int:
        """Return the row of a set of ids from -1 to ``size`` - 1, or -1 where everything is accepted."""
        if members is None:
            return -1
        key = (size, *sorted(members))
        if key not in self.rows:
            part = np.zeros(size + 1, np.uint8)
            part[[member + 1 for member in members]] = 1
            self.rows[key] = len(self.starts) - 1
            self._parts.append(part)
            self.starts.append(self.starts[-1] + size + 1)
        return self.rows[key]

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return starts (one more than there are sets) and members."""
        members = np.concatenate(self._parts) if self._parts else np.zeros(1, np.uint8)
        return np.array(self.starts, np.int64), members


def _mask(members: frozenset[int] | None) -> int:
    return ALL_BITS if members is None else sum(1 << n for n in members)


def compile_condition(
    row: Condition, out: np.ndarray, pool: SetPool, pack: PackView, codes: Codes | None, table: int
) -> None:
    """Write one row of :data:`CONDITION`."""
    for name in MASKS:
        column = {"status": "statuses"}.get(name, f"{name}s")
        out[column] = _mask(row.accepts[name])
    sizes = {
        "hospital": len(pack.hospitals),
        "department": max(pack.departments.values(), default=-1) + 1,
        "disease": len(pack.diseases),
        "drg": len(codes.drgs) if codes else 0,
        "diagnosis": len(codes.diagnoses) if codes else 0,
        "procedure": len(codes.procedures) if codes else 0,
    }
    for name in SETS:
        column = "diagnoses" if name == "diagnosis" else f"{name}s"
        out[column] = pool.add(row.accepts[name], sizes[name])
    out["contract"] = row.contract
    out["stay_from_days"], out["stay_to_days"] = row.stay_days
    out["age_from_years"], out["age_to_years"] = row.age_years
    out["method"], out["table"], out["rate_ppm"] = int(row.method), table, row.rate_ppm
    out["priority"], out["unverified"] = row.priority, int(not row.source.verified)
