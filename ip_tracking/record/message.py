"""A batch of events as it travels through the broker and lies in the spool: version, then rows."""

from __future__ import annotations

from typing import Any

from ip_tracking.event import Event

VERSION = 2
READABLE = (1, VERSION)  # rows of 1 are shorter: what they do not say has its default

Message = dict[str, Any]


class NotSent(RuntimeError):
    """Nobody confirmed a batch. They may have it all the same: send it again under the same id."""


class UnknownVersion(ValueError):
    """A message written by a newer Sentinel: upgrade the workers first."""


def pack(events: list[Event]) -> Message:
    return {"version": VERSION, "events": [list(event) for event in events]}


def unpack(message: Message) -> list[Event]:
    """Raises UnknownVersion for a message this code cannot read."""
    if message.get("version") not in READABLE:
        raise UnknownVersion(f"version {message.get('version')!r} of an event message; this worker reads {VERSION}")
    return [Event(*row) for row in message["events"]]
