"""Hits and misses of the watched Redis servers. The counters a server keeps run since its start; Datadog wants what
came since the last reading, so each server holds the last reading (the *baseline*) in a hash of its own.

The hits are the whole server's: a limiter or a broker on the same server is in them. A replica cannot hold a baseline
(it takes no writes) and is refused; so is a node of a cluster that does not own the baseline's slot.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from metrics import conf, emit
from metrics.catalogue import EXPORTER_RESETS, EXPORTER_RUNS, REDIS_HIT_RATIO, REDIS_HITS, REDIS_MISSES

logger = logging.getLogger(__name__)

TIMEOUT_S = 0.5
# A baseline older than this is worth nothing: the export was off.
KEEP_S = 86_400
SCRIPT = (Path(__file__).parent / "redis_baseline.lua").read_text()


@dataclass(frozen=True, slots=True)
class Lookups:
    hits: int
    misses: int

    @property
    def ratio(self) -> float | None:
        """Hits among the lookups; None where there were none: neither 0 nor 1 would be true."""
        total = self.hits + self.misses
        return self.hits / total if total else None


@dataclass(frozen=True, slots=True)
class Reading:
    host: str
    port: str
    role: str
    lifetime: Lookups
    # Since the baseline; None: there was none, or the server or its counters began anew.
    window: Lookups | None
    window_s: float


def export() -> None:
    """Sends what each server counted since the last export."""
    for url in conf.current().redis_urls:
        try:
            reading = take(url)
        except redis.RedisError as error:
            logger.warning("Redis server %s: no numbers: %s", name(url), error)
            emit.count(EXPORTER_RUNS, outcome="error")
        else:
            _send(reading)


def take(url: str) -> Reading:
    """Reads a server and makes the reading its baseline. What is not sent afterwards (a killed process) is lost."""
    return _read(url, "take")


def peek(url: str) -> Reading:
    """Reads a server and leaves its baseline."""
    return _read(url, "peek")


def name(url: str) -> str:
    """Returns host:port, or the socket's path: the address without its password."""
    return ":".join(_place(url))


def _send(reading: Reading) -> None:
    tags = {"redis_host": reading.host, "redis_port": reading.port, "redis_role": reading.role}
    if reading.window is None:
        emit.count(EXPORTER_RESETS, 1, **tags)
        emit.count(EXPORTER_RUNS, outcome="reset")
        return
    # Counts of 0 go out too: a quiet server is not a dead exporter.
    emit.count(REDIS_HITS, reading.window.hits, **tags)
    emit.count(REDIS_MISSES, reading.window.misses, **tags)
    if reading.window.ratio is not None:
        emit.gauge(REDIS_HIT_RATIO, reading.window.ratio, **tags)
    emit.count(EXPORTER_RUNS, outcome="ok")


def _read(url: str, mode: str) -> Reading:
    client = _client(url)
    try:
        role, hits, misses, known, new_hits, new_misses, passed_us = client.eval(SCRIPT, 1, _key(), mode, KEEP_S)
    finally:
        client.close()
    host, port = _place(url)
    return Reading(
        host=host,
        port=port,
        role=role,
        lifetime=Lookups(hits, misses),
        window=Lookups(new_hits, new_misses) if known else None,
        window_s=passed_us / 1_000_000,
    )


def _key() -> str:
    # One per namespace: two installations that watch the same server don't take each other's hits.
    return f"sentinel:metrics:baseline:{conf.current().namespace}"


def _client(url: str) -> redis.Redis:
    # `Redis()` tries three times more, waiting in between: seconds for a server that is away. `from_url` does not in
    # redis-py 8.1; said here so that it stays so.
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path, "0"
    return parts.hostname or "localhost", str(parts.port or 6379)
