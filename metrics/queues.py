"""How many messages wait in each of the broker's queues, RabbitMQ's or Redis', asked over one connection."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from celery.app.routes import MapRoute
from kombu.exceptions import OperationalError

from metrics import emit
from metrics.catalogue import QUEUE, QUEUE_LENGTH, QUEUE_READINGS, UNACKED

logger = logging.getLogger(__name__)

# A broker that hangs holds a worker for no longer. The options are each driver's own.
CONNECT_TIMEOUT_S = 1
TIMEOUTS: dict[str, dict[str, float]] = {
    "amqp": {"read_timeout": 2, "write_timeout": 2},
    "redis": {"socket_timeout": 2, "socket_connect_timeout": 1},
}
# Without it kombu tries again for six seconds, whatever else is said.
NO_RETRIES = {"max_retries": 0}
NOT_FOUND = 404

# Any, in this file: Celery's application, kombu's connections and channels are not typed.


def export(app: Any) -> None:
    """Sends the length of every queue that the application's configuration names."""
    connection = _connection(app)
    try:
        with connection:
            for name, length in _lengths(connection, names(app)):
                emit.gauge(QUEUE_LENGTH, length, queue=name)
            _send_unacked(connection)
    except (OperationalError, OSError, *connection.connection_errors, *connection.channel_errors) as error:
        logger.warning("The broker does not say how long its queues are: %s: %s", type(error).__name__, error)
        emit.count(QUEUE_READINGS, outcome="error")
    else:
        emit.count(QUEUE_READINGS, outcome="ok")


def names(app: Any) -> list[str]:
    """Returns the queues of task_queues, of task_routes but for routers that are functions, and the default one."""
    known = {str(name) for name in app.amqp.Queues(app.conf.task_queues)} | {str(app.conf.task_default_queue)}
    routers: list[Any] = [router for router in app.amqp.routes if isinstance(router, MapRoute)]
    for router in routers:
        known |= {_queue_of(route) for route in (*router.map.values(), *router.patterns.values())}
    # More than the tag may name would all be one and the same gauge.
    return sorted(known - {""})[: QUEUE.most]


def _queue_of(route: Any) -> str:
    queue = route.get("queue", "") if isinstance(route, Mapping) else route
    return str(getattr(queue, "name", queue))


def _connection(app: Any) -> Any:
    connection = app.connection_for_read(connect_timeout=CONNECT_TIMEOUT_S)
    # Over the project's own options, which say where the queues are (a key prefix, a sentinel's master).
    limits = TIMEOUTS.get(connection.get_transport_cls().driver_type, {})
    connection.transport_options = (connection.transport_options or {}) | limits | NO_RETRIES
    return connection


def _lengths(connection: Any, queues: list[str]) -> Iterator[tuple[str, int]]:
    """A queue that there is not, as nobody waited at it yet, is empty."""
    channel = connection.default_channel
    # kombu 5.7 looks for a passively declared queue without its global_keyprefix, and finds none. Declaring one in
    # Redis writes nothing there.
    passive = not _is_redis(connection)
    for name in queues:
        try:
            length = channel.queue_declare(name, passive=passive).message_count
        except connection.channel_errors as error:
            if error.reply_code != NOT_FOUND:
                raise
            length, channel = 0, connection.channel()  # RabbitMQ closed the other
        yield name, length


def _send_unacked(connection: Any) -> None:
    """RabbitMQ tells of these in its management interface only."""
    if _is_redis(connection):
        channel = connection.default_channel
        with channel.conn_or_acquire() as client:
            emit.gauge(UNACKED, client.hlen(channel.unacked_key))


def _is_redis(connection: Any) -> bool:
    return bool(connection.transport.driver_type == "redis")
