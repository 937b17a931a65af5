"""What waits to be sent: a request only appends to a queue, and a thread hands it to the `datadog` library's client.

The library's own path is long, takes locks and wakes its threads: within a request, among other work, it costs several
times what a tight loop shows.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Iterator
from time import monotonic
from typing import NamedTuple

from metrics import conf
from metrics.catalogue import EMIT_DROPPED
from metrics.dog import Dog
from metrics.entry import Type

logger = logging.getLogger(__name__)

# Not the Agent's ten seconds: what waits here is lost with a process that is killed.
FLUSH_INTERVAL_S = 0.3
# Past this the newest are dropped. A thousand requests a second with five numbers each fill it in ten seconds, about
# what a resolver takes to give up; it is then 5 MB.
QUEUE_MOST = 50_000
# Checks and events: a handful a minute. Past this the oldest go: what is newer says how things are.
NOTICES_MOST = 1_000
# The Agent counts a number for the time it arrives, so what a slow socket or resolver holds up longer is dropped.
ROUND_S = 5.0
# How long an ending process waits for the last packets: an Agent on the same host needs a millisecond.
END_DEADLINE_S = 1.0


class Series(NamedTuple):
    """A metric with its tags as they are sent."""

    type: Type
    name: str
    tags: tuple[str, ...]


class Check(NamedTuple):
    """The state of something, as it is sent."""

    name: str
    status: int
    message: str
    tags: tuple[str, ...]

    def send(self, dog: Dog) -> None:
        # The library puts its namespace before metrics only.
        name = f"{conf.current().namespace}.{self.name}"
        dog.service_check(name, self.status, tags=list(self.tags), message=self.message or None)


class Happening(NamedTuple):
    """An event, as it is sent."""

    title: str
    text: str
    key: str
    tags: tuple[str, ...]

    def send(self, dog: Dog) -> None:
        source = conf.current().namespace
        dog.event(
            self.title, self.text, aggregation_key=self.key or None, source_type_name=source, tags=list(self.tags)
        )


Notice = Check | Happening


class Outbox:
    def __init__(self, dog: Dog, *, threaded: bool) -> None:
        """Without a thread, for the end of a process, each number is sent at once."""
        self._dog = dog
        self._waiting: deque[tuple[Series, float]] = deque()
        self._notices: deque[Notice] = deque(maxlen=NOTICES_MOST)
        self._room = QUEUE_MOST if threaded else 0
        self._lost: Counter[str] = Counter()
        self._told: set[str] = set()
        self._turn = threading.Condition()
        self._asked = self._answered = 0
        self._closed = False
        self._thread: threading.Thread | None = None
        if threaded:
            self._thread = threading.Thread(target=self._work, name="sentinel-metrics", daemon=True)
            self._thread.start()

    def put(self, series: Series, value: float) -> None:
        # No lock: append and popleft are atomic, and a few too many from threads at the same moment do no harm.
        if len(self._waiting) < self._room:
            self._waiting.append((series, value))
        elif self._thread is None:
            self._hand_over(series, value)
        else:
            self._lose("queue_full", 1)

    def tell(self, notice: Notice) -> None:
        if self._thread is None:
            notice.send(self._dog)
            return
        if len(self._notices) == NOTICES_MOST:
            self._lose("queue_full", 1)
        self._notices.append(notice)

    def flush(self) -> None:
        """Sends what waits; waits for it, but not long."""
        if self._thread is None:
            return
        with self._turn:
            self._asked += 1
            mine = self._asked
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._answered >= mine, END_DEADLINE_S)

    def close(self) -> None:
        """Sends what waits and ends the thread. What another thread puts meanwhile may be lost: its one call."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
        if self._thread is None:
            return
        self._thread.join(END_DEADLINE_S)
        if self._thread.is_alive():
            # Nobody is there to be told by a metric.
            logger.error("Metrics lost at the end of the process: the Agent did not take them in time.")

    def _lose(self, reason: str, number: int) -> None:
        if not number:
            return
        with self._turn:
            self._lost[reason] += number
            first = reason not in self._told
            self._told.add(reason)
        if first:
            # Without an Agent at all, as on a developer's machine, each process says so once.
            level = logging.WARNING if reason == "socket" else logging.ERROR
            logger.log(level, "Metrics dropped (%s): the Agent, or the way to it, is away or too slow.", reason)

    def _work(self) -> None:
        closed = False
        while not closed:
            with self._turn:
                self._turn.wait_for(lambda: self._closed or self._asked > self._answered, FLUSH_INTERVAL_S)
                asked, closed = self._asked, self._closed
            try:
                self._empty()
            except Exception:  # the thread must outlive any one number, and say so
                logger.exception("Metrics were lost.")
            with self._turn:
                self._answered = asked
                self._turn.notify_all()
        self._dog.close_socket()

    def _empty(self) -> None:
        late, until = 0, monotonic() + ROUND_S
        # `with` packs many lines into a packet. Each packet sent lets go of the interpreter's lock, so that requests
        # wait no longer than for any thread: a full queue takes 50 ms, the 600 numbers of a busy 0.3 s less than one.
        with self._dog:
            for series, value in self._gathered():
                if monotonic() < until:
                    self._hand_over(series, value)
                else:
                    late += 1
            while self._notices:
                self._notices.popleft().send(self._dog)
        self._lose("late", late)
        if monotonic() < until:
            self._tell_of_lost()

    def _gathered(self) -> Iterator[tuple[Series, float]]:
        """Takes what waits now: each sample, then one sum for each count and the last value of each gauge."""
        sums: dict[Series, float] = {}
        last: dict[Series, float] = {}
        for _ in range(len(self._waiting)):
            series, value = self._waiting.popleft()
            if series.type == "distribution":
                yield series, value
            elif series.type == "count":
                sums[series] = sums.get(series, 0) + value
            else:
                last[series] = value
        yield from sums.items()
        yield from last.items()

    def _tell_of_lost(self) -> None:
        """Counts what was lost, in packets of their own; what does not arrive is told again in the next round."""
        self._lose("socket", self._dog.take_lost())
        with self._turn:
            told, self._lost = self._lost, Counter()
        for reason, number in told.items():
            with self._dog:
                self._hand_over(Series("count", EMIT_DROPPED.name, (f"reason:{reason}",)), number)
            if self._dog.take_lost():
                self._lose(reason, number)

    def _hand_over(self, series: Series, value: float) -> None:
        getattr(self._dog, series.type)(series.name, value, series.tags)
