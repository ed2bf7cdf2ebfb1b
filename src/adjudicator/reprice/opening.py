"""Opening accumulators: what persons' years hold before the first claim of the input, from a Parquet table.

One row an amount, as query 5206 of the platform answers: ``person_id``, ``insured_area``, ``scheme``, ``year``,
``name`` (docs/glossary.md), ``value``; for a disease quota also ``disease_code`` and ``period``, with the name
``quota_fen``.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.claim.engine import Engine
from adjudicator.claim.keys import state_key
from adjudicator.claim.state import quota_key
from adjudicator.claim.years import QUOTA_NAME
from adjudicator.codes import SCHEME_CODES
from adjudicator.columns import ACCUMULATOR_COUNT, SLOT
from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.limits import MAX_AMOUNT_FEN
from adjudicator.reprice.bucket import Bucket, Opening

REQUIRED = {
    "person_id": "text", "insured_area": "text", "scheme": "text", "year": "number", "name": "text", "value": "number",
}  # fmt: skip
QUOTA_COLUMNS = {"disease_code": "text", "period": "number"}
MOST_NAMED = 20
"""Faults that are told at once."""


def check_opening(path: Path, engine: Engine) -> None:
    """Refuse a table with a fault. Errors: E.INPUT_COLUMN, E.INPUT_TYPE, E.INVALID_ACCUMULATOR and its like."""
    _years(str(path), path.stat().st_mtime_ns, engine)


def read_opening(path: Path, engine: Engine, bucket: Bucket) -> Opening:
    """Return the years of the persons of a bucket before their first claim."""
    known = _years(str(path), path.stat().st_mtime_ns, engine)
    slots, quotas = np.zeros((bucket.year_count, ACCUMULATOR_COUNT), np.int64), {}
    _, firsts = np.unique(bucket.years, return_index=True)
    packs = bucket.arrays["claims"]["pack"][firsts].tolist()
    states = np.ascontiguousarray(bucket.arrays["states"][firsts]).view("V16").reshape(-1).tolist()
    for number, named in enumerate(zip(packs, states, strict=True)):
        for slot, key, value in known.get(named, ()):
            if slot >= 0:
                slots[number, slot] = value
            else:
                quotas[number, key] = value
    return Opening(slots, quotas)


@lru_cache(maxsize=1)
def _years(name: str, changed: int, engine: Engine) -> dict[tuple[int, bytes], list[tuple[int, int, int]]]:
    """Return (pack, state key) -> (slot or -1, quota key, value) of every row of a table."""
    path = Path(name)
    table = _read(path)
    problems: list[Problem] = []
    found: dict[tuple[int, bytes], list[tuple[int, int, int]]] = {}
    areas = {f"{area.code:06d}": place for place, pack in enumerate(engine.bundle.packs) for area in pack.areas}
    seen: set[tuple[Any, ...]] = set()
    for number, row in enumerate(table.to_pylist()):
        entry, fault = _entry(row, areas)
        if entry is None:
            problems.append(Problem(*fault, detail=f"row {number}"))
        else:
            year, (slot, key, value) = entry
            if (year, slot, key) in seen:
                problems.append(Problem(int(E.INVALID_ACCUMULATOR), "name", f"row {number}"))
            seen.add((year, slot, key))
            found.setdefault(year, []).append((slot, key, value))
        if len(problems) >= MOST_NAMED:
            break
    if problems:
        raise AdjudicatorError(*problems)
    return found


def _read(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise refuse(E.INPUT_UNREADABLE, path.name, f"{path.name}: {error}") from error
    for name, kind in (REQUIRED | QUOTA_COLUMNS).items():
        if name not in table.schema.names:
            if name in REQUIRED:
                raise refuse(E.INPUT_COLUMN, name, name)
            continue
        of = table.schema.field(name).type
        of = of.value_type if pa.types.is_dictionary(of) else of
        fits = pa.types.is_string(of) or pa.types.is_large_string(of) if kind == "text" else pa.types.is_integer(of)
        if not fits and not pa.types.is_null(of):
            raise refuse(E.INPUT_TYPE, name, f"{name} is {of}")
    return table


_Entry = tuple[tuple[int, bytes], tuple[int, int, int]]


def _entry(row: dict[str, Any], areas: dict[str, int]) -> tuple[_Entry | None, tuple[int, str]]:
    """Return the year and the amount of a row, or what is wrong with it."""
    scheme = SCHEME_CODES.get(row["scheme"] or "", 0)
    name, value, disease = row["name"] or "", row["value"], row.get("disease_code") or ""
    fault = (0, "")
    if row["insured_area"] not in areas:
        fault = (int(E.UNKNOWN_AREA), "insured_area")
    elif not scheme:
        fault = (int(E.UNKNOWN_SCHEME), "scheme")
    elif not row["person_id"] or not row["year"]:
        fault = (int(E.MISSING_PERSON), "person_id")
    elif value is None or not 0 <= value <= MAX_AMOUNT_FEN or (name != QUOTA_NAME if disease else name not in SLOT):
        fault = (int(E.INVALID_ACCUMULATOR), "name")
    if fault[0]:
        return None, fault
    year = areas[row["insured_area"]], state_key(row["person_id"], int(scheme), int(row["year"]))
    if disease:
        return (year, (-1, quota_key(disease, int(row.get("period") or 0)), int(value))), fault
    return (year, (SLOT[name], 0, int(value))), fault
