"""What a replay found, as a program and as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ip_tracking.detection.finding import Severity
from ip_tracking.event import Event, to_datetime
from ip_tracking.models import RequestLog
from ip_tracking.replay.changes import Change
from ip_tracking.replay.flags import Flags, Found
from ip_tracking.replay.refusals import EXAMPLES, Hit, Refusals
from ip_tracking.visible import visible

REQUEST_CHARS = 100
NETWORKS_SHOWN = 20  # on each side, in the table; JSON has all
NETWORKS_AT_ONCE = 1_000  # asked of a database that takes no endless lists

NOBODY = {"requests": 0, "users": 0, "good_payments": 0}
SIDES = {
    "newly_refused": "newly refused",
    "newly_flagged": "newly flagged",
    "no_longer": "no longer",
}

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tried:
    """One replay: what was tried, on which requests, and what came of it."""

    change: Change
    start_us: int
    end_us: int
    rows: int
    seconds: float
    refusals: Refusals
    flags: Flags


def report(tried: Tried) -> Report:
    newly, no_longer = tried.refusals.newly, tried.refusals.no_longer
    return {
        "from": to_datetime(tried.start_us).isoformat(),
        "to": to_datetime(tried.end_us).isoformat(),
        "rows": tried.rows,
        "seconds": round(tried.seconds, 3),
        "rows_per_second": round(tried.rows / tried.seconds),
        "rules": {
            "newly_flagged": _flagged(tried, tried.flags.newly),
            "no_longer": _flagged(tried, tried.flags.no_longer),
        },
        "policies": {
            name: {"newly_refused": _hit(newly.get(name, Hit())), "no_longer": _hit(no_longer.get(name, Hit()))}
            for name in dict.fromkeys([*tried.change.policies, *newly, *no_longer])
        },
        "notes": list(_notes(tried.change, tried.refusals)),
    }


def lines(report: Report) -> Iterator[str]:
    yield (
        f"{report['rows']:,} requests from {_minute(report['from'])} to {_minute(report['to'])} UTC, "
        f"replayed in {report['seconds']:.1f} s ({report['rows_per_second']:,} a second)"
    )
    for name, sides in report["policies"].items():
        yield f"policy {name}"
        for side, hit in sides.items():
            yield from _refused_lines(SIDES[side], hit)
    yield "rules"
    for side, flagged in report["rules"].items():
        yield from _flagged_lines(SIDES[side], flagged)
    for note in report["notes"]:
        yield f"note: {note}"


def _hit(hit: Hit) -> Report:
    return {
        "requests": hit.requests,
        "networks": len(hit.networks),
        "users": len(hit.users),
        "good_payments": hit.good_payments,
        "examples": [
            {
                "at": event.at.isoformat(),
                "request_id": event.request_id,
                "network": event.network,
                "user": event.user,
                "request": _request(event),
            }
            for event in hit.examples
        ],
    }


def _flagged(tried: Tried, found: tuple[Found, ...]) -> list[Report]:
    log = RequestLog.objects.between(to_datetime(tried.start_us), to_datetime(tried.end_us))
    networks = [findings[0].network for findings in found]
    people: dict[str, dict[str, int]] = {}
    for place in range(0, len(networks), NETWORKS_AT_ONCE):
        people |= log.people(networks[place : place + NETWORKS_AT_ONCE])
    return [_flag(findings, people.get(findings[0].network, NOBODY)) for findings in found]


def _flag(findings: Found, people: dict[str, int]) -> Report:
    telling = [finding for finding in findings if finding.severity.rank >= Severity.MEDIUM.rank]
    worst = max(telling, key=lambda finding: finding.severity.rank)
    return {
        "network": worst.network,
        "rules": sorted({finding.rule for finding in telling}),
        "severity": worst.severity.value,
        "count": worst.count,
        "first_seen": to_datetime(min(finding.first_seen_us for finding in telling)).isoformat(),
        "last_seen": to_datetime(max(finding.last_seen_us for finding in telling)).isoformat(),
        **people,
        "examples": [_request(event) for event in worst.evidence[:EXAMPLES]],
    }


def _notes(change: Change, refusals: Refusals) -> Iterator[str]:
    """What the log does not know, and the numbers do not say."""
    if change.rules:
        yield "Rules are tried on symptoms as they were stored: crawling and those that the hourly sweep asks are not."
    if not change.policies:
        return
    yield from (f"Left out of both tables: {why}." for why in change.unknowable)
    if any(policy.key == "account" for policy in change.proposed.policies):
        yield "Which device had signed in to its account before is not known: all are held by their account."
    yield "Whom only a session showed is that user here; at the door they were a stranger of their network."
    for policy in change.proposed.policies:
        if policy.name in change.policies and policy.mode == "shadow":
            yield f'Policy {policy.name!r} is in shadow and refuses nobody: try it with "mode": "enforce".'
    if refusals.unreached:
        yield (
            f"{refusals.unreached:,} requests had been refused by a limit before their view: what would have come of "
            "them is not known, and they are replayed as failures."
        )
    if refusals.decided:
        yield f"{refusals.decided:,} requests that a block or throttle refused are left out: it stands before limits."
    if refusals.allowed:
        yield f"{refusals.allowed:,} requests of networks that are allowed now are left out."


def _refused_lines(side: str, hit: Report) -> Iterator[str]:
    if not hit["requests"]:
        yield f"  {side}: nobody"
        return
    yield f"  {side}: {hit['requests']:,} requests, {hit['networks']:,} networks, {_people(hit)}"
    for example in hit["examples"]:
        user = f" (user {visible(example['user'])})" if example["user"] else ""
        yield f"    {example['at'][:19]} {example['network']}{user} {visible(example['request'], REQUEST_CHARS)}"


def _flagged_lines(side: str, flagged: list[Report]) -> Iterator[str]:
    yield f"  {side}: " + (f"{len(flagged):,} networks" if flagged else "nobody")
    for flag in flagged[:NETWORKS_SHOWN]:
        yield (
            f"    {flag['network']} {flag['severity']}: {', '.join(flag['rules'])} ({flag['count']}); "
            f"{flag['requests']:,} requests, {_people(flag)}"
        )
    if len(flagged) > NETWORKS_SHOWN:
        yield f"    and {len(flagged) - NETWORKS_SHOWN:,} more: --format json has all"


def _people(counts: Report) -> str:
    return f"{counts['users']:,} known users, {counts['good_payments']:,} good payments"


def _request(event: Event) -> str:
    query = f"?{event.query}" if event.query else ""
    return f"{event.method} {event.path}{query} {event.status}".lstrip()


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
