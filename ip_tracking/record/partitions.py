"""Daily partitions of the request log on PostgreSQL, made ahead, and dropped when they are past their time.

There is no default partition: it would forbid detaching a day concurrently. So a day must exist before its first row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from ip_tracking.models import RequestLog

AHEAD_DAYS = 3

# Held while a day is made, so that two workers don't make it at once. Any number nobody else uses.
LOCK = 0x5E17

# Held by whoever drops days, so that two don't drop the same one.
DROP_LOCK = LOCK + 1

# To detach a day waits for all who still read or write the log. Whoever takes longer is left to the next run.
LONGEST_WAIT = "60s"

# Says on a day that it is ours to drop, should somebody be killed when it is detached. Others' detached days stay.
DOOMED = "Sentinel drops this day."


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
                _drop_detached(day)
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


def before(day: date) -> list[date]:
    """Returns the days before this one, oldest first; also one that a killed process had only detached."""
    parent = RequestLog._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class LEFT JOIN pg_inherits ON inhrelid = pg_class.oid WHERE relkind = 'r'"
            " AND (inhparent = %s::regclass OR (inhparent IS NULL AND obj_description(pg_class.oid, 'pg_class') = %s))",
            [parent, DOOMED],
        )
        names = [name for (name,) in cursor.fetchall()]
    matches = [re.fullmatch(rf"{parent}_(\d{{8}})", name) for name in names]
    days = [datetime.strptime(match[1], "%Y%m%d").date() for match in matches if match]  # noqa: DTZ007 - a date
    return sorted(found for found in days if found < day)


@contextmanager
def dropping() -> Iterator[bool]:
    """Gives whether this process may drop days, and waits for nobody longer than LONGEST_WAIT meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [DROP_LOCK])
        mine: bool = cursor.fetchone()[0]
        cursor.execute(f"SET statement_timeout = '{LONGEST_WAIT}'")
    try:
        yield mine
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [DROP_LOCK])


def drop(day: date) -> None:
    """Detaches a day while others go on writing, then drops it. Goes on where one that was killed had come to.

    Raises django.db.OperationalError where somebody holds it for too long. Not within a transaction.
    """
    parent, name = RequestLog._meta.db_table, name_of(day)
    with connection.cursor() as cursor:
        if _is_half_detached(day):
            cursor.execute(f"ALTER TABLE {parent} DETACH PARTITION {name} FINALIZE")
        elif _exists(day):
            cursor.execute(f"COMMENT ON TABLE {name} IS %s", [DOOMED])
            cursor.execute(f"ALTER TABLE {parent} DETACH PARTITION {name} CONCURRENTLY")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        _drop_detached(day)


def _drop_detached(day: date) -> None:
    """Drops a day that `drop` has detached. Asked under the lock: a late batch may have made the day anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_class WHERE relname = %s AND relkind = 'r' AND NOT relispartition"
            " AND pg_table_is_visible(oid) AND obj_description(oid, 'pg_class') = %s)",
            [name_of(day), DOOMED],
        )
        if cursor.fetchone()[0]:
            cursor.execute(f"DROP TABLE {name_of(day)}")


def _is_half_detached(day: date) -> bool:
    """Was somebody killed, or lost patience, in the middle of detaching it?"""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = %s::regclass AND relname = %s AND inhdetachpending)",
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
