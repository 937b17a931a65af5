"""What a project puts into its own Beat is what ours sends."""

from __future__ import annotations

from datetime import timedelta

from celery.schedules import crontab
from django.conf import settings

from ip_tracking.schedule import SCHEDULE


def as_ours(entry: dict) -> object:
    if "minute" in entry:
        return crontab(minute=entry["minute"], hour=entry.get("hour", "*"))
    return timedelta(seconds=entry["every_s"])


def test_beat_elsewhere_sends_the_same_at_the_same_times():
    own = {entry["task"]: as_ours(entry) for entry in settings.SCHEDULE.values()}

    theirs = {
        row["task"]: row["schedule"] if isinstance(row["schedule"], crontab) else timedelta(seconds=row["schedule"])
        for row in SCHEDULE.values()
    }

    assert theirs == {task: when for task, when in own.items() if not task.startswith("shop.")}
