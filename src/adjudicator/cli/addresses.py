"""Addresses on the command line, checked before anything starts."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import grpc


STORE_SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster")


def store_url(text: str) -> str:
    """Address of a ledger store; the message of a wrong one does not repeat it, for it may hold a password.

    >>> store_url("redis://store:6379/0")
    'redis://store:6379/0'
    >>> store_url("redis+cluster://one:6379,two:6379")
    'redis+cluster://one:6379,two:6379'
    """
    try:
        parts = urlsplit(text)
        addresses = parts.netloc.rpartition("@")[2].split(",")
        ports = [urlsplit("//" + address).port for address in addresses]
        good = parts.scheme in STORE_SCHEMES and all(port is None or port > 0 for port in ports)
        good &= len(addresses) == 1 or parts.scheme.endswith("+cluster")
    except ValueError:
        good = False
    if not good:
        raise argparse.ArgumentTypeError(
            "write redis://host:port/0, rediss://host:port/0, unix:///path/to/socket, or for a cluster"
            " redis+cluster://host:port,host:port or rediss+cluster://host:port,host:port"
        )
    return text


def listen_address(text: str) -> str:
    """Address to listen on; port 0 takes a free one.

    >>> listen_address("127.0.0.1:50051"), listen_address("[::1]:0")
    ('127.0.0.1:50051', '[::1]:0')
    """
    _, colon, port = text.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and int(port) < 65536):
        raise argparse.ArgumentTypeError(f"write HOST:PORT, such as 127.0.0.1:50051, not {text!r}")
    return text


def add_tls(parser: argparse.ArgumentParser) -> None:
    """Add the options of a client that speaks TLS."""
    for name, text in (
        ("ca", "speak TLS; trust this CA certificate"),
        ("cert", "own certificate chain"),
        ("key", "own private key"),
    ):
        variable = f"ADJUDICATOR_TLS_{name.upper()}"
        set_before = os.environ.get(variable)
        parser.add_argument(
            f"--tls-{name}", type=Path, metavar="FILE", default=Path(set_before) if set_before else None,
            help=f"{text}, PEM (default ${variable})",
        )  # fmt: skip


def credentials_of(arguments: argparse.Namespace) -> grpc.ChannelCredentials | None:
    """Return what a channel needs to speak TLS, None for plain text."""
    from adjudicator.client import tls_credentials

    if not arguments.tls_ca:
        return None
    return tls_credentials(arguments.tls_ca, arguments.tls_cert, arguments.tls_key)
