"""Reads a socket in a process of its own, which no test keeps waiting. Run by itself, it is that process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Of a record in the file between the two: how many bytes follow.
HEAD_BYTES = 4
DEADLINE_S = 10


@contextmanager
def drained(listening: socket.socket) -> Iterator[Callable[[], list[bytes]]]:
    """Yields what to call for the datagrams that are new."""
    with tempfile.TemporaryFile() as file:
        number = listening.fileno()
        command = [sys.executable, __file__, str(number)]
        process = subprocess.Popen(command, pass_fds=[number], stdout=file, start_new_session=True)
        try:
            yield _Records(file.fileno(), listening).new
        finally:
            process.kill()
            process.wait()


class _Records:
    def __init__(self, file: int, listening: socket.socket) -> None:
        self._file = file
        self._listening = listening
        self._place = 0

    def new(self) -> list[bytes]:
        """Sends an empty datagram and reads as far as that: whatever was sent before stands before it."""
        with socket.socket(self._listening.family, socket.SOCK_DGRAM) as marking:
            marking.sendto(b"", self._listening.getsockname())
        found: list[bytes] = []
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            for datagram in self._whole():
                if not datagram:
                    return found
                found.append(datagram)
            time.sleep(0.002)
        raise AssertionError("the process that reads the socket reads no more")

    def _whole(self) -> Iterator[bytes]:
        while True:
            head = os.pread(self._file, HEAD_BYTES, self._place)
            length = int.from_bytes(head, "big")
            datagram = os.pread(self._file, length, self._place + HEAD_BYTES)
            if len(head) < HEAD_BYTES or len(datagram) < length:
                return
            self._place += HEAD_BYTES + length
            yield datagram


def main(number: int) -> None:
    listening = socket.socket(fileno=number)
    while True:
        datagram = listening.recv(65_536)
        os.write(1, len(datagram).to_bytes(HEAD_BYTES, "big") + datagram)


if __name__ == "__main__":
    main(int(sys.argv[1]))
