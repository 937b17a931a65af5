"""What Celery Beat is to send: `CELERY_BEAT_SCHEDULE |= schedule.SCHEDULE`. For settings, so it imports no Django.

Its tasks take the default queue; only `ip_tracking.tasks.store_events` wants one of its own.
"""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

# By the name that people read: each day or hour at a UTC time, or every so many seconds; `entry` is Celery's own name.
ROWS: dict[str, dict[str, Any]] = {
    "Sweep the log for what no single client shows": {
        "entry": "sentinel-sweep",
        "task": "ip_tracking.tasks.sweep_hours",
        "minute": "5",
        "why": "Five minutes past each hour, so that the last events of the hour have been stored.",
    },
    "Remove what is past its time": {
        "entry": "sentinel-remove",
        "task": "ip_tracking.tasks.remove_expired",
        "hour": "3",
        "minute": "35",
        "why": "Once a night: the request log by days, then evidence, cases and what was written about them.",
    },
    "Report what waits to be examined and reviewed": {
        "entry": "sentinel-gauges",
        "task": "ip_tracking.tasks.report_gauges",
        "every_s": 60,
        "why": "The ages of the oldest batch and case, and how many cases there are: a few queries by indexes.",
    },
    "Export Redis statistics": {
        "entry": "sentinel-redis",
        "task": "metrics.tasks.export_redis_stats",
        "every_s": 30,
        "why": "Hits and misses as deltas, and their ratio over this window.",
    },
    "Check the services": {
        "entry": "sentinel-services",
        "task": "metrics.tasks.check_services",
        "every_s": 60,
        "why": "Whether database, Redis and broker answer, and by running at all, that Beat and a worker do.",
    },
    "Export the lengths of the queues": {
        "entry": "sentinel-queues",
        "task": "metrics.tasks.export_queue_lengths",
        "every_s": 30,
        "why": "How many messages wait for a worker: one or two connections to the broker each time.",
    },
}


def _when(row: dict[str, Any]) -> crontab | float:
    return crontab(minute=row["minute"], hour=row.get("hour", "*")) if "minute" in row else float(row["every_s"])


SCHEDULE: dict[str, dict[str, Any]] = {
    row["entry"]: {"task": row["task"], "schedule": _when(row)} for row in ROWS.values()
}
