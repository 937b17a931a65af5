"""Does every policy guard something, and is everything sensitive guarded?

A shop's checkout had no limit for months: its route had been renamed, and the policy still named the old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from ip_tracking import conf, decorators
from ip_tracking.auth import logins_at_door
from ip_tracking.gate.policies import EVERYTHING, SHIPPED, Policy, table
from ip_tracking.models import PolicyHour
from ip_tracking.routes import Route, every_route

SENSITIVE_KINDS = frozenset({"login", "payment", "coupon", "registration", "password-reset"})

# What a route is called when it is worth guessing at. One that means something else is given a kind, any kind.
SENSITIVE_NAME = re.compile(
    r"(?:^|[^a-z])(?:log-?[io]n|sign-?in|tokens?|otp|checkout|pay|payments?|coupons?|vouchers?|gift-?cards?|register"
    r"|registration|sign-?up|passwords?(?:-reset)?)(?:[^a-z]|$)",
    re.IGNORECASE,
)

# Staff behind the login, whose pages are named after the shop's models.
ADMIN = "admin:"
ADMIN_LOGIN = "admin:login"

# Where a policy is passed besides its routes.
EVERY_LOGIN = "authenticate()"


class Dead(NamedTuple):
    """A policy that guards nothing."""

    policy: str
    why: str


class Unguarded(NamedTuple):
    """A sensitive route that only a limit for everything holds back."""

    route: str
    kind: str
    why: str


def covered(policy: Policy, routes: Iterable[Route]) -> list[str]:
    """Returns the names of what a policy covers: routes, "*" for everything, and every login."""
    if EVERYTHING in policy.routes:
        return [EVERYTHING]
    names = [route.name for route in routes if _covers(policy, route)]
    return [*names, EVERY_LOGIN] if policy.is_login and not logins_at_door() else names


def dead() -> list[Dead]:
    """Returns the policies that guard nothing as the URLconf stands, or name something that is gone."""
    routes = every_route()
    names = {route.name for route in routes}
    found = []
    for policy in table():
        gone = sorted(policy.routes - names - {EVERYTHING})
        if gone:
            found.append(Dead(policy.name, f"It names {', '.join(map(repr, gone))}, which the URLconf does not have."))
        elif not covered(policy, routes) and not _is_unused(policy) and policy.name not in decorators.used:
            found.append(Dead(policy.name, f"It covers no route{_by_what(policy)}."))
    return found


def quiet(now: datetime) -> list[Dead]:
    """Returns the policies that no request met for IP_TRACKING["DEAD_AFTER_DAYS"], though they are older than that."""
    days = conf.get().dead_after_days
    since = now - timedelta(days=days)
    asked, known = PolicyHour.objects.evaluated_since(since), PolicyHour.objects.known_before(since)
    return [
        Dead(policy.name, f"It was not asked once in {days} days.")
        for policy in table()
        if policy.name in known and not asked.get(policy.name) and not _is_unused(policy)
    ]


def unguarded() -> list[Unguarded]:
    """Returns the sensitive routes that no policy of their own guards; one in shadow does not."""
    kinds = conf.get().kinds
    guards = [policy for policy in table() if policy.mode == "enforce" and EVERYTHING not in policy.routes]
    found = []
    for route in every_route():
        kind = kinds.get(route.name, "")
        if any(_covers(policy, route) for policy in guards):
            continue
        if kind in SENSITIVE_KINDS:
            found.append(Unguarded(route.name, kind, f"No policy of its own enforces anything on kind {kind!r}."))
        elif not kind and _looks_sensitive(route):
            found.append(Unguarded(route.name, "", "It sounds sensitive and has no policy of its own, and no kind."))
    return found


def _covers(policy: Policy, route: Route) -> bool:
    kind = conf.get().kinds.get(route.name, "")
    method = next(iter(policy.methods), "GET")
    return policy.covers(route.name, kind, method, decorators.every_mark_of(route.view))


def _is_unused(policy: Policy) -> bool:
    """A shipped row as it came, for a kind that this project does not have, waits for one."""
    settings = conf.get()
    untouched = policy.name in SHIPPED and policy.name not in settings.policies
    return untouched and not policy.kinds & set(settings.kinds.values())


def _by_what(policy: Policy) -> str:
    if policy.kinds:
        return f" of kind {', '.join(sorted(policy.kinds))}, as KINDS has it"
    return f': name some, write "routes": ["*"] for all, or put @limited("{policy.name}") on a view'


def _looks_sensitive(route: Route) -> bool:
    if route.name.startswith(ADMIN):
        return route.name == ADMIN_LOGIN
    return SENSITIVE_NAME.search(route.name) is not None or SENSITIVE_NAME.search(route.path) is not None
