"""Counting: which counters a request touches, one round trip for each hash tag, and what came back.

Everything that waits is yielded as a `Call`, so that the sync and the async door share this code.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.http import HttpRequest

from ip_tracking import conf
from ip_tracking.gate import degraded
from ip_tracking.gate.keys import tag_of
from ip_tracking.gate.plan import Group, Plan, group_of
from ip_tracking.gate.policies import table
from ip_tracking.gate.scripts import ADMIT, GIVE_BACK, Argument
from ip_tracking.gate.store import Call
from ip_tracking.gate.verdict import BLOCK, Quota, Verdict, graver, verdict_of


class Ask(NamedTuple):
    """What is asked about besides the caller: a login's account and device, or the request that names values."""

    account: str = ""
    device: str = ""
    request: HttpRequest | None = None
    arguments: Mapping[str, Any] = {}  # of the route
    inside: bool = False  # the view: the door asked for a decision already


NOTHING = Ask()

PER_RATE = 4  # values in admit.lua's reply for each rate, after the first three

BLOCKED = BLOCK.encode()

DECISION = "decision"


def admit(
    network: str, user: str | None, plan: Plan, *, ask: Ask = NOTHING, now_us: int | None = None
) -> Generator[Call, Any, Verdict]:
    """Takes a place under every limit of the plan, or none: one call for each hash tag, while they pass.

    `now_us`: event time, for replays and tests; the store's own clock where it is None, so that hosts whose clocks
    differ cannot widen a limit.
    """
    quotas: tuple[Quota, ...] = ()
    asked: tuple[str, ...] = ()
    shadowed: tuple[str, ...] = ()
    missing = ""
    at_us = 0
    now: int | str = "" if now_us is None else now_us
    known = int(bool(user))
    for tag, group in _groups(network, user, plan, ask):
        counters, keys = _keys(tag, group)
        reply = yield Call(ADMIT, keys, [now, known, group.packed, 0])
        verdict = degraded.answer(group, counters) if reply is None else read_reply(reply, group, counters, known)
        asked += (group.names,)
        if verdict.missing:
            missing = graver(missing, verdict.missing)
        if verdict.refused:
            yield from give_back(quotas)
            returned = tuple([quota.after_return() for quota in quotas])
            return verdict._replace(quotas=returned + verdict.quotas, asked=asked, missing=missing)
        quotas += verdict.quotas
        shadowed += verdict.shadowed
        at_us = verdict.now_us
    return Verdict("", 0, quotas, at_us, asked=asked, shadowed=shadowed, missing=missing)


def peek(
    network: str, user: str | None, plan: Plan, *, now_us: int | None = None
) -> Generator[Call, Any, tuple[Quota, ...]]:
    """Returns how the caller's own limits stand, and counts nothing; () while the store is away or a decision stands.

    In each quota `used` is without this request, and `wait_us` how long until one would fit.
    """
    quotas: tuple[Quota, ...] = ()
    now: int | str = "" if now_us is None else now_us
    known = int(bool(user))
    for tag, group in _groups(network, user, plan, NOTHING):
        counters, keys = _keys(tag, group)
        reply = yield Call(ADMIT, keys, [now, known, group.packed, 1])
        quotas += () if reply is None else read_reply(reply, group, counters, known).quotas
    return quotas


def _groups(network: str, user: str | None, plan: Plan, ask: Ask) -> Iterator[tuple[str, Group]]:
    """What is counted together, by hash tag: the network first, whose tag alone can hold a decision."""
    own = plan.network if user else plan.stranger
    if own.limits or not ask.inside:
        yield f"n:{network}", own
    if user and plan.user.limits:
        yield f"u:{user}", plan.user
    if ask.device and plan.device.limits:
        # A proof of an earlier good login: what strangers did to the account does not bind its owner.
        yield f"d:{ask.device}", plan.device
    elif ask.account and plan.account.limits:
        yield f"a:{ask.account}", plan.account
    # Not before the others passed: reading a body costs more than they do. Each value is a round trip, MOST_VALUES in
    # all; spellings of one value are one.
    for named in plan.named:
        values = named.read(ask.request, ask.arguments) if ask.request else ()
        for tag in dict.fromkeys(tag_of(named.key, value) for value in values):
            yield tag, named.group


def _keys(tag: str, group: Group) -> tuple[list[str], list[str]]:
    """Returns the counters of a group, and all keys of its call."""
    prefix = f"{conf.get().key_prefix}:{{{tag}}}:"
    counters = [prefix + limit.name for limit in group.limits]
    return counters, [prefix + DECISION, *counters] if tag.startswith("n:") else counters


def give_back(quotas: Iterable[Quota]) -> Generator[Call, Any, None]:
    """Frees the places these quotas took, each at most once: nothing here is ever sent again."""
    quotas = tuple(quotas)
    here = [quota for quota in quotas if quota.slot == degraded.HERE]
    if here:
        degraded.give_back(here)
    taken = [quota for quota in quotas if quota.slot > 0]
    for tag in dict.fromkeys(_tag(quota.key) for quota in taken):
        mine = [quota for quota in taken if _tag(quota.key) == tag]
        args: list[Argument] = []
        for quota in mine:
            args += [quota.slot, quota.limit.policy.cost]
        yield Call(GIVE_BACK, [quota.key for quota in mine], args)


def read_reply(reply: list[Any], group: Group, keys: list[str], known: int) -> Verdict:
    """Turns admit.lua's reply into a verdict."""
    now_us, decision = reply[0], reply[1]
    if decision and (decision == BLOCKED or not known):
        return Verdict(decision.decode(), max(1, -(-reply[2] // 1_000)), (), now_us)
    quotas = tuple(
        [
            Quota(limit, keys[place], *reply[3 + place * PER_RATE : 3 + (place + 1) * PER_RATE])
            for place, limit in enumerate(group.limits)
        ]
    )
    return verdict_of(quotas, now_us)


def decision_key(network: str) -> str:
    """Where the store keeps the decision on an exact network: beside that network's counters."""
    return f"{conf.get().key_prefix}:{{n:{network}}}:{DECISION}"


def counters_of(tag: str) -> list[str]:
    """Every key that a tag (n:network, u:user, a:account) can have under the policies in force, and some it cannot."""
    return _keys(tag, group_of(list(table())))[0]


def _tag(key: str) -> str:
    return key[key.index("{") : key.index("}")]
