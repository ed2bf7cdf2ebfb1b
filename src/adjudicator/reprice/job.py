"""What is to be priced and how, as plain values: a job is written to a file, and every task reads it there."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from adjudicator.claim.engine import Engine
from adjudicator.reprice.mapping import Mapping, own_names, read_mapping
from adjudicator.reprice.source import Source, Span, Unit
from adjudicator.rules.bundle import load_bundle

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
    job.work.mkdir(parents=True, exist_ok=True)
    job.path.write_text(json.dumps(job._asdict() | {"source": job.source._asdict()}), "utf-8")


def read_job(path: str) -> Job:
    """Return the job of a file; each process reads it once."""
    content = Path(path).read_text("utf-8")
    return _parsed(content)


@lru_cache(maxsize=2)
def _parsed(content: str) -> Job:
    raw: dict[str, Any] = json.loads(content)
    source = raw.pop("source")
    units, spans = [Unit(*row) for row in source["units"]], [Span(*row) for row in source["spans"]]
    return Job(**raw, source=Source(source["layout"], source["files"], units, spans))


@lru_cache(maxsize=2)
def _engine(packs: tuple[str, ...]) -> Engine:
    return Engine(load_bundle(packs))


def engine_of(job: Job) -> Engine:
    """Return the engine of a job; each process compiles its rules once."""
    return _engine(tuple(job.packs))
