"""A batch in the request log: whole, once, whatever it holds. On PostgreSQL, and on SQLite by test_sqlite.py."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ip_tracking.event import Event
from ip_tracking.models import Batch, HeaderHour, PolicyHour, RequestLog
from ip_tracking.record.storage import Stored, store, to_event
from metrics import emit
from metrics.catalogue import EVENTS_STORED
from tests.dogstatsd import Receiver
from tests.traffic import NOON, event, failed_login

pytestmark = pytest.mark.django_db


def put(*events: Event, batch_id: str = "", shows: str = "") -> Stored:
    return store(batch_id or str(uuid4()), list(events), lambda _: shows, NOON)


def stored() -> list[Event]:
    return [to_event(row) for row in RequestLog.objects.order_by("at", "id")]


def test_an_event_comes_back_as_it_was() -> None:
    events = [
        event(NOON + timedelta(microseconds=1), network="2001:db8::/64", address="2001:db8::9"),
        failed_login(NOON + timedelta(seconds=1), query="page=2", duration_us=3_000_000_000, user="7", staff=True),
        event(NOON + timedelta(seconds=2), refused="block", status=403, user_agent="Zażółć 日本語 \U0001f600"),
    ]

    put(*events)

    assert stored() == events


def test_how_often_each_policy_was_asked_is_counted_once_by_hour() -> None:
    before, after = NOON - timedelta(seconds=1), NOON
    events = [
        event(before, policies="site login"),
        event(after, policies="site"),
        event(after, policies="site"),
        event(),
    ]

    put(*events, batch_id="7" * 32)
    put(*events, batch_id="7" * 32)
    put(event(after, policies="site"))

    assert set(PolicyHour.objects.values_list("policy", "hour", "evaluated")) == {
        ("site", NOON - timedelta(hours=1), 1),
        ("login", NOON - timedelta(hours=1), 1),
        ("site", NOON, 3),
    }


def test_whom_a_policy_refused_or_would_have_refused() -> None:
    put(
        event(refused="login", network="198.51.100.1"),
        event(refused="login", network="198.51.100.2", user="7"),
        event(refused="block"),
        event(shadowed="strict login-account", network="198.51.100.3", user="7"),
        event(shadowed="strict-login", network="198.51.100.4"),
    )

    refused, shadowed = RequestLog.objects.refused_by("login", NOON), RequestLog.objects.shadowed_by("strict", NOON)

    assert refused == {"requests": 2, "networks": 2, "users": 1}
    assert shadowed == {"requests": 1, "networks": 1, "users": 1}
    assert RequestLog.objects.shadowed_by("login", NOON)["requests"] == 0
    assert RequestLog.objects.refused_by("login", NOON + timedelta(seconds=1))["requests"] == 0


@pytest.mark.django_db(transaction=True)
def test_batches_that_count_the_same_policies_at_once_lose_nothing_and_do_not_lock_each_other() -> None:
    def write(number: int) -> None:
        names = "site login payment" if number % 2 else "payment login site"
        try:
            put(event(policies=names), event(NOON + timedelta(hours=1), policies=names))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(40)))

    assert set(PolicyHour.objects.values_list("evaluated", flat=True)) == {40}


def test_each_row_keeps_its_symptoms_and_so_do_the_events_that_are_told() -> None:
    quiet, loud = event(), event(path="/.env")

    result = store(str(uuid4()), [quiet, loud], lambda one: "sensitive-file:dot-env" if "env" in one.path else "", NOON)

    assert [one.symptoms for one in result.events] == ["", "sensitive-file:dot-env"]
    assert sorted(one.symptoms for one in stored()) == ["", "sensitive-file:dot-env"]


def test_the_batch_says_what_it_holds() -> None:
    put(event(NOON + timedelta(hours=1)), event(NOON), event(NOON + timedelta(minutes=1)))

    batch = Batch.objects.get()
    assert (batch.first_at, batch.last_at, batch.rows) == (NOON, NOON + timedelta(hours=1), 3)
    assert batch.stored_at == NOON
    assert batch.examined_at is None


def test_a_batch_delivered_twice_is_stored_once(agent: Receiver) -> None:
    batch_id, events = str(uuid4()), [event(), event()]

    put(*events, batch_id=batch_id)
    again = put(*events, batch_id=batch_id, shows="probing")
    emit.flush()

    assert len(stored()) == 2
    assert len(again.events) == 2, "a redelivery must be able to finish what the first began"
    assert agent.total(EVENTS_STORED) == 2


@pytest.mark.django_db(transaction=True)
def test_a_batch_stored_by_many_at_once_is_stored_once() -> None:
    """A worker that is slow but not dead, and the one that got its batch."""
    batch_id, events = str(uuid4()), [event() for _ in range(50)]

    failures = in_threads(6, lambda _: put(*events, batch_id=batch_id))

    assert failures == []
    assert sorted(one.request_id for one in stored()) == sorted(one.request_id for one in events)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("tab\there", "tab\there"),
        ("line\nbreak\r\n", "line\nbreak\r\n"),
        ("back\\slash \\N \\. \\t", "back\\slash \\N \\. \\t"),
        ("\\.", "\\."),  # alone on its line it would end the COPY
        ("\\N", "\\N"),  # COPY's own NULL
        ("'; DROP TABLE ip_tracking_requestlog; --", "'; DROP TABLE ip_tracking_requestlog; --"),
        ("nul\x00byte", "nul\ufffdbyte"),
        ("half a pair \ud83d", "half a pair ?"),
        ("\udc80 raw byte", "? raw byte"),
        ("\u202egpj.exe\u200b", "\u202egpj.exe\u200b"),
        ("\x01\x08\x0b\x0c\x1b[2J\x7f", "\x01\x08\x0b\x0c\x1b[2J\x7f"),
        ("", ""),
        ('","', '","'),
        ("{1,2}", "{1,2}"),
    ],
)
def test_hostile_text_is_stored_as_it_came_or_made_harmless(text: str, kept: str) -> None:
    put(event(user_agent=text, path=text, query=text, method=text[:16]))

    [row] = stored()
    assert (row.user_agent, row.path, row.query, row.method) == (kept, kept, kept, kept[:16])


def test_what_is_too_long_is_cut_and_the_rest_of_the_batch_stored() -> None:
    put(event(user_agent="a" * 10_000, path="/" + "ż" * 10_000, account="x" * 1_000, symptoms=""), event())

    long, short = stored()
    assert long.user_agent == "a" * 256
    assert long.path == "/" + "ż" * 511
    assert long.account == "x" * 64
    assert short.path == "/"


@settings(max_examples=50, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.fixed_dictionaries({name: st.text(max_size=600) for name in ("path", "query", "user_agent", "user")}))
def test_no_text_makes_a_batch_fail(fields: dict[str, Any]) -> None:
    marked = event(NOON + timedelta(days=1))._replace(**fields)

    put(marked)

    row = to_event(RequestLog.objects.get(request_id=marked.request_id))
    assert len(row.path) == min(512, len(marked.path))
    assert row.at == marked.at


# How many headers said more than anybody vouched for


def hours() -> list[tuple[datetime, int, int]]:
    return list(HeaderHour.objects.order_by("hour").values_list("hour", "requests", "beyond"))


def test_headers_are_counted_by_the_hour_of_their_requests_without_health_checks() -> None:
    next_hour = NOON + timedelta(hours=1)

    put(event(beyond=2), event(next_hour, beyond=1), event(), event(kind="health"))
    put(event(next_hour))

    assert hours() == [(NOON, 2, 1), (next_hour, 2, 1)]


def test_a_batch_delivered_twice_is_counted_once() -> None:
    batch_id, events = str(uuid4()), [event(beyond=1), event()]

    put(*events, batch_id=batch_id)
    put(*events, batch_id=batch_id)

    assert hours() == [(NOON, 2, 1)]


@pytest.mark.django_db(transaction=True)
def test_batches_stored_at_once_are_all_counted() -> None:
    """Of two hours each, named in either order: nobody waits in a circle."""
    failures = in_threads(6, lambda number: put(*turned([event(beyond=1), event(NOON + timedelta(hours=1))], number)))

    assert failures == []
    assert hours() == [(NOON, 6, 6), (NOON + timedelta(hours=1), 6, 0)]


def turned(events: list[Event], number: int) -> list[Event]:
    return events if number % 2 else events[::-1]


def in_threads(count: int, work: Callable[[int], object]) -> list[Exception]:
    """Does the work in so many threads at once; returns what went wrong."""
    failures: list[Exception] = []
    start = threading.Barrier(count)

    def worker(number: int) -> None:
        start.wait()
        try:
            work(number)
        except Exception as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=worker, args=(number,)) for number in range(count)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    return failures


def day_of(at: datetime) -> str:
    return f"ip_tracking_requestlog_{at:%Y%m%d}"


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relispartition")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.parametrize(
    "times",
    [
        [NOON.replace(hour=23, minute=59, second=59, microsecond=999_999), NOON.replace(hour=0) + timedelta(days=1)],
        [NOON - timedelta(days=4_000)],
        [NOON + timedelta(days=900), NOON],
        [datetime(2024, 2, 29, 12, tzinfo=NOON.tzinfo), datetime(2024, 12, 31, 23, 59, tzinfo=NOON.tzinfo)],
    ],
    ids=["midnight", "old", "far", "leap"],
)
def test_a_batch_of_any_days_is_stored(times: list[datetime]) -> None:
    """A row without its day's partition would fail the whole batch."""
    put(*[event(at) for at in times])

    assert [one.at for one in stored()] == sorted(times)
    if connection.vendor == "postgresql":
        assert partitions() >= {day_of(at) for at in times}
