"""What became of each task, how long it ran and how long it had waited: by Celery's own signals, in every pool.

Connected when Django starts, in every process, as whoever sends a task says in its headers when. Times of two hosts are
compared by their clocks.

A killed process of the pool whose task goes back to its queue (`reject_on_worker_lost`) is not seen: Celery sends no
signal for it. The task's next run is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any

from celery.exceptions import Reject, TimeLimitExceeded
from celery.signals import (
    before_task_publish,
    task_failure,
    task_postrun,
    task_prerun,
    task_rejected,
    task_retry,
    task_revoked,
    task_unknown,
    worker_process_shutdown,
    worker_shutdown,
)

from metrics import beat, client, emit
from metrics.catalogue import BEAT_LAG, TASK_DURATION, TASK_WAIT, TASKS

# Headers of a task's message, in seconds since the epoch.
SENT_AT = "metrics_sent_at"
DUE_AT = "metrics_due_at"

# On the request of a task that runs, and gone with it. A request without was never begun, or is the worker's own copy.
STARTED = "_metrics_started"

# By Celery's word.
STATES = {
    "SUCCESS": "success",
    "FAILURE": "failure",
    "RETRY": "retry",
    "REJECTED": "rejected",
    "IGNORED": "ignored",
}
# A name that no worker knows is somebody's mistake, or somebody's who can write into the broker.
UNKNOWN = "unknown"

# Any, in this file: Celery's tasks, requests and messages are not typed.


@before_task_publish.connect
def note_sent(headers: dict[str, Any], **_: object) -> None:
    headers[SENT_AT] = time.time()
    headers.pop(DUE_AT, None)  # a retry carries the headers of the first try
    if (due := beat.due_at.get()) is not None:
        headers[DUE_AT] = due


@task_prerun.connect
def begin(task: Any, **_: object) -> None:
    request = task.request
    setattr(request, STARTED, time.perf_counter())
    now, sent, due = time.time(), _seconds(request.get(SENT_AT)), _seconds(request.get(DUE_AT))
    if sent is not None:
        # Until its time has come it does not wait for a worker.
        waits_since = max(sent, _eta(request))
        emit.distribution(TASK_WAIT, max(0.0, now - waits_since), task=task.name, queue=_queue(task, request))
    if due is not None:
        emit.distribution(BEAT_LAG, max(0.0, now - due), task=task.name)


@task_postrun.connect
def end(task: Any, state: str | None, **_: object) -> None:
    request = task.request
    started = getattr(request, STARTED, None)
    if started is None or state is None:  # None: its process is being ended, and the worker tells why
        return
    tags = {"task": task.name, "queue": _queue(task, request), "state": STATES.get(state, "failure")}
    emit.count(TASKS, **tags)
    emit.distribution(TASK_DURATION, time.perf_counter() - started, **tags)


# What the worker itself says, of tasks that did not begin or whose process was lost. The signals of those that ran to
# their end come here too; `end` has counted them.


@task_failure.connect
def fail(sender: Any, task_id: str, exception: BaseException, **_: object) -> None:
    request = sender.request
    if hasattr(request, STARTED) or isinstance(exception, Reject):
        return
    if isinstance(exception, TimeLimitExceeded):
        # Told twice where it is not sent again: only the first time without its request.
        if request.id != task_id:
            _count(sender, request, "timeout")
        return
    _count(sender, request, "lost")


@task_retry.connect
def retry(sender: Any, request: Any, **_: object) -> None:
    if not hasattr(request, STARTED):
        _count(sender, request, "retry")


@task_revoked.connect
def revoke(sender: Any, request: Any, expired: bool, **_: object) -> None:
    _count(sender, request, "expired" if expired else "revoked")


@task_unknown.connect
def refuse_name(sender: Any, message: Any, **_: object) -> None:
    emit.count(TASKS, task=UNKNOWN, queue=_named(sender.app, message.delivery_info), state="unknown")


@task_rejected.connect
def refuse_message(sender: Any, message: Any, **_: object) -> None:
    emit.count(TASKS, task=UNKNOWN, queue=_named(sender.app, message.delivery_info), state="rejected")


# A process of a pool ends by os._exit: no exit handler runs there.
@worker_process_shutdown.connect
@worker_shutdown.connect
def flush(**_: object) -> None:
    client.flush()


def _count(task: Any, request: Any, state: str) -> None:
    emit.count(TASKS, task=task.name, queue=_queue(task, request), state=state)


def _queue(task: Any, request: Any) -> str:
    if request.delivery_info is None:  # where Celery does not say, the one that it is sent to
        return str(task.app.amqp.router.route({}, task.name)["queue"].name)
    return _named(task.app, request.delivery_info)


def _named(app: Any, delivered: Mapping[str, Any]) -> str:
    """Returns the queue's name; `other` for what came by a routing key of which no queue is known."""
    exchange, key = delivered.get("exchange") or "", delivered.get("routing_key") or ""
    if key in app.amqp.queues:  # the default exchange, and Celery's own direct ones
        return str(key)
    bound = (queue for queue in app.amqp.queues.values() if queue.exchange and queue.exchange.name == exchange)
    return next((str(queue.name) for queue in bound if queue.routing_key == key), "other")


def _eta(request: Any) -> float:
    try:
        return datetime.fromisoformat(request.eta).timestamp()
    except (TypeError, ValueError):
        return 0.0


def _seconds(value: object) -> float | None:
    """What a message says may be anything."""
    return float(value) if isinstance(value, int | float) and isfinite(value) else None
