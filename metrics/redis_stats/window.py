"""What a server counted between two readings: pure, values in, values out.

A server's counters run since its start, or since CONFIG RESETSTAT set them to zero. Both are found, and nothing is said
of a window that holds one: what was counted before it is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# What a reading keeps to compare the next one with; a name is missing where a server hides its number.
Marks = Mapping[str, int]

COUNTED = ("keyspace_hits", "keyspace_misses", "evicted_keys", "expired_keys")
# These are set to zero by CONFIG RESETSTAT, and each reading adds one to them: its own connection, its own INFO. So one
# that did not grow was reset. With them a reset shows even where lookups have grown past the old numbers since.
GROWS = ("total_connections_received", "info_calls")
# As long as CONFIG RESETSTAT itself took, in microseconds: there from the first one on, and another one each time
# (within what a clock can tell). Redis 7 and Valkey say so, before that there was one number for all of CONFIG.
RESET_STAMP = "resetstat_usec"


@dataclass(frozen=True, slots=True)
class Counts:
    """Each None where the server does not tell it."""

    hits: int | None
    misses: int | None
    evicted: int | None
    expired: int | None

    @property
    def hit_ratio(self) -> float | None:
        """Hits among the lookups, 0 to 1; None where there were none: neither 0 nor 1 would be true."""
        if self.hits is None or self.misses is None or not self.hits + self.misses:
            return None
        return self.hits / (self.hits + self.misses)

    @property
    def miss_ratio(self) -> float | None:
        ratio = self.hit_ratio
        return None if ratio is None else 1 - ratio


def lifetime(marks: Marks) -> Counts:
    """Returns what the server counted since it began to."""
    return _counts(marks)


def window(then: Marks, now: Marks) -> Counts | None:
    """Returns what was counted since; None where the counters began anew in between."""
    if began_anew(then, now):
        return None
    return _counts({name: now[name] - then[name] for name in COUNTED if name in then and name in now})


def began_anew(then: Marks, now: Marks) -> bool:
    """One gap is left: a second reset, as long as the first to the microsecond, and more connections and more INFO
    since it than before it. Then the window is too small by what came before the reset.
    """
    shared = then.keys() & now.keys()
    if any(now[name] < then[name] for name in shared - {RESET_STAMP}):
        return True
    if any(now[name] == then[name] for name in shared.intersection(GROWS)):
        return True
    return now.get(RESET_STAMP) != then.get(RESET_STAMP)


def _counts(numbers: Marks) -> Counts:
    return Counts(*(numbers.get(name) for name in COUNTED))
