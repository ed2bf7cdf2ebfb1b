"""A real cluster of the packaged server on this machine, for benchmarks and tests: each write on the disk at once."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis
from redis.crc import key_slot

from adjudicator.ledger import keys as names
from adjudicator.ledger.embedded import find_server_binary

SLOTS = 16_384
BUS_OFFSET = 10_000
"""Nodes speak with each other on the port that is this much higher."""
START_SECONDS = 60.0


@dataclass
class Node:
    """One server of the cluster."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def client(self) -> redis.Redis:
        """A client for the commands of the cluster itself."""
        return redis.Redis(port=self.port, socket_timeout=START_SECONDS)

    @property
    def cpu_seconds(self) -> float:
        """CPU of the process so far, user and system."""
        return sum(psutil.Process(self.process.pid).cpu_times()[:2])

    @property
    def file_bytes(self) -> int:
        """Size of the append-only file."""
        return sum(path.stat().st_size for path in self.folder.rglob("*.aof"))


class StoreCluster:
    """Some nodes that share all slots evenly."""

    def __init__(self, nodes: list[Node]):
        self.nodes = nodes

    @property
    def url(self) -> str:
        """Address for ``Ledger.open``."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def node_of(self, pool: str) -> int:
        """Number of the node that has a pool."""
        slot = key_slot(names.version(pool).encode())
        return next(number for number in range(len(self.nodes)) if slot in slots_of(number, len(self.nodes)))

    def restart(self, number: int) -> float:
        """Start a node that has ended, over its file; return the seconds until it answers for its slots."""
        began = time.perf_counter()
        node = self.nodes[number]
        self.nodes[number] = launch(node.folder, node.port)
        wait_for(self.nodes[number])
        self.wait_until_joined()
        return time.perf_counter() - began

    def wait_until_joined(self) -> None:
        """Wait until every node knows all others and all slots."""
        until = time.monotonic() + START_SECONDS
        while not all(is_joined(node, len(self.nodes)) for node in self.nodes):
            assert time.monotonic() < until, "the nodes do not find each other"
            time.sleep(0.05)


def slots_of(number: int, nodes: int) -> range:
    """Return the slots of a node."""
    return range(SLOTS * number // nodes, SLOTS * (number + 1) // nodes)


def launch(folder: Path, port: int) -> Node:
    """Start a server of a cluster on a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": port, "bind": "127.0.0.1", "dir": folder, "cluster-enabled": "yes", "appendonly": "yes",
        "appendfsync": "always", "save": "", "maxmemory-policy": "noeviction",
        "auto-aof-rewrite-min-size": "512mb", "rdbcompression": "no",
        "cluster-require-full-coverage": "no", "cluster-node-timeout": "5000",
    }  # fmt: skip
    command = [str(find_server_binary())]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    with open(folder / "log", "ab") as log:
        return Node(port, folder, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))


def wait_for(node: Node) -> None:
    """Wait until a server answers, its file read."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            with node.client as client:
                client.ping()
                return
        except redis.ConnectionError:  # also while it reads its file
            if node.process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.01)


@contextlib.contextmanager
def store_cluster(folder: Path, nodes: int = 3) -> Iterator[StoreCluster]:
    """Run a cluster with its data in a folder."""
    cluster = StoreCluster([])
    try:
        for number, port in enumerate(free_ports(nodes)):
            cluster.nodes.append(launch(folder / f"node-{number}", port))
            wait_for(cluster.nodes[-1])
        for number, node in enumerate(cluster.nodes):
            slots = slots_of(number, nodes)
            node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", slots.start, slots.stop - 1)
            cluster.nodes[0].client.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port)
        cluster.wait_until_joined()
        yield cluster
    finally:
        for node in cluster.nodes:
            node.process.kill()
            node.process.wait()


def is_joined(node: Node, nodes: int) -> bool:
    """Whether a node knows all others and all slots."""
    found = node.client.execute_command("CLUSTER INFO")
    return (found["cluster_state"], found["cluster_known_nodes"]) == ("ok", str(nodes)) and (
        found["cluster_slots_ok"] == str(SLOTS)
    )


def free_ports(count: int) -> list[int]:
    """Return ports that are free now, as their bus ports are, drawn by chance: clusters beside each other differ."""
    found: list[int] = []
    for port in random.sample(range(20_000, 30_000), 10_000):
        if all(is_free(one) for one in (port, port + BUS_OFFSET)):
            found.append(port)
        if len(found) == count:
            break
    return found


def is_free(port: int) -> bool:
    """Whether nobody listens on a loopback port."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
