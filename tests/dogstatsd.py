"""A DogStatsD receiver for the tests: it stands where the Agent would, and holds what arrived against the catalogue.

What a datagram says is read by tests/datagram.py, written from the protocol, not from the client we send with.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from metrics import catalogue, entry
from metrics.entry import Metric
from tests import drain
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

    def __init__(self, take: Callable[[], list[bytes]], url: str) -> None:
        self._take_new = take
        self._datagrams: list[bytes] = []
        self._messages: list[Message] = []
        self._samples: dict[str, list[Sample]] = defaultdict(list)
        self._parsed = 0  # of the datagrams
        self._taking, self._parsing = threading.Lock(), threading.Lock()
        self.environ = {"DD_DOGSTATSD_URL": url}

    def take(self) -> None:
        """Reads what has arrived. Not what it says: whoever waits for room must not wait for that."""
        with self._taking:
            self._datagrams += self._take_new()

    def read(self) -> list[Message]:
        """Returns everything that arrived so far, each metric held against the catalogue."""
        self._parse()
        return list(self._messages)

    def _parse(self) -> None:
        self.take()
        with self._parsing:
            while self._parsed < len(self._datagrams):
                messages = parse(self._datagrams[self._parsed])
                for message in messages:
                    check(message)
                self._messages += messages
                for message in messages:
                    if isinstance(message, Sample):
                        self._samples[message.name].append(message)
                self._parsed += 1

    @property
    def raw(self) -> bytes:
        self.take()
        return b"".join(self._datagrams)

    def samples(self, metric: Metric, **tags: str) -> list[Sample]:
        """Returns what arrived of a metric, with these tags at least."""
        self._parse()
        found = list(self._samples[f"sentinel.{metric.name}"])
        return [sample for sample in found if tags.items() <= sample.tags.items()]

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
def udp_receiver(*, apart: bool = False) -> Iterator[Receiver]:
    """Receives over UDP; `apart`, in a process of its own, that nothing this one does can keep waiting."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        with _served(listening, f"udp://127.0.0.1:{listening.getsockname()[1]}", apart) as receiver:
            yield receiver


@contextlib.contextmanager
def unix_receiver(path: Path, *, apart: bool = False) -> Iterator[Receiver]:
    """Receives on a unix socket; `apart` as above."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        with _served(listening, f"unix://{path}", apart) as receiver:
            yield receiver


@contextlib.contextmanager
def _served(listening: socket.socket, url: str, apart: bool) -> Iterator[Receiver]:
    # A UDP datagram that finds the buffer full is lost; the kernel may give less than this.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
    if apart:
        with drain.drained(listening) as take:
            yield Receiver(take, url)
        return
    listening.setblocking(False)
    receiver, stop = Receiver(lambda: list(arrived(listening)), url), threading.Event()

    def serve() -> None:
        while not stop.is_set():
            if select.select([listening], [], [], 0.05)[0]:
                receiver.take()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        stop.set()
        thread.join()


def arrived(listening: socket.socket) -> Iterator[bytes]:
    """What a socket that does not block holds now, datagram by datagram."""
    with contextlib.suppress(BlockingIOError):
        while True:
            yield listening.recv(65_536)
