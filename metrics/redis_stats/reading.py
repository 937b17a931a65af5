"""One reading of a Redis server: its own words (INFO), and how long it took to answer.

The hits are the whole server's: limits, sessions and a broker on the same server are in them. A reading looks no key
up, so it changes none of these numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import redis

from metrics.redis_stats.errors import FAILURES, BadAddress, NoAnswer, reason
from metrics.redis_stats.servers import Server, name_of, servers_of
from metrics.redis_stats.window import COUNTED, GROWS, RESET_STAMP, Counts, Marks, lifetime

# Servers are asked side by side: one that hangs costs a second, and a hundred of them would outlast the thirty seconds
# between two exports.
THREADS = 16

ROLES = frozenset({"master", "slave"})

Info = Mapping[str, Any]  # Any: a field is a number, a word or a dictionary, as redis-py reads it


@dataclass(frozen=True, slots=True)
class Reading:
    """A field is None where the server does not tell it: managed ones hide some."""

    host: str
    port: str
    name: str
    # The server itself, whatever its address and role: the id of its run. Its address where it hides that.
    identity: str
    role: str
    marks: Marks
    memory_used: int | None  # bytes
    memory_max: int | None  # bytes; None also where there is no limit
    clients: int | None
    blocked_clients: int | None
    ops_per_second: int | None
    keys: dict[str, int]  # by database: {"0": 12}
    ping_s: float | None
    version: str
    uptime_s: int | None
    duration_s: float = 0.0

    @property
    def lifetime(self) -> Counts:
        return lifetime(self.marks)


@dataclass(frozen=True, slots=True)
class Failure:
    """A server, or a whole cluster, that gave no numbers."""

    name: str
    reason: str
    duration_s: float = 0.0


def read_all(urls: Sequence[str]) -> list[Reading | Failure]:
    """Reads every server once, also where two addresses name the same; in the order of the addresses."""
    with ThreadPoolExecutor(THREADS) as pool:
        found = [each for part in pool.map(_found, range(1, len(urls) + 1), urls) for each in part]
        places: dict[tuple[str, str], Server] = {}
        for server in (each for each in found if isinstance(each, Server)):
            places.setdefault((server.host, server.port), server)
        read = dict(zip(places, pool.map(_read, places.values()), strict=True))
    kept: dict[str, Reading | Failure] = {}
    for each in found:
        one = read[each.host, each.port] if isinstance(each, Server) else each
        kept.setdefault(one.identity if isinstance(one, Reading) else one.name, one)
    return list(kept.values())


def read(server: Server) -> Reading:
    """Reads one server, on a connection of its own; raises NoAnswer."""
    began = perf_counter()
    client = server.client()
    try:
        info = client.info("all")  # one call, so that its numbers are of one moment
        ping_s = _ping(client)
    except FAILURES as error:
        raise NoAnswer(reason(error)) from error
    finally:
        client.close()
    return of_info(server, info, ping_s, perf_counter() - began)


def of_info(server: Server, info: Info, ping_s: float | None, duration_s: float = 0.0) -> Reading:
    """Returns what a server's INFO says; raises NoAnswer where it holds none of what Redis tells."""
    marks = dict(_marks(info))
    if not marks and "redis_version" not in info:
        raise NoAnswer("what answers is not Redis: its INFO has neither a version nor counters")
    role = str(info.get("role"))
    return Reading(
        host=server.host,
        port=server.port,
        name=server.name,
        identity=str(info.get("run_id") or server.name),
        role=role if role in ROLES else "unknown",
        marks=marks,
        memory_used=_number(info, "used_memory"),
        memory_max=_number(info, "maxmemory") or None,
        clients=_number(info, "connected_clients"),
        blocked_clients=_number(info, "blocked_clients"),
        ops_per_second=_number(info, "instantaneous_ops_per_sec"),
        keys=dict(_keys(info)),
        ping_s=ping_s,
        version=_version(info),
        uptime_s=_number(info, "uptime_in_seconds"),
        duration_s=duration_s,
    )


def _found(place: int, url: str) -> list[Server | Failure]:
    began = perf_counter()
    name = f"address {place}"
    try:
        name = name_of(url)
        return [*servers_of(url)]
    except (BadAddress, NoAnswer) as error:
        return [Failure(name, str(error), perf_counter() - began)]


def _read(server: Server) -> Reading | Failure:
    began = perf_counter()
    try:
        return read(server)
    except NoAnswer as error:
        return Failure(server.name, str(error), perf_counter() - began)


def _ping(client: redis.Redis) -> float | None:
    """On the open connection, so without what connecting takes. None where the server refuses even that."""
    began = perf_counter()
    with suppress(redis.ResponseError):
        client.ping()
        return perf_counter() - began
    return None


def _marks(info: Info) -> Iterator[tuple[str, int]]:
    numbers: dict[str, Any] = {name: info.get(name) for name in (*COUNTED, GROWS[0])}
    numbers["info_calls"] = _of(info.get("cmdstat_info"), "calls")
    numbers[RESET_STAMP] = _of(info.get("cmdstat_config|resetstat"), "usec")
    if "run_id" not in info:  # then this is the sign of a restart; a clock that is set back looks like one too
        numbers["uptime_in_seconds"] = info.get("uptime_in_seconds")
    return ((name, number) for name, number in numbers.items() if type(number) is int and number >= 0)


def _keys(info: Info) -> Iterator[tuple[str, int]]:
    for name, value in info.items():
        number = _of(value, "keys")
        if name.startswith("db") and name[2:].isdecimal() and type(number) is int:
            yield name[2:], number


def _of(value: object, field: str) -> object:
    return value.get(field) if isinstance(value, dict) else None


def _number(info: Info, field: str) -> int | None:
    value = info.get(field)
    return value if type(value) is int else None


def _version(info: Info) -> str:
    """Valkey calls itself an old Redis, for those who ask; its own version stands beside that."""
    valkey = info.get("valkey_version")
    said = f"Valkey {valkey}" if valkey else f"Redis {info.get('redis_version', '')}"
    return "".join(character for character in said[:40] if character.isprintable()).strip()
