"""The events of this process that wait to be sent: a bounded deque. Remembering costs no I/O and never raises."""

from __future__ import annotations

import os
from collections import deque

from ip_tracking.event import Event
from metrics import catalogue, emit

# At 1,000 requests a second this is a minute of a broker and a spool that both fail; about 25 MB.
MOST = 50_000

# The most in one message. A quiet process sends fewer, every quarter second; a busy one must not pay a message's fixed
# cost (2 ms, shared with its requests) every 200 events: at 5,000 requests a second that was 10 % of each request.
BATCH = 1_000

_events: deque[Event] = deque()


def remember(event: Event) -> bool:
    """Keeps an event; past the bound the oldest goes, counted. Returns True when a whole batch is waiting."""
    _events.append(event)
    waiting = len(_events)
    if waiting > MOST:
        drop_oldest()
    return waiting == BATCH or waiting == BATCH * 10


def drop_oldest() -> None:
    try:
        _events.popleft()
    except IndexError:  # another thread was faster
        return
    emit.count(catalogue.EVENTS_DROPPED, reason="buffer_full")


def take(most: int = BATCH) -> list[Event]:
    """Removes and returns the oldest events. `popleft` is atomic: two takers never get the same one."""
    batch: list[Event] = []
    try:
        while len(batch) < most:
            batch.append(_events.popleft())
    except IndexError:
        pass
    return batch


def waiting() -> int:
    return len(_events)


# A forked child must not send its parent's events a second time.
os.register_at_fork(after_in_child=_events.clear)
