"""What a dashboard is made of, as Datadog's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any, Literal

# Any: JSON of Datadog's shapes, which the tests hold against Datadog's own models.
Json = dict[str, Any]
Display = Literal["line", "bars", "area"]

COLUMNS = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """A formula over queries, which it calls a, b, c in their order. A ratio must say its unit: Datadog infers none."""

    alias: str
    queries: tuple[str, ...]
    formula: str = "a"
    unit: str = ""


def plain(alias: str, query: str) -> Shown:
    """Shows a query as it is, in its metric's unit."""
    return Shown(alias, (query,))


def share(alias: str, part: str, whole: str) -> Shown:
    """Shows a part of a whole in percent, from sums: an average of ratios weights a quiet moment like a busy one.

    A part that nobody counted is 0, not a gap.
    """
    return Shown(alias, (part, whole), "100 * default_zero(a) / b", "percent")


def share_of_both(alias: str, these: str, those: str) -> Shown:
    """Shows these among these and those, in percent: hits among hits and misses."""
    return Shown(alias, (these, those), "100 * a / (a + b)", "percent")


def fullness(alias: str, used: str, most: str) -> Shown:
    """Shows two gauges as percent; a gap where nothing limits."""
    return Shown(alias, (used, most), "100 * a / b", "percent")


@dataclass(frozen=True, slots=True)
class Colours:
    """Where a number turns yellow and red; `low` where small is bad."""

    yellow: float
    red: float
    low: bool = False

    def formats(self) -> list[Json]:
        worse, at_least = ("<", ">=") if self.low else (">", "<=")
        return [
            {"comparator": worse, "value": self.red, "palette": "white_on_red"},
            {"comparator": worse, "value": self.yellow, "palette": "white_on_yellow"},
            {"comparator": at_least, "value": self.yellow, "palette": "white_on_green"},
        ]


def timeseries(title: str, *lines: Shown, display: Display = "line", markers: Sequence[tuple[float, str]] = ()) -> Json:
    definition: Json = {
        "type": "timeseries",
        "title": title,
        "show_legend": True,
        "requests": [{**_request(line, "timeseries"), "display_type": display} for line in lines],
    }
    if markers:
        definition["markers"] = [
            {"value": f"y = {value:g}", "label": label, "display_type": "warning dashed"} for value, label in markers
        ]
    return {"definition": definition}


def number(title: str, line: Shown, colours: Colours | None = None, over: str = "avg") -> Json:
    request = _request(line, "scalar", over)
    if colours:
        request["conditional_formats"] = colours.formats()
    return {
        "definition": {"type": "query_value", "title": title, "autoscale": True, "precision": 2, "requests": [request]}
    }


def toplist(title: str, line: Shown, over: str = "sum", most: int = 10) -> Json:
    request = _request(line, "scalar", over)
    request["sort"] = {"count": most, "order_by": [{"type": "formula", "index": 0, "order": "desc"}]}
    return {"definition": {"type": "toplist", "title": title, "requests": [request]}}


def heatmap(title: str, query: str) -> Json:
    """Draws how many samples fell where: of a distribution, asked for as `histogram`."""
    request = {"request_type": "histogram", "query": {"data_source": "metrics", "name": "a", "query": query}}
    return {"definition": {"type": "heatmap", "title": title, "requests": [request]}}


def check_status(title: str, check: str, by: Sequence[str] = ()) -> Json:
    definition: Json = {"type": "check_status", "title": title, "check": check, "grouping": "check", "tags": ["$env"]}
    if by:
        definition.update(grouping="cluster", group_by=list(by))
    return {"definition": definition}


def monitors_list(title: str, query: str) -> Json:
    return {
        "definition": {
            "type": "manage_status",
            "title": title,
            "query": query,
            "display_format": "countsAndList",
            "sort": "status,asc",
        }
    }


def slo_list(title: str, query: str) -> Json:
    request = {"request_type": "slo_list", "query": {"query_string": query, "limit": 20}}
    return {"definition": {"type": "slo_list", "title": title, "requests": [request]}}


def events(title: str, query: str) -> Json:
    request = {
        "response_format": "event_list",
        "columns": [{"field": "timestamp", "width": "auto"}, {"field": "message", "width": "auto"}],
        "query": {"data_source": "event_stream", "query_string": query, "event_size": "s"},
    }
    return {"definition": {"type": "list_stream", "title": title, "requests": [request]}}


def note(text: str) -> Json:
    return {"definition": {"type": "note", "content": text, "background_color": "gray", "font_size": "14"}}


@dataclass(frozen=True, slots=True)
class Row:
    """Widgets beside one another, of equal width."""

    widgets: tuple[Json, ...]
    height: int = 3


def row(*widgets: Json, height: int = 3) -> Row:
    return Row(widgets, height)


def group(title: str, *rows: Row) -> Json:
    """Returns a group that fills the dashboard's width; `stacked` gives it its place."""
    return {
        "definition": {
            "type": "group",
            "layout_type": "ordered",
            "title": title,
            "background_color": "vivid_blue",
            "widgets": _placed(rows),
        }
    }


def stacked(groups: Sequence[Json]) -> list[Json]:
    """Returns the groups one below the other. A group is one higher than its rows: its title."""
    placed, y = [], 0
    for each in groups:
        inner = each["definition"]["widgets"]
        height = 1 + max(w["layout"]["y"] + w["layout"]["height"] for w in inner)
        placed.append({**each, "layout": {"x": 0, "y": y, "width": COLUMNS, "height": height}})
        y += height
    return placed


def _placed(rows: Sequence[Row]) -> list[Json]:
    placed, y = [], 0
    for each in rows:
        width, rest = divmod(COLUMNS, len(each.widgets))
        if rest:
            raise ValueError(f"a row holds 1, 2, 3, 4, 6 or 12 widgets, not {len(each.widgets)}")
        for place, widget in enumerate(each.widgets):
            layout = {"x": place * width, "y": y, "width": width, "height": each.height}
            placed.append({**widget, "layout": layout})
        y += each.height
    return placed


def _request(line: Shown, response: Literal["timeseries", "scalar"], over: str = "") -> Json:
    queries = [
        {"data_source": "metrics", "name": letter, "query": query, **({"aggregator": over} if over else {})}
        for letter, query in zip(ascii_lowercase, line.queries, strict=False)
    ]
    formula: Json = {"formula": line.formula, "alias": line.alias}
    if line.unit:
        formula["number_format"] = {"unit": {"type": "canonical_unit", "unit_name": line.unit}}
    return {"response_format": response, "queries": queries, "formulas": [formula]}
