"""Writes a batch into the request log, once, whatever the broker delivers twice."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from ip_tracking.event import Event, to_datetime, to_us
from ip_tracking.models import Batch, HeaderHour, PolicyHour, RequestLog
from ip_tracking.record import partitions
from metrics import catalogue, emit

COLUMNS = (
    "at", "request_id", "address", "network", "method", "path", "query", "route", "kind", "status", "duration_us",
    "user_agent", "user", "staff", "outcome", "account", "refused", "symptoms",
    "shadowed",
)  # fmt: skip

WIDTHS: dict[str, int] = {
    field.name: field.max_length
    for field in RequestLog._meta.fields
    if field.name in COLUMNS and field.max_length is not None
}

# COPY's text format: what stands for itself escaped. A NUL byte no database takes.
COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\ufffd"})


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch in the log, and its events as the log keeps them."""

    batch: Batch
    events: list[Event]


def store(batch_id: str, events: list[Event], symptoms_of: Callable[[Event], str], now: datetime) -> Stored:
    """Stores a batch in one transaction with its id; a batch that is there already is not stored again."""
    events = [fit(event._replace(symptoms=symptoms_of(event))) for event in events]
    times = [event.at for event in events]
    if connection.vendor == "postgresql":
        partitions.ensure({at.date() for at in times})
    with transaction.atomic():
        batch, new = Batch.objects.get_or_create(
            id=UUID(batch_id),
            defaults={"stored_at": now, "first_at": min(times), "last_at": max(times), "rows": len(events)},
        )
        if new:
            _write(events)
            PolicyHour.objects.add(_asked(events))
            _count_headers(events)
    if new:
        emit.count(catalogue.EVENTS_STORED, len(events))
    return Stored(batch, events)


def _asked(events: list[Event]) -> Counter[tuple[str, datetime]]:
    """How often each policy was asked, by UTC hour."""
    plans = Counter((event.policies, event.hour_us) for event in events if event.policies)
    asked: Counter[tuple[str, datetime]] = Counter()
    for (policies, hour_us), times in plans.items():
        for policy in set(policies.split()):  # a cart asks one for each of its items
            asked[policy, to_datetime(hour_us)] += times
    return asked


def to_event(row: RequestLog) -> Event:
    """Returns a row as the event it was."""
    return Event(
        at_us=to_us(row.at),
        **{name: getattr(row, name) for name in COLUMNS if name != "at"},
    )


def fit(event: Event) -> Event:
    """Cuts what is too long for its column and drops what no database stores: a batch never fails over one request."""
    cut = {}
    for name, width in WIDTHS.items():
        text = getattr(event, name)
        if len(text) > width or not text.isascii() or "\0" in text:
            cut[name] = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")[:width]
    return event._replace(**cut) if cut else event


def _write(events: list[Event]) -> None:
    if connection.vendor == "postgresql":
        _copy(events)
    else:
        RequestLog.objects.bulk_create(
            RequestLog(at=event.at, **{name: getattr(event, name) for name in COLUMNS if name != "at"})
            for event in events
        )


def _count_headers(events: list[Event]) -> None:
    """Health checks come past the proxies, so they are no traffic here.

    The last of the transaction, hours in order: workers wait for each other at these rows, as long as a commit takes,
    and never in a circle.
    """
    counted = [event for event in events if event.kind != "health"]
    for hour_us in sorted({event.hour_us for event in counted}):
        beyond = [event.beyond > 0 for event in counted if event.hour_us == hour_us]
        HeaderHour.objects.add(to_datetime(hour_us), requests=len(beyond), beyond=sum(beyond))


def _copy(events: list[Event]) -> None:
    table, columns = RequestLog._meta.db_table, ", ".join(f'"{name}"' for name in COLUMNS)
    text = "".join(_copy_line(event) for event in events)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO(text))


def _copy_line(event: Event) -> str:
    values = (event.at.isoformat(), *(getattr(event, name) for name in COLUMNS[1:]))
    return "\t".join(str(value).translate(COPY_ESCAPES) for value in values) + "\n"
