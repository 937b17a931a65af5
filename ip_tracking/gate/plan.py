"""Which limits apply to a request, grouped as the store counts them: one group for each hash tag."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ip_tracking import conf
from ip_tracking.gate.keys import Reader
from ip_tracking.gate.policies import Policy, Rate, table

# As admit.lua reads it: doubles hold microseconds exactly for the next 200 years.
RATE = struct.Struct(">5d")


class Limit(NamedTuple):
    """One rate of one policy, with what each request would else work out again."""

    policy: Policy
    rate: Rate
    name: str  # to the client and in the store
    enforced: bool  # else in shadow: counted, never refused
    returnable: bool  # only failures count: a good outcome gives the place back
    told: bool  # to the client: its own limit, not an account's that anybody may name


class Group(NamedTuple):
    """The limits whose counters share a hash tag, with the script's arguments for them."""

    limits: tuple[Limit, ...]
    names: str  # of their policies, separated by spaces
    packed: bytes  # admit.lua's ARGV[3]


class Named(NamedTuple):
    """The limits that count by a value in the request, and how to read it."""

    key: str
    read: Reader
    group: Group


class Plan(NamedTuple):
    """What applies to a route, kind and method, by what it is counted by."""

    stranger: Group  # by the network: an unknown caller has nothing else
    network: Group  # by the network, for a known caller too
    user: Group  # by the known caller
    account: Group  # by the account that a login names
    device: Group  # by a device that proved an earlier good login to that account
    named: tuple[Named, ...]  # by values in the request
    policies: frozenset[str]  # the names of all of them


def group_of(policies: list[Policy]) -> Group:
    limits = tuple(limit_of(policy, rate) for policy in policies for rate in policy.rates)
    return Group(limits, " ".join(policy.name for policy in policies), b"".join(_pack(limit) for limit in limits))


def _pack(limit: Limit) -> bytes:
    rate, policy = limit.rate, limit.policy
    return RATE.pack(rate.limit, rate.window_us, rate.gather_us, policy.cost, policy.mode == "enforce")


def limit_of(policy: Policy, rate: Rate) -> Limit:
    return Limit(
        policy,
        rate,
        policy.name_of(rate),
        enforced=policy.mode == "enforce",
        returnable=policy.counts == "failures",
        told=policy.is_told,
    )


def plan_of(policies: list[Policy]) -> Plan:
    def by(*keys: str) -> Group:
        return group_of([policy for policy in policies if policy.key in keys])

    readers = {policy.key: policy.read for policy in policies if policy.read is not None}
    return Plan(
        stranger=by("network", "caller"),
        network=by("network"),
        user=by("caller", "user"),
        account=by("account"),
        device=by("device"),
        named=tuple(Named(key, read, by(key)) for key, read in readers.items()),
        policies=frozenset(policy.name for policy in policies),
    )


@lru_cache(maxsize=4_096)
def plan_for(route: str, kind: str, method: str, logins_at_door: bool, marks: frozenset[str] = frozenset()) -> Plan:
    """Returns the plan of what passes the door once; `marks` are the policies that the view names (@limited).

    `method` must come from a closed set, for the memo's sake.
    """
    return plan_of(at_door(table(), route, kind, method, logins_at_door, marks))


def at_door(
    policies: Iterable[Policy], route: str, kind: str, method: str, logins_at_door: bool, marks: frozenset[str]
) -> list[Policy]:
    """Returns those of a table that what goes there passes once."""
    return [
        policy
        for policy in policies
        if policy.covers(route, kind, method, marks) and (logins_at_door or not policy.is_login or policy.name in marks)
    ]


@lru_cache(maxsize=1)
def login_plan() -> Plan:
    """Returns the plan of one `authenticate()`."""
    return plan_of([policy for policy in table() if policy.is_login])


@lru_cache(maxsize=256)
def plan_named(names: frozenset[str], method: str = "") -> Plan:
    """Returns the plan of these policies alone (for a method); what is off, or in no table, is not among them."""
    return plan_of([policy for policy in table() if policy.name in names and (not method or policy.takes(method))])


@conf.on_change
def _forget() -> None:
    plan_for.cache_clear()
    login_plan.cache_clear()
    plan_named.cache_clear()
