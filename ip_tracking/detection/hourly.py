"""The sweep's rules: what no single client shows. Counts over the whole population in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter

from ip_tracking.detection.finding import EVIDENCE_ROWS, Finding, Rule, Severity
from ip_tracking.event import HOUR_US, US, Event

DISTRIBUTED_LOGIN = Rule(
    name="distributed-login",
    title="One account guessed from many networks",
    owasp="OAT-007",
    severity=Severity.MEDIUM,
    symptom="failed-login",
    threshold=10,
    window_s=HOUR_US // US,
    reason="A person fails from home, from the phone and from work: three networks. Ten within an hour share a list.",
    example="Twelve addresses, each with one or two wrong passwords for the same account within an hour.",
    nearest_benign="An owner on trains whose phone changes networks: a network that ever logged in to the account well "
    "is left out.",
)


def distributed_logins(
    hour_us: int, failures: Iterable[Event], networks_by_account: Mapping[str, int], trusted: set[tuple[str, str]]
) -> list[Finding]:
    """One finding for each network that failed on an account which many networks failed on in this hour.

    `failures`: the hour's failed logins on those accounts. `networks_by_account`: how many networks failed on each.
    `trusted`: (network, account) pairs with a good login: the owner, who also mistypes, is nobody's accomplice.
    """
    guilty = sorted(
        (event for event in failures if (event.network, event.account) not in trusted), key=lambda e: (e.network, e)
    )
    return [
        _finding(hour_us, list(events), networks_by_account) for _, events in groupby(guilty, key=attrgetter("network"))
    ]


def _finding(hour_us: int, events: list[Event], networks_by_account: Mapping[str, int]) -> Finding:
    rule = DISTRIBUTED_LOGIN
    return Finding(
        network=events[0].network,
        rule=rule.name,
        hour_us=hour_us,
        severity=rule.severity,
        count=max(networks_by_account[event.account] for event in events),
        threshold=rule.threshold,
        window_s=rule.window_s,
        first_seen_us=events[0].at_us,
        last_seen_us=events[-1].at_us,
        evidence=tuple(events[:EVIDENCE_ROWS]),
        rule_version=rule.version,
    )
