"""Clients of made-up kinds for the proofs: they keep a log of their own, and ask the real store by a clock of ours."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ip_tracking.event import US
from ip_tracking.gate import limiter, store
from ip_tracking.gate.plan import Plan, plan_of
from ip_tracking.gate.scripts import ADMIT
from ip_tracking.gate.verdict import Quota, Verdict
from ip_tracking.steps import drive
from tests.gate.conftest import NOON_US, policy

_numbers = itertools.count(1)


def plan_costing(rates: Iterable[str], cost: int) -> Plan:
    """One policy for each rate. Plans that differ in their cost alone share their counters."""
    return plan_of([policy(rate, name=f"rate-{place}", cost=cost) for place, rate in enumerate(rates)])


class Network:
    """A network that nobody else has, alone on its keys."""

    def __init__(self) -> None:
        self.name = f"proof-{next(_numbers)}"

    def ask(self, plan: Plan, now_us: int) -> Verdict:
        return drive(limiter.admit(self.name, None, plan, now_us=now_us))

    def look(self, plan: Plan, now_us: int) -> tuple[Quota, ...]:
        return drive(limiter.peek(self.name, None, plan, now_us=now_us))

    def give_back(self, verdict: Verdict) -> None:
        drive(limiter.give_back(verdict.quotas))

    def ask_often(self, plan: Plan, moments_us: Iterable[int]) -> Iterator[Verdict]:
        """The same for many: a thousand calls of the very script in one round trip."""
        client = store.get().client
        client.script_load(ADMIT.source)
        moments = iter(moments_us)
        while chunk := [limiter.admit(self.name, None, plan, now_us=at) for at in itertools.islice(moments, 1_000)]:
            pipe = client.pipeline(transaction=False)
            for steps in chunk:
                call = next(steps)
                pipe.evalsha(call.script.sha, len(call.keys), *call.keys, *call.args)
            for steps, reply in zip(chunk, pipe.execute(), strict=True):
                yield _finish(steps, reply)


def _finish(steps: object, reply: object) -> Verdict:
    try:
        steps.send(reply)
    except StopIteration as done:
        return done.value
    raise AssertionError("one call should be all")


@dataclass
class Clock:
    """The true time since noon, and the store's clock, which shows it but is set back now and then."""

    true_us: int = 0
    behind_us: int = 0

    @property
    def shows_us(self) -> int:
        return NOON_US + self.true_us - self.behind_us


@dataclass
class Window:
    """At most `quota` in any `window_us`, as a client keeps it: from its own log."""

    quota: int
    window_us: int
    held: int = 0
    sent: deque[tuple[int, int]] = field(default_factory=deque)  # when, cost

    def earliest_us(self, now_us: int, cost: int) -> int:
        """When a request of this cost may be sent: now, or later."""
        while self.sent and self.sent[0][0] <= now_us - self.window_us:
            self.held -= self.sent.popleft()[1]
        excess = self.held + cost - self.quota
        for sent_us, sent_cost in self.sent:
            if excess <= 0:
                break
            excess -= sent_cost
            now_us = sent_us + self.window_us
        return now_us

    def note(self, now_us: int, cost: int) -> None:
        self.sent.append((now_us, cost))
        self.held += cost


def published(plan: Plan, allowance_us: int = 0) -> list[Window]:
    """The windows a client reads in RateLimit-Policy, each longer by an allowance of its own."""
    rates = [limit.rate for limit in plan.stranger.limits]
    return [Window(rate.limit, rate.published_window_s * US + allowance_us) for rate in rates]
