"""Encounters that two persons use: whoever settled one first has it, and the claims of the others are refused.

The persons of an encounter may be in different buckets, so this is looked for between the steps: ``prepare`` writes a
row a claim, each task here compares the encounters of one range of digests, and ``price`` refuses what was found, with
the codes of the service. Claims that cannot be read or resolved have no encounter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from adjudicator.errors import E, Problem
from adjudicator.reprice.bucket import Bucket
from adjudicator.reprice.job import Job, read_job
from adjudicator.reprice.prepare import encounters_path
from adjudicator.reprice.steps import Step
from adjudicator.reprice.store import read_range, read_rows, renamed, write_receipt, write_rows

AT_ONCE = 1 << 20
"""Claims that one task compares; it takes some 200 bytes for each."""
_DIGEST, _PERSON, _DAYS, _SEQUENCE, _ROW = range(5)
"""Columns of ``prepare.encounter_rows``, after the first half of the digest."""
_ALL = 1 << 62
"""The first half of a digest has 62 bits."""


class Foreign(NamedTuple):
    """Claims of an encounter that is another person's."""

    rows: np.ndarray
    """int64[k] of the input, ascending."""
    codes: np.ndarray
    """int64[k]: KEY_REUSED where the owner has the same number of settlement, else ENCOUNTER_OF_ANOTHER_PERSON."""


NONE_FOREIGN = Foreign(np.zeros(0, np.int64), np.zeros(0, np.int64))


def parts_of(job: Job) -> int:
    """Return in how many parts the encounters are compared."""
    return max(1, -(-job.source.claims // AT_ONCE))


def foreign_path(job: Job, part: int) -> Path:
    """Return the file of what a part found."""
    return job.work / f"foreign-{part:05d}.bin"


def step_of(job: Job) -> Step:
    """Return the step between ``prepare`` and ``price``."""
    return Step("check", check_encounters, range(parts_of(job)), foreign_path)


def check_encounters(path: str, part: int) -> dict[str, Any]:
    """Find the claims of one range of encounters that are another person's; return the receipt."""
    job = read_job(path)
    parts = parts_of(job)
    low, high = part * _ALL // parts, (part + 1) * _ALL // parts
    found = [read_range(encounters_path(job, unit.number), low, high) for unit in job.source.units]
    firsts, columns = np.concatenate([rows for rows, _ in found]), np.concatenate([table for _, table in found], axis=1)
    foreign = foreign_of(firsts, columns)
    out = foreign_path(job, part)
    renamed(out, lambda file: write_rows(file, foreign.rows, foreign.codes.reshape(1, -1)))
    return write_receipt(out, [out], {"claims": len(firsts)})


def foreign_of(firsts: np.ndarray, columns: np.ndarray) -> Foreign:
    """Return the claims whose encounter an earlier claim of another person has.

    ``firsts`` int64[n] and ``columns`` int64[5, n] as ``prepare.encounter_rows`` gives them. Earlier is: by day of
    settlement, day of admission, number of the settlement, row.
    """
    firsts, columns = _shared(firsts, columns)
    order = np.lexsort((*columns[[_ROW, _SEQUENCE, _DAYS, _DIGEST]], firsts))
    firsts, columns = firsts[order], columns[:, order]
    begins = np.ones(len(firsts), np.bool_)
    begins[1:] = (np.diff(firsts) != 0) | (np.diff(columns[_DIGEST]) != 0)
    places = np.flatnonzero(begins)
    own = places[np.cumsum(begins) - 1] if len(places) else places
    foreign = np.flatnonzero(columns[_PERSON] != columns[_PERSON, own])
    codes = np.full(len(foreign), int(E.ENCOUNTER_OF_ANOTHER_PERSON), np.int64)
    for number, place in enumerate(foreign.tolist()):  # few claims are one
        last = int(np.searchsorted(places, place, "right"))
        group = slice(int(own[place]), int(places[last]) if last < len(places) else len(firsts))
        owners = columns[_PERSON, group] == columns[_PERSON, own[place]]
        if (columns[_SEQUENCE, group][owners] == columns[_SEQUENCE, place]).any():
            codes[number] = int(E.KEY_REUSED)
    rows = columns[_ROW, foreign]
    by_row = np.argsort(rows)
    return Foreign(rows[by_row], codes[by_row])


def _shared(firsts: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the claims whose encounter seems to have several, in the order of rows; most have one."""
    order = np.argsort(firsts)
    again = np.flatnonzero(np.diff(firsts[order]) == 0)
    rows = np.sort(order[np.union1d(again, again + 1)])
    return firsts[rows], columns[:, rows]


def foreign_of_job(job: Job) -> Foreign:
    """Return what all parts found."""
    found = [read_rows(foreign_path(job, part), 0, job.source.claims) for part in range(parts_of(job))]
    rows, codes = np.concatenate([rows for rows, _ in found]), np.concatenate([table[0] for _, table in found])
    order = np.argsort(rows)
    return Foreign(rows[order], codes[order])


def foreign_in(rejected: Path) -> Foreign:
    """Return what a finished run refused so, from its file of rejected claims."""
    table = pq.read_table(rejected, columns=["row", "code", "field"])
    names = {f"ADJ-{number}": int(number) for number in (E.KEY_REUSED, E.ENCOUNTER_OF_ANOTHER_PERSON)}
    found = {row["row"]: names[row["code"]] for row in table.to_pylist()
             if row["field"] == "person_id" and row["code"] in names}  # fmt: skip
    rows = sorted(found)
    return Foreign(np.array(rows, np.int64), np.array([found[row] for row in rows], np.int64))


def refuse_foreign(bucket: Bucket, foreign: Foreign, found: dict[int, list[Problem]]) -> None:
    """Refuse the claims of a bucket that are of another person's encounter."""
    if not len(foreign.rows):
        return
    rows, claims = bucket.arrays["rows"], bucket.arrays["claims"]
    places = np.searchsorted(foreign.rows, rows)
    here = np.flatnonzero(foreign.rows[np.minimum(places, len(foreign.rows) - 1)] == rows)
    for place in here.tolist():
        number = int(foreign.codes[places[place]])
        claims["error"][place] = number
        detail = "person_id" if number == E.KEY_REUSED else ""
        found[int(rows[place])] = [Problem(number, "person_id", detail)]
