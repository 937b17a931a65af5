"""One batch to a real broker: taken, refused, frozen, restarted."""

from __future__ import annotations

import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
import redis
from celery import current_app

from ip_tracking.record.message import NotSent, pack, unpack
from ip_tracking.record.publish import TASK, Publisher
from sentinel.embedded import broker_url, start_valkey
from tests.traffic import event

# A refusal needs no waiting; with kombu's own retries it would be two seconds and more.
AT_ONCE_S = 1.0

# Generous: what must not happen is the minutes that the defaults would wait.
BOUND_S = 5.0


class Broker:
    """A Valkey server of the test's own, which it may freeze and kill."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.process = start_valkey(directory)

    def queued(self, queue: str = "events") -> int:
        with redis.Redis(unix_socket_path=str(self._directory / "valkey.sock")) as client:
            return int(client.llen(queue))

    def take(self) -> Any:
        """Returns the next message, as a worker gets it."""
        with current_app.connection_for_write() as connection, connection.SimpleQueue("events") as queue:
            message = queue.get(timeout=BOUND_S)
            message.ack()
            return message

    def restart(self) -> None:
        self.stop()
        self.process = start_valkey(self._directory)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    # Short, because a unix socket's path may hold 107 characters.
    with tempfile.TemporaryDirectory(prefix="broker-") as directory:
        monkeypatch.setenv("CELERY_BROKER_WRITE_URL", broker_url(Path(directory)))
        made = Broker(Path(directory))
        yield made
        made.stop()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    made.close()


def refused_after(publisher: Publisher, batch_id: str = "batch") -> float:
    """Returns how long it took to say that the batch was not sent."""
    started = time.monotonic()
    with pytest.raises(NotSent):
        publisher.send(batch_id, pack([event()]))
    return time.monotonic() - started


def test_a_batch_arrives_as_the_task_that_stores_it(broker: Broker, publisher: Publisher) -> None:
    batch_id, events = str(uuid4()), [event(user_agent="\udc80 \x00 \u202e"), event()]

    publisher.send(batch_id, pack(events))

    message = broker.take()
    [sent_id, sent], _, _ = message.payload
    assert message.headers["task"] == TASK
    assert message.headers["id"] == sent_id == batch_id
    assert unpack(sent) == events


def test_a_batch_is_sent_from_a_thread_of_its_own(broker: Broker) -> None:
    """That is where the sender lives: Celery's application must be found there too."""
    publisher = Publisher()

    thread = threading.Thread(target=publisher.send, args=("batch", pack([event()])))
    thread.start()
    thread.join()
    publisher.close()

    assert broker.queued() == 1


def test_the_projects_own_broker_options_stay(
    broker: Broker, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key prefix, say: without it batches would lie where no worker looks."""
    monkeypatch.setitem(current_app.conf.changes, "broker_transport_options", {"global_keyprefix": "shop:"})

    publisher.send("batch", pack([event()]))

    assert broker.queued("shop:events") == 1


def test_a_broker_that_refuses_is_told_at_once(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can answer there
        monkeypatch.setenv("CELERY_BROKER_WRITE_URL", f"redis://127.0.0.1:{taken.getsockname()[1]}/0")

        assert refused_after(publisher) < AT_ONCE_S
        assert refused_after(publisher) < AT_ONCE_S


def test_an_amqp_broker_that_refuses_is_told_at_once(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CELERY_BROKER_WRITE_URL", f"amqp://127.0.0.1:{taken.getsockname()[1]}//")

        assert refused_after(publisher) < AT_ONCE_S


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "new"])
def test_a_frozen_broker_is_given_up_on_and_found_again(broker: Broker, publisher: Publisher, connected: bool) -> None:
    if connected:
        publisher.send("before", pack([event()]))
    broker.process.send_signal(signal.SIGSTOP)

    took = refused_after(publisher, "during")
    broker.process.send_signal(signal.SIGCONT)
    publisher.send("during", pack([event()]))

    assert took < BOUND_S
    assert broker.queued() >= (2 if connected else 1)


def test_a_restarted_broker_is_found_again(broker: Broker, publisher: Publisher) -> None:
    """The first try may meet the old connection: that batch goes to the spool."""
    publisher.send("before", pack([event()]))
    broker.restart()

    try_twice(lambda: publisher.send("after", pack([event()])))

    assert broker.queued() == 1


def try_twice(send: Callable[[], None]) -> None:
    try:
        send()
    except NotSent:
        send()


def test_no_connection_stays_open_after_closing(broker: Broker) -> None:
    publisher = Publisher()
    before = open_sockets()
    publisher.send("batch", pack([event()]))

    publisher.close()
    publisher.close()

    assert open_sockets() == before


def open_sockets() -> int:
    return len(psutil.Process().net_connections(kind="unix"))
