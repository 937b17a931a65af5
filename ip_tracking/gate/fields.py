"""How limits are told in header fields. Only here is known how they are spelt: the draft may rename its parameters yet.

draft-ietf-httpapi-ratelimit-headers-11; beside them, where LEGACY_FIELDS says so, the three that came before it.
"""

from __future__ import annotations

from collections.abc import Set
from functools import lru_cache
from typing import NamedTuple

from ip_tracking import conf
from ip_tracking.event import US
from ip_tracking.gate.plan import Limit
from ip_tracking.gate.policies import Rate
from ip_tracking.gate.verdict import Quota

POLICY = "RateLimit-Policy"
STANDING = "RateLimit"
LEGACY = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")

# What a page of another origin must be allowed to read, or its script cannot keep to the limits.
ALWAYS = ("Retry-After", STANDING, POLICY, "X-Request-ID")


class Standing(NamedTuple):
    """How one limit stands, as its caller is told."""

    limit: Limit
    remaining: int
    reset_s: int  # within which no more than `remaining` fit
    refuses: bool


def sent() -> tuple[str, ...]:
    """Returns the names of the fields that an answer may carry."""
    return ALWAYS + (LEGACY if conf.get().legacy_fields else ())


def standings(quotas: tuple[Quota, ...], returned: Set[str] = frozenset()) -> list[Standing]:
    """Returns how the limits stand that may be told; `returned` are the keys whose place was given back since.

    A limit that was asked twice (at the door and by a login) is told once, as it stands worse.
    """
    told: dict[str, Standing] = {}
    for quota in quotas:
        if quota.limit.told:
            standing = _standing(quota, returned)
            other = told.get(quota.limit.name)
            if other is None or _worse(standing) < _worse(other):
                told[quota.limit.name] = standing
    return list(told.values())


def fields_of(told: list[Standing], *, with_remainders: bool) -> dict[str, str]:
    """Returns the fields that tell these limits; without remainders only what holds for everybody."""
    if not told:
        return {}
    fields = {POLICY: ", ".join([_policy_item(standing.limit.name, standing.limit.rate) for standing in told])}
    if with_remainders:
        fields[STANDING] = ", ".join([_standing_item(standing) for standing in told])
        if conf.get().legacy_fields:
            fields |= _legacy(told)
    return fields


@lru_cache(maxsize=1_024)
def _policy_item(name: str, rate: Rate) -> str:
    return f'"{name}";q={rate.limit};w={rate.published_window_s}'


def _standing_item(standing: Standing) -> str:
    return f'"{standing.limit.name}";r={standing.remaining};t={standing.reset_s}'


def _legacy(told: list[Standing]) -> dict[str, str]:
    """They have room for one limit: the refusing one that lasts longest, else the one nearest to its end."""
    refusing = [standing for standing in told if standing.refuses]
    one = max(refusing, key=lambda standing: standing.reset_s) if refusing else min(told, key=_worse)
    return dict(zip(LEGACY, (str(one.limit.rate.limit), str(one.remaining), str(one.reset_s)), strict=True))


def _standing(quota: Quota, returned: Set[str]) -> Standing:
    if quota.key in returned:
        quota = quota.after_return()
    limit = quota.limit
    # What is left, but less than this request costs, is nothing to its caller.
    left = 0 if quota.wait_us else max(0, limit.rate.limit - quota.used)
    effective_us = quota.wait_us or quota.leave_us or limit.rate.window_us
    return Standing(limit, left, -(-effective_us // US), quota.wait_us > 0)


def _worse(standing: Standing) -> tuple[int, int]:
    return standing.remaining, -standing.reset_s
