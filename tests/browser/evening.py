"""The desk on an evening with attacks of many kinds, found by the real rules: the pictures in the documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ip_tracking import cases
from ip_tracking.detection.bursts import find
from ip_tracking.detection.rules import RULES
from ip_tracking.event import to_us
from ip_tracking.models import SuspiciousIP
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, Order
from tests.simulators.attacks import until_crossing
from tests.simulators.request import events, looked_at, product
from tests.traffic import stored

# Who did what, and how many minutes ago it began.
ATTACKS = (
    ("203.0.113.9", ("credential-stuffing", "sensitive-files"), 95),
    ("203.0.113.77", ("probing", "exploit-attempt"), 40),
    ("2001:db8:4:1::/64", ("login-brute-force",), 62),
    ("198.51.100.20", ("foreign-software",), 12),
    ("198.51.100.91", ("carding",), 130),
    ("203.0.113.140", ("coupon-cracking",), 210),
    ("192.0.2.66", ("crawling",), 25),
    ("198.51.100.7", ("agent-switching", "cache-busting"), 8),
    ("192.0.2.200", ("keeps-hammering",), 33),
)
LEE = Actor(id="8", name="lee")


def evening() -> None:
    """Attacks, a day of other requests from the same networks, and what a colleague did about some of them."""
    now = datetime.now(UTC)
    for network, rules, minutes in ATTACKS:
        for rule in rules:
            _attack(network, rule, now - timedelta(minutes=minutes))
        visits = [product(n * 1_500, "/api/v1/products/nordic-lamp/", user="17" if n % 9 else "") for n in range(55)]
        stored(*events(visits, f"{network}", to_us(now - timedelta(hours=23))), at=now)
    _decide("203.0.113.77", Order(Action.BLOCK, "Exploits, twice this week", hours=24), now)
    _decide("203.0.113.9", Order(Action.COMMENT, "Asked the hoster, no answer yet."), now)


def worst() -> SuspiciousIP:
    evening()
    return SuspiciousIP.objects.get(network="203.0.113.9")


def _attack(network: str, rule: str, start: datetime) -> None:
    sent = looked_at(events(until_crossing(rule), network, to_us(start)))
    sent = [event._replace(request_id=f"{rule}-{event.request_id}") for event in sent]
    stored(*sent, at=datetime.now(UTC))
    cases.file(find(sent, RULES), now=datetime.now(UTC))


def _decide(network: str, order: Order, now: datetime) -> None:
    apply(order, {SuspiciousIP.objects.get(network=network).pk: None}, actor=LEE, now=now)
