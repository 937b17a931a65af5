"""A Redis Cluster of three Valkey processes on loopback, each holding a third of the slots."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis

from sentinel.embedded import valkey_binary
from tests.e2e.processes import free_port, wait_until
from tests.services import STORE_BINARY

SLOTS = 16_384
NODES = 3


@dataclass
class Node:
    port: int
    process: subprocess.Popen[bytes]
    client: redis.Redis


@dataclass
class RunningCluster:
    nodes: list[Node]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def holder_of(self, key: str) -> Node:
        slot = self.nodes[0].client.execute_command("CLUSTER KEYSLOT", key)
        return self.nodes[slot * NODES // SLOTS]

    def flush(self) -> None:
        for node in self.nodes:
            node.client.flushall()


@contextlib.contextmanager
def running_cluster(directory: Path) -> Iterator[RunningCluster]:
    """Started without a cluster's own tool, which the wheel has not: each node is told its slots and the others."""
    with contextlib.ExitStack() as stack:
        nodes = [_start(directory, stack) for _ in range(NODES)]
        for place, node in enumerate(nodes):
            wait_until(lambda node=node: _answers(node), "a node's start")
            first, end = (SLOTS * at // NODES for at in (place, place + 1))
            node.client.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
            node.client.execute_command("CLUSTER SET-CONFIG-EPOCH", place + 1)
        for node in nodes[1:]:
            nodes[0].client.execute_command("CLUSTER MEET", "127.0.0.1", node.port, node.port + 1)
        wait_until(lambda: all(_is_well(node) for node in nodes), "the cluster's agreement")
        yield RunningCluster(nodes)


def _start(directory: Path, stack: contextlib.ExitStack) -> Node:
    port = _two_free_ports()
    process = subprocess.Popen(
        [
            STORE_BINARY or valkey_binary(), "--port", str(port), "--bind", "127.0.0.1",
            "--dir", str(directory), "--save", "",
            "--cluster-enabled", "yes", "--cluster-port", str(port + 1), "--cluster-config-file", f"{port}.conf",
            # A node that is away does not take the others with it.
            "--cluster-require-full-coverage", "no", "--cluster-node-timeout", "1000",
            "--logfile", str(directory / f"{port}.log"),
        ],
        start_new_session=True,
    )  # fmt: skip
    stack.callback(process.wait, 10)
    stack.callback(process.kill)
    return Node(port, process, redis.Redis(port=port))


def _two_free_ports() -> int:
    """The second is for the nodes among themselves."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        port = free_port()
        if port < 65_535 and _is_free(port + 1):
            return port
    raise AssertionError("no two ports side by side are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _answers(node: Node) -> bool:
    try:
        return bool(node.client.ping())
    except redis.RedisError:
        return False


def _is_well(node: Node) -> bool:
    found = node.client.execute_command("CLUSTER INFO")
    return bool(found["cluster_state"] == "ok" and int(found["cluster_known_nodes"]) == NODES)
