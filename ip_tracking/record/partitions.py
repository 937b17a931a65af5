"""Daily partitions of the request log on PostgreSQL, made ahead.

There is no default partition: it would forbid detaching a day concurrently. So a day must exist before its first row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import connection, transaction

from ip_tracking.models import RequestLog

AHEAD_DAYS = 3

# Held while a day is made, so that two workers don't make it at once. Any number nobody else uses.
LOCK = 0x5E17


def ensure_ahead(today: date) -> None:
    """Makes yesterday's partition (late events) and the next days'. The hourly sweep calls it."""
    ensure(today + timedelta(days=offset) for offset in range(-1, AHEAD_DAYS + 1))


def ensure(days: Iterable[date]) -> None:
    """Makes the days that are missing. Does nothing on other databases.

    Asked anew for each batch, a fraction of a millisecond: a memo would not see a day that retention dropped, nor one
    whose making was rolled back, and each later batch of this process would fail.
    """
    if connection.vendor != "postgresql":
        return
    for day in sorted(set(days)):
        if _exists(day):
            continue
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            if not _exists(day):
                cursor.execute(_create(day))


def _exists(day: date) -> bool:
    """Reads the catalogue as rows: `to_regclass` may answer from a session's cache, which the lock does not refresh."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = %s::regclass AND relname = %s)",
            [RequestLog._meta.db_table, name_of(day)],
        )
        found: bool = cursor.fetchone()[0]
    return found


def name_of(day: date) -> str:
    return f"{RequestLog._meta.db_table}_{day:%Y%m%d}"


def _create(day: date) -> str:
    """Made beside the table and attached: `PARTITION OF` would wait for every open writer."""
    parent, name, following = RequestLog._meta.db_table, name_of(day), day + timedelta(days=1)
    return (
        f"CREATE TABLE {name} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);"
        f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ('{day}T00:00Z') TO ('{following}T00:00Z')"
    )
