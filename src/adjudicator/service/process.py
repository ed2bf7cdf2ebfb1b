"""A service as a process of its own, for the demo, the tests and the benchmarks: start it, wait for it, end it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVING: int = health_pb2.HealthCheckResponse.SERVING


class ServiceProcess:
    """``adjudicator serve`` with some options; use as a context manager.

    ``log`` takes standard error (JSON lines). ``address`` is known once it listens, which ``start`` waits for.
    """

    def __init__(self, *options: str, log: Path | None = None, environment: dict[str, str] | None = None):
        self.command = [sys.executable, "-m", "adjudicator", "serve", *options]
        self.log = log
        self.environment = environment
        self.address = ""
        self.process: subprocess.Popen[str] | None = None

    def start(self, timeout_seconds: float = 60.0) -> ServiceProcess:
        """Start the process and wait until it listens; raise ChildProcessError when it ends instead."""
        errors = open(self.log, "a") if self.log else None  # noqa: SIM115 - the child keeps it
        try:
            self.process = subprocess.Popen(
                self.command, stdout=subprocess.PIPE, stderr=errors, text=True, env=self.environment
            )
        finally:
            if errors:
                errors.close()
        watchdog = threading.Timer(timeout_seconds, self.process.kill)
        watchdog.start()
        try:
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line.startswith("listening on "):
            code = self.process.wait()
            raise ChildProcessError(f"the service ended with {code} before it listened{self._last_words()}")
        self.address = line.split()[2]
        return self

    def wait_until_serving(self, timeout_seconds: float = 600.0) -> None:
        """Wait for health SERVING; a first start compiles the kernels, which takes a minute or two."""
        until = time.monotonic() + timeout_seconds
        while not self.is_serving():
            if self.process is None or self.process.poll() is not None:
                raise ChildProcessError(f"the service ended before it was ready{self._last_words()}")
            if time.monotonic() > until:
                raise TimeoutError(f"not serving after {timeout_seconds} s")
            time.sleep(0.02)

    def _last_words(self) -> str:
        """Return what it wrote last, where its log is kept."""
        if self.log is None or not self.log.exists():
            return ""
        return ":\n" + "\n".join(self.log.read_text().splitlines()[-20:])

    def is_serving(self) -> bool:
        """Return what health says now; False when nobody answers."""
        return health_of(self.address) == SERVING

    def kill(self) -> None:
        """kill -9, as a lost machine would."""
        if self.process is not None:
            self.process.kill()
            self._reap(10)

    def stop(self, timeout_seconds: float = 60.0) -> int:
        """SIGTERM, and the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._reap(timeout_seconds)

    def _reap(self, timeout_seconds: float) -> int:
        assert self.process is not None
        try:
            return self.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()

    def __enter__(self) -> ServiceProcess:
        return self if self.process is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def health_of(
    address: str, service: str = "", credentials: grpc.ChannelCredentials | None = None, timeout_seconds: float = 2.0
) -> int | None:
    """Health of a service: a ``ServingStatus``; None when nobody answers."""
    opened = grpc.secure_channel(address, credentials) if credentials else grpc.insecure_channel(address)
    with opened as channel:
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            health: int = health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_seconds).status
        except grpc.RpcError:
            return None
    return health
