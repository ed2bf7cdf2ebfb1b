"""One service process: the gRPC server, its health, and its orderly end.

The port of a single process answers from the first moment, with health NOT_SERVING and calls refused as NOT_READY,
while rules are compiled, kernels loaded and the ledger opened. On SIGTERM the service takes no new call, finishes what
it accepted, and ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from functools import partial

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from adjudicator import __version__
from adjudicator.errors import AdjudicatorError
from adjudicator.service import adjudication, pooling
from adjudicator.service.application import Application
from adjudicator.service.calls import HARD_MESSAGE_BYTES, Context
from adjudicator.service.certificates import Certificates
from adjudicator.service.door import Door
from adjudicator.service.exposure import check_exposure, doubts_of_store, is_loopback
from adjudicator.service.logs import log
from adjudicator.service.metrics import Gate, serve_page
from adjudicator.service.options import ServeOptions
from adjudicator.service.permissions import HEALTH
from adjudicator.service.status import abort

SERVICES = ("", adjudication.SERVICE_NAME, pooling.SERVICE_NAME)
"""Names under which health is told; the empty one is the process as a whole."""
OPEN_EN = "no caller is identified: who reaches the port may settle, reverse and read everything; see docs/callers.md"
OPEN_ZH = "未识别调用方：能连接该端口者可结算、撤销和查询全部数据，见 docs/callers.md"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health(health.aio.HealthServicer):  # type: ignore[misc]  # gRPC comes without types
    """The standard health service; watchers are let go when the service stops, so that it need not wait for them."""

    def __init__(self, door: Door) -> None:
        super().__init__()
        self._door = door
        self._watching: set[asyncio.Task[None]] = set()
        self._ending = False

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Context) -> health_pb2.HealthCheckResponse:
        """Return the health now."""
        await self._let_in(context)
        return await super().Check(request, context)

    async def _let_in(self, context: Context) -> None:
        try:
            self._door.check(HEALTH, b"", context)
        except AdjudicatorError as refusal:
            await self._door.note(HEALTH, context, refusal)
            await abort(context, refusal)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Context) -> None:
        """Tells the health now and after each change, until the caller or the service ends."""
        await self._let_in(context)
        watching = asyncio.ensure_future(super().Watch(request, context))
        self._watching.add(watching)
        try:
            await watching
        except asyncio.CancelledError:
            if not self._ending:
                raise
        finally:
            self._watching.discard(watching)

    async def end(self) -> None:
        """NOT_SERVING for ever, and the end of every watch."""
        await self.enter_graceful_shutdown()
        self._ending = True
        await asyncio.sleep(0)  # watchers write what they were told
        for watching in self._watching:
            watching.cancel()


class Server:
    """The listening server of one process. ``port`` is known after :meth:`start`."""

    def __init__(self, options: ServeOptions, application: Application):
        self.options = options
        self.application = application
        self.health = Health(application.door)
        self.certificates = Certificates(options.tls) if options.tls else None
        self.port = 0
        self.grpc = grpc.aio.server(
            options=(
                ("grpc.max_receive_message_length", HARD_MESSAGE_BYTES),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", int(options.share_port)),
                ("grpc.http2.max_ping_strikes", 0),
                ("grpc.keepalive_permit_without_calls", 1),
            )
        )

    @property
    def address(self) -> str:
        """Address with the number of the port."""
        host, _, _ = self.options.listen.rpartition(":")
        return f"{host}:{self.port}" if host else self.options.listen

    async def start(self) -> None:
        """Open the port; health says NOT_SERVING until :meth:`follow_readiness` finds everything ready."""
        for name in SERVICES:
            await self.health.set(name, NOT_SERVING)
        self.grpc.add_generic_rpc_handlers(
            (
                adjudication.AdjudicationCalls(self.application).handlers(),
                pooling.PoolingCalls(self.application).handlers(),
            )
        )
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self.grpc)
        if self.options.reflection:
            names = (*SERVICES[1:], health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self.grpc)
        try:
            self.port = self._add_port()
        except RuntimeError as error:
            raise OSError(
                f"cannot listen on {self.options.listen}: the address is in use or not of this machine"
            ) from error
        await self.grpc.start()
        log("listening", address=self.address, version=__version__, pid=os.getpid())

    def _add_port(self) -> int:
        if self.certificates is None:
            return int(self.grpc.add_insecure_port(self.options.listen))
        return int(self.grpc.add_secure_port(self.options.listen, self.certificates.credentials()))

    async def follow_readiness(self) -> None:
        """Tells health what the application says of itself, until cancelled."""
        told = False
        async for ready in self.application.readiness():
            if ready != told:
                for name in SERVICES:
                    await self.health.set(name, SERVING if ready else NOT_SERVING)
                log("serving" if ready else "not serving", address=self.address)
                told = ready

    async def stop(self) -> None:
        """No new calls, then the end of those that were accepted."""
        await self.health.end()
        self.application.stop_accepting()
        await self.grpc.stop(self.options.grace_seconds)


async def run(options: ServeOptions) -> int:
    """Run one service process until SIGTERM or SIGINT; return its exit code.

    SIGHUP reads rule packs, callers and certificates again. Errors: E.EVERYBODY_MAY_CALL and those of the files.
    """
    check_exposure(options)
    return await Process(options).run()


class Process:
    """One service process from its start to its end."""

    def __init__(self, options: ServeOptions):
        self.options = options
        self.application = Application(options)
        self.server = Server(options, self.application)
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> int:
        """Start, serve, stop. Raises what made it impossible to start."""
        self._follow_signals()
        self._tell_exposure()
        page = preparing = None
        try:
            await self.application.audit.start()
            if not self.options.share_port:
                page = await self._open()
            preparing = self._begin(self.application.prepare())
            preparing.add_done_callback(self._stop_when_failed)
            if self.options.share_port:
                page = await self._open_when_loaded()
            await self._stop.wait()
            log("stopping", address=self.server.address)
            await self.server.stop()
        finally:
            await self._end_tasks()
            await self.application.close()
            if page is not None:
                page.close()
        log("stopped", address=self.server.address)
        return _exit_code(preparing)

    async def _open_when_loaded(self) -> asyncio.Server | None:
        """Listen: a worker gets its share of the port's connections from now on, not before it can answer them."""
        self._begin(self._stop_without_parent())
        await _first(self.application.loaded.wait(), self._stop.wait())
        return None if self._stop.is_set() else await self._open()

    def _follow_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._begin(self._read_again()))

    async def _read_again(self) -> None:
        """Take up callers, certificates and rules as they are now; what has a fault is logged and stays as it was."""
        again: list[Callable[[], Coroutine[None, None, None]]] = [self.application.door.read_again]
        if self.server.certificates is not None:
            again.append(partial(self.server.certificates.read_again, self.application.audit))
        for read in again:
            try:
                await read()
            except AdjudicatorError as refusal:
                for problem in refusal.problems:
                    log("not read again", code=problem.row.code, reason=problem.message, reason_zh=problem.message_zh)
        await self.application.reload_rules()

    def _tell_exposure(self) -> None:
        """Say who may call, and what the way to the store lacks."""
        if self.application.door.is_open:
            log("open to everybody", address=self.options.listen, reason=OPEN_EN, reason_zh=OPEN_ZH)
        for doubt in doubts_of_store(self.options.redis_url) if self.options.redis_url else ():
            log("store exposed", reason=doubt)

    async def _open(self) -> asyncio.Server | None:
        """Open the port and the page of counters."""
        await self.server.start()
        if not self.options.share_port:
            print(f"listening on {self.server.address}", flush=True)
        self._begin(self.server.follow_readiness())
        return await self._open_page(self.options.metrics) if self.options.metrics else None

    async def _open_page(self, address: str) -> asyncio.Server:
        """Serve the counters: in plain text on this host, elsewhere to operators with a certificate."""
        certificates, door = self.server.certificates, self.application.door
        gate = None
        if certificates is not None and not door.is_open and not is_loopback(address):
            gate = Gate(certificates.context, door.shows_counters)
        return await serve_page(self.application.metrics, address, gate)

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.append(task)
        return task

    def _stop_when_failed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception():
            self._stop.set()

    async def _stop_without_parent(self) -> None:
        """End a worker whose supervisor was killed, instead of holding the port for ever."""
        parent = os.getppid()
        while os.getppid() == parent:
            await asyncio.sleep(0.5)
        self._stop.set()

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _first(*waits: Coroutine[None, None, object]) -> None:
    """Wait until one of several has come about."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def _exit_code(preparing: asyncio.Task[None]) -> int:
    """0 after an orderly stop; a fault of the preparation is raised for the command to print."""
    if preparing.cancelled() or preparing.exception() is None:
        return 0
    error = preparing.exception()
    assert error is not None
    log("cannot start", error=type(error).__name__)
    raise error
