"""The connections to one Redis or Valkey server that counts. Every failure becomes None once, here."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.exceptions import AskError, TryAgainError
from redis.retry import Retry

from ip_tracking.gate.patience import Patience
from ip_tracking.gate.scripts import Argument, Script
from metrics import breaker

# A connection that was idle for longer may have been closed by the server: worth a look before use.
LOOK_AFTER_S = 1.0

# A node of a cluster speaks of another one, or of keys that are just being moved: it is well itself.
ELSEWHERE = (AskError, TryAgainError)  # MovedError is an AskError


def options(timeout_s: float | None) -> dict[str, Any]:
    """What redis-py would do otherwise costs a request seconds: three retries, five-second timeouts.

    Of a handshake only what is needed is left (a password, a database), as each part of it may wait a timeout. And no
    bound on connections: redis-py counts those ever made by hand, so its hundred would one day be used up for good.
    """
    return {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "protocol": 2,
        "driver_info": None,
        "max_connections": 2**31,
    }


class Server:
    """One server, or one node of a cluster, which hears of it when a slot has moved."""

    def __init__(
        self, url: str, timeout_s: float, on_moved: Callable[[AskError | TryAgainError], None] | None = None
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._on_moved = on_moved
        self._breaker = breaker.of(url)
        self._pool = redis.ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0), **options(timeout_s))
        self.client = redis.Redis(connection_pool=self._pool)
        self._async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()
        self._idle: deque[tuple[Any, float]] = deque()

    @property
    def away(self) -> bool:
        return self._breaker.away

    def run(self, script: Script, keys: list[str], args: list[Argument]) -> list[Any] | None:
        """Returns the script's reply, or None while the server is away."""
        ticket = self._breaker.enter()
        if ticket is None:
            return None
        try:
            reply = self._evaluate(script, keys, args)
        except redis.RedisError as error:
            self._failed(ticket, error)
            return None
        self._breaker.answered(ticket)
        return reply if isinstance(reply, list) else [reply]

    async def arun(self, script: Script, keys: list[str], args: list[Argument]) -> list[Any] | None:
        ticket = self._breaker.enter()
        if ticket is None:
            return None
        try:
            async with Patience(self._timeout_s):
                reply = await self._aevaluate(script, keys, args)
        except (redis.RedisError, TimeoutError) as error:
            self._failed(ticket, error)
            return None
        self._breaker.answered(ticket)
        return reply if isinstance(reply, list) else [reply]

    def marks(self, key: str) -> list[str]:
        """Returns a key on each node there is, to see that it keeps its data."""
        return [key]

    def close(self) -> None:
        """Closes what is idle; a connection in use closes when it is put back to nobody."""
        while self._idle:
            self._idle.pop()[0].disconnect()
        self.client.close()

    def _failed(self, ticket: int, error: redis.RedisError | TimeoutError) -> None:
        if self._on_moved is not None and isinstance(error, ELSEWHERE):
            self._breaker.answered(ticket)
            self._on_moved(error)
            return
        self._idle.clear()  # connections to a server that is gone
        self._breaker.failed(ticket, error)

    def _evaluate(self, script: Script, keys: list[str], args: list[Argument]) -> Any:
        """One command on a connection of our own: the client's way (pool, callbacks) costs half as much again."""
        connection = self._take()
        try:
            try:
                reply = self._ask(connection, "EVALSHA", script.sha, keys, args)
            except redis.exceptions.NoScriptError:
                reply = self._ask(connection, "EVAL", script.source, keys, args)
        except BaseException:
            # Never used again: a late answer must not be taken for the next caller's.
            connection.disconnect()
            raise
        self._idle.append((connection, time.monotonic()))
        return reply

    async def _aevaluate(self, script: Script, keys: list[str], args: list[Argument]) -> Any:
        client = self._async_client()
        try:
            return await client.evalsha(script.sha, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            return await client.eval(script.source, len(keys), *keys, *args)

    @staticmethod
    def _ask(connection: Any, command: str, script: str, keys: list[str], args: list[Argument]) -> Any:
        packed = connection.pack_command(command, script, len(keys), *keys, *args)
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

    def _async_client(self) -> Any:
        """An asyncio connection lives in its event loop: one client for each running loop."""
        loop = asyncio.get_running_loop()
        client = self._async_clients.get(loop)
        if client is None:
            retry = redis.asyncio.retry.Retry(NoBackoff(), 0)
            client = redis.asyncio.Redis.from_url(self._url, retry=retry, **options(None))
            self._async_clients[loop] = client
        return client
