"""The settings of this app, `METRICS = {...}`, read here only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    # What stands before every name: `sentinel.request.count`.
    namespace: str = "sentinel"
    # A metric or tag that is not in the catalogue raises; otherwise it is dropped and counted. Follows DEBUG.
    strict: bool = False
    # The client's own metrics about itself (`datadog.dogstatsd.client.*`).
    telemetry: bool = False
    # By the key of a tag: how many different values a process sends, over what the catalogue says; the rest is `other`.
    max_tag_values: Mapping[str, int] = field(default_factory=dict)
    # The servers whose numbers are exported: single ones, replicas, or clusters by some of their nodes.
    redis_urls: tuple[str, ...] = ()
    # The parts without which `/readyz` answers 503. The others are told of all the same.
    ready_needs: tuple[str, ...] = ("database", "redis", "broker")
    # How keys of the application begin, such as "cart" for "cart:7": each has cache hits and misses of its own.
    cache_prefixes: tuple[str, ...] = ()
    # Who is told by the monitors: `@slack-shop-alerts`, `@pagerduty`, `@ops@example.com`. Nobody, until this is set.
    notify: tuple[str, ...] = ()
    # Where the pages of docs/runbooks/ can be read, with `{key}` for the page's name.
    runbooks_url: str = ""
    # What the monitors and SLOs look at: `*`, or tags such as `env:production`.
    monitor_scope: str = "*"


KEYS = {setting.name.upper(): setting.name for setting in fields(MetricsSettings)}


def given() -> Mapping[str, Any]:  # Any: what a person wrote, of any type; `checks` looks at it
    """Returns the dictionary as written in the settings."""
    return getattr(settings, "METRICS", {})


@cache
def current() -> MetricsSettings:
    """Returns the settings in force."""
    values = {KEYS[key]: value for key, value in given().items() if key in KEYS}
    values.setdefault("strict", settings.DEBUG)
    lists = ("redis_urls", "notify", "ready_needs", "cache_prefixes")
    values |= {key: tuple(values[key]) for key in lists if key in values}
    return MetricsSettings(**values)


@receiver(setting_changed)
def _forget(*, setting: str, **_: object) -> None:
    if setting in {"METRICS", "DEBUG"}:
        current.cache_clear()
