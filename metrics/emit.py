"""Numbers out: `count(REQUESTS, route=..., method=..., status_class=...)`. Costs microseconds, waits for nothing.
States and events go the same way: `check(REDIS_CONNECTS, OK, ...)`, `event(DECISION, "Blocked 203.0.113.9", ...)`.

A call that does not fit the catalogue raises where METRICS["STRICT"] is on, and elsewhere is dropped, counted and told
once in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import isfinite

from django.core.signals import setting_changed
from django.dispatch import receiver

from metrics import catalogue, client, names
from metrics.entry import Event, Metric, ServiceCheck, Tag, Type
from metrics.outbox import Check, Happening, Notice, Series

logger = logging.getLogger(__name__)

# One count and one distribution with three tags each, per pair, on CPython 3.11: in a tight loop (best of fifteen), and
# within a request of the benchmark (median, mean), where little of the path is warm:
#   these functions                          1.3 us    3.0, 4.4 us    (0.4 us when switched off)
#   the same calling the library at once     3.7 us    9.7, 14 us
_KNOWN = frozenset({*catalogue.ALL, *catalogue.CHECKS, *catalogue.EVENTS})
_NUMBERS = frozenset({int, float})
# Already checked, by type, metric and tags. Emptied when full: a few microseconds to fill again.
_CACHE_SIZE = 4096
_checked: dict[tuple[object, ...], Series] = {}
_told: set[str] = set()

# The states of a service check, as the protocol numbers them.
OK, WARNING, CRITICAL, UNKNOWN = range(4)
# Of an event, in bytes. The client raises past eight kilobytes for the whole of it.
TITLE_BYTES, TEXT_BYTES = 100, 4_000


class CatalogueError(ValueError):
    """The call does not fit the catalogue; `reason` is of a closed set."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def count(metric: Metric, value: float = 1, **tags: str) -> None:
    """Adds to how often something happened."""
    _emit("count", metric, value, tags)


def distribution(metric: Metric, value: float, **tags: str) -> None:
    """Gives one sample, for percentiles over all hosts."""
    _emit("distribution", metric, value, tags)


def gauge(metric: Metric, value: float, **tags: str) -> None:
    """Says how much there is now. For one process only: of several, the last one heard wins."""
    _emit("gauge", metric, value, tags)


def check(entry: ServiceCheck, status: int, message: str = "", **tags: str) -> None:
    """Says how something is: OK, WARNING, CRITICAL or UNKNOWN. For one process only, as a gauge."""

    def made() -> Check:
        if status not in {OK, WARNING, CRITICAL, UNKNOWN}:
            raise CatalogueError("value", f"{entry.name}: {status!r:.50} is no status, which are 0 to 3")
        # The protocol has no escape for its bar: behind one, an error's text could name tags and a host of its own.
        return Check(entry.name, status, _cut(message.replace("|", "/"), TITLE_BYTES), _tags_of(entry, tags))

    _tell(entry, made)


def event(entry: Event, title: str, text: str, *, key: str = "", **tags: str) -> None:
    """Tells of what explains a change in the numbers. Events of one `key` are shown as one."""

    def made() -> Happening:
        named = (f"event:{entry.name}", *_tags_of(entry, tags))
        shown = _cut(title, TITLE_BYTES) or entry.name  # the Agent drops what has no title
        return Happening(shown, _cut(text, TEXT_BYTES), key and names.clean(key), named)

    _tell(entry, made)


def flush() -> None:
    """Sends what is waiting: for a process that ends without running exit handlers (the end of an ASGI lifespan)."""
    client.flush()


def _emit(kind: Type, metric: Metric, value: float, tags: dict[str, str]) -> None:
    outlet = client.outlet()
    if outlet.outbox is None and not outlet.strict:
        return
    try:
        series = _checked.get((kind, metric, *tags, *tags.values())) or _check(kind, metric, tags)
        if type(value) not in _NUMBERS or not isfinite(value):
            raise CatalogueError("value", f"{metric.name}: {value!r:.50} is not a finite number")
    except (CatalogueError, TypeError, OverflowError) as wrong:  # TypeError: a tag's value without a hash
        _refuse(metric, wrong, outlet)
        return
    if outlet.outbox is not None:
        outlet.outbox.put(series, value)


def _tell(entry: ServiceCheck | Event, made: Callable[[], Notice]) -> None:
    outlet = client.outlet()
    if outlet.outbox is None and not outlet.strict:
        return
    try:
        notice = made()
    except (CatalogueError, TypeError, AttributeError) as wrong:  # AttributeError: a text that is none
        _refuse(entry, wrong, outlet)
        return
    if outlet.outbox is not None:
        outlet.outbox.tell(notice)


def _check(kind: Type, metric: Metric, tags: dict[str, str]) -> Series:
    if metric in _KNOWN and metric.type != kind:
        raise CatalogueError("type", f"{metric.name} is a {metric.type}, not a {kind}")
    series = Series(kind, metric.name, _tags_of(metric, tags))
    if max(map(len, tags.values()), default=0) <= names.TAG_LENGTH:  # else somebody else's megabytes would stay
        if len(_checked) >= _CACHE_SIZE:
            _checked.clear()
        _checked[kind, metric, *tags, *tags.values()] = series
    return series


def _tags_of(entry: Metric | ServiceCheck | Event, tags: dict[str, str]) -> tuple[str, ...]:
    """Returns the tags for the wire, in the catalogue's order."""
    if entry not in _KNOWN:
        raise CatalogueError("metric", f"{entry!r:.100} is not in the catalogue")
    keys = tuple(tag.key for tag in entry.tags)
    if tags.keys() != set(keys):
        raise CatalogueError("tags", f"{entry.name} has the tags {keys}, not {tuple(tags)}")
    return tuple(_tag(entry.name, tag, tags[tag.key]) for tag in entry.tags)


def _tag(name: str, tag: Tag, value: str) -> str:
    if not isinstance(value, str):
        raise CatalogueError("tag_value", f"{name}: the tag {tag.key} is a {type(value).__name__}, not a string")
    if tag.values is not None and value not in tag.values:
        raise CatalogueError("tag_value", f"{name}: the tag {tag.key} is {value!r:.50}, none of {sorted(tag.values)}")
    return names.tag(tag, value)


def _cut(text: str, most_bytes: int) -> str:
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")


def _refuse(entry: Metric | ServiceCheck | Event, wrong: Exception, outlet: client.Outlet) -> None:
    """Raises where strict; elsewhere tells each mistake once, and counts it."""
    if outlet.strict:
        raise wrong
    reason = wrong.reason if isinstance(wrong, CatalogueError) else "unusable"
    message = str(wrong)
    if message not in _told and len(_told) < 100:
        _told.add(message)
        logger.error("Metric dropped (%s): %s", reason, message)
    count(catalogue.EMIT_DROPPED, reason=reason)


@receiver(setting_changed)
def _forget(*, setting: str, **_: object) -> None:
    if setting in {"METRICS", "DEBUG"}:
        client.close()
        names.forget()
        _checked.clear()
