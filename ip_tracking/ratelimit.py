"""django-ratelimit's decorator refuses like the gate. Its three settings point here:

RATELIMIT_IP_META_KEY = "ip_tracking.ratelimit.client_address"
RATELIMIT_USE_CACHE = the alias of a cache that survives a dead Redis (metrics.cache.RedisCache)
RATELIMIT_EXCEPTION_CLASS = "ip_tracking.ratelimit.Limited"
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

from django.http import HttpRequest
from django_ratelimit.core import get_usage
from django_ratelimit.exceptions import Ratelimited

from ip_tracking.client import UNKNOWN, identify
from ip_tracking.event import US
from ip_tracking.gate.degraded import RETRY_AFTER_S
from ip_tracking.gate.plan import limit_of
from ip_tracking.gate.policies import NAME_CHARS, Policy, Rate
from ip_tracking.gate.verdict import Quota, Verdict

# What its keys mean in our words. Any other key may be somebody else's: what is left of it is not told.
OUR_KEYS = {"ip": "network", "user": "user", "user_or_ip": "caller"}

UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

# Somebody raised its exception by hand, and when to come back is not known.
UNKNOWN_WAIT_S = 60

# Its addresses must be addresses: all clients that have none share this one.
NO_ADDRESS = "0.0.0.0"  # noqa: S104 - a key, nothing listens


class Limited(Exception):
    """Stands in for Ratelimited, which is a PermissionDenied: REST framework would answer it with a 403 of its own."""


def client_address(request: HttpRequest) -> str:
    """The client as the door knows it: no forged header, and an IPv4-mapped address is the IPv4 address."""
    address = identify(request).address
    return NO_ADDRESS if address == UNKNOWN else address


def verdict_of(exception: BaseException, route: str) -> Verdict | None:
    """Returns what a refusal of the decorator says, named for the route; None for any other exception.

    The exception itself carries nothing: the decorator's own frame, which raised it, knows the rate and the key.
    """
    if not isinstance(exception, (Limited, Ratelimited)):
        return None
    name = re.sub(r"[^a-z0-9]+", "-", route.lower()).strip("-")[:NAME_CHARS] or "ratelimit"
    asked = _asked(exception.__traceback__)
    usage = get_usage(**asked, increment=False) if asked else None
    if usage is None:
        return _refusal(name, Rate(0, UNKNOWN_WAIT_S), "", UNKNOWN_WAIT_S)
    if not usage["should_limit"] or usage["time_left"] < 0:
        # It refused, and no count says why: its cache is away, and it was told to refuse then. (Or its window ended
        # within these microseconds.)
        return Verdict(name, RETRY_AFTER_S, (), 0, away=True)
    wait_s = usage["time_left"] + 1  # its window holds the second that ends it
    window_s = _window_s(asked["rate"])
    # A rate that a function chose may be another one next time: its window is not known.
    key = OUR_KEYS.get(asked["key"], "") if window_s else ""
    return _refusal(name, Rate(usage["limit"], window_s or wait_s), key, wait_s)


def _asked(traceback: TracebackType | None) -> dict[str, Any]:
    """The arguments of the decorator that raised; {} where somebody else raised its exception."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None or traceback.tb_frame.f_globals.get("__name__") != "django_ratelimit.decorators":
        return {}
    known = traceback.tb_frame.f_locals
    return {name: known[name] for name in ("request", "group", "fn", "key", "rate", "method")}


def _refusal(name: str, rate: Rate, key: str, wait_s: int) -> Verdict:
    limit = limit_of(Policy(name, (rate,), why="The view's own decorator.", key=key), rate)
    return Verdict(name, wait_s, (Quota(limit, "", rate.limit, wait_s * US, wait_s * US, 0),), 0)


def _window_s(rate: object) -> int:
    """The seconds of "5/m", "100/10m" or (5, 60); 0 for a function's."""
    if isinstance(rate, tuple):
        return int(rate[1])
    match = re.match(r"\d+/(\d*)([smhd])?", rate) if isinstance(rate, str) else None
    return int(match[1] or 1) * UNIT_S[(match[2] or "s")] if match else 0
