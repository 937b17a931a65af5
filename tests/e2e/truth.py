"""What a scripted run knows of itself, each answer it got and each lookup it made, beside what was received of it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg2
import redis

from metrics.entry import Metric
from sentinel.embedded import start_valkey, store_url
from tests.dogstatsd import CONSTANT_TAGS, Receiver
from tests.required import require

# How often, by tags in the order of their keys.
Tally = Counter[tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Answer:
    route: str
    method: str
    status: int
    size: int  # of the body, in bytes
    request_id: str
    policy: str = ""  # that refused
    body: bytes = b""

    @property
    def is_block(self) -> bool:
        return self.status == 403 and b"your network" in self.body

    @property
    def request(self) -> dict[str, str]:
        """As the metrics of requests are tagged."""
        return {"route": self.route, "method": self.method, "status_class": f"{self.status // 100}xx"}


@dataclass
class Server:
    """A Redis of the script's own, which can be started anew."""

    directory: Path
    process: subprocess.Popen[bytes] | None = None
    hits: int = 0
    misses: int = 0

    @property
    def url(self) -> str:
        return store_url(self.directory)

    def start(self) -> None:
        self.process = start_valkey(self.directory, binary=require("redis-server", "redis-server"))

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)

    def look_up(self, hits: int, misses: int) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.set("known", 1)
            assert all(client.get("known") for _ in range(hits))
            assert not any(client.get("unknown") for _ in range(misses))
        self.hits += hits
        self.misses += misses

    @property
    def tags(self) -> dict[str, str]:
        return {"redis_host": str(self.directory / "valkey.sock"), "redis_port": "0", "redis_role": "master"}


@dataclass
class Run:
    """One run: the house it asks, and all that is known of it. Threads may ask at once."""

    port: int
    database: str
    agent: Receiver
    watched: Server
    answers: list[Answer] = field(default_factory=list)
    # Requests without an answer: of such a one nobody could say whether it was to be counted.
    unanswered: list[str] = field(default_factory=list)
    left: list[Answer] = field(default_factory=list)  # whose client did not wait for the end
    resets: int = 0

    def ask(self, route: str, path: str, client: str, method: str = "GET", body: Any = None) -> Answer | None:
        """Asks as the trusted proxy in front would, on a connection of its own: whichever worker is there takes it."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"X-Forwarded-For": client, "Content-Type": "application/json", "Connection": "close"}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            said = response.read()
        except OSError as error:
            self.unanswered.append(f"{method} {path}: {error!r}")
            return None
        finally:
            connection.close()
        request_id = response.headers["X-Request-ID"]
        policy = json.loads(said)["violated-policies"][0] if response.status == 429 else ""
        answer = Answer(route, known(method), response.status, len(said), request_id, policy, said[:200])
        self.answers.append(answer)
        return answer

    def leave(self, route: str, path: str, client: str) -> None:
        """Asks for what has no end, and leaves when it has begun."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={"X-Forwarded-For": client})
        response = connection.getresponse()
        assert response.read(1)
        self.left.append(Answer(route, "GET", response.status, 0, response.headers["X-Request-ID"]))
        response.close()
        connection.close()

    @property
    def batches(self) -> int:
        [(number,)] = self.rows("SELECT count(*) FROM ip_tracking_batch")
        return int(number)

    @property
    def logged(self) -> list[Answer]:
        return [*self.answers, *self.left]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(psycopg2.connect(self.database)) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def tally(self, tags: Callable[[Answer], Mapping[str, str]], which: Callable[[Answer], object]) -> Tally:
        return tally((tags(answer), 1) for answer in self.logged if which(answer))

    def counted(self, sql: str, *keys: str) -> Tally:
        """Of a query for the values of these tags, and a number."""
        return tally((dict(zip(keys, values, strict=True)), number) for *values, number in self.rows(sql))


def known(method: str) -> str:
    return method if method in {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} else "OTHER"


def tally(pairs: Iterable[tuple[Mapping[str, str], float]]) -> Tally:
    found: Tally = Counter()
    for tags, number in pairs:
        found[tuple(sorted(tags.items()))] += number  # type: ignore[assignment] # whole, but for what is received wrong
    return +found


@dataclass(frozen=True)
class Truth:
    """One row: what must have been received of a metric, by its tags."""

    metric: Metric
    told: Callable[[Run], Tally]
    only: Mapping[str, str] = field(default_factory=dict)  # of the metric, where the rest is not known
    size: bool = False  # of a distribution: the sum of its values, not their number
    but: str = ""  # a route of which it is not known

    @property
    def name(self) -> str:
        only = "".join(f" {key}:{value}" for key, value in self.only.items())
        return f"{self.metric.name}{' (sum)' if self.size else ''}{only}"

    def received(self, agent: Receiver) -> Tally:
        arrived = agent.samples(self.metric, **self.only)
        samples = [sample for sample in arrived if not self.but or sample.tags["route"] != self.but]
        by_number = self.metric.type == "distribution" and not self.size
        return tally((_own(sample.tags), len(sample.values) if by_number else sample.total) for sample in samples)


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key not in CONSTANT_TAGS}


@contextlib.contextmanager
def meanwhile(work: Callable[[], object], every_s: float) -> Iterator[None]:
    """Has another thread do this again and again, at least once."""
    stop = threading.Event()

    def repeat() -> None:
        work()
        while not stop.wait(every_s):
            work()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
