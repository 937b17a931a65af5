"""What a project puts into its own Beat is what `migrate` puts into ours."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import Task
from celery.schedules import crontab, maybe_schedule
from django.conf import settings
from django.utils.module_loading import import_string
from django_celery_beat.models import PeriodicTask

from ip_tracking.schedule import ROWS, SCHEDULE


@pytest.mark.django_db
def test_beat_elsewhere_sends_the_same_at_the_same_times() -> None:
    ours = {row.task: moments(row.schedule) for row in PeriodicTask.objects.filter(name__in=settings.SCHEDULE)}

    theirs = {row["task"]: moments(maybe_schedule(row["schedule"])) for row in SCHEDULE.values()}

    assert theirs == {task: when for task, when in ours.items() if not task.startswith("shop.")}


def moments(schedule: crontab | object) -> object:
    """Beat's own crontab has a time zone, which a comparison would look at."""
    if isinstance(schedule, crontab):
        return schedule.minute, schedule.hour, schedule.day_of_week, schedule.day_of_month, schedule.month_of_year
    run_every: timedelta = schedule.run_every  # type: ignore[attr-defined]
    return run_every


def test_what_beat_is_to_send_there_is() -> None:
    assert all(isinstance(import_string(row["task"]), Task) for row in settings.SCHEDULE.values())
    assert len(SCHEDULE) == len(ROWS)
