"""Tasks on a Dask cluster: any one whose workers and this process share the folders of input, output and packs.

Files travel by the shared file system, functions by name: a worker has this package installed. Before anything runs,
each worker says whether it sees the same job and the same input, and has the same software and rules.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed import Client, as_completed
from distributed.scheduler import KilledWorker

from adjudicator.errors import AdjudicatorError, E, refuse
from adjudicator.reprice.job import engine_of, read_job
from adjudicator.reprice.tasks import Task

CONNECT_SECONDS = 30
"""How long the scheduler, and then its first worker, may take to answer."""
END_SECONDS = 60
"""How long tasks that run may take to end after Ctrl-C."""
_ALONE = threading.Lock()


def connect(scheduler: str) -> Client:
    """Return a client of a cluster that has a worker. Errors: E.CLUSTER_UNUSABLE."""
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:  # a time-out is an OSError
        silent = f"no scheduler answers at {scheduler}"
        raise refuse(E.CLUSTER_UNUSABLE, "scheduler", silent, f"{scheduler} 处的调度器无响应") from error
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except OSError as error:
        client.close()
        raise refuse(
            E.CLUSTER_UNUSABLE, "scheduler", f"{scheduler} has no worker", f"{scheduler} 没有工作进程"
        ) from error
    return client


def count_workers(scheduler: str) -> int:
    """Return how many worker processes a cluster has. Errors: E.CLUSTER_UNUSABLE."""
    with connect(scheduler) as client:
        return len(client.scheduler_info(n_workers=-1)["workers"])


class Cluster:
    """The workers of a scheduler; each process runs one task at a time."""

    def __init__(self, scheduler: str) -> None:
        self._client = connect(scheduler)
        self._waiting: list[Any] = []

    def begin(self, path: str) -> None:
        """Ask each worker whether it can run the tasks of a job. Errors: E.WORKER_DIFFERS, E.CLUSTER_UNUSABLE."""
        digest = _digest(Path(path))
        answers = self._client.run(check_worker, path, digest, on_error="return")
        if not answers:
            raise refuse(E.CLUSTER_UNUSABLE, "scheduler", "no worker is left", "没有工作进程")
        for worker, said in answers.items():
            if isinstance(said, AdjudicatorError):
                problem = said.problems[0]
                detail_zh = f"{worker}：{problem.detail_zh or problem.detail}"
                raise refuse(E.WORKER_DIFFERS, problem.field, f"{worker}: {problem.detail}", detail_zh)
            if isinstance(said, Exception):  # a version without this module, a lost connection
                raise refuse(E.WORKER_DIFFERS, "workers", f"{worker}: {type(said).__name__}: {said}")

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the place and the result of each task as it is done; a task whose worker died runs on another."""
        submit = self._client.submit
        waiting = [submit(run_alone, function, *arguments, pure=False) for function, arguments in tasks]
        self._waiting = waiting
        places = {future.key: place for place, future in enumerate(waiting)}
        for future in as_completed(waiting, loop=self._client.loop):
            try:
                yield places[future.key], future.result()
            except KilledWorker as error:
                raise refuse(E.WORKERS_LOST, "workers", str(error)) from error
            except CancelledError as error:
                lost = "the connection to the scheduler was lost"
                raise refuse(E.WORKERS_LOST, "scheduler", lost, "与调度器的连接中断") from error
            future.release()
        self._waiting = []

    def close(self) -> None:
        """Take back what waits, and let the tasks that run come to their end, so that nothing writes afterwards."""
        with suppress(Exception):  # a cluster that is gone runs nothing
            if self._waiting:
                self._client.cancel(self._waiting, force=True)
                self._client.run(wait_until_idle, on_error="ignore")
        self._client.close()


def run_alone(function: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Run a task in a worker process, which runs one at a time whatever threads it has: memory is planned so."""
    with _ALONE:
        return function(*arguments)


async def wait_until_idle() -> None:
    """Wait until no task runs in this process."""
    with suppress(TimeoutError):
        await asyncio.wait_for(_idle(), END_SECONDS)


async def _idle() -> None:
    while _ALONE.locked():
        await asyncio.sleep(0.02)


async def check_worker(path: str, digest: str) -> None:
    """Refuse a job that this worker process cannot run. Errors: E.WORKER_DIFFERS."""
    await asyncio.to_thread(_check, path, digest)


def _check(path: str, digest: str) -> None:
    if _digest(Path(path)) != digest:
        other = f"it does not see the output folder: {path} is missing or another file"
        raise refuse(E.WORKER_DIFFERS, "output", other, f"看不到输出目录：{path} 不存在或内容不同")
    job = read_job(path)
    missing = [name for name in (*job.source.files, job.opening) if name and not Path(name).is_file()]
    if missing:
        raise refuse(E.WORKER_DIFFERS, "input", f"it does not see {missing[0]}", f"看不到 {missing[0]}")
    with _ALONE:
        engine_of(job)


def _digest(path: Path) -> str:
    """Return the digest of a file, empty where it is not there."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
