"""One service process: the gRPC server, its health, and its orderly end.

The port answers from the first moment, with health NOT_SERVING and calls refused as NOT_READY, while rules are
compiled, kernels loaded and the ledger opened. On SIGTERM the service takes no new call, finishes what it accepted, and
ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from adjudicator import __version__
from adjudicator.service import adjudication, pooling
from adjudicator.service.application import Application
from adjudicator.service.calls import HARD_MESSAGE_BYTES
from adjudicator.service.logs import log
from adjudicator.service.metrics import serve_page
from adjudicator.service.options import ServeOptions, TlsOptions

SERVICES = ("", adjudication.SERVICE_NAME, pooling.SERVICE_NAME)
"""Names under which health is told; the empty one is the process as a whole."""
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health(health.aio.HealthServicer):
    """The standard health service; watchers are let go when the service stops, so that it need not wait for them."""

    def __init__(self) -> None:
        super().__init__()
        self._watching: set[asyncio.Task[None]] = set()
        self._ending = False

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext) -> None:
        """Tells the health now and after each change, until the caller or the service ends."""
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
        self.health = Health()
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
        """Opens the port; health says NOT_SERVING until :meth:`follow_readiness` finds everything ready."""
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
        if self.options.tls is None:
            return self.grpc.add_insecure_port(self.options.listen)
        return self.grpc.add_secure_port(self.options.listen, credentials_of(self.options.tls))

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


def credentials_of(tls: TlsOptions) -> grpc.ServerCredentials:
    """Server credentials from PEM files; raises OSError where one cannot be read."""
    authority = tls.client_authority.read_bytes() if tls.client_authority else None
    pairs = ((tls.key.read_bytes(), tls.certificate.read_bytes()),)
    return grpc.ssl_server_credentials(pairs, authority, require_client_auth=authority is not None)


async def run(options: ServeOptions) -> int:
    """Runs one service process until SIGTERM or SIGINT; returns its exit code. SIGHUP reads the rule packs again."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    application = Application(options)
    server = Server(options, application)
    reloading: list[asyncio.Task[None]] = []
    await server.start()
    page = await serve_page(application.metrics, options.metrics) if options.metrics else None
    if not options.share_port:
        print(f"listening on {server.address}", flush=True)
    following = loop.create_task(server.follow_readiness())
    preparing = loop.create_task(application.prepare())
    loop.add_signal_handler(signal.SIGHUP, lambda: reloading.append(loop.create_task(application.reload_rules())))
    preparing.add_done_callback(lambda task: None if task.cancelled() or not task.exception() else stop.set())
    guarding = loop.create_task(_stop_without_parent(stop)) if options.share_port else None
    await stop.wait()
    log("stopping", address=server.address)
    await server.stop()
    for task in (following, preparing, guarding, *reloading):
        if task is not None and not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    await application.close()
    if page is not None:
        page.close()
    log("stopped", address=server.address)
    return _exit_code(preparing)


def _exit_code(preparing: asyncio.Task[None]) -> int:
    """0 after an orderly stop; a fault of the preparation is raised for the command to print."""
    if preparing.cancelled() or preparing.exception() is None:
        return 0
    error = preparing.exception()
    assert error is not None
    log("cannot start", error=type(error).__name__)
    raise error


async def _stop_without_parent(stop: asyncio.Event) -> None:
    """A worker whose supervisor was killed ends as well, instead of holding the port for ever."""
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.5)
    stop.set()
