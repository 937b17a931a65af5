"""Hits and misses of a cache, by its alias and by what the key is for: `Counted`, mixed into any of Django's caches.

class LocMemCache(Counted, locmem.LocMemCache): ...

What is asked for and is not there, or not to be had while the server is away, is a miss. A key is counted once for each
call that asks for it. Native async methods of another's backend are not seen; Django's own all lead to the sync ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.utils.module_loading import import_string

from metrics import conf, emit
from metrics.catalogue import CACHE_HITS, CACHE_MISSES
from metrics.names import clean

OTHER = "other"
# A cache that was made by hand, and is none of CACHES.
NO_ALIAS = "none"
# What may stand at the end of a prefix in METRICS["CACHE_PREFIXES"], and is not told.
SEPARATORS = ":./|-_"
# What Django and django-ratelimit put before their own keys, longer ones first; in a session's nothing divides it from
# what is secret.
KNOWN = {
    "django.contrib.sessions.cached_db": "sessions",
    "django.contrib.sessions.cache": "sessions",
    "rl:": "ratelimit",
    "views.decorators.cache.": "pages",
    "template.cache.": "fragments",
}

MISSING = object()

# Within one lookup of ours: a backend may make of one what it has, and ask itself.
_within: ContextVar[bool] = ContextVar("metrics_lookup", default=False)


@contextmanager
def _one() -> Iterator[bool]:
    """Tells whether this lookup is the outermost, which counts."""
    if _within.get():
        yield False
        return
    token = _within.set(True)
    try:
        yield True
    finally:
        _within.reset(token)


class Counted(BaseCache):
    # Any: a cache holds what can be pickled, and keys are whatever the application says.
    def __init__(self, location: Any, params: dict[str, Any]) -> None:
        self._alias = _alias_of(type(self), location, params)
        super().__init__(location, params)  # type: ignore[call-arg] # each backend takes both, their base one

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        with _one() as counts:
            # Not the caller's default: what is stored may be equal to it.
            found = super().get(key, MISSING, version=version)
        if counts:
            self._count(key, found is not MISSING)
        return default if found is MISSING else found

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        keys = list(keys)
        with _one() as counts:
            found = super().get_many(keys, version=version)
        if counts:
            self._count_many((key, key in found) for key in dict.fromkeys(keys))
        return found

    def has_key(self, key: Any, version: int | None = None) -> bool:
        with _one() as counts:
            found = super().has_key(key, version=version)
        if counts:
            self._count(key, found)
        return found

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with _one() as counts:
            found = super().touch(key, timeout, version=version)
        if counts:
            self._count(key, found)
        return found

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return self._found_or_error(super().incr, key, delta, version)

    def decr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return self._found_or_error(super().decr, key, delta, version)

    def incr_version(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return self._found_or_error(super().incr_version, key, delta, version)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """No lookup, though a backend may look before it adds."""
        with _one():
            return super().add(key, value, timeout, version=version)

    def get_or_set(self, key: Any, default: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        """As Django's, whose second reading is no lookup of the application's; what `default` asks for is."""
        found = self.get(key, MISSING, version=version)
        if found is not MISSING:
            return found
        value = default() if callable(default) else default
        with _one():
            self.add(key, value, timeout=timeout, version=version)
            return self.get(key, value, version=version)

    async def aget_or_set(
        self,
        key: Any,
        default: Any,
        timeout: Any = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - Django's name for a lifetime
        version: int | None = None,
    ) -> Any:
        found = await self.aget(key, MISSING, version=version)
        if found is not MISSING:
            return found
        value = default() if callable(default) else default
        with _one():
            await self.aadd(key, value, timeout=timeout, version=version)
            return await self.aget(key, value, version=version)

    def _found_or_error(self, change: Any, key: Any, delta: int, version: int | None) -> int:
        """A number that is not there is told by a ValueError."""
        with _one() as counts:
            try:
                changed: int = change(key, delta, version=version)
            except ValueError:
                if counts:
                    self._count(key, False)
                raise
        if counts:
            self._count(key, True)
        return changed

    def _count(self, key: Any, found: bool) -> None:
        emit.count(CACHE_HITS if found else CACHE_MISSES, 1, cache=self._alias, prefix=prefix_of(key))

    def _count_many(self, lookups: Iterable[tuple[Any, bool]]) -> None:
        for (prefix, found), number in Counter((prefix_of(key), found) for key, found in lookups).items():
            emit.count(CACHE_HITS if found else CACHE_MISSES, number, cache=self._alias, prefix=prefix)


def prefix_of(key: Any) -> str:
    """Returns what the key is for, of those the settings and this module name; nothing else of a key is ever told."""
    known, names = _prefixes(conf.current().cache_prefixes)
    match = known.match(key if isinstance(key, str) else str(key))
    return names[match.group()] if match else OTHER


def is_prefix(text: object) -> bool:
    """Can it stand in METRICS["CACHE_PREFIXES"]? What is left of it without its separator must do as a tag."""
    return isinstance(text, str) and (name := text.rstrip(SEPARATORS)) != "" and clean(name) == name


@lru_cache(maxsize=4)
def _prefixes(chosen: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    """Returns a pattern for the beginning of a key, and the name of what it finds."""
    usable = filter(is_prefix, chosen)  # of the others a system check has spoken
    own = {prefix: prefix.rstrip(SEPARATORS) for prefix in sorted(usable, key=len, reverse=True)}
    # Else "cart" would take the keys of "cartoons" too.
    parts = [re.escape(prefix) + ("(?![A-Za-z0-9])" if prefix[-1].isalnum() else "") for prefix in own]
    return re.compile("|".join([*parts, *map(re.escape, KNOWN)])), KNOWN | own


def _alias_of(kind: type, location: Any, params: dict[str, Any]) -> str:
    """Returns the name of the cache in CACHES that these are the settings of: Django hands over all but the name.

    Where two have the same settings to the letter they are one cache, under the first one's name.
    """
    for alias, given in caches.settings.items():
        rest = {name: value for name, value in given.items() if name not in ("BACKEND", "LOCATION")}
        if given.get("LOCATION", "") == location and rest == params and import_string(given["BACKEND"]) is kind:
            return str(alias)
    return NO_ALIAS
