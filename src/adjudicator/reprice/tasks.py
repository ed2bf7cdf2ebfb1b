"""What a task and an engine are. A task is a function of this package and plain arguments.

An engine yields the result of each task as it is done, in any order; a task that is run twice writes the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

Task = tuple[Callable[..., dict[str, Any]], tuple[Any, ...]]


class Where(NamedTuple):
    """What an engine is made from."""

    workers: int
    scheduler: str
    """Address of the scheduler of a cluster."""
    packs: tuple[str, ...] = ()
    """What the processes will price with, so that they can load it beforehand."""


class Engine(Protocol):
    """Runs tasks until it is closed."""

    def begin(self, path: str) -> None:
        """Refuse a job (its file) that a worker cannot run. Errors: E.WORKER_DIFFERS."""

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the place and the result of each task as it is done. Errors: E.WORKERS_LOST, those of the task."""

    def close(self) -> None:
        """Give everything back; tasks that run are ended."""
