"""The manifest of a run: hashes of what went in and of what came out, the rules and the options; and its proof.

``verify`` compares all of it with the files and the rules of today, and prices some claims again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator import __version__
from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.reprice import price, results
from adjudicator.reprice.arrange import steps_of
from adjudicator.reprice.bucket import Bucket, offsets_of, ordered
from adjudicator.reprice.job import Job, engine_for, write_job
from adjudicator.reprice.mapping import own_names, read_mapping
from adjudicator.reprice.owners import foreign_in
from adjudicator.reprice.prepare import FIXED, batches_of, chunk_of
from adjudicator.reprice.run import inputs_of
from adjudicator.reprice.source import open_source
from adjudicator.reprice.store import file_hash, read_hashes, renamed

MANIFEST = "manifest.json"
FORMAT = 1


def write_manifest(job: Job, summary: dict[str, Any]) -> Path:
    """Write the manifest of a finished run and return where it is."""
    folder = Path(job.folder)
    made = sorted(path for path in folder.rglob("*.parquet") if job.work not in path.parents)
    known = read_hashes(job.work)
    content = {
        "format": FORMAT, "version": __version__, "packs": job.packs, "rules_hash": job.rules_hash,
        "layout": job.source.layout, "mapping": job.mapping, "opening": job.opening, "with_lines": job.with_lines,
        "arranged": bool(job.source.loose),
        "summary": summary,
        "inputs": {name: known.get(name) or file_hash(Path(name)) for name in inputs_of(job)},
        "outputs": {str(path.relative_to(folder)): known.get(str(path)) or file_hash(path) for path in made},
    }  # fmt: skip
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    path = folder / MANIFEST
    renamed(path, lambda file: file.write(text.encode()))
    return path


def verify(path: Path, sample: int = 0) -> dict[str, Any]:
    """Compare files and rules with a manifest and price ``sample`` claims again; return the manifest.

    Errors: E.OUTPUT_CHANGED with everything that differs; E.INPUT_UNREADABLE where the manifest is none.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        files = {Path(name): known for name, known in content["inputs"].items()}
        files |= {path.parent / name: known for name, known in content["outputs"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise refuse(E.INPUT_UNREADABLE, path.name, f"{path.name} is no manifest of a run") from error
    changed = [str(file) for file, known in files.items() if not file.is_file() or file_hash(file) != known]
    known = {str(file.relative_to(path.parent)) for file in path.parent.rglob("*.parquet")}
    changed += [f"{name} is not in the manifest" for name in sorted(known - content["outputs"].keys())]
    job = _job(path, content) if not changed else None
    if job is not None and engine_for(tuple(job.packs)).bundle.hash != content["rules_hash"]:
        changed.append(f"rules of {', '.join(content['packs'])}")
    if changed:
        raise AdjudicatorError(*(Problem(int(E.OUTPUT_CHANGED), path.name, name) for name in changed))
    if job is not None and sample:
        try:
            _arrange(job)
            _price_again(job, sample)
        finally:
            shutil.rmtree(job.work, ignore_errors=True)
    return content


def _arrange(job: Job) -> None:
    """Sort the lines to their claims where the run did."""
    steps = steps_of(job)
    if steps:
        write_job(job)
    for step in steps:
        for number in step.numbers:
            step.function(str(job.path), number)


def _job(path: Path, content: dict[str, Any]) -> Job:
    """Return the job of a manifest, in one bucket."""
    mapping = read_mapping(content["mapping"]) if content["mapping"] else own_names()
    files = [Path(name) for name in content["inputs"] if name not in (content["mapping"], content["opening"])]
    source = open_source(_common(files), mapping, content.get("arranged", False))
    return Job(
        str(path.parent), content["packs"], content["rules_hash"], source, content["mapping"], content["opening"],
        with_lines=False, buckets=1, batch=1 << 15,
    )  # fmt: skip


def _common(files: list[Path]) -> Path:
    """Return the folder that some files are in, or the one file."""
    if len(files) == 1 and files[0].parent.name not in ("claims", "lines"):
        return files[0]
    folder = files[0].parent
    while any(folder not in path.parents for path in files) or folder.name in ("claims", "lines"):
        folder = folder.parent
    return folder


# ---------------------------------------------------------------- pricing again


def _price_again(job: Job, sample: int) -> None:
    """Price the years of some persons again and compare every column of ``sample`` claims with the results."""
    engine = engine_for(tuple(job.packs))
    count = job.source.claims
    rows = np.unique(np.linspace(0, count - 1, min(sample, count)).astype(np.int64))
    persons = np.concatenate(
        [_persons_of(engine, job, unit.number, rows) for unit in job.source.units] or [np.zeros(0, "V16")]
    )
    bucket = _bucket(engine, job, np.unique(persons))
    foreign = foreign_in(Path(job.folder) / "rejected.parquet")
    priced, table, _ = price.price(engine, bucket, price.opening_of(job, engine, bucket), foreign)
    order = np.argsort(priced)
    priced, table = priced[order], table[order]
    names = results.names_of(engine.bundle)
    different: list[str] = []
    for unit in job.source.units:
        own = rows[(rows >= unit.first) & (rows < unit.first + unit.claims)]
        if not len(own):
            continue
        written = pq.read_table(results.path_of(job, unit.number)).take(pa.array(own - unit.first))
        amounts = results.no_results(len(own))
        places = np.searchsorted(priced, own)
        there = np.flatnonzero(np.append(priced, -1)[places] == own)
        amounts[there] = table[places[there]]
        again = results.table_of(results.columns_of(amounts), written.columns[:3], names)
        for name in written.schema.names:
            if written.column(name).to_pylist() != again.column(name).to_pylist():
                different.append(f"{results.path_of(job, unit.number).name}: {name} of some of {len(own)} claims")
    if different:
        raise AdjudicatorError(*(Problem(int(E.OUTPUT_CHANGED), "settlements", name) for name in different))


def _persons_of(engine: Any, job: Job, number: int, rows: np.ndarray) -> np.ndarray:
    """Return the persons (16 bytes each) of some rows of a unit."""
    unit = job.source.units[number]
    own = rows[(rows >= unit.first) & (rows < unit.first + unit.claims)]
    found = [np.zeros(0, "V16")]
    if len(own):
        for batch in batches_of(engine, job, unit):
            here = own[(own >= batch.first) & (own < batch.first + len(batch.resolved))] - batch.first
            found.append(batch.resolved.persons[here].view("V16").reshape(-1))
    return np.concatenate(found)


def _bucket(engine: Any, job: Job, persons: np.ndarray) -> Bucket:
    """Return all claims of some persons."""
    arrays: dict[str, list[np.ndarray]] = {
        name: [np.zeros(0, kind.base).reshape(0, *kind.shape)] for name, kind in FIXED.items()
    }
    ragged: dict[str, tuple[list[np.ndarray], list[np.ndarray]]] = {}
    notes: dict[int, dict[str, Any]] = {}
    for unit in job.source.units:
        for batch in batches_of(engine, job, unit):
            wanted = np.isin(batch.resolved.persons.view("V16").reshape(-1), persons)
            chunk = chunk_of(engine, batch, wanted)
            for name, array in chunk.arrays.items():
                arrays[name].append(array)
            for name, (counts, entries) in chunk.ragged.items():
                parts = ragged.setdefault(name, ([], []))
                parts[0].append(counts)
                parts[1].append(entries)
            notes |= chunk.notes
    joined = {name: np.concatenate(parts) for name, parts in arrays.items()}
    lists = {name: (offsets_of(np.concatenate(parts[0])), np.concatenate(parts[1])) for name, parts in ragged.items()}
    return ordered(joined, lists, notes)
