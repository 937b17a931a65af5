"""What is asked of each service to learn whether it answers: one harmless question, on a connection made for it.

A new connection, because the question is whether one can be had: a kept one may be the last that works, or be dead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from celery import current_app
from django.db import connections

from metrics import conf
from metrics.redis_stats.servers import name_of, seeds_of, server_of, servers_of


@dataclass(frozen=True, slots=True)
class Part:
    """What may be away as a whole. Past `budget_s` it counts as away, past `slow_s` as slow."""

    name: str
    budget_s: float
    slow_s: float


# A new connection takes some milliseconds within a data centre, and some tens of them where TLS or a name is looked up.
# The budgets are what a load balancer's own patience (mostly two seconds) leaves room for.
DATABASE = Part("database", budget_s=1.0, slow_s=0.25)
REDIS = Part("redis", budget_s=0.5, slow_s=0.1)
# Seven messages there and back until RabbitMQ has let somebody in.
BROKER = Part("broker", budget_s=1.0, slow_s=0.5)
PARTS = (DATABASE, REDIS, BROKER)

# Whoever asks has given up by then. This ends the asking thread, which would else wait for a frozen server for ever:
# libpq's shortest wait for a connection, and after that the kernel's for a peer that acknowledges nothing.
DATABASE_LIMITS: dict[str, dict[str, Any]] = {
    "postgresql": {
        "connect_timeout": 2,
        "keepalives_idle": 1,
        "keepalives_interval": 1,
        "keepalives_count": 2,
        "tcp_user_timeout": 2_000,
    },
    "mysql": {"connect_timeout": 2, "read_timeout": 2, "write_timeout": 2},
    "sqlite": {"timeout": 1},
}
BROKER_LIMITS: dict[str, dict[str, Any]] = {
    "amqp": {"read_timeout": 1, "write_timeout": 1},
    "redis": {"socket_timeout": 1, "socket_connect_timeout": 1},
}


@dataclass(frozen=True, slots=True)
class Probe:
    """`ask` returns when the service answered, and raises whatever its library does when it did not."""

    part: Part
    ask: Callable[[], None]
    place: str = ""  # which one, where there may be several
    tags: tuple[tuple[str, str], ...] = ()  # of the service check


def every() -> list[Probe]:
    """Returns what this project has: each database, each Redis of METRICS["REDIS_URLS"], the broker if one is named."""
    found = [Probe(DATABASE, partial(_ask_database, alias), alias) for alias in connections]
    found += [_of_redis(url) for url in conf.current().redis_urls]
    if current_app.conf.broker_write_url or current_app.conf.broker_url:
        found.append(Probe(BROKER, _ask_broker))
    return found


def _ask_database(alias: str) -> None:
    connection = connections.create_connection(alias)
    settings = connection.settings_dict
    options = settings["OPTIONS"] | DATABASE_LIMITS.get(connection.vendor, {})
    options.pop("pool", None)  # the project's: a pool that is empty says nothing about the server
    connection.settings_dict = {**settings, "OPTIONS": options}
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT 1{connection.features.bare_select_suffix}")
            cursor.fetchone()
    finally:
        connection.close()


def _of_redis(url: str) -> Probe:
    first = server_of(seeds_of(url)[0])
    tags = (("redis_host", first.host), ("redis_port", first.port))
    return Probe(REDIS, partial(_ask_redis, url), name_of(url), tags)


def _ask_redis(url: str) -> None:
    """Of a cluster, every primary: without one of them a part of the keys is away."""
    for server in servers_of(url):
        with server.client() as client:
            client.ping()


def _ask_broker() -> None:
    # Any: kombu is not typed. As the record's publisher does: kombu's own patience is minutes.
    connection: Any = current_app.connection_for_write(connect_timeout=BROKER.budget_s)
    limits = BROKER_LIMITS.get(connection.get_transport_cls().driver_type, {})
    connection.transport_options = (connection.transport_options or {}) | limits | {"max_retries": 0}
    try:
        _ = connection.default_channel  # connects, signs in and opens what a message is sent on
    finally:
        connection.release()
