"""The request log as a stream of the events it was made of, with as many rows in memory as one read brings."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Min

from ip_tracking.event import HOUR_US, Event, floor_hour, to_datetime, to_us
from ip_tracking.models import RequestLog
from ip_tracking.models.log import RequestLogQuerySet

READ_ROWS = 2_000

# A row has the fields of an event up to its symptoms.
FIELDS = Event._fields[1 : Event._fields.index("symptoms") + 1]


def count(start_us: int, end_us: int) -> int:
    return RequestLog.objects.between(to_datetime(start_us), to_datetime(end_us)).count()


def count_telling(start_us: int, end_us: int) -> int:
    return _telling(start_us, end_us).count()


def requests(start_us: int, end_us: int) -> Iterator[Event]:
    """In the order of time. Hour by hour: the database sorts an hour, and no transaction is as long as the replay."""
    first = RequestLog.objects.between(to_datetime(start_us), to_datetime(end_us)).aggregate(at=Min("at"))["at"]
    # A policy may have a window of years: the hours before there was a log are not asked one by one.
    start_us = to_us(first) if first else end_us
    for hour_us in range(floor_hour(start_us), end_us, HOUR_US):
        start, end = to_datetime(max(hour_us, start_us)), to_datetime(min(hour_us + HOUR_US, end_us))
        yield from _events(RequestLog.objects.between(start, end).order_by("at", "request_id"))


def telling(start_us: int, end_us: int) -> Iterator[Event]:
    """Those with symptoms: network by network, each in the order of time."""
    return _events(_telling(start_us, end_us).order_by("network", "at", "request_id"))


def _telling(start_us: int, end_us: int) -> RequestLogQuerySet:
    return RequestLog.objects.between(to_datetime(start_us), to_datetime(end_us)).exclude(symptoms="")


def _events(rows: RequestLogQuerySet) -> Iterator[Event]:
    for at, *fields in rows.values_list("at", *FIELDS).iterator(READ_ROWS):
        yield Event(to_us(at), *fields)
