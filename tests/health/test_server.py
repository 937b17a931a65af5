"""gunicorn and uvicorn, with everything frozen under them: readiness is bounded, and health does not wait for it."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest
import requests

from metrics.readiness import KEEP_S, LONGEST_S
from tests.e2e import processes
from tests.health import servers
from tests.health.servers import Server

pytestmark = pytest.mark.slow

# One budget of a second, and air for two cores that are busy with other things.
READY_WITHIN_S = 2.5
HEALTHY_WITHIN_S = 1.5
BACK_WITHIN_S = 15.0
HAMMERED = 200


@dataclass
class House:
    url: str
    parts: dict[str, Server]

    def ask(self, path: str) -> tuple[int, dict[str, Any], float]:
        began_s = time.monotonic()
        answer = requests.get(self.url + path, timeout=30)
        return answer.status_code, answer.json(), time.monotonic() - began_s

    def states(self) -> dict[str, str]:
        return {name: part["state"] for name, part in self.ask("/readyz")[1]["parts"].items()}


@pytest.fixture(scope="module")
def parts() -> Iterator[dict[str, Server]]:
    with servers.postgres() as database, servers.valkey() as redis, servers.rabbitmq() as broker:
        yield {"database": database, "redis": redis, "broker": broker}


@pytest.fixture(scope="module")
def env(parts: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "sentinel.settings",
        "DATABASE_URL": parts["database"].url,
        "REDIS_URL": parts["redis"].url,
        "CELERY_BROKER_URL": parts["broker"].url,
        "SPOOL_DIR": str(tmp_path_factory.mktemp("spool")),
        "PYTHONWARNINGS": "",
    }
    processes.manage(env, "migrate", "--verbosity", "0")
    return env


@pytest.fixture(scope="module", params=["gunicorn", "uvicorn"])
def house(
    request: pytest.FixtureRequest,
    parts: dict[str, Server],
    env: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    server: Callable[[int], list[str]] = getattr(processes, request.param)
    port = processes.free_port()
    with processes.running(server(port), env, tmp_path_factory.mktemp("house") / "log"):
        house = House(f"http://127.0.0.1:{port}", parts)
        processes.wait_until(lambda: processes.is_healthy(house.url), "the server's start")
        processes.wait_until(lambda: house.ask("/readyz")[0] == 200, "readiness")
        yield house


def all_say(house: House, status: int) -> bool:
    """For as long as any process of the server may still give out what it found before."""
    until_s = time.monotonic() + KEEP_S + LONGEST_S
    while time.monotonic() < until_s:
        if house.ask("/readyz")[0] != status:
            return False
    return True


@pytest.mark.parametrize("names", [["database"], ["redis"], ["broker"], ["database", "redis", "broker"]])
def test_what_is_frozen_is_failed_within_the_bound_and_found_well_again(house: House, names: list[str]) -> None:
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(house.parts[name].frozen())
        processes.wait_until(lambda: all_say(house, 503), "the end of what was known", BACK_WITHIN_S)

        asked = [house.ask("/readyz") for _ in range(10)]
        healthy = house.ask("/healthz")

    assert {status for status, _, _ in asked} == {503}
    assert max(took_s for _, _, took_s in asked) < READY_WITHIN_S
    failed = [{name for name, part in said["parts"].items() if part["state"] == "failed"} for _, said, _ in asked]
    assert all(found == set(names) for found in failed)
    assert healthy[0] == 200
    assert healthy[2] < HEALTHY_WITHIN_S
    processes.wait_until(lambda: all_say(house, 200), "the return", BACK_WITHIN_S)


def test_who_hammers_readiness_costs_the_database_a_connection_a_second(house: House) -> None:
    def made() -> int:
        """Connections that PostgreSQL ever took."""
        with contextlib.closing(psycopg2.connect(house.parts["database"].url)) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
            return int(cursor.fetchone()[0])

    processes.wait_until(lambda: all_say(house, 200), "readiness of every process", BACK_WITHIN_S)
    began_s, before = time.monotonic(), made()
    with ThreadPoolExecutor(16) as threads:
        statuses = Counter(answer[0] for answer in threads.map(lambda _: house.ask("/readyz"), range(HAMMERED)))
    took_s = time.monotonic() - began_s

    assert statuses == {200: HAMMERED}
    # One a second in each of two processes at most, what the house does besides, and ourselves.
    assert made() - before <= 2 * (took_s + 1) + 5


def test_while_the_database_is_frozen_hammering_leaves_threads_for_others(house: House) -> None:
    with house.parts["database"].frozen(), ThreadPoolExecutor(32) as threads:
        hammering = [threads.submit(house.ask, "/readyz") for _ in range(HAMMERED)]
        healthy = [house.ask("/healthz") for _ in range(5)]
        answers = [one.result() for one in hammering]

    assert {status for status, _, _ in healthy} == {200}
    assert {status for status, _, _ in answers} <= {200, 503}  # 200: what was known from before, for two seconds
    assert max(took_s for _, _, took_s in answers) < 2 * READY_WITHIN_S
