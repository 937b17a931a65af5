"""Batches that could not be sent wait here as files, under the id they were first sent with."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from ip_tracking.record.message import Message
from metrics import catalogue, emit

logger = logging.getLogger(__name__)

# About 10,000 batches of 200 events: hours of a busy shop, some 500 MB at the very most.
MOST_FILES = 10_000

SUFFIX = ".json"
CLAIMED = ".sending"


class Spool:
    """A directory shared by the processes of a host. A file is claimed by renaming it: one sender each."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory) if directory else None

    def keep(self, batch_id: str, message: Message) -> bool:
        """Writes a batch, past the bound instead of the oldest. Returns False where it could not be kept."""
        if self._directory is None:
            return False
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room()
            self._write(self._directory / f"{batch_id}{SUFFIX}", message)
        except OSError as error:
            logger.error("A batch of events could not be spooled: %s", error)
            return False
        emit.count(catalogue.BATCHES_SPOOLED)
        return True

    def waiting(self) -> list[Path]:
        """Returns the files to send, oldest first."""
        if self._directory is None or not self._directory.is_dir():
            return []
        return sorted(self._directory.glob(f"*{SUFFIX}"), key=_written)

    def send_one(self, send: Callable[[str, Message], None]) -> bool:
        """Sends the oldest batch; returns False when none waits. What `send` raises leaves the batch where it was."""
        for path in self.waiting():
            claimed = path.with_suffix(CLAIMED)
            try:
                path.rename(claimed)
            except OSError:  # another process was faster
                continue
            try:
                send(path.stem, json.loads(claimed.read_text("utf-8")))
            except ValueError:
                claimed.rename(path.with_suffix(".broken"))
                logger.error("A spooled batch cannot be read; it is kept as %s", path.with_suffix(".broken"))
                continue
            except BaseException:
                claimed.rename(path)
                raise
            claimed.unlink(missing_ok=True)
            return True
        return False

    def reclaim(self) -> None:
        """Takes back what a process that was killed had claimed. Sent twice is stored once: the id is the same."""
        if self._directory is not None and self._directory.is_dir():
            for path in self._directory.glob(f"*{CLAIMED}"):
                path.rename(path.with_suffix(SUFFIX))

    def _make_room(self) -> None:
        files = self.waiting()
        for path in files[: max(0, len(files) + 1 - MOST_FILES)]:
            lost = _events_in(path)
            path.unlink(missing_ok=True)
            emit.count(catalogue.EVENTS_DROPPED, lost, reason="spool_full")

    @staticmethod
    def _write(path: Path, message: Message) -> None:
        """Whole or not at all: a reader never sees half a file."""
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(message, file)
        Path(name).rename(path)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _events_in(path: Path) -> int:
    try:
        return len(json.loads(path.read_text("utf-8"))["events"])
    except (OSError, ValueError, LookupError):
        return 0
