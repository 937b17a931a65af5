from __future__ import annotations

from collections import Counter

from metrics import catalogue
from metrics.names import clean, is_name

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


ENTRIES = (*catalogue.ALL, *catalogue.CHECKS, *catalogue.EVENTS)


def test_no_tag_has_unbounded_values_or_a_name_datadog_keeps_for_itself() -> None:
    for entry in ENTRIES:
        keys = [tag.key for tag in entry.tags]
        assert len(keys) == len(set(keys)), entry
        assert not set(keys) & (FORBIDDEN_TAGS | {"env", "service", "version", "event"}), entry
        assert all(is_name(key) and key == key.lower() for key in keys), entry


def test_every_tag_is_bounded_and_used() -> None:
    used = {tag for entry in ENTRIES for tag in entry.tags}

    assert used == set(catalogue.TAGS)
    for tag in used:
        assert 1 <= tag.most <= 200, tag
        assert tag.meaning.endswith("."), tag
        assert all(clean(value) == value for value in tag.values or ()), tag


def test_ratios_are_fractions_and_gauges() -> None:
    for metric in catalogue.ALL:
        assert ("_ratio" in metric.name) == (metric.unit == "fraction"), metric
        if metric.unit == "fraction":
            assert metric.type == "gauge", metric
