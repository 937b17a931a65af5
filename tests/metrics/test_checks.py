from __future__ import annotations

import pytest
from django.core.checks import CheckMessage
from pytest_django.fixtures import Settings

from metrics import conf
from metrics.checks import check_settings

FIRST = "metrics.middleware.MetricsMiddleware"
OTHER = "django.middleware.common.CommonMiddleware"


def found(settings: Settings, **given: object) -> list[CheckMessage]:
    settings.METRICS = given
    return check_settings(None)


def test_the_defaults_are_right(settings: Settings) -> None:
    del settings.METRICS

    assert check_settings(None) == []
    assert conf.current().namespace == "sentinel"
    assert conf.current().redis_urls == ()


def test_right_settings_are_taken(settings: Settings) -> None:
    urls = ["redis://:secret@cache.example:6380/1", "rediss://cache.example", "unix:///run/valkey.sock?db=0"]

    messages = found(
        settings,
        REDIS_URLS=urls,
        NAMESPACE="shop.api",
        STRICT=True,
        TELEMETRY=True,
        MAX_TAG_VALUES={"route": 400},
        CACHE_PREFIXES=["cart", "product:", "a.b/"],
    )

    assert messages == []
    assert conf.current() == conf.MetricsSettings(
        "shop.api", True, True, {"route": 400}, tuple(urls), cache_prefixes=("cart", "product:", "a.b/")
    )


@pytest.mark.parametrize("debug", [True, False])
def test_strict_follows_debug_where_it_is_not_said(settings: Settings, debug: bool) -> None:
    settings.METRICS = {}
    settings.DEBUG = debug

    assert conf.current().strict is debug


def test_e001_an_unknown_key_names_the_near_one(settings: Settings) -> None:
    (message,) = found(settings, REDIS_URL=["redis://a"])

    assert message.id == "metrics.E001"
    assert "'REDIS_URL'" in message.msg
    assert message.hint == "Did you mean 'REDIS_URLS'?"


def test_e001_an_unknown_key_far_from_all_names_them_all(settings: Settings) -> None:
    (message,) = found(settings, COLOUR="red")

    assert message.id == "metrics.E001"
    assert "NAMESPACE" in str(message.hint)


@pytest.mark.parametrize("namespace", ["", "1a", "a b", "ä", "a|b", "x" * 101, None, 7])
def test_e002_a_namespace_datadog_would_change(settings: Settings, namespace: object) -> None:
    assert [message.id for message in found(settings, NAMESPACE=namespace)] == ["metrics.E002"]


@pytest.mark.parametrize("key", ["STRICT", "TELEMETRY"])
def test_e003_a_switch_that_is_neither_true_nor_false(settings: Settings, key: str) -> None:
    assert [message.id for message in found(settings, **{key: "false"})] == ["metrics.E003"]


@pytest.mark.parametrize("most", [0, -1, "200", 1.5, True, None])
def test_e004_a_number_of_tag_values_that_is_none(settings: Settings, most: object) -> None:
    assert [message.id for message in found(settings, MAX_TAG_VALUES={"route": most})] == ["metrics.E004"]


@pytest.mark.parametrize("caps", [200, None, ["route"], {"method": 5}, {"rout": 5}, {7: 5}])
def test_e004_a_cap_on_what_is_no_open_tag(settings: Settings, caps: object) -> None:
    assert [message.id for message in found(settings, MAX_TAG_VALUES=caps)] == ["metrics.E004"]


@pytest.mark.parametrize("urls", ["redis://127.0.0.1", None, {"a": 1}, 7])
def test_e005_addresses_that_are_no_list(settings: Settings, urls: object) -> None:
    assert [message.id for message in found(settings, REDIS_URLS=urls)] == ["metrics.E005"]


@pytest.mark.parametrize(
    "url", ["127.0.0.1:6379", "http://:secret@a", "redis://:secret@a:port", "redis://a:99999", None, ""]
)
def test_e006_an_address_that_is_none_and_its_password_stays_unsaid(settings: Settings, url: object) -> None:
    (message,) = found(settings, REDIS_URLS=["redis://a", url])

    assert message.id == "metrics.E006"
    assert "[1]" in message.msg
    assert "secret" not in f"{message.msg}{message.hint}"


def test_w001_a_middleware_before_ours(settings: Settings) -> None:
    settings.MIDDLEWARE = [OTHER, FIRST]
    assert [message.id for message in check_settings(None)] == ["metrics.W001"]

    settings.MIDDLEWARE = [FIRST, OTHER]
    assert check_settings(None) == []

    settings.MIDDLEWARE = [OTHER]
    assert check_settings(None) == []


@pytest.mark.parametrize("needs", ["database", ["databse"], [7], None, [["redis"]]])
def test_e008_ready_needs_something_that_is_no_part(settings: Settings, needs: object) -> None:
    (message,) = found(settings, READY_NEEDS=needs)

    assert message.id == "metrics.E008"
    assert "database, redis, broker" in str(message.hint)


def test_ready_may_need_less_or_nothing(settings: Settings) -> None:
    assert found(settings, READY_NEEDS=["database"]) == []
    assert found(settings, READY_NEEDS=[]) == []


@pytest.mark.parametrize("prefixes", ["cart", {"cart": 1}, [""], [":"], [7], ["a b"], ["a|b:"], ["x" * 201]])
def test_e007_what_no_cache_prefix_can_be(settings: Settings, prefixes: object) -> None:
    assert [message.id for message in found(settings, CACHE_PREFIXES=prefixes)] == ["metrics.E007"]
