"""The project's Celery application. Tasks are found in each app's tasks.py."""

from __future__ import annotations

import logging
import os
from typing import Any

from billiard.process import current_process
from celery import Celery
from celery.signals import beat_embedded_init, setup_logging, task_retry

from sentinel.run.parent import never_outlive

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sentinel.settings")

app = Celery("sentinel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def leave_logging_to_django(**_: object) -> None:
    """Being connected is all: Celery then sets up none of its own, and settings.LOGGING holds in workers too."""


@beat_embedded_init.connect
def end_with_the_worker(**_: object) -> None:
    """A Beat inside a worker (`worker -B`) that missed its one SIGTERM would go on alone, beside the next run's."""
    never_outlive(current_process()._parent_pid)  # type: ignore[attr-defined] # nothing public says it


# Any: Celery's signals are not typed.
@task_retry.connect
def tell_retry(sender: Any, request: Any, reason: Any, **_: object) -> None:
    """A line, but no error: an error it is when no retry is left, and is then told by Celery."""
    kind = type(reason.exc).__name__ if reason.exc is not None else "by itself"
    logger.warning("Task %s will be tried again (%s), after try %s.", sender.name, kind, request.retries + 1)
