"""A real Dask scheduler and workers over TCP: the bytes of a run on this machine, also when a worker is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

import adjudicator
from adjudicator.errors import AdjudicatorError, E
from adjudicator.reprice import job
from tests.reprice.tables import contents, price_files, write_nested

FILES = 12
T = TypeVar("T")
pytest.importorskip("distributed", reason="needs the extra dask: pip install distributed")
cluster = pytest.importorskip("adjudicator.reprice.cluster")


class Dask:
    """A scheduler and its workers, one process each."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._processes = folder, list[subprocess.Popen[bytes]]()
        self._file = folder / "scheduler.json"
        self._start("dask scheduler --host 127.0.0.1 --port 0 --no-dashboard --no-show", {})
        self.address = json.loads(wait_for(lambda: self._file.exists() and self._file.read_text()))["address"]

    def _start(self, command: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        dask, *words = command.split()
        process = subprocess.Popen(
            [sys.executable, "-m", dask, *words, "--scheduler-file", str(self._file)], cwd=self._folder,
            env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._processes.append(process)
        return process

    def add_worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker; without a nanny, so that its process is the one that runs the tasks."""
        return self._start("dask worker --host 127.0.0.1 --nthreads 1 --no-nanny --no-dashboard", environment)

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait(30)


def wait_for(found: Callable[[], T], seconds: float = 120) -> T:
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
    return value


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    started = Dask(tmp_path)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def source(claims, tmp_path_factory) -> Path:
    """The year in several files, each a unit of work."""
    folder = tmp_path_factory.mktemp("files")
    size = -(-len(claims) // FILES)
    for number in range(FILES):
        write_nested(claims[number * size : (number + 1) * size], folder / f"{number:02d}.parquet")
    return folder


@pytest.fixture(scope="module")
def plain(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("plain") / "out"
    price_files(source, output, with_lines=True)
    return contents(output)


def command(source: Path, output: Path, dask: Dask, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "adjudicator", "reprice", "--pack", "taohuayuan", "--input", str(source), "--output",
        str(output), "--lines", "--engine", "dask", "--scheduler", dask.address, *more,
    ]  # fmt: skip


def busy(client) -> dict[str, list[str]]:
    """Address of a worker -> the tasks that it was given."""
    return {worker: list(keys) for worker, keys in client.processing().items() if keys}


@pytest.mark.check
def test_a_worker_that_is_killed_in_a_task_changes_no_byte(source, plain, dask, tmp_path):
    workers = [dask.add_worker(), dask.add_worker()]
    with cluster.connect(dask.address) as client:
        client.wait_for_workers(2, timeout=60)
        pids = {address: pid for address, pid in client.run(os.getpid).items()}
        assert set(pids.values()) == {worker.pid for worker in workers}
        process = subprocess.Popen(
            command(source, tmp_path / "out", dask), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        victim = wait_for(lambda: busy(client))
        address = next(iter(victim))
        os.kill(pids[address], signal.SIGSTOP)  # so that the task cannot end before the worker does
        time.sleep(0.5)
        assert address in busy(client), process.communicate(timeout=10)[1].decode()
        os.kill(pids[address], signal.SIGKILL)
        _, told = process.communicate(timeout=240)
        assert process.returncode == 0, told.decode()
        assert len(client.scheduler_info()["workers"]) == 1
    assert contents(tmp_path / "out") == plain
    assert not list((tmp_path / "out").rglob("*.draft"))


@pytest.mark.check
def test_ctrl_c_ends_a_run_that_goes_on_with_resume(source, plain, dask, tmp_path):
    dask.add_worker()
    output = tmp_path / "out"
    process = subprocess.Popen(
        command(source, output, dask), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: list(output.rglob("claims-*.json")))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130 and "--resume" in told, told
    done = {path: path.stat().st_mtime_ns for path in (output / ".work").glob("claims-*.json")}
    assert 0 < len(done) < FILES
    time.sleep(0.5)
    assert {path: path.stat().st_mtime_ns for path in (output / ".work").glob("claims-*.json")} == done  # all is quiet
    subprocess.run(command(source, output, dask, "--resume"), check=True, capture_output=True, timeout=240)
    assert contents(output) == plain


@pytest.mark.check
def test_a_worker_with_another_version_is_refused_by_name(source, dask, tmp_path):
    other = tmp_path / "other" / "adjudicator"
    shutil.copytree(Path(adjudicator.__file__).parent, other)
    with (other / "money.py").open("a", encoding="utf-8") as file:
        file.write("# another version\n")
    dask.add_worker(PYTHONPATH=str(other.parent))
    done = subprocess.run(command(source, tmp_path / "out", dask), capture_output=True, text=True, timeout=240)
    assert done.returncode == 1 and "ADJ-1108" in done.stderr and "tcp://" in done.stderr, done.stderr
    assert not (tmp_path / "out" / "settlements").exists()


@pytest.mark.check
def test_a_cluster_without_a_scheduler_or_a_worker_is_refused(dask, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    for address in ("tcp://127.0.0.1:1", dask.address):
        with pytest.raises(AdjudicatorError) as refused:
            cluster.connect(address)
        assert refused.value.problems[0].number == E.CLUSTER_UNUSABLE


@pytest.mark.parametrize("change", [{"rules_hash": "0" * 16}, {"software": "another"}])
def test_a_process_with_other_rules_or_software_refuses_a_job(engine, change):
    right = job.Job("", ["taohuayuan"], engine.bundle.hash, None, "", "", False, 1, 1, job.software())
    assert job.engine_of(right).bundle.hash == engine.bundle.hash
    with pytest.raises(AdjudicatorError) as refused:
        job.engine_of(right._replace(**change))
    assert refused.value.problems[0].number == E.WORKER_DIFFERS
