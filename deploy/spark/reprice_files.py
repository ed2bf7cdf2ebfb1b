"""Runs the tasks of ``adjudicator reprice`` on the executors of Spark, over a file system that all of them share.

    spark-submit --master URL deploy/spark/reprice_files.py --pack hangzhou --input DIR --output DIR [--resume]

Input, results, manifest and bytes are those of the command; Spark moves the names of functions and small receipts, no
claims. docs/cluster.md says when this job and when ``reprice.py`` is the right one.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pyspark import SparkContext
from pyspark.sql import SparkSession

from adjudicator.reprice.engines import ENGINES
from adjudicator.reprice.job import engine_for
from adjudicator.reprice.manifest import write_manifest
from adjudicator.reprice.run import Options, forget, plan, run
from adjudicator.reprice.tasks import Task


class Spark:
    """The executors of a session; Spark runs a task of a lost one again."""

    def __init__(self, context: SparkContext) -> None:
        self._context = context

    def begin(self, path: str) -> None:
        """Do nothing: each task compares software and rules with those of the job."""

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the place and the result of each task when all are done."""
        if tasks:
            placed = self._context.parallelize(list(enumerate(tasks)), len(tasks))
            yield from placed.map(done).collect()

    def close(self) -> None:
        """Take back what runs."""
        self._context.cancelAllJobs()


def done(placed: tuple[int, Task]) -> tuple[int, dict[str, Any]]:
    """Run a task; return its place and its result."""
    place, (function, arguments) = placed
    result = function(*arguments)
    # Spark collects garbage after each task: 0.16 s over the rules of a pack, which are set aside here.
    gc.collect()
    gc.freeze()
    return place, result


def main() -> None:
    """Price a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", action="append", required=True, help="pack by name, or by a folder of the executors")
    parser.add_argument("--input", type=Path, required=True, help="as for adjudicator reprice")
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    parser.add_argument("--mapping", default="", help="TOML file with the names of columns, or: national")
    parser.add_argument("--resume", action="store_true", help="go on with the run that was begun in the output folder")
    arguments = parser.parse_args()
    context = SparkSession.builder.appName("adjudicator reprice").getOrCreate().sparkContext
    ENGINES["spark"] = lambda _: Spark(context)
    # Memory is that of one Python worker, as each runs one task at a time.
    options = Options(
        arguments.pack, arguments.input, arguments.output, arguments.mapping, engine="spark",
        workers=context.defaultParallelism, resume=arguments.resume, scheduler="spark",
    )  # fmt: skip
    planned = plan(options, engine_for(tuple(arguments.pack)).bundle.hash)
    summary = run(planned, options, lambda step, done, total: print(f"{step}: {done:,} of {total:,}", file=sys.stderr))
    write_manifest(planned.job, summary._asdict())
    forget(planned.job)
    print(f"{summary.claims:,} claims, {summary.settled:,} settled, {summary.rejected:,} rejected")


if __name__ == "__main__":
    main()
