"""A wrong setting is found at start: one test for each id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import checks
from django.db import connection
from pytest_django.fixtures import Settings

from ip_tracking import decorators
from ip_tracking.checks import BACKEND, MIDDLEWARE, policies_are_asked
from ip_tracking.models import PolicyHour

Configure = Callable[..., object]


def found() -> dict[str, checks.CheckMessage]:
    """What Django's own runner finds of this app, by id."""
    messages = checks.run_checks(tags=[checks.Tags.security])
    return {str(message.id): message for message in messages if str(message.id).startswith("ip_tracking.")}


def the_only_one(expected: str) -> str:
    messages = found()
    assert list(messages) == [expected]
    assert messages[expected].hint
    return str(messages[expected].msg)


def test_this_project_has_none() -> None:
    assert found() == {}


# E001: the keys and values of IP_TRACKING


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"ENFROCE": "block"}, "did you mean 'ENFORCE'?"),
        ({"trusted_proxies": []}, "did you mean 'TRUSTED_PROXIES'?"),
        ({"TRUSTED_NETWORKS": []}, "no key 'TRUSTED_NETWORKS'"),
        ({"ENFORCE": "ban"}, "write one of 'cases', 'throttle', 'block'"),
        ({"MODE": "on"}, "write one of 'enforce', 'shadow', 'off'"),
        ({"RECORD": True}, "write one of 'celery', 'thread', 'off'"),
        ({"TRUSTED_PROXIES": ["10.0.0.0/8", "nginx"]}, "'nginx' in TRUSTED_PROXIES is not a network"),
        ({"TRUSTED_PROXIES": ["10.0.0.1/8"]}, "has host bits set"),
        ({"KNOWN_CALLER": "shop.accounts.tokens.nobody_here"}, "cannot be imported"),
        ({"KNOWN_CALLER": 7}, "write a function of the request"),
        ({"KEEP_LOG_DAYS": 0}, "write a number of days from 2 to 3650"),
        ({"KEEP_LOG_DAYS": True}, "write a number of days"),
        ({"KEEP_CASE_DAYS": "730"}, "'KEEP_CASE_DAYS'] is '730'; write a number of days"),
        ({"KEEP_CASE_DAYS": 10**9}, "from 2 to 3650"),
        ({"KEEP_LOG_DAYS": 200}, "'KEEP_EVIDENCE_DAYS'] is 180, less than 'KEEP_LOG_DAYS', which is 200"),
        ({"KEEP_EVIDENCE_DAYS": 731}, "'KEEP_CASE_DAYS'] is 730, less than 'KEEP_EVIDENCE_DAYS'"),
    ],
)
def test_e001_a_setting_that_cannot_be_used(settings: Settings, wrong: dict[str, Any], word: str) -> None:
    settings.IP_TRACKING = wrong

    messages = found()

    assert word in str(messages["ip_tracking.E001"].msg)
    assert messages["ip_tracking.E001"].hint


# E002: the policies


@pytest.mark.parametrize(
    ("name", "row", "words"),
    [
        ("Site", {"rates": ["1/m"], "why": "x"}, ["'Site'", "lower-case letters"]),
        ("own", {"rates": ["1/m"]}, ["'own'", "does not say why", 'write "why"']),
        ("site", {"rates": ["fast"], "why": "x"}, ["'site'", "'fast'", 'write "100/m"']),
        ("site", {"rates": "100/m", "why": "x"}, ["'site'", "'100/m'", 'write a list such as ["100/m"]']),
        ("site", {"rates": [], "why": "x"}, ["'site'", "write a list"]),
        ("site", {"rate": ["1/m"], "why": "x"}, ["'site'", "no field 'rate'", "rates"]),
        ("site", {"rates": ["1/m"], "why": "x", "mode": "on"}, ["'site'", "mode is 'on'", "enforce, shadow, off"]),
        ("site", {"rates": ["1/m"], "why": "x", "kinds": "login"}, ["'site'", "kinds is 'login'", "list of names"]),
        ("site", {"rates": ["5/m"], "why": "x", "cost": 6}, ["'site'", "cost 6", "from 1 to its smallest limit, 5"]),
        ("site", {"rates": ["5/m"], "why": "x", "key": "account"}, ["'site'", 'add "login" to its kinds']),
        ("site", {"rates": ["5/m", "9/60s"], "why": "x"}, ["'site'", "two rates over the same window"]),
        ("sight", None, ["'sight'", "drops a shipped policy", "did you mean 'site'?"]),
    ],
)
def test_e002_a_policy_that_cannot_be_used(tracking: Configure, name: str, row: object, words: list[str]) -> None:
    """Says which policy, why, and what to write."""
    tracking(POLICIES={name: row})

    text = the_only_one("ip_tracking.E002")

    assert all(word in text for word in words), text


def test_dropping_and_replacing_shipped_policies_is_fine(tracking: Configure) -> None:
    tracking(POLICIES={"login-hourly": None, "site": {"rates": ["9/m"], "why": "a test"}})

    assert found() == {}


def test_e008_two_policies_that_would_share_a_counter(tracking: Configure) -> None:
    row = {"routes": ["*"], "why": "a test"}
    tracking(POLICIES={"burst": row | {"rates": ["9/m", "99/h"]}, "burst-60s": row | {"rates": ["5/s"]}})

    text = the_only_one("ip_tracking.E008")

    assert "'burst' and 'burst-60s'" in text
    assert "rename one" in text


# E003, E004: the door


def test_e003_no_door(settings: Settings) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != MIDDLEWARE]

    assert "not in MIDDLEWARE" in the_only_one("ip_tracking.E003")


@pytest.mark.parametrize(
    "order",
    [
        ["django.middleware.security.SecurityMiddleware", "metrics.middleware.MetricsMiddleware", MIDDLEWARE],
        ["metrics.middleware.MetricsMiddleware", MIDDLEWARE, "django.middleware.security.SecurityMiddleware"],
        [MIDDLEWARE, "corsheaders.middleware.CorsMiddleware"],
        ["django.contrib.sessions.middleware.SessionMiddleware", MIDDLEWARE],
    ],
)
def test_e004_a_door_out_of_order(settings: Settings, order: list[str]) -> None:
    settings.MIDDLEWARE = order

    assert "must begin with" in the_only_one("ip_tracking.E004")


@pytest.mark.parametrize(
    "order",
    [
        [MIDDLEWARE],
        [MIDDLEWARE, "django.contrib.sessions.middleware.SessionMiddleware"],
        [
            "metrics.middleware.MetricsMiddleware",
            "django.middleware.security.SecurityMiddleware",
            "corsheaders.middleware.CorsMiddleware",
            MIDDLEWARE,
        ],
    ],
)
def test_a_door_after_what_a_project_has_of_those_before_it_is_fine(settings: Settings, order: list[str]) -> None:
    settings.MIDDLEWARE = order

    assert found() == {}


# E005, W001: logins


def test_e005_a_backend_before_the_gate(settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", BACKEND]

    assert "not the first" in the_only_one("ip_tracking.E005")


def test_w001_no_gate_for_logins(settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]

    assert "by their route only" in the_only_one("ip_tracking.W001")


# W002, E006: names


def test_w002_a_kind_for_a_route_that_is_not_there(settings: Settings, tracking: Configure) -> None:
    tracking(KINDS={**settings.IP_TRACKING["KINDS"], "shop:signin": "login"})

    assert "'shop:signin'" in the_only_one("ip_tracking.W002")


@pytest.mark.parametrize("path", ["shop.orders.signals.payment_denied", "os.path.join", "payment_declined"])
def test_e006_an_outcome_that_is_no_signal(tracking: Configure, path: str) -> None:
    tracking(OUTCOMES={path: "payment_declined"})

    assert repr(path) in the_only_one("ip_tracking.E006")


# W003: proxies


@pytest.mark.parametrize(
    "proxied", [{"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}, {"USE_X_FORWARDED_HOST": True}]
)
def test_w003_a_proxy_that_nobody_trusts(settings: Settings, tracking: Configure, proxied: dict[str, object]) -> None:
    for name, value in proxied.items():
        setattr(settings, name, value)

    assert "every client looks like it" in the_only_one("ip_tracking.W003")

    tracking(TRUSTED_PROXIES=["unix"])

    assert found() == {}


# W004 to W006, E007: policies that guard nothing, and what is unguarded


def test_w004_a_policy_for_a_route_that_was_renamed(tracking: Configure) -> None:
    tracking(POLICIES={"buy": {"rates": ["9/m"], "routes": ["shop:checkout", "shop:buy"], "why": "a test"}})

    message = the_only_one("ip_tracking.W004")

    assert "'buy'" in message
    assert "'shop:buy'" in message
    assert "'shop:checkout'" not in message


def test_w005_a_login_that_nobody_told_us_of(settings: Settings, tracking: Configure) -> None:
    kinds = {route: kind for route, kind in settings.IP_TRACKING["KINDS"].items() if route != "shop:checkout"}
    tracking(KINDS=kinds)

    assert "'shop:checkout'" in the_only_one("ip_tracking.W005")


@pytest.mark.django_db
def test_w006_a_policy_that_nothing_meets_any_more() -> None:
    long_ago = datetime.now(UTC) - timedelta(days=30)
    PolicyHour.objects.add(Counter({("payment", long_ago): 7}))

    (message,) = checks.run_checks(tags=[checks.Tags.database], databases=["default"])

    assert message.id == "ip_tracking.W006"
    assert "'payment'" in message.msg
    assert "14 days" in message.msg


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("not connection.features.can_rollback_ddl", reason="what is renamed here would stay so")
def test_w006_is_silent_before_the_first_migration() -> None:
    """Django runs database checks in `migrate` itself."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("ALTER TABLE ip_tracking_policyhour RENAME TO elsewhere")
        messages = list(policies_are_asked())
        cursor.execute("ROLLBACK")

    assert messages == []


def test_e007_a_mark_that_no_policy_answers_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decorators, "used", {"exprot"})

    assert "@limited('exprot')" in the_only_one("ip_tracking.E007")


def test_policies_that_cannot_be_read_are_told_once(tracking: Configure) -> None:
    tracking(POLICIES={"site": {"rates": ["fast"]}})

    assert list(found()) == ["ip_tracking.E002"]


# W012: the gate, where it is deployed


@pytest.mark.parametrize(("mode", "warned"), [("enforce", False), ("shadow", True), ("off", True)])
def test_w012_a_gate_that_refuses_nobody_for_good(tracking: Configure, mode: str, warned: bool) -> None:
    tracking(MODE=mode)

    deployed = checks.run_checks(tags=[checks.Tags.security], include_deployment_checks=True)

    assert ("ip_tracking.W012" in {message.id for message in deployed}) == warned
    assert found() == {}
