"""One breaker for each server: who waits, who tests, and what is told."""

from __future__ import annotations

import logging
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from metrics import breaker, emit
from metrics.breaker import Breaker
from metrics.catalogue import STORE_MODE_CHANGES

ERROR = ConnectionError("refused")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def away(clock) -> Breaker:
    gate = Breaker("a server", clock)
    gate.failed(gate.enter(), ERROR)
    return gate


def test_while_a_server_is_away_nobody_enters_for_a_second(away, clock):
    clock.now_s = 0.999

    assert away.away
    assert away.enter() is None


def test_of_many_callers_one_enters_each_second(away, clock):
    for second in (1.0, 2.0, 3.0):
        clock.now_s = second
        with ThreadPoolExecutor(16) as threads:
            entered = [ticket for ticket in threads.map(lambda _: away.enter(), range(100)) if ticket is not None]
        assert len(entered) == 1


def test_the_test_that_is_answered_ends_it(away, clock):
    clock.now_s = 1.0
    away.answered(away.enter())

    assert not away.away
    assert away.enter() is not None


def test_the_test_that_fails_leaves_it_away_for_another_second(away, clock):
    clock.now_s = 1.0
    away.failed(away.enter(), ERROR)

    clock.now_s = 1.9

    assert away.away
    assert away.enter() is None


def test_an_answer_that_was_long_on_its_way_does_not_end_an_outage(clock):
    gate = Breaker("a server", clock)
    early = gate.enter()
    gate.failed(gate.enter(), ERROR)

    gate.answered(early)

    assert gate.away


def test_a_failure_from_before_the_return_does_not_begin_another_outage(clock):
    gate = Breaker("a server", clock)
    early = gate.enter()
    gate.failed(gate.enter(), ERROR)
    clock.now_s = 1.0
    gate.answered(gate.enter())

    gate.failed(early, ERROR)

    assert not gate.away


def test_each_change_is_one_line_and_one_count_whoever_failed(agent, caplog, clock):
    gate = Breaker("a server", clock)
    tickets = [gate.enter() for _ in range(16)]

    with caplog.at_level(logging.INFO, "metrics.breaker"):
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda ticket: gate.failed(ticket, ERROR), tickets))
        clock.now_s = 1.0
        gate.answered(gate.enter())
        gate.answered(gate.enter())

    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "a server is away (ConnectionError)" in caplog.text
    emit.flush()
    assert agent.total(STORE_MODE_CHANGES, mode="away") == 1
    assert agent.total(STORE_MODE_CHANGES, mode="store") == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("redis://h:6379/0", "redis://:secret@H:6379/1"),
        ("redis://h", "rediss://user:secret@h:6379/3?socket_timeout=1"),
        ("unix:///run/a%20b.sock?db=0", "unix:///run/a b.sock?db=7&password=secret"),
        ("redis://[::1]:6379/0", "redis://[::1]"),
        ("redis:///2", "redis://localhost:6379/0"),
    ],
)
def test_a_server_is_one_whatever_the_database_the_password_and_the_options(one, other):
    assert breaker.of(one) is breaker.of(other)
    assert "secret" not in breaker.place_of(other)


@pytest.mark.parametrize("other", ["redis://h:6380/0", "redis://i:6379/0", "unix:///h"])
def test_another_place_is_another_server(other):
    assert breaker.of("redis://h:6379/0") is not breaker.of(other)


def test_a_forked_child_finds_out_for_itself(away, clock):
    url = "redis://of-the-parent:1/0"
    gate = breaker.of(url)
    gate.failed(gate.enter(), ERROR)
    reading, writing = os.pipe()
    gate._lock.acquire()  # as another thread of the parent may hold it

    child = os.fork()
    if not child:
        signal.alarm(10)  # what would wait for the parent's lock waits for ever
        ticket = gate.enter()
        gate.failed(ticket, ERROR)
        os.write(writing, b"well" if ticket == 0 and gate.away else b"wrong")
        os._exit(0)
    os.close(writing)
    gate._lock.release()
    os.waitpid(child, 0)

    assert os.read(reading, 5) == b"well"
    assert gate.away
