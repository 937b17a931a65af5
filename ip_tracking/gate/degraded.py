"""The store is away: each policy answers for itself, open, closed, or by this process' own small memory."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from ip_tracking.event import US
from ip_tracking.gate.plan import Group, Limit
from ip_tracking.gate.verdict import CLOSED, DEGRADED, OPEN, Quota, Verdict, verdict_of

# Bounds the memory an attacker can make us use: 10,000 counters, each at most REMEMBERED times. A larger limit is held
# to that, and tells no more as left.
COUNTERS = 10_000
REMEMBERED = 1_000

# The slot of a place that is counted here and not in the store.
HERE = -1

# What a 503 for a closed policy says: the breaker tests the store every second, a restart takes a few.
RETRY_AFTER_S = 5


class LocalLimiter:
    """Sliding logs in one process. Each process counts alone, so N processes let N times a limit through: degraded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logs: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, limits: list[tuple[Limit, str]]) -> tuple[Quota, ...]:
        """Counts one request under all the limits, or under none when one refuses."""
        with self._lock:
            now = self._clock()
            logs = [self._log(key, limit, now) for limit, key in limits]
            waits = [self._wait_s(log, limit, now) for log, (limit, _) in zip(logs, limits, strict=True)]
            if not any(waits):
                for log, (limit, _) in zip(logs, limits, strict=True):
                    log.extend([now] * _cost(limit))
        slot = 0 if any(waits) else HERE
        return tuple(
            Quota(limit, key, limit.rate.limit - _most(limit) + len(log), math.ceil(wait * US), 0, slot)
            for (limit, key), log, wait in zip(limits, logs, waits, strict=True)
        )

    def give_back(self, quotas: list[Quota]) -> None:
        """Frees as many places as these took: the newest ones, which are at most a request younger than their own."""
        with self._lock:
            for quota in quotas:
                log = self._logs.get(quota.key, deque())
                for _ in range(min(_cost(quota.limit), len(log))):
                    log.pop()

    def _log(self, key: str, limit: Limit, now: float) -> deque[float]:
        log = self._logs.setdefault(key, deque(maxlen=REMEMBERED))
        self._logs.move_to_end(key)
        if len(self._logs) > COUNTERS:
            self._logs.popitem(last=False)
        while log and log[0] <= now - limit.rate.window_s:
            log.popleft()
        return log

    @staticmethod
    def _wait_s(log: deque[float], limit: Limit, now: float) -> float:
        excess = len(log) + _cost(limit) - _most(limit)
        return 0.0 if excess <= 0 else log[excess - 1] + limit.rate.window_s - now


def _most(limit: Limit) -> int:
    return min(limit.rate.limit, REMEMBERED)


def _cost(limit: Limit) -> int:
    return min(limit.policy.cost, REMEMBERED)


_local = LocalLimiter()


def give_back(quotas: list[Quota]) -> None:
    _local.give_back(quotas)


def answer(group: Group, keys: list[str]) -> Verdict:
    """Returns what the policies of a group say while the store is away."""
    named = [pair for pair in zip(group.limits, keys, strict=True) if pair[0].enforced]
    closed = [limit for limit, _ in named if limit.policy.store_away == CLOSED]
    if closed:
        return Verdict(closed[0].policy.name, RETRY_AFTER_S, (), 0, away=True, missing=CLOSED)
    counted = [pair for pair in named if pair[0].policy.store_away == DEGRADED]
    return verdict_of(_local.admit(counted), 0)._replace(missing=DEGRADED if counted else OPEN)
