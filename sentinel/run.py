"""`make run`: everything Sentinel needs on one machine, and nothing that listens there already is touched.

Children run in sessions of their own: a Ctrl-C in the terminal would else reach all at once, and Valkey would leave
with the events that the workers still want. They are stopped in the order in which they need each other.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from celery import Celery

from sentinel import prepare
from sentinel.embedded import (
    NotStarted,
    NoValkey,
    broker_url,
    store_url,
    valkey_binary,
    valkey_command,
    wait_for_valkey,
)

HOST = "127.0.0.1"
BASE_DIR = Path(__file__).resolve().parent.parent

# A unix socket's path may hold 107 characters on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 103

# How long starting may take on a slow machine before something must be wrong.
START_DEADLINE_S = 90.0
# What an earlier run left behind ends by itself (see `with_parent`); it has this long.
LEFTOVER_DEADLINE_S = 20.0

# Variables that libraries read by themselves, past the settings.
FOREIGN = ("CELERY_", "GUNICORN_", "DJANGO_")

PR_SET_PDEATHSIG = 1


class CannotRun(Exception):
    """One line that says what is wrong and what helps."""


class Stopped(Exception):
    """Ctrl-C, a closed terminal or SIGTERM while starting or running."""


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    deadline_s: float  # between being asked to end and being killed


class House:
    """The children of this run, in the order they were started."""

    def __init__(self, var: Path, lock: int) -> None:
        self.var = var
        self.children: list[Child] = []
        self._lock = lock
        self._asked = 0
        self._terminal = select.poll()

    def listen_to_signals(self) -> None:
        """The handler only takes a note: an exception could come between starting a child and remembering it."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup a closed terminal is meant to be survived.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._ask)
        # Where make is a terminal's first process, SIGHUP goes to make alone, which waits for us: so look ourselves.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            for descriptor in filter(os.isatty, (0, 1, 2)):
                self._terminal.register(descriptor, 0)  # that it was closed is told unasked

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1

    def pause(self, seconds: float = 0.1) -> None:
        """Waits a little; raises Stopped when somebody asked, CannotRun when a child ended by itself."""
        time.sleep(seconds)
        if self._asked or self._terminal.poll(0):
            raise Stopped
        for child in self.children:
            code = child.process.poll()
            if code is not None:
                raise CannotRun(
                    f"{child.name} ended by itself ({_ending(code)}), so all is stopped. Its log: {child.log}"
                )

    def start(
        self,
        name: str,
        command: list[str],
        *,
        deadline_s: float = 15.0,
        keep_open: tuple[int, ...] = (),
    ) -> Child:
        """Starts a child that ends with this process and holds the lock as long as it lives."""
        log = self.var / "log" / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.old"))
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                cwd=BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(self._lock, *keep_open),
                preexec_fn=with_parent(),  # noqa: PLW1509 - this process has one thread
            )
        child = Child(name, process, log, deadline_s)
        self.children.append(child)
        _note(self._lock, [os.getpid(), *(child.process.pid for child in self.children)])
        return child

    def finish(self, child: Child) -> None:
        """Waits for a child that has one thing to do."""
        self.children.remove(child)
        try:
            while child.process.poll() is None:
                self.pause()
        except (Stopped, CannotRun):  # another one ended, or somebody asked: this one is to be stopped as well
            self.children.append(child)
            raise
        if child.process.returncode:
            raise CannotRun(f"{child.name} failed ({_ending(child.process.returncode)}). Its log: {child.log}")

    def stop(self) -> None:
        """Stops the children, last started first; each has its deadline. Ctrl-C a second time waits for nobody."""
        patience = self._asked + 1
        for child in reversed(self.children):
            _signal(child, signal.SIGTERM)
            deadline = time.monotonic() + child.deadline_s
            while child.process.poll() is None and time.monotonic() < deadline and self._asked < patience:
                time.sleep(0.05)
            # The whole session, also where its first process ended well: nothing of ours may stay behind.
            _signal(child, signal.SIGKILL)
            child.process.wait()


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
    say(f"Stopped. The data stays in {_short(var)}; `make clean` forgets it.")
    return 0


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
    _note(handle, [os.getpid()])
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


def environment_of(var: Path) -> dict[str, str]:
    """Returns every setting of this run. None comes from `.env` or the shell: those may be meant for another."""
    valkey = var / "valkey"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return inherited | {
        "PYTHONUNBUFFERED": "1",
        "WEB_CONCURRENCY": "2",
        "DJANGO_SETTINGS_MODULE": "sentinel.settings",
        "ENV_FILE": "",
        "VAR_DIR": str(var),
        "STATIC_ROOT": str(var / "static"),
        "SPOOL_DIR": str(var / "spool"),
        "SECRET_KEY": prepare.kept_secret(var / prepare.SECRET_KEY)[0],
        "DEBUG": "false",
        "HTTPS": "false",
        "BEHIND_TLS_PROXY": "false",
        "LOG_FORMAT": "text",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "CSRF_TRUSTED_ORIGINS": "",
        "CORS_ALLOWED_ORIGINS": "",
        "LEGACY_FIELDS": "false",
        "DATABASE_URL": "",  # SQLite in VAR_DIR
        "REDIS_URL": store_url(valkey),
        "IP_TRACKING_STORE_URL": store_url(valkey),
        "METRICS_REDIS_URLS": store_url(valkey),
        "CELERY_BROKER_URL": broker_url(valkey, 1),
        "EMAIL_URL": "consolemail://",
        "DEFAULT_FROM_EMAIL": "shop@localhost",
        "PAYMENT_PROVIDER": "",
        "SHOP_URL": "",
        "IP_TRACKING_MODE": "enforce",
        "ENFORCE": "block",
        "READY_NEEDS": "database,redis,broker",
        "DATADOG_NOTIFY": "",
        "DATADOG_SCOPE": "*",
        "RUNBOOKS_URL": "",
        "SITE_URL": "",
        "WEBHOOK_URL": "",
        "WEBHOOK_SECRET": "",
        "WEBHOOK_NETWORKS": "",
        "KEEP_LOG_DAYS": "",
        "KEEP_EVIDENCE_DAYS": "",
        "KEEP_CASE_DAYS": "",
        # So that a client on this machine can speak as a proxy would, and be any address.
        "TRUSTED_PROXIES": "127.0.0.0/8,::1",
        "PROXY_HEADER": "X-Forwarded-For",
    }


def replace_environment(environment: dict[str, str]) -> None:
    """Makes it this process' own, and so its children's: Celery lets variables go over its arguments."""
    os.environ.clear()
    os.environ.update(environment)


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


def greeting(var: Path, port: int) -> str:
    url = f"http://{HOST}:{port}"
    staff = _secret(var / prepare.STAFF_PASSWORD) or "(the password you gave it)"
    customer = _secret(var / prepare.CUSTOMER_PASSWORD)
    attack = (
        "curl -s -o /dev/null -w '%{http_code} ' -H 'X-Forwarded-For: 203.0.113.9' -H 'Content-Type: application/json' "
        f"""-d '{{"username": "ada", "password": "wrong"}}' {url}/api/v1/auth/token/"""
    )
    return f"""
Sentinel runs.

  Shop API    {url}/api/v1/products/
  API docs    {url}/api/v1/docs/
  Admin       {url}/admin/    {prepare.STAFF} / {staff}
  Customers   ada, ben, chloe / {customer}
  Health      {url}/healthz, {url}/readyz, explained in {url}/admin/health/
  Logs        {_short(var / "log")}/

Try an attack: somebody at 203.0.113.9 guesses passwords. This machine counts as a trusted proxy here, so the client is
whom X-Forwarded-For names, and you don't lock yourself out.

  for i in $(seq 12); do {attack}; done; echo

A wrong password is answered 401, after ten in a minute 429. Within two seconds of the first few the case is in the
admin under "Suspicious IPs", and as ENFORCE=block here, the address is refused whatever it asks (403).

Ctrl-C stops everything."""


def manage(var: Path, arguments: list[str]) -> NoReturn:
    """Runs a Django command on the data of `make run`."""
    make_room(var)
    os.execve(sys.executable, [sys.executable, str(BASE_DIR / "manage.py"), *arguments], environment_of(var))  # noqa: S606


def with_parent() -> Callable[[], None] | None:
    """Returns what a child does first, so that it is asked to end when this process is killed. Linux can do that."""
    if not sys.platform.startswith("linux"):
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def ask_the_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # killed before it was asked
            os._exit(1)

    return ask_the_kernel


def say(text: str) -> None:
    try:
        print(text, flush=True)  # noqa: T201
    except OSError:  # the terminal was closed; there is work to do all the same
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _signal(child: Child, number: int) -> None:
    """To a child asked to end, and to its whole session when it is killed."""
    try:
        if number == signal.SIGKILL:
            os.killpg(child.process.pid, number)
        else:
            child.process.send_signal(number)
    except (ProcessLookupError, PermissionError):  # macOS says "not permitted" of a group that has ended
        pass


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _note(handle: int, pids: list[int]) -> None:
    """Writes into the lock who holds it: this process, then its children."""
    os.ftruncate(handle, 0)
    os.pwrite(handle, " ".join(map(str, pids)).encode(), 0)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _secret(path: Path) -> str:
    return path.read_text("utf-8").strip() if path.exists() else ""


def _short(path: Path) -> str:
    return str(path.relative_to(BASE_DIR)) if path.is_relative_to(BASE_DIR) else str(path)


def _next(port: str) -> int:
    return int(port) + 1 if int(port) < 65_535 else 8_000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
