"""What is kept of a task that failed for good: enough to see why, and nothing of what was sent to it but keys.

An exception quotes what it could not take (a row, an address), so its text is kept without quotes and addresses, and
the traceback without the texts.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from celery.exceptions import Reject
from django.db import DatabaseError, connection, transaction
from django.db import Error as AnyDatabaseError
from django.utils import timezone

from shop.failures.models import FailedTask
from shop.unseen import spelled_out

logger = logging.getLogger(__name__)

KEPT = timedelta(days=30)
# Of one task, in an hour. A task that fails four times a second says nothing new, and metrics count it.
MOST_AN_HOUR = 100

HIDDEN = "..."
# A mail address; and of a server's, its name and password.
ADDRESS = re.compile(r"[^\s@<>'\"/]+@[^\s@<>'\"]+")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")

# A cause has a cause: as many as a person would read.
MOST_CAUSES = 5
TRACEBACK_CHARS = 20_000


# `Any`, here and below: Celery's signals, tasks and their arguments are not typed.
def remember(
    sender: Any, task_id: str, exception: BaseException, args: Any = None, kwargs: Any = None, **_: object
) -> None:
    """Celery's `task_failure`: for each task that fails and is not tried again, wherever it ran."""
    if isinstance(exception, Reject):  # it goes elsewhere, as it wanted
        return
    try:
        with transaction.atomic():
            _keep(sender, task_id, exception, args or (), kwargs or {}, timezone.now())
    except DatabaseError as error:
        logger.warning("The failure of %s is in the log only: %s.", sender.name, type(error).__name__)
    finally:
        # It may be the process that forks the others: none of them shall share a connection.
        if not connection.in_atomic_block:
            connection.close()


def remove_old(now: datetime) -> int:
    return FailedTask.objects.filter(failed_at__lt=now - KEPT).delete()[0]


def _keep(
    task: Any, task_id: str, exception: BaseException, args: Sequence[Any], kwargs: Mapping[str, Any], now: datetime
) -> None:
    if FailedTask.objects.filter(name=task.name, failed_at__gt=now - timedelta(hours=1)).count() >= MOST_AN_HOUR:
        return
    may_run = getattr(task, "run_again", False)
    FailedTask.objects.update_or_create(
        task_id=task_id,
        defaults={
            "name": task.name[:200],
            "arguments": _arguments(args, kwargs, open_texts=may_run),
            "call": [list(args), dict(kwargs)] if may_run else None,
            "error": _error(exception, [*args, *kwargs.values()]),
            "traceback": _frames(exception)[-TRACEBACK_CHARS:],
            "retries": getattr(task.request, "retries", 0) or 0,
            "failed_at": now,
            "run_again_at": None,
            "run_again_by": None,
        },
    )


def _arguments(args: Sequence[Any], kwargs: Mapping[str, Any], *, open_texts: bool) -> str:
    shown = [_argument(value, open_texts) for value in args]
    shown += [f"{name}={_argument(value, open_texts)}" for name, value in kwargs.items()]
    return ", ".join(shown)[:300]


def _argument(value: Any, open_texts: bool) -> str:
    if value is None or isinstance(value, bool | int | float) or (open_texts and isinstance(value, str)):
        return spelled_out(repr(value))
    return f"{type(value).__name__} {HIDDEN}"


def _error(exception: BaseException, given: Sequence[Any]) -> str:
    """Returns the type, and the first line of what it says: databases quote the row in the second."""
    text = str(exception).partition("\n")[0]
    for value in given:
        if isinstance(value, str) and len(value) > 2:
            text = text.replace(value, HIDDEN)
    if isinstance(exception, AnyDatabaseError):
        text = QUOTED.sub(HIDDEN, text)
    text = ADDRESS.sub(HIDDEN, text)
    return spelled_out(f"{type(exception).__qualname__}: {text}" if text else type(exception).__qualname__)[:400]


def _frames(exception: BaseException) -> str:
    parts = []
    for each in _causes(exception):
        frames = "".join(traceback.format_tb(each.__traceback__))
        parts.append(f"{frames}{type(each).__qualname__}")
    return "\n\nwhich led to:\n\n".join(reversed(parts))


def _causes(exception: BaseException | None) -> Iterator[BaseException]:
    for _ in range(MOST_CAUSES):
        if exception is None:
            return
        yield exception
        exception = exception.__cause__ or (None if exception.__suppress_context__ else exception.__context__)
