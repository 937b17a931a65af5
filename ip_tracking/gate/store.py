"""The store that counts: one server or a cluster, as STORE_URL says. While it is away, requests don't wait for it."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import redis

from ip_tracking import conf
from ip_tracking.gate.cluster import SCHEMES, Cluster
from ip_tracking.gate.scripts import Argument, Script
from ip_tracking.gate.server import Server

Store = Server | Cluster

# What a command on `Store.client` may raise; redis-py's cluster has errors of its own that are no RedisError.
UNREACHABLE = (redis.RedisError, redis.exceptions.RedisClusterException)


class Call(NamedTuple):
    """One round trip: what the door yields when it needs the store. `None` comes back while the store is away."""

    script: Script
    keys: list[str]
    args: list[Argument]

    def run(self) -> list[Any] | None:
        return get().run(*self)

    async def arun(self) -> list[Any] | None:
        return await get().arun(*self)


def of(url: str, timeout_s: float) -> Store:
    return Cluster(url, timeout_s) if url.startswith(SCHEMES) else Server(url, timeout_s)


_store: Store | None = None


def get() -> Store:
    global _store  # noqa: PLW0603 - the one memo of this module
    if _store is None:
        settings = conf.get()
        _store = of(settings.store_url, settings.store_timeout_s)
    return _store


@conf.on_change
def forget() -> None:
    """Drops the connection: the settings changed."""
    global _store  # noqa: PLW0603
    _store = None


# A socket shared with the parent would mix up two processes' answers.
os.register_at_fork(after_in_child=forget)
