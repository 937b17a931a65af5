from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from metrics import client, emit, outbox
from metrics.catalogue import (
    BATCHES_SPOOLED,
    BLOCKED,
    EMIT_DROPPED,
    REDIS_HIT_RATIO,
    REQUEST_DURATION,
    REQUESTS,
    Metric,
)
from tests.dogstatsd import Receiver
from tests.metrics.conftest import send_to

REQUEST = {"route": "shop:product-detail", "method": "GET", "status_class": "2xx"}
REDIS = {"redis_host": "127.0.0.1", "redis_port": "6379", "redis_role": "master"}
STRANGER = Metric("stranger", "count", "item", "Not in the catalogue.")


@pytest.fixture(params=["udp", "unix"])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


def test_each_kind_arrives_as_it_was_given(agent: Receiver) -> None:
    emit.count(REQUESTS, **REQUEST)
    emit.count(REQUESTS, 4, **REQUEST)
    emit.distribution(REQUEST_DURATION, 0.25, **REQUEST)
    emit.distribution(REQUEST_DURATION, 0.75, **REQUEST)
    emit.gauge(REDIS_HIT_RATIO, 0.1, **REDIS)
    emit.gauge(REDIS_HIT_RATIO, 0.9, **REDIS)
    emit.count(BATCHES_SPOOLED)
    emit.flush()

    assert agent.values(REQUESTS, **REQUEST) == [5]  # one line: added up before it is sent
    assert agent.values(REQUEST_DURATION, **REQUEST) == [0.25, 0.75]
    assert agent.values(REDIS_HIT_RATIO, **REDIS) == [0.9]
    assert agent.values(BATCHES_SPOOLED) == [1]


def test_lines_travel_many_to_a_packet_and_none_is_lost(agent: Receiver) -> None:
    for _ in range(2_000):  # more packets than a unix socket takes before somebody reads
        emit.distribution(REQUEST_DURATION, 0.25, **REQUEST)
    emit.flush()

    assert len(agent.values(REQUEST_DURATION)) == 2_000


def test_what_waits_goes_out_by_itself(agent: Receiver) -> None:
    emit.count(REQUESTS, **REQUEST)

    agent.wait_for(lambda: agent.total(REQUESTS) == 1)


def test_the_order_of_the_tags_makes_no_other_series(agent: Receiver) -> None:
    emit.count(BLOCKED, reason="block", route="a")
    emit.count(BLOCKED, route="a", reason="block")
    emit.flush()

    assert agent.values(BLOCKED) == [2]


def test_the_environment_of_the_library_is_heeded(agent: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_ENV", "staging")
    monkeypatch.setenv("DD_SERVICE", "shop-api")
    monkeypatch.setenv("DD_VERSION", "1.2.3")
    client.close()

    emit.count(BATCHES_SPOOLED)
    emit.flush()

    (sample,) = agent.samples(BATCHES_SPOOLED)
    assert sample.tags == {"env": "staging", "service": "shop-api", "version": "1.2.3"}


def test_only_metrics_are_sent(agent: Receiver) -> None:
    """No telemetry of the client, no container's identity."""
    emit.count(BATCHES_SPOOLED)
    emit.flush()

    agent.read()
    assert agent.raw == b"sentinel.record.batches_spooled:1|c\n"


@pytest.mark.parametrize("wanted", [True, False])
def test_the_clients_own_metrics_are_sent_where_wanted_only(
    agent: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    settings.METRICS = {"STRICT": True, "TELEMETRY": wanted}
    emit.count(BATCHES_SPOOLED)
    later = time.time() + 60  # the library sends them every ten seconds
    monkeypatch.setattr(time, "time", lambda: later)

    emit.flush()
    client.close()

    assert (b"datadog.dogstatsd.client.metrics:" in agent.raw) == wanted


def test_nothing_is_sent_nor_built_when_switched_off(agent: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_DOGSTATSD_DISABLE", "true")
    client.close()

    emit.count(BATCHES_SPOOLED)
    emit.flush()

    assert client.outlet().outbox is None
    assert agent.read() == []


WRONG_CALLS = [
    pytest.param("metric", lambda: emit.count(STRANGER), id="unknown metric"),
    pytest.param("type", lambda: emit.count(REQUEST_DURATION, 1, **REQUEST), id="wrong type"),
    pytest.param("tags", lambda: emit.count(BLOCKED, reason="block"), id="missing tag"),
    pytest.param("tags", lambda: emit.count(BLOCKED, reason="a", route="b", ip="c"), id="unknown tag"),
    pytest.param("tag_value", lambda: emit.count(BLOCKED, reason="a", route=None), id="None as a tag"),
    pytest.param("tag_value", lambda: emit.count(BLOCKED, reason="a", route=200), id="number as a tag"),
    pytest.param("unusable", lambda: emit.count(BLOCKED, reason="a", route=["b"]), id="list as a tag"),
    pytest.param("value", lambda: emit.count(BATCHES_SPOOLED, float("nan")), id="NaN"),
    pytest.param("value", lambda: emit.count(BATCHES_SPOOLED, float("-inf")), id="infinite"),
    pytest.param("value", lambda: emit.count(BATCHES_SPOOLED, None), id="None"),
    pytest.param("value", lambda: emit.count(BATCHES_SPOOLED, "1|c\nsentinel.evil:1"), id="text"),
    pytest.param("value", lambda: emit.count(BATCHES_SPOOLED, True), id="boolean"),
    pytest.param("unusable", lambda: emit.count(BATCHES_SPOOLED, 10**400), id="too large"),
]


@pytest.mark.parametrize(("reason", "call"), WRONG_CALLS)
def test_a_wrong_call_raises_in_strict_mode_even_when_switched_off(reason, call, monkeypatch) -> None:
    monkeypatch.setenv("DD_DOGSTATSD_DISABLE", "true")
    client.close()

    with pytest.raises((ValueError, TypeError, OverflowError)):
        call()


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize(("reason", "call"), WRONG_CALLS)
def test_a_wrong_call_is_dropped_and_counted_elsewhere(reason, call, agent) -> None:
    call()
    call()
    emit.flush()

    assert agent.values(EMIT_DROPPED, reason=reason) == [2]
    assert len(agent.read()) == 1


@pytest.mark.usefixtures("lenient")
def test_a_right_call_does_not_hide_a_wrong_one_with_the_same_tags(agent: Receiver) -> None:
    emit.distribution(REQUEST_DURATION, 1, **REQUEST)
    emit.count(REQUEST_DURATION, 1, **REQUEST)
    emit.count(REQUESTS, **REQUEST)
    emit.distribution(REQUESTS, 1, **REQUEST)
    emit.flush()

    assert agent.values(EMIT_DROPPED, reason="type") == [2]
    assert agent.values(REQUEST_DURATION) == [1]
    assert agent.values(REQUESTS) == [1]


HOSTILE = [
    "a|#evil:1",
    "a\nsentinel.evil:1|c",
    "a,evil:1",
    "ünïcödé",
    "\x00\x1b[31m",
    "a b\tc",
    "\ud800",
    "x" * 1_000_000,
    "",
    "____",
    "#@|:,",
]


@pytest.mark.parametrize("value", HOSTILE, ids=[f"{value:.12}".encode("unicode_escape").decode() for value in HOSTILE])
def test_a_hostile_tag_value_stays_a_tag_value(agent: Receiver, value: str) -> None:
    emit.count(BLOCKED, reason="block", route=value)
    emit.distribution(REQUEST_DURATION, 0.5, route=value, method="GET", status_class="2xx")
    emit.flush()

    assert agent.values(BLOCKED, reason="block") == [1]
    assert agent.values(REQUEST_DURATION, method="GET") == [0.5]
    assert len(agent.read()) == 2


def test_a_long_hostile_value_is_not_kept_in_memory(agent: Receiver) -> None:
    emit.count(BLOCKED, reason="block", route="x" * 1_000_000)

    kept = [part for key in emit._checked for part in key]
    assert all(len(part) <= 200 for part in kept if isinstance(part, str))


def test_values_past_the_cap_become_other(agent: Receiver, settings: Settings) -> None:
    settings.METRICS = {"STRICT": True, "MAX_TAG_VALUES": 3}

    for number in range(10):
        emit.count(BLOCKED, reason="block", route=f"route-{number}")
    emit.count(BLOCKED, reason="block", route="route-1")
    emit.flush()

    totals = {sample.tags["route"]: sample.values[0] for sample in agent.samples(BLOCKED)}
    assert totals == {"route-0": 1, "route-1": 2, "route-2": 1, "other": 7}


def test_the_tag_lists_kept_are_bounded(agent: Receiver, settings: Settings) -> None:
    settings.METRICS = {"STRICT": True, "MAX_TAG_VALUES": 20_000}

    for number in range(10_000):
        emit.count(BLOCKED, reason="block", route=str(number))

    assert len(emit._checked) <= 4096


def test_many_threads_lose_nothing(agent: Receiver) -> None:
    def work() -> None:
        for _ in range(5_000):
            emit.count(REQUESTS, **REQUEST)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    emit.flush()

    assert agent.total(REQUESTS) == 40_000


@pytest.fixture
def unread() -> Iterator[Path]:
    """A unix socket that is there, with nobody reading."""
    with TemporaryDirectory(prefix="dog-") as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"{directory}/dog.sock")
        yield Path(directory) / "dog.sock"


def refused_port() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as once:
        once.bind(("127.0.0.1", 0))
        return f"udp://127.0.0.1:{once.getsockname()[1]}"


@pytest.mark.parametrize("missing", ["refused", "missing socket", "not reading", "unresolvable", "nonsense"])
def test_without_an_agent_a_call_costs_as_little_as_with_one(
    missing: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, unread: Path
) -> None:
    urls = {
        "refused": refused_port(),
        "missing socket": "unix:///nowhere/dog.sock",
        "not reading": f"unix://{unread}",
        "unresolvable": "udp://agent.invalid:8125",
        "nonsense": "gopher://x",
    }
    send_to(monkeypatch, {"DD_DOGSTATSD_URL": urls[missing]})

    started = time.perf_counter()
    for _ in range(5_000):
        emit.count(REQUESTS, **REQUEST)
        emit.distribution(REQUEST_DURATION, 0.25, **REQUEST)
    spent_s = time.perf_counter() - started

    assert spent_s < 5.0  # a second on the busiest machine; calls that waited, be it a millisecond, would take ten
    client.close()
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) <= 1


class Resolver:
    """Hangs until it is released: the one wait that `socket_timeout` does not cover."""

    def __init__(self) -> None:
        self.asked, self.released = threading.Event(), threading.Event()
        self._real = socket.getaddrinfo

    def __call__(self, *arguments: Any) -> list[Any]:
        self.asked.set()
        self.released.wait(30)
        return self._real(*arguments)


@pytest.fixture
def resolver(agent: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    """Stands before the receiver, with the thread already waiting for it."""
    hanging = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    emit.distribution(REQUEST_DURATION, 0.25, **REQUEST)
    assert hanging.asked.wait(10)
    yield hanging
    hanging.released.set()


@pytest.mark.parametrize("transport", ["udp"])
def test_a_resolver_that_hangs_holds_up_no_call_and_what_is_too_many_is_told_and_counted(
    agent: Receiver, resolver: Resolver, caplog: pytest.LogCaptureFixture
) -> None:
    calls = outbox.QUEUE_MOST + 1_000

    started = time.perf_counter()
    for _ in range(calls):
        emit.count(REQUESTS, **REQUEST)
    spent_s = time.perf_counter() - started
    resolver.released.set()
    emit.flush()
    emit.flush()  # what was dropped is told in the round after

    assert spent_s < 5  # 0.04 s here
    assert agent.total(REQUESTS) == outbox.QUEUE_MOST
    assert agent.total(EMIT_DROPPED, reason="queue_full") == 1_000
    assert [record.message for record in caplog.records].count(
        "Metrics dropped (queue_full): the Agent, or the way to it, is too slow."
    ) == 1


@pytest.mark.parametrize("transport", ["udp"])
def test_a_flush_waits_for_a_resolver_that_hangs_but_not_long(resolver: Resolver) -> None:
    started = time.perf_counter()
    emit.flush()
    client.close()

    assert time.perf_counter() - started < 2 * outbox.END_DEADLINE_S + 1


@pytest.mark.parametrize("transport", ["udp"])
def test_what_was_held_up_too_long_is_not_sent_as_if_it_were_new(
    agent: Receiver, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "ROUND_S", 0.2)
    resolver.released.set()
    emit.flush()
    agent.wait_for(lambda: len(agent.values(REQUEST_DURATION)) == 1)
    client.close()
    resolver.released.clear()
    resolver.asked.clear()

    for _ in range(100):  # more than one packet: the second is due when the first is through
        emit.distribution(REQUEST_DURATION, 0.5, **REQUEST)
    assert resolver.asked.wait(10)
    time.sleep(0.3)
    resolver.released.set()
    emit.flush()
    emit.flush()

    sent = agent.values(REQUEST_DURATION).count(0.5)
    assert 0 < sent < 100
    assert agent.total(EMIT_DROPPED, reason="late") == 100 - sent


def test_a_number_nobody_can_add_up_does_not_end_the_sending(agent: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    for value in (10**308, 10**308, 0.5):
        emit.count(BATCHES_SPOOLED, value)
    emit.flush()
    emit.count(BATCHES_SPOOLED)
    emit.flush()

    assert "Metrics were lost." in caplog.text
    assert agent.values(BATCHES_SPOOLED) == [1]


def test_the_thread_ends_with_its_outbox(agent: Receiver) -> None:
    before = set(threading.enumerate())
    emit.count(BATCHES_SPOOLED)
    (thread,) = set(threading.enumerate()) - before

    client.close()

    assert not thread.is_alive()
    assert agent.values(BATCHES_SPOOLED) == [1]


def test_a_new_thread_that_cannot_be_had_stops_no_request(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    send_to(monkeypatch, {})
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        emit.count(BATCHES_SPOOLED)
    client.close()

    assert "No metrics will be sent" in caplog.text
