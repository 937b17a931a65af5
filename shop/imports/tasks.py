"""What workers do for imports. Each may run twice, or two at once: one of them finds that another is at work."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from shop.broker import AWAY, hand_over
from shop.imports import running
from shop.tries import BRIEF, DATABASE, PATIENT, RUN_AGAIN

logger = logging.getLogger(__name__)


@shared_task(name="shop.imports.tasks.run_import", acks_late=True, reject_on_worker_lost=True, **PATIENT, **RUN_AGAIN)
def run_import(import_id: str) -> None:
    """A slice of it, then the next one as a task of its own: mails and orders have their turn between."""
    pk = UUID(import_id)
    try:
        more = running.work(pk, timezone.now())
    except DATABASE:
        raise  # tried again
    except Exception:
        running.fail(pk, timezone.now())
        raise
    if more:
        send(pk)


@shared_task(name="shop.imports.tasks.go_on", **BRIEF)
def go_on() -> str:
    """Sends again what nobody works on: its worker was killed, or its message lost."""
    left = running.left_alone(timezone.now())
    for pk in left:
        send(pk)
    return f"sent {len(left)}"


@shared_task(name="shop.imports.tasks.remove_old", **PATIENT, **RUN_AGAIN)
def remove_old() -> str:
    uploads, imports = running.remove_old(timezone.now())
    return f"removed {uploads} uploads, {imports} imports"


def send(pk: UUID) -> None:
    """Where the broker is away, `go_on` does it later."""
    try:
        hand_over(run_import, [str(pk)])
    except AWAY as error:
        logger.warning("Import %s waits: the broker is away (%s).", pk, type(error).__name__)
