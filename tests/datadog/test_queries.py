"""Every query asks for what is sent. Datadog would draw an empty graph for any other, and say nothing."""

from __future__ import annotations

import re

import pytest

from metrics import catalogue
from metrics.datadog.query import BadQuery, average, percentile, total
from tests.datadog.files import DASHBOARDS, MONITORS, parse, queries, widgets

METRICS = {metric.name: metric for metric in catalogue.ALL}
CHECKS = {f"sentinel.{check.name}": check for check in catalogue.CHECKS}
VARIABLES = {each["name"]: each["prefix"] for each in DASHBOARDS["overview"]["template_variables"]}
EVERYWHERE = {"env", "service", "version", "host"}
FITTING = {
    "count": (r"sum", r"\.as_(count|rate)\(\)"),
    "gauge": (r"avg|min|max|sum", r""),
    "distribution": (r"p\d\d|min|max|histogram|count\(v: v[<>]=?[\d.]+\)", r""),
}
# In no graph and no alert, each for its reason. Empty is best.
UNSHOWN: dict[str, str] = {}


def test_every_metric_asked_for_is_in_the_catalogue() -> None:
    assert queries()
    assert {query.name for query in queries()} <= set(METRICS)


def test_every_metric_is_shown_or_has_a_reason_not_to_be() -> None:
    shown = {query.name for query in queries()}

    assert set(METRICS) - shown == set(UNSHOWN)


def test_every_service_check_is_shown_and_watched() -> None:
    watched = {found for monitor in MONITORS.values() for found in re.findall(r'^"([\w.]+)"\.over', monitor["query"])}
    shown = {widget["check"] for _, widget in widgets() if widget["type"] == "check_status"}

    assert watched == shown == set(CHECKS)


def test_the_groups_of_a_service_check_are_tags_it_has() -> None:
    for monitor in MONITORS.values():
        found = re.match(r'"([\w.]+)"\.over\(.*?\)\.by\((.*?)\)', monitor["query"])
        if found and found[2] != '"*"':
            assert set(re.findall(r"\w+", found[2])) <= {tag.key for tag in CHECKS[found[1]].tags}


@pytest.mark.parametrize("query", queries(), ids=lambda query: f"{query.asset} {query.name}")
def test_the_aggregation_fits_the_type(query) -> None:
    space, as_what = FITTING[METRICS[query.name].type]
    if query.space.startswith("count("):
        as_what = r"\.as_count\(\)"

    assert re.fullmatch(space, query.space), query.text
    assert re.fullmatch(as_what, query.as_what), query.text


@pytest.mark.parametrize("query", queries(), ids=lambda query: f"{query.asset} {query.name}")
def test_filters_and_groups_are_tags_the_metric_has_with_values_they_can_have(query) -> None:
    tags = {tag.key: tag for tag in METRICS[query.name].tags}

    assert set(query.by) <= tags.keys() | EVERYWHERE, query.text
    for each in query.filters:
        if each == "*":
            continue
        key, _, value = each.removeprefix("!").partition(":")
        if each.startswith("$"):
            key = VARIABLES[each[1:]]
        assert key in tags.keys() | EVERYWHERE, query.text
        if value and key in tags and tags[key].values is not None:
            assert value in tags[key].values, query.text


def test_monitors_have_no_template_variables() -> None:
    assert not [key for key, monitor in MONITORS.items() if "$" in monitor["query"]]


def test_every_template_variable_is_used() -> None:
    used = {each[1:] for query in queries() for each in query.filters if each.startswith("$")}

    assert used == set(VARIABLES)


def test_a_ratio_is_of_sums_and_says_it_is_percent() -> None:
    """A quotient has no unit of its own, and an average of ratios weights a quiet minute like a busy one."""
    ratios = 0
    for _, widget in widgets():
        for request in widget.get("requests", []):
            for formula in request.get("formulas", []):
                unit = formula.get("number_format", {}).get("unit", {}).get("unit_name")
                asked = [query for each in request["queries"] for query in parse("", each["query"])]
                assert (unit == "percent") == ("/" in formula["formula"]) == ("100 *" in formula["formula"]), widget
                if unit == "percent":
                    ratios += 1
                    assert len({METRICS[query.name].type for query in asked}) == 1, widget
                    assert {METRICS[query.name].type for query in asked} <= {"count", "gauge"}, widget
                    assert all(query.as_what == ".as_count()" for query in asked if query.space == "sum"), widget
    assert ratios > 5


# Different words for what stands in one graph all the same.
KIN = [{"eviction", "key"}, {"run", "occurrence"}]


def test_the_lines_of_one_graph_have_one_unit() -> None:
    for _, widget in widgets():
        if widget["type"] != "timeseries":
            continue
        asked = [parse("", each["query"])[0] for request in widget["requests"] for each in request["queries"]]
        units = {METRICS[query.name].unit for query in asked}
        share = any("/" in each["formula"] for request in widget["requests"] for each in request["formulas"])
        assert len(units) == 1 or units in KIN or share, widget["title"]


def test_ratio_monitors_divide_counts_of_the_same_groups() -> None:
    for key, monitor in MONITORS.items():
        if " / " in monitor["query"]:
            asked = parse(key, monitor["query"])
            assert len({query.by for query in asked}) == 1, key
            assert len({METRICS[query.name].unit for query in asked}) == 1, key


def test_the_hit_ratio_alerts_on_counts_and_not_on_the_gauge_of_ratios() -> None:
    asked = {query.name for query in queries() if query.asset in MONITORS}

    assert not {name for name in asked if METRICS[name].unit == "fraction"}


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: total(catalogue.REDIS_MEMORY, "*"), "redis.memory_used is a gauge: sum is for a count"),
        (lambda: average(catalogue.REQUESTS, "*"), "request.count is a count: avg is for a gauge"),
        (lambda: percentile(95, catalogue.REQUESTS, "*"), "request.count is a count: p95 is for a distribution"),
        (lambda: total(catalogue.REQUESTS, "*", ("user",)), "request.count has no tag user, only route, method"),
        (lambda: total(catalogue.REQUESTS, "*", status_class="500"), "status_class is never 500, only 1xx, 2xx"),
        (lambda: total(catalogue.REQUESTS, "*", status_class="!500"), "status_class is never 500, only 1xx, 2xx"),
    ],
)
def test_a_query_that_would_draw_nothing_is_refused_where_it_is_written(ask, told) -> None:
    with pytest.raises(BadQuery, match=re.escape(told)):
        ask()
