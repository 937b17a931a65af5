from __future__ import annotations

from collections import Counter

from metrics import catalogue
from metrics.names import is_name

# Those of Datadog's units (as its integrations may declare them) that fit this service.
UNITS = {
    "request", "response", "error", "exception", "hit", "miss", "eviction", "key", "command", "connection", "byte",
    "second", "fraction", "event", "occurrence", "attempt", "task", "run", "item", "check", "throttle",
}  # fmt: skip
# What must never become a tag: each value would cost a series, and the address is personal.
FORBIDDEN_TAGS = {"ip", "address", "network", "user", "email", "path", "user_agent", "request_id", "host", "device"}


def test_every_metric_is_there_once() -> None:
    names = Counter(metric.name for metric in catalogue.ALL)

    assert names
    assert set(names.values()) == {1}


def test_every_metric_is_one_that_datadog_takes() -> None:
    for metric in catalogue.ALL:
        assert is_name(f"sentinel.{metric.name}"), metric
        assert metric.unit in UNITS, metric
        assert metric.meaning.endswith("."), metric


def test_no_tag_has_unbounded_values_or_a_name_datadog_keeps_for_itself() -> None:
    for metric in catalogue.ALL:
        assert not set(metric.tags) & (FORBIDDEN_TAGS | {"env", "service", "version"}), metric
        assert all(is_name(tag) and tag == tag.lower() for tag in metric.tags), metric


def test_ratios_are_fractions_and_gauges() -> None:
    for metric in catalogue.ALL:
        assert metric.name.endswith("_ratio") == (metric.unit == "fraction"), metric
        if metric.unit == "fraction":
            assert metric.type == "gauge", metric
