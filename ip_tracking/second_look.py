"""Stored rows looked at again: because the rules changed, or because there is a case now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q

from ip_tracking import cases, population
from ip_tracking.detection import bursts
from ip_tracking.detection.finding import Finding, Rule, Severity
from ip_tracking.detection.hourly import HOUR_S, STEADY_REQUESTS
from ip_tracking.detection.rules import RULES
from ip_tracking.detection.table import fingerprint
from ip_tracking.event import floor_hour, to_datetime, to_us
from ip_tracking.examination import find_in_hour, rows_with_symptoms
from ip_tracking.hour import Hour
from ip_tracking.models import RequestLog, SuspiciousIP, SweepMark
from ip_tracking.record.storage import to_event
from metrics import catalogue, emit

# When the rules change, so much of the log is judged by the new ones, oldest hour first, some hours in each sweep.
WINDOW = timedelta(hours=24)
HOURS_AT_ONCE = 6

# New cases whose rows are read together: a campaign opens thousands within an hour.
NETWORKS_AT_ONCE = 200

# How far the judging by changed rules has come, and since when which rules hold: "rules-" and their fingerprint.
PROGRESS = "second-look"
RULES_MARK = "rules-"

CHANGED = f"The last {WINDOW // timedelta(hours=1)} hours of the log are judged by the new ones."


def at_changed_rules(now: datetime, rules: str | None = None) -> int:
    """Judges stored hours by rules that were not there yet when their batches came; returns how many cases changed.

    Symptoms are not: each row keeps those it was stored with. An hour cut short by a crash is judged again.
    """
    since = _changed_at(RULES_MARK + (rules or fingerprint()), now)
    progress = SweepMark.objects.get(name=PROGRESS)
    changed = 0
    for _ in range(HOURS_AT_ONCE):
        if progress.through > since:
            break
        changed += _judge(Hour(to_us(progress.through)), now)
        progress.through += timedelta(hours=1)
        progress.save()
    return changed


@transaction.atomic
def _changed_at(name: str, now: datetime) -> datetime:
    """Since when these rules hold. Where they are new, the look back begins anew; of two sweeps at once, for one."""
    mark, new = SweepMark.objects.get_or_create(name=name, defaults={"through": now})
    if new:
        others, _ = SweepMark.objects.filter(name__startswith=RULES_MARK).exclude(name=name).delete()
        if others:  # else these are the first rules there are
            transaction.on_commit(partial(emit.event, catalogue.RULES_CHANGED, "The rules changed", CHANGED, key=name))
        start = to_datetime(floor_hour(to_us(now - WINDOW)))
        SweepMark.objects.update_or_create(name=PROGRESS, defaults={"through": start})
    return mark.through


def _judge(hour: Hour, now: datetime) -> int:
    """Only files: nobody is refused today for what a rule of today says of yesterday."""
    found = [*find_in_hour(hour.start_us)]
    if hour.end <= now:
        found += [finding for question in population.QUESTIONS for finding in question(hour)]
    return len(cases.file((replace(finding, decides=False) for finding in found), now=now))


def at_new_cases(since: datetime | None, now: datetime, rules: Sequence[Rule] = RULES) -> int:
    """Files what was too little to open a case, for those that have one now; returns how many cases changed.

    So it changes nothing whether a low finding or the case came first.
    """
    low = [rule for rule in rules if rule.severity is Severity.LOW]
    opened = Q(created_at__gte=since) if since else Q()
    networks = list(SuspiciousIP.objects.filter(opened).order_by("pk").values_list("network", flat=True))
    start, end = now - timedelta(days=cases.SCORE_DAYS), to_datetime(floor_hour(to_us(now)))
    changed = 0
    for place in range(0, len(networks), NETWORKS_AT_ONCE):
        some = networks[place : place + NETWORKS_AT_ONCE]
        found = [*_low_bursts(some, start, now, low), *_steady(some, start, end)]
        changed += len(cases.file(found, now=now))
    return changed


def _low_bursts(networks: list[str], start: datetime, end: datetime, rules: Sequence[Rule]) -> Iterator[Finding]:
    for network in networks if rules else ():
        rows = rows_with_symptoms([network], to_us(start), to_us(end))
        yield from bursts.find(map(to_event, rows), rules, since_us=to_us(start))


def _steady(networks: list[str], start: datetime, end: datetime) -> Iterator[Finding]:
    """Most never sent enough within three hours to have a rhythm: one query tells."""
    rule = STEADY_REQUESTS
    sent = RequestLog.objects.requests_by_hour(networks, start, end)
    back = [timedelta(hours=number) for number in range(rule.window_s // HOUR_S)]
    for hour in sorted({hour for hour, _ in sent}):
        busy = [network for network in networks if sum(sent[hour - ago, network] for ago in back) >= rule.threshold]
        if busy:
            yield from population.steady_requests(Hour(to_us(hour)), Q(network__in=busy))
