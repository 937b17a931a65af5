"""What Datadog takes as a name and as a tag's value."""

from __future__ import annotations

import re

from metrics import conf
from metrics.entry import Tag

# Of one tag, `key:value`.
TAG_LENGTH = 200

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,99}")
_FOREIGN = re.compile(r"[^A-Za-z0-9_\-:./]+")
_values: dict[str, set[str]] = {}


def is_name(text: str) -> bool:
    """Tells whether Datadog takes the text as a metric's name without changing it."""
    return _NAME.fullmatch(text) is not None


def clean(text: str, room: int = TAG_LENGTH) -> str:
    """Returns what Datadog leaves of a text in a tag. Cut first: a value of megabytes costs no more than another."""
    return _FOREIGN.sub("_", text[:room]).rstrip("_") or "none"


def tag(tag: Tag, value: str) -> str:
    """Returns `key:value` for the wire; a value past the number allowed for its key becomes `other`."""
    return f"{tag.key}:{_counted(tag, clean(value, TAG_LENGTH - len(tag.key) - 1))}"


def _counted(tag: Tag, value: str) -> str:
    known = _values.setdefault(tag.key, set())
    if value in known or tag.values is not None:
        return value
    if len(known) >= conf.current().max_tag_values.get(tag.key, tag.most):
        return "other"
    # Two threads here at once may pass the number by one each: it protects a bill, not a limit.
    known.add(value)
    return value


def forget() -> None:
    """Begins the count of values anew."""
    _values.clear()
