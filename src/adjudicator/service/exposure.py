"""What of a service is open to whom: its addresses, and the way to its store."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from adjudicator.errors import E, refuse
from adjudicator.service.options import ServeOptions


def is_loopback(address: str) -> bool:
    """Return whether only this host reaches an address HOST:PORT; an empty host is every interface.

    >>> [is_loopback(address) for address in ("127.0.0.1:1", "localhost:1", "[::1]:1", "0.0.0.0:1", ":1", "store:1")]
    [True, True, True, False, False, False]
    """
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(options: ServeOptions) -> None:
    """Refuse to serve strangers off this host, unless told so by name. Errors: E.EVERYBODY_MAY_CALL."""
    if options.callers is not None or options.insecure:
        return
    for field, address in (("listen", options.listen), ("metrics", options.metrics)):
        if address and not is_loopback(address):
            raise refuse(E.EVERYBODY_MAY_CALL, field, address)


def doubts_of_store(url: str) -> Iterator[str]:
    """Say what the way to a store lacks where the store is not on this host; nothing of the address is repeated.

    >>> list(doubts_of_store("redis://store:6379/0"))
    ['no TLS to a store on another host', 'no password for a store on another host']
    >>> list(doubts_of_store("rediss://user:secret@store:6379/0")), list(doubts_of_store("redis://127.0.0.1:6379"))
    ([], [])
    """
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    named = [urlsplit("//" + host).hostname or "" for host in hosts.split(",")]
    if parts.scheme == "unix" or all(is_loopback(f"{host}:0") for host in named):
        return
    if not parts.scheme.startswith("rediss"):
        yield "no TLS to a store on another host"
    if not credentials.partition(":")[2] and "password=" not in parts.query:
        yield "no password for a store on another host"
