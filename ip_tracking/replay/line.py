"""What one line of an access log says, whatever format it is written in."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from ip_tracking.client import UNKNOWN, network_of
from ip_tracking.event import Event

# Clients whose lines stand near each other in a file; more of them at once only cost time.
CLIENTS_CACHED = 65_536


class Line(NamedTuple):
    """One line that was understood."""

    event: Event  # without a request_id yet
    referer: str  # "-" where the client sent none, "" where the line does not say. Live traffic keeps none


class Source(NamedTuple):
    """The client that a line names."""

    address: str
    network: str


_REQUEST = re.compile(r"([A-Z][A-Z_-]{2,19}) +(.+?)(?: +HTTP/(?:1\.[01]|[23](?:\.0)?|0\.9))? *", re.DOTALL)
_NO_REQUEST = re.compile(r"[- ]*(?:HTTP/[\d.]+)?")  # a connection that asked nothing, in formats of one field or three
_NO_SUCH_VERSION = re.compile(r" HTTP/[\d.]+$")


@lru_cache(maxsize=CLIENTS_CACHED)
def source_of(text: str) -> Source | None:
    """The canonical address and its network; None for what is no address. A port is taken off."""
    network = network_of(text) if text[:1].isalnum() or text[:1] in ":[" else UNKNOWN
    if network == UNKNOWN:
        return None
    return Source(network if ":" not in network else _canonical(text), network)


def _canonical(text: str) -> str:
    return str(ip_address(text.partition("]")[0].lstrip("[")))


def request_of(text: str) -> tuple[str, str, str]:
    """Method, path, query. What is no HTTP has no method, and its text for a path."""
    match = _REQUEST.fullmatch(text)
    if match is None or _NO_SUCH_VERSION.search(match[2]):
        return "", "" if _NO_REQUEST.fullmatch(text) else text, ""
    method, target = match.groups()
    path, _, query = target.partition("?")
    return method, path, query


def event_of(at_us: int, source: Source, request: tuple[str, str, str], status: int, agent: str, user: str) -> Event:
    method, path, query = request
    named = user not in ("-", "", '""')
    # A server that asks for a password writes the name it was given, also when it was the wrong one.
    failed = named and status == 401
    return Event(
        at_us=at_us,
        request_id="",
        address=source.address,
        network=source.network,
        method=method,
        path=path,
        query=query,
        status=status,
        user_agent="" if agent == "-" else agent,
        user=user if named and not failed else "",
        outcome="login_failed" if failed else "",
    )
