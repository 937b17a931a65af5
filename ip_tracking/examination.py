"""What a batch brought is judged: the recent rows of its networks read back, the rules applied, cases filed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import attrgetter

from django.db.models import Q, QuerySet

from ip_tracking import cases
from ip_tracking.detection.bursts import COUNTED_APART, READ_BACK, find, read_from_us
from ip_tracking.detection.finding import Finding
from ip_tracking.detection.pages import METHODS, UNCHANGED, VIEWS_READ, as_page, is_page
from ip_tracking.detection.rules import CRAWLING, RULES
from ip_tracking.detection.symptoms import MISSING_PATH
from ip_tracking.event import HOUR_US, US, Event, floor_hour, to_datetime
from ip_tracking.models import RequestLog
from ip_tracking.record.storage import to_event
from metrics import catalogue, emit

# Missing paths are read with the other symptoms, for many a request shows both.
APART = COUNTED_APART.keys() - {MISSING_PATH}

# Networks whose rows are read at once where a whole hour is judged again.
AT_ONCE = 20


def examine(stored: Iterable[Event]) -> int:
    """Reads back the recent rows of these networks, and files what the rules find. Returns how many cases changed."""
    events = list(stored)
    pools: dict[str, list[Event]] = {}
    for event in events:
        if event.symptoms:
            pool = COUNTED_APART[event.symptoms] if event.symptoms in APART else ""
            pools.setdefault(pool, []).append(event)
    findings = _find(pools.pop("", []))
    for pool, of_pool in pools.items():
        findings += _find_apart(pool, of_pool)
    findings += _find_crawling([event for event in events if is_page(event)])
    return len(cases.file(findings))


def find_in_hour(hour_us: int) -> Iterator[Finding]:
    """What the rules find in a stored hour, read again, a few networks at a time."""
    last_us = hour_us + HOUR_US - 1
    log = RequestLog.objects.between(to_datetime(hour_us), to_datetime(hour_us + HOUR_US))
    networks = log.networks_showing(~Q(symptoms__in=("", *APART)))
    for place in range(0, len(networks), AT_ONCE):
        yield from _find_of(networks[place : place + AT_ONCE], hour_us, last_us)
    for pool in sorted({COUNTED_APART[symptom] for symptom in APART}):
        for network in log.networks_showing(Q(symptoms__in=_symptoms_of(pool))):
            yield from _find_apart_of(network, pool, hour_us, last_us)
    for network in log.busiest(rows=CRAWLING.threshold):
        yield from _find_crawling_of(network, hour_us)


def rows_with_symptoms(networks: Iterable[str], start_us: int, end_us: int) -> QuerySet[RequestLog]:
    return RequestLog.objects.symptomatic(
        networks,
        to_datetime(start_us),
        to_datetime(end_us),
        most_per_hour=READ_BACK,
        counted_apart=MISSING_PATH,
        without=APART,
    )


def _find(events: list[Event]) -> list[Finding]:
    if not events:
        return []
    times = [event.at_us for event in events]
    return _find_of({event.network for event in events}, min(times), max(times))


def _find_of(networks: Iterable[str], first_us: int, last_us: int) -> list[Finding]:
    # An event can complete a window that ends later, where others were stored before it.
    rows = rows_with_symptoms(networks, read_from_us(first_us, RULES), floor_hour(last_us) + 2 * HOUR_US)
    return find(_scanned(rows), RULES, since_us=first_us)


def _find_apart(pool: str, events: list[Event]) -> Iterator[Finding]:
    """What our own limits refuse comes by the million, when workers are busiest; habits come from every large network.
    Both must cost next to nothing.

    So nothing is sorted: each network and hour is asked by itself, in the order of the index. A network that shows it
    now and then costs one short query; one whose hour is past READ_BACK, two.
    """
    ordered = sorted(events, key=attrgetter("network", "at_us"))
    for (network, _), of_hour in groupby(ordered, key=attrgetter("network", "hour_us")):
        times = [event.at_us for event in of_hour]
        yield from _find_apart_of(network, pool, times[0], times[-1])


def _find_apart_of(network: str, pool: str, first_us: int, last_us: int) -> list[Finding]:
    """`first_us` and `last_us` are within one hour."""
    symptoms = _symptoms_of(pool)
    rules = [rule for rule in RULES if rule.symptom in symptoms]
    least, window_us = min(rule.threshold for rule in rules), max(rule.window_s for rule in rules) * US
    start, end = first_us - window_us, last_us + window_us
    if not _has(least, _showing(symptoms, network, start, end)):
        return []
    if _has(READ_BACK, _showing(symptoms, network, floor_hour(first_us), first_us)):
        return []  # what is looked at of this hour is older than the batch, so that nothing changes
    hours = range(floor_hour(start), end, HOUR_US)
    rows = (row for hour in hours for row in _showing(symptoms, network, hour, hour + HOUR_US)[:READ_BACK])
    return find(_scanned(rows), rules, since_us=first_us)


def _symptoms_of(pool: str) -> set[str]:
    return {symptom for symptom in APART if COUNTED_APART[symptom] == pool}


def _find_crawling(pages: list[Event]) -> Iterator[Finding]:
    """Nearly every network asks for pages, so only those are read that had enough requests within seconds.

    One query of the index for all of them, and for each that is busy one short query for each second around its pages.
    """
    if not pages:
        return
    reach_s = CRAWLING.window_s
    first, last = min(event.at_us for event in pages), max(event.at_us for event in pages)
    start, end = to_datetime(first - reach_s * US), to_datetime(last + reach_s * US)
    busy = RequestLog.objects.busy({event.network for event in pages}, start, end, rows=CRAWLING.threshold)
    for network in busy:
        times = [event.at_us for event in pages if event.network == network]
        seconds = {at_us // US + near for at_us in times for near in range(-reach_s, reach_s + 1)}
        viewed = _scanned(row for second in sorted(seconds) for row in _viewed(network, second * US))
        yield from find(map(as_page, filter(is_page, viewed)), [CRAWLING], since_us=min(times))


def _find_crawling_of(network: str, hour_us: int) -> list[Finding]:
    """Reads a whole hour of one network's views in one query, and of each second as many as are looked at live."""
    start, end = to_datetime(hour_us - CRAWLING.window_s * US), to_datetime(hour_us + HOUR_US)
    rows = RequestLog.objects.viewed(network, start, end, methods=METHODS, but_status=UNCHANGED)
    seconds = groupby(rows.iterator(), key=lambda row: row.at.replace(microsecond=0))
    viewed = _scanned(row for _, of_second in seconds for row in islice(of_second, VIEWS_READ))
    return find(map(as_page, filter(is_page, viewed)), [CRAWLING], since_us=hour_us)


def _scanned(rows: Iterable[RequestLog]) -> list[Event]:
    events = [to_event(row) for row in rows]
    emit.count(catalogue.ROWS_SCANNED, len(events), detector="bursts")
    return events


def _showing(symptoms: Iterable[str], network: str, start_us: int, end_us: int) -> QuerySet[RequestLog]:
    return RequestLog.objects.showing_only(symptoms, network, to_datetime(start_us), to_datetime(end_us))


def _viewed(network: str, second_us: int) -> QuerySet[RequestLog]:
    start, end = to_datetime(second_us), to_datetime(second_us + US)
    return RequestLog.objects.viewed(network, start, end, methods=METHODS, but_status=UNCHANGED)[:VIEWS_READ]


def _has(number: int, rows: QuerySet[RequestLog]) -> bool:
    return bool(rows.values_list("at")[number - 1 : number])
