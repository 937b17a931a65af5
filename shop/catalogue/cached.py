"""What is shown to everybody, kept in the cache under the state that it was computed in.

The state is read before the database is. Whoever computes from old rows while somebody commits stores them under a
state that nobody asks for any more. docs/catalogue.md says how old an answer can be.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from django.core.cache import cache
from django.db import connection

from shop.catalogue import generations

Shown = TypeVar("Shown")
Clock = Callable[[], float]

LIFETIME_S = 60.0
# Entries that were made in one second do not all end in one.
JITTER = 0.1
# The first who asks in the last tenth computes anew, while the others are served what there is.
FRESH_PART = 0.9
# Who finds another at work waits for them: longer than any query of the catalogue takes, shorter than patience.
WAIT_S = 0.25
LOOK_EVERY_S = 0.005
# A process that died at work holds nobody up for longer.
LOCK_S = 5


class Entry(NamedTuple):
    # What is shown, of any shape that can be pickled.
    value: Any
    refresh_at: float


def remembered(
    kind: str, name: str, depends_on: Sequence[str], compute: Callable[[], Shown], clock: Clock = time.time
) -> Shown:
    """Returns what `compute` returns, or returned in the same state. `kind` is one of METRICS["CACHE_PREFIXES"]."""
    # Inside a transaction we may see what nobody else ever will.
    state = None if connection.in_atomic_block else generations.state_of(depends_on)
    if state is None:
        return compute()
    key = f"{kind}:{name}:{state}"
    found: Entry | None = cache.get(key)
    if found is None:
        return _computed_by_one(key, compute, clock)
    if clock() >= found.refresh_at and cache.add(_lock(key), 1, LOCK_S):
        return _computed(key, compute, clock)
    value: Shown = found.value
    return value


def _computed_by_one(key: str, compute: Callable[[], Shown], clock: Clock) -> Shown:
    if cache.add(_lock(key), 1, LOCK_S):
        # Who had the lock between our look and now may have stored it.
        found: Entry | None = cache.get(key)
        return _computed(key, compute, clock) if found is None else _unlocked(key, found)
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and cache.get(_lock(key)) is not None:
        time.sleep(LOOK_EVERY_S)
    found = cache.get(key)
    value: Shown = compute() if found is None else found.value
    return value


# `Any`: what is shown, of any shape.
def _unlocked(key: str, found: Entry) -> Any:
    cache.delete(_lock(key))
    return found.value


def _computed(key: str, compute: Callable[[], Shown], clock: Clock) -> Shown:
    """With the lock. Of one that took longer than the lock lasts, the end frees another's: two compute, no harm."""
    try:
        value = compute()
        lifetime_s = LIFETIME_S * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
        cache.set(key, Entry(value, clock() + lifetime_s * FRESH_PART), lifetime_s)
    finally:
        cache.delete(_lock(key))
    return value


def _lock(key: str) -> str:
    return f"catalogue-lock:{key}"
