"""A day's partition exists before its first row, and making one holds up nobody."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from django.db import connection, connections, transaction

from ip_tracking.models import RequestLog
from ip_tracking.record import partitions
from ip_tracking.record.storage import store
from tests.traffic import NOON, event

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL has partitions"),
]

DEADLINE_S = 10.0


def days() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::regclass::text FROM pg_partition_tree('ip_tracking_requestlog') WHERE isleaf")
        return {name.removeprefix("ip_tracking_requestlog_") for (name,) in cursor.fetchall()}


def test_days_are_made_ahead_and_yesterday_for_late_events() -> None:
    partitions.ensure_ahead(date(2031, 1, 1))

    assert days() >= {"20301231", "20310101", "20310102", "20310103", "20310104"}


def test_making_days_again_changes_nothing() -> None:
    partitions.ensure_ahead(date(2031, 1, 1))
    before = days()

    partitions.ensure_ahead(date(2031, 1, 1))

    assert days() == before


def test_a_day_that_was_rolled_back_is_made_again() -> None:
    """Remembered all the same, it would fail every later batch of this process."""
    day = date(2031, 5, 5)
    with transaction.atomic():
        partitions.ensure([day])
        transaction.set_rollback(True)

    partitions.ensure([day])

    assert "20310505" in days()


@pytest.mark.django_db(transaction=True)
def test_a_day_that_was_dropped_is_made_again() -> None:
    partitions.ensure([date(2031, 6, 6)])
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE ip_tracking_requestlog_20310606")

    partitions.ensure([date(2031, 6, 6)])

    assert "20310606" in days()


def test_a_row_of_the_first_and_last_microsecond_lies_in_its_own_day() -> None:
    first = NOON.replace(hour=0)
    store("0" * 32, [event(first), event(first + timedelta(days=1, microseconds=-1))], lambda _: "", NOON)

    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM ip_tracking_requestlog")
        assert cursor.fetchall() == [("ip_tracking_requestlog_20260302",)]


def test_a_day_has_the_indexes_of_the_log() -> None:
    partitions.ensure([date(2031, 1, 1)])

    with connection.cursor() as cursor:
        indexes = connection.introspection.get_constraints(cursor, "ip_tracking_requestlog_20310101").values()
    assert {tuple(index["columns"]) for index in indexes} >= {
        ("at", "id"),
        ("network", "at"),
        ("account", "at"),
    }


def test_there_is_no_default_partition() -> None:
    """It would forbid detaching a day while others write."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT partdefid FROM pg_partitioned_table WHERE partrelid = 'ip_tracking_requestlog'::regclass"
        )
        assert cursor.fetchone() == (0,)


def in_threads(*works: object) -> list[BaseException]:
    failures: list[BaseException] = []

    def run(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert not any(thread.is_alive() for thread in threads)
    return failures


@pytest.mark.django_db(transaction=True)
def test_many_processes_that_miss_the_same_day_make_it_once() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS ip_tracking_requestlog_20310707")
    start = threading.Barrier(6)

    def work() -> None:
        start.wait()
        partitions.ensure([date(2031, 7, 7)])

    assert in_threads(*[work] * 6) == []
    assert "20310707" in days()


@pytest.mark.django_db(transaction=True)
def test_a_day_is_made_while_another_transaction_writes() -> None:
    partitions.ensure([NOON.date()])

    with transaction.atomic():
        store("0" * 32, [event()], lambda _: "", NOON)
        failures = in_threads(lambda: partitions.ensure([date(2031, 8, 8)]))

    assert failures == []
    assert "20310808" in days()
    assert RequestLog.objects.count() == 1
