"""What the project does at its start. The periodic tasks of `settings.SCHEDULE` are put into Beat's database once: from
then on the admin owns them.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import Tags, register
from django.db import connection
from django.db.models.signals import post_migrate

from sentinel.checks import every_text_fits
from sentinel.logs import tell_uncaught


class SentinelConfig(AppConfig):
    name = "sentinel"

    def ready(self) -> None:
        tell_uncaught()
        register(every_text_fits, Tags.database)
        # Beat's own signal: an app without models, as this one, is sent none.
        beat = apps.get_app_config("django_celery_beat")
        post_migrate.connect(install_schedule, sender=beat, dispatch_uid="sentinel.schedule")


def install_schedule(**_: Any) -> None:
    """Adds what is missing by name; what somebody changed or switched off in the admin stays as it is."""
    beat: Any = apps.get_app_config("django_celery_beat")
    if beat.get_model("PeriodicTask")._meta.db_table not in connection.introspection.table_names():
        return  # only another app was migrated: Beat's turn will come
    tasks = beat.get_model("PeriodicTask").objects
    at = beat.get_model("CrontabSchedule").objects
    every = beat.get_model("IntervalSchedule").objects
    schedule: Any = settings.SCHEDULE
    for name, entry in schedule.items():
        if tasks.filter(name=name).exists():
            continue
        if "minute" in entry:
            when: dict[str, Any] = {
                "crontab": at.get_or_create(minute=entry["minute"], hour=entry.get("hour", "*"), timezone="UTC")[0]
            }
        else:
            when = {"interval": every.get_or_create(every=entry["every_s"], period="seconds")[0]}
        tasks.create(name=name, task=entry["task"], description=entry["why"], **when)
