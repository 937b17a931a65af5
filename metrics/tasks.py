"""What Beat runs of this app."""

from __future__ import annotations

from celery import current_app, shared_task

from metrics import queues, redis_stats


@shared_task(ignore_result=True)
def export_redis_stats() -> None:
    """Sends the hits and misses since the last run; two runs at once, or a repeated one, count nothing twice."""
    redis_stats.export()


@shared_task(ignore_result=True)
def export_queue_lengths() -> None:
    """Sends how many messages wait in each queue; two runs at once say the same twice."""
    queues.export(current_app)
