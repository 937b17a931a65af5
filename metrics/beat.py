"""When Beat had to send each task. Only Beat knows: it is told with the task, and the worker sees how late it is.

A Beat that was away sends what it missed when it is back, with the time from which it missed it. While it is away
nothing of this, nor any gauge, comes at all: what tells of a dead Beat is that it is silent.
"""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar
from typing import Any

from celery.signals import beat_init
from celery.utils.time import maybe_make_aware

logger = logging.getLogger(__name__)

# Of the entry that is being sent, in seconds since the epoch.
due_at: ContextVar[float | None] = ContextVar("due_at", default=None)

# The entries of which it was told that nothing is known.
_told: set[str] = set()

# Any, in this file: Celery's schedulers and their entries are not typed.


@beat_init.connect
def watch(sender: Any, **_: object) -> None:
    """Celery has a signal for a task that is sent, none that says of which entry: its scheduler is asked in passing."""
    scheduler = sender.scheduler
    apply_entry = scheduler.apply_entry

    def told(entry: Any, producer: Any = None) -> None:
        token = due_at.set(due(entry, scheduler.app))
        try:
            apply_entry(entry, producer=producer)
        finally:
            due_at.reset(token)

    scheduler.apply_entry = told


def due(entry: Any, app: Any) -> float | None:
    """Returns when an entry that is due was so first, in seconds since the epoch: from its last time, as Beat reckons.

    None where its schedule cannot say.
    """
    try:
        last = maybe_make_aware(entry.last_run_at).astimezone(app.timezone)
        late_s = -entry.schedule.remaining_estimate(last).total_seconds()
    except Exception:  # schedules are a project's own; whatever is wrong with one, its task must be sent
        if entry.name not in _told:
            _told.add(entry.name)
            logger.warning("How late Beat is with %r is not known.", entry.name, exc_info=True)
        return None
    since = time.time() - max(0.0, float(late_s))
    # The database's entries pretend to have run long before the time from which they are to.
    start = getattr(getattr(entry, "model", None), "start_time", None)
    return max(since, float(start.timestamp())) if start else since
