from __future__ import annotations

from importlib.util import find_spec

from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "metrics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from metrics import checks, datadog_checks  # noqa: F401 - registers them

        if find_spec("celery"):
            from metrics import celery_stats  # noqa: F401 - connects itself
