"""Where this process sends its numbers: opened at the first use, once per process, emptied at the end.

The library reads its environment when its client is built: DD_AGENT_HOST, DD_DOGSTATSD_PORT or DD_DOGSTATSD_URL say
where the Agent is; DD_ENV, DD_SERVICE, DD_VERSION and DATADOG_TAGS are added to every metric.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from dataclasses import dataclass
from multiprocessing import parent_process, util

from metrics import conf
from metrics.dog import Dog
from metrics.outbox import Outbox

logger = logging.getLogger(__name__)

# How long the sending thread waits for room in the Agent's socket. A unix socket takes ten packets before the Agent
# must read one; without any wait, a burst of more would be lost.
SEND_TIMEOUT_S = 0.1


@dataclass(frozen=True, slots=True)
class Outlet:
    outbox: Outbox | None  # None: switched off
    strict: bool


_outlet: Outlet | None = None
# Reentrant: what the collector finds while the client is built may have a number to send.
_building = threading.RLock()
_leaving = False


def outlet() -> Outlet:
    """Returns where this process sends to."""
    return _outlet or _open()


def flush() -> None:
    """Sends what is waiting; waits for it, but not long."""
    if _outlet is not None and _outlet.outbox is not None:
        _outlet.outbox.flush()


def close() -> None:
    """Sends what is waiting and forgets the client: the next use builds another, from the environment of then."""
    global _outlet
    old, _outlet = _outlet, None
    if old is not None and old.outbox is not None:
        old.outbox.close()


def _open() -> Outlet:
    global _outlet  # noqa: PLW0603 - one client per process is the subject of this file
    with _building:
        if _outlet is None:
            _outlet = Outlet(outbox=_build(), strict=conf.current().strict)
        return _outlet


def _build() -> Outbox | None:
    # The library's own words for "off". It would still gather, and wake a thread, for nothing.
    if os.environ.get("DD_DOGSTATSD_DISABLE") in {"True", "true", "yes", "1"}:
        return None
    settings = conf.current()
    try:
        # Built so, it has no thread of its own: neither of its buffering, its aggregation nor its sending is on.
        dog = Dog(
            namespace=settings.namespace,
            disable_telemetry=not settings.telemetry,
            origin_detection_enabled=False,
            socket_timeout=SEND_TIMEOUT_S,
            # The library's fork hooks are for its threads; `_after_fork` is ours.
            track_instance=False,
        )
        outbox = Outbox(dog, threaded=not _leaving)
    except (RuntimeError, OSError, ValueError):  # no thread to be had, a broken environment
        logger.exception("No metrics will be sent by this process.")
        return None
    if parent_process() is not None:
        # A forked child of multiprocessing ends by os._exit, after its own kind of exit handlers; ours is the last.
        util.Finalize(None, _leave, exitpriority=-100)
    return outbox


def _leave() -> None:
    """Empties the outbox. What later exit handlers still send goes out at once, as no thread will come for it."""
    global _leaving  # noqa: PLW0603
    _leaving = True
    close()


def _after_fork() -> None:
    """The child builds its own; what waits in the copy is the parent's to send."""
    global _outlet, _building  # noqa: PLW0603
    _outlet = None
    _building = threading.RLock()  # another thread of the parent may have held it


class _Seldom(logging.Filter):
    """Lets one complaint through a minute: without an Agent the library would write several each second."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + 60
        return True


logging.getLogger("datadog.dogstatsd").addFilter(_Seldom())
os.register_at_fork(after_in_child=_after_fork)
# Registered on import, so that it comes after the handlers of those who use it, and what they count is sent too.
atexit.register(_leave)
