"""Worker processes: started again when they die, stopped together, and not restarted for a fault of the options."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from adjudicator.service.supervisor import reserved_port

SUPERVISE = """
import sys
from adjudicator.service.supervisor import supervise
raise SystemExit(supervise([[sys.executable, "-c", worker] for worker in sys.argv[1:]], grace_seconds=5))
"""

PATIENT = """
import os, pathlib, signal, sys, time
folder = pathlib.Path({folder!r})
signal.signal(signal.SIGTERM, lambda *_: ((folder / f"stopped-{{os.getpid()}}").touch(), sys.exit(0)))
(folder / f"started-{{os.getpid()}}").touch()
time.sleep(60)
"""


def supervisor(*workers: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(SUPERVISE), *workers], stderr=subprocess.PIPE)


def pids(folder: Path, event: str, count: int) -> set[int]:
    """Process numbers that noted an event, once there are so many."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = {int(path.name.split("-")[1]) for path in folder.glob(f"{event}-*")}
        if len(found) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError(f"fewer than {count} workers {event}")


def test_a_killed_worker_is_started_again_and_sigterm_stops_all(tmp_path):
    worker = PATIENT.format(folder=str(tmp_path))
    process = supervisor(worker, worker)
    first = pids(tmp_path, "started", 2)
    os.kill(min(first), signal.SIGKILL)
    after = pids(tmp_path, "started", 3)
    assert len(after - first) == 1
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert pids(tmp_path, "stopped", 2) == after - {min(first)}


@pytest.mark.parametrize("code", [1, 2])
def test_a_worker_that_cannot_start_ends_the_service_with_its_code(tmp_path, code):
    process = supervisor(PATIENT.format(folder=str(tmp_path)), f"raise SystemExit({code})")
    process.communicate(timeout=10)
    assert process.returncode == code


def test_the_port_is_decided_before_a_worker_listens_and_stays_shareable():
    with reserved_port("127.0.0.1:0") as address:
        host, port = address.split(":")
        assert int(port) > 0
        with socket.socket() as worker:
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            worker.bind((host, int(port)))
            worker.listen()


def test_the_supervisor_loads_neither_grpc_nor_numba():
    code = (
        "import sys, adjudicator.service.supervisor; print([n for n in ('grpc', 'numba', 'numpy') if n in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code]).decode().strip() == "[]"
