"""What the application says about itself: one JSON object per line, or text for a person at a terminal.

A line names the route and the request, never what the caller sent: no address, path, query, body or token. The request
log keeps those, with its own rules about who may read them and for how long.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, cast

from billiard.einfo import ExceptionWithTraceback  # type: ignore[attr-defined]  # the stubs lack it
from billiard.exceptions import TimeLimitExceeded
from celery import current_app, current_task

from ip_tracking.visit import current

logger = logging.getLogger(__name__)

# Who was taught to quote nothing. The warnings of all others do: whole messages, addresses, request lines, what an
# exception says.
OURS = ("ip_tracking", "metrics", "sentinel", "shop")
# And these already when all is well: each websocket with its address, each retry with its exception.
ALWAYS_QUOTING = ("uvicorn", "celery.worker.request")

# What they say of bytes that are no HTTP they understand.
NOT_HTTP = {
    "gunicorn.error": ("Invalid request",),
    "uvicorn.error": ("Invalid HTTP request", "Unsupported upgrade request", "No supported WebSocket library"),
}

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

# The same for a text of several lines.
TERMINAL = {code: shown for code, shown in CONTROLS.items() if code != ord("\n")}

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class WorthALine(logging.Filter):
    """Drops what callers can cause at will: answers of 4xx, and requests that are not even HTTP."""

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith(NOT_HTTP.get(record.name, "\0")) or _is_told_again(record):
            return False
        status = _status(record)
        return status is None or status >= 500


class Lines(logging.StreamHandler):  # type: ignore[type-arg]  # generic only in the stubs
    """Writes to stderr. Python's own prints all that was given to it where that makes no line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        kind = sys.exc_info()[0]
        with suppress(OSError, ValueError):  # closed, or nobody reads it any more
            self.stream.write(f"A line of {record.name} was lost ({kind.__name__ if kind else 'unknown'})\n")


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
    if record.name.startswith(ALWAYS_QUOTING) or (record.levelno >= logging.WARNING and not _is_ours(record.name)):
        return _without_quotes(record)
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # what was given does not fit the text
        return _first_line(record.msg)


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
    chain = list(_causes(cast("BaseException", _bare(info[1]))))
    parts = []
    for exception in reversed(chain):
        frames = "".join(traceback.StackSummary.extract(traceback.walk_tb(exception.__traceback__)).format())
        parts.append(f"{frames}{_name(exception)}")
    return {"type": _name(chain[0]), "traceback": "\n\nwhich led to:\n\n".join(parts)}


def tell_uncaught() -> None:
    """What leaves a command or a thread becomes a line as well: Python's own traceback would quote what it says.

    Who set other hooks (a debugger, a test runner) keeps them.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    if not isinstance(error, Exception):
        sys.__excepthook__(kind, error, frames)  # Ctrl-C
        return
    logger.critical("The process ends by an exception.", exc_info=(kind, error, frames))
    if sys.stderr is not None and sys.stderr.isatty():
        # Nobody's log: whoever typed the command may read what it says.
        sys.stderr.write("".join(traceback.format_exception_only(error)).translate(TERMINAL))


def _uncaught_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None and not isinstance(given.exc_value, SystemExit):
        info = (given.exc_type, given.exc_value, given.exc_traceback)
        logger.error("A thread ended by an exception.", exc_info=info)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in OURS


def _causes(exception: BaseException | None) -> Iterator[BaseException]:
    for _ in range(MOST_CAUSES):
        if exception is None:
            return
        yield exception
        exception = exception.__cause__ or (None if exception.__suppress_context__ else exception.__context__)


def _name(exception: BaseException) -> str:
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _is_told_again(record: logging.LogRecord) -> bool:
    """Celery has two lines for a task that took too long; the other one names it."""
    args = record.args if isinstance(record.args, tuple) else ()
    return record.name == "celery.worker.request" and any(isinstance(_bare(one), TimeLimitExceeded) for one in args)


def _bare(error: object) -> object:
    """What a worker's process sends to its parent has a wrapping."""
    return error.exc if isinstance(error, ExceptionWithTraceback) else error


def _status(record: logging.LogRecord) -> int | None:
    """Returns the status of an answer Django logs: such a record carries its request."""
    status = getattr(record, "status_code", None)
    return status if isinstance(status, int) and hasattr(record, "request") else None


def _without_quotes(record: logging.LogRecord) -> str:
    """The first line of the template, with the numbers and the kinds of exceptions that were put into it."""
    if isinstance(record.msg, BaseException):
        return _name(record.msg)
    if not isinstance(record.args, tuple):
        return _first_line(record.msg)
    shown = tuple(_harmless(argument) for argument in record.args)
    try:
        return _first_line(str(record.msg) % shown) if shown else _first_line(record.msg)
    except (TypeError, ValueError):
        return _first_line(record.msg)


class Shown(str):
    """Is the same by %s and by %r."""

    __slots__ = ()
    __repr__ = str.__str__


def _harmless(argument: object) -> object:
    bare = _bare(argument)
    if isinstance(bare, BaseException):
        return Shown(_name(bare))
    if isinstance(argument, int | float) or (isinstance(argument, str) and argument in current_app.tasks):
        return argument
    return Shown("...")


def _first_line(text: object) -> str:
    return str(text).partition("\n")[0]
