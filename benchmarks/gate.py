"""What Sentinel adds to a request, side by side with what others add. docs/benchmarks.md tells it in full.

Timed in turn, block by block, in one process on one Valkey over its unix socket:
  bare        a view that answers, through Django's own WSGI handler
  sentinel    the same with the metrics middleware and the door: identify behind a trusted proxy, decision, three
              policies, fields, event (sent by the background thread through Celery), count and duration over UDP
  refused     the same on a route whose limit is reached
  ratelimit   bare under one `django_ratelimit` decorator, on Django's RedisCache with hiredis
  logged      ratelimit, and a row of the request log written by the ORM, on PostgreSQL
  moving      bare with one hit of the moving window of `limits`
  ping        one PING of redis-py
  api, sentinel_api, throttled   a plain APIView, with Sentinel around it, and with one SimpleRateThrottle
Ratios of medians within a round; the median over the rounds counts, `spread` is (largest - smallest) / median.
"""

from __future__ import annotations

import gc
import io
import random
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
    """Returns the ratios, the spread of "vs_django_ratelimit", and the medians in microseconds."""
    contenders = _contenders()
    for run in contenders.values():
        for number in range(300):
            run(number)
    return _compare([_round(contenders) for _ in range(ROUNDS)])


def _contenders() -> dict[str, Callable[[int], None]]:
    plain, guarded = _handler([]), _handler(FULL)
    client = redis.Redis.from_url(settings.BENCH_STORE)
    return {
        "bare": _request(plain, "/bare/"),
        "sentinel": _request(guarded, "/bare/"),
        "refused": _request(guarded, "/refused/"),
        "ratelimit": _request(plain, "/limited/"),
        "logged": _request(plain, "/logged/"),
        "moving": _request(plain, "/moving/"),
        "api": _request(plain, "/api/"),
        "sentinel_api": _request(guarded, "/api/"),
        "throttled": _request(plain, "/throttled/"),
        "ping": lambda number: client.ping(),
    }


def _handler(middleware: list[str]) -> WSGIHandler:
    with override_settings(MIDDLEWARE=middleware):
        return WSGIHandler()


def _request(handler: WSGIHandler, path: str) -> Callable[[int], None]:
    expected = "429" if path == "/refused/" else "200"

    def run(number: int) -> None:
        statuses: list[str] = []
        handler(_environ(path, number), lambda status, headers: statuses.append(status)).close()
        # The first of each client passes the route that is shut.
        assert statuses[0].startswith(expected) or number < CLIENTS, (path, statuses)

    return run


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
    ratios = [_ratios(medians) for medians in rounds]
    spoken_of = [ratio["vs_django_ratelimit"] for ratio in ratios]
    return {
        **{name: round(statistics.median(ratio[name] for ratio in ratios), 3) for name in ratios[0]},
        "spread": round((max(spoken_of) - min(spoken_of)) / statistics.median(spoken_of), 3),
        **{f"{name}_us": round(statistics.median(r[name] for r in rounds), 1) for name in rounds[0]},
    }


def _ratios(medians: dict[str, float]) -> dict[str, float]:
    """What Sentinel adds over what another adds to the same view; and a whole refused request over a served one."""
    added = {name: cost - medians["bare"] for name, cost in medians.items()}
    return {
        "vs_ping": added["sentinel"] / medians["ping"],
        "vs_django_ratelimit": added["sentinel"] / added["ratelimit"],
        "vs_ratelimit_and_log": added["sentinel"] / added["logged"],
        "vs_limits": added["sentinel"] / added["moving"],
        "vs_drf_throttle": (medians["sentinel_api"] - medians["api"]) / (medians["throttled"] - medians["api"]),
        "refused_vs_served": medians["refused"] / medians["sentinel"],
    }


def _round(contenders: dict[str, Callable[[int], None]]) -> dict[str, float]:
    """Medians in microseconds; each block has an order of its own, so that none always comes after the same other."""
    times: dict[str, list[int]] = {name: [] for name in contenders}
    names = list(contenders)
    gc.collect()
    gc.disable()
    try:
        for block in range(BLOCKS):
            for name in random.Random(block).sample(names, len(names)):
                run, kept = contenders[name], times[name]
                for number in range(BLOCK):
                    started = time.perf_counter_ns()
                    run(number)
                    kept.append(time.perf_counter_ns() - started)
    finally:
        gc.enable()
    return {name: statistics.median(kept) / 1_000 for name, kept in times.items()}
