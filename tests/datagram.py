"""What a DogStatsD datagram says, read strictly by Datadog's own document of the protocol, versions 1.0 to 1.6.

It knows neither the client we send with nor the catalogue. Stricter than the Agent in what can only be a mistake: the
Agent skips a field it does not know, a second one of a kind, an empty tag. Here they are errors.
https://docs.datadoghq.com/extend/dogstatsd/datagram_shell/
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

TYPES = {"c": "count", "g": "gauge", "d": "distribution", "h": "histogram", "ms": "timer", "s": "set"}
SAMPLED = {"count", "distribution", "histogram", "timer"}
TIMED = {"count", "gauge"}
# The Agent reads so much of a datagram by default (dogstatsd_buffer_size) and drops what is longer.
DATAGRAM_BYTES = 8_192
# Datadog keeps so much of a name and of a tag.
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,199}")
TAG = re.compile(r"[A-Za-z][A-Za-z0-9_\-:./]{0,199}")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
EVENT = re.compile(rb"_e\{([0-9]+),([0-9]+)\}:")
# 1.4 marks an id by ci- and an inode by in-; a bare id, as in 1.2, is still taken.
CONTAINER = re.compile(r"ci-[0-9A-Za-z_-]+|in-[0-9]+|ci-[0-9A-Za-z_-]+,in-[0-9]+|(?!ci-|in-)[0-9A-Za-z_-]+")
EXTERNAL = re.compile(r"(it-(true|false)|cn-[^,|]+|pu-[^,|]+)(,(it-(true|false)|cn-[^,|]+|pu-[^,|]+))*")


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
    # Of a set, which has this instead of values.
    member: str = ""

    @property
    def total(self) -> float:
        """What was counted: a client that sends one in so many says so by the rate."""
        return sum(self.values) / self.rate


@dataclass(frozen=True)
class Event:
    title: str
    text: str
    tags: dict[str, str]
    key: str = ""
    source: str = ""
    priority: str = "normal"
    alert: str = "info"
    host: str = ""
    timestamp: int | None = None


@dataclass(frozen=True)
class ServiceCheck:
    name: str
    status: int
    tags: dict[str, str]
    message: str = ""
    host: str = ""
    timestamp: int | None = None


Message = Sample | Event | ServiceCheck


def parse(datagram: bytes, now: float | None = None) -> list[Message]:
    """Returns the messages of one datagram; raises ValueError where it does not follow the protocol."""
    if len(datagram) > DATAGRAM_BYTES:
        raise ValueError(f"a datagram of {len(datagram)} bytes: more than {DATAGRAM_BYTES}")
    now = time.time() if now is None else now
    return [_message(line, now) for line in datagram.split(b"\n") if line]


def _message(line: bytes, now: float) -> Message:
    try:
        return _read(line, now)
    except ValueError as wrong:  # or what is no UTF-8
        raise ValueError(f"{wrong} in {line[:200]!r}") from wrong


def _read(line: bytes, now: float) -> Message:
    if line.startswith(b"_e{"):
        return _event(line)
    text = line.decode()
    return _service_check(text) if text.startswith("_sc|") else _sample(text, now)


def _sample(line: str, now: float) -> Sample:
    head, *rest = line.split("|")
    name, colon, values = head.partition(":")
    if not NAME.fullmatch(name) or not colon:
        _wrong("name and value")
    kind = TYPES.get(rest[0] if rest else "") or _wrong("type")
    read = _fields(rest[1:], SAMPLE_FIELDS)
    if "rate" in read and kind not in SAMPLED:
        _wrong(f"rate: a {kind} has none")
    if "timestamp" in read and (kind not in TIMED or not 0 < read["timestamp"] <= now):
        _wrong("time: it is for counts and gauges, and of the past")
    if kind == "set":  # the one type whose values are not packed: a colon is part of it
        return Sample(name, kind, (), member=values or _wrong("value"), **read)
    return Sample(name, kind, tuple(_number(value) for value in values.split(":")), **read)


def _event(line: bytes) -> Event:
    head = EVENT.match(line) or _wrong("event")
    title_end = head.end() + int(head[1])
    text_end = title_end + 1 + int(head[2])
    title, bar, text = line[head.end() : title_end], line[title_end : title_end + 1], line[title_end + 1 : text_end]
    rest = line[text_end:]
    if not title or bar != b"|" or len(line) < text_end or (rest and not rest.startswith(b"|")):
        _wrong("lengths in bytes")
    read = _fields(rest.decode().split("|")[1:], EVENT_FIELDS)
    return Event(_unescaped(title.decode()), _unescaped(text.decode()), read.pop("tags", {}), **_seen(read))


def _service_check(line: str) -> ServiceCheck:
    _, name, *rest = line.split("|")
    if not name or not rest or rest[0] not in {"0", "1", "2", "3"}:
        _wrong("service check")
    # The document names no field after the message. The Agent takes an origin there, and the client puts it there.
    after = [part for part in rest[1:] if not part.startswith(("c:", "e:", "card:"))]
    if any(part.startswith("m:") for part in after[:-1]):
        _wrong("order: the message is the last field")
    read = _fields(rest[1:], CHECK_FIELDS)
    return ServiceCheck(name, int(rest[0]), read.pop("tags", {}), **_seen(read))


# Any, here and below: each field is of its own type, as its reader makes it.
Reader = Callable[[str], Any]


def _fields(parts: list[str], readers: dict[str, tuple[str, Reader]]) -> dict[str, Any]:
    """Reads `@0.5`, `#a:b` and so on, each at most once."""
    found: dict[str, Any] = {}
    for part in parts:
        key = next((key for key in readers if part.startswith(key)), None) or _wrong(f"field {part!r}")
        name, read = readers[key]
        if name in found:
            _wrong(f"field {part!r}, given twice")
        found[name] = read(part[len(key) :])
    return found


def _seen(read: dict[str, Any]) -> dict[str, Any]:
    """Without the origin, which nobody asks an event or a check for."""
    return {name: value for name, value in read.items() if name not in {"container", "external", "cardinality"}}


def _rate(text: str) -> float:
    # The document says from 0 on. But a number that was sent cannot be one of none.
    return found if 0 < (found := _number(text)) <= 1 else _wrong(f"rate {text!r}")


def _number(text: str) -> float:
    return float(text) if NUMBER.fullmatch(text) else _wrong(f"number {text!r}")


def _time(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]+", text) else _wrong(f"time {text!r}")


def _tags(text: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    for tag in text.split(","):
        key, _, value = tag.partition(":")
        if not TAG.fullmatch(tag) or key in tags:
            _wrong(f"tag {tag!r}, or given twice")
        tags[key] = value
    return tags


def _matching(what: str, pattern: re.Pattern[str]) -> Reader:
    return lambda text: text if pattern.fullmatch(text) else _wrong(f"{what} {text!r}")


def _one_of(*words: str) -> Reader:
    return lambda text: text if text in words else _wrong(f"word {text!r}, none of {words}")


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n")


def _message_text(text: str) -> str:
    # `m:` within it is escaped, or it would begin another.
    return _unescaped(text).replace("m\\:", "m:")


def _wrong(what: str) -> NoReturn:
    raise ValueError(f"wrong {what}")


ORIGIN_FIELDS: dict[str, tuple[str, Reader]] = {
    "card:": ("cardinality", _one_of("none", "low", "orchestrator", "high")),  # before c:, of which it is none
    "c:": ("container", _matching("container", CONTAINER)),
    "e:": ("external", _matching("external data", EXTERNAL)),
    "#": ("tags", _tags),
}
SAMPLE_FIELDS = ORIGIN_FIELDS | {"@": ("rate", _rate), "T": ("timestamp", _time)}
PLACED_FIELDS = ORIGIN_FIELDS | {"d:": ("timestamp", _time), "h:": ("host", str)}
CHECK_FIELDS = PLACED_FIELDS | {"m:": ("message", _message_text)}
EVENT_FIELDS = PLACED_FIELDS | {
    "k:": ("key", str),
    "p:": ("priority", _one_of("normal", "low")),
    "s:": ("source", str),
    "t:": ("alert", _one_of("error", "warning", "info", "success")),
}
