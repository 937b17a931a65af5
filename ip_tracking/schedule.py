"""What Celery Beat is to send: `CELERY_BEAT_SCHEDULE |= schedule.SCHEDULE`. For settings, so it imports no Django.

Its tasks take the default queue; only `ip_tracking.tasks.store_events` wants one of its own.
"""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    # Five minutes past each hour, so that the last events of the hour have been stored.
    "sentinel-sweep": {"task": "ip_tracking.tasks.sweep_hours", "schedule": crontab(minute="5")},
    "sentinel-remove": {"task": "ip_tracking.tasks.remove_expired", "schedule": crontab(hour="3", minute="35")},
    "sentinel-gauges": {"task": "ip_tracking.tasks.report_gauges", "schedule": 60.0},
    "sentinel-redis": {"task": "metrics.tasks.export_redis_stats", "schedule": 30.0},
    "sentinel-services": {"task": "metrics.tasks.check_services", "schedule": 60.0},
    "sentinel-queues": {"task": "metrics.tasks.export_queue_lengths", "schedule": 30.0},
}
