"""The questions, to real servers: well, frozen, refusing, never answering. RabbitMQ's are in the slow half."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import environ
import pytest
from celery import current_app
from django.db import connections

from metrics import probes
from metrics.probes import BROKER, DATABASE, REDIS, Part
from metrics.readiness import Readiness, Report
from tests.e2e import processes
from tests.health import servers
from tests.health.servers import Server

# The whole, whatever froze: one budget, and some air for a busy machine.
WHOLE_S = 1.0 + 0.5
# The threads that asked a frozen server end by the limits of their libraries.
ENDED_S = 20.0


@dataclass
class Kind:
    part: Part
    server: Server
    point: Callable[[str], None]  # the project's setting, at a URL


@pytest.fixture(scope="module")
def _servers() -> Iterator[Callable[[str], Server]]:
    """Each is started once, by the first test that needs it."""
    started: dict[str, Server] = {}
    with contextlib.ExitStack() as stack:

        def get(name: str) -> Server:
            if name not in started:
                started[name] = stack.enter_context(getattr(servers, name)())
            return started[name]

        yield get


@pytest.fixture(
    params=["database", "redis", "broker-redis", pytest.param("broker-rabbitmq", marks=pytest.mark.slow)],
)
def kind(
    request: pytest.FixtureRequest,
    _servers: Callable[[str], Server],
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    django_db_blocker: Any,
) -> Iterator[Kind]:
    """One of the three parts, alone: the project has no other."""

    def database(url: str) -> None:
        given = environ.Env.db_url_config(url)
        defaults = {**connections.settings["default"], "TEST": connections.settings["default"]["TEST"]}
        monkeypatch.setitem(connections.settings, "default", defaults | given)

    def redis(url: str) -> None:
        settings.METRICS = {"REDIS_URLS": [url]}

    def broker(url: str) -> None:
        monkeypatch.setenv(
            "CELERY_BROKER_WRITE_URL", url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
        )

    found = {
        "database": (DATABASE, "postgres", database),
        "redis": (REDIS, "valkey", redis),
        "broker-redis": (BROKER, "valkey", broker),
        "broker-rabbitmq": (BROKER, "rabbitmq", broker),
    }
    part, server, point = found[request.param]
    made = Kind(part, _servers(server), point)
    made.point(made.server.url)
    with django_db_blocker.unblock():
        yield made


def asked(part: Part) -> tuple[Readiness, Report, float]:
    """A look at this part alone, by somebody who knows nothing yet, and the seconds it took."""
    readiness = Readiness(lambda: [probe for probe in probes.every() if probe.part is part])
    began_s = time.monotonic()
    report = readiness.look()
    return readiness, report, time.monotonic() - began_s


def state(part: Part) -> str:
    found = asked(part)[1].of(part)
    assert found is not None
    return found.state


def recovers(readiness: Readiness, part: Part) -> None:
    processes.wait_until(
        lambda: (found := readiness.ask().of(part)) is not None and found.state != "failed",
        f"the {part.name}'s return",
        ENDED_S,
    )


def test_a_server_that_is_well_answers(kind: Kind) -> None:
    state(kind.part)  # the first imports what it needs

    assert state(kind.part) in {"ok", "slow"}


def test_a_frozen_server_is_failed_in_time_and_found_well_when_it_thaws(kind: Kind) -> None:
    with kind.server.frozen():
        readiness, report, took_s = asked(kind.part)

    assert [found.state for found in report.findings] == ["failed"]
    assert took_s < WHOLE_S
    recovers(readiness, kind.part)


def test_a_server_that_never_accepts_is_failed_in_time(kind: Kind) -> None:
    with servers.never_accepting() as port:
        kind.point(kind.server.at("127.0.0.1", port))
        readiness, report, took_s = asked(kind.part)
        assert [found.state for found in report.findings] == ["failed"]
        assert took_s < WHOLE_S
        # Its thread does not wait for ever: it ends by its library's limits while the socket still listens.
        (question,) = readiness._under_way.values()
        processes.wait_until(lambda: question.is_over, "the end of the thread", ENDED_S)


def test_a_port_where_nobody_listens_is_failed_at_once_and_nothing_is_quoted(kind: Kind) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        kind.point(kind.server.at("127.0.0.1", closed.getsockname()[1]))
        _, report, took_s = asked(kind.part)

    (found,) = report.findings
    assert found.state == "failed"
    assert found.why.endswith("Error")
    assert took_s < WHOLE_S
    assert "hunter2" not in found.why


def test_packets_that_vanish_are_failed_in_time(kind: Kind) -> None:
    """192.0.2.0/24 is nobody's (RFC 5737). Where the network says so at once, that is an answer too."""
    kind.point(kind.server.at("192.0.2.1", 5_999))

    _, report, took_s = asked(kind.part)

    assert [found.state for found in report.findings] == ["failed"]
    assert took_s < WHOLE_S


@pytest.mark.parametrize("kind", ["database"], indirect=True)
def test_a_probe_leaves_no_connection_behind(kind: Kind) -> None:
    for _ in range(3):
        asked(kind.part)

    with connections.create_connection("default").cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        (open_now,) = cursor.fetchone()
        cursor.close()
        cursor.db.close()
    assert open_now == 1


def test_a_project_without_redis_and_broker_is_asked_for_its_database_only(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS = {}
    monkeypatch.delenv("CELERY_BROKER_URL")
    monkeypatch.setitem(current_app.conf, "broker_url", None)

    assert [probe.part for probe in probes.every()] == [DATABASE]
