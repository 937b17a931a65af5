"""What Sentinel adds to a request, side by side with a PING and with one `django_ratelimit` check.

Four things are timed in turn, block by block, on one Valkey over its unix socket:
  bare        a view that answers, through Django's own WSGI handler
  sentinel    the same with the metrics middleware and the door: identify behind a trusted proxy, decision, three
              policies, fields, event (sent by the background thread through Celery), count and duration over UDP
  ratelimit   the same view under one `django_ratelimit` decorator, on Django's RedisCache with hiredis
  ping        one PING of redis-py
Ratios of medians within a round; the median over the rounds counts, `spread` is (largest - smallest) / median.
"""

from __future__ import annotations

import gc
import io
import statistics
import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

ROUNDS = 7
BLOCKS = 30
BLOCK = 40
CLIENTS = 64

FULL = ["metrics.middleware.MetricsMiddleware", "ip_tracking.middleware.SentinelMiddleware"]


def measure() -> dict[str, float]:
    """Returns {"vs_ping", "vs_django_ratelimit", "spread"} and the medians in microseconds."""
    contenders = _contenders()
    for run in contenders.values():
        for number in range(300):
            run(number)
    return _compare([_round(contenders) for _ in range(ROUNDS)])


def _contenders() -> dict[str, Callable[[int], None]]:
    handlers = {}
    for name, middleware in {"bare": [], "sentinel": FULL, "ratelimit": []}.items():
        with override_settings(MIDDLEWARE=middleware):
            handlers[name] = WSGIHandler()
    client = redis.Redis.from_url(settings.BENCH_STORE)

    def request(name: str, path: str) -> Callable[[int], None]:
        handler = handlers[name]

        def run(number: int) -> None:
            response = handler(_environ(path, number), lambda status, headers: None)
            response.close()

        return run

    return {
        "bare": request("bare", "/bare/"),
        "sentinel": request("sentinel", "/bare/"),
        "ratelimit": request("ratelimit", "/limited/"),
        "ping": lambda number: client.ping(),
    }


def _environ(path: str, number: int) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "page=2",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "localhost",
        "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0",
        "HTTP_ACCEPT": "application/json",
        "HTTP_X_FORWARDED_FOR": f"203.0.113.{number % CLIENTS}",
        "REMOTE_ADDR": "10.0.0.1",
    }


def _compare(rounds: list[dict[str, float]]) -> dict[str, float]:
    added = [r["sentinel"] - r["bare"] for r in rounds]
    to_ping = [cost / r["ping"] for cost, r in zip(added, rounds, strict=True)]
    to_ratelimit = [cost / (r["ratelimit"] - r["bare"]) for cost, r in zip(added, rounds, strict=True)]
    middle = statistics.median(to_ratelimit)
    return {
        "vs_ping": round(statistics.median(to_ping), 3),
        "vs_django_ratelimit": round(middle, 3),
        "spread": round((max(to_ratelimit) - min(to_ratelimit)) / middle, 3),
        **{f"{name}_us": round(statistics.median(r[name] for r in rounds), 1) for name in rounds[0]},
    }


def _round(contenders: dict[str, Callable[[int], None]]) -> dict[str, float]:
    """Medians in microseconds; the order turns with each block, so that none always comes after the same other."""
    times: dict[str, list[int]] = {name: [] for name in contenders}
    names = list(contenders)
    gc.collect()
    gc.disable()
    try:
        for block in range(BLOCKS):
            turn = block % len(names)
            for name in names[turn:] + names[:turn]:
                run, kept = contenders[name], times[name]
                for number in range(BLOCK):
                    started = time.perf_counter_ns()
                    run(number)
                    kept.append(time.perf_counter_ns() - started)
    finally:
        gc.enable()
    return {name: statistics.median(kept) / 1_000 for name, kept in times.items()}
