"""A whole run: plan it, run its three steps on an engine, go on where a run was ended, write the manifest.

1. ``prepare``: each unit of the input, in any order; then ``check``: the persons of each encounter. 2. ``price``: each
bucket of persons. 3. ``results``: each unit again. The files of a step are whole or not there, with their hashes in a
receipt; ``--resume`` runs what has no good receipt.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from adjudicator.errors import E, refuse
from adjudicator.reprice import owners, prepare, price, problems, results
from adjudicator.reprice.arrange import steps_of
from adjudicator.reprice.engines import started
from adjudicator.reprice.job import WORK_FOLDER, Job, engine_of, read_job, software, write_job
from adjudicator.reprice.mapping import own_names, read_mapping
from adjudicator.reprice.opening import check_opening
from adjudicator.reprice.source import Source, open_source
from adjudicator.reprice.steps import Step
from adjudicator.reprice.store import DRAFT, file_hash, read_receipt, write_hashes
from adjudicator.reprice.tasks import Engine, Task, Where

MEBIBYTE = 1 << 20
BASE_BYTES = 465 * MEBIBYTE
"""Memory of a process with its rules, its kernels and what it keeps of a unit (``benchmarks/reprice_space.py``)."""
LINES_BYTES = 60 * MEBIBYTE
"""Memory for the results of fee lines, where they are written."""
BUCKET_BYTES = 3_000
"""Memory for a claim while its bucket is priced, its person's year included."""
LEAST_BUCKET = 20_000
"""Claims of a bucket below which buckets make no sense."""
BUCKET = 32_768
"""Most claims of a bucket. The operating system hands out larger arrays anew each time, and clears them."""
BATCH = 8_192
"""Most claims that are resolved at once, for the same reason."""
BATCH_LINE_BYTES = 760
"""Memory for a fee line while it is resolved."""
SCRATCH_BYTES = 340
"""Bytes on disk for a claim between the steps (``benchmarks/reprice_space.py``); in Hangzhou 179 of the claim, 86 of
its amounts, 48 of its encounter, 5 of warnings."""
FACTS_BYTES = 40
"""And for its facts, where they are written."""
SORTED_LINE_BYTES = 60
"""Bytes on disk for a fee line that is sorted to its claim: twice, compressed."""
STEPS = ("prepare", "check", "price", "write")
REJECTED, WARNINGS = "rejected.parquet", "warnings.parquet"

Progress = Callable[[str, int, int], None]
"""Called with a step, how many claims of it are done, and of how many."""


class Options(NamedTuple):
    """What a caller asks for."""

    packs: Sequence[str]
    source: Path
    output: Path
    mapping: str = ""
    opening: str = ""
    with_lines: bool = False
    engine: str = "local"
    workers: int = 1
    memory: int = 2 << 30
    """Of all processes of this machine; on a cluster of each worker process."""
    buckets: int = 0
    """0: as many as the memory asks for."""
    batch: int = 0
    """0: as many as the memory has room for."""
    resume: bool = False
    arrange: bool = False
    """Sort fee lines to their claims first."""
    scheduler: str = ""
    """Address of the scheduler of a cluster, for an engine that has one."""
    with_facts: bool = False
    """Write what a comparison counts claims by."""


class Plan(NamedTuple):
    """What a run is going to take."""

    job: Job
    workers: int
    memory_bytes: int
    """Most that all processes take."""
    scratch_bytes: int
    """Disk that is used between the steps."""


class Summary(NamedTuple):
    """What came out."""

    claims: int
    settled: int
    rejected: int
    totals: dict[str, int]


def plan(options: Options, rules_hash: str) -> Plan:
    """Return what a run will do. Errors: E.INPUT_UNREADABLE and its like, E.MEMORY_TOO_SMALL, E.RUN_DIFFERS."""
    mapping = read_mapping(options.mapping) if options.mapping else own_names()
    source = open_source(options.source.resolve(), mapping, options.arrange)
    sharing = 1 if options.scheduler else max(options.workers, 1)
    base = BASE_BYTES + (LINES_BYTES if options.with_lines else 0)
    room = options.memory // sharing - base
    least = (base + LEAST_BUCKET * BUCKET_BYTES) * sharing
    if options.memory < least:
        raise refuse(E.MEMORY_TOO_SMALL, "memory", f"{-(-least // MEBIBYTE)} MiB")
    buckets = options.buckets or max(1, -(-source.claims // min(BUCKET, room // BUCKET_BYTES)))
    if options.workers > 1 and not options.buckets:
        buckets = max(buckets, options.workers)
    per_claim = BATCH_LINE_BYTES * max(1, lines_of(source) // max(source.claims, 1))
    batch = options.batch or max(1, min(BATCH, room // 2 // per_claim))
    job = Job(
        str(options.output.resolve()), list(options.packs), rules_hash, source,
        str(Path(options.mapping).resolve()) if Path(options.mapping).is_file() else options.mapping,
        str(Path(options.opening).resolve()) if options.opening else "", options.with_lines, buckets, batch,
        software(), options.with_facts,
    )  # fmt: skip
    at_once = max(-(-source.claims // buckets) * BUCKET_BYTES, min(batch, source.claims) * per_claim)
    used = min(base + at_once, options.memory // sharing)
    of_claim = SCRATCH_BYTES + (FACTS_BYTES if options.with_facts else 0)
    scratch = source.claims * of_claim + sum(part.claims for part in source.loose) * SORTED_LINE_BYTES
    return Plan(_resumed(job, options), options.workers, used * max(options.workers, 1), scratch)


def lines_of(source: Source) -> int:
    """Return how many fee lines the tables have; those of messages are guessed."""
    if source.layout == "messages":
        return 30 * source.claims
    if source.loose:
        return sum(part.claims for part in source.loose)
    total = 0
    for name in {span.file for span in source.spans} or set(source.files):
        metadata = pq.read_metadata(name)
        if source.spans:
            total += metadata.num_rows
        else:
            for group in range(metadata.num_row_groups):
                columns = (metadata.row_group(group).column(place) for place in range(metadata.num_columns))
                total += next((one.num_values for one in columns if one.path_in_schema.endswith("line_id")), 0)
    return total


def _resumed(job: Job, options: Options) -> Job:
    """Return the job that a run goes on with: the one in the output folder where it is the same."""
    if not job.path.exists():
        # A run that was killed before it wrote its job leaves a folder of work with nothing in it.
        if options.output.exists() and any(path.name != WORK_FOLDER for path in options.output.iterdir()):
            raise refuse(E.RUN_DIFFERS, options.output.name, "the output folder is not empty", "输出目录不为空")
        return job
    if not options.resume:
        ended = "it holds a run that was ended; go on with --resume"
        raise refuse(E.RUN_DIFFERS, options.output.name, ended, "其中有未完成的任务，可加 --resume 继续")
    known = read_job(str(job.path))
    # Buckets and batches change no byte, so those of the run that was begun are kept.
    if known._replace(buckets=0, batch=0) != job._replace(buckets=0, batch=0):
        differ = "input, rules, version or options differ from those of the run"
        raise refuse(E.RUN_DIFFERS, options.output.name, differ, "输入、规则、版本或选项与原任务不同")
    return known


def run(planned: Plan, options: Options, progress: Progress, engine: Engine | None = None) -> Summary:
    """Run the steps and write the result files; what was done before is kept. An engine is made where none is given."""
    if engine is None:
        with started(options.engine, Where(options.workers, options.scheduler, tuple(options.packs))) as made:
            return run(planned, options, progress, made)
    job = planned.job
    if job.opening:
        check_opening(Path(job.opening), engine_of(job))
    write_job(job)
    units = [unit.number for unit in job.source.units]
    engine.begin(str(job.path))
    for step in steps_of(job):
        _step(engine, job, step, progress)
    # Beside the first step, so that no process reads the whole input again when all others have nothing left to do.
    hashing: list[Task] = [(hash_input, (name,)) for name in inputs_of(job)]
    prepared = Step("prepare", prepare.prepare_unit, units, _prepared)
    hashed, prepared_receipts = _step(engine, job, prepared, progress, hashing)
    _step(engine, job, owners.step_of(job), progress)
    _step(engine, job, Step("price", price.price_bucket, range(job.buckets), _priced), progress)
    _, receipts = _step(engine, job, Step("write", results.write_unit, units, _written), progress)
    known = {name: receipt["hash"] for name, receipt in zip(inputs_of(job), hashed, strict=True)}
    for receipt in (*prepared_receipts, *receipts):
        known |= receipt["results"]
    write_hashes(job.work, known)
    rejected = _write_problems(job)
    totals = {name: sum(receipt["totals"][name] for receipt in receipts) for name in results.SUMMED}
    return Summary(job.source.claims, sum(receipt["settled"] for receipt in receipts), rejected, totals)


def _prepared(job: Job, number: int) -> Path:
    return prepare.paths_of(job, number)[0]


def _priced(job: Job, number: int) -> Path:
    return results.bucket_path(job, number)


def _written(job: Job, number: int) -> Path:
    return job.work / f"settlements-{number:05d}"


def inputs_of(job: Job) -> list[str]:
    """Return the files that the results depend on."""
    return [*job.source.files, *filter(None, (job.opening, job.mapping if Path(job.mapping).is_file() else ""))]


def hash_input(name: str) -> dict[str, Any]:
    """Return the hash of a file of the input, as the result of a task."""
    return {"claims": 0, "hash": file_hash(Path(name))}


def _step(
    engine: Engine, job: Job, step: Step, progress: Progress, beside: Sequence[Task] = ()
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Run the tasks of a step that are not done yet; return the results of those ``beside`` and all receipts in order.

    Those beside are begun first, for each may take long.
    """
    found = {number: read_receipt(step.receipt(job, number)) for number in step.numbers}
    waiting = [number for number, receipt in found.items() if receipt is None]
    done = sum(receipt["claims"] for receipt in found.values() if receipt is not None)
    progress(step.name, done, job.source.claims)
    tasks: list[Task] = [*beside, *((step.function, (str(job.path), number)) for number in waiting)]
    others: dict[int, dict[str, Any]] = {}
    # The receipts that tasks return, not their files: a shared file system may show these later.
    for place, receipt in engine.run(tasks):
        if place < len(beside):
            others[place] = receipt
            continue
        found[waiting[place - len(beside)]] = receipt
        done += receipt["claims"]
        progress(step.name, done, job.source.claims)
    return [others[place] for place in sorted(others)], [receipt for receipt in found.values() if receipt is not None]


# ---------------------------------------------------------------- rejected claims and warnings

_SHOWN = pa.schema(
    [
        ("row", pa.int64()), ("file", pa.string()), ("row_in_file", pa.int64()), ("institution_code", pa.string()),
        ("encounter_id", pa.string()), ("settlement_sequence", pa.int32()), ("code", pa.string()),
        ("field", pa.string()), ("message", pa.string()), ("message_zh", pa.string()),
    ]
)  # fmt: skip


def _write_problems(job: Job) -> int:
    """Write the files of rejected claims and of warnings; return how many claims were rejected."""
    files = (job.work / f"priced-{bucket:05d}.arrow" for bucket in range(job.buckets))
    priced = problems.in_order([problems.read_problems(file) for file in files])
    priced_rows = priced.column("row").to_numpy()
    drafts = {name: Path(job.folder) / f"{name}.draft" for name in (REJECTED, WARNINGS)}
    writers = {name: pq.ParquetWriter(path, _SHOWN, compression="zstd") for name, path in drafts.items()}
    rejected = 0
    for unit in job.source.units:
        low, high = priced_rows.searchsorted((unit.first, unit.first + unit.claims)).tolist()
        own = problems.read_problems(prepare.paths_of(job, unit.number)[1])
        found = problems.in_order([own, priced.slice(low, high - low)])
        if not found.num_rows:
            continue
        rows = found.column("row").to_numpy() - unit.first
        keys = pq.read_table(results.path_of(job, unit.number), columns=_SHOWN.names[3:6]).take(pa.array(rows))
        shown = pa.table(
            [
                found.column("row"), pa.repeat(Path(unit.file).name, len(rows)), pa.array(rows + unit.row_in_file),
                keys.column(0).cast(pa.string()), keys.column(1), keys.column(2),
                *(found.column(name) for name in _SHOWN.names[6:]),
            ],
            _SHOWN,
        )  # fmt: skip
        warning = found.column("warning")
        for name, wanted in ((REJECTED, False), (WARNINGS, True)):
            part = shown.filter(pa.array(warning.to_numpy() == wanted))
            if part.num_rows:
                writers[name].write_table(part, row_group_size=part.num_rows)
            if not wanted:
                rejected += len(part.column("row").unique())
    for name, writer in writers.items():
        writer.close()
        drafts[name].replace(Path(job.folder) / name)
    return rejected


def forget(job: Job) -> None:
    """Remove what is only needed between the steps, and what ended tasks began to write."""
    shutil.rmtree(job.work)
    for path in Path(job.folder).rglob(f"*{DRAFT}"):
        path.unlink(missing_ok=True)
