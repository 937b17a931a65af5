"""One daemon thread in each serving process does all that waits: sending events, refreshing decisions, testing the store.

It starts at the first request, never in a parent that forks (a broker connection does not survive that), and again in a
forked child.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger(__name__)

# How long the end of a process waits for the thread: a publish to a broker that hangs gives up before that.
JOIN_S = 3.0


@dataclass(slots=True)
class Duty:
    """Something to do every so often; what it raises is logged, and it is tried again."""

    name: str
    every_s: float
    run: Callable[[], None]
    due_s: float = 0.0


class Background:
    """Runs duties until closed; `wake` calls the first one (sending events) before its time."""

    def __init__(self) -> None:
        self._duties: list[Duty] = []
        self._at_end: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._reset()

    def register(self, duties: list[Duty], at_end: Callable[[], None]) -> None:
        """Says what to do; the last registration holds (a process has one door)."""
        self._duties, self._at_end = duties, at_end

    def ensure_running(self) -> None:
        """Starts the thread where it does not run. Called by every request, so it is one comparison."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid() or not self._duties:
                return
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._work, name="sentinel-background", daemon=True)
            self._thread.start()
            # Here and not at import: registered in the child, so that a preloading parent has nothing to flush.
            atexit.register(self.close)

    def wake(self) -> None:
        self._awake.set()

    def close(self) -> None:
        """Stops the thread and does its last duty. Safe to call twice (an ASGI lifespan, then atexit)."""
        if self._pid != os.getpid() or self._closed:
            return
        self._closed = True
        self._awake.set()
        if self._thread is not None:
            self._thread.join(JOIN_S)
        if self._at_end is not None:
            self._at_end()

    def _work(self) -> None:
        while not self._closed:
            soonest = min(duty.due_s for duty in self._duties)
            woken = self._awake.wait(max(0.0, soonest - time.monotonic()))
            self._awake.clear()
            if self._closed:
                return
            now = time.monotonic()
            for place, duty in enumerate(self._duties):
                if duty.due_s <= now or (woken and place == 0):
                    self._do(duty)

    def _do(self, duty: Duty) -> None:
        try:
            duty.run()
        except Exception:  # the thread must outlive any one failure, and say so
            logger.exception("The background duty %r failed; it is tried again.", duty.name)
        duty.due_s = time.monotonic() + duty.every_s

    def _reset(self) -> None:
        """State of a process in which nothing runs yet: at import, and in a forked child."""
        self._pid = 0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._awake = threading.Event()
        self._lock = threading.Lock()
        for duty in self._duties:
            duty.due_s = 0.0


background = Background()
os.register_at_fork(after_in_child=background._reset)
