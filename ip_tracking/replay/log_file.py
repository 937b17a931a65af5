"""A log file, plain or gzipped, or standard input, as lines of text. What cannot be read is refused by name."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

from ip_tracking.replay.formats import parse

STDIN = "-"
GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"
# Servers write at most some 24 KiB a line (request, referer, agent of 8 KiB each). The rest of a longer one is skipped,
# so that a file without line ends does not end up in memory.
LINE_BYTES = 65_536
SAMPLE_BYTES = 65_536


class UnreadableLog(Exception):
    """A file that is no log we can read; the text says what was wrong and what would be right."""


class LogFile:
    """One open log. `name` is what its lines are called after."""

    def __init__(self, name: str, raw: BinaryIO, size: int) -> None:
        self.name = name
        self.size = size  # bytes on disk, 0 where unknown
        self._raw = raw
        source = _buffered(raw)
        if source.peek(2)[:2] == GZIP:
            source = _buffered(cast("BinaryIO", gzip.GzipFile(fileobj=source)))
        self._source = source

    @property
    def position(self) -> int:
        """How far into the file on disk reading has come."""
        return self._raw.tell() if self.size else 0

    def lines(self) -> Iterator[str]:
        """Raises UnreadableLog where the file turns out to be empty, binary or broken."""
        try:
            self._refuse_binary()
            yield from self._lines()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            message = f"{self.name} is a damaged gzip file ({error}); copy it again, or unpack what is left"
            raise UnreadableLog(message) from error

    def _lines(self) -> Iterator[str]:
        line = self._source.readline(LINE_BYTES).removeprefix(BOM)
        if not line:
            raise UnreadableLog(f"{self.name} is empty; name a log with at least one line")
        while line:
            yield line.decode(errors="backslashreplace")
            while len(line) == LINE_BYTES and not line.endswith(b"\n"):
                line = self._source.readline(LINE_BYTES)
            line = self._source.readline(LINE_BYTES)

    def _refuse_binary(self) -> None:
        """A log may hold zeros (a rotation that truncates leaves them), but a binary file holds no line of a log."""
        sample = self._source.peek(SAMPLE_BYTES)
        if b"\0" not in sample:
            return
        if not any(parse(line.decode(errors="backslashreplace")) for line in sample.splitlines()):
            raise UnreadableLog(f"{self.name} is a binary file; name an access log, plain or gzipped")


def _buffered(stream: BinaryIO) -> BufferedReader:
    return BufferedReader(cast("RawIOBase", stream), SAMPLE_BYTES)  # only readinto() is asked of it, which all have


@contextmanager
def opened(path: str) -> Iterator[LogFile]:
    """Opens a log by its path, "-" being standard input. Raises UnreadableLog."""
    if path == STDIN:
        yield LogFile("stdin", cast("BinaryIO", sys.stdin.buffer), size=0)  # standard input is ours to read
        return
    refuse_impossible(path)
    with Path(path).open("rb", buffering=0) as raw:
        yield LogFile(path, cast("BinaryIO", raw), os.fstat(raw.fileno()).st_size)


def refuse_impossible(path: str) -> None:
    """Raises UnreadableLog for what can be seen without reading, so that nothing begins that cannot end."""
    if path == STDIN:
        return
    file = Path(path)
    if file.is_dir():
        raise UnreadableLog(f"{path} is a directory; name the files in it, such as {file / 'access.log'}")
    if not file.exists():
        raise UnreadableLog(f"{path} does not exist; name an access log, or - for standard input")
    if not os.access(file, os.R_OK):
        raise UnreadableLog(f"{path} may not be read by this user; run as one who may, or copy the file")
    if file.is_file() and not file.stat().st_size:
        raise UnreadableLog(f"{path} is empty; name a log with at least one line")
