"""What a policy counts by: who is calling, the account a login names, or a value in the request that an attacker cannot
rotate (a SKU, an order, a coupon).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.utils.module_loading import import_string

from ip_tracking.conf import BadSetting
from ip_tracking.gate.body import TOO_MUCH, UNREADABLE, values_in
from ip_tracking.outcomes import keyed_hash

logger = logging.getLogger(__name__)

# The caller's own: what is left under these is told.
OWN = ("network", "caller", "user")

# Known only when a login names them.
OF_LOGIN = ("account", "device")

# A cart of more different items is counted under one value that all such requests share: else a padded one would cost a
# round trip for each.
MOST_VALUES = 20

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
        return _of_function(_named(key))
    place, _, name = key.partition(":") if isinstance(key, str) else ("", "", "")
    path = name.split(".")
    if place in ("url", "body") and all(path) and not any(map(str.isspace, name)):
        return _of_url(name) if place == "url" else _of_body(path)
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
    value = value.strip()
    try:
        return str(int(DECIMALS.sub("", value)))
    except ValueError:
        return value


def _of_url(name: str) -> Reader:
    return lambda request, arguments: _readable(lambda: _in_url(request, arguments, name))


def _of_body(path: list[str]) -> Reader:
    return lambda request, arguments: _readable(lambda: values_in(request, path))


def _of_function(function: Any) -> Reader:
    def read(request: HttpRequest, arguments: Mapping[str, Any]) -> list[str]:
        try:
            value = function(request)
        # Blind on purpose: this runs before the view, on whatever a stranger sent.
        except Exception as error:  # noqa: BLE001
            logger.warning("A policy counts by %s, which raised %s.", name_of(function), type(error).__name__)
            return [TOO_MUCH]
        return [] if value is None else [str(value)]

    return read


def _named(function: Any) -> Any:
    """Its name tells its counters from another's, so it must be one, and the same in every process."""
    if "<" in name_of(function):
        raise BadSetting(f"key {name_of(function)} has no name of its own; write a function of a module")
    return _awaited_by_nobody(function)


def _imported(path: str) -> Any:
    try:
        function = import_string(path)
    except (ImportError, ValueError) as error:
        raise BadSetting(f"key {path!r} cannot be imported ({error}); {WRITE}") from error
    if not callable(function):
        raise BadSetting(f"key {path!r} is not a function of the request; {WRITE}")
    return _awaited_by_nobody(function)


def _awaited_by_nobody(function: Any) -> Any:
    if iscoroutinefunction(function):
        raise BadSetting(f"key {name_of(function)} is async; write a plain function, which asks no database")
    return function


def _readable(read: Callable[[], Iterable[str]]) -> list[str]:
    """What cannot be read is not free: whatever the view makes of it, it counts as too much."""
    try:
        found = list(dict.fromkeys(value for value in read() if value))
    except UNREADABLE:
        return [TOO_MUCH]
    return found if len(found) <= MOST_VALUES else [TOO_MUCH]


def _in_url(request: HttpRequest, arguments: Mapping[str, Any], name: str) -> list[str]:
    return [str(arguments[name])] if name in arguments else request.GET.getlist(name)
