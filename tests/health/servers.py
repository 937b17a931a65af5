"""A server of each kind that a test may freeze, and an address where nobody ever answers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from sentinel.embedded import start_valkey, store_url
from tests.e2e import processes
from tests.services import DIRECTORY, start_postgres


@dataclass(frozen=True)
class Server:
    """`at` makes its kind's address of a host and a port."""

    url: str
    pid: int
    at: Callable[[str, int], str]

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Connections are still accepted by the kernel, and nothing is ever answered."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


@contextlib.contextmanager
def postgres() -> Iterator[Server]:
    directory = DIRECTORY / "frozen-postgres"
    url = start_postgres(directory)
    pid = int((directory / "postmaster.pid").read_text().split()[0])
    yield Server(url, pid, lambda host, port: f"postgres://postgres:hunter2@{host}:{port}/postgres")


@contextlib.contextmanager
def valkey() -> Iterator[Server]:
    directory = Path(tempfile.mkdtemp(prefix="valkey-"))
    process = start_valkey(directory)
    try:
        yield Server(store_url(directory), process.pid, lambda host, port: f"redis://:hunter2@{host}:{port}/0")
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def rabbitmq() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="mq-") as name, processes.rabbitmq(Path(name)) as url:
        port = int(url.rpartition(":")[2].strip("/"))
        pid = next(one.pid for one in psutil.net_connections("tcp") if one.laddr and one.laddr.port == port and one.pid)
        yield Server(url, pid, lambda host, port: f"amqp://guest:hunter2@{host}:{port}//")


@contextlib.contextmanager
def never_accepting() -> Iterator[int]:
    """Yields the port of a socket that listens and accepts nobody."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield int(listening.getsockname()[1])
