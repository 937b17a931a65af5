"""Real web servers with a project that is not ours: as many requests are told of as were answered."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from metrics.catalogue import REQUEST_DURATION, REQUESTS
from tests.dogstatsd import Receiver
from tests.e2e.processes import free_port, running, wait_until
from tests.metrics.test_process import environment

SITE = """
import os
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["metrics"],
    METRICS={"STRICT": True},
    MIDDLEWARE=["metrics.middleware.MetricsMiddleware"],
    ROOT_URLCONF="site_of_others",
    ALLOWED_HOSTS=["*"],
)
django.setup()
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import path
from metrics.asgi import flushing

urlpatterns = [path("", lambda request: HttpResponse(str(os.getpid())), name="here")]
wsgi = WSGIHandler()
asgi = flushing(ASGIHandler())
"""

GUNICORN = ["gunicorn", "--bind", "127.0.0.1:{port}", "--log-level", "error", "--no-control-socket", "-w", "2"]
UVICORN = ["uvicorn", "--port", "{port}", "--log-level", "error", "site_of_others:asgi"]
RECYCLED = ["--max-requests", "40"]
SERVERS = {
    "sync, recycled": [*GUNICORN, "-k", "sync", *RECYCLED, "site_of_others:wsgi"],
    "gthread, recycled": [*GUNICORN, "--threads", "4", *RECYCLED, "site_of_others:wsgi"],
    "gthread, preloaded": [*GUNICORN, "--threads", "4", "--preload", *RECYCLED, "site_of_others:wsgi"],
    "asgi, recycled": [*GUNICORN, "-k", "asgi", *RECYCLED, "site_of_others:asgi"],
    "uvicorn": UVICORN,
    "uvicorn, two workers": [*UVICORN, "--workers", "2"],
}


@pytest.fixture
def transport() -> str:
    return "unix"


class Site:
    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.answered = 0
        self.workers: set[bytes] = set()
        self._port = port

    def ask(self, times: int = 1) -> bool:
        """A connection for each request, so that every worker gets some; returns whether all were answered."""
        for _ in range(times):
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
            try:
                connection.request("GET", "/")
                self.workers.add(connection.getresponse().read())
            except (OSError, http.client.HTTPException):
                return False
            finally:
                connection.close()
            self.answered += 1
        return True


@contextlib.contextmanager
def site(command: list[str], agent: Receiver, tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "site_of_others.py").write_text(SITE)
    env = environment(agent)
    env["PYTHONPATH"] += f":{tmp_path}"
    port = free_port()
    arguments = [sys.executable, "-m", *(word.format(port=port) for word in command)]
    with running(arguments, env, tmp_path / "log") as process:
        found = Site(port, process)
        wait_until(found.ask, "the start")
        yield found


def ended(found: Site) -> None:
    found.process.terminate()
    assert found.process.wait(20) in (0, -signal.SIGTERM)  # uvicorn ends by the signal


@pytest.mark.parametrize("name", SERVERS)
def test_as_many_requests_are_told_of_as_were_answered(name: str, agent: Receiver, tmp_path: Path) -> None:
    with site(SERVERS[name], agent, tmp_path) as found:
        assert found.ask(300)
        if "--max-requests" in SERVERS[name]:  # the asgi worker looks once a second whether it should end
            wait_until(lambda: found.ask() and len(found.workers) > 2, "a worker in place of another")
        ended(found)

    assert agent.total(REQUESTS) == found.answered
    assert len(agent.values(REQUEST_DURATION)) == found.answered


def test_a_reload_under_load_loses_and_doubles_nothing(agent: Receiver, tmp_path: Path) -> None:
    """A request that the old workers took but did not answer may be told of."""
    with site(SERVERS["gthread, recycled"], agent, tmp_path) as found:
        asked = 0
        for _ in range(3):
            found.process.send_signal(signal.SIGHUP)
            for _ in range(100):
                asked += 1
                found.ask()
        ended(found)

    assert found.answered > 200
    assert found.answered <= agent.total(REQUESTS) <= asked + 1


def test_a_server_that_ends_by_itself_after_so_many_requests_loses_nothing(agent: Receiver, tmp_path: Path) -> None:
    with site([*UVICORN, "--limit-max-requests", "50"], agent, tmp_path) as found:
        found.ask(49)
        found.process.wait(20)

    assert found.answered == 50
    assert agent.total(REQUESTS) == 50
