"""What a worker sends to Datadog each minute, from the same probes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from metrics import emit, service_checks
from metrics.readiness import readiness
from metrics.tasks import CHECK_WITHIN_S, _waited_s, check_services
from tests.dogstatsd import Receiver, ServiceCheck, udp_receiver
from tests.e2e import processes
from tests.metrics.conftest import agent, transport

__all__ = ["agent", "transport"]

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    readiness.forget()
    yield
    readiness.forget()


def sent(agent: Receiver) -> dict[str, list[ServiceCheck]]:
    emit.flush()
    found: dict[str, list[ServiceCheck]] = {}
    for message in agent.read():
        if isinstance(message, ServiceCheck):
            found.setdefault(message.name.removeprefix("sentinel."), []).append(message)
    return found


@pytest.mark.django_db
def test_a_house_that_is_well_sends_four_checks(agent: Receiver) -> None:
    readiness.ask()  # the first has imports to do

    check_services()

    checks = sent(agent)
    assert checks.keys() == {"redis.can_connect", "database.can_connect", "broker.can_connect", "celery.can_work"}
    assert all(check.status in {emit.OK, emit.WARNING} for (check,) in checks.values())
    assert checks["celery.can_work"][0].status == emit.OK


@pytest.mark.django_db
def test_each_redis_has_a_check_of_its_own_and_says_no_password(agent: Receiver, settings: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        lost = f"redis://:hunter2@127.0.0.1:{port}/0"
        settings.METRICS = {**settings.METRICS, "REDIS_URLS": [*settings.METRICS["REDIS_URLS"], lost]}
        service_checks.send(0)

    found = {check.tags["redis_port"]: check.status for check in sent(agent)["redis.can_connect"]}
    assert found[str(port)] == emit.CRITICAL
    assert found["0"] in {emit.OK, emit.WARNING}
    assert b"hunter2" not in agent.raw


@pytest.mark.django_db
@pytest.mark.parametrize(("waited_s", "status"), [(0.0, emit.OK), (9.0, emit.OK), (11.0, emit.WARNING)])
def test_a_task_that_waited_long_is_a_warning(agent: Receiver, waited_s: float, status: int) -> None:
    service_checks.send(waited_s)

    (check,) = sent(agent)["celery.can_work"]
    assert check.status == status


@pytest.mark.parametrize("form", ["text", "moment"])
def test_how_long_a_message_waited_is_told_by_when_it_expires(form: str) -> None:
    expires = NOW - timedelta(seconds=20) + timedelta(seconds=CHECK_WITHIN_S)

    assert _waited_s(expires.isoformat() if form == "text" else expires, NOW) == pytest.approx(20)
    assert _waited_s(None, NOW) == 0


@pytest.mark.slow
def test_a_worker_sends_them_for_a_message_from_the_broker(tmp_path: Path) -> None:
    with processes.database("service_checks") as database, udp_receiver() as receiver:
        kept = {name: value for name, value in os.environ.items() if name != "DD_DOGSTATSD_DISABLE"}
        env = {**kept, **receiver.environ, "DATABASE_URL": database, "PYTHONWARNINGS": ""}
        with processes.running(processes.worker("-c", "1", "-Q", "checks", "-n", "checks@%h"), env, tmp_path / "log"):
            check_services.apply_async(queue="checks")
            receiver.wait_for(lambda: "celery.can_work" in sent(receiver), 60)
        checks = sent(receiver)

    (works,) = checks["celery.can_work"]
    assert works.message.startswith("waited ")
    assert float(works.message.split()[1]) < CHECK_WITHIN_S
    assert {check.status for name, found in checks.items() for check in found if name != "celery.can_work"} <= {
        emit.OK,
        emit.WARNING,
    }
