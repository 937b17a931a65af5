"""A DogStatsD receiver for the tests, written from the protocol (version 1.6), not from the client we send with.

It reads what arrived, line by line, and holds every metric against the catalogue.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from metrics import catalogue
from metrics.entry import Metric

TYPES = {"c": "count", "g": "gauge", "d": "distribution", "h": "histogram", "ms": "timer", "s": "set"}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")
TAG = re.compile(r"[A-Za-z][A-Za-z0-9_\-:./]*")
EVENT = re.compile(r"_e\{(\d+),(\d+)\}:")
# What the client adds to every metric from DD_ENV, DD_SERVICE and DD_VERSION.
CONSTANT_TAGS = {"env", "service", "version"}


@dataclass(frozen=True)
class Sample:
    name: str
    type: str
    values: tuple[float, ...]
    tags: dict[str, str] = field(default_factory=dict)
    rate: float = 1.0
    container: str = ""
    external: str = ""
    cardinality: str = ""
    timestamp: int | None = None


@dataclass(frozen=True)
class Event:
    title: str
    text: str
    tags: dict[str, str]
    key: str = ""
    source: str = ""


@dataclass(frozen=True)
class ServiceCheck:
    name: str
    status: int
    tags: dict[str, str]
    message: str = ""


Message = Sample | Event | ServiceCheck


def parse(datagram: bytes) -> list[Message]:
    """Returns the messages of one datagram; raises ValueError where it does not follow the protocol."""
    return [_message(line) for line in datagram.decode().split("\n") if line]


def _message(line: str) -> Message:
    if line.startswith("_e{"):
        return _event(line)
    if line.startswith("_sc|"):
        _, name, status, *rest = line.split("|")
        if status not in {"0", "1", "2", "3"} or not NAME.fullmatch(name):
            raise ValueError(f"not a service check: {line!r}")
        return ServiceCheck(name, int(status), _tags_of(rest), _field(rest, "m:").replace("\\n", "\n"))
    return _sample(line)


def _event(line: str) -> Event:
    head = EVENT.match(line)
    if head is None:
        raise ValueError(f"not an event: {line!r}")
    body = line[head.end() :].encode()
    title_bytes, text_bytes = int(head[1]), int(head[2])
    title, text = body[:title_bytes], body[title_bytes + 1 : title_bytes + 1 + text_bytes]
    rest = body[title_bytes + 1 + text_bytes :].decode()
    if body[title_bytes : title_bytes + 1] != b"|" or (rest and not rest.startswith("|")):
        raise ValueError(f"lengths do not fit: {line!r}")
    if len(line) > 8 * 1024:
        raise ValueError(f"more than 8 kB: {line[:100]!r}")
    fields = rest.split("|")
    shown = text.decode().replace("\\n", "\n")
    return Event(title.decode(), shown, _tags_of(fields), _field(fields, "k:"), _field(fields, "s:"))


def _sample(line: str) -> Sample:
    head, kind, *rest = line.split("|")
    name, _, values = head.partition(":")
    if not NAME.fullmatch(name):
        raise ValueError(f"not a name: {line!r}")
    if kind not in TYPES:
        raise ValueError(f"not a type: {line!r}")
    fields: dict[str, str] = {}
    for part in rest:
        key = next((key for key in ("@", "#", "c:", "e:", "card:", "T") if part.startswith(key)), None)
        if key is None or key in fields:
            raise ValueError(f"not a field, or given twice: {part!r} in {line!r}")
        fields[key] = part[len(key) :]
    return Sample(
        name=name,
        type=TYPES[kind],
        values=tuple(_number(value) for value in values.split(":")),
        tags=_tags(fields.get("#", "")),
        rate=float(fields.get("@", "1")),
        container=fields.get("c:", ""),
        external=fields.get("e:", ""),
        cardinality=fields.get("card:", ""),
        timestamp=int(fields["T"]) if "T" in fields else None,
    )


def _number(text: str) -> float:
    if not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text):
        raise ValueError(f"not a number: {text!r}")
    return float(text)


def _field(parts: list[str], key: str) -> str:
    return next((part[len(key) :] for part in parts if part.startswith(key)), "")


def _tags_of(parts: list[str]) -> dict[str, str]:
    return _tags(next((part[1:] for part in parts if part.startswith("#")), ""))


def _tags(text: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    for tag in filter(None, text.split(",")):
        key, _, value = tag.partition(":")
        if not TAG.fullmatch(tag) or len(tag) > 200 or key in tags:
            raise ValueError(f"not a tag, or given twice: {tag!r} in {text!r}")
        tags[key] = value
    return tags


def check(message: Message, namespace: str = "sentinel") -> None:
    """Fails unless the catalogue holds this metric, check or event, with this type and these tags and values."""
    entry = _entry(message, namespace)
    tags = {key: value for key, value in message.tags.items() if key not in CONSTANT_TAGS}
    if isinstance(message, Event):
        tags.pop("event")
    assert tags.keys() == {tag.key for tag in entry.tags}, f"{entry.name} was sent with {message.tags}"
    for tag in entry.tags:
        assert tags[tag.key], f"{entry.name} was sent with an empty tag: {message.tags}"
        assert tag.values is None or tags[tag.key] in tag.values, f"{entry.name} was sent with {message.tags}"


def _entry(message: Message, namespace: str) -> Metric | catalogue.ServiceCheck | catalogue.Event:
    if isinstance(message, Event):
        return next(entry for entry in catalogue.EVENTS if entry.name == message.tags["event"])
    known = {f"{namespace}.{entry.name}": entry for entry in (*catalogue.ALL, *catalogue.CHECKS)}
    assert message.name in known, f"{message.name} is not in the catalogue"
    entry = known[message.name]
    sent_as = message.type if isinstance(message, Sample) else "check"
    assert sent_as == (entry.type if isinstance(entry, Metric) else "check"), f"{message.name} was sent as a {sent_as}"
    return entry


class Receiver:
    """Stands where the Agent would, and like it reads at once.

    What was sent before a `read()` is in its answer: a local socket holds it from the moment it is sent.
    """

    def __init__(self, listening: socket.socket, url: str) -> None:
        self._socket = listening
        self._datagrams: list[bytes] = []
        self._reading = threading.Lock()
        self.environ = {"DD_DOGSTATSD_URL": url}

    def read(self) -> list[Message]:
        """Returns everything that arrived so far, each metric held against the catalogue."""
        self._take()
        messages = [message for datagram in list(self._datagrams) for message in parse(datagram)]
        for message in messages:
            check(message)
        return messages

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

    def samples(self, metric: catalogue.Metric, **tags: str) -> list[Sample]:
        """Returns what arrived of a metric, with these tags at least."""
        return [
            message
            for message in self.read()
            if isinstance(message, Sample)
            and message.name == f"sentinel.{metric.name}"
            and tags.items() <= message.tags.items()
        ]

    def values(self, metric: catalogue.Metric, **tags: str) -> list[float]:
        return [value for sample in self.samples(metric, **tags) for value in sample.values]

    def total(self, metric: catalogue.Metric, **tags: str) -> float:
        return sum(self.values(metric, **tags))

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
