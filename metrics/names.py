"""What Datadog takes as a name and as a tag's value."""

from __future__ import annotations

import re

from metrics import conf

# Of one tag, `key:value`.
TAG_LENGTH = 200

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,99}")
_FOREIGN = re.compile(r"[^A-Za-z0-9_\-:./]+")
_values: dict[str, set[str]] = {}


def is_name(text: str) -> bool:
    """Tells whether Datadog takes the text as a metric's name without changing it."""
    return _NAME.fullmatch(text) is not None


def tag(key: str, value: str) -> str:
    """Returns `key:value` for the wire; a value past the number allowed for its key becomes `other`."""
    room = TAG_LENGTH - len(key) - 1
    # Cut first, so that a value of megabytes costs no more than another. Datadog itself takes off `_` at the end.
    clean = _FOREIGN.sub("_", value[:room]).rstrip("_") or "none"
    return f"{key}:{_counted(key, clean)}"


def _counted(key: str, value: str) -> str:
    known = _values.setdefault(key, set())
    if value in known:
        return value
    if len(known) >= conf.current().max_tag_values:
        return "other"
    # Two threads here at once may pass the number by one each: it protects a bill, not a limit.
    known.add(value)
    return value


def forget() -> None:
    """Begins the count of values anew."""
    _values.clear()
