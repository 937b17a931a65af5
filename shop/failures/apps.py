from __future__ import annotations

from django.apps import AppConfig


class FailuresConfig(AppConfig):
    name = "shop.failures"
    label = "failures"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Failed tasks"

    def ready(self) -> None:
        from celery.signals import task_failure

        from shop.failures import remembering

        task_failure.connect(remembering.remember, weak=False)
