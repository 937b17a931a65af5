"""One daemon thread in each serving process does all that waits: sending events and refreshing decisions.

It starts at the first request, never in a parent that forks (a broker connection does not survive that), and again in
a forked child.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class State:
    """What belongs to one process and starts anew in a forked child."""

    pid: int = 0  # 0: nothing runs yet
    closed: bool = False
    thread: threading.Thread | None = None
    awake: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Background:
    """Runs duties until closed; `wake` calls the first one (sending events) before its time."""

    def __init__(self) -> None:
        self._duties: list[Duty] = []
        self._at_end: Callable[[], None] | None = None
        self._state = State()

    def register(self, duties: list[Duty], at_end: Callable[[], None]) -> None:
        """Says what to do; the last registration holds (a process has one door)."""
        self._duties, self._at_end = duties, at_end

    def ensure_running(self) -> None:
        """Starts the thread where it does not run. Called by every request, so it is one comparison."""
        state = self._state
        if state.pid == os.getpid() or not self._duties:
            return
        with state.lock:
            if state.pid:
                return
            state.pid = os.getpid()
            state.thread = threading.Thread(target=self._work, name="sentinel-background", daemon=True)
            state.thread.start()
            # Here and not at import: registered in the child, so that a preloading parent has nothing to flush.
            atexit.register(self.close)

    def wake(self) -> None:
        self._state.awake.set()

    def close(self) -> None:
        """Stops the thread and does its last duty. Safe to call twice (an ASGI lifespan, then atexit)."""
        state = self._state
        if state.pid != os.getpid() or state.closed:
            return
        state.closed = True
        state.awake.set()
        if state.thread is not None:
            state.thread.join(JOIN_S)
        if self._at_end is not None:
            self._at_end()

    def forget_parent(self) -> None:
        """In a forked child: the parent's thread does not exist here."""
        self._state = State()
        for duty in self._duties:
            duty.due_s = 0.0

    def _work(self) -> None:
        state = self._state
        while True:
            soonest = min(duty.due_s for duty in self._duties)
            woken = state.awake.wait(max(0.0, soonest - time.monotonic()))
            state.awake.clear()
            if state.closed:
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


background = Background()
os.register_at_fork(after_in_child=background.forget_parent)
