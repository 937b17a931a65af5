"""The `datadog` library's client: one per process, built at the first use, emptied at the end.

The library reads its environment when the client is built: DD_AGENT_HOST, DD_DOGSTATSD_PORT or DD_DOGSTATSD_URL say
where the Agent is; DD_ENV, DD_SERVICE, DD_VERSION and DATADOG_TAGS are added to every metric.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from dataclasses import dataclass

from datadog.dogstatsd.base import DogStatsd

from metrics import conf

logger = logging.getLogger(__name__)

# Not the Agent's ten seconds: what waits here is lost with a process that is killed.
FLUSH_INTERVAL_S = 0.3
# Packets waiting for a slow socket or resolver; past them the oldest go. 512 of 1,432 bytes are 0.7 MB.
QUEUE_PACKETS = 512
# How long the sending thread waits for room in the Agent's socket. A unix socket takes ten packets before the Agent
# must read one; without any wait, a burst of more would be lost.
SEND_TIMEOUT_S = 0.1
# How long an ending process waits for the last packets: an Agent on the same host needs a millisecond.
END_DEADLINE_S = 1.0


@dataclass(frozen=True, slots=True)
class Outlet:
    dog: DogStatsd | None  # None: switched off
    strict: bool


_outlet: Outlet | None = None
_building = threading.Lock()
_leaving = False


def outlet() -> Outlet:
    """Returns where this process sends to."""
    return _outlet or _open()


def flush() -> None:
    """Sends what is waiting; waits for it, but not long."""
    if _outlet is not None and _outlet.dog is not None:
        _empty(_outlet.dog)


def close() -> None:
    """Sends what is waiting and forgets the client: the next use builds another, from the environment of then."""
    global _outlet
    old, _outlet = _outlet, None
    if old is None or old.dog is None:
        return
    _empty(old.dog)
    old.dog.stop(END_DEADLINE_S)


def _open() -> Outlet:
    global _outlet  # noqa: PLW0603 - one client per process is the subject of this file
    with _building:
        if _outlet is None:
            _outlet = Outlet(dog=_build(), strict=conf.current().strict)
        return _outlet


def _build() -> DogStatsd | None:
    # The library's own words for "off". It would still gather, and wake a thread, for nothing.
    if os.environ.get("DD_DOGSTATSD_DISABLE") in {"True", "true", "yes", "1"}:
        return None
    settings = conf.current()
    try:
        return DogStatsd(
            namespace=settings.namespace,
            disable_buffering=_leaving,
            disable_aggregation=_leaving,
            flush_interval=FLUSH_INTERVAL_S,
            disable_telemetry=not settings.telemetry,
            origin_detection_enabled=False,
            # A thread of its own sends: without it, the request that fills a packet would look up the Agent's name and
            # write to the socket, and the others would wait for it.
            disable_background_sender=_leaving,
            socket_timeout=0 if _leaving else SEND_TIMEOUT_S,
            sender_queue_size=QUEUE_PACKETS,
            sender_queue_timeout=0,
            # The library's fork hooks would make each fork wait for the next flush, and start the parent's client anew
            # in the child with the parent's half-gathered counts: sent twice. `_after_fork` is ours.
            track_instance=False,
        )
    except (RuntimeError, OSError, ValueError):  # no thread to be had, a broken environment
        logger.exception("No metrics will be sent by this process.")
        return None


def _empty(dog: DogStatsd) -> None:
    dog.flush_aggregated_metrics()
    dog.wait_for_pending(END_DEADLINE_S)


def _leave() -> None:
    """Empties the client. What later exit handlers still send goes out at once, as no thread will come for it.

    What another thread is just handing to the old client may be lost: at most its one call.
    """
    global _leaving, _outlet  # noqa: PLW0603
    _leaving = True
    old, _outlet = _outlet, None
    if old is not None and old.dog is not None:
        _empty(old.dog)


def _after_fork() -> None:
    """The child builds its own; what waits in the copy is the parent's to send."""
    global _outlet, _building  # noqa: PLW0603
    _outlet = None
    _building = threading.Lock()  # another thread of the parent may have held it


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
