"""The store healthy, frozen, back, dead and restarted, under load: what the guard adds to a request, by its own clock.

In each phase 16 clients send 2,000 requests over some seconds, so that several tests of the breaker fall into it.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from sentinel.embedded import start_valkey, store_url
from tests.e2e import processes
from tests.outage.stopwatch import HEADER

pytestmark = pytest.mark.slow

CLIENTS = 16
REQUESTS = 2_000
PHASE_S = 10.0
PROCESSES = 2  # at most
ROUNDS = 3
ADDED_MOST_S = 0.05
BACK_MOST_S = 2.0
MOST_S = dict.fromkeys(("healthy", "frozen", "back", "dead", "restarted"), ADDED_MOST_S) | {
    "enforcing after freezing": BACK_MOST_S,
    "enforcing after a restart": BACK_MOST_S,
}
STREAK = 10  # so many refusals in a row, on new connections, come from every process of the server

# Mostly the open page; each policy's way of answering has its share.
PAGES = ["/"] * 8 + ["/degraded", "/closed"]


class Answer(NamedTuple):
    page: str
    status: int
    added_s: float


@dataclass
class House:
    port: int
    log: Path

    def ask(self, connection: http.client.HTTPConnection, page: str, client: str) -> Answer:
        try:
            return self._ask(connection, page, client)
        except (http.client.HTTPException, ConnectionError):  # a kept connection that the server has closed
            connection.close()
            return self._ask(connection, page, client)

    @staticmethod
    def _ask(connection: http.client.HTTPConnection, page: str, client: str) -> Answer:
        connection.request("GET", page, headers={"X-Forwarded-For": client})
        response = connection.getresponse()
        response.read()
        return Answer(page, response.status, int(response.headers[HEADER]) / 1_000_000)

    def ask_anew(self, page: str, client: str) -> Answer:
        with contextlib.closing(self.connection()) as connection:
            return self._ask(connection, page, client)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def answers(self) -> bool:
        try:
            return self.ask_anew("/", "192.0.2.1").status == 200
        except OSError:
            return False


class Store:
    """A real server in a process of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process = start_valkey(directory)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def restart(self) -> None:
        self.process = start_valkey(self.directory)


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("s"))
    yield store
    store.kill()


@pytest.fixture(params=["gunicorn", "uvicorn"])
def house(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Iterator[House]:
    house = House(processes.free_port(), tmp_path / "server.log")
    commands = {
        "gunicorn": ["-w", "2", "--threads", "8", "--bind", f"127.0.0.1:{house.port}", "tests.outage.app:wsgi"],
        "uvicorn": ["--no-access-log", "--no-proxy-headers", "--port", str(house.port), "tests.outage.app:asgi"],
    }
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.outage.settings",
        "OUTAGE_SERVER": request.param,
        "OUTAGE_STORE": store_url(store.directory),
        "OUTAGE_DATABASE": str(tmp_path / "outage.sqlite3"),
    }
    migrate = [
        sys.executable,
        "-m",
        "django",
        "migrate",
        "--skip-checks",
        "--verbosity",
        "0",
    ]  # of the stopwatches' places
    subprocess.run(migrate, env=env, cwd=processes.ROOT, check=True)
    with processes.running([sys.executable, "-m", request.param, *commands[request.param]], env, house.log):
        processes.wait_until(house.answers, "the server's start")
        yield house


def test_an_outage_costs_a_request_at_most_fifty_milliseconds_and_ends_within_two_seconds(
    house: House, store: Store
) -> None:
    """The best of a few rounds counts: another's work on this machine comes and goes, a defect of ours stays."""
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, took_s in outages(house, store).items():
            best[name] = min(took_s, best.get(name, took_s))
        if all(took_s <= MOST_S[name] for name, took_s in best.items()):
            break

    assert {name: took_s for name, took_s in best.items() if took_s > MOST_S[name]} == {}
    log = house.log.read_text()
    assert log.count("is away (") >= 2, log[-2_000:]
    # One line for each change in each process; another may just have begun.
    assert 0 <= log.count("is away (") - log.count("is back.") <= PROCESSES, log[-2_000:]


def outages(house: House, store: Store) -> dict[str, float]:
    """Freezes the store and kills it; returns the p99 of each phase, and how long until limits held again."""
    woken, restarted = Back(house, store.wake), Back(house, store.restart)
    return {
        "healthy": phase(house, "healthy"),
        "frozen": phase(house, "frozen", store.freeze),
        "back": phase(house, "back", woken),
        "dead": phase(house, "dead", store.kill),
        "restarted": phase(house, "restarted", restarted),
        "enforcing after freezing": woken.took_s(),
        "enforcing after a restart": restarted.took_s(),
    }


def phase(house: House, name: str, begin: Callable[[], None] = lambda: None) -> float:
    """All clients send their share in step with the clock; what happens to the store happens as they begin."""
    share = REQUESTS // CLIENTS
    started_s = time.monotonic() + 0.1

    def send(client: int) -> list[Answer]:
        answers = []
        with contextlib.closing(house.connection()) as connection:
            for number in range(share):
                due_s = started_s + PHASE_S * (number + client / CLIENTS) / share
                time.sleep(max(0.0, due_s - time.monotonic()))
                page = PAGES[(number + client) % len(PAGES)]
                answers.append(house.ask(connection, page, f"198.51.100.{number}"))
        return answers

    with ThreadPoolExecutor(CLIENTS) as threads:
        jobs = [threads.submit(send, client) for client in range(CLIENTS)]
        time.sleep(max(0.0, started_s + 0.5 - time.monotonic()))
        begin()
        answers = list(itertools.chain.from_iterable(job.result() for job in jobs))

    return p99_of(name, answers)


def p99_of(name: str, answers: list[Answer]) -> float:
    added_s = sorted(answer.added_s for answer in answers)
    p99_s = added_s[len(added_s) * 99 // 100]
    failed = Counter((answer.page, answer.status) for answer in answers if answer.status >= 500)
    sys.stderr.write(
        f"\n{name:>9}: added p50 {added_s[len(added_s) // 2] * 1_000:5.1f} ms, p99 {p99_s * 1_000:5.1f} ms,"
        f" most {added_s[-1] * 1_000:5.1f} ms; {dict(failed) or 'no 5xx'}\n"
    )
    assert len(answers) == REQUESTS
    assert set(failed) <= {("/closed", 503)}
    assert bool(failed) or name not in {"frozen", "dead"}
    return p99_s


_numbers = itertools.count(1)


class Back:
    """The store returns; from then on somebody asks a page that five a minute may read, until all processes refuse."""

    def __init__(self, house: House, bring_back: Callable[[], None]) -> None:
        self._house, self._bring_back = house, bring_back
        self._client = f"203.0.113.{next(_numbers)}"
        self._thread = threading.Thread(target=self._ask_until_refused)
        self._took_s = float("inf")

    def __call__(self) -> None:
        assert self._refused_of(20) == 0  # it is away: the policy is open
        self._bring_back()
        self._thread.start()

    def took_s(self) -> float:
        self._thread.join()
        return self._took_s

    def _ask_until_refused(self) -> None:
        returned_s = time.monotonic()
        refused = 0
        while refused < STREAK and time.monotonic() < returned_s + 2 * BACK_MOST_S:
            asked_s = time.monotonic()
            refused = refused + 1 if self._house.ask_anew("/five", self._client).status == 429 else 0
            if refused == 1:
                self._took_s = asked_s - returned_s
            time.sleep(0.02)
        if refused < STREAK:
            self._took_s = float("inf")
        sys.stderr.write(f"\n           enforcing again after {self._took_s:.2f} s\n")

    def _refused_of(self, number: int) -> int:
        return sum(self._house.ask_anew("/five", self._client).status == 429 for _ in range(number))
