"""Decisions on networks that people name themselves, whether there is a case or not. All or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.db import transaction

from ip_tracking.client import holds_proxy, is_loopback, network_of
from ip_tracking.gate import decisions
from ip_tracking.models import Decision, SuspiciousIP
from ip_tracking.review.actions import REASON_CHARS, Action, Actor, NotPossible, apply

# Wider than these a slip of the finger refuses a city.
WIDEST = {4: 24, 6: 48}

DURATION = re.compile(r"(?P<number>[1-9][0-9]{0,3})(?P<unit>[hd])")
HOURS = {"h": 1, "d": 24}
FOR_GOOD = "forever"


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


def decide(
    kind: str, networks: Iterable[str], *, actor: Actor, reason: str, hours: int | None, now: datetime
) -> list[str]:
    """Blocks, throttles or allows all these networks, or raises NotPossible naming every one that may not be.

    A network with a case is blocked through the case, so that its page and its record tell.
    """
    wanted = list(dict.fromkeys(networks))
    if len(reason.strip()) not in REASON_CHARS:
        raise NotPossible(f"Give a reason of {REASON_CHARS.start} to {REASON_CHARS.stop - 1} characters.")
    wrong = [f"{network}: {why}" for network in wanted if (why := _may_not(kind, network, now))]
    if wrong:
        raise NotPossible("Nothing was done. " + " ".join(wrong))
    until = None if hours is None else now + timedelta(hours=hours)
    with transaction.atomic():
        cases = _cases(wanted) if kind == Decision.Kind.BLOCK else {}
        apply(Action.BLOCK, cases.values(), actor=actor, reason=reason, hours=hours, now=now)
        for network in wanted:
            if network not in cases:
                decisions.decide(kind, network, until=until, reason=reason, actor=actor.name, by_person=True, now=now)
    return wanted


def lift(networks: Iterable[str], *, actor: Actor, reason: str, now: datetime) -> dict[str, int]:
    """Ends every decision on exactly these networks, of whatever kind; returns how many stood on each."""
    ended = {}
    with transaction.atomic():
        for network in dict.fromkeys(networks):
            standing = Decision.objects.standing(now).filter(network=network).count()
            cases = _cases([network])
            if cases:
                apply(Action.UNBLOCK, cases.values(), actor=actor, reason=reason, now=now)
            decisions.end(network, now, tuple(Decision.Kind.values))
            ended[network] = standing
    return ended


def _cases(networks: list[str]) -> dict[str, int]:
    return dict(SuspiciousIP.objects.filter(network__in=networks).values_list("network", "pk"))


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
