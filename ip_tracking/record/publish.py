"""Sends a message to the broker, on a connection of its own that gives up within two seconds."""

from __future__ import annotations

from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError

from ip_tracking.record.message import Message, NotSent

TASK = "ip_tracking.tasks.store_events"

# Celery's defaults block for minutes on a frozen broker. Confirms: without them an accepted publish proves nothing.
OPTIONS: dict[str, dict[str, Any]] = {
    "amqp": {"confirm_publish": True, "read_timeout": 2, "write_timeout": 2},
    "redis": {"socket_timeout": 2, "socket_connect_timeout": 1},
}
# kombu's own reconnecting would take 6 s whatever the task's retry policy says.
NO_RETRIES = {"max_retries": 0}
CONNECT_TIMEOUT_S = 1


class Publisher:
    """Belongs to one thread of one process: a broker connection survives neither forks nor sharing."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._producer: Any = None

    def send(self, batch_id: str, message: Message) -> None:
        """Raises NotSent when the broker is away, slow or refuses."""
        self.call(TASK, [batch_id, message], batch_id)

    def call(self, task: str, args: list[Any], task_id: str) -> None:
        """Any task, as `send` does; raises NotSent."""
        try:
            if self._producer is None:
                self._connect()
            current_app.send_task(task, args=args, task_id=task_id, producer=self._producer, retry=False)
        except self._errors() as error:
            self.close()
            raise NotSent(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            connection.collapse() if hasattr(connection, "collapse") else connection.release()

    def _connect(self) -> None:
        connection = current_app.connection_for_write(connect_timeout=CONNECT_TIMEOUT_S)
        # Over the project's own options, which say where the queues are (a key prefix, a sentinel's master).
        limits = OPTIONS.get(connection.get_transport_cls().driver_type, {})
        connection.transport_options = (connection.transport_options or {}) | limits | NO_RETRIES
        self._connection = connection
        self._producer = current_app.amqp.Producer(connection, auto_declare=False)

    def _errors(self) -> tuple[type[Exception], ...]:
        if self._connection is None:
            return (OperationalError, OSError)
        return (OperationalError, OSError, *self._connection.connection_errors, *self._connection.channel_errors)
