"""What the application says about itself: one JSON object per line, or text for a person at a terminal.

A line names the route and the request, never what the caller sent: no address, path, query, body or token. The request
log keeps those, with its own rules about who may read them and for how long.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from celery import current_task

from ip_tracking.visit import current

# Loggers of libraries whose warnings quote what came from outside: whole messages, addresses, request lines.
QUOTING = ("gunicorn.error", "celery.app.trace", "celery.worker.consumer", "django.security")

# A cause has a cause: as many as a person would read.
MOST_CAUSES = 5

# C0, DEL and C1: what moves a terminal's cursor, rings its bell or begins an escape sequence. U+2028 and U+2029 break
# lines for some readers, U+202A to U+2069 let text run backwards over what stands before it, a lone surrogate cannot be
# written at all.
CONTROLS = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for first, last in ((0, 31), (127, 159), (0x2028, 0x202E), (0x2066, 0x2069), (0xD800, 0xDFFF))
    for code in range(first, last + 1)
}

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class WorthALine(logging.Filter):
    """Drops what callers can cause at will: answers of 4xx, and requests that are not even HTTP."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "gunicorn.error" and str(record.msg).startswith("Invalid request"):
            return False
        status = _status(record)
        return status is None or status >= 500


class JsonFormatter(logging.Formatter):
    """One line, one object. Names as Datadog and most log stores expect them."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
            **context_of(record),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = describe(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """The same for a terminal: control characters are shown, not obeyed."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone()
        context = "".join(f" {name}={value}" for name, value in context_of(record).items())
        line = f"{at:%H:%M:%S} {record.levelname:<7} {record.name}: {message_of(record)}{context}".translate(CONTROLS)
        if record.exc_info and record.exc_info[0] is not None:
            line += "\n" + describe(record.exc_info)["traceback"]
        return line


def message_of(record: logging.LogRecord) -> str:
    """Returns the message without what a caller sent."""
    status = _status(record)
    if status is not None:
        return f"Answered {status}"  # Django's own text holds the path
    task = getattr(record, "data", None)
    if record.name == "celery.app.trace" and isinstance(task, dict):
        return f"Task {task.get('name')} {task.get('description', 'failed')}"
    if record.levelno >= logging.WARNING and record.name.startswith(QUOTING):
        return _without_quotes(record)
    return record.getMessage()


def context_of(record: logging.LogRecord) -> dict[str, str]:
    """Returns which request and which task the line belongs to, where it belongs to one."""
    found: dict[str, str] = {}
    visit = current.get()
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    if visit is not None:
        found["request_id"] = visit.request_id
    route = match.view_name if match is not None else visit.route if visit is not None else ""
    if route or _status(record) is not None:
        found["route"] = route or "unresolved"
    if current_task:
        found |= {"task": current_task.name, "task_id": current_task.request.id or ""}
    return found


def describe(info: ExceptionInfo | tuple[None, None, None]) -> dict[str, str]:
    """Returns an exception's type and where it was raised, causes first.

    Its text is left out: a database quotes the row it refused, a parser the line it could not read.
    """
    chain = list(_causes(info[1]))
    parts = []
    for exception in reversed(chain):
        frames = "".join(traceback.StackSummary.extract(traceback.walk_tb(exception.__traceback__)).format())
        parts.append(f"{frames}{_name(exception)}")
    return {"type": _name(chain[0]), "traceback": "\n\nwhich led to:\n\n".join(parts)}


def _causes(exception: BaseException | None) -> Iterator[BaseException]:
    for _ in range(MOST_CAUSES):
        if exception is None:
            return
        yield exception
        exception = exception.__cause__ or (None if exception.__suppress_context__ else exception.__context__)


def _name(exception: BaseException) -> str:
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _status(record: logging.LogRecord) -> int | None:
    """Returns the status of an answer Django logs: such a record carries its request."""
    status = getattr(record, "status_code", None)
    return status if isinstance(status, int) and hasattr(record, "request") else None


def _without_quotes(record: logging.LogRecord) -> str:
    """The first line of the template, with the numbers and the kinds of exceptions that were put into it."""
    if not isinstance(record.args, tuple) or isinstance(record.msg, BaseException):
        return str(type(record.msg).__name__) if isinstance(record.msg, BaseException) else _first_line(record.msg)
    shown = tuple(_harmless(argument) for argument in record.args)
    try:
        return _first_line(str(record.msg) % shown) if shown else _first_line(record.msg)
    except (TypeError, ValueError):
        return _first_line(record.msg)


def _harmless(argument: object) -> object:
    if isinstance(argument, BaseException):
        return _name(argument)
    return argument if isinstance(argument, int | float) else "..."


def _first_line(text: object) -> str:
    return str(text).partition("\n")[0]
