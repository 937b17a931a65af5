"""The connection to the store that counts. One breaker: while the store is away, requests don't touch it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any, NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ip_tracking import conf
from metrics import catalogue, emit

logger = logging.getLogger(__name__)

# A connection that was idle for longer may have been closed by the server: worth a look before use.
LOOK_AFTER_S = 1.0

# Threads that ask for an event loop. A call takes well under a millisecond, so a few serve thousands a second.
ASKING_THREADS = 8

Argument = str | int | float | bytes


class Script(NamedTuple):
    """A Lua script and the name the server knows it by."""

    source: str
    sha: str


def _load(name: str) -> Script:
    source = resources.files(__package__).joinpath(name).read_text("utf-8")
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


ADMIT = _load("admit.lua")
GIVE_BACK = _load("give_back.lua")


class Call(NamedTuple):
    """One round trip: what the door yields when it needs the store. `None` comes back while the store is away."""

    script: Script
    keys: list[str]
    args: list[Argument]

    def run(self) -> list[Any] | None:
        return get().run(self)

    async def arun(self) -> list[Any] | None:
        return await get().arun(self)


class Store:
    """A Redis or Valkey server. Every failure becomes None once, here, and opens the breaker."""

    def __init__(self, url: str, timeout_s: float) -> None:
        # redis-py's own defaults (three retries, five seconds) would make a frozen store cost a request five seconds.
        self._options: dict[str, Any] = {
            "socket_timeout": timeout_s,
            "socket_connect_timeout": timeout_s,
        }
        self._url = url
        self._pool = redis.ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0), **self._options)
        self.client = redis.Redis(connection_pool=self._pool)
        self._threads = ThreadPoolExecutor(ASKING_THREADS, "sentinel-store")
        self._lock = threading.Lock()
        self._idle: deque[tuple[Any, float]] = deque()
        self.away = False

    def run(self, call: Call) -> list[Any] | None:
        if self.away:
            return None
        try:
            return self._evaluate(call)
        except redis.RedisError as error:
            self._mark_away(error)
            return None

    async def arun(self, call: Call) -> list[Any] | None:
        """In a thread: an event loop that is busy for 20 ms would take its own lateness for the store's.

        With an asyncio client, fifty requests at once opened the breaker, and with it the limits.
        """
        if self.away:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.run, call)

    def close(self) -> None:
        """Closes what is idle; a connection in use closes when it is put back to nobody."""
        while self._idle:
            self._idle.pop()[0].disconnect()
        self.client.close()
        self._threads.shutdown(wait=False)

    def probe(self) -> None:
        """Tests a store that is away; the background thread calls it, so that no request has to."""
        if not self.away:
            return
        try:
            self.client.ping()
        except redis.RedisError:
            return
        with self._lock:
            self.away = False
        logger.warning("The store is back: limits count again.")
        emit.count(catalogue.STORE_MODE_CHANGES, mode="store")

    def _evaluate(self, call: Call) -> list[Any]:
        """One command on a connection of our own: the client's way (pool, callbacks) costs half as much again."""
        connection = self._take()
        try:
            try:
                reply = self._ask(connection, "EVALSHA", call.script.sha, call)
            except redis.exceptions.NoScriptError:
                reply = self._ask(connection, "EVAL", call.script.source, call)
        except BaseException:
            # Never used again: a late answer must not be taken for the next caller's.
            connection.disconnect()
            raise
        self._idle.append((connection, time.monotonic()))
        return reply if isinstance(reply, list) else [reply]

    @staticmethod
    def _ask(connection: Any, command: str, script: str, call: Call) -> Any:
        packed = connection.pack_command(command, script, len(call.keys), *call.keys, *call.args)
        connection.send_packed_command(packed, check_health=False)
        return connection.read_response()

    def _take(self) -> Any:
        """Returns an idle connection, the last used first, or a new one: as many as threads ever asked at once."""
        try:
            connection, used_s = self._idle.pop()
        except IndexError:
            connection, used_s = self._pool.make_connection(), 0.0
            connection.connect()
            return connection
        if time.monotonic() - used_s > LOOK_AFTER_S:
            self._look_at(connection)
        return connection

    @staticmethod
    def _look_at(connection: Any) -> None:
        """A connection that the server closed while it was idle can be read (the end) before anything was asked."""
        try:
            closed = connection.can_read()
        except (redis.RedisError, OSError):
            closed = True
        if closed:
            connection.disconnect()
            connection.connect()

    def _mark_away(self, error: redis.RedisError) -> None:
        with self._lock:
            if self.away:
                return
            self.away = True
        self._idle.clear()  # connections to a server that is gone
        logger.error("The store is away (%s): each policy answers as it says.", type(error).__name__)
        emit.count(catalogue.STORE_MODE_CHANGES, mode="away")


_store: Store | None = None


def get() -> Store:
    global _store  # noqa: PLW0603 - the one memo of this module
    if _store is None:
        settings = conf.get()
        _store = Store(settings.store_url, settings.store_timeout_s)
    return _store


@conf.on_change
def forget() -> None:
    """Drops the connection: the settings changed."""
    global _store  # noqa: PLW0603
    _store = None


# A socket shared with the parent would mix up two processes' answers.
os.register_at_fork(after_in_child=forget)
