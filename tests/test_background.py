"""The thread that does all that waits: it starts at a request, outlives failures, and ends in good order."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ip_tracking import background as module
from ip_tracking.background import Background, Duty

DEADLINE_S = 10.0


class Journal:
    """What the thread did, for a test to wait on."""

    def __init__(self) -> None:
        self.entries: list[str] = []
        self._grown = threading.Condition()

    def note(self, entry: str) -> None:
        with self._grown:
            self.entries.append(entry)
            self._grown.notify_all()

    def wait_for(self, entry: str, times: int = 1) -> None:
        with self._grown:
            assert self._grown.wait_for(lambda: self.entries.count(entry) >= times, DEADLINE_S), self.entries


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


def where(thread: threading.Thread) -> str:
    """Returns the name of the function a thread is in."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame.f_code.co_name if frame else ""


def wait_until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def never() -> None:
    raise AssertionError("called")


def test_nothing_runs_before_the_first_request(background: Background, journal: Journal) -> None:
    """A parent that only forks must not have a thread: no child would inherit it."""
    background.register([Duty("work", 0.01, lambda: journal.note("work"))], never)
    before = threading.active_count()

    background.close()

    assert threading.active_count() == before
    assert journal.entries == []


def test_a_request_starts_one_thread_and_the_next_ones_none(background: Background, journal: Journal) -> None:
    background.register([Duty("who", 60, lambda: journal.note(threading.current_thread().name))], lambda: None)

    starters = [threading.Thread(target=background.ensure_running) for _ in range(20)]
    with background._state.lock:
        for starter in starters:
            starter.start()
        wait_until(lambda: all(where(starter) == "ensure_running" for starter in starters))  # all at the lock
    for starter in starters:
        starter.join()
    journal.wait_for("sentinel-background")

    running = [thread for thread in threading.enumerate() if thread.name == "sentinel-background"]
    assert len(running) == 1
    assert running[0].daemon, "a thread that is no daemon is joined before the handlers that end it"


def test_without_duties_no_thread_starts(background: Background) -> None:
    before = threading.active_count()

    background.ensure_running()

    assert threading.active_count() == before


def test_a_duty_that_fails_is_logged_and_tried_again_and_holds_up_no_other(
    background: Background, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        journal.note("failed")
        raise OSError("the disk is full")

    background.register([Duty("fail", 0.01, fail), Duty("work", 0.01, lambda: journal.note("worked"))], lambda: None)

    with caplog.at_level(logging.ERROR):
        background.ensure_running()
        journal.wait_for("failed", times=3)
        journal.wait_for("worked", times=3)

    assert "'fail' failed" in caplog.text
    assert "the disk is full" in caplog.text


def test_waking_calls_the_first_duty_before_its_time_and_no_other(background: Background, journal: Journal) -> None:
    background.register(
        [Duty("send", 3_600, lambda: journal.note("sent")), Duty("refresh", 3_600, lambda: journal.note("refreshed"))],
        lambda: None,
    )
    background.ensure_running()
    journal.wait_for("refreshed")

    background.wake()
    journal.wait_for("sent", times=2)

    assert journal.entries == ["sent", "refreshed", "sent"]


def test_closing_ends_the_thread_and_then_does_the_last_duty_once(background: Background, journal: Journal) -> None:
    background.register([Duty("work", 60, lambda: journal.note("worked"))], lambda: journal.note("ended"))
    background.ensure_running()
    journal.wait_for("worked")

    background.close()
    background.close()
    background.ensure_running()

    assert journal.entries == ["worked", "ended"]
    assert not [thread for thread in threading.enumerate() if thread.name == "sentinel-background"]


def test_a_duty_that_hangs_keeps_the_end_waiting_only_so_long(
    background: Background, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "JOIN_S", 0.1)
    release = threading.Event()
    background.register([Duty("hang", 60, lambda: release.wait(DEADLINE_S) and None)], lambda: journal.note("ended"))
    background.ensure_running()

    started = time.monotonic()
    background.close()
    took = time.monotonic() - started
    release.set()

    assert journal.entries == ["ended"]
    assert took < DEADLINE_S / 2


def in_forked_child(run: Callable[[], bytes]) -> bytes:
    """Returns what a forked child found out."""
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        return answer
    try:
        os.write(writing, run())
    finally:
        os._exit(0)


def test_a_forked_child_starts_a_thread_of_its_own(journal: Journal) -> None:
    background = module.background
    duties, at_end = background._duties, background._at_end
    background.register([Duty("who", 3_600, lambda: journal.note(str(os.getpid())))], lambda: journal.note("ended"))
    try:
        background.ensure_running()
        journal.wait_for(str(os.getpid()))

        def child() -> bytes:
            background.close()  # the parent's to end, not the child's
            before = list(journal.entries)
            background.ensure_running()
            journal.wait_for(str(os.getpid()))
            return b"ended early" if "ended" in before else b"has its own"

        assert in_forked_child(child) == b"has its own"
    finally:
        background.close()
        background.forget_parent()
        background._duties, background._at_end = duties, at_end
