"""While the fuzzer runs, this process speaks to nobody but itself."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Calls of `socket` that reach out, with the place of the address among what they are told.
REACHING_OUT = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getaddrinfo": 0}

_shut = False


class Forbidden(OSError):
    """Somebody asked for a connection beyond this machine."""


@contextmanager
def only_loopback() -> Iterator[None]:
    """Refuses, for every thread, sockets to other hosts than this one; unix sockets are of this one.

    Python tells an audit hook of each socket before it is connected, whatever library asks.
    """
    global _shut  # noqa: PLW0603 - a hook cannot be taken away again, only told to look elsewhere
    _shut = True
    try:
        yield
    finally:
        _shut = False


# `Any`: an event's arguments are of every type.
def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if not _shut or event not in REACHING_OUT:
        return
    address = arguments[REACHING_OUT[event]]
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(address, tuple) or event == "socket.getaddrinfo":
        _require_loopback(host)


def _require_loopback(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return
    try:
        inside = ipaddress.ip_address(name).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise Forbidden(f"The fuzzer's run may not reach {name!r}.")


sys.addaudithook(_refuse)
