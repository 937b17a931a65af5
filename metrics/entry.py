"""What an entry of the catalogue says: the kinds of numbers there are, and the tags that they may carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Also the names of the methods of `emit` and of the library's client behind it.
Type = Literal["count", "gauge", "distribution"]


# eq=False, in this file: entries are compared and hashed by identity, which is what the hot path needs.
@dataclass(frozen=True, slots=True, eq=False)
class Tag:
    """A key, and which values it may have: those of a closed set, or so many that the project itself names."""

    key: str
    meaning: str
    # None: names of the project's own, such as its routes. Never what a client sent.
    values: frozenset[str] | None = None
    # Past so many in a process a value is sent as `other`, as each costs a series. METRICS["MAX_TAG_VALUES"] says more.
    most: int = 200


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    name: str
    type: Type
    unit: str
    meaning: str
    tags: tuple[Tag, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(tag.key for tag in self.tags)


@dataclass(frozen=True, slots=True, eq=False)
class ServiceCheck:
    """OK, a warning, or critical: what Datadog keeps as a state, not as a number."""

    name: str
    meaning: str
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """Something rare that explains a change in the numbers: a line over the charts. Its text may name a network."""

    name: str
    meaning: str
    tags: tuple[Tag, ...] = ()


def closed(key: str, meaning: str, *values: str) -> Tag:
    """Returns a tag with these values and no others."""
    return Tag(key, meaning, frozenset(values), len(values))
