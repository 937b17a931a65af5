"""Batches that could not be sent wait here as files, under the id they were first sent with."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ip_tracking.event import Event
from ip_tracking.record.message import Message, NotSent, pack, unpack
from metrics import catalogue, emit

logger = logging.getLogger(__name__)

# A quiet process writes a small file every five seconds, so that ten of them fill this in more than an hour; a busy one
# writes batches of 1,000 events, so that this is some 2 GB at the very most.
MOST_FILES = 10_000

SUFFIX = ".json"
ASIDE = ".broken"


@dataclass(slots=True)
class Rewritten:
    """What came of going through all that waits."""

    events: int = 0  # that were changed or taken out
    in_hand: int = 0  # files that another process was just sending
    unreadable: list[Path] = field(default_factory=list)


class Spool:
    """A directory shared by the processes of a host. A file is claimed by locking it: one sender each.

    The lock ends with its process, so that what a killed one was sending needs no taking back.
    """

    def __init__(self, directory: str, most_files: int = MOST_FILES) -> None:
        self._directory = Path(directory) if directory else None
        self._most_files = most_files

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
        return sorted(self._files(), key=_written)

    def sizes(self) -> list[int]:
        """The size of each file to send, in bytes."""
        return [size for size in map(_size, self._files()) if size is not None]

    def send(self, deliver: Callable[[str, Message], None], go_on: Callable[[], bool] = lambda: True) -> None:
        """Sends batches, oldest first, while `go_on`. NotSent leaves a batch where it was, and the others for later."""
        for path in self.waiting():
            with _claimed(path) as file:
                if file is not None:
                    self._send(path, file, deliver)
            if not go_on():
                return

    def rewrite(self, change: Callable[[Event], Event | None], *, dry_run: bool = False) -> Rewritten:
        """Changes each event that waits here, or takes it out where `change` returns None; each batch keeps its id.

        Raises OSError where this process may not, instead of finding nothing.
        """
        done = Rewritten()
        if self._directory is None or not self._directory.is_dir():
            return done
        if not os.access(self._directory, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(f"{self._directory} cannot be read and written")
        for path in sorted(self._directory.iterdir()):
            if path.suffix not in (SUFFIX, ASIDE):  # what a killed process was writing
                done.unreadable.append(path)
                continue
            with _claimed(path) as file:
                if file is None:
                    done.in_hand += path.exists()
                else:
                    self._rewrite(path, file, change, done, dry_run=dry_run)
        return done

    def _rewrite(
        self, path: Path, file: TextIO, change: Callable[[Event], Event | None], done: Rewritten, *, dry_run: bool
    ) -> None:
        try:
            before = unpack(json.load(file))
        except (ValueError, LookupError, TypeError, AttributeError):
            done.unreadable.append(path)
            return
        after = [change(event) for event in before]
        changed = sum(one is not other for one, other in zip(before, after, strict=True))
        done.events += changed
        if changed and not dry_run:
            self._replace(path, [event for event in after if event is not None])

    def _replace(self, path: Path, events: list[Event]) -> None:
        """As old as before, and the same user's: it must be sent in its turn, by whoever wrote it."""
        if not events:
            path.unlink()
            return
        self._write(path, pack(events), like=path.stat())

    @staticmethod
    def _send(path: Path, file: TextIO, deliver: Callable[[str, Message], None]) -> None:
        try:
            deliver(path.stem, json.load(file))
        except NotSent:
            raise
        except Exception:  # it would stand in the way of all others for ever
            logger.exception("A spooled batch cannot be sent; it is kept as %s", path.with_suffix(ASIDE))
            path.rename(path.with_suffix(ASIDE))
        else:
            path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        if self._directory is None or not self._directory.is_dir():
            return []
        return list(self._directory.glob(f"*{SUFFIX}"))

    def _make_room(self) -> None:
        if len(self._files()) < self._most_files:
            return
        files = self.waiting()
        for path in files[: len(files) + 1 - self._most_files]:
            lost = _events_in(path)
            try:
                path.unlink()
            except FileNotFoundError:  # sent or dropped by another process meanwhile
                continue
            emit.count(catalogue.EVENTS_DROPPED, lost, reason="spool_full")

    @staticmethod
    def _write(path: Path, message: Message, like: os.stat_result | None = None) -> None:
        """Whole or not at all: a reader never sees half a file."""
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(message, file)
            if like is not None:
                os.chown(name, like.st_uid, like.st_gid)
                os.utime(name, ns=(like.st_atime_ns, like.st_mtime_ns))
            Path(name).rename(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def _claimed(path: Path) -> Iterator[TextIO | None]:
    """Gives the file while it is locked, None where another process has it or has sent it already."""
    try:
        file = path.open(encoding="utf-8")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # Between the opening and the lock it may have been sent and removed, put aside, or written anew.
        yield file if _is_still(path, file) else None


def _is_still(path: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:  # sent meanwhile
        return None


def _events_in(path: Path) -> int:
    try:
        return len(json.loads(path.read_text("utf-8"))["events"])
    except (OSError, ValueError, LookupError):
        return 0
