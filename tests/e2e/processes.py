"""Starts servers and workers as processes of their own, on free ports, and stops them by their own ids."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import requests

from sentinel.embedded import start_valkey, store_url
from tests.required import require

ROOT = Path(__file__).resolve().parents[2]

# RabbitMQ takes some ten seconds on two cores, more when they are busy.
START_DEADLINE_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    condition: Callable[[], Any], what: str, deadline_s: float = START_DEADLINE_S, every_s: float = 0.02
) -> Any:
    """Returns what the condition returned when it was first true."""
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(every_s)
    raise AssertionError(f"{what} did not happen within {deadline_s} s")


@contextlib.contextmanager
def running(
    args: list[str], env: dict[str, str], log: Path, directory: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a program in a session of its own; at the end SIGTERM, then SIGKILL for what does not listen."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            args, env=env, cwd=directory, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """Debian's Redis, as a production would run it; yields its URL."""
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        process = start_valkey(Path(name), binary=require("redis-server", "redis-server"))
        try:
            yield store_url(Path(name))
        finally:
            process.terminate()
            process.wait(10)


@contextlib.contextmanager
def rabbitmq(directory: Path) -> Iterator[str]:
    """A RabbitMQ node with its own port mapper, so that nothing of it outlives the test; yields its URL."""
    require("rabbitmq-server", "rabbitmq-server")
    port, mapper_port = free_port(), free_port()
    env = {
        **os.environ,
        "HOME": str(directory),
        "ERL_EPMD_PORT": str(mapper_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(directory / "none"),
    }
    mapper = [require("epmd", "rabbitmq-server"), "-port", str(mapper_port), "-address", "127.0.0.1"]
    server = ["/usr/lib/rabbitmq/bin/rabbitmq-server"]
    log = directory / "rabbitmq.log"
    with running(mapper, env, log), running(server, env, log) as node:
        wait_until(lambda: node.poll() is not None or _answers(port), "RabbitMQ's start")
        assert node.poll() is None, log.read_text()
        yield f"amqp://guest:guest@127.0.0.1:{port}//"


def _answers(port: int) -> bool:
    """A RabbitMQ that is up answers the protocol header with a frame."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(connection.recv(1))
    except OSError:
        return False


@contextlib.contextmanager
def database(name: str) -> Iterator[str]:
    """A database of its own on the run's PostgreSQL; yields its URL."""
    server = os.environ["DATABASE_URL"]
    with contextlib.closing(psycopg2.connect(server)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
    yield server.replace("/postgres?", f"/{name}?")
    with contextlib.closing(psycopg2.connect(server)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def manage(env: dict[str, str], *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *args], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def gunicorn(port: int) -> list[str]:
    args = ["-w", "2", "--threads", "4", "--bind", f"127.0.0.1:{port}", "sentinel.wsgi"]
    return [sys.executable, "-m", "gunicorn", *args]


def uvicorn(port: int) -> list[str]:
    args = ["--no-proxy-headers", "--port", str(port), "--log-level", "warning", "sentinel.asgi:application"]
    return [sys.executable, "-m", "uvicorn", *args]


def worker(*args: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "sentinel", "worker", "--loglevel", "warning", *args]


def is_healthy(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=1).ok
    except requests.RequestException:
        return False


def remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
