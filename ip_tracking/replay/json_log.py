"""Access logs whose lines are JSON: nginx (`log_format ... escape=json`), Traefik and Caddy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ip_tracking.detection.pages import NO_REFERER
from ip_tracking.replay.line import Line, event_of, request_of, source_of
from ip_tracking.replay.moments import moment_us

# What each is called; where a line has several, the first that says something counts. Of addresses that is the one the
# server saw itself: what a format calls client_ip may be a header that anybody writes.
ADDRESS = ("remote_addr", "ClientHost", "ClientAddr", "client_ip", "remote_ip", "client", "clientip")
TIME = ("time_iso8601", "time_local", "StartUTC", "StartLocal", "msec", "ts", "time", "timestamp", "@timestamp")
STATUS = ("status", "DownstreamStatus", "OriginStatus")
METHOD = ("request_method", "RequestMethod", "method")
TARGET = ("request_uri", "RequestPath", "uri", "request")
QUERY = ("args", "query_string")
AGENT = ("http_user_agent", "request_User-Agent", "user_agent", "User-Agent", "agent")
REFERER = ("http_referer", "request_Referer", "http_referrer", "referer", "referrer", "Referer")
USER = ("remote_user", "ClientUsername", "user_id")
HEADERS = ("User-Agent", "Referer")  # of Caddy's; a client may name others like our fields

_NOTHING: tuple[object, ...] = (None, "", "-", [])
# What syslog or a container runtime put before the object. Nothing that came from a client stands without a quote.
_PREFIX = re.compile(r'[^"{]{0,200}(?={)')
# nginx without escape=json writes \x22, which JSON does not know, and does so in the very lines that matter.
_HEX = re.compile(r"\\x(?=[0-9a-fA-F]{2})")

Fields = Mapping[str, Any]  # Any: nobody vouches for the kind of a value before it was looked at


def parse(text: str) -> Line | None:
    """What the line says, or None where it is no line of an access log."""
    prefix = _PREFIX.match(text)
    if prefix is None:
        return None
    try:
        return _line(_flat(_loaded(text[prefix.end() :])))
    except (ValueError, RecursionError):  # no JSON, nested without end, or a value of the wrong kind
        return None


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        if "\\x" not in text:
            raise
        return json.loads(_HEX.sub(r"\\u00", text))


def _flat(record: object) -> Fields:
    """Caddy puts the request's parts into an object of its own, and the headers into one in that."""
    if not isinstance(record, dict):
        raise ValueError("no object")
    request = record.get("request")
    if not isinstance(request, dict):
        return record
    headers = request.get("headers")
    known = {name: headers.get(name) for name in HEADERS} if isinstance(headers, dict) else {}
    return record | {"request": ""} | known | request


def _line(fields: Fields) -> Line:
    at_us = moment_us(_first(fields, TIME))
    source = source_of(_text(fields, ADDRESS))
    if at_us is None or source is None:
        raise ValueError("no time or no address")
    agent, user = _text(fields, AGENT), _text(fields, USER)
    return Line(event_of(at_us, source, _request(fields), _status(fields), agent, user), _referer(fields))


def _request(fields: Fields) -> tuple[str, str, str]:
    if fields.keys().isdisjoint(METHOD + TARGET):
        raise ValueError("no request")
    whole = _text(fields, ("request",))
    if whole and not whole.startswith("/"):
        return request_of(whole)
    target, query = _text(fields, TARGET), _text(fields, QUERY)
    if query and "?" not in target:
        target += f"?{query}"
    return request_of(f"{_text(fields, METHOD)} {target}".strip())


def _referer(fields: Fields) -> str:
    """ "" where the format has no place for it."""
    return _text(fields, REFERER) or ("" if fields.keys().isdisjoint(REFERER) else NO_REFERER)


def _status(fields: Fields) -> int:
    written = _first(fields, STATUS)
    if isinstance(written, str) and len(written) == 3:
        written = int(written)
    if type(written) is not int or not 0 <= written <= 999:
        raise ValueError("no status")
    return written


def _text(fields: Fields, names: tuple[str, ...]) -> str:
    value = _first(fields, names)
    if isinstance(value, list):  # a header may be sent more than once
        value = ", ".join(value) if all(isinstance(one, str) for one in value) else None
    if not isinstance(value, str):
        raise ValueError(names[0])
    # Half a surrogate pair is no text that could be shown or stored.
    return value if value.isascii() else value.encode(errors="backslashreplace").decode()


def _first(fields: Fields, names: tuple[str, ...]) -> Any:
    return next((value for name in names if (value := fields.get(name)) not in _NOTHING), "")
