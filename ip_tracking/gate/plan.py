"""Which limits apply to a request, grouped as the store counts them: one group for each hash tag."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ip_tracking import conf
from ip_tracking.gate.policies import Policy, Rate, table
from ip_tracking.gate.store import Argument


class Limit(NamedTuple):
    """One rate of one policy, and how it is named to the client and in the store."""

    policy: Policy
    rate: Rate
    name: str


class Group(NamedTuple):
    """The limits whose counters share a hash tag, with the script's arguments for them."""

    limits: tuple[Limit, ...]
    args: tuple[Argument, ...]


class Plan(NamedTuple):
    """What applies to a route, kind and method, by what it is counted by."""

    stranger: Group  # by the network: an unknown caller has nothing else
    network: Group  # by the network, for a known caller too
    user: Group  # by the known caller
    account: Group  # by the account that a login names


def group_of(policies: list[Policy]) -> Group:
    limits = tuple(Limit(policy, rate, _name(policy, rate)) for policy in policies for rate in policy.rates)
    args: list[Argument] = []
    for limit in limits:
        enforce = int(limit.policy.mode == "enforce")
        args += [limit.rate.limit, limit.rate.window_us, limit.rate.gather_us, limit.policy.cost, enforce]
    return Group(limits, tuple(args))


def _name(policy: Policy, rate: Rate) -> str:
    return policy.name if len(policy.rates) == 1 else f"{policy.name}-{rate.window_s}s"


def plan_of(policies: list[Policy]) -> Plan:
    by_key = {key: [p for p in policies if p.key == key] for key in ("network", "caller", "account")}
    return Plan(
        stranger=group_of(by_key["network"] + by_key["caller"]),
        network=group_of(by_key["network"]),
        user=group_of(by_key["caller"]),
        account=group_of(by_key["account"]),
    )


@lru_cache(maxsize=4_096)
def plan_for(route: str, kind: str, method: str, logins_at_door: bool) -> Plan:
    """Returns the plan of what passes the door once. `method` must come from a closed set, for the memo's sake."""
    covering = [policy for policy in table() if policy.covers(route, kind, method)]
    return plan_of([policy for policy in covering if logins_at_door or not policy.is_login])


@lru_cache(maxsize=1)
def login_plan() -> Plan:
    """Returns the plan of one `authenticate()`."""
    return plan_of([policy for policy in table() if policy.is_login])


@conf.on_change
def _forget() -> None:
    plan_for.cache_clear()
    login_plan.cache_clear()
