"""How a look at a Redis server is written down for people: a table of 80 columns, or one line."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from metrics.redis_stats.look import Look
from metrics.redis_stats.reading import Failure, Reading
from metrics.redis_stats.window import Counts

WIDTH = 79
HIDDEN = "not told"
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def table(look: Look | Failure, since: str) -> Iterator[str]:
    """Yields the lines about one server; `since` says what its window began with, as "the last export"."""
    if isinstance(look, Failure):
        yield f"{printable(look.name)}   NO NUMBERS"
        yield from wrap(look.reason, WIDTH, initial_indent="  ", subsequent_indent="  ")
        return
    reading = look.reading
    yield "   ".join(filter(None, (printable(reading.name), reading.role, reading.version, _uptime(reading))))
    if look.note:
        yield f"  {look.note}"
    ago = "" if look.seconds is None else f", {look.seconds:,.0f} s"
    yield f"  {'':14}{'since its start':>22}{f'since {since}{ago}':>38}"
    for name, whole, part in zip(ROWS, _cells(reading.lifetime), _cells(look.counts), strict=True):
        yield f"  {name:14}{whole:>22}{part:>38}"
    for name, value in _levels(reading):
        yield from wrap(value, WIDTH, initial_indent=f"  {name:14}", subsequent_indent=" " * 16)


def line(look: Look | Failure) -> str:
    """Returns one server's window in one line, for a pipe."""
    if isinstance(look, Failure):
        return f"{printable(look.name)}  NO NUMBERS: {look.reason}"
    reading, counts = look.reading, look.counts or look.reading.lifetime
    ratio, hits, misses, evicted, expired = _cells(counts)
    since = "" if look.counts else "since its start: "
    note = f"  ({look.note})" if look.note else ""
    return (
        f"{printable(reading.name)} {reading.role}  {since}{hits} hits, {misses} misses, {ratio}; "
        f"evicted {evicted}, expired {expired}; {_memory(reading)}; clients {_number(reading.clients)}{note}"
    )


def printable(text: str) -> str:
    """A host's name comes from settings, but a node's from whoever answers as a cluster."""
    return "".join(character if character.isprintable() else "?" for character in text)


ROWS = ("hit ratio", "hits", "misses", "evictions", "expirations")


def _cells(counts: Counts | None) -> tuple[str, ...]:
    if counts is None:
        return ("-",) * len(ROWS)
    return (_ratio(counts), *map(_number, (counts.hits, counts.misses, counts.evicted, counts.expired)))


def _ratio(counts: Counts) -> str:
    if counts.hits is None or counts.misses is None:
        return HIDDEN
    return "no lookups" if counts.hit_ratio is None else f"{counts.hit_ratio:.1%} found"


def _levels(reading: Reading) -> Iterator[tuple[str, str]]:
    yield "memory", _memory(reading)
    yield "clients", f"{_number(reading.clients)}, blocked: {_number(reading.blocked_clients)}"
    yield "commands", f"{_number(reading.ops_per_second)} a second"
    yield "ping", HIDDEN if reading.ping_s is None else f"{reading.ping_s * 1000:.2f} ms"
    yield "keys", ", ".join(f"db{database}: {keys:,}" for database, keys in reading.keys.items()) or "none"


def _memory(reading: Reading) -> str:
    if reading.memory_used is None:
        return HIDDEN
    if reading.memory_max is None:
        return f"{_size(reading.memory_used)}, no limit"
    return (
        f"{_size(reading.memory_used)} of {_size(reading.memory_max)} ({reading.memory_used / reading.memory_max:.0%})"
    )


def _size(number: float) -> str:
    for unit in UNITS[:-1]:
        if number < 1024:
            return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"
        number /= 1024
    return f"{number:,.1f} {UNITS[-1]}"


def _number(number: int | None) -> str:
    return HIDDEN if number is None else f"{number:,}"


def _uptime(reading: Reading) -> str:
    if reading.uptime_s is None:
        return ""
    minutes, hours, days = reading.uptime_s // 60, reading.uptime_s // 3600, reading.uptime_s // 86_400
    if days:
        return f"up {days:,} d {hours % 24} h"
    return f"up {hours} h {minutes % 60} min" if hours else f"up {minutes} min {reading.uptime_s % 60} s"
