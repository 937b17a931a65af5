"""What `/healthz` and `/readyz` say to anybody, through the sync and the async handler, with every part real."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from metrics.readiness import readiness

ADDRESS = "redis://:hunter2@127.0.0.1:"


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    """Each test looks for itself; a busy machine may take longer than the first look of a test may."""
    readiness.forget()
    yield
    readiness.forget()


@pytest.fixture
def lost_redis(settings: Any) -> Iterator[Callable[..., None]]:
    """Redis is where nobody listens: `lost_redis(READY_NEEDS=[...])`."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))

        def lose(**more: Any) -> None:
            settings.METRICS = {**settings.METRICS, "REDIS_URLS": [f"{ADDRESS}{closed.getsockname()[1]}/0"], **more}

        yield lose


@pytest.mark.django_db
def test_a_house_that_is_well_is_ready(http: SimpleNamespace) -> None:
    http.get("/readyz")
    readiness.forget()  # the first had imports to do

    answer = http.get("/readyz")

    said = json.loads(answer.content)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert said["ready"] is True
    assert {name: part["state"] in {"ok", "slow"} for name, part in said["parts"].items()} == {
        "database": True,
        "redis": True,
        "broker": True,
    }
    assert all(isinstance(part["ms"], int) and part.keys() == {"state", "ms"} for part in said["parts"].values())


@pytest.mark.django_db
def test_a_lost_part_is_503_and_says_no_more_than_that(
    http: SimpleNamespace, lost_redis: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    lost_redis()

    answer = http.get("/readyz")

    assert answer.status_code == 503
    assert answer["Cache-Control"] == "no-store"
    assert json.loads(answer.content)["parts"]["redis"]["state"] == "failed"
    for secret in (b"hunter2", b"127.0.0.1", b"Error", b"refused"):
        assert secret not in answer.content
    # Told once, by the probe: not by Django as well, several times a minute.
    assert [record.name for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == [
        "metrics.readiness"
    ]


@pytest.mark.django_db
def test_a_part_that_is_not_needed_is_told_and_leaves_it_ready(
    http: SimpleNamespace, lost_redis: Callable[..., None]
) -> None:
    lost_redis(READY_NEEDS=["database"])

    answer = http.get("/readyz")

    assert answer.status_code == 200
    assert json.loads(answer.content)["parts"]["redis"]["state"] == "failed"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_reading_is_allowed(http: SimpleNamespace, path: str) -> None:
    assert http.post(path).status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_tls_is_asked_of_nobody_who_asks_for_health(http: SimpleNamespace, settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert http.get(path).status_code in {200, 503}
    assert http.get("/api/v1/products/").status_code == 301


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_never_refused_and_costs_no_place(
    http: SimpleNamespace, tracking: Callable[..., object], scripts_run: Callable[[], int], path: str
) -> None:
    tracking(POLICIES={"site": {"rates": ["1/m"], "routes": ["*"], "why": "for a test"}})
    before = scripts_run()

    answers = {http.get(path).status_code for _ in range(3)}

    assert answers == {200}
    assert scripts_run() == before


def test_health_asks_no_database() -> None:
    """Without the mark `django_db` a query would fail."""
    assert Client().get("/healthz").json() == {"status": "ok"}
