"""Django's Redis cache, for a server that may be away: then a read is a miss and a write is lost, at once. Its hits and
misses are counted (metrics.lookups).

BACKEND = "metrics.cache.RedisCache" instead of "django.core.cache.backends.redis.RedisCache"; all else stays.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import resources
from typing import Any

import redis
from asgiref.sync import sync_to_async
from django.core.cache.backends import redis as django_redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from metrics import breaker
from metrics.lookups import Counted

logger = logging.getLogger(__name__)

Command = Callable[..., Any]

# As at the gate: redis-py's five seconds and three retries would let an absent cache take the shop along, and its bound
# of a hundred connections, once many threads ask, would look like an absent one.
DEFAULTS = {
    "socket_timeout": 0.02,
    "socket_connect_timeout": 0.02,
    "retry": Retry(NoBackoff(), 0),
    "max_connections": 2**31,
}

INCR = resources.files(__package__).joinpath("cache_incr.lua").read_text("utf-8")

# Bounds what an outage may cost in memory: the oldest are forgotten, and may be read once more.
STALE_MOST = 10_000

LOST = object()

_servers: dict[str, Server] = {}
_told: set[str] = set()


class RedisCache(Counted, django_redis.RedisCache):
    """The whole interface without an exception for an absent server; OPTIONS go over these defaults."""

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._options = {**DEFAULTS, **params.get("OPTIONS", {})}
        self._class = Servers

    # Any, here and below: a cache holds what can be pickled, and Django hands arguments on by place.
    async def aincr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Django's own reads, adds and writes: not atomic, and with the default lifetime."""
        return await sync_to_async(self.incr)(key, delta, version)


class Server(django_redis.RedisCacheClient):
    """One server, its breaker, and the keys whose copy there is old: a write was lost."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__([url], **options)
        self.breaker = breaker.of(url)
        self.stale: deque[str] = deque(maxlen=STALE_MOST)

    def incr(self, *args: Any) -> int:
        key, delta = args
        found: int | None = self.get_client(key, write=True).eval(INCR, 1, key, delta)
        if found is None:
            raise ValueError(f"Key {key!r} not found")
        return found

    def drop_stale(self) -> None:
        """Before anything is read again: else a session that was ended meanwhile would be back."""
        keys = list(self.stale)
        if keys:
            self.delete_many(keys)
            for key in keys:
                with suppress(ValueError):  # another thread was here
                    self.stale.remove(key)


def _server(url: str, options: dict[str, Any]) -> Server:
    """One for all threads: Django makes a cache for each (under ASGI, for each request), which would connect anew."""
    key = f"{url} {sorted(options.items(), key=str)}"
    found = _servers.get(key)
    return _servers.setdefault(key, Server(url, **options)) if found is None else found


class Servers(django_redis.RedisCacheClient):
    """The first is written to; the others, where there are any, are read."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options)
        self._each = [_server(url, options) for url in servers]

    def get(self, *args: Any) -> Any:
        return self._read(Server.get, args, without=args[1])

    def get_many(self, *args: Any) -> dict[Any, Any]:
        return dict(self._read(Server.get_many, args, without={}))

    def has_key(self, *args: Any) -> bool:
        return bool(self._read(Server.has_key, args, without=False))

    def add(self, *args: Any) -> bool:
        return bool(self._write(Server.add, args, without=False))

    def touch(self, *args: Any) -> bool:
        return bool(self._write(Server.touch, args, without=False))

    def clear(self) -> bool:
        return bool(self._write(Server.clear, (), without=False))

    def set(self, *args: Any) -> None:
        self._write(Server.set, args, without=None, changed=args[:1])

    def set_many(self, *args: Any) -> None:
        self._write(Server.set_many, args, without=None, changed=args[0])

    def delete(self, *args: Any) -> bool:
        return bool(self._write(Server.delete, args, without=False, changed=args[:1]))

    def delete_many(self, *args: Any) -> None:
        self._write(Server.delete_many, args, without=None, changed=args[0])

    def incr(self, *args: Any) -> int:
        found: int | None = self._write(Server.incr, args, without=None)
        if found is None:
            raise ValueError(f"Key {args[0]!r} not found: the cache is away, or holds no number there")
        return found

    def _read(self, command: Command, args: Any, *, without: Any) -> Any:
        server = random.choice(self._each[1:] or self._each)  # noqa: S311 - any will do
        return without if (found := self._ask(server, command, args)) is LOST else found

    def _write(self, command: Command, args: Any, *, without: Any, changed: Iterable[str] = ()) -> Any:
        found = self._ask(self._each[0], command, args)
        if found is LOST:
            self._each[0].stale.extend(changed)
            return without
        return found

    @staticmethod
    def _ask(server: Server, command: Command, args: Any) -> Any:
        ticket = server.breaker.enter()
        if ticket is None:
            return LOST
        try:
            server.drop_stale()
            found = command(server, *args)
        except redis.ResponseError as error:
            # It is there and says no: out of memory, or not a number. One wrong call must not open the gate to all.
            _tell(type(error).__name__)
            found = LOST
        except redis.RedisError as error:
            server.breaker.failed(ticket, error)
            return LOST
        server.breaker.answered(ticket)
        return found


def _tell(kind: str) -> None:
    """Once for each kind in a process: a server out of memory would else fill the log too."""
    if kind not in _told:
        _told.add(kind)
        logger.warning("The cache refused a command (%s): a miss, or a lost write. This is told once.", kind)
