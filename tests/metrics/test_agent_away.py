"""An Agent that is away, frozen, or restarted: nobody waits for it, and what is lost is counted when it is back."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.test import Client

from metrics import client, emit
from metrics.catalogue import EMIT_DROPPED, EVENTS_STORED, REQUEST_DURATION
from tests.dogstatsd import Receiver, arrived
from tests.metrics.conftest import send_to

REQUEST = {"route": "a", "method": "GET", "status_class": "2xx"}


@pytest.fixture
def place() -> Iterator[Path]:
    """Where an Agent's socket may be; short, as its path may hold 107 characters."""
    with TemporaryDirectory(prefix="dog-") as directory:
        yield Path(directory) / "dog.sock"
        client.close()


@contextlib.contextmanager
def listening(place: Path) -> Iterator[Receiver]:
    """An Agent that reads only when it is asked what arrived: until then it is frozen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(place))
        bound.setblocking(False)
        yield Receiver(lambda: list(arrived(bound)), f"unix://{place}")
    place.unlink()


@contextlib.contextmanager
def listening_on(port: int) -> Iterator[Receiver]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", port))
        bound.setblocking(False)
        yield Receiver(lambda: list(arrived(bound)), f"udp://127.0.0.1:{bound.getsockname()[1]}")


def test_a_frozen_agent_is_met_by_no_request(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its socket costs, the thread pays it."""
    sending: set[str] = set()
    send = socket.socket.send

    def watched(self: socket.socket, data: bytes) -> int:
        sending.add(threading.current_thread().name)
        return send(self, data)

    monkeypatch.setattr(socket.socket, "send", watched)
    with listening(place) as agent:
        send_to(monkeypatch, agent.environ)

        for _ in range(300):
            assert Client().get("/nowhere/").status_code == 404
        emit.flush()

    assert sending == {"sentinel-metrics"}


def test_what_a_frozen_agent_did_not_take_is_counted_when_it_wakes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SEND_TIMEOUT_S", 0.01)
    with listening(place) as agent:
        send_to(monkeypatch, agent.environ)
        for _ in range(5_000):  # fifty packets; the socket holds ten or so
            emit.distribution(REQUEST_DURATION, 0.25, **REQUEST)
        emit.flush()

        arrived = len(agent.values(REQUEST_DURATION))
        emit.flush()

        assert 0 < arrived < 5_000
        assert agent.total(EMIT_DROPPED, reason="socket") == 5_000 - arrived


def test_an_agent_that_was_restarted_misses_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(place) as agent:
        send_to(monkeypatch, agent.environ)
        emit.count(EVENTS_STORED)
        emit.flush()
        assert agent.total(EVENTS_STORED) == 1

    with listening(place) as restarted:
        emit.count(EVENTS_STORED, 10)
        emit.flush()
        emit.flush()

        assert restarted.total(EVENTS_STORED) == 10
        assert restarted.total(EMIT_DROPPED) == 0


def test_what_found_no_agent_is_counted_once_there_is_one(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    send_to(monkeypatch, {"DD_DOGSTATSD_URL": f"unix://{place}"})
    for _ in range(3):
        emit.count(EVENTS_STORED)
        emit.distribution(REQUEST_DURATION, 0.25, **REQUEST)
        emit.flush()

    with listening(place) as agent:
        emit.flush()

        assert agent.total(EMIT_DROPPED, reason="socket") == 6
        assert agent.total(EVENTS_STORED) == 0


def test_over_udp_what_found_nobody_on_this_host_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening_on(0) as agent:
        port = int(agent.environ["DD_DOGSTATSD_URL"].rpartition(":")[2])
        send_to(monkeypatch, agent.environ)
        emit.count(EVENTS_STORED)
        emit.flush()
        assert agent.total(EVENTS_STORED) == 1

    for _ in range(100):
        emit.distribution(REQUEST_DURATION, 0.25, **REQUEST)
    emit.flush()

    with listening_on(port) as restarted:
        emit.count(EVENTS_STORED, 10)
        emit.flush()

        assert restarted.total(EVENTS_STORED) == 10
        assert restarted.total(EMIT_DROPPED, reason="socket") == 100
        client.close()
