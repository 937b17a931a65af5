"""Daily partitions of the request log on PostgreSQL, made ahead.

There is no default partition: it would forbid detaching a day concurrently. So a day must exist before its first row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial

from django.db import connection, transaction

from ip_tracking.models import RequestLog

AHEAD_DAYS = 3

# Held while a day is made, so that two workers don't make it at once. Any number nobody else uses.
LOCK = 0x5E17

_known: set[date] = set()


def ensure_ahead(today: date) -> None:
    """Makes yesterday's partition (late events) and the next days'. The hourly sweep calls it."""
    ensure(today + timedelta(days=offset) for offset in range(-1, AHEAD_DAYS + 1))


def ensure(days: Iterable[date]) -> None:
    """Makes the days that are missing. Does nothing on other databases."""
    if connection.vendor != "postgresql":
        return
    for day in sorted(set(days) - _known):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            cursor.execute("SELECT to_regclass(%s)", [name_of(day)])
            if cursor.fetchone()[0] is None:
                cursor.execute(_create(day))
            # Not before it is certain: an outer transaction that rolls back takes the table with it.
            transaction.on_commit(partial(_known.add, day))


def name_of(day: date) -> str:
    return f"{RequestLog._meta.db_table}_{day:%Y%m%d}"


def _create(day: date) -> str:
    """Made beside the table and attached: `PARTITION OF` would wait for every open writer."""
    parent, name, following = RequestLog._meta.db_table, name_of(day), day + timedelta(days=1)
    return (
        f"CREATE TABLE {name} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);"
        f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ('{day}T00:00Z') TO ('{following}T00:00Z')"
    )
