"""One look at all probes: bounded, shared by all who ask, and never more than one thread for each probe."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from metrics.probes import Part, Probe
from metrics.readiness import KEEP_S, LONGEST_S, Readiness

DATABASE = Part("database", budget_s=0.2, slow_s=0.1)
REDIS = Part("redis", budget_s=0.2, slow_s=0.1)
# Generous: what must not happen is that two budgets add up, or that nobody gives up.
BOUND_S = 5.0


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Service:
    """Answers after so long by the clock; or not until it is let go."""

    def __init__(self, clock: Clock, part: Part, takes_s: float = 0.0, place: str = "") -> None:
        self._clock = clock
        self.takes_s = takes_s
        self.error: Exception | None = None
        self.asked = 0
        self.let_go = threading.Event()
        self.let_go.set()
        self.probe = Probe(part, self._ask, place)

    def _ask(self) -> None:
        self.asked += 1
        self.let_go.wait(BOUND_S)
        self._clock.now += self.takes_s
        if self.error is not None:
            raise self.error


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(clock: Clock) -> Iterator[Service]:
    service = Service(clock, DATABASE)
    yield service
    service.let_go.set()


@pytest.fixture
def readiness(clock: Clock, database: Service) -> Readiness:
    return Readiness(lambda: [database.probe], clock)


def states(readiness: Readiness) -> list[str]:
    return [found.state for found in readiness.look().findings]


@pytest.mark.parametrize(("takes_s", "state"), [(0.0, "ok"), (0.09, "ok"), (0.15, "slow"), (0.3, "failed")])
def test_a_service_is_as_well_as_its_answer_is_quick(
    readiness: Readiness, database: Service, takes_s: float, state: str
) -> None:
    database.takes_s = takes_s

    assert states(readiness) == [state]


def test_what_it_raises_is_told_by_its_kind_only(readiness: Readiness, database: Service) -> None:
    database.error = ConnectionRefusedError("at 10.0.0.7 with the password hunter2")

    (found,) = readiness.look().findings

    assert (found.state, found.why) == ("failed", "ConnectionRefusedError")
    assert "hunter2" not in repr(found)


def test_who_does_not_answer_is_waited_for_no_longer_than_the_budget(readiness: Readiness, database: Service) -> None:
    database.let_go.clear()

    began_s = time.monotonic()
    found = states(readiness)

    assert found == ["failed"]
    assert time.monotonic() - began_s < BOUND_S


def test_probes_are_asked_side_by_side(clock: Clock) -> None:
    """Each waits until the other was asked: one after another, both would fail."""
    meet = threading.Barrier(2)
    probes = [Probe(part, lambda: meet.wait(BOUND_S) and None, part.name) for part in (DATABASE, REDIS)]

    assert states(Readiness(lambda: probes, clock)) == ["ok", "ok"]


def test_a_probe_that_hangs_keeps_its_one_thread_however_often_is_asked(
    readiness: Readiness, database: Service, clock: Clock
) -> None:
    database.let_go.clear()

    for _ in range(5):
        assert states(readiness) == ["failed"]
        clock.now += KEEP_S
    assert database.asked == 1

    database.let_go.set()
    until_s = time.monotonic() + BOUND_S
    while states(readiness) != ["ok"]:
        clock.now += KEEP_S
        assert time.monotonic() < until_s
    assert database.asked == 2


def test_all_who_ask_within_a_second_are_served_by_one_look(
    readiness: Readiness, database: Service, clock: Clock
) -> None:
    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(lambda _: tuple(states(readiness)), range(200))) == {("ok",)}
    assert database.asked == 1

    clock.now += KEEP_S
    states(readiness)
    assert database.asked == 2


def test_while_one_looks_the_others_are_given_what_was_found_before(clock: Clock) -> None:
    """Else a frozen database would keep every thread of the server waiting for its health."""
    service = Service(clock, Part("database", budget_s=BOUND_S, slow_s=BOUND_S))
    readiness = Readiness(lambda: [service.probe], clock)
    states(readiness)
    clock.now += KEEP_S
    service.let_go.clear()
    service.error = TimeoutError()

    with ThreadPoolExecutor(1) as threads:
        looking = threads.submit(states, readiness)
        until_s = time.monotonic() + BOUND_S
        while service.asked < 2:
            assert time.monotonic() < until_s
        began_s = time.monotonic()
        assert states(readiness) == ["ok"]
        assert time.monotonic() - began_s < LONGEST_S  # who waited for the other waited for longer
        assert not looking.done()
        service.let_go.set()
        assert looking.result() == ["failed"]


def test_the_worst_of_a_part_speaks_for_it(clock: Clock) -> None:
    quick, slow = Service(clock, REDIS, place="a:1"), Service(clock, REDIS, place="b:1")
    slow.error = TimeoutError()
    report = Readiness(lambda: [quick.probe, slow.probe], clock).look()

    worst = report.of(REDIS)

    assert worst is not None
    assert (worst.state, worst.probe.place) == ("failed", "b:1")
    assert report.of(DATABASE) is None


@pytest.mark.parametrize(("needs", "ready"), [(["database", "redis"], False), (["redis"], True), ([], True)])
def test_only_what_is_needed_makes_it_unready(
    settings: object, readiness: Readiness, database: Service, needs: list[str], ready: bool
) -> None:
    settings.METRICS = {"READY_NEEDS": needs}
    database.error = TimeoutError()

    assert readiness.look().ready is ready


def test_a_loss_and_a_return_are_one_line_each(
    readiness: Readiness, database: Service, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "metrics.readiness")
    errors: list[Exception | None] = [None, TimeoutError("10.0.0.7"), TimeoutError("10.0.0.7"), None, None]

    for error in errors:
        database.error = error
        states(readiness)
        clock.now += KEEP_S

    assert [record.getMessage() for record in caplog.records] == [
        "Health: database does not answer (TimeoutError).",
        "Health: database answers again.",
    ]


def test_a_child_begins_anew(readiness: Readiness, database: Service) -> None:
    """What runs in it after a fork: neither the lock of a parent's thread nor its threads are there."""
    readiness._turn.acquire()
    readiness._looking = True

    readiness.forget()

    assert states(readiness) == ["ok"]
