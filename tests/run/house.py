"""`make run` without make: starts the supervisor as a shell would, and reads what it prints."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import requests

BASE_DIR = Path(__file__).resolve().parents[2]

# Settings of some other installation, in the shell by accident: none may reach the house.
FOREIGN = {
    "DATABASE_URL": "postgres://somebody@127.0.0.1:5432/theirs",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "CELERY_BROKER_URL": "amqp://127.0.0.1:5672//",
    "BEHIND_TLS_PROXY": "true",
    "HTTPS": "true",
    "DEBUG": "true",
    "GUNICORN_CMD_ARGS": "--bind 0.0.0.0:80",
}


def environment(var: Path, port: str = "0") -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(var), "VAR_DIR": str(var), "PORT": port, **FOREIGN}


def run_once(var: Path, port: str = "0") -> subprocess.CompletedProcess[str]:
    """For runs that end by themselves."""
    return subprocess.run(
        [sys.executable, "-m", "sentinel.run"],
        cwd=BASE_DIR,
        env=environment(var, port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class House:
    """A running supervisor: use it as a context manager, which kills what a failed test leaves."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sentinel.run"],
            cwd=BASE_DIR,
            env=environment(var),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait_for("Ctrl-C stops everything.", 90)
        self.url = self.find(r"(http://127\.0\.0\.1:\d+)/healthz")
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        for child in self.children:
            if child.is_running():
                child.kill()
        self.end()

    def find(self, pattern: str) -> str:
        found = re.search(pattern, self.text)
        assert found, self.text
        return found[1]

    def send(self, number: signal.Signals) -> int:
        """Sends a signal and returns the exit code."""
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        code = self.process.wait(60)
        self._reader.join(10)
        if self.process.stdout:
            self.process.stdout.close()
        return code

    def alive(self, within_s: float = 0.0) -> list[str]:
        """Returns the children that still run, after giving them some time."""
        deadline = time.monotonic() + within_s
        while (left := [c for c in self.children if _runs(c)]) and time.monotonic() < deadline:
            time.sleep(0.1)
        return [" ".join(child.cmdline()) for child in left]

    def child(self, word: str) -> psutil.Process:
        return next(c for c in self.children if word in " ".join(c.cmdline()))

    def get(self, path: str, **options: object) -> requests.Response:
        return requests.get(self.url + path, timeout=10, **options)

    def log_in_to_admin(self) -> requests.Session:
        """Signs in with the printed name and password."""
        name, password = self.find(r"/admin/ +(\S+) / "), self.find(r"/admin/ +\S+ / (\S+)")
        session = requests.Session()
        session.get(f"{self.url}/admin/login/", timeout=10)
        session.post(
            f"{self.url}/admin/login/?next=/admin/",
            data={"username": name, "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]},
            timeout=10,
        )
        return session

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.text += line

    def _wait_for(self, text: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.text:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                self.end()
                raise AssertionError(f"It did not start:\n{self.text}{_logs(self.var)}")
            time.sleep(0.05)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _logs(var: Path) -> str:
    return "".join(f"\n== {log.name}\n{log.read_text()[-2000:]}" for log in (var / "log").glob("*.log"))


def parent_environment() -> dict[str, str]:
    """What a bare shell has: nothing of this test run."""
    return {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
