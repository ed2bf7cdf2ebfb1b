"""What an empty unary call costs its server, with the loop of asyncio and with uvloop, by turns.

The server is ``echo_server.py``; CPU is that of its process, from the operating system (Linux). Run

    .venv/bin/python benchmarks/echo_cost.py
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc

CALLERS, SECONDS, TURNS = (1, 16), 2.0, 3
REQUEST, ANSWER = bytes(5_000), bytes(2_500)


def cpu_seconds(process: int) -> float:
    """CPU of a process, user and system."""
    words = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, words[11:13])) / os.sysconf("SC_CLK_TCK")


async def load(address: str, process: int, callers: int) -> tuple[float, float]:
    """Return microseconds of the server's CPU a call, and calls a second."""
    async with grpc.aio.insecure_channel(address) as channel:
        call, done = channel.unary_unary("/adjudicator.v1.Adjudication/Settle"), 0
        for _ in range(200):
            await call(REQUEST)
        used, begin = cpu_seconds(process), time.perf_counter()

        async def caller() -> None:
            nonlocal done
            while time.perf_counter() < begin + SECONDS:
                await call(REQUEST)
                done += 1

        await asyncio.gather(*(caller() for _ in range(callers)))
        return (cpu_seconds(process) - used) / done * 1e6, done / (time.perf_counter() - begin)


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
                    address = server.stdout.readline().split()[-1]
                    found = [asyncio.run(load(address, server.pid, callers)) for callers in CALLERS]
                    server.kill()
                listed = ", ".join(
                    f"{callers} callers {micro:.0f} us, {rate:,.0f}/s"
                    for callers, (micro, rate) in zip(CALLERS, found, strict=True)
                )
                print(f"turn {turn + 1}, {loop}: {listed}", flush=True)


if __name__ == "__main__":
    main()
