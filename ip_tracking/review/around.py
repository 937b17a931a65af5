"""Cases next door: one attacker often holds more than one address of a range."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

from django.db.models import Count, Window

from ip_tracking.models import SuspiciousIP

# What providers hand out together, by IP version.
RANGE = {4: 24, 6: 48}

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Around:
    network: str  # the range around the case
    worst: list[SuspiciousIP]
    cases: int  # how many there are besides this one


def around(case: SuspiciousIP) -> Around:
    """One query: the worst few, and with each of them how many there are."""
    network = range_of(case.network)
    others = SuspiciousIP.objects.overlapping(network).exclude(pk=case.pk)
    worst = list(others.annotate(of=Window(Count("pk")))[:SHOWN])
    return Around(network, worst, worst[0].of if worst else 0)  # type: ignore[attr-defined]  # annotated above


def range_of(network: str) -> str:
    parsed = ip_network(network)
    return str(parsed.supernet(new_prefix=min(RANGE[parsed.version], parsed.prefixlen)))
