"""Which networks would be flagged if the rules were changed: the log's symptoms under both tables of rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter

from ip_tracking.client import UNKNOWN
from ip_tracking.detection import bursts
from ip_tracking.detection.bursts import READ_BACK
from ip_tracking.detection.finding import Finding, Rule, Severity
from ip_tracking.event import Event
from ip_tracking.replay.changes import Change

Found = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Flags:
    """The findings against the networks that only one of the two tables flags."""

    newly: tuple[Found, ...]
    no_longer: tuple[Found, ...]


def read_from_us(start_us: int, change: Change) -> int:
    return bursts.read_from_us(start_us, _rules(change))


def find(events: Iterable[Event], start_us: int, change: Change) -> Flags:
    """`events`: those with symptoms from `read_from_us` on, network by network, each in the order of time."""
    newly, no_longer = [], []
    widest_us = bursts.widest_window_us(_rules(change))
    for network, of_network in groupby(events, key=attrgetter("network")):
        if network == UNKNOWN:  # never flagged
            continue
        before, after = (_from(start_us, table) for table in zip(*_hours(of_network, widest_us, change), strict=True))
        if _is_flagged(after) and not _is_flagged(before):
            newly.append(after)
        if _is_flagged(before) and not _is_flagged(after):
            no_longer.append(before)
    return Flags(tuple(newly), tuple(no_longer))


def _hours(of_network: Iterable[Event], widest_us: int, change: Change) -> Iterator[tuple[list[Finding], ...]]:
    """What each hour comes to under either table. Memory holds an hour and the widest window before it."""
    recent: list[Event] = []
    for hour_us, of_hour in groupby(of_network, key=attrgetter("hour_us")):
        recent = [event for event in recent if event.at_us > hour_us - widest_us] + _looked_at(of_hour)
        yield tuple(bursts.find(recent, table.rules, hour_us) for table in (change.present, change.proposed))


def _looked_at(of_hour: Iterator[Event]) -> list[Event]:
    """As many rows of an hour as live detection looks at. A flood is cut as it comes, never held as a whole."""
    kept: list[Event] = []
    while some := list(islice(of_hour, 2 * READ_BACK)):
        kept = list(bursts.earliest([*kept, *some]))
    return kept


def _from(start_us: int, hours: Iterable[list[Finding]]) -> Found:
    return tuple(finding for hour in hours for finding in hour if finding.last_seen_us >= start_us)


def _is_flagged(findings: Found) -> bool:
    """As cases are opened: one finding of medium severity or more."""
    return any(finding.severity.rank >= Severity.MEDIUM.rank for finding in findings)


def _rules(change: Change) -> Sequence[Rule]:
    return (*change.present.rules, *change.proposed.rules)
