"""What a batch brought is judged: the recent rows of its networks read back, the rules applied, cases filed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from django.db.models import QuerySet

from ip_tracking import cases
from ip_tracking.detection.bursts import READ_BACK, find, read_from_us
from ip_tracking.detection.finding import Finding
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import MISSING_PATH, REFUSED_BY_POLICY
from ip_tracking.event import HOUR_US, US, Event, floor_hour, to_datetime
from ip_tracking.models import RequestLog
from ip_tracking.record.storage import to_event

HAMMERING = next(rule for rule in RULES if rule.symptom == REFUSED_BY_POLICY)


def examine(symptomatic: Iterable[Event]) -> int:
    """Reads back the recent rows of these networks, and files what the rules find. Returns how many cases changed."""
    events = list(symptomatic)
    telling = [event for event in events if event.symptoms != REFUSED_BY_POLICY]
    refused = [event for event in events if event.symptoms == REFUSED_BY_POLICY]
    return len(cases.file([*_find(telling), *_find_hammering(refused)]))


def _find(events: list[Event]) -> list[Finding]:
    if not events:
        return []
    first, last = min(event.at_us for event in events), max(event.at_us for event in events)
    rows = RequestLog.objects.symptomatic(
        {event.network for event in events},
        to_datetime(read_from_us(first, RULES)),
        # An event can complete a window that ends later, where others were stored before it.
        to_datetime(floor_hour(last) + 2 * HOUR_US),
        most_per_hour=READ_BACK,
        counted_apart=MISSING_PATH,
        without=REFUSED_BY_POLICY,
    )
    return find(map(to_event, rows), RULES, since_us=first)


def _find_hammering(events: list[Event]) -> Iterator[Finding]:
    """What our own limits refuse comes by the million, when workers are busiest, and must cost them next to nothing.

    So nothing is sorted: each network and hour is asked by itself, in the order of the index. A network that is refused
    now and then costs one short query; one whose hour is past READ_BACK, two.
    """
    ordered = sorted(events, key=attrgetter("network", "at_us"))
    for (network, hour_us), of_hour in groupby(ordered, key=attrgetter("network", "hour_us")):
        times = [event.at_us for event in of_hour]
        start, end = times[0] - HAMMERING.window_s * US, times[-1] + HAMMERING.window_s * US
        if not _has(HAMMERING.threshold, _refused(network, start, end)):
            continue
        if _has(READ_BACK, _refused(network, hour_us, times[0])):
            continue  # what is looked at of this hour is older than the batch, so that nothing changes
        hours = range(floor_hour(start), end, HOUR_US)
        rows = [row for hour in hours for row in _refused(network, hour, hour + HOUR_US)[:READ_BACK]]
        yield from find(map(to_event, rows), [HAMMERING], since_us=times[0])


def _refused(network: str, start_us: int, end_us: int) -> QuerySet[RequestLog]:
    return RequestLog.objects.showing_only(REFUSED_BY_POLICY, network, to_datetime(start_us), to_datetime(end_us))


def _has(number: int, rows: QuerySet[RequestLog]) -> bool:
    return bool(rows.values_list("at")[number - 1 : number])
