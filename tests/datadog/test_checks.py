from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from metrics.datadog_checks import check_datadog


def ids(settings: Settings, **given: object) -> list[str | None]:
    settings.METRICS = given
    return [message.id for message in check_datadog(None)]


def test_right_settings_are_taken(settings: Settings) -> None:
    given = {
        "NOTIFY": ["@slack-shop-alerts", "@oncall+night@example.com", "@webhook-desk"],
        "RUNBOOKS_URL": "https://wiki.example.com/sentinel/{key}?view=plain",
        "MONITOR_SCOPE": "env:production,!service:canary,host:web-*",
    }

    assert ids(settings, **given) == []
    assert ids(settings) == []


@pytest.mark.parametrize("notify", ["@slack-ops", ["slack-ops"], ["@slack ops"], [""], [None], ["@a\n@b"], None])
def test_e011_handles_are_a_list_each_with_its_sign(settings: Settings, notify: object) -> None:
    assert ids(settings, NOTIFY=notify) == ["metrics.E011"]


@pytest.mark.parametrize("url", ["https://wiki.example.com/sentinel/", "wiki/{key}", "javascript:{key}", None])
def test_e012_the_address_of_runbooks_has_a_place_for_the_page(settings: Settings, url: object) -> None:
    assert ids(settings, RUNBOOKS_URL=url) == ["metrics.E012"]


@pytest.mark.parametrize(
    "scope", ["", "production", "env:production, service:shop", "env:a} by {host", "*,env:a", None]
)
def test_e013_the_scope_is_tags(settings: Settings, scope: object) -> None:
    assert ids(settings, MONITOR_SCOPE=scope) == ["metrics.E013"]
