"""Which Redis servers are watched: the one an address names, or every primary of the cluster it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from metrics.redis_stats.errors import FAILURES, BadAddress, NoAnswer, reason

FORMS = "redis://host:port, rediss://... (TLS), unix:///path/to/socket or redis+cluster://one:6379,two:6379"
CLUSTERS = ("redis+cluster://", "rediss+cluster://")

# For connecting, and for each answer: a server in the same house needs a millisecond. One that is away costs at most
# two seconds, as redis-py connects again where a connection breaks at once. A slow resolver is not in that.
TIMEOUT_S = 0.5


@dataclass(frozen=True, slots=True)
class Server:
    url: str = field(repr=False)  # a password may be in there
    host: str  # or the path of its socket
    port: str  # "0" for a socket

    @property
    def name(self) -> str:
        """The address without user, password and options."""
        if self.port == "0":
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def client(self) -> redis.Redis:
        """Returns a client that connects at its first command, tries once and does not wait long."""
        return redis.Redis.from_pool(_pool(self.url))  # which closing the client closes too


def server_of(url: str) -> Server:
    """Returns the server that an address names; raises BadAddress."""
    options = _pool(url).connection_kwargs
    if "path" in options:
        return Server(url, str(options["path"]), "0")
    return Server(url, str(options.get("host", "localhost")), str(options.get("port", 6379)))


def servers_of(url: str) -> list[Server]:
    """Returns the server that an address names, or the primaries of a cluster as the first node to answer knows them.

    Raises BadAddress, and NoAnswer where no node of a cluster answers.
    """
    if not url.startswith(CLUSTERS):
        return [server_of(url)]
    reasons = []
    for seed in seeds_of(url):
        try:
            return _primaries(seed)
        except FAILURES as error:
            reasons.append(reason(error))
    raise NoAnswer(reasons[-1])


def name_of(url: str) -> str:
    """Returns what an address is called in front of people, without its password; raises BadAddress."""
    names = ",".join(server_of(seed).name for seed in seeds_of(url))
    return f"cluster {names}" if url.startswith(CLUSTERS) else names


def seeds_of(url: str) -> list[str]:
    """Returns the address of each node that an address names: redis+cluster://user:password@one:6379,two:6379"""
    if not url.startswith(CLUSTERS):
        return [url]
    scheme, _, rest = url.partition("+cluster://")
    netloc, slash, end = rest.partition("/")
    user, at, listed = netloc.rpartition("@")
    hosts = [host.strip() for host in listed.split(",")]
    if not all(hosts):
        raise BadAddress("a cluster's node has no name")
    return [f"{scheme}://{user}{at}{host}{slash}{end}" for host in hosts]


def _primaries(seed: str) -> list[Server]:
    """By CLUSTER SLOTS, which every version knows, and which names nodes by the addresses that are meant for clients.

    A primary without slots is not in it: it holds no keys.
    """
    asked = server_of(seed)
    client = asked.client()
    try:
        slots: list[list[Any]] = client.execute_command("CLUSTER SLOTS")
    finally:
        client.close()
    if not slots:
        raise redis.ResponseError("no node of the cluster holds any slots")
    return [server_of(_at(seed, place)) for place in dict.fromkeys(_places(slots, asked.host))]


def _places(slots: list[list[Any]], asked: str) -> Iterator[str]:
    """Each range of slots is [first, last, [host, port, ...] of the primary, those of replicas...]."""
    for _first, _last, (host, port, *_), *_replicas in slots:
        named = host.decode() if isinstance(host, bytes) else host
        # Empty, null or "?": the host that was asked, says the protocol.
        at = asked if named in {"", "?", None} else named
        yield f"[{at}]:{port}" if ":" in at else f"{at}:{port}"


def _at(seed: str, place: str) -> str:
    """Returns the address of another node: all share user, password and options."""
    parts = urlsplit(seed)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}{place}").geturl()


def _pool(url: str) -> redis.ConnectionPool:
    try:
        pool = redis.ConnectionPool.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            # redis-py tries three times more, waiting in between: seconds for a server that is away.
            retry=Retry(NoBackoff(), 0),
            # Of the handshake only a password is left: whoever may INFO and PING may do all that is asked here. By TLS
            # something must be answered first, else redis-py takes the session tickets for data nobody asked for.
            protocol=3 if url.startswith("rediss:") else 2,
            driver_info=None,
        )
        _database_of(url)
        pool.connection_kwargs["db"] = 0  # the numbers are the whole server's: no SELECT, which may be forbidden
        pool.make_connection()  # finds an option that there is not; it does not connect
    except (ValueError, TypeError, AttributeError):
        raise BadAddress("it names no Redis server") from None  # whose own text may hold a part of the password
    if url.startswith("unix:") and not pool.connection_kwargs.get("path"):
        raise BadAddress("it names no socket")
    return pool


def _database_of(url: str) -> int:
    """Raises ValueError where redis-py would take a database that is no number for 0."""
    parts = urlsplit(url)
    path = unquote(parts.path).strip("/")
    return 0 if parts.scheme == "unix" or not path else int(path)
