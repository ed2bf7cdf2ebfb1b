"""Step 1, one unit: read, resolve, split and group the claims; what pricing needs goes to the buckets of the persons.

The step depends on the claims alone, so units may be prepared in any order and place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adjudicator.claim.assemble import IDENTITY_NAMES
from adjudicator.claim.batch import Resolved
from adjudicator.claim.care_days import entries_of
from adjudicator.claim.engine import Engine
from adjudicator.columns import CARE_DAYS, CLAIM, GROUP, SPLIT
from adjudicator.errors import E, Problem, refuse
from adjudicator.options import ExtraPosition
from adjudicator.reprice import messages
from adjudicator.reprice.arrange import in_order
from adjudicator.reprice.job import Job, engine_of, read_job
from adjudicator.reprice.kernels import encounter_keys, encounters_here, lines_that_do_not_add_up, principal_codes
from adjudicator.reprice.lines import LineWriter, lines_path, taken
from adjudicator.reprice.packing import (
    Frame,
    Section,
    section_of,
    section_of_bytes,
    section_of_entries,
    write_sections,
)
from adjudicator.reprice.problems import Found, write_problems
from adjudicator.reprice.source import Unit, read_unit
from adjudicator.reprice.store import renamed, write_receipt, write_rows
from adjudicator.reprice.tables import incoming_of, parts_of
from adjudicator.wire.decode import BATCH_DEPTH, MALFORMED

FIXED: dict[str, np.dtype[Any]] = {
    "claims": CLAIM, "splits": SPLIT, "groups": GROUP, "schemes": np.dtype(np.int64), "rows": np.dtype(np.int64),
    "states": np.dtype((np.uint64, 2)), "keys": np.dtype((np.uint64, 2)), "persons": np.dtype((np.uint64, 2)),
    "encounters": np.dtype((np.uint64, 2)), "sequences": np.dtype(np.int64), "special": np.dtype(np.int64),
    "days": CARE_DAYS, "principal": np.dtype((np.uint64, 2)),
}  # fmt: skip
"""Arrays of a bucket, one row a claim."""
RAGGED: dict[str, np.dtype[Any]] = {
    "in_scope": np.dtype(np.int64), "diagnoses": np.dtype(np.int32), "procedures": np.dtype(np.int32),
}  # fmt: skip
"""Arrays with entries for a line or a code, where the rules need them."""
COUNTS = {name: f"{name}_count" for name in RAGGED}
"""Name of such an array -> int64 of a claim, how many entries it has."""
KEPT: dict[str, np.dtype[Any]] = FIXED | dict.fromkeys(COUNTS.values(), np.dtype(np.int64))
"""What is kept of a claim between the steps."""


class Batch(NamedTuple):
    """Resolved claims, the row of the first, and what of them could not be read."""

    resolved: Resolved
    first: int
    unreadable: dict[int, list[Problem]]


def batches_of(engine: Engine, job: Job, unit: Unit) -> Iterator[Batch]:
    """Yield the claims of a unit as the engine resolves them."""
    first = unit.first
    if job.source.layout == "messages":
        for data, starts, ends in messages.read(Path(unit.file), unit.begin, unit.end, job.batch):
            yield Batch(engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH), first, {})
            first += len(starts)
        return
    mapping = job.columns()
    for rows in read_unit(in_order(job, unit), unit, mapping, job.batch):
        incoming, unreadable = incoming_of(rows, mapping)
        if job.source.layout != "amounts":
            yield Batch(engine.resolve(incoming), rows.first, unreadable)
            continue
        parts, wrong = parts_of(rows, mapping)
        for row, found in wrong.items():
            unreadable[row] = [*unreadable.get(row, []), *found]
            incoming.decoded.status[row] = MALFORMED
        yield Batch(engine.resolve(incoming, parts=parts), rows.first, unreadable)


def paths_of(job: Job, unit: int) -> tuple[Path, Path, Path]:
    """Return where a unit puts its claims, its problems and its lines."""
    name = f"{unit:05d}"
    return job.work / f"claims-{name}.bin", job.work / f"problems-{name}.arrow", lines_path(Path(job.folder), unit)


def encounters_path(job: Job, unit: int) -> Path:
    """Return where a unit puts whose encounter each claim is, as ``store.write_rows`` writes it."""
    return job.work / f"encounters-{unit:05d}.bin"


def encounter_rows(resolved: Resolved, chunk: Chunk, first: int) -> np.ndarray:
    """Return int64[6, k] of the claims of a chunk: digest of the encounter (two), person, days, sequence, row.

    The days are those of settlement and admission in one number, which orders as they do.
    """
    rows = chunk.arrays["rows"] - first
    digests = np.empty((len(resolved), 2), np.int64)
    encounters = np.empty((len(resolved), 2), np.uint64)
    incoming, claims = resolved.incoming, resolved.claims
    encounter_keys(incoming.heap, incoming.claims, claims, encounters)
    encounters_here(incoming.heap, incoming.claims, claims, encounters, digests)
    days = claims["settlement_date"][rows].astype(np.int64) * 10**8 + claims["admission_date"][rows]
    return np.stack(
        [digests[rows, 0], digests[rows, 1], chunk.arrays["persons"][:, 1].view(np.int64), days,
         chunk.arrays["sequences"], chunk.arrays["rows"]]
    )  # fmt: skip


def prepare_unit(path: str, number: int) -> dict[str, Any]:
    """Prepare one unit of a job and return its receipt."""
    job = read_job(path)
    engine, unit = engine_of(job), job.source.units[number]
    claims_path, problems_path, path_of_lines = paths_of(job, number)
    found: list[Found] = []
    lines = LineWriter(path_of_lines) if job.with_lines else None
    kept, encounters = _Kept(unit.claims), [np.zeros((6, 0), np.int64)]
    for batch in batches_of(engine, job, unit):
        if job.source.layout != "amounts":
            check_lines(batch.resolved)
        chunk = chunk_of(engine, batch)
        kept.add(chunk)
        encounters.append(encounter_rows(batch.resolved, chunk, batch.first))
        found.extend(problems_of(batch))
        if lines is not None:
            lines.add(batch.resolved, batch.first)
    sections = kept.by_bucket(job.buckets)
    renamed(claims_path, lambda file: write_sections(file, sections))
    renamed(problems_path, lambda file: write_problems(file, found))
    whole, here = np.concatenate(encounters, axis=1), encounters_path(job, number)
    whole = whole[:, np.argsort(whole[0], kind="stable")]
    renamed(here, lambda file: write_rows(file, whole[0], whole[1:]))
    if lines is not None:
        lines.close()
    counted = {"claims": unit.claims, "lines": lines.count if lines is not None else 0}
    between = [claims_path, problems_path, here]
    return write_receipt(claims_path, between, counted, [path_of_lines] if lines is not None else [])


def check_lines(resolved: Resolved) -> None:
    """Refuse to go on where lines differ from their parts. Errors: E.INTERNAL."""
    claims, lines = resolved.claims, resolved.lines
    if lines_that_do_not_add_up(claims, lines, resolved.line_splits, resolved.splits) >= 0:
        raise refuse(E.INTERNAL, detail=IDENTITY_NAMES[1])


# ---------------------------------------------------------------- buckets


class Chunk(NamedTuple):
    """What is kept of the claims of a batch that have no error, in the order of the input."""

    arrays: dict[str, np.ndarray]
    """As ``FIXED``."""
    ragged: dict[str, tuple[np.ndarray, np.ndarray]]
    """Those of ``RAGGED`` that the rules need: int64[n] how many entries each claim has, and all of them."""
    notes: dict[int, dict[str, Any]]
    """Row of the input -> what a special claim brings."""


def chunk_of(engine: Engine, batch: Batch, wanted: np.ndarray | None = None) -> Chunk:
    """Return what is kept of the claims of a batch; of all, or where ``wanted`` bool[n]."""
    resolved = batch.resolved
    wire = resolved.incoming.claims
    rows = resolved.good if wanted is None else resolved.good[wanted[resolved.good]]
    count = len(resolved)
    encounters = np.empty((count, 2), np.uint64)
    encounter_keys(resolved.incoming.heap, wire, resolved.claims, encounters)
    special = special_of(resolved)
    principal = np.empty((count, 16), np.uint8)
    principal_codes(resolved.incoming.heap, wire, resolved.incoming.decoded.tables["diagnoses"], principal)
    whole = {
        "claims": resolved.claims, "splits": resolved.splits, "groups": resolved.groups,
        "schemes": resolved.group_scheme, "states": resolved.state_keys.view(np.uint64).reshape(count, 2),
        "keys": resolved.keys.view(np.uint64).reshape(count, 2),
        "persons": resolved.persons.view(np.uint64).reshape(count, 2), "encounters": encounters,
        "sequences": wire["settlement_sequence"].astype(np.int64), "special": special.astype(np.int64),
        "days": entries_of(resolved.incoming, np.arange(count), resolved.claims),
        "principal": principal.view(np.uint64),
    }  # fmt: skip
    # Indexing copies a record field by field, ``take`` as it stands: 500 and 11 ns for the record of a claim.
    arrays = {name: array.take(rows, axis=0) for name, array in whole.items()}
    arrays["rows"] = rows + batch.first
    arrays["claims"]["line_start"] = arrays["claims"]["line_end"] = 0  # places in a batch that is gone
    noted = rows[special[rows]].tolist()
    notes = {row + batch.first: note_of(resolved, row, batch.first) for row in noted}
    return Chunk(arrays, _ragged(engine, resolved, rows), notes)


class _Kept:
    """What is kept of the claims of a unit, until all are there and go to the buckets of their persons."""

    def __init__(self, most: int) -> None:
        self._frame = Frame(KEPT, most)
        self._frame.count = 0
        self._entries: dict[str, list[np.ndarray]] = {}
        self._notes: dict[int, dict[str, Any]] = {}

    def add(self, chunk: Chunk) -> None:
        """Append the claims of a batch."""
        counts = {COUNTS[name]: ragged[0] for name, ragged in chunk.ragged.items()}
        none = np.zeros(len(chunk.arrays["rows"]), np.int64)
        self._frame.append({name: chunk.arrays.get(name, counts.get(name, none)) for name in KEPT})
        for name, (_, entries) in chunk.ragged.items():
            self._entries.setdefault(name, []).append(entries)
        self._notes |= chunk.notes

    def by_bucket(self, buckets: int) -> list[Section]:
        """Return the sections of the file: claims, entries of each array of ``RAGGED``, notes."""
        count = self._frame.count
        arrays = {name: array[:count] for name, array in self._frame.arrays.items()}
        bucket = (arrays["persons"][:, 1] % np.uint64(buckets)).astype(np.int64)
        order = np.argsort(bucket, kind="stable")
        starts = np.searchsorted(bucket[order], np.arange(buckets + 1)).astype(np.int64)
        sections = [section_of(self._frame, order, starts)]
        for name, kind in RAGGED.items():
            if name in self._entries:
                entries = np.concatenate(self._entries[name]).astype(kind, copy=False)
                ends = np.cumsum(arrays[COUNTS[name]])
                own = taken(entries, (ends - arrays[COUNTS[name]])[order], ends[order])
                sums = np.concatenate(([0], np.cumsum(own[0])))
                sections.append(section_of_entries(own[1], sums[starts]))
            else:
                sections.append(section_of_bytes([b""] * buckets))
        notes: list[list[dict[str, Any]]] = [[] for _ in range(buckets)]
        if self._notes:
            places = np.searchsorted(arrays["rows"], np.array(list(self._notes)))
            for number, note in zip(bucket[places].tolist(), self._notes.values(), strict=True):
                notes[number].append(note)
        return [*sections, section_of_bytes([json.dumps(own).encode() if own else b"" for own in notes])]


def _ragged(engine: Engine, resolved: Resolved, rows: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return what the rules need of lines and codes."""
    found = {}
    by_lines = bool((engine.bundle.plans.rows["extra_position"] == int(ExtraPosition.LINES)).any())
    if by_lines:
        claims = resolved.claims
        found["in_scope"] = taken(
            resolved.line_splits["in_scope_fen"], claims["line_start"][rows], claims["line_end"][rows]
        )
    if engine.bundle.payment.needs_codes and resolved.codes is not None:
        codes = resolved.codes
        for name, ends, ids in (
            ("diagnoses", codes.diagnosis_offsets, codes.diagnoses),
            ("procedures", codes.procedure_offsets, codes.procedures),
        ):
            found[name] = taken(ids, ends[rows], ends[rows + 1])
    return found


def special_of(resolved: Resolved) -> np.ndarray:
    """Return bool[n]: claims that look at other claims of the person, or bring more than columns can say."""
    wire = resolved.incoming.claims
    special: np.ndarray = (wire["accumulators"] >= 0) | (wire["referral_from_encounter_size"] > 0)
    special |= (wire["mid_stay"] != 0) | (wire["settlement_sequence"] > 1)
    special |= wire["other_assistance_categories_end"] > wire["other_assistance_categories_start"]
    return special


def note_of(resolved: Resolved, row: int, first: int) -> dict[str, Any]:
    """Return what is needed of a special claim: a few texts, and the year that it brings."""
    incoming = resolved.incoming
    wire, tables = incoming.claims[row], incoming.decoded.tables
    names = ("institution_code", "encounter_id", "assistance_category", "referral_from_encounter")
    note: dict[str, Any] = {name: incoming.text(row, name) for name in names}
    begin, end = int(wire["other_assistance_categories_start"]), int(wire["other_assistance_categories_end"])
    note |= {"row": first + row, "others": incoming.texts("other_assistance_categories", begin, end), "lines": []}
    if wire["mid_stay"] or wire["settlement_sequence"] > 1:  # a part of a stay: no line is settled in two
        own = incoming.lines[int(wire["lines_start"]) : int(wire["lines_end"])]
        note["lines"] = [_text(incoming.heap, line, "line_id") for line in own]
    if wire["accumulators"] >= 0:
        given = tables["accumulators"][int(wire["accumulators"])]
        entries = tables["accumulators.entries"][int(given["entries_start"]) : int(given["entries_end"])]
        note["year"] = int(given["year"])
        note["entries"] = [
            [_text(incoming.heap, entry, "name"), int(entry["value"]), _text(incoming.heap, entry, "disease_code"),
             int(entry["period"])]
            for entry in entries
        ]  # fmt: skip
    return note


def _text(heap: np.ndarray, entry: np.void, name: str) -> str:
    start = int(entry[f"{name}_start"])
    return bytes(heap[start : start + int(entry[f"{name}_size"])]).decode()


# ---------------------------------------------------------------- problems


def problems_of(batch: Batch) -> list[Found]:
    """Return what is wrong or doubtful with the claims of a batch, in the order of the input."""
    resolved = batch.resolved
    wrong = np.flatnonzero(resolved.claims["error"] != 0).tolist()
    found: dict[int, list[Problem]] = {}
    for row in wrong:
        own = batch.unreadable.get(row)
        found[row] = own if own is not None else resolved.problems(row)
    for row, warnings in resolved.warnings.items():
        if row not in found:
            found[row] = list(warnings)
    return [Found(batch.first + row, problem) for row in sorted(found) for problem in found[row]]
