"""Datadog would take these files, as far as its own models can tell without it."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from datadog_api_client.configuration import Configuration
from datadog_api_client.model_utils import ModelComposed, ModelNormal, validate_and_convert_types
from datadog_api_client.v1.model.dashboard import Dashboard
from datadog_api_client.v1.model.metric_metadata import MetricMetadata
from datadog_api_client.v1.model.monitor import Monitor
from datadog_api_client.v1.model.service_level_objective_request import ServiceLevelObjectiveRequest
from pytest_django.fixtures import Settings

from metrics import catalogue
from metrics.datadog import assets
from metrics.datadog.assets import FILES
from tests.datadog.files import DASHBOARDS, MONITORS, SLOS, widgets

FOUND = [
    *((f"monitor {key}", Monitor, body) for key, body in MONITORS.items()),
    *((f"slo {key}", ServiceLevelObjectiveRequest, body) for key, body in SLOS.items()),
    *((f"dashboard {key}", Dashboard, body) for key, body in DASHBOARDS.items()),
]
METADATA = json.loads((FILES / "metadata.json").read_text())


def wrong(model: Any, body: Any) -> list[str]:
    """Returns what the model does not know: keys, and values outside its enumerations."""
    made = validate_and_convert_types(body, (model,), ["body"], True, True, configuration=Configuration())
    return [*(["a value outside an enumeration"] if made._unparsed else []), *_unknown(made, "body")]


def _unknown(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from _unknown(each, f"{path}[{place}]")
    elif isinstance(value, ModelComposed):
        # The one of its shapes that fits; it lists itself beside it.
        for each in [each for each in value._composed_instances if each is not value][:1]:
            yield from _unknown(each, path)
    elif isinstance(value, ModelNormal):
        yield from (f"{path}.{key}" for key in value._data_store if key not in value.attribute_map)
        for key, each in value._data_store.items():
            yield from _unknown(each, f"{path}.{key}")


@pytest.mark.parametrize(("name", "model", "body"), FOUND, ids=[name for name, *_ in FOUND])
def test_datadogs_own_model_takes_the_file_whole(name: str, model: Any, body: Any) -> None:
    assert wrong(model, body) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("widgets", 0, "definition", "type"), "gruppe"),
        (("widgets", 0, "definition", "widgets", 0, "definition", "precison"), 2),
        (("widgets", 1, "definition", "widgets", 0, "definition", "requests", 0, "display_type"), "barrs"),
        (("layout_type",), "disordered"),
        (("titel",), "Sentinel"),
    ],
)
def test_the_model_would_tell_a_mistake(path: tuple[Any, ...], value: object) -> None:
    body = copy.deepcopy(DASHBOARDS["overview"])
    part = body
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value

    assert wrong(Dashboard, body) != []


def test_every_metric_is_described_as_datadog_stores_it() -> None:
    assert set(METADATA) == {f"sentinel.{metric.name}" for metric in catalogue.ALL}
    for name, told in METADATA.items():
        assert wrong(MetricMetadata, told) == [], name
        # DogStatsD's counts are stored as rates.
        assert told["type"] in {"rate", "gauge", "distribution"}, name


def test_a_body_shows_what_its_settings_say(settings: Settings) -> None:
    settings.METRICS = {
        "NAMESPACE": "shop.guard",
        "NOTIFY": ["@slack-ops", "@pagerduty"],
        "RUNBOOKS_URL": "https://wiki.example.com/sentinel/{key}",
        "MONITOR_SCOPE": "env:production,service:shop",
    }

    made = {asset.key: asset.body for asset in assets.every()}

    told = made["redis-memory"]["message"]
    assert told.endswith("Runbook: https://wiki.example.com/sentinel/redis-memory\n\n@slack-ops @pagerduty")
    assert "shop.guard.redis.memory_used{env:production,service:shop} by {redis_host" in made["redis-memory"]["query"]
    assert made["redis-down"]["query"].startswith(
        '"shop.guard.redis.can_connect".over("env:production","service:shop")'
    )
    assert "{env:production,service:shop,!route:readyz,!status_class:5xx}" in made["availability"]["query"]["numerator"]
    assert "sentinel." not in json.dumps(made)


def test_nobody_is_told_out_of_the_box() -> None:
    for key, monitor in MONITORS.items():
        assert "@" not in monitor["message"], key


def test_the_parts_of_composites_tell_nobody_even_where_handles_are_set(settings: Settings) -> None:
    settings.METRICS = {"NOTIFY": ["@slack-ops"]}

    silent = {a.key for a in assets.every() if a.kind == "monitor" and "@slack-ops" not in a.body["message"]}

    parts = {part for body in MONITORS.values() if body["type"] == "composite" for part in _parts(body)}
    assert silent == parts


def test_composites_name_parts_that_exist_and_come_after_them() -> None:
    order = [asset.key for asset in assets.every() if asset.kind == "monitor"]

    for key, monitor in MONITORS.items():
        if monitor["type"] == "composite":
            assert len(_parts(monitor)) > 1
            assert all(order.index(part) < order.index(key) for part in _parts(monitor))


def test_each_of_ours_has_the_three_tags_by_which_it_is_found() -> None:
    for key, body in {**MONITORS, **SLOS}.items():
        assert sorted(body["tags"]) == [f"key:{key}", "managed-by:code", "namespace:sentinel"]
    assert not set(MONITORS) & set(SLOS)


def test_the_number_in_a_query_is_its_threshold() -> None:
    for key, monitor in MONITORS.items():
        if monitor["type"] == "query alert":
            assert float(monitor["query"].split()[-1]) == monitor["options"]["thresholds"]["critical"], key


def test_a_monitor_looks_at_a_window_that_datadog_has() -> None:
    windows = {f"last_{each}" for each in ("1m", "5m", "10m", "15m", "30m", "1h", "2h", "4h", "1d", "2d", "1w")}

    for key, monitor in MONITORS.items():
        if monitor["type"] == "query alert":
            found = set(re.findall(r"last_\w+", monitor["query"]))
            assert found, key
            assert found <= windows, key


def test_warnings_come_before_what_they_warn_of_and_recoveries_after() -> None:
    for key, monitor in MONITORS.items():
        if monitor["type"] != "query alert":
            continue
        limits, sign = monitor["options"]["thresholds"], -1 if " < " in monitor["query"] else 1
        assert sign * limits.get("warning", limits["critical"] - sign) < sign * limits["critical"], key
        assert sign * limits.get("critical_recovery", limits["critical"]) <= sign * limits["critical"], key


def test_a_service_check_counts_one_more_than_its_limits() -> None:
    for key, monitor in MONITORS.items():
        if monitor["type"] == "service check":
            assert f".last({max(monitor['options']['thresholds'].values()) + 1})" in monitor["query"], key


def test_groups_follow_one_another_and_widgets_do_not_overlap() -> None:
    for dashboard in DASHBOARDS.values():
        _fits(dashboard["widgets"])
        for group in dashboard["widgets"]:
            inner = group["definition"]["widgets"]
            _fits(inner)
            deepest = max(each["layout"]["y"] + each["layout"]["height"] for each in inner)
            assert group["layout"]["height"] > deepest, group["definition"]["title"]


def _fits(placed: list[Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for each in placed:
        box = each["layout"]
        assert box["x"] >= 0, each
        assert box["width"] >= 1, each
        assert box["x"] + box["width"] <= 12, each
        cells = {
            (x, y) for x in range(box["x"], box["x"] + box["width"]) for y in range(box["y"], box["y"] + box["height"])
        }
        assert not cells & taken, each
        taken |= cells


def test_no_two_widgets_of_a_group_have_one_title() -> None:
    titles = [(group, widget["title"]) for group, widget in widgets() if "title" in widget]

    assert len(titles) == len(set(titles))
    assert {group for group, _ in titles} > {"Summary", "Requests", "Redis and caches", "Security", "Background"}


def _parts(monitor: dict[str, Any]) -> list[str]:
    return [part.strip(" {}") for part in monitor["query"].split("&&")]
