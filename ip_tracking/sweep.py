"""The hourly sweep: which hours changed, what the population shows in each, filed as cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q

from ip_tracking import cases, population, second_look
from ip_tracking.event import HOUR_US, floor_hour, to_datetime, to_us
from ip_tracking.hour import Hour
from ip_tracking.models import Batch, SuspiciousIP, SweepMark
from metrics import catalogue, emit

MARK = "hourly"

# A batch may be committed after a later one: its `stored_at` is older than what the last sweep saw.
OVERLAP = timedelta(minutes=10)


def run(now: datetime) -> int:
    """Sweeps every hour that batches touched since the last run; returns how many cases changed.

    The rows decide, so that a rerun, or two sweeps at once, change nothing.
    """
    mark = SweepMark.objects.filter(name=MARK).first()
    changed = sum(_sweep(Hour(hour_us), now) for hour_us in touched_hours(now))
    changed += second_look.at_changed_rules(now)
    changed += second_look.at_new_cases(mark.through - OVERLAP if mark else None, now)
    SweepMark.objects.update_or_create(name=MARK, defaults={"through": to_datetime(floor_hour(to_us(now)))})
    return changed


def touched_hours(now: datetime) -> list[int]:
    """Returns the hours, in microseconds, that batches stored since the last sweep hold events of.

    Not the one that is under way: a comparison with others would be made of its first minutes.
    """
    mark = SweepMark.objects.filter(name=MARK).first()
    since = Q(stored_at__gte=mark.through - OVERLAP) if mark else Q()
    spans = Batch.objects.filter(since).values_list("first_at", "last_at")
    hours = {hour for first, last in spans.iterator() for hour in _hours(first, last)}
    return sorted(hour for hour in hours if hour < floor_hour(to_us(now)))


def _hours(first: datetime, last: datetime) -> Iterator[int]:
    yield from range(floor_hour(to_us(first)), to_us(last) + 1, HOUR_US)


def _sweep(hour: Hour, now: datetime) -> int:
    emit.count(catalogue.ROWS_SCANNED, hour.rows.count(), detector="hourly")
    found = [finding for question in population.QUESTIONS for finding in question(hour)]
    changed = len(cases.file(found, now=now))
    # What is of low severity is asked last, as it needs a case.
    known = Q(network__in=SuspiciousIP.objects.values("network"))
    return changed + len(cases.file(population.steady_requests(hour, known), now=now))
