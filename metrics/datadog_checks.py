"""Finds wrong settings of what `datadog_sync` writes, before Datadog refuses them one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from metrics import conf

# As Datadog takes them: no spaces within, or the rest would be text.
HANDLE = re.compile(r"@[\w.+@:/-]+")
TAG = re.compile(r"!?[A-Za-z][\w./-]*:[\w.:/*-]+")


# Any: Django hands over nothing that is read here.
@register
def check_datadog(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    given = conf.given()
    return [
        *_notify(given.get("NOTIFY", [])),
        *_runbooks_url(given.get("RUNBOOKS_URL", "")),
        *_scope(given.get("MONITOR_SCOPE", "*")),
    ]


def _notify(handles: object) -> list[CheckMessage]:
    fits = isinstance(handles, list | tuple) and all(
        isinstance(each, str) and HANDLE.fullmatch(each) for each in handles
    )
    if fits:
        return []
    hint = "Write a list of handles, each with its @: ['@slack-shop-alerts', '@oncall@example.com']."
    return [Error(f"METRICS['NOTIFY'] is {handles!r}.", hint=hint, id="metrics.E011")]


def _runbooks_url(url: object) -> list[CheckMessage]:
    if url == "" or (isinstance(url, str) and url.startswith(("https://", "http://")) and "{key}" in url):
        return []
    hint = "Write where a page is, with {key} for its name: 'https://wiki.example.com/sentinel/{key}'."
    return [Error(f"METRICS['RUNBOOKS_URL'] is {url!r}.", hint=hint, id="metrics.E012")]


def _scope(scope: object) -> list[CheckMessage]:
    if scope == "*" or (isinstance(scope, str) and all(TAG.fullmatch(tag) for tag in scope.split(","))):
        return []
    hint = "Write '*', or tags with commas between them and no spaces: 'env:production,service:shop'."
    return [Error(f"METRICS['MONITOR_SCOPE'] is {scope!r}.", hint=hint, id="metrics.E013")]
