"""Where a run lives: its directory, the lock that says that it is there, and its port."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from pathlib import Path

HOST = "127.0.0.1"
BASE_DIR = Path(__file__).resolve().parent.parent.parent

# A unix socket's path may hold 107 characters on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 103

# What an earlier run left behind ends by itself (see `parent.with_parent`); it has this long.
LEFTOVER_DEADLINE_S = 20.0


class CannotRun(Exception):
    """One line that says what is wrong and what helps."""


def make_room(var: Path) -> None:
    try:
        for directory in (var, var / "log", var / "valkey"):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(directory, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "not writable for you", str(directory))
    except OSError as error:
        raise CannotRun(
            f"{error.filename} cannot be written ({error.strerror}): remove it, or say VAR_DIR=..."
        ) from None
    if len(str(var / "valkey" / "valkey.sock")) > LONGEST_SOCKET_PATH:
        raise CannotRun(f"{var} is too long a path for a unix socket: say VAR_DIR=, followed by a shorter one.")


def take_lock(path: Path) -> int:
    """Returns a lock that this process and its children hold: it is free when the last of them has ended."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LEFTOVER_DEADLINE_S
    while not _locked(handle):
        owner, *others = [int(word) for word in path.read_text("utf-8").split()] or [0]
        if _lives(owner):
            raise CannotRun(f"Sentinel runs here already: press Ctrl-C in its terminal, or `kill {owner}`.")
        if time.monotonic() > deadline:
            left = " ".join(str(pid) for pid in others if _lives(pid))
            raise CannotRun(f"An earlier run was killed and something of it lives on: `kill -9 {left}`.")
        time.sleep(0.2)
    note(handle, [os.getpid()])
    return handle


def listen(port: str) -> socket.socket:
    """Takes the port before anything is started; gunicorn is handed the open socket."""
    if not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise CannotRun(f"PORT={port} is not a port: write a number from 1024 to 65535.")
    try:
        return socket.create_server((HOST, int(port)), backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotRun(f"Port {port} is taken: say another one, as in `make run PORT={_next(port)}`.") from None
        raise CannotRun(
            f"Port {port} cannot be used ({error.strerror}): say another one, `make run PORT=8000`."
        ) from None


def note(handle: int, pids: list[int]) -> None:
    """Writes into the lock who holds it: this process, then its children."""
    os.ftruncate(handle, 0)
    os.pwrite(handle, " ".join(map(str, pids)).encode(), 0)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def _next(port: str) -> int:
    return int(port) + 1 if int(port) < 65_535 else 8_000
