"""What a person is shown of one server: a reading, and what was counted since an earlier one. Moves no baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from metrics.redis_stats.baseline import Baselines
from metrics.redis_stats.reading import Failure, Reading, read_all
from metrics.redis_stats.window import Counts, window


@dataclass(frozen=True, slots=True)
class Look:
    reading: Reading
    # None: nothing to compare with, or the counters began anew.
    counts: Counts | None
    seconds: float | None
    # What befell the server since the look before, for people.
    note: str = ""


def since_export(urls: Sequence[str], baselines: Baselines, now: datetime) -> list[Look | Failure]:
    """Looks once; what is new since the last export."""
    return [each if isinstance(each, Failure) else _against(each, baselines, now) for each in read_all(urls)]


def _against(reading: Reading, baselines: Baselines, now: datetime) -> Look:
    old = baselines.get(reading.identity)
    if old is None:
        return Look(reading, None, None, "nothing was exported since it began to count")
    counts = window(old.marks, reading.marks)
    note = "" if counts else "its statistics were reset since the last export"
    return Look(reading, counts, (now - old.read_at).total_seconds(), note)


class Watcher:
    """Looks again and again; what is new since its own last look, whoever exports meanwhile."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._last: dict[str, tuple[Reading, float]] = {}
        self._away: set[str] = set()

    def look(self, now_s: float) -> list[Look | Failure]:
        """`now_s` is of a clock that only goes on."""
        return [self._seen(each, now_s) for each in read_all(self._urls)]

    def _seen(self, read: Reading | Failure, now_s: float) -> Look | Failure:
        if isinstance(read, Failure):
            self._away.add(read.name)
            return read
        was_away = read.name in self._away
        self._away.discard(read.name)
        before, at_s = self._last.get(read.name, (None, now_s))
        self._last[read.name] = read, now_s
        if before is None:
            return Look(read, None, None, "it answers again" if was_away else "")
        if before.identity != read.identity:
            return Look(read, None, now_s - at_s, "it was restarted, or another server took its address: counting anew")
        counts = window(before.marks, read.marks)
        note = ("it answers again" if was_away else "") if counts else "its statistics were reset: counting anew"
        return Look(read, counts, now_s - at_s, note)


# Any: what JSON holds.
def as_data(look: Look | Failure) -> dict[str, Any]:
    """Returns a look for programs; ratios are 0 to 1, `null` is what the server does not tell or nobody knows."""
    if isinstance(look, Failure):
        return {"name": look.name, "error": look.reason}
    reading = look.reading
    return {
        "name": reading.name,
        "host": reading.host,
        "port": reading.port,
        "role": reading.role,
        "version": reading.version,
        "uptime_s": reading.uptime_s,
        "lifetime": _counts(reading.lifetime),
        "window": _counts(look.counts) if look.counts else None,
        "window_s": None if look.seconds is None else round(look.seconds, 3),
        "note": look.note,
        "memory_used_bytes": reading.memory_used,
        "memory_max_bytes": reading.memory_max,
        "clients": reading.clients,
        "blocked_clients": reading.blocked_clients,
        "ops_per_second": reading.ops_per_second,
        "keys": reading.keys,
        "ping_s": None if reading.ping_s is None else round(reading.ping_s, 6),
    }


def _counts(counts: Counts) -> dict[str, float | None]:
    return {
        "hits": counts.hits,
        "misses": counts.misses,
        "evicted": counts.evicted,
        "expired": counts.expired,
        "hit_ratio": None if counts.hit_ratio is None else round(counts.hit_ratio, 6),
    }
