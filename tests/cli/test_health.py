"""The health command against a real gRPC health service."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from adjudicator.cli.main import main


@pytest.fixture
def server():
    """A health service and its address."""
    servicer = health.HealthServicer()
    server = grpc.server(ThreadPoolExecutor(2))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.mark.parametrize(("state", "code"), [("SERVING", 0), ("NOT_SERVING", 1)])
def test_state_is_printed_and_is_the_exit_code(server, capsys, state, code):
    servicer, target = server
    servicer.set("", health_pb2.HealthCheckResponse.ServingStatus.Value(state))
    assert main(["health", "--target", target, "--json"]) == code
    assert json.loads(capsys.readouterr().out) == {"target": target, "state": state}


def test_unknown_service_is_not_ready(server, capsys):
    assert main(["health", "--target", server[1], "--service", "no.such"]) == 1
    assert capsys.readouterr().out.strip() == "NOT_FOUND"


def test_nobody_there(capsys):
    assert main(["health", "--target", "127.0.0.1:1", "--timeout", "5"]) == 1
    assert capsys.readouterr().out.strip() == "UNAVAILABLE"
