"""Counts what is logged as an error, in whatever process: a logging handler beside the one that writes the line.

LOGGING = {"handlers": {"errors": {"class": "metrics.errors.CountErrors"}}, "root": {"handlers": [..., "errors"]}, ...}
"""

from __future__ import annotations

import logging
import threading

from metrics import emit
from metrics.catalogue import ERRORS

# Those who send the counts. What they complain of is counted as emit.dropped; here it would come back to them, in the
# worst case with their own lock held.
SENDERS = ("datadog", "metrics.client", "metrics.dog", "metrics.emit", "metrics.names", "metrics.outbox")


class CountErrors(logging.Handler):
    """One for each line of level error or worse; none for Django's of 4xx, which callers can cause at will."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._here = threading.local()

    def handle(self, record: logging.LogRecord) -> bool:
        """Without a handler's lock: a thread that waits for it may hold the one that sending needs."""
        if getattr(self._here, "counting", False):
            return False  # whoever logs within the counting would be counted for ever
        self._here.counting = True
        try:
            if self.filter(record) and _counts(record):
                emit.count(ERRORS, logger=record.name.partition(".")[0], level=_level(record))
        except Exception:  # noqa: BLE001, S110 - before the settings are there, say: whoever logs must not fail by it
            pass
        finally:
            self._here.counting = False
        return True


def _counts(record: logging.LogRecord) -> bool:
    if record.name.startswith(SENDERS):
        return False
    status = getattr(record, "status_code", None)
    return not (isinstance(status, int) and status < 500)


def _level(record: logging.LogRecord) -> str:
    return "critical" if record.levelno >= logging.CRITICAL else "error"
