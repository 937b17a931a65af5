"""What a batch brought is judged: the recent rows of its networks read back, the rules applied, cases filed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from django.db.models import QuerySet

from ip_tracking import cases
from ip_tracking.detection.bursts import COUNTED_APART, READ_BACK, find, read_from_us
from ip_tracking.detection.finding import Finding
from ip_tracking.detection.pages import METHODS, UNCHANGED, VIEWS_READ, as_page, is_page
from ip_tracking.detection.rules import CRAWLING, RULES
from ip_tracking.detection.symptoms import MISSING_PATH
from ip_tracking.event import HOUR_US, US, Event, floor_hour, to_datetime
from ip_tracking.models import RequestLog
from ip_tracking.record.storage import to_event

# Missing paths are read with the other symptoms, for many a request shows both.
APART = COUNTED_APART.keys() - {MISSING_PATH}


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
        without=APART,
    )
    return find(map(to_event, rows), RULES, since_us=first)


def _find_apart(pool: str, events: list[Event]) -> Iterator[Finding]:
    """What our own limits refuse comes by the million, when workers are busiest; habits come from every large network.
    Both must cost next to nothing.

    So nothing is sorted: each network and hour is asked by itself, in the order of the index. A network that shows it
    now and then costs one short query; one whose hour is past READ_BACK, two.
    """
    symptoms = {symptom for symptom in APART if COUNTED_APART[symptom] == pool}
    rules = [rule for rule in RULES if rule.symptom in symptoms]
    least, window_us = min(rule.threshold for rule in rules), max(rule.window_s for rule in rules) * US
    ordered = sorted(events, key=attrgetter("network", "at_us"))
    for (network, hour_us), of_hour in groupby(ordered, key=attrgetter("network", "hour_us")):
        times = [event.at_us for event in of_hour]
        start, end = times[0] - window_us, times[-1] + window_us
        if not _has(least, _showing(symptoms, network, start, end)):
            continue
        if _has(READ_BACK, _showing(symptoms, network, hour_us, times[0])):
            continue  # what is looked at of this hour is older than the batch, so that nothing changes
        hours = range(floor_hour(start), end, HOUR_US)
        rows = [row for hour in hours for row in _showing(symptoms, network, hour, hour + HOUR_US)[:READ_BACK]]
        yield from find(map(to_event, rows), rules, since_us=times[0])


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
        viewed = (to_event(row) for second in sorted(seconds) for row in _viewed(network, second * US))
        yield from find(map(as_page, filter(is_page, viewed)), [CRAWLING], since_us=min(times))


def _showing(symptoms: Iterable[str], network: str, start_us: int, end_us: int) -> QuerySet[RequestLog]:
    return RequestLog.objects.showing_only(symptoms, network, to_datetime(start_us), to_datetime(end_us))


def _viewed(network: str, second_us: int) -> QuerySet[RequestLog]:
    start, end = to_datetime(second_us), to_datetime(second_us + US)
    return RequestLog.objects.viewed(network, start, end, methods=METHODS, but_status=UNCHANGED)[:VIEWS_READ]


def _has(number: int, rows: QuerySet[RequestLog]) -> bool:
    return bool(rows.values_list("at")[number - 1 : number])
