"""Events and rules in, findings out.

What is found depends on the set of events alone: their order, how they were cut into batches and how often one was
delivered change nothing. So a redelivered batch, two workers and a replayed log come to the same findings.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter

from ip_tracking.detection.finding import EVIDENCE_ROWS, Finding, Rule
from ip_tracking.detection.habits import CART_ADD, HABITS, PAID
from ip_tracking.detection.symptoms import MISSING_PATH, REFUSED_BY_POLICY, names
from ip_tracking.event import US, Event, floor_hour

# Of each network and hour at most the first so many symptomatic events are looked at, live and in replay alike: else
# every batch of an attacker at full speed would read the whole hour again. By then a case exists: each symptom but a
# missing path has a rule that counts mere requests, and its share of two thousand an hour is past it (a test does the
# sum). A missing path has none, because harmless clients repeat one without end, what our own limits refused comes by
# the thousand, and habits are harmless by themselves: events that show nothing else are counted apart, each symptom in
# a pool of its own, so that nobody hides an attack behind them. (What excuses is counted with what it excuses.)
READ_BACK = 2_000
COUNTED_APART = {symptom: symptom for symptom in (MISSING_PATH, REFUSED_BY_POLICY, *HABITS)} | {PAID: CART_ADD}

# To a rule that counts distinct paths, addresses that differ only in long numbers and identifiers are one: a gallery of
# deleted products is one broken page, not a search. To one that counts distinct pages, numbers are different ones (who
# takes the whole catalogue counts up), identifiers are not: those are thumbnails, which nobody can guess.
_IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|[0-9]{4,}", re.IGNORECASE)
_RANDOM_IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?=[0-9]*[a-f])[0-9a-f]{16,}", re.IGNORECASE)


def find(events: Iterable[Event], rules: Sequence[Rule], since_us: int = 0) -> list[Finding]:
    """One finding for each network, rule and UTC hour, from the hour of `since_us` on."""
    findings: list[Finding] = []
    for _, group in groupby(_in_order(events), key=attrgetter("network")):
        shown = _by_symptom(group)
        for rule in rules:
            if rule.symptom in shown:
                # No window holds more than there are, and most networks show one thing once.
                enough = [events for events in _matching(shown, rule) if len(events) >= rule.threshold]
                findings += _merged(met for events in enough for met in _slide(events, rule, floor_hour(since_us)))
    return findings


def earliest(events: Iterable[Event], most: int = READ_BACK) -> Iterator[Event]:
    """What is looked at: the first `most` of each network and hour, and of each of those that are counted apart."""
    for _, of_hour in groupby(_in_order(events), key=attrgetter("network", "hour_us")):
        seen: Counter[str] = Counter()
        for event in of_hour:
            counter = COUNTED_APART.get(event.symptoms, "")
            seen[counter] += 1
            if seen[counter] <= most:
                yield event


def widest_window_us(rules: Iterable[Rule]) -> int:
    return max((rule.window_s for rule in rules), default=0) * US


def read_from_us(first_us: int, rules: Iterable[Rule]) -> int:
    """From where rows are read to judge events from `first_us` on: whole hours, because READ_BACK counts by hours."""
    return floor_hour(floor_hour(first_us) - widest_window_us(rules))


def _by_symptom(events: Iterable[Event]) -> dict[str, list[Event]]:
    shown: dict[str, list[Event]] = {}
    for event in events:
        for name in names(event.symptoms):
            shown.setdefault(name, []).append(event)
    return shown


def _matching(shown: Mapping[str, list[Event]], rule: Rule) -> Iterable[list[Event]]:
    """What the rule looks at, in order; where it counts for each of something, each by itself."""
    matching = shown[rule.symptom]
    if rule.unless in shown:
        matching = sorted(matching + shown[rule.unless])
    if not rule.each:
        return [matching]
    groups: dict[str, list[Event]] = {}
    for event in matching:
        groups.setdefault(getattr(event, rule.each), []).append(event)
    groups.pop("", None)
    return groups.values()


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """One finding an hour, as cases come to it too: the first offences, and the most that any did."""
    ordered = sorted(findings, key=attrgetter("hour_us", "first_seen_us"))
    for _, group in groupby(ordered, key=attrgetter("hour_us")):
        first, *others = group
        if others:
            every = (first, *others)
            count, last = max(f.count for f in every), max(f.last_seen_us for f in every)
            first = replace(first, count=count, last_seen_us=last)
        yield first


@dataclass(slots=True)
class _Met:
    """One hour in which a rule was met, while its events are being read."""

    hour_us: int
    crossed_us: int
    count: int = 0
    last_seen_us: int = 0
    shown: dict[object, Event] = field(default_factory=dict)  # the evidence by what the rule counts


def _slide(matching: Sequence[Event], rule: Rule, since_us: int) -> Iterator[Finding]:
    """Move the window (t - window, t] over one network's matching events, t being the time of each in turn."""
    counted = _COUNTED[rule.distinct]
    window: deque[tuple[Event, object]] = deque()
    held: Counter[object] = Counter()
    met: _Met | None = None
    for event in matching:
        if rule.unless and rule.unless in names(event.symptoms):
            window.clear()
            held.clear()
            continue
        value = counted(event)
        if value == "":
            continue  # what the rule counts is not known of this event
        window.append((event, value))
        held[value] += 1
        _leave(window, held, event.at_us - rule.window_s * US)
        if len(held) < rule.threshold or event.at_us < since_us:
            continue
        if met is None or met.hour_us != event.hour_us:
            if met:
                yield _finding(met, rule)
            met = _Met(event.hour_us, event.at_us)
        _add(met, window, len(held))
    if met:
        yield _finding(met, rule)


def _leave(window: deque[tuple[Event, object]], held: Counter[object], until_us: int) -> None:
    while window[0][0].at_us <= until_us:
        _, value = window.popleft()
        held[value] -= 1
        if not held[value]:
            del held[value]


def _add(met: _Met, window: deque[tuple[Event, object]], count: int) -> None:
    met.count = max(met.count, count)
    met.last_seen_us = window[-1][0].at_us
    if not met.shown:
        for event, value in window:
            met.shown.setdefault(value, event)
    elif len(met.shown) < EVIDENCE_ROWS:
        event, value = window[-1]
        met.shown.setdefault(value, event)


def _finding(met: _Met, rule: Rule) -> Finding:
    evidence = tuple(met.shown.values())[:EVIDENCE_ROWS]
    return Finding(
        network=evidence[0].network,
        rule=rule.name,
        hour_us=met.hour_us,
        severity=rule.severity,
        count=met.count,
        threshold=rule.threshold,
        window_s=rule.window_s,
        first_seen_us=evidence[0].at_us,
        last_seen_us=met.last_seen_us,
        evidence=evidence,
        rule_version=rule.version,
        decides=rule.decides,
        crossed_us=met.crossed_us,
    )


def _in_order(events: Iterable[Event]) -> list[Event]:
    # The whole event breaks ties, so that of two copies that differ the same one is kept whichever came first.
    return sorted(events, key=lambda event: (event.network, event))


def _path(event: Event) -> str:
    """The path with identifiers made one; not in its first part, where guesses differ and catalogues do not."""
    first, slash, rest = event.path.lstrip("/").partition("/")
    return first + slash + _IDENTIFIER.sub("0", rest)


def _ending(event: Event) -> str:
    """The path, of whatever thing: /products/lamp/reviews and /products/rug/reviews are one call that does not exist,
    made for each thing of a list. Who guesses, guesses the end.
    """
    parts = _path(event).strip("/").split("/")
    if len(parts) > 2:
        parts[-2] = "0"
    return "/".join(parts)


def _page(event: Event) -> str:
    return _RANDOM_IDENTIFIER.sub("0", event.path)


def _query_name(event: Event) -> str:
    return event.query.partition("=")[0]


def _folder(event: Event) -> str:
    """The first part of the path: the whole of it where there is but one."""
    return _path(event).lstrip("/").partition("/")[0] or "/"


# What a rule counts. Requests count by what makes them one, so that a copy of one adds nothing.
_COUNTED: dict[str, Callable[[Event], object]] = {
    "": attrgetter("at_us", "request_id"),
    "path": _path,
    "ending": _ending,
    "page": _page,
    "folder": _folder,
    "query": _query_name,
    "account": attrgetter("account"),
    "user_agent": attrgetter("user_agent"),
}
