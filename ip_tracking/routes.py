"""Every route of the project, as the URLconf has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.urls import URLPattern, get_resolver


class Route(NamedTuple):
    """One route: its name as the door sees it, its path as a template, its view."""

    name: str
    path: str
    view: Any


def every_route() -> list[Route]:
    return list(_routes(get_resolver(), "", ""))


def _routes(resolver: Any, namespace: str, prefix: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield Route(f"{namespace}{pattern.name or pattern.lookup_str}", f"/{path}", pattern.callback)
        else:
            yield from _routes(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace, path)
