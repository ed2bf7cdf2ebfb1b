"""Where tasks run: a registry of engines. A task is a function of this package and plain arguments.

An engine yields the result of each task as it is done, in any order; a task that is run twice writes the same files.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, Protocol

Task = tuple[Callable[..., dict[str, Any]], tuple[Any, ...]]


class Engine(Protocol):
    """Runs tasks until it is closed."""

    def run(self, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
        """Yield the results of the tasks as they are done."""

    def close(self) -> None:
        """Give everything back; tasks that run are ended."""


class Local:
    """This process, or some processes of this machine."""

    def __init__(self, workers: int) -> None:
        self._pool: ProcessPoolExecutor | None = None
        if workers > 1:
            # A forked process would share the threads of Arrow; a new one imports the package anew.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(workers, context, initializer=_follow, initargs=(os.getpid(),))

    def run(self, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
        """Yield the results of the tasks as they are done."""
        if self._pool is None:
            for function, arguments in tasks:
                yield function(*arguments)
            return
        waiting = [self._pool.submit(function, *arguments) for function, arguments in tasks]
        for done in as_completed(waiting):
            yield done.result()

    def close(self) -> None:
        """End the processes, also in the middle of a task."""
        if self._pool is not None:
            processes = list((self._pool._processes or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()


def _follow(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when it is gone: a killed parent leaves no worker behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


ENGINES: dict[str, Callable[[int], Engine]] = {"local": Local}
"""Name of an engine on the command line -> what makes it for a number of workers."""
