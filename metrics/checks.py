"""Finds a wrong setting when the process starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's own name

from metrics import catalogue, conf
from metrics.lookups import is_prefix
from metrics.names import is_name
from metrics.probes import PARTS
from metrics.redis_stats.errors import BadAddress
from metrics.redis_stats.servers import FORMS, name_of

# The tags whose values a project names itself.
OPEN = {tag.key for tag in catalogue.TAGS if tag.values is None}
MIDDLEWARE = "metrics.middleware.MetricsMiddleware"


# Any: Django hands over nothing that is read here.
@register
def check_settings(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    return [
        *_unknown_keys(),
        *_wrong_values(),
        *_caps(),
        *_redis_urls(),
        *_ready_needs(),
        *_prefixes(),
        *_order(),
    ]


def _unknown_keys() -> list[CheckMessage]:
    return [_unknown_key(key) for key in conf.given() if key not in conf.KEYS]


def _unknown_key(key: str) -> CheckMessage:
    near = get_close_matches(str(key).upper(), conf.KEYS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"The keys are {', '.join(sorted(conf.KEYS))}."
    return Error(f"METRICS has an unknown key {key!r}.", hint=hint, id="metrics.E001")


def _wrong_values() -> list[CheckMessage]:
    given = conf.given()
    found: list[CheckMessage] = [
        Error(f"METRICS[{key!r}] is {given[key]!r}.", hint="Write True or False.", id="metrics.E003")
        for key in ("STRICT", "TELEMETRY")
        if not isinstance(given.get(key, False), bool)
    ]
    namespace = given.get("NAMESPACE", "sentinel")
    if not (isinstance(namespace, str) and is_name(namespace)):
        hint = "Write letters, digits, `_` and `.`, a letter first, for example 'sentinel'."
        found.append(Error(f"METRICS['NAMESPACE'] is {namespace!r}.", hint=hint, id="metrics.E002"))
    return found


def _caps() -> list[CheckMessage]:
    caps = conf.given().get("MAX_TAG_VALUES", {})
    hint = f"Write whole numbers of 1 or more, as in {{'route': 400}}. The tags are {', '.join(sorted(OPEN))}."
    if not isinstance(caps, Mapping):
        return [Error(f"METRICS['MAX_TAG_VALUES'] is {caps!r:.100}.", hint=hint, id="metrics.E004")]
    return [
        Error(f"METRICS['MAX_TAG_VALUES'] has {key!r:.100}: {most!r:.100}.", hint=hint, id="metrics.E004")
        for key, most in caps.items()
        if key not in OPEN or not isinstance(most, int) or isinstance(most, bool) or most < 1
    ]


def _redis_urls() -> list[CheckMessage]:
    urls = conf.given().get("REDIS_URLS", [])
    if not isinstance(urls, list | tuple):
        hint = "Write a list, for example ['redis://127.0.0.1:6379/0']."
        return [Error("METRICS['REDIS_URLS'] is not a list.", hint=hint, id="metrics.E005")]
    hint = f"Write {FORMS}."
    # Told by its place: an address may hold a password.
    return [
        Error(f"METRICS['REDIS_URLS'][{place}] is not the address of a Redis server.", hint=hint, id="metrics.E006")
        for place, url in enumerate(urls)
        if not _is_redis_url(url)
    ]


def _ready_needs() -> list[CheckMessage]:
    needs = conf.given().get("READY_NEEDS", [])
    names = [part.name for part in PARTS]
    if isinstance(needs, list | tuple) and all(need in names for need in needs):
        return []
    hint = f"Write a list of these: {', '.join(names)}."
    return [Error(f"METRICS['READY_NEEDS'] is {needs!r:.100}.", hint=hint, id="metrics.E008")]


def _prefixes() -> list[CheckMessage]:
    prefixes = conf.given().get("CACHE_PREFIXES", [])
    hint = "Write a list of how keys begin, with letters and digits in each, for example ['cart', 'product:']."
    if not isinstance(prefixes, list | tuple):
        return [Error("METRICS['CACHE_PREFIXES'] is not a list.", hint=hint, id="metrics.E007")]
    return [
        Error(f"METRICS['CACHE_PREFIXES'] has {prefix!r:.100}.", hint=hint, id="metrics.E007")
        for prefix in prefixes
        if not is_prefix(prefix)
    ]


def _is_redis_url(url: object) -> bool:
    if not isinstance(url, str):
        return False
    try:
        name_of(url)
    except BadAddress:
        return False
    return True


def _order() -> list[CheckMessage]:
    if MIDDLEWARE not in settings.MIDDLEWARE or settings.MIDDLEWARE[0] == MIDDLEWARE:
        return []
    hint = f"Put {MIDDLEWARE!r} first: it sees neither the time nor the refusals of what stands before it."
    return [Warning("MetricsMiddleware is not the first middleware.", hint=hint, id="metrics.W001")]
