"""What is to be priced and how, as plain values: a job is written to a file, and every task reads it there."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

import adjudicator
from adjudicator.claim.engine import Engine
from adjudicator.errors import E, refuse
from adjudicator.reprice.mapping import Mapping, own_names, read_mapping
from adjudicator.reprice.source import Source, Span, Unit
from adjudicator.reprice.store import renamed
from adjudicator.rules.as_on import load_rules

WORK_FOLDER, JOB_FILE = ".work", "job.json"


class Job(NamedTuple):
    """One run. ``buckets``, ``batch`` and where it runs change no byte of what comes out."""

    folder: str
    """The output folder."""
    packs: list[str]
    rules_hash: str
    source: Source
    mapping: str
    """Name of the mapping file, "" the fields' own names."""
    opening: str
    """File of opening accumulators, "" none."""
    with_lines: bool
    buckets: int
    batch: int
    software: str = ""
    """What made the job (``software``); every process that runs a task of it must be the same."""
    with_facts: bool = False
    """Write what a comparison counts claims by."""

    @property
    def work(self) -> Path:
        """The folder of what is between the steps."""
        return Path(self.folder) / WORK_FOLDER

    @property
    def path(self) -> Path:
        """The file that this job is written to."""
        return self.work / JOB_FILE

    def columns(self) -> Mapping:
        """Return the mapping of its columns."""
        return read_mapping(self.mapping) if self.mapping else own_names()


def write_job(job: Job) -> None:
    """Write the file that tasks read."""
    content = json.dumps(job._asdict() | {"source": job.source._asdict()})
    renamed(job.path, lambda file: file.write(content.encode()))


def read_job(path: str) -> Job:
    """Return the job of a file; each process reads it once."""
    content = Path(path).read_text("utf-8")
    return _parsed(content)


@lru_cache(maxsize=2)
def _parsed(content: str) -> Job:
    raw: dict[str, Any] = json.loads(content)
    source = raw.pop("source")
    units, spans = [Unit(*row) for row in source["units"]], [Span(*row) for row in source["spans"]]
    loose = tuple(Unit(*row) for row in source["loose"])
    return Job(**raw, source=Source(source["layout"], source["files"], units, spans, loose))


@lru_cache(maxsize=2)
def engine_for(packs: tuple[str, ...]) -> Engine:
    """Return the engine of some packs; each process compiles its rules once."""
    return Engine(load_rules(packs))


def engine_of(job: Job) -> Engine:
    """Return the engine of a job. Errors: E.WORKER_DIFFERS."""
    return same_engine(job.packs, job.rules_hash, job.software)


def same_engine(packs: list[str], rules_hash: str, made_by: str) -> Engine:
    """Return the engine of some packs. Errors: E.WORKER_DIFFERS where this process has other software or rules."""
    if made_by != software():
        other = f"it has {software()}, the run was begun with {made_by}"
        raise refuse(E.WORKER_DIFFERS, "software", other, f"其软件为 {software()}，任务的软件为 {made_by}")
    engine = engine_for(tuple(packs))
    if engine.bundle.hash != rules_hash:
        other = f"its rules have the hash {engine.bundle.hash}, those of the run {rules_hash}"
        other_zh = f"其规则哈希为 {engine.bundle.hash}，任务的为 {rules_hash}"
        raise refuse(E.WORKER_DIFFERS, "rules_hash", other, other_zh)
    return engine


@lru_cache(maxsize=1)
def software() -> str:
    """Return what the bytes of results depend on beside rules and input: this package and the writer of Parquet."""
    digest = hashlib.blake2b(digest_size=6)
    folder = Path(adjudicator.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return f"adjudicator {adjudicator.__version__} ({digest.hexdigest()}), pyarrow {pa.__version__}"
