"""Requests for tests, built from what matters in them."""

from __future__ import annotations

from ip_tracking.detection.symptoms import symptoms_of
from ip_tracking.event import US, Event

NOON_US = 1_760_011_200 * US  # 2025-10-09 12:00:00 UTC
HOUR_S = 3_600


def asked(target: str = "/", *, at_s: float = 0, number: int = 0, network: str = "203.0.113.9", **fields) -> Event:
    """A request so many seconds after noon, unless told otherwise a GET that found nothing."""
    path, _, query = target.partition("?")
    known = {"method": "GET", "status": 404, "path": path, "query": query, **fields}
    at_us = NOON_US + int(at_s * US)
    return Event(at_us, f"r{at_us}-{number}", network, network, **known)


def seen(*events: Event) -> list[Event]:
    """The events as the log keeps them: with their symptoms."""
    return [event._replace(symptoms=symptoms_of(event)) for event in events]
