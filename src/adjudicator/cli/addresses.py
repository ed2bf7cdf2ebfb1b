"""Addresses on the command line, checked before anything starts."""

from __future__ import annotations

import argparse
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
    parser.add_argument("--tls-ca", type=Path, metavar="FILE", help="speak TLS; trust this CA certificate, PEM")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="own certificate chain, PEM")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="own private key, PEM")


def credentials_of(arguments: argparse.Namespace) -> grpc.ChannelCredentials | None:
    """Return what a channel needs to speak TLS, None for plain text."""
    import grpc

    if not arguments.tls_ca:
        return None
    own = [file.read_bytes() if file else None for file in (arguments.tls_key, arguments.tls_cert)]
    return grpc.ssl_channel_credentials(arguments.tls_ca.read_bytes(), *own)
