"""Hands mails to the workers, once what they tell of is committed."""

from __future__ import annotations

import logging
from functools import partial
from http import HTTPStatus
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from shop.errors import Problem

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 30

# Mails are few, and a caller waits: three seconds at most, also for a broker that is frozen.
CONNECT_TIMEOUT_S = 1
LIMITS = {"amqp": {"read_timeout": 2, "write_timeout": 2}, "redis": {"socket_timeout": 2, "socket_connect_timeout": 1}}


# Any: Celery's tasks and their arguments are not typed.
def ask(task: Any, *args: Any) -> None:
    """For what is nothing but a mail: raises a 503 where nobody would send it. The same for every address."""
    try:
        _hand_over(task, args)
    except (OperationalError, OSError) as error:
        logger.warning("No mail can be asked for: the broker is away (%s).", type(error).__name__)
        raise Away from error


def tell(task: Any, *args: Any) -> None:
    """For a mail about what is done: where nobody takes it, it is lost, and said so in the log."""
    transaction.on_commit(partial(_tell, task, *args))


def _tell(task: Any, *args: Any) -> None:
    try:
        _hand_over(task, args)
    except (OperationalError, OSError) as error:
        logger.error("%s was lost: the broker is away (%s).", task.name, type(error).__name__)


def _hand_over(task: Any, args: tuple[Any, ...]) -> None:
    """On a connection of its own: kombu's pooled ones reconnect for six seconds, whatever the task's policy says."""
    with current_app.connection_for_write(connect_timeout=CONNECT_TIMEOUT_S) as connection:
        limits: dict[str, int] = LIMITS.get(connection.get_transport_cls().driver_type, {})
        connection.transport_options = (connection.transport_options or {}) | limits | {"max_retries": 0}
        task.apply_async(args, connection=connection, retry=False)


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
