"""What a batch brought is judged: the recent rows of its networks read back, the rules applied, cases filed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from django.db.models import Q, QuerySet

from ip_tracking import cases
from ip_tracking.detection.bursts import READ_BACK, find, read_from_us
from ip_tracking.detection.finding import Finding
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.symptoms import MISSING_PATH, REFUSED_BY_POLICY
from ip_tracking.event import HOUR_US, US, Event, floor_hour, to_datetime
from ip_tracking.models import RequestLog
from ip_tracking.record.storage import to_event
from metrics import catalogue, emit

HAMMERING = next(rule for rule in RULES if rule.symptom == REFUSED_BY_POLICY)


# Networks whose rows are read at once where a whole hour is judged.
AT_ONCE = 20


def examine(symptomatic: Iterable[Event]) -> int:
    """Reads back the recent rows of these networks, and files what the rules find. Returns how many cases changed."""
    events = list(symptomatic)
    telling = [event for event in events if event.symptoms != REFUSED_BY_POLICY]
    refused = [event for event in events if event.symptoms == REFUSED_BY_POLICY]
    return len(cases.file([*_find(telling), *_find_hammering(refused)]))


def find_in_hour(hour_us: int) -> Iterator[Finding]:
    """What the rules find in a stored hour, read again, a few networks at a time."""
    start, end = to_datetime(hour_us), to_datetime(hour_us + HOUR_US)
    shows_more = ~Q(symptoms__in=("", REFUSED_BY_POLICY))
    networks = RequestLog.objects.networks_showing(shows_more, start, end)
    for place in range(0, len(networks), AT_ONCE):
        yield from _find_of(networks[place : place + AT_ONCE], hour_us, hour_us + HOUR_US - 1)
    for network in RequestLog.objects.networks_showing(Q(symptoms=REFUSED_BY_POLICY), start, end):
        yield from _find_hammering_of(network, hour_us, hour_us + HOUR_US - 1)


def rows_with_symptoms(networks: Iterable[str], start_us: int, end_us: int) -> QuerySet[RequestLog]:
    return RequestLog.objects.symptomatic(
        networks,
        to_datetime(start_us),
        to_datetime(end_us),
        most_per_hour=READ_BACK,
        counted_apart=MISSING_PATH,
        without=REFUSED_BY_POLICY,
    )


def _find(events: list[Event]) -> list[Finding]:
    if not events:
        return []
    times = [event.at_us for event in events]
    return _find_of({event.network for event in events}, min(times), max(times))


def _find_of(networks: Iterable[str], first_us: int, last_us: int) -> list[Finding]:
    # An event can complete a window that ends later, where others were stored before it.
    rows = rows_with_symptoms(networks, read_from_us(first_us, RULES), floor_hour(last_us) + 2 * HOUR_US)
    events = [to_event(row) for row in rows]
    emit.count(catalogue.ROWS_SCANNED, len(events), detector="bursts")
    return find(events, RULES, since_us=first_us)


def _find_hammering(events: list[Event]) -> Iterator[Finding]:
    """What our own limits refuse comes by the million, when workers are busiest, and must cost them next to nothing.

    So nothing is sorted: each network and hour is asked by itself, in the order of the index. A network that is refused
    now and then costs one short query; one whose hour is past READ_BACK, two.
    """
    ordered = sorted(events, key=attrgetter("network", "at_us"))
    for (network, _), of_hour in groupby(ordered, key=attrgetter("network", "hour_us")):
        times = [event.at_us for event in of_hour]
        yield from _find_hammering_of(network, times[0], times[-1])


def _find_hammering_of(network: str, first_us: int, last_us: int) -> Iterator[Finding]:
    """`first_us` and `last_us` are within one hour."""
    start, end = first_us - HAMMERING.window_s * US, last_us + HAMMERING.window_s * US
    if not _has(HAMMERING.threshold, _refused(network, start, end)):
        return
    if _has(READ_BACK, _refused(network, floor_hour(first_us), first_us)):
        return  # what is looked at of this hour is older than the batch, so that nothing changes
    hours = range(floor_hour(start), end, HOUR_US)
    rows = [row for hour in hours for row in _refused(network, hour, hour + HOUR_US)[:READ_BACK]]
    emit.count(catalogue.ROWS_SCANNED, len(rows), detector="bursts")
    yield from find(map(to_event, rows), [HAMMERING], since_us=first_us)


def _refused(network: str, start_us: int, end_us: int) -> QuerySet[RequestLog]:
    return RequestLog.objects.showing_only(REFUSED_BY_POLICY, network, to_datetime(start_us), to_datetime(end_us))


def _has(number: int, rows: QuerySet[RequestLog]) -> bool:
    return bool(rows.values_list("at")[number - 1 : number])
