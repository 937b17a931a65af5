"""A DogStatsD receiver for the tests: it stands where the Agent would, and holds what arrived against the catalogue.

What a datagram says is read by tests/datagram.py, written from the protocol, not from the client we send with.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from metrics import catalogue, entry
from metrics.entry import Metric
from tests.datagram import Event, Message, Sample, ServiceCheck, parse

__all__ = ["Event", "Message", "Receiver", "Sample", "ServiceCheck", "check", "parse", "udp_receiver", "unix_receiver"]

# What the client adds to every metric from DD_ENV, DD_SERVICE and DD_VERSION.
CONSTANT_TAGS = {"env", "service", "version"}


def check(message: Message, namespace: str = "sentinel") -> None:
    """Fails unless the catalogue holds this metric, check or event, with this type and these tags and values."""
    known = _entry(message, namespace)
    tags = {key: value for key, value in message.tags.items() if key not in CONSTANT_TAGS}
    if isinstance(message, Event):
        tags.pop("event")
    assert tags.keys() == {tag.key for tag in known.tags}, f"{known.name} was sent with {message.tags}"
    for tag in known.tags:
        assert tags[tag.key], f"{known.name} was sent with an empty tag: {message.tags}"
        assert tag.values is None or tags[tag.key] in tag.values, f"{known.name} was sent with {message.tags}"


def _entry(message: Message, namespace: str) -> Metric | entry.ServiceCheck | entry.Event:
    if isinstance(message, Event):
        events = {event.name: event for event in catalogue.EVENTS}
        name = message.tags.get("event", "")
        assert name in events, f"{message.title!r} is no event of the catalogue: {message.tags}"
        return events[name]
    known = {f"{namespace}.{found.name}": found for found in (*catalogue.ALL, *catalogue.CHECKS)}
    assert message.name in known, f"{message.name} is not in the catalogue"
    found = known[message.name]
    sent_as = message.type if isinstance(message, Sample) else "check"
    assert sent_as == (found.type if isinstance(found, Metric) else "check"), f"{message.name} was sent as a {sent_as}"
    return found


class Receiver:
    """Stands where the Agent would, and like it reads at once.

    What was sent before a `read()` is in its answer: a local socket holds it from the moment it is sent.
    """

    def __init__(self, listening: socket.socket, url: str) -> None:
        self._socket = listening
        self._datagrams: list[bytes] = []
        self._messages: list[Message] = []
        self._parsed = 0  # of the datagrams
        self._reading, self._parsing = threading.Lock(), threading.Lock()
        self.environ = {"DD_DOGSTATSD_URL": url}

    def read(self) -> list[Message]:
        """Returns everything that arrived so far, each metric held against the catalogue."""
        self._take()
        with self._parsing:
            while self._parsed < len(self._datagrams):
                messages = parse(self._datagrams[self._parsed])
                for message in messages:
                    check(message)
                self._messages += messages
                self._parsed += 1
            return list(self._messages)

    @property
    def raw(self) -> bytes:
        self._take()
        return b"".join(self._datagrams)

    def serve(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if select.select([self._socket], [], [], 0.05)[0]:
                self._take()

    def _take(self) -> None:
        with self._reading, contextlib.suppress(BlockingIOError):
            while True:
                self._datagrams.append(self._socket.recv(65_536))

    def samples(self, metric: Metric, **tags: str) -> list[Sample]:
        """Returns what arrived of a metric, with these tags at least."""
        return [
            message
            for message in self.read()
            if isinstance(message, Sample)
            and message.name == f"sentinel.{metric.name}"
            and tags.items() <= message.tags.items()
        ]

    def values(self, metric: Metric, **tags: str) -> list[float]:
        return [value for sample in self.samples(metric, **tags) for value in sample.values]

    def total(self, metric: Metric, **tags: str) -> float:
        return sum(sample.total for sample in self.samples(metric, **tags))

    def wait_for(self, condition: Callable[[], bool], deadline_s: float = 10) -> None:
        """Waits for what another thread or process sends."""
        deadline = time.monotonic() + deadline_s
        while not condition():
            assert time.monotonic() < deadline, f"did not arrive in {deadline_s} s; there is {self.read()}"
            time.sleep(0.01)


@contextlib.contextmanager
def udp_receiver() -> Iterator[Receiver]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        with _served(listening, f"udp://127.0.0.1:{listening.getsockname()[1]}") as receiver:
            yield receiver


@contextlib.contextmanager
def unix_receiver(path: Path) -> Iterator[Receiver]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        with _served(listening, f"unix://{path}") as receiver:
            yield receiver


@contextlib.contextmanager
def _served(listening: socket.socket, url: str) -> Iterator[Receiver]:
    listening.setblocking(False)
    # A UDP datagram that finds the buffer full is lost; the kernel may give less than this.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
    receiver, stop = Receiver(listening, url), threading.Event()
    thread = threading.Thread(target=receiver.serve, args=(stop,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        stop.set()
        thread.join()
