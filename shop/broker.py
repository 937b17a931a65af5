"""How a request hands a task to the workers: three seconds at most, also to a broker that is frozen or away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError

CONNECT_TIMEOUT_S = 1
LIMITS = {"amqp": {"read_timeout": 2, "write_timeout": 2}, "redis": {"socket_timeout": 2, "socket_connect_timeout": 1}}

# What `hand_over` raises where nobody took it.
AWAY = (OperationalError, OSError)


# `Any`: Celery's tasks and signatures and their arguments are not typed.
def hand_over(task: Any, args: Sequence[Any] = ()) -> None:
    """On a connection of its own: kombu's pooled ones reconnect for six seconds, whatever the task's policy says."""
    with current_app.connection_for_write(connect_timeout=CONNECT_TIMEOUT_S) as connection:
        limits: dict[str, int] = LIMITS.get(connection.get_transport_cls().driver_type, {})
        connection.transport_options = (connection.transport_options or {}) | limits | {"max_retries": 0}
        task.apply_async(tuple(args), connection=connection, retry=False)
