"""Events and findings to test with: what a value does not say is harmless."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from ip_tracking.detection.finding import Finding, Severity
from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import Event, floor_hour, to_us
from ip_tracking.record.message import Message, pack
from ip_tracking.record.storage import store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ATTACKER = "203.0.113.9"

_serial = count(1)


def event(at: datetime = NOON, network: str = ATTACKER, **fields: Any) -> Event:
    values = {
        "request_id": f"request-{next(_serial)}",
        "address": network.replace("::/64", "::1"),
        "method": "GET",
        "path": "/",
        "route": "home",
        "status": 200,
    }
    return Event(at_us=to_us(at), network=network, **(values | fields))


def failed_login(at: datetime = NOON, network: str = ATTACKER, account: str = "ada", **fields: Any) -> Event:
    values = {"method": "POST", "path": "/login", "route": "login", "kind": "login", "status": 401}
    return event(at, network, account=account, outcome="login_failed", **(values | fields))


def good_login(at: datetime = NOON, network: str = ATTACKER, account: str = "ada") -> Event:
    return failed_login(at, network, account, status=200)._replace(outcome="login_ok")


def guessing(at: datetime = NOON, network: str = ATTACKER, times: int = 10) -> list[Event]:
    """A machine's failed logins, one a second: from ten on the rule login-brute-force is met."""
    return [failed_login(at + timedelta(seconds=second), network) for second in range(times)]


def finding(
    rule: str = "login-brute-force",
    network: str = ATTACKER,
    severity: Severity = Severity.HIGH,
    first: datetime = NOON,
    seconds: int = 9,
    **fields: Any,
) -> Finding:
    last = first + timedelta(seconds=seconds)
    values = {
        "hour_us": floor_hour(to_us(last)),
        "count": 10,
        "threshold": 10,
        "window_s": 300,
        "evidence": (failed_login(first, network),),
    }
    return Finding(
        network=network,
        rule=rule,
        severity=severity,
        first_seen_us=to_us(first),
        last_seen_us=to_us(last),
        **(values | fields),
    )


def stored(*events: Event, at: datetime = NOON + timedelta(minutes=30)) -> None:
    """Puts events into the log as a worker does, and no further."""
    batch_id, _ = batch(*events)
    store(batch_id, list(events), symptoms_of, at)


def batch(*events: Event) -> tuple[str, Message]:
    """A batch as it is sent: its id and its message."""
    return str(uuid4()), pack(list(events))
