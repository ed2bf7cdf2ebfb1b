"""Several worker processes on one port.

The supervisor imports neither gRPC nor Numba: it reserves the port, starts each worker as a fresh process (never a fork
of a process with threads), passes signals on, and starts a worker again that died. A worker that ends with a fault of
its options or its rules ends the whole service, because it would end the same way again.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from adjudicator.service.logs import log

FAULT_EXIT_CODES = frozenset({1, 2})
"""Refused (rules, address, store options) and wrong use: no restart helps."""
PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
SETTLED_AFTER_SECONDS = 10.0
"""A worker that lived this long starts its pauses from the shortest again."""


@dataclass(slots=True)
class Worker:
    """One worker process and its restarts."""

    index: int
    command: list[str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    started_at: float = 0.0
    restart_at: float = 0.0
    pause_seconds: float = PAUSE_SECONDS

    def start(self) -> None:
        """Start the process."""
        self.process = subprocess.Popen(self.command)
        self.started_at = time.monotonic()
        log("worker started", worker=self.index, pid=self.process.pid)

    def plan_restart(self) -> None:
        """Set the time of the next start; pauses double while the worker keeps dying young."""
        now = time.monotonic()
        lived_long = now - self.started_at > SETTLED_AFTER_SECONDS
        self.pause_seconds = PAUSE_SECONDS if lived_long else min(2 * self.pause_seconds, LONGEST_PAUSE_SECONDS)
        self.restart_at = now + self.pause_seconds
        self.process = None


@contextlib.contextmanager
def reserved_port(address: str) -> Iterator[str]:
    """Binds the port without listening, so that workers can come and go; yields the address with its number."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "0.0.0.0"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((host, int(port)))
        number = holder.getsockname()[1]
        yield f"[{host}]:{number}" if family == socket.AF_INET6 else f"{host}:{number}"


def supervise(commands: Sequence[list[str]], grace_seconds: float) -> int:
    """Run one process a command until told to stop; return the exit code of the service.

    SIGTERM and SIGINT stop all workers gracefully, SIGHUP is passed on.
    """
    workers = [Worker(index, command) for index, command in enumerate(commands)]
    stopping = False

    def stop(number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        log("stopping", signal=signal.Signals(number).name)

    def pass_on(number: int, _frame: object) -> None:
        _signal_all(workers, number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, pass_on)
    for worker in workers:
        worker.start()
    exit_code = 0
    while not stopping:
        fault = _tend(workers)
        if fault is not None:
            exit_code, stopping = fault, True
        time.sleep(0.05)
    _stop_all(workers, grace_seconds)
    return exit_code


def _tend(workers: Sequence[Worker]) -> int | None:
    """Start dead workers again when their pause is over; return the exit code of one that must not restart."""
    for worker in workers:
        if worker.process is None:
            if time.monotonic() >= worker.restart_at:
                worker.start()
            continue
        code = worker.process.poll()
        if code is None:
            continue
        log("worker ended", worker=worker.index, pid=worker.process.pid, exit_code=code)
        if code in FAULT_EXIT_CODES:
            return code
        worker.plan_restart()
    return None


def _signal_all(workers: Sequence[Worker], number: int) -> None:
    for worker in workers:
        if worker.process is not None and worker.process.poll() is None:
            worker.process.send_signal(number)


def _stop_all(workers: Sequence[Worker], grace_seconds: float) -> None:
    _signal_all(workers, signal.SIGTERM)
    give_up_at = time.monotonic() + grace_seconds + 5
    for worker in workers:
        if worker.process is None:
            continue
        try:
            worker.process.wait(max(0.1, give_up_at - time.monotonic()))
        except subprocess.TimeoutExpired:
            log("worker killed", worker=worker.index, pid=worker.process.pid)
            worker.process.kill()
            worker.process.wait()
