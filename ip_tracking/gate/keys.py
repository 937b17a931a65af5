"""What a policy counts by: who is calling, the account a login names, or a value in the request that an attacker cannot
rotate (a SKU, an order, a coupon).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.utils.module_loading import import_string

from ip_tracking.conf import BadSetting
from ip_tracking.outcomes import keyed_hash

# The caller's own: what is left under these is told.
OWN = ("network", "caller", "user")

# Known only when a login names them.
OF_LOGIN = ("account", "device")

# A cart of more different items, or a longer body, is counted under one value that all such requests share: else a
# padded one would cost a round trip for each, or none at all.
MOST_VALUES = 20
MOST_BODY_BYTES = 65_536
TOO_MUCH = "*"

MULTIPART = "multipart/form-data"
FORMS = (MULTIPART, "application/x-www-form-urlencoded")
UNREADABLE = (ValueError, LookupError, RecursionError, OSError, SuspiciousOperation, MultiPartParserError)

DECIMALS = re.compile(r"\.0*\s*$")

Reader = Callable[[HttpRequest, Mapping[str, Any]], list[str]]

WRITE = 'write one of network, caller, user, account, device, "url:sku", "body:coupon", or the path of a function'


def reader_of(key: object) -> Reader | None:
    """Returns how to read the values of a key from a request and its route's arguments; None for a caller's own key.

    Raises BadSetting for what is no key.
    """
    if key in OWN or key in OF_LOGIN:
        return None
    if callable(key):
        return _of_function(key)
    place, _, name = key.partition(":") if isinstance(key, str) else ("", "", "")
    if place == "url" and name:
        return lambda request, arguments: _distinct(_in_url(request, arguments, name))
    if place == "body" and name:
        return lambda request, arguments: _distinct(_in_body(request, name.split(".")))
    if isinstance(key, str) and "." in key and ":" not in key:
        return _of_function(_imported(key))
    raise BadSetting(f"key is {key!r}; {WRITE}")


def name_of(key: object) -> str:
    """Returns a key as a table shows it."""
    return key if isinstance(key, str) else f"{getattr(key, '__module__', '')}.{getattr(key, '__qualname__', key)}"


def tag_of(key: str, value: str) -> str:
    """Returns the hash tag of a value's counters. Hashed: a coupon in the store must not be one that works."""
    return f"v:{keyed_hash(f'{key}={_canonical(value)}')}"


def _canonical(value: str) -> str:
    """One spelling for each number: to a view that reads an integer 1, " 01" and 1.0 are the same."""
    try:
        return str(int(DECIMALS.sub("", value)))
    except ValueError:
        return value


def _of_function(function: Any) -> Reader:
    def read(request: HttpRequest, arguments: Mapping[str, Any]) -> list[str]:
        value = function(request)
        return [] if value is None else [str(value)]

    return read


def _imported(path: str) -> Any:
    try:
        function = import_string(path)
    except ImportError as error:
        raise BadSetting(f"key {path!r} cannot be imported ({error}); {WRITE}") from error
    if not callable(function):
        raise BadSetting(f"key {path!r} is not a function of the request; {WRITE}")
    return function


def _distinct(values: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(value for value in values if value))
    return found if len(found) <= MOST_VALUES else [TOO_MUCH]


def _in_url(request: HttpRequest, arguments: Mapping[str, Any], name: str) -> list[str]:
    return [str(arguments[name])] if name in arguments else request.GET.getlist(name)


def _in_body(request: HttpRequest, path: list[str]) -> list[str]:
    """The values of a form's field, or at a dotted path of a JSON body, through every list on the way.

    What cannot be read is not free: whatever the view makes of it, it counts as too much.
    """
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BODY_BYTES:
            return [TOO_MUCH]
        if request.content_type in FORMS:
            return _form(request).getlist(".".join(path))
        # By the encoding that REST framework decodes by, so that no spelling is one value here and another there. Also
        # where the type says something else: many a view reads JSON without looking at it.
        text = request.body.decode(request.encoding or "utf-8")
        return list(_at(json.loads(text), path)) if text else []
    except UNREADABLE:
        return [TOO_MUCH]


def _form(request: HttpRequest) -> QueryDict:
    """Django reads forms that are posted; REST framework also those of PUT and PATCH."""
    if request.method == "POST":
        return request.POST
    if request.content_type == MULTIPART:
        raise ValueError("a multipart body that Django does not read")
    return QueryDict(request.body, encoding=request.encoding)


def _at(document: Any, path: list[str]) -> Iterator[str]:
    if isinstance(document, list):
        for item in document:
            yield from _at(item, path)
    elif not path:
        yield "" if document is None or isinstance(document, dict) else str(document)
    elif isinstance(document, dict):
        yield from _at(document.get(path[0]), path[1:])
