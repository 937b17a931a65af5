"""A Redis Cluster as the store: each call goes to the node that holds its keys, which all share a hash tag.

redis-py's own cluster client would ask other nodes, or sleep a quarter of a second, in the middle of a request. Here it
only knows who holds what. Each node has its own breaker: while one is away, the clients of the others notice nothing.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import AskError, MovedError, RedisClusterException, SlotNotCoveredError, TryAgainError
from redis.retry import Retry

from ip_tracking.gate.scripts import Argument, Script
from ip_tracking.gate.server import Server, options
from metrics import breaker

SCHEMES = ("redis+cluster://", "rediss+cluster://")

# So many keys are tried to find one on each node: a node with one slot in a hundred is missed once in seven times.
MARKS_TRIED = 200


class Cluster:
    def __init__(self, url: str, timeout_s: float) -> None:
        self._seeds = seeds_of(url)
        self._timeout_s = timeout_s
        self._known: RedisCluster | None = None
        self._lock = threading.Lock()
        self._servers: dict[str, Server] = {}

    @property
    def away(self) -> bool:
        """Only nodes are away."""
        return False

    @property
    def client(self) -> RedisCluster:
        """For what no request waits for; raises redis.ConnectionError where no node can be reached."""
        known = self._known or self._discover()
        if known is None:
            raise redis.ConnectionError("no node of the cluster can be reached")
        return known

    def run(self, script: Script, keys: list[str], args: list[Argument]) -> list[Any] | None:
        """Returns the script's reply, or None while the node that holds the keys is away."""
        server = self._server_of(keys[0])
        reply = server.run(script, keys, args) if server else None
        other = self._moved_to(server, keys[0]) if reply is None else None
        return other.run(script, keys, args) if other else reply

    async def arun(self, script: Script, keys: list[str], args: list[Argument]) -> list[Any] | None:
        if self._known is None:
            await asyncio.to_thread(self._discover)
        server = self._server_of(keys[0])
        reply = await server.arun(script, keys, args) if server else None
        other = self._moved_to(server, keys[0]) if reply is None else None
        return await other.arun(script, keys, args) if other else reply

    def marks(self, key: str) -> list[str]:
        """Looks who holds what now, and returns a key on each node, to see that it keeps its data."""
        known = self.client
        known.nodes_manager.initialize()
        found: dict[str, str] = {}
        for number in range(MARKS_TRIED):
            mark = f"{key}:{{{number}}}"
            node = self._node_of(mark)
            if node is not None:
                found.setdefault(node.name, mark)
        return list(found.values())

    def close(self) -> None:
        for server in self._servers.values():
            server.close()
        if self._known is not None:
            self._known.close()

    def _node_of(self, key: str) -> ClusterNode | None:
        if self._known is None and self._discover() is None:
            return None
        try:
            node: ClusterNode = self.client.get_node_from_key(key)
        except SlotNotCoveredError:
            return None
        return node

    def _server_of(self, key: str) -> Server | None:
        node = self._node_of(key)
        if node is None:
            return None
        known = self._servers.get(node.name)
        if known is not None:
            return known
        url = url_of(self._seeds[0], node.host, node.port)
        return self._servers.setdefault(node.name, Server(url, self._timeout_s, self._note_move))

    def _moved_to(self, server: Server | None, key: str) -> Server | None:
        """Returns another server that holds the key now, where the asked one said so."""
        if server is None:
            return None
        holder = self._server_of(key)
        return None if holder is server else holder

    def _note_move(self, error: AskError | TryAgainError) -> None:
        """A slot that is just being moved (ASK, TRYAGAIN) is answered for as if it were away: it takes milliseconds."""
        if isinstance(error, MovedError) and self._known is not None:
            self._known.nodes_manager.move_slot(error)

    def _discover(self) -> RedisCluster | None:
        """Asks the nodes that STORE_URL names, until one knows the others or a timeout is over; one thread does."""
        started_s = time.monotonic()
        if not self._lock.acquire(timeout=2 * self._timeout_s):
            return None
        try:
            for seed in self._seeds:
                if self._known is not None or time.monotonic() - started_s > self._timeout_s:
                    break
                self._known = self._ask(seed)
        finally:
            self._lock.release()
        return self._known

    def _ask(self, seed: str) -> RedisCluster | None:
        gate = breaker.of(seed)
        ticket = gate.enter()
        if ticket is None:
            return None
        retry = Retry(NoBackoff(), 1)  # the second time at the node that a moved slot is at
        try:
            known = RedisCluster.from_url(seed, retry=retry, require_full_coverage=False, **options(self._timeout_s))
        except (redis.RedisError, RedisClusterException) as error:
            gate.failed(ticket, error)
            return None
        gate.answered(ticket)
        return known


def seeds_of(url: str) -> list[str]:
    """Returns the URL of each node that a URL names: redis+cluster://user:password@one:6379,two:6379?option=value"""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    end = parts.path + (f"?{parts.query}" if parts.query else "")
    return [f"{parts.scheme.removesuffix('+cluster')}://{user}{at}{host}{end}" for host in hosts.split(",") if host]


def url_of(seed: str, host: str, port: int) -> str:
    """Returns the URL of another node: all share user, password and options."""
    parts = urlsplit(seed)
    user, at, _ = parts.netloc.rpartition("@")
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return parts._replace(netloc=f"{user}{at}{place}").geturl()
