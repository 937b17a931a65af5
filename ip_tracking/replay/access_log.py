"""Lines of web servers' access logs, common and combined, to Events: the same values as live traffic.

Real files hold more than the format says: a virtual host, syslog or a container runtime before the address, fields
after the agent, requests that were no HTTP. One pattern reads the common shape; what it declines takes the slow road.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ip_tracking.replay.line import Line, Source, event_of, request_of, source_of
from ip_tracking.replay.moments import common_us, moment_us

_COMMON = re.compile(
    r"(\S+) - (\S+) \[(\d\d/[A-Z][a-z]{2}/\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\] "
    r'"([A-Z]{3,10}) ([^ "\\?]+)(?:\?([^ "\\]*))? HTTP/(?:1\.[01]|[23](?:\.0)?|0\.9)" (\d{3}) (?:\d+|-)'
    r'(?: "([^"\\]*)" "([^"\\]*)"| *\n?$)'
)

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
# The date is what stands before the request's quote: a client may write brackets into its user name, but no quote.
_DATED = re.compile(r"^(?P<before>.*?)\[(?P<date>[^\]\[\"]{10,40})\]\s+(?=\")", re.DOTALL)
_REST = re.compile(_QUOTED + r"\s+(\d{3})(?:\s+(?:\d+|-))?(?:\s+" + _QUOTED + r"\s+" + _QUOTED + ")?", re.DOTALL)
# Some servers leave a client's quotes as they came: the request ends where a status and a size follow.
_UNESCAPED = re.compile(r'"(.*?)"\s+(\d{3})\s+(?:\d+|-)(?:\s+"([^"]*)"\s+"([^"]*)")?(?=\s|$)', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([\"\\/bfnrtv]))")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}


def parse(text: str) -> Line | None:
    """What the line says, or None where it is no line of an access log."""
    match = _COMMON.match(text)
    if match is None:
        return _parse_odd(text)
    address, user, day, hour, minute, second, zone, method, path, query, status, referer, agent = match.groups("")
    at_us = common_us(day, hour, minute, second, zone)
    source = source_of(address)
    if at_us is None or source is None:
        return _parse_odd(text)
    return Line(event_of(at_us, source, (method, path, query), int(status), agent, user), referer)


def _parse_odd(text: str) -> Line | None:
    """1. Find the date, which only the server writes there. 2. The client stands before it. 3. The request follows."""
    dated = _DATED.match(text)
    at_us = moment_us(dated["date"]) if dated else None
    if dated is None or at_us is None:
        return None
    source, user = _before(dated["before"].split())
    rest = _REST.match(text, dated.end()) or _UNESCAPED.match(text, dated.end())
    if source is None or rest is None:
        return None
    request, status, referer, agent = (_unescaped(field) for field in rest.groups(""))
    return Line(event_of(at_us, source, request_of(request), int(status), agent, user), referer)


def _before(words: Sequence[str]) -> tuple[Source | None, str]:
    """The client and the user's name from what stands before the date.

    The first address is the client's; where several follow each other it is the last of them: a client can name the
    host it asks for, and write into X-Forwarded-For, but never the address that stands before ident and user.
    """
    for place, word in enumerate(words):
        source = source_of(word)
        if source is None or (place + 1 < len(words) and words[place + 1].endswith(":")):
            continue  # the second is a syslog host: what follows it is the program's name
        while place + 1 < len(words) and (further := source_of(words[place + 1])):
            source, place = further, place + 1  # noqa: PLW2901
        name = words[place + 2 :]
        return source, " ".join(name) if name and name[-1] != "-" else ""
    return None, ""


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    code, letter = match.groups()
    return chr(int(code, 16)) if code else _ESCAPED.get(letter, letter)
