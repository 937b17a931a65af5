"""Which formats of logs there are, and what reads a line of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from ip_tracking.replay import access_log, json_log
from ip_tracking.replay.line import Line

Parse = Callable[[str], Line | None]


def parse(text: str) -> Line | None:
    """A line of any format; what Docker's json-file driver wrapped is taken out first."""
    if text.startswith('{"log":'):
        text = _unwrapped(text)
    if text.startswith("{"):
        return json_log.parse(text)
    return access_log.parse(text) or json_log.parse(text)


def _unwrapped(text: str) -> str:
    try:
        inner = json.loads(text)["log"]
    except (ValueError, RecursionError):
        return text
    return inner if isinstance(inner, str) else text


FORMATS: Mapping[str, Parse] = {"auto": parse, "combined": access_log.parse, "json": json_log.parse}
