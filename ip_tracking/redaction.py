"""Secrets in what a request shows of itself, taken out before it leaves the process: by name, and by looks.

One table for path, query and user agent. No header but the user agent is ever kept, and no body. What is in a path's
place is told apart by a keyed hash, because rules and policies count different paths; nothing else of it is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote_plus

from ip_tracking.event import Event
from ip_tracking.outcomes import keyed_hash

REDACTED = "[redacted]"

# What a value is named, in a query or by a route's argument, that must not be kept.
NAMES = re.compile(
    r"passw|passphrase|pwd|secret|token|jwt|api[_-]?key|access[_-]?key|activation|auth|credential|session|signature"
    r"|card|cvc|cvv|iban|(?:^|[^a-z])(?:otp|pin|sid|sig)$",
    re.IGNORECASE,
)

# A name in a query or a path: what stands before "=", also after ";" and in an address within the value.
NAMED = re.compile(r"(?:^|(?<=[;?&=]))([^;?&=]*)=")

# What a secret looks like, wherever it stands.
JWT = re.compile(r"(?<![\w-])eyJ[\w-]{10,}\.[\w-]{4,}(?:\.[\w-]*)?")
CARD = re.compile(r"(?<![\w.])\d(?:(?:[ +-]|%20)?\d){12,18}(?![\w.])")

# A whole segment of a path that nobody typed: a reset token, a session, a signed value. Ids (a UUID, a number) and
# titles are none: so many letters and digits in a row, mixed.
RANDOM = re.compile(r"[A-Za-z0-9]{20}")
TYPED_BY_NOBODY = re.compile(r"[\w.=~:-]+")
LEAST_OF_EACH = 3
ENDING = re.compile(r"\.[A-Za-z]\w{1,4}$")

# Most paths hold nothing of all that, which this one search tells.
WORTH_A_LOOK = re.compile(r"[A-Za-z0-9]{20}|eyJ|[;=]|\d(?:(?:[ +-]|%20)?\d){12}")


def redact(event: Event) -> Event:
    """Returns an event without secrets. Redacting it again changes nothing."""
    path = redact_path(event.path) if WORTH_A_LOOK.search(event.path) else event.path
    query = redact_query(event.query) if event.query else ""
    agent = JWT.sub(REDACTED, event.user_agent) if "eyJ" in event.user_agent else event.user_agent
    if (path, query, agent) == (event.path, event.query, event.user_agent):
        return event
    return event._replace(path=path, query=query, user_agent=agent)


@lru_cache(maxsize=1_024)
def is_secret(name: str) -> bool:
    """Is a value of this name never kept?"""
    return NAMES.search(name) is not None


def redact_query(query: str) -> str:
    return _looks("&".join([_pair(pair) for pair in query.split("&")]))


def redact_path(path: str) -> str:
    return _looks("/".join([_segment(segment) for segment in path.split("/")]))


def without(path: str, secrets: Iterable[str]) -> str:
    """Returns the path with these segments, which its route names as secrets, marked."""
    return "/".join([_mark(segment) if segment in secrets else segment for segment in path.split("/")])


def _looks(text: str) -> str:
    if "eyJ" in text:
        text = JWT.sub(REDACTED, text)
    return CARD.sub(lambda match: REDACTED if _is_card(match[0].replace("%20", "")) else match[0], text)


def _pair(pair: str) -> str:
    """One name=value. A value that is named in escapes, or within another one, goes as a whole."""
    for match in NAMED.finditer(pair):
        if is_secret(match[1]):
            return pair[: match.end()] + REDACTED
    if "%" in pair and any(is_secret(name) for name in NAMED.findall(unquote_plus(pair))):
        return pair.partition("=")[0] + "=" + REDACTED
    return pair


def _segment(segment: str) -> str:
    if "=" in segment and ";" in segment:  # matrix parameters, such as ;jsessionid=
        return _pair(segment)
    if not RANDOM.search(segment) or not TYPED_BY_NOBODY.fullmatch(segment) or JWT.search(segment):
        return segment
    if min(sum(map(str.isdigit, segment)), sum(map(str.isalpha, segment))) < LEAST_OF_EACH:
        return segment
    ending = ENDING.search(segment)
    return _mark(segment) + (ending[0] if ending else "")


def _mark(secret: str) -> str:
    return f"[redacted:{keyed_hash(secret)[:8]}]"


def _is_card(text: str) -> bool:
    """The check digit of ISO/IEC 7812: nine of ten other long numbers fail it."""
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
