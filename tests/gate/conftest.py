"""Shared by the gate's tests: one caller against one made-up policy, with the clock passed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ip_tracking.event import US
from ip_tracking.gate import limiter
from ip_tracking.gate.plan import Plan, plan_of
from ip_tracking.gate.policies import Policy, parse_policy
from ip_tracking.gate.verdict import Verdict
from ip_tracking.steps import drive

NOON_US = 1_800_000_000 * US


def policy(*rates: str, name: str = "test", **row: Any) -> Policy:
    return parse_policy(name, {"rates": list(rates), "why": "for a test", **row})


class Caller:
    """Asks the real store; `at_s` is the time since noon."""

    def __init__(self, plan: Plan, network: str = "203.0.113.7", user: str | None = None) -> None:
        self.plan, self.network, self.user = plan, network, user

    def ask(self, at_s: float = 0, account: str = "") -> Verdict:
        now_us = NOON_US + round(at_s * US)
        return drive(limiter.admit(self.network, self.user, self.plan, ask=limiter.Ask(account=account), now_us=now_us))

    def passes(self, at_s: float = 0) -> bool:
        return not self.ask(at_s).refused

    def returns(self, verdict: Verdict) -> None:
        drive(limiter.give_back(verdict.quotas))


@pytest.fixture
def caller() -> Callable[..., Caller]:
    def make(*rates: str, network: str = "203.0.113.7", user: str | None = None, **row: Any) -> Caller:
        return Caller(plan_of([policy(*rates, **row)]), network, user)

    return make
