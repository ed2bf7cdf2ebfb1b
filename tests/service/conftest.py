"""A real service process with a real store, and stubs that speak to it over a socket."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import grpc
import pytest

from adjudicator.client import CHANNEL_OPTIONS
from adjudicator.service.process import ServiceProcess
from adjudicator.v1 import adjudication_pb2_grpc

from .chaos import free_port


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """One service for every test that does not disturb it."""
    folder = tmp_path_factory.mktemp("service")
    page = f"127.0.0.1:{free_port()}"
    options = ("--pack", "hangzhou", "--listen", "127.0.0.1:0", "--data", str(folder / "data"), "--metrics", page)
    with ServiceProcess(*options, "--candidate", "again=hangzhou", log=folder / "log") as process:
        process.page = page
        process.wait_until_serving()
        yield process


def connect(address: str) -> SimpleNamespace:
    """Stubs of both services over one channel of their own."""
    channel = grpc.insecure_channel(address, options=CHANNEL_OPTIONS)
    return SimpleNamespace(
        channel=channel,
        adjudication=adjudication_pb2_grpc.AdjudicationStub(channel),
        pooling=adjudication_pb2_grpc.PoolingLedgerStub(channel),
    )


@pytest.fixture
def stubs(service: ServiceProcess) -> Iterator[SimpleNamespace]:
    """Stubs of the running service."""
    opened = connect(service.address)
    yield opened
    opened.channel.close()
