"""Hands mails to the workers, once what they tell of is committed."""

from __future__ import annotations

import logging
from functools import partial
from http import HTTPStatus
from typing import Any

from django.db import transaction

from shop.broker import AWAY, hand_over
from shop.errors import Problem

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 30


# Any: Celery's tasks and their arguments are not typed.
def ask(task: Any, *args: Any) -> None:
    """For what is nothing but a mail: raises a 503 where nobody would send it. The same for every address."""
    try:
        hand_over(task, args)
    except AWAY as error:
        logger.warning("No mail can be asked for: the broker is away (%s).", type(error).__name__)
        raise Away from error


def tell(task: Any, *args: Any) -> None:
    """For a mail about what is done: where nobody takes it, it is lost, and said so in the log."""
    transaction.on_commit(partial(_tell, task, *args))


def _tell(task: Any, *args: Any) -> None:
    try:
        hand_over(task, args)
    except AWAY as error:
        logger.error("%s was lost: the broker is away (%s).", task.name, type(error).__name__)


class Away(Problem):
    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "no-mail",
            "No mail can be sent",
            f"No mail can be sent just now. Ask again in {RETRY_AFTER_S} seconds.",
        )
        # Which REST framework tells as Retry-After.
        self.wait = RETRY_AFTER_S
