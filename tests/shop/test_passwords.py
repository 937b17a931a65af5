"""Passwords: changed by who knows the old one, set by who reads the account's mail."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import user_login_failed
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher, identify_hasher
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from shop.accounts import passwords
from shop.accounts.models import User
from tests.shop.accounts import as_user, log_in, pointers, post, token_in_mail, without_workers
from tests.shop.conftest import PASSWORD
from tests.shop.hashing import CountingHasher
from tests.shop.test_checkout_race import all_at_once

NEW = "another horse battery"
CHANGE, ASK, CONFIRM = "/me/password/", "/auth/password-reset/", "/auth/password-reset/confirm/"

Committed = Any  # django_capture_on_commit_callbacks


@pytest.fixture(autouse=True)
def _nobody_was_sent_a_mail(workers: None) -> None:
    cache.clear()


def renew(refresh: str) -> int:
    return post(Client(), "/auth/token/refresh/", refresh=refresh).status_code


# Changed


def test_a_changed_password_ends_every_sign_in_but_the_one_it_begins(
    ada: User, django_capture_on_commit_callbacks: Committed
) -> None:
    here, elsewhere = log_in("ada", PASSWORD), log_in("ada", PASSWORD)
    client = Client(headers={"Authorization": f"Bearer {here['access']}"})

    with django_capture_on_commit_callbacks(execute=True):
        answer = post(client, CHANGE, current_password=PASSWORD, new_password=NEW)

    assert answer.status_code == 200
    assert [renew(tokens["refresh"]) for tokens in (here, elsewhere)] == [401, 401]
    assert client.get("/api/v1/me/").status_code == 401
    assert renew(answer.json()["refresh"]) == 200
    assert log_in("ada", NEW)
    (told,) = mail.outbox
    assert (told.to, told.subject) == (["ada@example.com"], "Your password was changed")


def test_a_wrong_current_password_is_a_failed_login_of_that_account(ada: User) -> None:
    heard: list[str] = []

    def listen(credentials: Any, **_: Any) -> None:
        heard.append(credentials["username"])

    user_login_failed.connect(listen)
    answer = post(as_user(ada), CHANGE, current_password="wrong", new_password=NEW)
    user_login_failed.disconnect(listen)

    assert (answer.status_code, pointers(answer)) == (400, ["#/current_password"])
    assert heard == ["ada"]
    assert log_in("ada", PASSWORD)


def test_a_weak_new_password_is_refused_by_its_field(ada: User) -> None:
    answer = post(as_user(ada), CHANGE, current_password=PASSWORD, new_password="ada@example")

    assert (answer.status_code, pointers(answer)) == (400, ["#/new_password"])


def test_a_stranger_changes_no_password(client: Client, db: None) -> None:
    assert post(client, CHANGE, current_password=PASSWORD, new_password=NEW).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_one_is_made(ada: User) -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory refuses a second writer instead of letting it wait.")
    seen = [User.objects.get(pk=ada.pk) for _ in range(4)]

    ends = all_at_once(4, lambda n: passwords.set_password(seen[n], f"{NEW} {n}"))

    assert ends == {"done": 1, passwords.Changed.__name__: 3}


# Forgotten


def test_a_forgotten_password_is_chosen_anew_by_mail(
    client: Client, ada: User, django_capture_on_commit_callbacks: Committed
) -> None:
    tokens = log_in("ada", PASSWORD)

    asked = post(client, ASK, email="ADA@Example.com")
    token = token_in_mail()
    with django_capture_on_commit_callbacks(execute=True):
        done = post(client, CONFIRM, token=token, password=NEW)

    assert (asked.status_code, asked.content, done.status_code) == (202, b"", 204)
    assert log_in("ada", NEW)
    assert renew(tokens["refresh"]) == 401
    assert [sent.subject for sent in mail.outbox] == ["Choose a new password", "Your password was changed"]
    assert all(sent.to == ["ada@example.com"] for sent in mail.outbox)


def test_the_link_begins_with_the_shops_address_whatever_host_was_asked(
    client: Client, ada: User, settings: Any
) -> None:
    settings.SHOP_URL = "https://shop.example.com/"
    settings.ALLOWED_HOSTS = ["*"]

    client.post(
        f"/api/v1{ASK}", {"email": "ada@example.com"}, content_type="application/json", headers={"host": "evil.example"}
    )

    assert "https://shop.example.com/password-reset/confirm#token=" in mail.outbox[0].body
    assert "evil" not in mail.outbox[0].body


def test_known_unknown_and_inactive_accounts_are_answered_alike_without_asking_the_database(
    client: Client, ada: User, django_assert_num_queries: Any
) -> None:
    User.objects.create_user("ina", "ina@example.com", PASSWORD, is_active=False)
    CountingHasher.hashed.clear()
    with without_workers(), django_assert_num_queries(0):
        answers = [post(client, ASK, email=f"{name}@example.com") for name in ("ada", "ina", "nobody")]

    told = [(answer.status_code, answer.content, dict(answer.headers)) for answer in answers]
    assert told == [told[0]] * 3
    assert told[0][0] == 202
    assert CountingHasher.hashed == []


@pytest.mark.parametrize("email", ["nobody@example.com", "ina@example.com"])
def test_who_has_no_account_is_sent_no_mail(client: Client, db: None, email: str) -> None:
    User.objects.create_user("ina", "ina@example.com", PASSWORD, is_active=False)

    assert post(client, ASK, email=email).status_code == 202
    assert mail.outbox == []


def test_an_address_that_only_looks_like_it_is_sent_nothing(client: Client, ada: User) -> None:
    """Case-blind look-ups once sent such a letter's owner somebody else's link (CVE-2019-19844)."""
    User.objects.create_user("mike", "mike@example.org", PASSWORD)

    answer = post(client, ASK, email="m\u0131ke@example.org")

    assert (answer.status_code, mail.outbox) == (400, [])


def test_a_link_sets_one_password(client: Client, ada: User) -> None:
    token = passwords.link_token(ada)
    post(client, CONFIRM, token=token, password=NEW)

    again = post(client, CONFIRM, token=token, password="a third horse battery")

    assert (again.status_code, again.json()["type"]) == (400, "urn:problem-type:shop:bad-link")
    assert log_in("ada", NEW)


def test_a_link_is_over_when_its_owner_signed_in_or_has_another_address(client: Client, ada: User) -> None:
    before_login = passwords.link_token(ada)
    log_in("ada", PASSWORD)
    before_move = passwords.link_token(User.objects.get())
    User.objects.update(email="elsewhere@example.com")

    answers = [post(client, CONFIRM, token=token, password=NEW) for token in (before_login, before_move)]

    assert [answer.json()["type"] for answer in answers] == ["urn:problem-type:shop:bad-link"] * 2


def test_a_link_is_over_after_its_time(client: Client, ada: User, settings: Any) -> None:
    token = passwords.link_token(ada)
    settings.PASSWORD_RESET_TIMEOUT = -1

    assert post(client, CONFIRM, token=token, password=NEW).status_code == 400


def test_a_wrong_link_tells_nothing_of_the_account_it_names(
    client: Client, ada: User, django_assert_num_queries: Any
) -> None:
    """The same answer, one query and no hashing: for an account, one that is inactive, and none."""
    ina = User.objects.create_user("ina", "ina@example.com", PASSWORD, is_active=False)
    proof = passwords.link_token(ada).partition(".")[2]
    CountingHasher.hashed.clear()
    answers = []
    for key in (ada.pk, ina.pk, ina.pk + 1000):
        name = passwords.int_to_base36(key)
        with django_assert_num_queries(1):
            answers.append(post(client, CONFIRM, token=f"{name}.{proof[:-1]}!", password="weak"))

    told = [(answer.status_code, answer.content, dict(answer.headers)) for answer in answers]
    assert told == [told[0]] * 3
    assert told[0][0] == 400
    assert CountingHasher.hashed == []


@pytest.mark.parametrize(
    "token", ["x", ".", "1.", ".x", "1.2.3", "-1.a-b", "zzzzzzzzzzzzz.a-b", "z" * 500 + ".a-b", "\u00e9.\u00e9-\u00e9"]
)
def test_a_link_that_is_not_ours_sets_nothing(client: Client, ada: User, token: str) -> None:
    answer = post(client, CONFIRM, token=token, password=NEW)

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:shop:bad-link")


def test_an_inactive_account_has_no_link(client: Client, ada: User) -> None:
    token = passwords.link_token(ada)
    User.objects.update(is_active=False)

    assert post(client, CONFIRM, token=token, password=NEW).status_code == 400


def test_one_inbox_is_sent_three_links_an_hour(client: Client, ada: User) -> None:
    answers = [post(client, ASK, email=email) for email in ["ada@example.com"] * 3 + ["ADA@example.com"]]

    assert [answer.status_code for answer in answers] == [202] * 4
    assert len(mail.outbox) == 3


def test_mails_about_registration_use_up_none_of_the_links_to_a_new_password(client: Client, ada: User) -> None:
    for _ in range(4):
        post(client, "/auth/registration/", email="ada@example.com")

    post(client, ASK, email="ada@example.com")

    assert mail.outbox[-1].subject == "Choose a new password"


# Hashed


def test_a_new_password_is_hashed_by_argon2_and_an_old_hash_is_replaced_at_login(settings: Any, db: None) -> None:
    from sentinel import settings as project  # noqa: PLC0415 - the tests' own settings hash cheaply

    settings.PASSWORD_HASHERS = project.PASSWORD_HASHERS
    old = User.objects.create_user("old", "old@example.com")
    User.objects.filter(pk=old.pk).update(password=PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 6, 1000))

    tokens = log_in("old", PASSWORD)

    assert identify_hasher(User.objects.get().password).algorithm == Argon2PasswordHasher.algorithm
    assert renew(tokens["refresh"]) == 200
