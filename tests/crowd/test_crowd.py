"""Many at once against a limit of five failures: real servers of four processes, sync and async, and slow views."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import http_sf
import pytest
import redis

from sentinel.embedded import start_valkey, store_url
from tests.e2e import processes

pytestmark = pytest.mark.slow

CROWD = 200
LIMIT = 5
SERVERS = {
    "sync": [
        *["gunicorn", "-w", "4", "--threads", "16", "--bind", "127.0.0.1:{port}"],
        "django.core.wsgi:get_wsgi_application()",
    ],
    "async": [
        *["uvicorn", "--workers", "4", "--port", "{port}", "--no-proxy-headers", "--log-level", "warning"],
        *["--lifespan", "off", "--factory", "django.core.asgi:get_asgi_application"],
    ],
}

_addresses = (f"203.0.113.{number}" for number in itertools.count(1))


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class Site:
    """A running server, the store behind it, and the suffix of its routes."""

    port: int
    store: redis.Redis
    suffix: str
    client: str = ""

    def send(self, path: str) -> socket.socket:
        """Sends a request as the trusted proxy would, and does not wait."""
        page, _, query = path.partition("?")
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(
            f"GET {page}{self.suffix}?{query} HTTP/1.1\r\nHost: crowd\r\nX-Forwarded-For: {self.client}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        return connection

    def ask(self, path: str) -> Answer:
        return _read(self.send(path))

    def ask_at_once(self, path: str, times: int = CROWD) -> list[Answer]:
        return [_read(connection) for connection in [self.send(path) for _ in range(times)]]

    def send_and_leave(self, path: str, times: int) -> None:
        """Each waits until its request is being worked on, or surely was refused, and closes the connection."""
        connections = [self.send(path) for _ in range(times)]
        processes.wait_until(lambda: self.count("began") >= min(times, LIMIT), "the first checks")
        for connection in connections:
            connection.close()

    def count(self, what: str) -> int:
        return int(self.store.get(f"check {what} {self.client}") or 0)


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("c")
    valkey = start_valkey(directory)
    port = processes.free_port()
    env = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "tests.crowd.settings",
        "REDIS_URL": store_url(directory),
        "DD_DOGSTATSD_DISABLE": "true",
    }
    program = [sys.executable, "-m", *(word.format(port=port) for word in SERVERS[request.param])]
    with processes.running(program, env, Path(directory) / "web.log"):
        processes.wait_until(lambda: processes.is_healthy(f"http://127.0.0.1:{port}"), "the web server's start")
        with redis.Redis(unix_socket_path=str(directory / "valkey.sock")) as store:
            yield Site(port, store, {"sync": "", "async": "-async"}[request.param])
    valkey.terminate()
    valkey.wait(5)


@pytest.fixture
def site(server: Site) -> Site:
    """A client of its own for each test."""
    server.store.flushdb()
    server.client = next(_addresses)
    return server


FAILING = pytest.mark.parametrize(
    ("path", "status", "policy"),
    [("/sign-in?password=wrong", 401, "guesses"), ("/pay?status=402", 402, "declines")],
    ids=["login", "payment"],
)
GOOD = pytest.mark.parametrize("path", ["/sign-in?password=right", "/pay?status=201"], ids=["login", "payment"])


@FAILING
def test_of_two_hundred_failures_at_once_five_are_tried(site, path, status, policy):
    """Logins pass by GateBackend and Django's signals; payments at the door, where a status says that they failed."""
    answers = site.ask_at_once(path)

    assert Counter(answer.status for answer in answers) == {status: LIMIT, 429: CROWD - LIMIT}
    assert site.count("began") == LIMIT
    for answer in answers:
        if answer.status == 429:
            _is_a_full_refusal(answer, policy)


@GOOD
def test_of_two_hundred_successes_four_at_a_time_none_is_refused(site, path):
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: site.ask(path), range(CROWD)))

    assert [answer.status for answer in answers if answer.status >= 300] == []
    assert site.count("ended") == CROWD


@FAILING
def test_who_leaves_before_the_answer_has_guessed_all_the_same(site, path, status, policy):
    site.send_and_leave(path, CROWD)

    after = site.ask_at_once(path)

    assert {answer.status for answer in after} == {429}
    assert site.count("began") == LIMIT


@GOOD
def test_a_success_whose_client_left_gives_its_place_back_where_the_view_ran_to_its_end(site, path):
    """By WSGI a view ends whether anybody waits or not. By ASGI Django stops it with the connection: nobody knows what
    would have come of it, so the place stays taken as if it had failed, and no longer.
    """
    site.send_and_leave(f"{path}&takes_s=2", LIMIT)
    if not site.suffix:
        processes.wait_until(lambda: site.count("ended") == LIMIT, "the end of the checks nobody waits for", 20)
        processes.wait_until(lambda: site.ask(path).status < 300, "the last place given back", 20)
        return

    answer = site.ask(path)

    assert (answer.status, site.count("ended")) == (429, 0)
    assert 3_500 < int(answer.headers["Retry-After"]) <= 3_600


def _read(connection: socket.socket) -> Answer:
    with connection:
        response = http.client.HTTPResponse(connection)
        response.begin()
        return Answer(response.status, response.headers, response.read())


def _is_a_full_refusal(answer: Answer, policy: str) -> None:
    wait_s = int(answer.headers["Retry-After"])
    assert 3_500 < wait_s <= 3_600
    assert http_sf.parse(answer.headers["RateLimit-Policy"].encode(), tltype="list") == [(policy, {"q": 5, "w": 3_600})]
    assert http_sf.parse(answer.headers["RateLimit"].encode(), tltype="list") == [(policy, {"r": 0, "t": wait_s})]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    problem = json.loads(answer.body)
    assert (problem["status"], problem["violated-policies"]) == (429, [policy])
    assert problem["instance"] == f"urn:sentinel:request:{answer.headers['X-Request-ID']}"
