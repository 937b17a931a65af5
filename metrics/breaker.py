"""One breaker for each Redis server in a process, shared by all who use that server: limits, cache, sessions.

While a server is away nobody waits for it, but for one caller each second, whose call is the test. So it needs no
thread, and works alike in a web server, a worker and a command.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from metrics import catalogue, emit

logger = logging.getLogger(__name__)

TEST_EVERY_S = 1.0


class Breaker:
    """`enter` before a call, then `answered` or `failed` with the ticket it gave.

    A ticket is the number of changes so far, which is odd while the server is away. What comes of a call that began
    before the last change says nothing about now: 16 threads that failed together are one change, and an answer that
    was long on its way does not end an outage.
    """

    def __init__(self, server: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._changes = 0
        self._test_s = 0.0

    @property
    def away(self) -> bool:
        return self._changes % 2 == 1

    def enter(self) -> int | None:
        """Returns a ticket for one call, or None while the server is away and it is nobody's turn to test it."""
        changes = self._changes
        if changes % 2 == 0:
            return changes
        with self._lock:
            now = self._clock()
            if now < self._test_s:
                return None
            self._test_s = now + TEST_EVERY_S
            return self._changes

    def answered(self, ticket: int) -> None:
        if ticket % 2 == 1 and self._change(ticket):
            logger.warning("The Redis server %s is back.", self._server)
            emit.count(catalogue.STORE_MODE_CHANGES, mode="store")

    def failed(self, ticket: int, error: Exception) -> None:
        if ticket % 2 == 0 and self._change(ticket):
            logger.error(
                "The Redis server %s is away (%s): nobody waits for it until it answers a test, one each second.",
                self._server,
                type(error).__name__,
            )
            emit.count(catalogue.STORE_MODE_CHANGES, mode="away")

    def _change(self, ticket: int) -> bool:
        with self._lock:
            if ticket != self._changes:
                return False
            self._changes += 1
            self._test_s = self._clock() + TEST_EVERY_S
            return True


_breakers: dict[str, Breaker] = {}


def of(url: str, clock: Callable[[], float] = time.monotonic) -> Breaker:
    """Returns this process' breaker of the server that a URL names."""
    server = place_of(url)
    found = _breakers.get(server)
    # Of two threads at the same moment both get the one that came first.
    return _breakers.setdefault(server, Breaker(server, clock)) if found is None else found


def place_of(url: str) -> str:
    """Returns where a server is, without database number, password and options: `host:port`, or a socket's path."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return unquote(parts.path)
    host = parts.hostname or "localhost"
    return f"[{host}]:{parts.port or 6379}" if ":" in host else f"{host}:{parts.port or 6379}"


def forget() -> None:
    """Takes every server for well again, in place: others hold these breakers."""
    for breaker in list(_breakers.values()):
        breaker.forget()


# What the parent found out is old, and another of its threads may have held a lock.
os.register_at_fork(after_in_child=forget)
