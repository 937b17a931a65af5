"""Refresh tokens: renewed by turns, ended by signing out, by a copy that comes back, and by a new password."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from shop.accounts import sessions
from shop.accounts.models import User
from shop.accounts.tasks import flush_expired_tokens
from tests.shop.accounts import log_in, post
from tests.shop.conftest import PASSWORD
from tests.shop.test_checkout_race import all_at_once

USED = "This token is invalid, expired or used. Sign in again."


def renew(refresh: str) -> Any:
    return post(Client(), "/auth/token/refresh/", refresh=refresh)


def log_out(refresh: str) -> Any:
    return post(Client(), "/auth/logout/", refresh=refresh)


def long_ago() -> None:
    BlacklistedToken.objects.update(blacklisted_at=timezone.now() - sessions.TWO_TABS - timedelta(seconds=1))


def test_a_renewal_gives_a_new_pair_and_ends_the_old_token(ada: User) -> None:
    first = log_in("ada", PASSWORD)

    second = renew(first["refresh"])
    again = renew(first["refresh"])

    assert second.status_code == 200
    assert second["Cache-Control"] == "private, no-store"
    assert AccessToken(second.json()["access"])["user_id"] == str(ada.pk)
    assert renew(second.json()["refresh"]).status_code == 200
    assert (again.status_code, again.json()["detail"]) == (401, USED)
    assert again["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_copy_that_comes_back_later_ends_the_whole_sign_in_and_no_other(ada: User) -> None:
    stolen, elsewhere = log_in("ada", PASSWORD)["refresh"], log_in("ada", PASSWORD)["refresh"]
    owners = renew(renew(stolen).json()["refresh"]).json()["refresh"]
    long_ago()

    assert renew(stolen).status_code == 401
    assert renew(owners).status_code == 401
    assert renew(elsewhere).status_code == 200


def test_two_tabs_that_renew_within_seconds_leave_one_signed_in(ada: User) -> None:
    shared = log_in("ada", PASSWORD)["refresh"]
    first = renew(shared).json()["refresh"]

    assert renew(shared).status_code == 401
    assert renew(first).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_ten_renewals_at_once_one_is_answered(ada: User) -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory refuses a second writer instead of letting it wait.")
    shared = log_in("ada", PASSWORD)["refresh"]

    ends = all_at_once(10, lambda _: sessions.renew(shared))

    assert ends == {"done": 1, TokenError.__name__: 9}


def test_signing_out_ends_this_sign_in_however_often_it_was_renewed(ada: User) -> None:
    first, elsewhere = log_in("ada", PASSWORD)["refresh"], log_in("ada", PASSWORD)["refresh"]
    second = renew(first).json()["refresh"]

    answers = [log_out(first), log_out(first)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert renew(second).status_code == 401
    assert renew(elsewhere).status_code == 200


def test_signing_out_with_a_token_that_is_over_is_signing_out(ada: User) -> None:
    token = RefreshToken.for_user(ada)
    token.set_exp(lifetime=-timedelta(seconds=1))

    assert log_out(str(token)).status_code == 204


@pytest.mark.parametrize("token", ["x", "a.b.c", "\u00e9" * 100, "A" * 3000, ["x"], {"a": 1}, 7, None, ""])
def test_what_is_no_token_signs_nobody_out(db: None, token: Any) -> None:
    for answer in (renew(token), log_out(token)):
        assert answer.status_code in {400, 401}
        assert answer["Content-Type"] == "application/problem+json"


def test_an_access_token_signs_nobody_out(ada: User) -> None:
    assert log_out(log_in("ada", PASSWORD)["access"]).status_code == 401


def test_a_token_of_an_earlier_password_is_refused_access_and_refresh(ada: User) -> None:
    tokens = log_in("ada", PASSWORD)
    ada.set_password("another horse battery")
    ada.save()

    answer = Client(headers={"Authorization": f"Bearer {tokens['access']}"}).get("/api/v1/me/")

    assert renew(tokens["refresh"]).json()["detail"] == USED
    assert answer.status_code == 401


def test_who_reads_the_database_finds_no_token_to_go_on_with(ada: User) -> None:
    tokens = log_in("ada", PASSWORD)
    renew(tokens["refresh"])

    kept = list(OutstandingToken.objects.values_list("token", flat=True))

    family = RefreshToken(tokens["refresh"], verify=False)["jti"]
    assert kept == [family, family]


def test_the_night_forgets_what_is_over_and_keeps_what_holds(ada: User) -> None:
    over, live = log_in("ada", PASSWORD)["refresh"], log_in("ada", PASSWORD)["refresh"]
    renew(over)
    OutstandingToken.objects.filter(blacklistedtoken__isnull=False).update(expires_at=timezone.now())

    flush_expired_tokens()

    assert (OutstandingToken.objects.count(), BlacklistedToken.objects.count()) == (2, 0)
    assert renew(live).status_code == 200


def test_beat_flushes_every_night(settings: Any, db: None) -> None:
    tasks = [entry["task"] for entry in settings.SCHEDULE.values()]

    assert "shop.accounts.tasks.flush_expired_tokens" in tasks
    call_command("flushexpiredtokens")  # the command that it calls is there


def test_a_renewal_costs_so_many_queries(ada: User, django_assert_max_num_queries: Any) -> None:
    refresh = log_in("ada", PASSWORD)["refresh"]

    with django_assert_max_num_queries(11):  # of them five are savepoints
        assert renew(refresh).status_code == 200
