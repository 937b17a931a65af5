"""The hourly sweep: which hours changed, what the population shows in each, filed as cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q

from ip_tracking import cases
from ip_tracking.detection.finding import Finding
from ip_tracking.detection.hourly import DISTRIBUTED_LOGIN, distributed_logins
from ip_tracking.event import HOUR_US, floor_hour, to_datetime, to_us
from ip_tracking.models import Batch, RequestLog, SweepMark
from ip_tracking.outcomes import LOGIN_FAILED, LOGIN_OK
from ip_tracking.record.storage import to_event

MARK = "hourly"

# A batch may be committed after a later one: its `stored_at` is older than what the last sweep saw.
OVERLAP = timedelta(minutes=10)

# How far back a network's good login counts: whoever logged in well within a week knows the password.
GOOD_LOGIN = timedelta(days=7)


def run(now: datetime) -> int:
    """Sweeps every hour that batches touched since the last run; returns how many cases changed.

    The rows decide, so that a rerun, or two sweeps at once, change nothing.
    """
    changed = sum(len(cases.file(_distributed_logins(hour_us), now=now)) for hour_us in touched_hours())
    SweepMark.objects.update_or_create(name=MARK, defaults={"through": now})
    return changed


def touched_hours() -> list[int]:
    """Returns the hours, in microseconds, that batches stored since the last sweep hold events of."""
    mark = SweepMark.objects.filter(name=MARK).first()
    since = Q(stored_at__gte=mark.through - OVERLAP) if mark else Q()
    spans = Batch.objects.filter(since).values_list("first_at", "last_at")
    return sorted({hour for first, last in spans.iterator() for hour in _hours(first, last)})


def _hours(first: datetime, last: datetime) -> Iterator[int]:
    yield from range(floor_hour(to_us(first)), to_us(last) + 1, HOUR_US)


def _distributed_logins(hour_us: int) -> list[Finding]:
    start, end = to_datetime(hour_us), to_datetime(hour_us + HOUR_US)
    log = RequestLog.objects
    networks = log.accounts_failing(start, end, LOGIN_FAILED, DISTRIBUTED_LOGIN.threshold)
    if not networks:
        return []
    failures = log.filter(at__gte=start, at__lt=end, outcome=LOGIN_FAILED, refused="", account__in=networks)
    trusted = set(
        log.filter(at__gte=start - GOOD_LOGIN, at__lt=end, outcome=LOGIN_OK, account__in=networks).values_list(
            "network", "account"
        )
    )
    return distributed_logins(hour_us, map(to_event, failures), networks, trusted)
