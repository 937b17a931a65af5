"""Decisions on networks that people name themselves, whether there is a case or not. All or nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.db import transaction

from ip_tracking.client import holds_proxy, is_loopback, network_of
from ip_tracking.gate import decisions
from ip_tracking.models import Decision, SuspiciousIP
from ip_tracking.models.decisions import AGAINST
from ip_tracking.review import events
from ip_tracking.review.actions import apply
from ip_tracking.review.actor import Actor
from ip_tracking.review.order import Action, NotPossible, Order, read_reason

# Wider than these a slip of the finger refuses a city.
WIDEST = {4: 24, 6: 48}

DURATION = re.compile(r"(?P<number>[1-9][0-9]{0,3})(?P<unit>[hd])")
HOURS = {"h": 1, "d": 24}
FOR_GOOD = "forever"

# How long a person's block stands where nobody says: until tomorrow's shift has seen it.
FIRST_HOURS = 24


def read_network(text: str) -> str:
    """Returns an address or CIDR as decisions name it: an IPv6 address stands for its /64.

    Raises NotPossible for anything else.
    """
    try:
        parsed = ip_network(text.strip())
    except ValueError as error:
        raise NotPossible(f"{text.strip()!r} is no network ({error}); write 203.0.113.7 or 203.0.113.0/24") from error
    is_one_client = parsed.prefixlen >= (32 if parsed.version == 4 else 64)
    return network_of(str(parsed.network_address)) if is_one_client else str(parsed)


def read_duration(text: str) -> int | None:
    """Returns the hours of "12h" or "7d", None for "forever"; raises NotPossible for anything else."""
    if text == FOR_GOOD:
        return None
    match = DURATION.fullmatch(text)
    if match is None:
        raise NotPossible(f"{text!r} is no time; write 1h, 24h, 7d or {FOR_GOOD}")
    return int(match["number"]) * HOURS[match["unit"]]


def usual_hours(kind: str, networks: Iterable[str], now: datetime) -> dict[str, int | None]:
    """Returns how long each network is blocked or throttled where nobody says: a day, doubled where it came back."""
    day = timedelta(hours=FIRST_HOURS)
    if kind == Decision.Kind.ALLOW:
        return dict.fromkeys(networks, FIRST_HOURS)
    return {network: decisions.term(network, day, now) // timedelta(hours=1) for network in networks}


def rails(kind: str, networks: Iterable[str], now: datetime) -> dict[str, str]:
    """Returns those of the networks that may not be decided against, each with why."""
    return {network: why for network in networks if (why := _may_not(kind, network, now))}


def decide(
    kind: str, hours: Mapping[str, int | None], *, actor: Actor, reason: str, now: datetime
) -> list[tuple[str, str]]:
    """Blocks, throttles or allows networks, each for its hours (None: until somebody ends it), or none of them.

    A network with a case is blocked through the case, so that its page and its record tell. Returns what an allow
    lifted: kind and network. Raises NotPossible naming every network that may not be decided against.
    """
    reason = read_reason(reason)
    wrong = rails(kind, hours, now)
    if wrong:
        raise NotPossible("Nothing was done. " + " ".join(f"{network}: {why}" for network, why in wrong.items()))
    with transaction.atomic():
        cases = _cases(hours) if kind == Decision.Kind.BLOCK else {}
        for network, length in hours.items():
            if network in cases:
                order = Order(Action.BLOCK, reason, hours=length, verdict=SuspiciousIP.Verdict.MALICIOUS)
                apply(order, {cases[network]: None}, actor=actor, now=now)
            else:
                until = None if length is None else now + timedelta(hours=length)
                decisions.decide(kind, network, until=until, reason=reason, actor=actor.name, by_person=True, now=now)
                events.decided(kind, via=actor.via, now=now, until=until)
        return _lift_within(hours, actor, reason, now) if kind == Decision.Kind.ALLOW else []


def _lift_within(allowed: Iterable[str], actor: Actor, reason: str, now: datetime) -> list[tuple[str, str]]:
    """Ends what stands against these networks and against each within them; what is wider stays, for the others.

    What a detector decides in the moment between this look and its commit is not seen. It is outranked all the same,
    and ends by itself.
    """
    outer = [ip_network(network) for network in allowed]
    against = Decision.objects.standing(now).filter(kind__in=AGAINST).order_by("network", "kind")
    found = [
        (decision.kind, decision.network)
        for decision in against
        if any(decisions.is_within(ip_network(decision.network), network) for network in outer)
    ]
    _end({network for _, network in found}, actor, reason, now, AGAINST)
    return found


def lift(networks: Iterable[str], *, actor: Actor, reason: str, now: datetime) -> dict[str, int]:
    """Ends every decision on exactly these networks, of whatever kind; returns how many stood on each."""
    with transaction.atomic():
        standing = Counter(Decision.objects.standing(now).values_list("network", flat=True))
        wanted = list(dict.fromkeys(networks))
        _end(wanted, actor, reason, now, tuple(Decision.Kind.values))
    return {network: standing[network] for network in wanted}


def _end(networks: Collection[str], actor: Actor, reason: str, now: datetime, kinds: tuple[str, ...]) -> None:
    """Ends decisions on exactly these networks; where there is a case, its page and its record tell."""
    apply(Order(Action.UNBLOCK, reason), dict.fromkeys(_cases(networks).values()), actor=actor, now=now)
    for network in networks:
        if decisions.end(network, now, kinds):  # what its case did not end, and tell
            events.decided(events.UNBLOCK, via=actor.via, now=now)


def _cases(networks: Iterable[str]) -> dict[str, int]:
    """The cases of these networks, locked in one order: else two who decide about the same ones could wait for ever."""
    cases = SuspiciousIP.objects.select_for_update().filter(network__in=list(networks)).order_by("pk")
    return dict(cases.values_list("network", "pk"))


def _may_not(kind: str, network: str, now: datetime) -> str:
    """Why this network may not be decided against, "" where it may. Allowing harms nobody."""
    parsed = ip_network(network)
    if kind == Decision.Kind.ALLOW:
        return ""
    if parsed.prefixlen < WIDEST[parsed.version]:
        return f"It is wider than /{WIDEST[parsed.version]}."
    if is_loopback(network):
        return "It is this machine itself."
    if holds_proxy(network):
        return "A trusted proxy is in it: everybody behind it would be refused."
    if decisions.is_allowed(network, now):
        return "It is on the allow-list, which outranks this."
    return ""
