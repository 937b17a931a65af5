"""Lines of web servers' access logs, common and combined, to Events: the same values as live traffic.

Real files hold more than the format says: a virtual host, syslog or a container runtime before the address, fields
after the agent, requests that were no HTTP. One pattern reads the common shape; what it declines takes the slow road.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from ip_tracking.client import UNKNOWN, network_of
from ip_tracking.event import US, Event, to_us


class Line(NamedTuple):
    """One line that was understood."""

    event: Event
    referer: str  # live traffic keeps none, but an exploit may sit in it


# No server wrote a log before the web, and a date near the end of the calendar overflows what we compute with it.
YEARS = range(1990, 2200)
DAY_S = 86_400

# The months as servers write them: C locale, and the first letters of what some others make of it.
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan ene gen", "feb fév fev", "mar mär", "apr avr abr", "may mai mag", "jun juin giu", "jul juil lug")
        + ("aug aoû ago", "sep set", "oct okt ott", "nov", "dec déc dez dic"),
        start=1,
    )
    for name in names.split()
}

_COMMON = re.compile(
    r"(\S+) - (\S+) \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r'"([A-Z]{3,10}) ([^ "\\?]+)(?:\?([^ "\\]*))? HTTP/(?:1\.[01]|[23](?:\.0)?|0\.9)" (\d{3}) (?:\d+|-)'
    r'(?: "([^"\\]*)" "([^"\\]*)"| *\n?$)'
)

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
# The date is what stands before the request's quote: a client may write brackets into its user name, but no quote.
_DATED = re.compile(r"^(?P<before>.*?)\[(?P<date>[^\]\[\"]{14,40})\]\s+(?=\")", re.DOTALL)
_REST = re.compile(_QUOTED + r"\s+(\d{3})(?:\s+(?:\d+|-))?(?:\s+" + _QUOTED + r"\s+" + _QUOTED + ")?", re.DOTALL)
# Some servers leave a client's quotes as they came: the request ends where a status and a size follow.
_UNESCAPED = re.compile(r'"(.*?)"\s+(\d{3})\s+(?:\d+|-)(?:\s+"([^"]*)"\s+"([^"]*)")?(?=\s|$)', re.DOTALL)
_DATE = re.compile(r"(\d{1,2})/([^/\s]{3,10})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:[.,]\d+)?(?:\s*([+-])(\d\d):?(\d\d))?")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([\"\\/bfnrtv]))")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
_REQUEST = re.compile(r"([A-Z][A-Z_-]{2,19}) +(.+?)(?: +HTTP/(?:1\.[01]|[23](?:\.0)?|0\.9))? *", re.DOTALL)
_NO_REQUEST = re.compile(r"[- ]*(?:HTTP/[\d.]+)?")  # a connection that asked nothing, in formats of one field or three
_NO_SUCH_VERSION = re.compile(r" HTTP/[\d.]+$")


def parse(line: str) -> Line | None:
    """What the line says, or None where it is no line of an access log. The event has no request_id yet."""
    match = _COMMON.match(line)
    if match is None:
        return _parse_odd(line)
    address, user, date, method, path, query, status, referer, agent = match.groups()
    at_us = _at_us(date)
    client = _client(address)
    if at_us is None or client is None:
        return _parse_odd(line)
    event = _event(at_us, client, method, path, query or "", int(status), agent or "", user)
    return Line(event, referer or "")


def _parse_odd(line: str) -> Line | None:
    """1. Find the date, which only the server writes there. 2. The client stands before it. 3. The request follows."""
    dated = _DATED.match(line)
    at_us = _at_us(dated["date"]) if dated else None
    if dated is None or at_us is None:
        return None
    client, user = _before(dated["before"].split())
    rest = _REST.match(line, dated.end()) or _UNESCAPED.match(line, dated.end())
    if client is None or rest is None:
        return None
    request, status, referer, agent = (_unescaped(text or "") for text in rest.groups())
    method, path, query = _request(request)
    return Line(_event(at_us, client, method, path, query, int(status), agent, user), referer)


def _event(
    at_us: int, client: tuple[str, str], method: str, path: str, query: str, status: int, agent: str, user: str
) -> Event:
    named = user not in ("-", "", '""')
    # A server that asks for a password writes the name it was given, also when it was the wrong one.
    failed = named and status == 401
    return Event(
        at_us=at_us,
        request_id="",
        address=client[0],
        network=client[1],
        method=method,
        path=path,
        query=query,
        status=status,
        user_agent="" if agent == "-" else agent,
        user=user if named and not failed else "",
        outcome="login_failed" if failed else "",
    )


def _before(words: Sequence[str]) -> tuple[tuple[str, str] | None, str]:
    """The client and the user's name from what stands before the date.

    The first address is the client's; where several follow each other it is the last of them: a client can name the
    host it asks for, and write into X-Forwarded-For, but never the address that stands before ident and user.
    """
    for place, word in enumerate(words):
        client = _client(word)
        if client is None or (place + 1 < len(words) and words[place + 1].endswith(":")):
            continue  # the second is a syslog host: what follows it is the program's name
        while place + 1 < len(words) and (further := _client(words[place + 1])):
            client, place = further, place + 1  # noqa: PLW2901
        name = words[place + 2 :]
        return client, " ".join(name) if name and name[-1] != "-" else ""
    return None, ""


@lru_cache(maxsize=65_536)
def _client(text: str) -> tuple[str, str] | None:
    """The canonical address and its network; None for what is no address. A port is taken off."""
    network = network_of(text) if text[:1].isalnum() or text[:1] in ":[" else UNKNOWN
    if network == UNKNOWN:
        return None
    return (network if ":" not in network else _canonical(text)), network


def _canonical(text: str) -> str:
    return str(ip_address(text.partition("]")[0].lstrip("[")))


@lru_cache(maxsize=8_192)
def _at_us(text: str) -> int | None:
    """Microseconds since the epoch; a date without zone is taken for UTC."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    day, name, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    month = _MONTHS.get(name.lower()[:3]) or _MONTHS.get(name.lower()[:4])
    if month is None:
        return None
    try:
        midnight = datetime(int(year), month, int(day), tzinfo=UTC)
    except ValueError:
        return None
    seconds = int(hour) * 3_600 + int(minute) * 60 + int(second)
    offset = int(zone_hours or 0) * 3_600 + int(zone_minutes or 0) * 60
    if midnight.year not in YEARS or seconds > DAY_S or offset > DAY_S:
        return None
    return to_us(midnight) + (seconds + offset if sign == "-" else seconds - offset) * US


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    code, letter = match.groups()
    return chr(int(code, 16)) if code else _ESCAPED.get(letter, letter)


def _request(text: str) -> tuple[str, str, str]:
    """Method, path, query. What is no HTTP has no method, and its text for a path."""
    match = _REQUEST.fullmatch(text)
    if match is None or _NO_SUCH_VERSION.search(match[2]):
        return "", "" if _NO_REQUEST.fullmatch(text) else text, ""
    method, target = match.groups()
    path, _, query = target.partition("?")
    return method, path, query
