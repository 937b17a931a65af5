"""Does every policy guard something, and is everything sensitive guarded?"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ip_tracking import coverage, decorators
from ip_tracking.models import PolicyHour
from ip_tracking.tasks import report_coverage
from metrics import client, emit
from metrics.catalogue import POLICIES_DEAD, ROUTES_UNGUARDED
from tests.dogstatsd import udp_receiver
from tests.metrics.conftest import send_to

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

OWN = {"rates": ["9/m"], "why": "a test"}


def names(found):
    return [item[0] for item in found]


def test_the_shipped_table_over_this_project_has_no_gap():
    assert (coverage.dead(), coverage.unguarded()) == ([], [])


@pytest.fixture
def without_coupons(settings, tracking):
    tracking(KINDS={route: kind for route, kind in settings.IP_TRACKING["KINDS"].items() if kind != "coupon"})


@pytest.mark.usefixtures("without_coupons")
def test_a_shipped_policy_whose_kind_is_not_in_use_waits():
    assert "coupon" not in names(coverage.dead())


@pytest.mark.usefixtures("without_coupons")
def test_a_shipped_policy_that_was_changed_for_a_kind_nobody_has_is_dead(tracking):
    tracking(POLICIES={"coupon": {"rates": ["3/m"]}})

    (found,) = coverage.dead()

    assert (found.policy, found.why) == ("coupon", "It covers no route of kind coupon, as KINDS has it.")


def test_a_kind_whose_only_route_was_renamed_leaves_its_policies_dead(settings, tracking):
    kinds = {route: kind for route, kind in settings.IP_TRACKING["KINDS"].items() if kind != "payment"}
    tracking(KINDS={**kinds, "shop:buy": "payment"})

    assert names(coverage.dead()) == ["payment", "payment-declines"]
    assert names(coverage.unguarded()) == ["shop:checkout", "shop:order-pay"]


def test_a_policy_for_no_route_at_all_is_told_what_to_write(tracking):
    tracking(POLICIES={"own": OWN})

    (found,) = coverage.dead()

    assert '@limited("own")' in found.why


def test_a_policy_that_a_view_names_is_not_dead(tracking, monkeypatch):
    tracking(POLICIES={"own": OWN})
    monkeypatch.setattr(decorators, "used", {"own"})

    assert coverage.dead() == []


def test_login_policies_are_passed_by_every_login_whatever_its_route(tracking, settings):
    tracking(KINDS={route: kind for route, kind in settings.IP_TRACKING["KINDS"].items() if kind != "login"})

    assert "login" not in names(coverage.dead())


def test_a_sensitive_kind_that_is_only_watched_in_shadow_is_unguarded(tracking):
    tracking(POLICIES={"payment": {"mode": "shadow"}, "payment-declines": None})

    why = "No policy of its own enforces anything on kind 'payment'."
    assert coverage.unguarded() == [
        coverage.Unguarded(route, "payment", why) for route in ("shop:checkout", "shop:order-pay")
    ]


@pytest.mark.parametrize(
    ("name", "path", "sensitive"),
    [
        ("token_obtain_pair", "/api/token/", True),
        ("apply", "/cart/coupon/", True),
        ("shop:signUp", "/accounts/", True),
        ("accounts:sign-up", "/accounts/new/", True),
        ("admin:login", "/admin/login/", True),
        ("admin:shop_payment_add", "/admin/shop/payment/add/", False),
        ("shop:payload", "/payload/", False),
        ("shop:blog-index", "/blog/", False),
        ("rest_password_reset", "/x/", True),
        ("shop:tokenise", "/tokenise/", False),
    ],
)
def test_what_sounds_sensitive(name, path, sensitive):
    assert coverage._looks_sensitive(coverage.Route(name, path, None)) is sensitive


@pytest.mark.django_db
def test_a_policy_that_was_not_asked_for_two_weeks_is_quiet():
    PolicyHour.objects.add(Counter({("payment", NOON - timedelta(days=20)): 7, ("site", NOON): 5}))

    assert coverage.quiet(NOON) == [coverage.Dead("payment", "It was not asked once in 14 days.")]


@pytest.mark.django_db
def test_a_policy_younger_than_that_is_not_quiet_yet():
    PolicyHour.objects.add(Counter({("payment", NOON - timedelta(days=13)): 0}))

    assert coverage.quiet(NOON) == []


@pytest.mark.django_db
def test_the_hourly_run_notes_that_each_policy_was_there_and_forgets_what_is_old():
    PolicyHour.objects.add(Counter({("site", NOON - timedelta(days=100)): 7}))

    report_coverage(NOON)

    assert set(PolicyHour.objects.values_list("policy", "hour", "evaluated")) >= {("site", NOON, 0), ("login", NOON, 0)}
    assert PolicyHour.objects.evaluated_since(NOON - timedelta(days=200))["site"] == 0


@pytest.mark.django_db
def test_the_hourly_run_tells_how_many_gaps_there_are(tracking, monkeypatch):
    tracking(POLICIES={"own": OWN, "payment": {"mode": "shadow"}, "payment-declines": None})
    with udp_receiver() as agent:
        send_to(monkeypatch, agent.environ)

        report_coverage(NOON)
        emit.flush()

        assert agent.values(POLICIES_DEAD) == [1]
        assert agent.values(ROUTES_UNGUARDED) == [2]
        client.close()
