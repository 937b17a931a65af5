"""The files that people review, as the tests read them: not the builders that wrote them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from metrics.datadog.assets import FILES

Json = dict[str, Any]
QUERY = re.compile(
    r"(?P<space>count\(v: v(?:<=|>=|<|>)[\d.]+\)|[a-z]+\d*):(?P<name>sentinel\.[\w.]+)\{(?P<filters>[^}]*)\}"
    r"(?: by \{(?P<by>[^}]*)\})?(?P<as>\.as_(?:count|rate)\(\))?"
)


def read(kind: str) -> dict[str, Json]:
    """Returns the assets of a kind by key."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((FILES / kind).glob("*.json"))}


MONITORS, SLOS, DASHBOARDS = read("monitors"), read("slos"), read("dashboards")


@dataclass(frozen=True)
class Query:
    """One metric in a query."""

    asset: str
    text: str
    space: str
    name: str
    filters: tuple[str, ...]
    by: tuple[str, ...]
    as_what: str


def texts() -> Iterator[tuple[str, str]]:
    """Yields every metric query, with the asset it is in."""
    for key, monitor in MONITORS.items():
        if monitor["type"] == "query alert":
            yield key, monitor["query"]
    for key, slo in SLOS.items():
        yield from ((key, query) for query in slo["query"].values())
    for key, dashboard in DASHBOARDS.items():
        yield from ((key, query) for query in _within(dashboard["widgets"]))


def queries() -> list[Query]:
    return [query for asset, text in texts() for query in parse(asset, text)]


def parse(asset: str, text: str) -> list[Query]:
    """Returns the metrics of a query; fails where one is left over that is not understood."""
    rest = QUERY.sub("", text)
    assert "sentinel." not in rest, f"{asset}: {rest!r} of {text!r}"
    return [
        Query(
            asset=asset,
            text=text,
            space=found["space"],
            name=found["name"].removeprefix("sentinel."),
            filters=tuple(found["filters"].split(",")),
            by=tuple(filter(None, (found["by"] or "").split(","))),
            as_what=found["as"] or "",
        )
        for found in QUERY.finditer(text)
    ]


def widgets() -> list[tuple[str, Json]]:
    """Returns the definition of each widget that is in a group, with the group's title."""
    return [
        (group["definition"]["title"], widget["definition"])
        for dashboard in DASHBOARDS.values()
        for group in dashboard["widgets"]
        for widget in group["definition"]["widgets"]
    ]


def _within(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _within(each)
    elif isinstance(value, dict):
        if value.get("data_source") == "metrics":
            yield value["query"]
        for each in value.values():
            yield from _within(each)
