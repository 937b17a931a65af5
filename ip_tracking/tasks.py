"""What workers do: store a batch and examine it; every hour, sweep."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import shared_task
from celery.exceptions import Reject
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from ip_tracking import coverage, gauges, retention, sweep
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import Event, floor_hour, to_datetime, to_us
from ip_tracking.examination import examine
from ip_tracking.gate import decisions, switch
from ip_tracking.gate.policies import table
from ip_tracking.models import Batch, PolicyHour, RequestLog
from ip_tracking.record import partitions
from ip_tracking.record.message import Message, NotSent, unpack
from ip_tracking.record.storage import store, to_event
from ip_tracking.webhook.deliver import MOST_TRIES, Outcome, deliver, pause_s
from metrics import catalogue, emit

logger = logging.getLogger(__name__)

# A batch takes a fraction of a second. What takes a minute hangs, and goes to another worker.
STORE_LIMIT_S = 60

# One try takes ten seconds and a look-up.
WEBHOOK_LIMIT_S = 60

# While the database is away batches go back to their queue; the pause keeps the workers from spinning.
AWAY_PAUSE_S = 1.0

# Batches stored but not examined within this time lost their worker; the sweep examines them.
ABANDONED = timedelta(minutes=5)

# How often policies were asked is kept for a quarter: what was asked once a season is not dead.
COUNTS_KEPT = timedelta(days=92)

# A night's removing ends well before the task's time limit; what is left goes the next night.
REMOVE_S = 200.0

# A web process' clock, or the store's, may run ahead; an event from later than this is not believed.
FUTURE = timedelta(minutes=5)


@shared_task(  # type: ignore[call-overload,untyped-decorator]  # the stubs are older than acks_on_timeout
    name="ip_tracking.tasks.store_events",
    acks_late=True,
    acks_on_timeout=False,
    reject_on_worker_lost=True,
    time_limit=STORE_LIMIT_S,
)
def store_events(batch_id: str, message: Message) -> None:
    """Stores one batch and examines the networks that show anything. A redelivery finishes what the first began."""
    try:
        store_now(batch_id, message)
    except NotSent as error:
        time.sleep(AWAY_PAUSE_S)
        raise Reject(error, requeue=True) from error


@shared_task(name="ip_tracking.tasks.sweep_hours")
def sweep_hours() -> str:
    """Asks what no single client shows, for all hours that changed since the last run. Two at once are harmless."""
    now = datetime.now(UTC)
    partitions.ensure_ahead(now.date())
    examine_abandoned(now)
    report_coverage(now)
    found = _measured("hourly", lambda: sweep.run(now))
    return f"{found} finding(s)"


@shared_task(name="ip_tracking.tasks.report_gauges")
def report_gauges() -> None:
    """Says how old what nobody examined or reviewed is, and how many cases there are."""
    gauges.report(datetime.now(UTC))


@shared_task(
    name="ip_tracking.tasks.send_webhook",
    bind=True,
    acks_late=True,
    time_limit=WEBHOOK_LIMIT_S,
    max_retries=MOST_TRIES,
)
def send_webhook(task: Any, body: str) -> None:
    """Delivers one message; where nobody takes it, tries again for a quarter of an hour."""
    outcome = deliver(body)
    if outcome is not Outcome.AGAIN:
        emit.count(catalogue.WEBHOOKS, outcome=outcome.value)
    elif task.request.retries + 1 < MOST_TRIES:
        emit.count(catalogue.WEBHOOKS, outcome=outcome.value)
        raise task.retry(countdown=pause_s(task.request.retries))
    else:
        logger.error("The webhook was given up after %s tries.", MOST_TRIES)
        emit.count(catalogue.WEBHOOKS, outcome="given_up")


@shared_task(name="ip_tracking.tasks.remove_expired")
def remove_expired() -> str:
    """Removes what is past its time. Two at once are harmless."""
    until = time.monotonic() + REMOVE_S
    removed = retention.run(datetime.now(UTC), lambda: time.monotonic() < until)
    return ", ".join(f"{number} {kind}" for kind, number in removed)


def store_now(batch_id: str, message: Message) -> None:
    """What `store_events` does; also called by the process' own thread where IP_TRACKING["RECORD"] is "thread".

    Raises NotSent while the database is away: it may be done by half, and is finished under the same id.
    """
    with _fresh_connection():
        try:
            _store_and_examine(batch_id, unpack(message), datetime.now(UTC))
        except (OperationalError, InterfaceError) as error:
            raise NotSent(f"{type(error).__name__}: {error}") from error


def _store_and_examine(batch_id: str, sent: list[Event], now: datetime) -> None:
    events = [event for event in sent if event.at < now + FUTURE]
    if len(events) < len(sent):
        emit.count(catalogue.EVENTS_DROPPED, len(sent) - len(events), reason="future")
    if not events:
        return
    stored = store(batch_id, events, symptoms_of, now)
    if stored.batch.examined_at is None:
        _measured("bursts", lambda: examine(stored.events))
        Batch.objects.filter(pk=stored.batch.pk).update(examined_at=datetime.now(UTC))


def examine_abandoned(now: datetime) -> None:
    """Examines batches whose worker was lost between storing and examining."""
    for batch in Batch.objects.filter(examined_at=None, stored_at__lt=now - ABANDONED):
        rows = RequestLog.objects.filter(at__range=(batch.first_at, batch.last_at))
        try:
            examine(map(to_event, rows))
        except Exception:  # the next hour tries again; the other batches and the sweep must not wait for this one
            logger.exception("Batch %s could not be examined.", batch.pk)
        else:
            Batch.objects.filter(pk=batch.pk).update(examined_at=now)


def refresh_decisions() -> None:
    """The background thread's: brings this process' switch and decisions in line with the database.

    The switch first: it is most needed when what comes after it hangs.
    """
    with _fresh_connection():
        switch.refresh()
        decisions.refresh()


def report_coverage(now: datetime) -> None:
    """Says how many policies guard nothing and how many sensitive routes are unguarded: one process does, hourly."""
    hour = to_datetime(floor_hour(to_us(now)))
    # A row for each policy, asked or not: it tells since when the policy has been there to be asked.
    PolicyHour.objects.add(Counter({(policy.name, hour): 0 for policy in table()}))
    PolicyHour.objects.filter(hour__lt=now - COUNTS_KEPT).delete()
    emit.gauge(catalogue.POLICIES_DEAD, len({found.policy for found in coverage.dead() + coverage.quiet(now)}))
    emit.gauge(catalogue.ROUTES_UNGUARDED, len(coverage.unguarded()))


@contextmanager
def _fresh_connection() -> Iterator[None]:
    """Drops a connection that broke or grew old, as Django does around each request: a thread has none.

    Not within a caller's transaction, which that would end.
    """
    own = not connection.in_atomic_block
    if own:
        close_old_connections()
    try:
        yield
    finally:
        if own:
            close_old_connections()


def _measured(detector: str, run: Callable[[], int]) -> int:
    started, outcome = time.perf_counter(), "error"
    try:
        found = run()
        outcome = "ok"
    finally:
        emit.count(catalogue.DETECTOR_RUNS, detector=detector, outcome=outcome)
        emit.distribution(
            catalogue.DETECTOR_DURATION, time.perf_counter() - started, detector=detector, outcome=outcome
        )
    return found
