"""`make run`: everything Sentinel needs on one machine, and nothing that listens there already is touched."""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NoReturn

from celery import Celery

from sentinel.embedded import NotStarted, NoValkey, valkey_binary, valkey_command, wait_for_valkey
from sentinel.run.children import House, Stopped
from sentinel.run.environment import environment_of, replace_environment
from sentinel.run.place import BASE_DIR, HOST, CannotRun, listen, make_room, take_lock
from sentinel.run.words import greeting, say, short

# How long starting may take on a slow machine before something must be wrong.
START_DEADLINE_S = 90.0


def main(arguments: list[str]) -> int:
    var = Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").absolute()
    try:
        if arguments[:1] == ["manage"]:
            manage(var, arguments[1:])
        return run(var)
    except (CannotRun, NoValkey, NotStarted) as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 1


def run(var: Path) -> int:
    make_room(var)
    lock = take_lock(var / "lock")
    listener = listen(os.environ.get("PORT") or "8000")
    replace_environment(environment_of(var))
    house = House(var, lock)
    house.listen_to_signals()
    try:
        start_all(house, listener)
        say(greeting(var, listener.getsockname()[1]))
        listener.close()
        while True:
            house.pause()
    except Stopped:
        say("\nStopping.")
    finally:
        house.stop()
    say(f"Stopped. The data stays in {short(var)}; `make clean` forgets it.")
    return 0


def start_all(house: House, listener: socket.socket) -> None:
    var, python, handle = house.var, sys.executable, listener.fileno()
    command = valkey_command(var / "valkey", keep=True, binary=valkey_binary(), log=var / "log" / "valkey.log")
    valkey = house.start("valkey", command, deadline_s=10.0)
    wait_for_valkey(valkey.process, var / "valkey", valkey.log)
    say("Preparing the database and the shop.")
    house.finish(house.start("prepare", [python, "-m", "sentinel.prepare"]))
    worker = [python, "-m", "celery", "-A", "sentinel", "--quiet", "worker", "--pool", "threads", "--concurrency", "2"]
    house.start("worker", [*worker, "--hostname", "default@%h", "-B"])
    house.start("events", [*worker, "--hostname", "events@%h", "--queues", "events"])
    web = [python, "-m", "gunicorn", "-c", str(BASE_DIR / "deploy" / "gunicorn.conf.py"), "--bind", f"fd://{handle}"]
    house.start("web", web, keep_open=(handle,))
    wait_until_ready(house, listener.getsockname()[1])


def wait_until_ready(house: House, port: int) -> None:
    """Waits for the web server and for both workers."""
    control = Celery("run", set_as_current=False).control  # its broker is CELERY_BROKER_URL
    deadline = time.monotonic() + START_DEADLINE_S
    while not (_healthy(port) and len(control.ping(timeout=1.0, limit=2) or ()) == 2):
        house.pause()
        if time.monotonic() > deadline:
            raise CannotRun(
                f"Sentinel did not start within {START_DEADLINE_S:.0f} s; the logs are in {house.var / 'log'}."
            )


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def manage(var: Path, arguments: list[str]) -> NoReturn:
    """Runs a Django command on the data of `make run`."""
    make_room(var)
    os.execve(sys.executable, [sys.executable, str(BASE_DIR / "manage.py"), *arguments], environment_of(var))  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
