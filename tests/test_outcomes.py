"""WHAT CAME OF IT? Signals first, then the status by the route's kind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import Signal
from pytest_django.fixtures import Settings

from ip_tracking import outcomes
from ip_tracking.client import Client
from ip_tracking.outcomes import account_key, is_failure, outcome_of
from ip_tracking.visit import Attempt, Visit, current

coupon_refused = Signal()
no_signal = "a string"

Configure = Callable[..., object]

# Django's own receiver notes the time of a login on the user.
ADA = SimpleNamespace(save=lambda **_: None)


@pytest.fixture
def visit() -> Iterator[Visit]:
    """A request in hand."""
    made = Visit("a-request", Client("203.0.113.9", "203.0.113.9", through_proxy=False))
    token = current.set(made)
    yield made
    current.reset(token)


# Signals


def test_a_failed_login_is_told_by_djangos_signal(visit: Visit) -> None:
    user_login_failed.send(sender=None, credentials={}, request=None)

    visit.kind = "login"

    assert outcome_of(visit, "POST", 200) == "login_failed"


def test_a_good_login_is_told_by_djangos_signal(visit: Visit) -> None:
    user_logged_in.send(sender=None, request=None, user=ADA)

    visit.kind = ""

    assert outcome_of(visit, "POST", 500) == "login_ok"


@pytest.mark.parametrize("order", [(user_login_failed, user_logged_in), (user_logged_in, user_login_failed)])
def test_one_failure_outweighs_a_success_of_the_same_request(visit: Visit, order: tuple[Signal, Signal]) -> None:
    """Else a batch of GraphQL logins would hide forty-nine wrong passwords behind one good one."""
    for signal in order:
        signal.send(sender=None, request=None, user=ADA, credentials={})

    visit.kind = "login"

    assert outcome_of(visit, "POST", 200) == "login_failed"


def test_a_failed_login_keeps_the_place_of_its_own_attempt_only(visit: Visit) -> None:
    visit.attempts += [Attempt(()), Attempt(())]

    user_login_failed.send(sender=None, credentials={}, request=None)

    assert [attempt.failed for attempt in visit.attempts] == [False, True]

    user_login_failed.send(sender=None, credentials={}, request=None)

    assert [attempt.failed for attempt in visit.attempts] == [True, True]


def test_of_logins_that_run_at_once_each_failure_is_its_own_accounts(visit: Visit) -> None:
    """Else a good login beside it would pay for a guess at somebody else's account."""
    victims, own = Attempt((), account_key("dana")), Attempt((), account_key("eve"))
    visit.attempts += [victims, own]

    user_login_failed.send(sender=None, credentials={"username": "Dana"}, request=None)

    assert (victims.failed, own.failed) == (True, False)


def test_a_signal_named_in_the_settings_is_an_outcome(visit: Visit, tracking: Configure) -> None:
    tracking(OUTCOMES={"tests.test_outcomes.coupon_refused": "coupon_refused"})
    outcomes.listen()

    coupon_refused.send(sender=None)

    visit.kind = "payment"

    assert outcome_of(visit, "POST", 200) == "coupon_refused"


def test_signals_outside_a_request_touch_nothing() -> None:
    """A management command may log a user in."""
    user_login_failed.send(sender=None, credentials={}, request=None)
    user_logged_in.send(sender=None, request=None, user=ADA)

    assert current.get() is None


@pytest.mark.parametrize(
    "path", ["tests.test_outcomes.no_signal", "tests.test_outcomes.nothing", "nowhere.at.all", "x"]
)
def test_a_wrong_signal_is_logged_and_the_process_starts(
    tracking: Configure, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """At start this runs before the system checks, which could not report it if it raised."""
    tracking(OUTCOMES={path: "never_seen"})

    with caplog.at_level(logging.ERROR):
        outcomes.listen()

    assert "never_seen" in caplog.text


def test_a_wrong_key_leaves_the_word_to_the_checks(settings: Settings) -> None:
    settings.IP_TRACKING = {"ENFROCE": "block"}

    outcomes.listen()


# Statuses


@pytest.mark.parametrize(
    ("kind", "status", "outcome"),
    [
        ("login", 401, "login_failed"),
        ("login", 403, "login_failed"),
        ("login", 200, "login_ok"),
        ("login", 302, "login_ok"),
        ("login", 400, ""),
        ("login", 500, ""),
        ("payment", 402, "payment_failed"),
        ("payment", 201, "payment_ok"),
        ("payment", 401, ""),
        ("coupon", 404, "coupon_failed"),
        ("coupon", 422, "coupon_failed"),
        ("catalogue", 404, ""),
        ("", 401, ""),
    ],
)
def test_without_a_signal_the_status_tells_by_kind(visit: Visit, kind: str, status: int, outcome: str) -> None:
    visit.kind = kind

    assert outcome_of(visit, "POST", status) == outcome


@pytest.mark.parametrize(
    ("outcome", "failed"), [("login_failed", True), ("payment_declined", True), ("login_ok", False), ("", False)]
)
def test_what_does_not_end_well_is_a_failure(outcome: str, failed: bool) -> None:
    assert is_failure(outcome) is failed


# Accounts


def test_an_account_is_one_however_its_name_is_written() -> None:
    assert account_key("Ada@Example.com") == account_key("  ada@example.COM ")
    assert account_key("\uff21da") == account_key("ada")  # a fullwidth A
    assert account_key("ada") != account_key("eda")


def test_an_accounts_name_cannot_be_read_from_its_key(settings: Settings) -> None:
    before = account_key("correct horse battery staple")
    settings.SECRET_KEY = "another key"
    outcomes._hash.cache_clear()

    assert "horse" not in before
    assert len(before) == 24
    assert account_key("correct horse battery staple") != before


def test_a_huge_name_is_cut_before_it_is_remembered() -> None:
    """The memo holds thousands of names: uncut, a stranger could fill the memory with them."""
    outcomes._hash.cache_clear()

    keys = {account_key("a" * 256 + str(number)) for number in range(50)}

    assert len(keys) == 1
    assert outcomes._hash.cache_info().currsize == 1


@pytest.mark.parametrize("name", ["\udc80", "\x00", "\u202e", "a\n", " "])
def test_any_text_has_a_key(name: str) -> None:
    assert len(account_key(name)) == 24


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_at_a_login_form_is_no_login(visit: Visit, method: str) -> None:
    visit.kind = "login"

    assert outcome_of(visit, method, 200) == ""
