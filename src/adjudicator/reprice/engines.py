"""Where tasks run: the engine of this machine, and a registry of engines."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import Any

from adjudicator.errors import E, refuse
from adjudicator.reprice.tasks import Engine, Task, Where


class Local:
    """This process, or some processes of this machine."""

    def __init__(self, where: Where) -> None:
        self._pool: ProcessPoolExecutor | None = None
        if where.workers > 1:
            # A forked process would share the threads of Arrow; a new one imports the package anew.
            context = multiprocessing.get_context("spawn")
            own = os.getpid(), where.packs
            self._pool = ProcessPoolExecutor(where.workers, context, initializer=_begin, initargs=own)
            for _ in range(where.workers):  # a process is started when there is something to do
                self._pool.submit(os.getpid)

    def begin(self, path: str) -> None:
        """Do nothing: the processes have the files of this one, and each task compares rules and software."""

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the place and the result of each task as it is done."""
        if self._pool is None:
            for place, (function, arguments) in enumerate(tasks):
                yield place, function(*arguments)
            return
        waiting = {self._pool.submit(function, *arguments): place for place, (function, arguments) in enumerate(tasks)}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        except BrokenProcessPool as error:
            raise refuse(E.WORKERS_LOST, "workers", "a process was killed", "进程被终止") from error

    def close(self) -> None:
        """End the processes, also in the middle of a task."""
        if self._pool is not None:
            processes = list((self._pool._processes or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()


def _begin(parent: int, packs: tuple[str, ...]) -> None:
    """Begin a process: follow its parent, and load what its tasks need while the parent plans them."""
    _follow(parent)
    # What cannot be loaded is refused by the parent, which loads it too, or by the first task.
    with suppress(Exception):
        from adjudicator.reprice import prepare, price, results
        from adjudicator.reprice.allocation import keep_memory
        from adjudicator.reprice.job import engine_for

        keep_memory()
        assert prepare and price and results
        if packs:
            engine_for(packs)


def _follow(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when it is gone: a killed parent leaves no worker behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _dask(where: Where) -> Engine:
    from adjudicator.reprice.cluster import Cluster

    return Cluster(where.scheduler)


ENGINES: dict[str, Callable[[Where], Engine]] = {"local": Local, "dask": _dask}
"""Name of an engine on the command line -> what makes it."""


@contextmanager
def started(name: str, where: Where) -> Iterator[Engine]:
    """Give an engine, and close it at the end."""
    engine = ENGINES[name](where)
    try:
        yield engine
    finally:
        engine.close()
