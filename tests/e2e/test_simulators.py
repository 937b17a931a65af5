"""Each rule that a live client can meet finds its attacker within two seconds of the request that crosses.

A whole house as processes, with `ENFORCE` as shipped: it files, so that an attacker whom a second rule finds first can
go on to the first rule's threshold. Policies are the shipped ones but for `login` (tests/simulators/settings_shop.py).
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import socket
import statistics
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg2
import pytest

from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import to_datetime, to_us
from tests.e2e import processes
from tests.simulators.attacker import Attacker
from tests.simulators.attacks import STORIES, below, until_crossing
from tests.simulators.request import START_US, Request

pytestmark = pytest.mark.slow

WITHIN_S = 2.0
DEADLINE_S = 15.0

# What was sent may be found to be examined so much later: too late to go on where a window is shorter, so that there
# another attacker crosses without a pause.
PAUSE_S = 5

LOG_ONLY = {
    "login-repetition": "a live login has an outcome, which the other rules on logins count",
    "malformed-requests": "the server answers 400 by itself, so that no such request reaches Django",
    "scraping": "the request log keeps no referer",
}
LIVE = [rule for rule in STORIES if rule not in LOG_ONLY]
RULE_OF = {rule.name: rule for rule in RULES}

# Stories are sent as fast as the shop answers, but for those that would then be another rule's: a hundred things put
# into the cart within a second, six wrong passwords within twenty.
TIMES_FASTER = {"stock-holding": 25}
TIMES_FASTER_AT_FOUR_FIFTHS = TIMES_FASTER | {"login-brute-force": 5, "credential-stuffing": 10}

# No pace that fits into this test is slow enough for twenty-four accounts.
FOUND_FOR_HASTE = {"slow-credential-stuffing": {"login-hammering", "login-brute-force", "credential-stuffing"}}


@dataclass
class Shop:
    """A running house and what it has in its database."""

    port: int
    env: dict[str, str] = field(repr=False)
    database: Any
    took_s: dict[str, float] = field(default_factory=dict)

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        with self.database.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())

    def found(self, network: str) -> dict[str, tuple[int, datetime]]:
        """The rules that found this network, with count and last offence."""
        found = self.rows(
            "SELECT f.rule, f.count, f.last_seen FROM ip_tracking_casefinding f"
            " JOIN ip_tracking_suspiciousip c ON c.id = f.case_id WHERE c.network = %s",
            network,
        )
        return {rule: (count, last_seen) for rule, count, last_seen in found}

    def wait_until_examined(self, attacker: Attacker) -> None:
        """A batch is in the log in one step with its rows, and examined or not: so one look tells."""
        looked = (
            "SELECT count(*) FROM ip_tracking_requestlog WHERE network = %s"
            " AND NOT EXISTS (SELECT FROM ip_tracking_batch WHERE examined_at IS NULL)"
        )
        sent = len(attacker.sent)
        processes.wait_until(
            lambda: self.rows(looked, attacker.network) == [(sent,)], "the last batch's examination", DEADLINE_S
        )

    def symptoms(self, network: str) -> list[str]:
        log = "SELECT symptoms FROM ip_tracking_requestlog WHERE network = %s ORDER BY at"
        return [symptoms for (symptoms,) in self.rows(log, network)]

    def time_of(self, request_id: str) -> datetime:
        [(at,)] = self.rows("SELECT at FROM ip_tracking_requestlog WHERE request_id = %s", request_id)
        return at


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with (
        tempfile.TemporaryDirectory(prefix="shop-") as name,
        processes.redis_server() as store,
        processes.rabbitmq(Path(name)) as broker,
        processes.database("house_simulators") as url,
    ):
        directory, port = Path(name), processes.free_port()
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.simulators.settings_shop",
            "REDIS_URL": store,
            "CELERY_BROKER_URL": broker,
            "DATABASE_URL": url,
            "TRUSTED_PROXIES": "127.0.0.1",
            "SPOOL_DIR": str(directory / "spool"),
            "PYTHONWARNINGS": "",
        }
        processes.manage(env, "migrate", "--verbosity", "0")
        processes.manage(env, "seed_shop", "--products", "20")
        with (
            processes.running(processes.worker("-Q", "events", "-c", "2"), env, directory / "events.log"),
            processes.running(processes.gunicorn(port), env, directory / "web.log"),
            contextlib.closing(psycopg2.connect(url)) as connection,
        ):
            connection.autocommit = True
            shop = Shop(port, env, connection)
            processes.wait_until(lambda: processes.is_healthy(f"http://127.0.0.1:{port}"), "the web server's start")
            _warm_up(shop)
            yield shop
            _tell(shop)


@pytest.fixture(scope="module")
def modest(shop: Shop) -> Iterator[dict[str, Future[Attacker]]]:
    """The attackers at four fifths of their thresholds: they go about it while others cross theirs."""
    with ThreadPoolExecutor(4) as pool:
        slowest_first = sorted(LIVE, key=lambda rule: rule not in TIMES_FASTER_AT_FOUR_FIFTHS)
        yield {rule: pool.submit(_be_modest, shop.port, rule) for rule in slowest_first}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("rule", LIVE)
@pytest.mark.usefixtures("modest")
def test_it_is_found_within_two_seconds_of_the_request_that_crosses(shop: Shop, rule: str):
    number = LIVE.index(rule)
    *before, crossing = until_crossing(rule, seed=2 * number)
    attacker = Attacker(shop.port, f"198.51.100.{number + 1}", rule)
    attacker.prepare([*before, crossing])
    attacker.send_all(before, TIMES_FASTER.get(rule, math.inf))
    shop.wait_until_examined(attacker)
    assert rule not in shop.found(attacker.network)
    if RULE_OF[rule].window_s < PAUSE_S:
        attacker = Attacker(shop.port, f"198.51.100.{number + 101}", rule)
        attacker.send_all(before)

    took_s = _cross(shop, attacker, crossing)

    assert took_s <= WITHIN_S
    count, last_seen = shop.found(attacker.network)[rule]
    assert count == RULE_OF[rule].threshold
    assert last_seen == shop.time_of(attacker.sent[-1].request_id)
    assert shop.symptoms(attacker.network)[-len(before) - 1 :] == _told([*before, crossing])


@pytest.mark.parametrize("rule", [rule for rule in LIVE if below(rule)])
def test_who_stops_at_four_fifths_is_not_found(shop: Shop, modest: dict[str, Future[Attacker]], rule: str):
    attacker = modest[rule].result()

    shop.wait_until_examined(attacker)

    assert shop.found(attacker.network).keys() == FOUND_FOR_HASTE.get(rule, set())


@pytest.mark.parametrize("rule", LOG_ONLY)
def test_what_only_a_log_can_tell_is_found_in_one_and_not_at_four_fifths(shop: Shop, rule: str, tmp_path: Path):
    number = 200 + list(LOG_ONLY).index(rule)
    attacker, twin = f"198.51.100.{number}", f"203.0.113.{number}"
    lines = [_line(attacker, request) for request in until_crossing(rule)]
    lines += [_line(twin, request) for request in below(rule, seed=1)]
    log = tmp_path / "access.log"
    log.write_text("".join(lines))

    processes.manage(shop.env, "analyze_log", "--save", str(log))

    assert shop.found(attacker)[rule][0] == RULE_OF[rule].threshold
    assert shop.found(twin) == {}


@pytest.mark.parametrize("line", ["QUIT", "\x03\x00\x00/\xe0", " / HTTP/1.1", "/ HTTP/1.1"])
def test_what_is_no_http_never_reaches_the_door(shop: Shop, line: str):
    answer = _say(shop.port, f"{line}\r\nHost: shop.example\r\n\r\n".encode("latin-1"))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"x-request-id" not in answer.lower()  # which the door puts on every answer


def _be_modest(port: int, rule: str) -> Attacker:
    number = LIVE.index(rule)
    story = below(rule, seed=2 * number + 1)
    attacker = Attacker(port, f"203.0.113.{number + 1}", rule)
    attacker.prepare(story)
    attacker.send_all(story, TIMES_FASTER_AT_FOUR_FIFTHS.get(rule, math.inf))
    return attacker


def _cross(shop: Shop, attacker: Attacker, crossing: Request) -> float:
    """Returns the seconds from the answer to the crossing request until the finding is there."""
    attacker.send(crossing)
    answered = monotonic()
    processes.wait_until(lambda: attacker.rule in shop.found(attacker.network), "the finding", DEADLINE_S)
    took_s = shop.took_s[attacker.rule] = monotonic() - answered
    return took_s


def _told(story: list[Request]) -> list[str]:
    """What the story shows by itself, sent today."""
    now_us = to_us(datetime.now(UTC))
    return [symptoms_of(request.event(number, start_us=now_us)) for number, request in enumerate(story)]


def _warm_up(shop: Shop) -> None:
    """The first events take longer: workers import, connections open."""
    visitor = Attacker(shop.port, "192.0.2.254", "")
    visitor.send(Request(0, "/"))
    processes.wait_until(lambda: shop.symptoms(visitor.network) != [], "the first stored row")


def _line(network: str, request: Request) -> str:
    """As nginx writes it."""
    at = to_datetime(START_US + round(request.at_s * 1_000_000))
    asked = f"{request.method} {request.target} HTTP/1.1" if request.method else request.path
    asked = re.sub(r"[^ -~]", lambda match: f"\\x{ord(match[0]):02X}", asked)
    ending = f'{request.status} 7 "{request.referer or "-"}" "{request.agent or "-"}"'
    return f'{network} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "{asked}" {ending}\n'


def _say(port: int, words: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(words)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4_096), b""))


def _tell(shop: Shop) -> None:
    [(stored,)] = shop.rows("SELECT count(*) FROM ip_tracking_requestlog")
    slowest, median = max(shop.took_s.values(), default=0), statistics.median([*shop.took_s.values()] or [0])
    sys.stderr.write(
        f"\nFrom the crossing request to the finding, {len(shop.took_s)} rules, {stored} requests:"
        f" slowest {slowest:.2f} s, median {median:.2f} s\n"
    )
