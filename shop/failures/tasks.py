from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from shop.failures import remembering
from shop.tries import PATIENT, RUN_AGAIN


@shared_task(name="shop.failures.tasks.remove_old", **PATIENT, **RUN_AGAIN)
def remove_old() -> str:
    return f"removed {remembering.remove_old(timezone.now())}"
