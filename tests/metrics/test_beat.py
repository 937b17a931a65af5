"""When Beat had to send a task, from each kind of timetable."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.beat import ScheduleEntry
from celery.schedules import crontab, schedule
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from metrics import beat
from sentinel.celery import app

CLOSE_S = 5  # the test itself takes a moment


def ago(**long: float) -> datetime:
    return datetime.now(UTC) - timedelta(**long)


def entry(when: Any, last_run_at: datetime) -> ScheduleEntry:
    return ScheduleEntry(name="tick", task="tick", schedule=when, last_run_at=last_run_at, app=app)


def row(last_run_at: datetime, **fields: Any) -> ModelEntry:
    return ModelEntry(PeriodicTask.objects.create(name="tick", task="tick", last_run_at=last_run_at, **fields), app=app)


def test_an_interval_is_due_from_the_last_time_on() -> None:
    due = beat.due(entry(schedule(timedelta(seconds=30), app=app), ago(seconds=100)), app)

    assert due == pytest.approx(time.time() - 70, abs=CLOSE_S)


def test_what_was_never_late_is_due_now() -> None:
    due = beat.due(entry(schedule(timedelta(seconds=30), app=app), ago(seconds=29)), app)

    assert due == pytest.approx(time.time(), abs=CLOSE_S)


def test_a_time_of_day_is_due_since_the_first_one_that_was_missed() -> None:
    last = datetime.now(UTC).replace(minute=10, second=0, microsecond=0) - timedelta(hours=5)

    due = beat.due(entry(crontab(minute="5", app=app), last), app)

    assert due == pytest.approx((last + timedelta(minutes=55)).timestamp(), abs=CLOSE_S)


@pytest.mark.django_db
def test_the_databases_timetables_are_understood() -> None:
    every = IntervalSchedule.objects.create(every=30, period="seconds")
    hourly = CrontabSchedule.objects.create(minute="5", timezone="Asia/Kolkata")
    last = datetime.now(UTC).replace(minute=50, second=0, microsecond=0) - timedelta(hours=5)

    assert beat.due(row(ago(seconds=100), interval=every), app) == pytest.approx(time.time() - 70, abs=CLOSE_S)
    PeriodicTask.objects.all().delete()
    # India's hours begin at half past.
    assert beat.due(row(last, crontab=hourly), app) == pytest.approx(
        (last + timedelta(minutes=45)).timestamp(), abs=CLOSE_S
    )


@pytest.mark.django_db
def test_an_entry_of_the_database_is_not_late_before_its_start() -> None:
    every = IntervalSchedule.objects.create(every=1, period="days")
    start = ago(minutes=2)

    due = beat.due(row(ago(days=365 * 30), interval=every, start_time=start), app)

    assert due == start.timestamp()


class Broken:
    def remaining_estimate(self, last: datetime) -> timedelta:
        raise ZeroDivisionError


def test_a_timetable_that_cannot_say_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    broken = entry(schedule(timedelta(seconds=30), app=app), ago(seconds=100))
    broken.name, broken.schedule = "broken", Broken()

    with caplog.at_level(logging.WARNING):
        assert beat.due(broken, app) is None
        assert beat.due(broken, app) is None

    assert caplog.text.count("How late Beat is with 'broken' is not known.") == 1
