"""What the numbers of a request cost, beside the request itself: the shop's product list, twenty of sixty products.

Timed in turn, block by block, in one process, through Django's own WSGI handler with the shop's middleware, on the
database of the run:
  bare      without the metrics middleware and without the door; three lookups in a cache that nobody counts
  counted   the same with the metrics middleware and the cache counted: count, duration, size, hits and misses, held
            against the catalogue, gathered and sent over UDP by the thread, which ends within the block

A process of its own, as the project's settings are others than those of the other benchmarks.
"""

from __future__ import annotations

import gc
import io
import json
import os
import random
import re
import socket
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import django
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.http import HttpRequest
from django.test import override_settings

from metrics import client, emit
from metrics.lookups import Counted

ROUNDS = 7
BLOCKS = 12
BLOCK = 40

METRICS = "metrics.middleware.MetricsMiddleware"
DOOR = "ip_tracking.middleware.SentinelMiddleware"
LINE = re.compile(rb"^sentinel\.request\.count:(\d+)", re.MULTILINE)


class CountedCache(Counted, LocMemCache):
    """Looks up in memory, so that the lookup itself is as cheap as any."""


def _asking(alias: str) -> Callable[[Any], Any]:
    """Returns a middleware that asks a cache, as a shop would: a key that is there, one that is not, two at once."""

    def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
        cache = caches[alias]
        cache.set("cart:7", {"items": 3}, None)

        def ask(request: HttpRequest) -> Any:
            cache.get("cart:7")
            cache.get("product:7")
            cache.get_many(["cart:7", "product:9"])
            return get_response(request)

        return ask

    return middleware


asking_bare, asking_counted = _asking("bare"), _asking("counted")


def _compare() -> dict[str, float]:
    call_command("migrate", verbosity=0)
    call_command("seed_shop", stdout=io.StringIO())
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as agent:
        # Somebody listens, so that a packet costs what it costs; an Agent's own work is its own.
        agent.bind(("127.0.0.1", 0))
        agent.setblocking(False)
        os.environ["DD_DOGSTATSD_URL"] = f"udp://127.0.0.1:{agent.getsockname()[1]}"
        others = [path for path in settings.MIDDLEWARE if path not in (METRICS, DOOR)]
        contenders = {
            "bare": _handler([*others, "benchmarks.metrics.asking_bare"]),
            "counted": _handler([METRICS, *others, "benchmarks.metrics.asking_counted"]),
        }
        for handler in contenders.values():
            _block(handler)
        emit.flush()
        _heard(agent)
        rounds = [_round(contenders, agent) for _ in range(ROUNDS)]
    client.close()
    return _result(rounds)


def _handler(middleware: list[str]) -> WSGIHandler:
    with override_settings(MIDDLEWARE=middleware):
        return WSGIHandler()


def _round(contenders: dict[str, WSGIHandler], agent: socket.socket) -> dict[str, float]:
    """Medians in microseconds a request, by the clock and by what all threads of the process worked."""
    wall: dict[str, list[float]] = {name: [] for name in contenders}
    cpu: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.disable()
    try:
        for block in range(BLOCKS):
            for name in random.Random(block).sample(list(contenders), len(contenders)):
                started, worked = time.perf_counter_ns(), time.process_time_ns()
                _block(contenders[name])
                if name == "counted":
                    emit.flush()
                cpu[name].append((time.process_time_ns() - worked) / BLOCK / 1_000)
                wall[name].append((time.perf_counter_ns() - started) / BLOCK / 1_000)
                heard = _heard(agent)
                assert heard == (BLOCK if name == "counted" else 0), (name, heard)
    finally:
        gc.enable()
    return {f"{name}_cpu_us": statistics.median(kept) for name, kept in cpu.items()} | {
        f"{name}_wall_us": statistics.median(kept) for name, kept in wall.items()
    }


def _block(handler: WSGIHandler) -> None:
    for _ in range(BLOCK):
        statuses: list[str] = []
        body = handler(_environ(), lambda status, headers: statuses.append(status))  # noqa: B023 - called at once
        body.close()
        assert statuses == ["200 OK"], statuses


def _environ() -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/api/v1/products/",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "application/json",
        "REMOTE_ADDR": "203.0.113.7",
    }


def _heard(agent: socket.socket) -> int:
    """Returns how many requests the packets since the last look speak of."""
    requests = 0
    while True:
        try:
            requests += sum(int(number) for number in LINE.findall(agent.recv(65_536)))
        except BlockingIOError:
            return requests


def _result(rounds: list[dict[str, float]]) -> dict[str, float]:
    """By the work of all threads: by the clock, waiting for the database would make the rest look small."""
    ratios = [_ratio(medians, "cpu_us") for medians in rounds]
    middle = statistics.median(ratios)
    return {
        "vs_bare": round(middle, 3),
        "vs_bare_wall": round(statistics.median(_ratio(medians, "wall_us") for medians in rounds), 3),
        "spread": round((max(ratios) - min(ratios)) / middle, 3),
        **{name: round(statistics.median(medians[name] for medians in rounds), 1) for name in rounds[0]},
    }


def _ratio(medians: dict[str, float], unit: str) -> float:
    """What is added over what is there."""
    return medians[f"counted_{unit}"] / medians[f"bare_{unit}"] - 1


if __name__ == "__main__":
    django.setup()
    print(json.dumps(_compare()))
