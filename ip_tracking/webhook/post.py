"""One POST to an address that was checked, and the status that comes back: no redirect, no second look-up, no proxy."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection, HTTPSConnection

from ip_tracking.webhook.target import Target

# For all of it: connecting, TLS, sending, and the head of the answer.
DEADLINE_S = 10.0
CONNECT_S = 3.0  # to one address, so that another one has its turn

# Of the answer only the head is read; a receiver that sends more than this of it sends nonsense.
MOST_BYTES = 16_384
STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r\n]")


class NoAnswer(OSError):
    """Nobody answered in HTTP, in time."""


def post(
    target: Target, addresses: Iterable[str], body: bytes, headers: Mapping[str, str], deadline_s: float = DEADLINE_S
) -> int:
    """Returns the answer's status; raises OSError (of TLS too) where there was none."""
    until = time.monotonic() + deadline_s
    connection: HTTPConnection = (HTTPSConnection if target.scheme == "https" else HTTPConnection)(
        target.host, target.port
    )
    # Given its socket, it looks up and connects to nothing by itself.
    connection.sock = _connected(target, addresses, until)
    try:
        connection.sock.settimeout(_left(until))
        connection.request("POST", target.path, body, {**headers, "Connection": "close"})
        return _status(connection.sock, until)
    finally:
        connection.close()


def _connected(target: Target, addresses: Iterable[str], until: float) -> socket.socket:
    failed: OSError = NoAnswer("no address")
    for address in addresses:
        try:
            plain = socket.create_connection((address, target.port), timeout=min(CONNECT_S, _left(until)))
        except OSError as error:
            failed = error
            continue
        return plain if target.scheme == "http" else _secured(plain, target.host, until)
    raise failed


def _secured(plain: socket.socket, host: str, until: float) -> socket.socket:
    """The certificate is the name's, whatever address stands behind it."""
    try:
        plain.settimeout(_left(until))
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def _status(connected: socket.socket, until: float) -> int:
    """Reads to the end of the head: every byte may come late, so the time is bounded for all of them together."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < MOST_BYTES:
        connected.settimeout(_left(until))
        received = connected.recv(4_096)
        if not received:
            break
        head += received
    found = STATUS.match(head)
    if found is None:
        raise NoAnswer("the answer is no HTTP")
    return int(found[1])


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise NoAnswer("too slow")
    return left
