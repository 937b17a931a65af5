"""Every route of the project, as the URLconf has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

# What simplify_regex leaves of an argument: <slug:slug> or <slug>.
ARGUMENT = re.compile(r"<(?:[^>:]+:)?(\w+)>")


class Route(NamedTuple):
    """One pattern of the URLconf."""

    name: str  # with its namespaces, as a resolved request has it
    path: str  # "/api/v1/products/{slug}/"
    view: Any


def every_route() -> list[Route]:
    return list(_under(get_resolver(), "", ""))


def _under(resolver: URLResolver, path: str, namespace: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        inner = path + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _under(pattern, inner, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
        else:
            yield Route(f"{namespace}{_name(pattern)}", _template(inner), pattern.callback)


def _name(pattern: URLPattern) -> str:
    """A route without a name goes by its view's path, as Django has it."""
    return pattern.name or pattern.lookup_str


def _template(pattern: str) -> str:
    return ARGUMENT.sub(r"{\1}", simplify_regex(pattern)).replace("\\.", ".")
