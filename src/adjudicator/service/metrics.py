"""Counters of the service and the text page a Prometheus server reads.

The page is served by a few lines of asyncio: it has one path and no input.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class Metrics:
    """Calls by outcome, their time, and gauges that are read when the page is."""

    def __init__(self) -> None:
        self.calls: dict[tuple[str, str], int] = defaultdict(int)
        self.buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS_SECONDS) + 1))
        self.seconds: dict[str, float] = defaultdict(float)
        self.in_progress = 0
        self.gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self.counters: dict[str, int] = defaultdict(int)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Register a value that is read when the page is."""
        self.gauges[name] = (text, read)

    def started(self) -> float:
        """Note the start of a call; the answer goes to :meth:`finished`."""
        self.in_progress += 1
        return time.perf_counter()

    def finished(self, call: str, code: str, started: float) -> None:
        """Note the end of a call: ``OK`` or the code of its refusal."""
        took_seconds = time.perf_counter() - started
        self.in_progress -= 1
        self.calls[call, code] += 1
        self.seconds[call] += took_seconds
        position = 0
        while position < len(BUCKETS_SECONDS) and took_seconds > BUCKETS_SECONDS[position]:
            position += 1
        self.buckets[call][position] += 1

    def page(self) -> str:
        """Return the text page.

        >>> metrics = Metrics()
        >>> metrics.finished("Settle", "OK", metrics.started())
        >>> 'adjudicator_calls_total{call="Settle",code="OK"} 1' in metrics.page()
        True
        """
        lines = ["# HELP adjudicator_calls_total Calls by outcome.", "# TYPE adjudicator_calls_total counter"]
        for (call, code), count in sorted(self.calls.items()):
            lines.append(f'adjudicator_calls_total{{call="{call}",code="{code}"}} {count}')
        lines += ["# HELP adjudicator_call_seconds Time of a call.", "# TYPE adjudicator_call_seconds histogram"]
        for call, buckets in sorted(self.buckets.items()):
            lines += self._histogram(call, buckets)
        lines += [
            "# HELP adjudicator_calls_in_progress Calls being answered.",
            "# TYPE adjudicator_calls_in_progress gauge",
        ]
        lines.append(f"adjudicator_calls_in_progress {self.in_progress}")
        for name, count in sorted(self.counters.items()):
            lines += [f"# TYPE adjudicator_{name}_total counter", f"adjudicator_{name}_total {count}"]
        for name, (text, read) in sorted(self.gauges.items()):
            lines += [
                f"# HELP adjudicator_{name} {text}",
                f"# TYPE adjudicator_{name} gauge",
                f"adjudicator_{name} {read():g}",
            ]
        return "\n".join(lines) + "\n"

    def _histogram(self, call: str, buckets: list[int]) -> list[str]:
        lines, below = [], 0
        for limit, count in zip((*map(str, BUCKETS_SECONDS), "+Inf"), buckets, strict=True):
            below += count
            lines.append(f'adjudicator_call_seconds_bucket{{call="{call}",le="{limit}"}} {below}')
        lines.append(f'adjudicator_call_seconds_sum{{call="{call}"}} {self.seconds[call]:.6f}')
        lines.append(f'adjudicator_call_seconds_count{{call="{call}"}} {below}')
        return lines


class Gate(NamedTuple):
    """Who may read the page: callers with a certificate, of these those that are let in by its names."""

    context: ssl.SSLContext
    lets_in: Callable[[Sequence[bytes]], Awaitable[bool]]


async def serve_page(metrics: Metrics, address: str, gate: Gate | None = None) -> asyncio.Server:
    """Serve the page at ``http://address/``, with a gate at ``https://address/``."""
    host, _, port = address.rpartition(":")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            allowed = gate is None or await gate.lets_in(names_of(writer.get_extra_info("peercert")))
            status, body = ("200 OK", metrics.page().encode()) if allowed else ("403 Forbidden", b"")
            head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n"
            writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            pass  # a reader of the page that goes away or sends nonsense is nobody's problem
        finally:
            writer.close()

    context = gate.context if gate else None
    return await asyncio.start_server(answer, host.strip("[]") or "127.0.0.1", int(port), ssl=context)


def names_of(certificate: Mapping[str, Any]) -> list[bytes]:
    """Return the names of a caller's certificate: its alternative names, or the common name where it has none.

    >>> names_of({"subject": ((("commonName", "a"),),), "subjectAltName": (("DNS", "b"), ("URI", "c"))})
    [b'b', b'c']
    >>> names_of({"subject": ((("countryName", "CN"),), (("commonName", "a"),))})
    [b'a']
    """
    names = [name for _, name in certificate.get("subjectAltName", ())]
    if not names:
        parts = [part for parts in certificate.get("subject", ()) for part in parts]
        names = [name for kind, name in parts if kind == "commonName"]
    return [name.encode() for name in names]
