"""Made cases of a small pool: two hospitals, two counties, two schemes."""

from __future__ import annotations

import numpy as np

from adjudicator.codes import Method
from adjudicator.pooling.cases import CASE, Cases

HOSPITALS, COUNTIES, SCHEMES, GROUPS = ["H1", "H2"], ["990001", "990002"], ["310", "390"], ["FR21", "GB25"]


def case(name: str, **given):
    """One case as a dictionary; what is not given has a plain value."""
    row = {
        "case": name, "hospital": 0, "county": 0, "scheme": 0, "group": 0, "method": int(Method.DRG_POINTS),
        "month": 202503, "admission_date": 20250301, "discharge_date": 20250310, "person": hash(name) % 2**32,
        "sign": 1, "points_e8": 100 * 10**8, "total_fen": 1_000_000, "patient_fen": 300_000,
        "fund_fen": 700_000, "due_fen": 650_000,
    }  # fmt: skip
    return row | given


def cases(*rows: dict) -> Cases:
    """Cases of some rows."""
    columns = np.zeros(len(rows), CASE)
    for place, row in enumerate(rows):
        for name, value in row.items():
            if name != "case":
                columns[place][name] = value
    ids = np.array([row["case"] for row in rows], dtype=object)
    return Cases(columns, ids, HOSPITALS, COUNTIES, SCHEMES, GROUPS)


def random_cases(count: int, seed: int, month: int = 202503) -> Cases:
    """Cases in no particular order, amounts with odd fen."""
    generator = np.random.default_rng(seed)
    rows = np.zeros(count, CASE)
    for name, size in (("hospital", 2), ("county", 2), ("scheme", 2), ("group", 2)):
        rows[name] = generator.integers(0, size, count)
    rows["method"], rows["month"], rows["sign"] = int(Method.DRG_POINTS), month, 1
    day = generator.integers(1, 28, count)
    rows["admission_date"] = rows["discharge_date"] = month * 100 + day
    rows["person"] = generator.integers(0, max(1, count // 3), count)
    rows["points_e8"] = generator.integers(0, 400 * 10**4, count) * 10**4
    rows["total_fen"] = generator.integers(100, 5_000_000, count)
    rows["patient_fen"] = rows["total_fen"] * 3 // 10
    rows["others_fen"] = rows["total_fen"] // 50
    rows["fund_fen"] = rows["total_fen"] - rows["patient_fen"] - rows["others_fen"]
    ids = np.array([f"c{seed}-{number}" for number in range(count)], dtype=object)
    return Cases(rows, ids, HOSPITALS, COUNTIES, SCHEMES, GROUPS)
