from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import user_logged_in, user_login_failed
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from shop.accounts.models import User
from tests.shop.conftest import PASSWORD
from tests.shop.hashing import CountingHasher

LOGIN = "/api/v1/auth/token/"
REFRESH = "/api/v1/auth/token/refresh/"


@pytest.fixture
def failures() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def listen(**said: Any) -> None:
        heard.append(said)

    user_login_failed.connect(listen)
    yield heard
    user_login_failed.disconnect(listen)


def log_in(client: Client, username: Any, password: Any = PASSWORD) -> HttpResponse:
    return client.post(LOGIN, {"username": username, "password": password}, content_type="application/json")


@pytest.mark.parametrize("name", ["ada", "ada@example.com", "ADA@EXAMPLE.COM", " ada "])
def test_a_customer_signs_in_by_username_or_by_email_in_any_case(client: Client, ada: User, name: str) -> None:
    response = log_in(client, name)

    assert response.status_code == 200
    assert AccessToken(response.json()["access"])["user_id"] == str(ada.pk)
    assert RefreshToken(response.json()["refresh"])["user_id"] == str(ada.pk)


@pytest.mark.parametrize("name", ["ada", "ada@example.com", "nobody", "nobody@example.com", "ADA"])
def test_every_wrong_login_gets_the_same_answer_one_signal_and_one_hashing(
    client: Client, ada: User, failures: list[dict[str, Any]], name: str
) -> None:
    CountingHasher.hashed.clear()

    response = log_in(client, name, "wrong")

    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response.json() == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "No active account has this name and password.",
    }
    assert len(failures) == 1
    assert CountingHasher.hashed == ["wrong"]


def test_a_failed_login_names_the_account_one_way_however_it_was_called(
    client: Client, ada: User, failures: list[dict[str, Any]]
) -> None:
    """Whoever counts wrong passwords by account must not count names and e-mails apart."""
    for name in ("ada", "ada@example.com", "Ada@example.COM"):
        log_in(client, name, "wrong")

    assert [said["credentials"]["username"] for said in failures] == ["ada", "ada", "ada"]
    assert all(type(said["request"]).__mro__[-2] is HttpRequest for said in failures)


def test_an_inactive_account_is_refused_like_a_wrong_password(
    client: Client, ada: User, failures: list[dict[str, Any]]
) -> None:
    User.objects.update(is_active=False)

    response = log_in(client, "ada")

    assert response.status_code == 401
    assert len(failures) == 1


def test_a_login_tells_django_and_is_remembered(client: Client, ada: User, failures: list[dict[str, Any]]) -> None:
    heard: list[User] = []

    def listen(user: User, **said: Any) -> None:
        heard.append(user)

    user_logged_in.connect(listen)

    log_in(client, "ada")

    user_logged_in.disconnect(listen)
    assert heard == [ada]
    assert failures == []
    assert User.objects.get().last_login is not None


def test_a_password_may_begin_and_end_with_spaces(client: Client, ada: User) -> None:
    ada.set_password(" spaced ")
    ada.save()

    assert log_in(client, "ada", " spaced ").status_code == 200
    assert log_in(client, "ada", "spaced").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"ada"',
        b'{"username": "ada"}',
        b'{"username": "", "password": "x"}',
        b'{"username": ["ada"], "password": {"a": 1}}',
        b'{"username": "a\\u0000da", "password": "x"}',
        b'{"username": "a\\ud800da", "password": "x"}',
        b'{"username": "ada", "password": "\\ud800"}',
        b"\xff\xfe",
        b"[" * 50_000,
    ],
)
def test_a_malformed_login_is_a_problem_of_the_caller_and_no_attempt(
    client: Client, ada: User, failures: list[dict[str, Any]], body: bytes
) -> None:
    response = client.post(LOGIN, body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["status"] == 400
    assert failures == []


def test_a_body_larger_than_any_honest_one_is_refused_unread(client: Client, db: None) -> None:
    response = log_in(client, "a" * 70_000)

    assert response.status_code == 413
    assert response.json()["detail"] == "A request body may have 65536 bytes."


def test_a_refresh_token_buys_a_new_access_token(client: Client, ada: User) -> None:
    refresh = str(RefreshToken.for_user(ada))

    response = client.post(REFRESH, {"refresh": refresh}, content_type="application/json")

    assert response.status_code == 200
    assert AccessToken(response.json()["access"])["user_id"] == str(ada.pk)


def test_a_refresh_token_of_a_deleted_or_inactive_account_is_refused(client: Client, ada: User) -> None:
    refresh = str(RefreshToken.for_user(ada))
    User.objects.update(is_active=False)
    of_inactive = client.post(REFRESH, {"refresh": refresh}, content_type="application/json")
    User.objects.all().delete()

    of_deleted = client.post(REFRESH, {"refresh": refresh}, content_type="application/json")

    assert (of_inactive.status_code, of_deleted.status_code) == (401, 401)
    assert of_deleted.json()["detail"] == of_inactive.json()["detail"]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\u0000", "é" * 100])
def test_a_bad_refresh_token_is_refused(client: Client, db: None, token: str) -> None:
    response = client.post(REFRESH, {"refresh": token}, content_type="application/json")

    assert response.status_code in {400, 401}
    assert response["Content-Type"] == "application/problem+json"


def test_an_access_token_does_not_refresh(client: Client, ada: User) -> None:
    response = client.post(REFRESH, {"refresh": str(AccessToken.for_user(ada))}, content_type="application/json")

    assert response.status_code == 401


@pytest.mark.django_db
def test_an_email_belongs_to_one_account_in_any_case(ada: User) -> None:
    with pytest.raises(IntegrityError):
        User.objects.create(username="eve", email="ADA@example.com")


@pytest.mark.django_db
def test_accounts_without_an_email_live_side_by_side() -> None:
    User.objects.create_user("one")
    two = User(username="two", email="", password="x")
    two.full_clean()
    two.save()

    assert list(User.objects.values_list("email", flat=True)) == [None, None]


@pytest.mark.django_db
def test_a_username_cannot_pass_for_an_email() -> None:
    with pytest.raises(ValidationError, match="Letters, digits"):
        User(username="ada@example.com", password="x").full_clean()
    with pytest.raises(IntegrityError):
        User.objects.create(username="ada@example.com")


def test_staff_open_and_save_a_user_in_the_admin(admin_client: Client, ada: User) -> None:
    page = f"/admin/accounts/user/{ada.pk}/change/"
    form = admin_client.get(page).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value not in (None, False, [])}
    values |= {"email": "", "date_joined_0": "2025-01-01", "date_joined_1": "12:00:00"}

    response = admin_client.post(page, {key: value for key, value in values.items() if key != "date_joined"})

    assert response.status_code == 302
    assert User.objects.get(pk=ada.pk).email is None
