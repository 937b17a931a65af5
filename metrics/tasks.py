"""What Beat runs of this app."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from celery import current_app, shared_task

from metrics import queues, service_checks
from metrics.redis_stats.export import export

# Beat sends the next one after a minute. One that nobody took by then would tell of the past, and after an outage all
# of them at once.
CHECK_WITHIN_S = 55


@shared_task(ignore_result=True)
def export_redis_stats() -> None:
    """Sends the hits and misses since the last run; two runs at once, or a repeated one, count nothing twice."""
    export()


@shared_task(bind=True, ignore_result=True, expires=CHECK_WITHIN_S)
def check_services(self: Any) -> None:  # Any: Celery's tasks are not typed
    """Sends how database, Redis and broker are, and that a worker runs what Beat sends."""
    service_checks.send(waited_s=_waited_s(self.request.expires, datetime.now(UTC)))


def _waited_s(expires: str | datetime | None, now: datetime) -> float:
    """How long ago the message was sent, by the time it carries; clocks may differ. 0 where it carries none."""
    if expires is None:
        return 0.0
    until = datetime.fromisoformat(expires) if isinstance(expires, str) else expires
    return (now - (until - timedelta(seconds=CHECK_WITHIN_S))).total_seconds()


@shared_task(ignore_result=True)
def export_queue_lengths() -> None:
    """Sends how many messages wait in each queue; two runs at once say the same twice."""
    queues.export(current_app)
