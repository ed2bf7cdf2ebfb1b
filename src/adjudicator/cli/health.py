"""``adjudicator health``: asks a service whether it is ready; for health checks of images and load balancers."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from adjudicator.cli.addresses import add_tls, credentials_of

if TYPE_CHECKING:
    import grpc

DEFAULT_TARGET = "127.0.0.1:50051"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "health",
        help="ask a service whether it is ready",
        description="Asks the standard health service. Exit code 0: SERVING; 1: anything else, or no answer.",
    )
    parser.add_argument("--target", default=DEFAULT_TARGET, metavar="ADDR", help="address (default %(default)s)")
    parser.add_argument("--service", default="", help="name of one service; empty: the whole server")
    parser.add_argument("--timeout", type=float, default=2.0, metavar="SECONDS", help="default %(default)s")
    add_tls(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the state and return 0 when it is SERVING."""
    state = ask(arguments)
    print(json.dumps({"target": arguments.target, "state": state}) if arguments.json else state)
    return 0 if state == "SERVING" else 1


def ask(arguments: argparse.Namespace) -> str:
    """Return SERVING, NOT_SERVING, SERVICE_UNKNOWN, or the gRPC status of a call that failed."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with _channel(arguments) as channel:
        request = health_pb2.HealthCheckRequest(service=arguments.service)
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=arguments.timeout)
        except grpc.RpcError as error:
            return str(error.code().name)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def _channel(arguments: argparse.Namespace) -> grpc.Channel:
    import grpc

    credentials = credentials_of(arguments)
    if credentials is None:
        return grpc.insecure_channel(arguments.target)
    return grpc.secure_channel(arguments.target, credentials)
