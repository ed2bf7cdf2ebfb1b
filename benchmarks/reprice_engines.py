"""Time of re-pricing on each engine, beside the processes of this machine on the same cores.

    .venv/bin/python benchmarks/reprice_engines.py [--claims 400000] [--workers 2] [--rounds 3] [--engine dask ...]

Every engine has as many worker processes as local has. All keep their processes, which have priced the same claims
right before the clock starts, as those of a cluster that is in use. Rounds alternate; the least of each counts. CPU is
that of this process and of all processes of the engine, of scheduler and Java too; what they take without work is
printed. Results are compared byte by byte, those of ``deploy/spark/reprice.py``, which reads the same claims with
nested lines, value by value; ``spark files`` is ``deploy/spark/reprice_files.py``, and ``--engine spark-files`` runs
it alone. Spark needs Java and ``pyspark[sql]``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adjudicator.reprice.engines import ENGINES
from adjudicator.reprice.job import engine_for
from adjudicator.reprice.run import Options, forget, plan, run
from adjudicator.reprice.tasks import Engine, Where

PYTHON = [sys.executable, "-m"]


SPARK = """
import json, sys
from pathlib import Path
from pyspark import cloudpickle
sys.path.insert(0, sys.argv[1])
import reprice as job, reprice_files as files
cloudpickle.register_pickle_by_value(files)
cloudpickle.register_pickle_by_value(job)
from pyspark.sql import SparkSession
spark = SparkSession.builder.master(f"local[{sys.argv[2]}]").config("spark.driver.memory", "2g").getOrCreate()
rules = job.rules_of([sys.argv[3]])
print("ready", flush=True)
for line in sys.stdin:
    source, output = json.loads(line)
    if source.endswith("-nested"):
        job.priced(spark.read.parquet(source), rules, 2 * int(sys.argv[2])).write.parquet(output)
    else:
        from adjudicator.reprice.engines import ENGINES
        from adjudicator.reprice.run import Options, forget, plan, run
        ENGINES["spark"] = lambda _: files.Spark(spark.sparkContext)
        options = Options([sys.argv[3]], Path(source), Path(output), engine="spark", workers=int(sys.argv[2]))
        planned = plan(options, rules.rules_hash)
        run(planned, options, lambda *_: None)
        forget(planned.job)
    print("done", flush=True)
"""
"""Keeps a session and prices one folder after the other."""


class Spark:
    """A local Spark with one core a worker."""

    def __init__(self, workers: int, pack: str) -> None:
        jobs = Path(__file__).parents[1] / "deploy" / "spark"
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the session
        self._process = subprocess.Popen(
            [sys.executable, "-c", SPARK, str(jobs), str(workers), pack], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors, text=True, env=os.environ | {"PYSPARK_PYTHON": sys.executable},
        )  # fmt: skip
        self.pid = self._process.pid
        self._wait("ready")

    def _wait(self, word: str) -> None:
        while (line := self._process.stdout.readline()).strip() != word:
            if not line:
                self._errors.seek(0)
                raise SystemExit(f"{self._errors.read()}\nthe Spark job ended; is Java there, and pyspark[sql]?")

    def reprice(self, source: Path, output: Path) -> None:
        """Price a folder: nested claims by mapInArrow, tables by the tasks of the command."""
        self._process.stdin.write(json.dumps([str(source), str(output)]) + "\n")
        self._process.stdin.flush()
        self._wait("done")

    def processes(self) -> list[psutil.Process]:
        """Return Java and Python of the session."""
        return trees(self.pid)

    def close(self) -> None:
        """End the session."""
        self._process.stdin.close()
        self._process.wait()
        self._errors.close()


def nest(source: Path, target: Path) -> None:
    """Write the two tables of a folder as one with nested lines."""
    lines = pq.read_table(source / "lines.parquet")
    claims = pq.ParquetFile(source / "claims.parquet")
    target.mkdir()
    first, of_claim = 0, lines.column("claim").to_numpy()
    columns = lines.drop_columns(["claim"]).unify_dictionaries().combine_chunks()
    with contextlib.ExitStack() as stack:
        writer = None
        for batch in claims.iter_batches(20_000):
            ends = np.searchsorted(of_claim, np.arange(first, first + batch.num_rows + 1)).astype(np.int32)
            own = columns.slice(int(ends[0]), int(ends[-1] - ends[0]))
            records = pa.StructArray.from_arrays(
                [plain(column.combine_chunks()) for column in own.columns], names=own.column_names
            )
            table = pa.table(
                {name: plain(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
            )
            table = table.append_column("lines", pa.ListArray.from_arrays(pa.array(ends - ends[0]), records))
            writer = writer or stack.enter_context(pq.ParquetWriter(target / "claims.parquet", table.schema))
            writer.write_table(table)
            first += batch.num_rows


def plain(array: pa.Array) -> pa.Array:
    """Return an array without a dictionary."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def values(folder: Path, names: list[str]) -> pa.Table:
    """Return the results of a run by their keys, whatever files they are in."""
    table = pq.read_table(folder).select(names)
    table = pa.table({name: table.column(name).cast(_plain_type(table.schema.field(name).type)) for name in names})
    return table.take(pc.sort_indices(table, [(name, "ascending") for name in names[:3]])).combine_chunks()


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)}
"""As docs/cluster.md asks: Dask tells its workers to give memory back at once, which costs more than pricing."""


@contextlib.contextmanager
def dask_cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[int]]]:
    """Run a scheduler and workers on this machine; its address and the processes."""
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": os.environ | MEMORY}
    place = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
    processes = [subprocess.Popen([*PYTHON, "dask", "scheduler", "--port", "0", "--no-show", *place], **quiet)]
    try:
        while not file.exists():
            time.sleep(0.1)
        own = [*PYTHON, "dask", "worker", "--nthreads", "1", "--nworkers", str(workers), *place]
        processes.append(subprocess.Popen(own, **quiet))
        yield json.loads(file.read_text())["address"], [process.pid for process in processes]
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


class Cost(NamedTuple):
    """What a run took: seconds by the clock, and CPU of this process and of those of its engine."""

    seconds: float
    cpu: float


NEVER = Cost(1e9, 1e9)


class Way(NamedTuple):
    """An engine: what prices a folder of tables into another, and the processes that it keeps."""

    price: Callable[[Path, Path], object]
    processes: Callable[[], list[psutil.Process]]

    def cpu_seconds(self) -> float:
        """Return the CPU time of this process and of those of the engine, of those that have ended too."""
        times = [process.cpu_times() for process in (psutil.Process(), *self.processes())]
        return sum(one.user + one.system + one.children_user + one.children_system for one in times)

    def cost(self, source: Path, output: Path) -> Cost:
        """Price a folder and return what it took."""
        cpu, began = self.cpu_seconds(), time.perf_counter()
        self.price(source, output)
        return Cost(time.perf_counter() - began, self.cpu_seconds() - cpu)

    def idle(self) -> float:
        """Return the CPU that the processes take in a second without work."""
        cpu = self.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        return (self.cpu_seconds() - cpu) / IDLE_SECONDS


IDLE_SECONDS = 5


def trees(*roots: int) -> list[psutil.Process]:
    """Return some processes and all that they started."""
    return [one for root in roots for one in (psutil.Process(root), *psutil.Process(root).children(recursive=True))]


class Kept:
    """An engine that is not closed after a run."""

    def __init__(self, engine: Engine) -> None:
        self.begin, self.run, self.end = engine.begin, engine.run, engine.close

    def close(self) -> None:
        """Do nothing; ``end`` closes the engine."""


def reprice(options: Options, source: Path, output: Path) -> None:
    """Price a folder on an engine."""
    options = options._replace(source=source, output=output)
    planned = plan(options, engine_for(tuple(options.packs)).bundle.hash)
    run(planned, options, lambda *_: None)
    forget(planned.job)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the results of a run by the names of their files."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def main() -> None:
    """Make a city, price it on each engine in turns, and print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=400_000)
    parser.add_argument("--input", type=Path, help="claims that synth wrote, instead of new ones")
    parser.add_argument("--pack", default="hangzhou")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine", nargs="+", default=["dask"], choices=["dask", "spark", "spark-files"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        if arguments.input is not None:
            (folder / "year").symlink_to(arguments.input.resolve())
        else:
            count = arguments.claims
            sizes = ("--claims", str(count), "--persons", str(2 * count), "--inpatient-share", "0.55")
            made = ("--format", "parquet", "--output", str(folder / "year"))
            synth = [*PYTHON, "adjudicator", "synth", "--pack", arguments.pack, *sizes, *made]
            subprocess.run(synth, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ways: dict[str, Way] = {}

        def keep(name: str, engine: Engine, processes: Callable[[], list[psutil.Process]]) -> None:
            kept = Kept(engine)
            stack.callback(kept.end)
            ENGINES[f"kept {name}"] = lambda _: kept
            options = Options([arguments.pack], folder, folder, engine=f"kept {name}", workers=arguments.workers)
            ways[name] = Way(partial(reprice, options), processes)

        others: list[int] = []
        if "dask" in arguments.engine:
            address, pids = stack.enter_context(dask_cluster(folder, arguments.workers))
            others += pids
            keep("dask", ENGINES["dask"](Where(arguments.workers, address)), lambda: trees(*pids))
        if {"spark", "spark-files"} & {*arguments.engine}:
            spark = Spark(arguments.workers, arguments.pack)
            stack.callback(spark.close)
            others.append(spark.pid)
            if "spark" in arguments.engine:
                nest(folder / "year", folder / "year-nested")
                ways["spark"] = Way(lambda _, output: spark.reprice(folder / "year-nested", output), spark.processes)
            ways["spark files"] = Way(spark.reprice, spark.processes)

        def own() -> list[psutil.Process]:
            return [one for one in psutil.Process().children(recursive=True) if one not in trees(*others)]

        keep("local", ENGINES["local"](Where(arguments.workers, "")), own)
        measure(folder, arguments, ways)


def measure(folder: Path, arguments: argparse.Namespace, ways: dict[str, Way]) -> None:
    """Print the least that each way took, beside local."""
    best, idle = dict.fromkeys(ways, NEVER), dict[str, float]()
    for number in range(arguments.rounds):
        for name, way in ways.items():
            way.price(folder / "year", folder / f"warm-{name}-{number}")  # Spark ends processes that wait for a minute
            best[name] = _least(best[name], way.cost(folder / "year", folder / f"{name}-{number}"))
            idle[name] = way.idle()
    same = contents(folder / "local-0")
    claims = pq.read_metadata(folder / "year" / "claims.parquet").num_rows
    print(f"{claims:,} claims of {arguments.pack}, {arguments.workers} worker processes")
    local = best["local"]
    for name, own in best.items():
        if name == "spark":
            names = pq.read_schema(folder / "local-0" / "settlements" / "part-00000.parquet").names
            assert values(folder / "spark-0", names).equals(values(folder / "local-0" / "settlements", names))
        else:
            assert contents(folder / f"{name}-0") == same, name
        print(
            f"{name:12}{own.seconds:7.2f} s, {own.seconds / local.seconds:5.2f} of local;"
            f" CPU {own.cpu:7.2f} s, {own.cpu / local.cpu:5.2f} of local; same results;"
            f" without work {idle[name]:.3f} CPU s a second"
        )


def _least(one: Cost, other: Cost) -> Cost:
    return Cost(min(one.seconds, other.seconds), min(one.cpu, other.cpu))


if __name__ == "__main__":
    main()
