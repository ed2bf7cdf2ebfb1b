"""What an empty unary call costs its server, with the loop of asyncio and with uvloop, by turns.

The server is ``echo_server.py``; CPU is that of its process, from the operating system (Linux). Run

    .venv/bin/python -m benchmarks.echo_cost
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc
from benchmarks.load import load

CALLERS, CALLS, TURNS = (1, 16), 3_000, 3
REQUEST, ANSWER = bytes(5_000), bytes(2_500)


def main() -> None:
    """Print one row a turn and loop."""
    print(f"grpcio {grpc.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("1", "100"):
            Path(folder, name).write_bytes(ANSWER)
        for turn in range(TURNS):
            for loop in ("asyncio", "uvloop"):
                command = [sys.executable, str(Path(__file__).with_name("echo_server.py")), folder, loop]
                with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
                    assert server.stdout is not None
                    address, told = server.stdout.readline().split()[-1], []
                    for callers in CALLERS:
                        for calls in (200, CALLS):  # the first ones do not count
                            found = asyncio.run(load(address, server.pid, "Settle", [REQUEST] * calls, 1, callers))
                        told.append(f"{callers} callers {found.micro(found.cpu.service):.0f} us, {found.rate:,.0f}/s")
                    server.kill()
                print(f"turn {turn + 1}, {loop}: {', '.join(told)}", flush=True)


if __name__ == "__main__":
    main()
