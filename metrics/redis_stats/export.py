"""The export: what each watched Redis server counted since the last one, and how it stands now, to Datadog.

Counts are sent by the one export that moved the baseline. It moves first and sends then: an export that is killed in
between, a few milliseconds, loses its window (30 s of counts). The other way round it would be counted twice.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from django.db import Error as DatabaseTrouble

from metrics import conf, emit
from metrics.catalogue import (
    BASELINE_RESET,
    EXPORTER_DURATION,
    EXPORTER_RESETS,
    EXPORTER_RUNS,
    REDIS_BLOCKED_CLIENTS,
    REDIS_CLIENTS,
    REDIS_EVICTED,
    REDIS_EXPIRED,
    REDIS_HIT_RATIO,
    REDIS_HIT_RATIO_LIFETIME,
    REDIS_HITS,
    REDIS_KEYS,
    REDIS_MEMORY,
    REDIS_MEMORY_MAX,
    REDIS_MISS_RATIO,
    REDIS_MISSES,
    REDIS_OPS,
    REDIS_PING,
)
from metrics.models import RedisBaseline
from metrics.redis_stats import baseline
from metrics.redis_stats.reading import Failure, Reading, read_all
from metrics.redis_stats.window import Counts, window

logger = logging.getLogger(__name__)


def export() -> None:
    """Sends the numbers of each server in METRICS["REDIS_URLS"]; goes on where one, or the database, is away."""
    now = datetime.now(UTC)
    baselines = _standing(now)
    for read in read_all(conf.current().redis_urls):
        if isinstance(read, Failure):
            logger.warning("Redis server %s: no numbers: %s", read.name, read.reason)
            outcome = "error"
        else:
            outcome = _export(read, baselines, now)
        emit.count(EXPORTER_RUNS, outcome=outcome)
        emit.distribution(EXPORTER_DURATION, read.duration_s, outcome=outcome)
    emit.flush()  # now, and not in 0.3 s: what waits is lost with a worker that is killed


def _export(reading: Reading, baselines: baseline.Baselines | None, now: datetime) -> str:
    """Returns how it ended, as the catalogue's tag `outcome` says it."""
    old = (baselines or {}).get(reading.identity)
    _send_levels(reading, old)
    if baselines is None:
        return "error"
    try:
        is_ours = baseline.move(old, reading, now)
    except DatabaseTrouble as error:
        _complain(error)
        return "error"
    if not is_ours:
        return "overtaken"
    counts = window(old.marks, reading.marks) if old else None
    if counts is None:
        _send_reset(reading, is_known=old is not None or any(each.name == reading.name for each in baselines.values()))
        return "reset"
    _send_counts(counts, _tags(reading))
    return "ok"


def _standing(now: datetime) -> baseline.Baselines | None:
    """None while the database is away: then only the levels are sent, and the next export covers the gap."""
    try:
        baseline.forget_old(now)
        return baseline.standing(now)
    except DatabaseTrouble as error:
        _complain(error)
        return None


def _complain(error: DatabaseTrouble) -> None:
    logger.error(
        "No counts of Redis are sent now (%s): their baselines are in the database. Is it there, and was "
        "`manage.py migrate` run? What is counted meanwhile is sent later.",
        type(error).__name__,
    )


def _send_counts(counts: Counts, tags: dict[str, str]) -> None:
    """Counts of 0 go out too: a quiet server is not a dead exporter. What a server hides does not."""
    for metric, number in (
        (REDIS_HITS, counts.hits),
        (REDIS_MISSES, counts.misses),
        (REDIS_EVICTED, counts.evicted),
        (REDIS_EXPIRED, counts.expired),
    ):
        if number is not None:
            emit.count(metric, number, **tags)
    for metric, ratio in ((REDIS_HIT_RATIO, counts.hit_ratio), (REDIS_MISS_RATIO, counts.miss_ratio)):
        if ratio is not None:
            emit.gauge(metric, ratio, **tags)


def _send_reset(reading: Reading, *, is_known: bool) -> None:
    """A server that is read for the first time began nothing anew, so that is no event."""
    tags = _tags(reading)
    emit.count(EXPORTER_RESETS, 1, **tags)
    if is_known:
        text = "It was restarted, its statistics were reset, or another server has its address: one window is lost."
        emit.event(BASELINE_RESET, f"Redis {reading.name} counts anew", text, key=reading.identity, **tags)


def _send_levels(reading: Reading, old: RedisBaseline | None) -> None:
    tags = _tags(reading)
    for metric, level in (
        (REDIS_HIT_RATIO_LIFETIME, reading.lifetime.hit_ratio),
        (REDIS_MEMORY, reading.memory_used),
        (REDIS_MEMORY_MAX, reading.memory_max),
        (REDIS_CLIENTS, reading.clients),
        (REDIS_BLOCKED_CLIENTS, reading.blocked_clients),
        (REDIS_OPS, reading.ops_per_second),
    ):
        if level is not None:
            emit.gauge(metric, level, **tags)
    # A database that lost its last key is no longer in INFO, and would stand at its last number.
    emptied = dict.fromkeys(old.databases if old else [], 0)
    for database, keys in {**emptied, **reading.keys}.items():
        emit.gauge(REDIS_KEYS, keys, redis_db=database, **tags)
    if reading.ping_s is not None:
        emit.distribution(REDIS_PING, reading.ping_s, **tags)


def _tags(reading: Reading) -> dict[str, str]:
    return {"redis_host": reading.host, "redis_port": reading.port, "redis_role": reading.role}
