"""What runs in Celery: the export of Redis' numbers, and the end of a worker."""

from __future__ import annotations

from celery import shared_task
from celery.signals import worker_process_shutdown, worker_shutdown

from metrics import client, redis_stats


@shared_task(ignore_result=True)
def export_redis_stats() -> None:
    """Sends the hits and misses since the last run; two runs at once, or a repeated one, count nothing twice."""
    redis_stats.export()


# A worker's process ends by os._exit: no exit handler runs there.
@worker_process_shutdown.connect
@worker_shutdown.connect
def flush(**_: object) -> None:
    client.flush()
