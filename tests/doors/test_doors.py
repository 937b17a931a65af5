"""Secrets through every door of real processes: none is written, and each error is one line and one count."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from celery import current_app

from metrics.catalogue import ERRORS, REQUEST_EXCEPTIONS
from tests.dogstatsd import Receiver, udp_receiver
from tests.e2e import processes
from tests.e2e.processes import wait_until

pytestmark = pytest.mark.slow

# Stands in all that is sent.
SECRET = "S3CR3T"
CALLER = "203.0.113.77"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTM0NSM1QifQ.UzNDUjNU"
INJECTED = "%0d%7B%22level%22:%22error%22%7D%1b[2J%e2%80%ae"  # in a path; a newline there leads nowhere

HEADERS = {
    "X-Forwarded-For": CALLER,
    "Authorization": f"Bearer {JWT}",
    "Cookie": f"sessionid={SECRET}-cookie",
    "User-Agent": f"{SECRET}-agent",
    "X-Request-ID": f'{SECRET}"-id',
}
QUERY = f"token={JWT}&password={SECRET}-query&%0a{INJECTED}"
BODY = {"username": f"{SECRET}\r\n{{}}\x1b[2J", "password": f"{SECRET}-password"}

# Which doors are errors in a view (one line, one count, one exception), and who else logs one (one line, one count).
IN_VIEWS = ["raises", "raises-async", "row", "query", "many"]
ELSEWHERE = ["stream", "thread", "logs", "library"]

NO_HTTP = [
    f"\x16\x03\x01 {SECRET}\r\n\r\n".encode("latin-1"),
    f"GET /{SECRET} HTTP/9.9\r\n\r\n".encode(),
    f"GET /{SECRET}?token={JWT} HTTP/1.1\r\nHost: x\r\nBroken {SECRET}\r\n\r\n".encode(),
    f"GET /{SECRET} HTTP/1.1\r\nHost: {SECRET}@:/?\r\nX-Forwarded-For: {CALLER}\r\n\r\n".encode(),
    f"GET /{SECRET} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {SECRET}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode(),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    f"POST /api/v1/auth/token/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ{SECRET}".encode(),
    f"POST /api/v1/auth/token/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n{SECRET}".encode(),
    f"GET /{'a' * 9000}{SECRET} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
]


def gunicorn(port: int) -> list[str]:
    return [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]


def plain_uvicorn(port: int) -> list[str]:
    return [sys.executable, "-m", "uvicorn", "--no-proxy-headers", "--port", str(port), "sentinel.asgi:application"]


def runserver(port: int) -> list[str]:
    return [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]


SERVERS: dict[str, Callable[[int], list[str]]] = {
    "gunicorn": gunicorn,
    "gunicorn, told nothing": processes.gunicorn,
    "uvicorn": plain_uvicorn,
    "runserver": runserver,
}


@dataclass
class House:
    env: dict[str, str]
    agent: Receiver
    log: Path
    url: str = ""
    port: int = 0
    is_for_developers: bool = False

    def lines(self) -> list[dict[str, Any]]:
        """What the application wrote; what servers say before it is loaded is no JSON."""
        found = []
        for line in self.log.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def errors(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["level"] in {"error", "critical"}]

    def send(self, method: str, path: str, **kwargs: Any) -> int:
        try:
            return requests.request(method, self.url + path, headers=HEADERS, timeout=20, **kwargs).status_code
        except requests.RequestException:
            return 0  # it broke off, as it should


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    directory = tmp_path_factory.mktemp("doors")
    with processes.database("doors") as database:
        env = {
            **{name: value for name, value in os.environ.items() if name != "DD_DOGSTATSD_DISABLE"},
            "DJANGO_SETTINGS_MODULE": "tests.doors.settings",
            "DATABASE_URL": database,
            "TRUSTED_PROXIES": "127.0.0.1",
            "SPOOL_DIR": str(directory / "spool"),
            "IP_TRACKING_MODE": "off",
            "PYTHONWARNINGS": "",
        }
        processes.manage(env, "migrate", "--verbosity", "0")
        yield env


@pytest.fixture
def house(env: dict[str, str], tmp_path: Path) -> Iterator[House]:
    with udp_receiver() as agent:
        yield House({**env, **agent.environ}, agent, tmp_path / "log")


@pytest.fixture(params=SERVERS)
def served(request: pytest.FixtureRequest, house: House) -> Iterator[House]:
    house.port = processes.free_port()
    house.is_for_developers = request.param == "runserver"
    house.url = f"http://127.0.0.1:{house.port}"
    with processes.running(SERVERS[request.param](house.port), house.env, house.log):
        wait_until(lambda: processes.is_healthy(house.url), "the server's start")
        yield house


def leaks(text: str) -> list[str]:
    forms = [SECRET, SECRET.lower(), CALLER, JWT, JWT.split(".")[1], "\\u202e", "\\u001b", "\x1b", "\u202e"]
    return [form for form in forms if form in text]


def speak(port: int, sent: bytes) -> None:
    """Says it, hears some of the answer, and hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        try:
            while connection.recv(65_536):
                pass
        except OSError:
            pass


def test_no_door_of_a_server_writes_a_secret_and_each_error_is_one_line_and_one_count(served: House) -> None:
    # Of a stream that breaks off, Python's own server for developers prints the traceback itself: no log of anybody's.
    elsewhere = [name for name in ELSEWHERE if name != "stream" or not served.is_for_developers]
    for name in [*IN_VIEWS, *elsewhere]:
        served.send("POST", f"/doors/{name}/{SECRET}{INJECTED}?{QUERY}", json=BODY)
    served.send("POST", f"/doors/rest/{SECRET}?{QUERY}", json=BODY)
    expected = len(IN_VIEWS) + 1 + len(elsewhere)
    wait_until(lambda: len(served.errors()) >= expected, "the lines", 20)

    # What callers can cause at will: no line, no count.
    for path in ("/nowhere/", "/api/v1/auth/token/", "/admin/login/"):
        served.send("POST", f"{path}{SECRET}?{QUERY}", json=BODY)
        served.send("POST", path, data=f"{{{SECRET}")
        served.send("POST", path, data={"username": BODY["username"], "password": BODY["password"]})
    for sent in NO_HTTP:
        speak(served.port, sent)
    served.send("GET", f"/doors/raises/{SECRET}")  # the last: nothing may come between
    wait_until(lambda: len(served.errors()) > expected, "the last line", 20)
    served.agent.wait_for(lambda: served.agent.total(ERRORS) >= expected + 1)

    assert leaks(served.log.read_text()) == []
    routes = [line.get("route", line["logger"]) for line in served.errors()]
    assert len(routes) == expected + 1, routes
    assert served.agent.total(ERRORS) == expected + 1
    broken_off = elsewhere.count("stream")  # also an exception of the request's, though its view had answered
    assert served.agent.total(REQUEST_EXCEPTIONS) == len(IN_VIEWS) + 2 + broken_off
    for name in IN_VIEWS:
        (line,) = (
            [line for line in served.errors() if line.get("route") == name]
            if name != "raises"
            else [line for line in served.errors() if line.get("route") == name][:1]
        )
        assert re.fullmatch("[0-9a-f]{32}", line["request_id"])
        assert line["exception"]["type"]


def worker() -> list[str]:
    return processes.worker("-c", "1", "-Q", "doors", "-n", "doors@%h")


def test_a_task_that_fails_is_one_line_and_one_count_and_its_retries_are_none(house: House) -> None:
    with processes.running(worker(), house.env, house.log):
        for name in ("fails", "fails_thrice", "hangs", "is_killed", "not_known"):
            current_app.send_task(f"tests.doors.tasks.{name}", args=[f"{SECRET} {CALLER}"], queue="doors")
        wait_until(lambda: len(house.errors()) >= 5, "the lines", 60)
        house.agent.wait_for(lambda: house.agent.total(ERRORS) >= 5)

    said = [line["message"] for line in house.errors()]
    assert leaks(house.log.read_text()) == []
    assert len(said) == 5, said
    assert house.agent.total(ERRORS) == 5
    retries = [line for line in house.lines() if "will be tried again" in line["message"]]
    assert [(line["level"], line["task"]) for line in retries] == [("warning", "tests.doors.tasks.fails_thrice")] * 2


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "shell", "-v", "0", "-c", f"raise ValueError('{SECRET} {CALLER}')"],
        ["manage.py", "shell", "-v", "0", "-c", f"from tests.doors.urls import refused_row as r; r(None, '{SECRET}')"],
    ],
    ids=["exception", "row"],
)
def test_a_command_that_fails_is_one_line_and_one_count(house: House, command: list[str]) -> None:
    with house.log.open("w") as log:
        ended = subprocess.run(
            [sys.executable, *command], env=house.env, cwd=processes.ROOT, stdout=log, stderr=log, check=False
        )

    assert ended.returncode == 1
    assert leaks(house.log.read_text()) == []
    assert [line["message"] for line in house.errors()] == ["The process ends by an exception."]
    assert len(house.log.read_text().splitlines()) == 1
    assert house.agent.total(ERRORS, logger="sentinel", level="critical") == 1
