"""How long queues are, on the brokers themselves."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery
from kombu import Queue

from metrics import emit, queues
from metrics.catalogue import QUEUE_LENGTH, QUEUE_READINGS, UNACKED
from sentinel.embedded import broker_url, start_valkey
from tests.dogstatsd import Receiver
from tests.e2e import processes

PREFIX = "queues-test:"
Broker = tuple[str, subprocess.Popen[bytes]]


@pytest.fixture(autouse=True)
def _own_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery lets the variable go over its arguments."""
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)


def lengths(agent: Receiver) -> dict[str, float]:
    emit.flush()
    return {sample.tags["queue"]: sample.values[0] for sample in agent.samples(QUEUE_LENGTH)}


def project(url: str, **conf: object) -> Celery:
    app = Celery("queues", broker=url, set_as_current=False)
    app.conf.update(task_default_queue="chores", task_routes={"a.*": "errands", "b": {"queue": "letters"}}, **conf)
    return app


def send(app: Celery, queue: str, times: int, **options: object) -> None:
    with app.connection_for_write() as connection:
        for _ in range(times):
            app.send_task("somebodys", queue=queue, producer=app.amqp.Producer(connection), **options)


@pytest.fixture
def valkey() -> Iterator[Broker]:
    """A broker that may be frozen, and whose connections are the test's alone."""
    directory = Path(tempfile.mkdtemp(prefix="queues-"))
    process = start_valkey(directory)
    yield broker_url(directory, 1), process
    process.send_signal(signal.SIGCONT)
    process.terminate()
    process.wait(10)
    processes.remove(directory)


def test_the_queues_are_those_that_the_configuration_names() -> None:
    app = project("memory://")
    assert queues.names(app) == ["chores", "errands", "letters"]

    listed = project("memory://", task_queues=[Queue("parcels"), Queue("chores")])
    assert queues.names(listed) == ["chores", "errands", "letters", "parcels"]

    of_functions = Celery("queues", broker="memory://", set_as_current=False)
    of_functions.conf.task_routes = (lambda name, *_, **__: {"queue": "unknowable"}, [("c", {"queue": Queue("post")})])
    assert queues.names(of_functions) == ["celery", "post"]


def test_on_redis_messages_of_every_priority_wait_and_those_in_hand_are_apart(valkey: Broker, agent: Receiver) -> None:
    app = project(valkey[0], broker_transport_options={"global_keyprefix": PREFIX})
    send(app, "chores", 3)
    send(app, "chores", 2, priority=9)
    send(app, "errands", 1)
    with app.connection_for_read() as connection:
        in_hand = connection.channel().basic_get("errands")
        assert in_hand is not None

        queues.export(app)

        assert lengths(agent) == {"chores": 5, "errands": 0, "letters": 0}
        assert agent.values(UNACKED) == [1]
        assert agent.total(QUEUE_READINGS, outcome="ok") == 1


def test_a_reading_costs_two_connections_and_leaves_none(valkey: Broker, agent: Receiver) -> None:
    app = project(valkey[0])
    path = re.sub(r"^redis\+socket://|\?.*", "", valkey[0])
    with redis.Redis(unix_socket_path=path) as broker:
        before = broker.info("stats")["total_connections_received"]

        queues.export(app)

        assert broker.info("stats")["total_connections_received"] - before <= 2
        assert broker.info("clients")["connected_clients"] == 1


@pytest.mark.slow
def test_on_rabbitmq_a_queue_that_there_is_not_is_empty(tmp_path: Path, agent: Receiver) -> None:
    with processes.rabbitmq(tmp_path) as url:
        app = project(url, task_queue_max_priority=9)
        send(app, "chores", 3)
        send(app, "letters", 1, priority=9)

        queues.export(app)

        assert lengths(agent) == {"chores": 3, "errands": 0, "letters": 1}
        assert agent.values(UNACKED) == []
        assert agent.total(QUEUE_READINGS, outcome="ok") == 1


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_away_is_counted_and_waited_for_not_long(scheme: str, agent: Receiver) -> None:
    started = time.monotonic()

    queues.export(project(f"{scheme}://127.0.0.1:{processes.free_port()}//"))

    emit.flush()
    assert time.monotonic() - started < 5
    assert agent.total(QUEUE_READINGS, outcome="error") == 1
    assert agent.samples(QUEUE_LENGTH) == []


def test_a_broker_that_hangs_is_counted_and_waited_for_not_long(valkey: Broker, agent: Receiver) -> None:
    valkey[1].send_signal(signal.SIGSTOP)
    started = time.monotonic()

    queues.export(project(valkey[0]))

    emit.flush()
    assert time.monotonic() - started < 10
    assert agent.total(QUEUE_READINGS, outcome="error") == 1


def test_a_rabbitmq_that_hangs_is_counted_and_waited_for_not_long(agent: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()

        queues.export(project(f"amqp://127.0.0.1:{silent.getsockname()[1]}//"))

    emit.flush()
    assert time.monotonic() - started < 10
    assert agent.total(QUEUE_READINGS, outcome="error") == 1
