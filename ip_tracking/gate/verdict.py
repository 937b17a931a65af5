"""The gate's answer: may they pass, and how each limit stands."""

from __future__ import annotations

from typing import NamedTuple

from ip_tracking.event import US
from ip_tracking.gate.plan import Limit

ALLOW = "allow"
BLOCK = "block"
THROTTLE = "throttle"

# What the policies say for a store that is away, from the mildest on; "" where it was there.
OPEN, DEGRADED, CLOSED = ANSWERS = ("open", "degraded", "closed")


class Quota(NamedTuple):
    """How one limit stands after a request."""

    limit: Limit
    key: str
    used: int
    wait_us: int  # 0: this request fitted
    leave_us: int  # until the oldest slot leaves
    slot: int  # where it is counted; 0: not counted, -1: by this process, while the store is away

    def after_return(self) -> Quota:
        """How it stands when the place it took, if it took one, is given back."""
        return self._replace(used=self.used - self.limit.policy.cost, slot=0) if self.slot else self


class Verdict(NamedTuple):
    """May they pass?"""

    refused: str  # "", "block", "throttle", or the name of the first policy that refused
    retry_after_s: int
    quotas: tuple[Quota, ...]
    now_us: int  # the store's clock; 0 while it is away
    away: bool = False  # refused because the store is away and the policy is closed
    asked: tuple[str, ...] = ()  # the policies of each call, separated by spaces
    shadowed: tuple[str, ...] = ()  # what would have refused, had it not been in shadow: policies, "block", "throttle"
    missing: str = ""  # the store was away: which of ANSWERS decided

    @property
    def violated(self) -> list[str]:
        """The limits that refused, each once: a cart may break one for several of its items."""
        return list(dict.fromkeys([q.limit.name for q in self.quotas if q.wait_us and q.limit.enforced]))


def verdict_of(quotas: tuple[Quota, ...], now_us: int) -> Verdict:
    waiting = [quota for quota in quotas if quota.wait_us]
    if not waiting:
        return Verdict("", 0, quotas, now_us)
    refusing = [quota for quota in waiting if quota.limit.enforced]
    if not refusing:
        shadowed = tuple(dict.fromkeys([quota.limit.policy.name for quota in waiting]))
        return Verdict("", 0, quotas, now_us, shadowed=shadowed)
    longest = max(quota.wait_us for quota in refusing)
    return Verdict(refusing[0].limit.policy.name, -(-longest // US), quotas, now_us)


def graver(one: str, other: str) -> str:
    """Returns the answer that says more of two, each "" or one of ANSWERS."""
    return max(one, other, key=("", *ANSWERS).index)


PASSED = Verdict("", 0, (), 0)
