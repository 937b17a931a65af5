"""Wiring. The Celery application is loaded here, so that `@shared_task` finds it in every process."""

from sentinel.celery import app as celery_app

__all__ = ["celery_app"]
