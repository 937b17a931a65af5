"""Tasks that fail."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from celery import shared_task


@shared_task
def fails(said: str) -> None:
    raise ValueError(said)


@shared_task(bind=True, max_retries=2, default_retry_delay=0)
def fails_thrice(self: Any, said: str) -> None:
    try:
        raise ValueError(said)
    except ValueError as error:
        raise self.retry(exc=error) from error


@shared_task(time_limit=1, acks_late=False)
def hangs(said: str) -> None:
    time.sleep(60)


@shared_task(acks_late=False, reject_on_worker_lost=False)
def is_killed(said: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
