"""A new account: nobody learns which addresses have one, and only who reads the mail opens it."""

from __future__ import annotations

from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from celery import current_app
from django.core import mail, signing
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client

from shop.accounts import registration, tasks
from shop.accounts.models import User
from shop.accounts.registration import EmailTaken, open_account, token_for
from tests.shop.accounts import log_in, pointers, post, token_in_mail, without_workers
from tests.shop.conftest import PASSWORD
from tests.shop.hashing import CountingHasher
from tests.shop.test_checkout_race import all_at_once

ASK, CONFIRM = "/auth/registration/", "/auth/registration/confirm/"


@pytest.fixture(autouse=True)
def _nobody_was_sent_a_mail(workers: None) -> None:
    cache.clear()


def test_an_address_is_named_proved_and_signed_in(client: Client, db: None) -> None:
    asked = post(client, ASK, email="Grace@Example.com")
    opened = post(client, CONFIRM, token=token_in_mail(), password=PASSWORD, first_name="Grace")

    assert (asked.status_code, asked.content) == (202, b"")
    assert mail.outbox[0].to == ["grace@example.com"]
    assert "http://localhost:8000/register/confirm#token=" in mail.outbox[0].body
    assert opened.status_code == 201
    user = User.objects.get()
    assert opened.json() == {
        "id": user.pk,
        "username": user.username,
        "email": "grace@example.com",
        "first_name": "Grace",
        "last_name": "",
        "is_staff": False,
        "date_joined": opened.json()["date_joined"],
    }
    assert log_in("grace@example.com", PASSWORD)["access"]


def test_known_and_unknown_addresses_are_answered_alike_without_asking_the_database(
    client: Client, ada: User, django_assert_num_queries: Any
) -> None:
    """What differs is done by a worker: here none runs."""
    CountingHasher.hashed.clear()
    with without_workers(), django_assert_num_queries(0):
        answers = [post(client, ASK, email=email) for email in ("ada@example.com", "nobody@example.com")]

    known, unknown = [(answer.status_code, answer.content, dict(answer.headers)) for answer in answers]
    assert known == unknown
    assert known[0] == 202
    assert CountingHasher.hashed == []


def test_a_known_address_is_told_by_mail_that_it_is(client: Client, ada: User) -> None:
    post(client, ASK, email="ADA@example.com")

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["ada@example.com"], "You have an account")
    assert "token" not in sent.body


def test_nothing_that_a_stranger_typed_is_in_the_mail(client: Client, db: None) -> None:
    client.post(
        f"/api/v1{ASK}",
        {"email": "eve@example.com", "first_name": "Win a car at evil.example"},
        content_type="application/json",
        headers={"Host": "testserver", "Referer": "http://evil.example"},
    )

    assert "evil" not in mail.outbox[0].body


@pytest.mark.parametrize(
    "email",
    [
        "",
        "x",
        "a@b",
        "@example.com",
        "a b@example.com",
        "a@example.com\nBcc: b@example.com",
        "a\u0000@example.com",
        "\ud800@example.com",
        "\u0430da@example.com",  # a Cyrillic a
        "m\u0131ke@example.com",  # an i without its dot
        "ada@ex\u0430mple.com",
        "a" * 300 + "@example.com",
        "\ufdfa" * 100 + "@example.com",  # one letter that folds into eighteen
        ["ada@example.com"],
        {"a": 1},
        7,
        None,
    ],
)
def test_what_is_no_plain_address_is_refused_by_its_field(client: Client, db: None, email: Any) -> None:
    answer = post(client, ASK, email=email)

    assert answer.status_code == 400
    assert set(pointers(answer)) == {"#/email"}
    assert mail.outbox == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"[" * 50_000])
def test_a_malformed_body_is_a_problem_of_the_caller(client: Client, db: None, body: bytes) -> None:
    for path in (ASK, CONFIRM, "/auth/password-reset/", "/auth/password-reset/confirm/", "/auth/logout/"):
        answer = client.post(f"/api/v1{path}", body, content_type="application/json")

        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json"), path


@pytest.mark.parametrize(
    "email", ["\uff41da@example.com", "ada\uff20example.com", " ADA@EXAMPLE.COM ", "\u212ada@e.io"]
)
def test_letters_that_only_look_different_are_one_address(client: Client, ada: User, email: str) -> None:
    """Full width, a wide @, case and space; a Kelvin sign is a k."""
    assert post(client, ASK, email=email).status_code == 202
    assert mail.outbox[0].to == ["kda@e.io" if "e.io" in email else "ada@example.com"]


def test_a_login_in_wide_letters_is_the_same_account(client: Client, ada: User) -> None:
    assert log_in("\uff41da\uff20example.com", PASSWORD)
    assert log_in("\uff41da", PASSWORD)


@pytest.mark.parametrize(
    ("password", "why"), [("short", "too short"), ("password1234", "too common"), ("grace@example", "too similar")]
)
def test_a_weak_password_is_refused_by_its_field_and_the_link_still_holds(
    client: Client, db: None, password: str, why: str
) -> None:
    token = token_for("grace@example.com")

    weak = post(client, CONFIRM, token=token, password=password)

    assert weak.status_code == 400
    assert pointers(weak)[0] == "#/password"
    assert any(why in error["detail"] for error in weak.json()["errors"])
    assert post(client, CONFIRM, token=token, password=PASSWORD).status_code == 201


def test_a_link_opens_one_account(client: Client, db: None) -> None:
    token = token_for("grace@example.com")
    post(client, CONFIRM, token=token, password=PASSWORD)

    again = post(client, CONFIRM, token=token, password="another horse battery")

    assert (again.status_code, again.json()["type"]) == (409, "urn:problem-type:shop:account-exists")
    assert User.objects.count() == 1
    assert log_in("grace@example.com", PASSWORD)


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "x:y:z",
        ":::",
        "\u00e9:\u00e9:\u00e9",
        "A" * 2048,
        signing.dumps("eve@example.com"),
        signing.dumps("eve@example.com", salt="another"),
    ],
    ids=["letter", "three letters", "colons", "accents", "long", "another's use of the key", "another salt"],
)
def test_a_link_that_is_not_ours_opens_nothing(client: Client, db: None, token: str) -> None:
    answer = post(client, CONFIRM, token=token, password=PASSWORD)

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:shop:bad-link")
    assert not User.objects.exists()


def test_a_link_is_over_after_a_day(client: Client, db: None, settings: Any) -> None:
    token = token_for("grace@example.com")
    settings.PASSWORD_RESET_TIMEOUT = -1

    answer = post(client, CONFIRM, token=token, password=PASSWORD)

    assert answer.json()["type"] == "urn:problem-type:shop:bad-link"


def test_a_longer_password_than_anybody_types_is_refused_unhashed(client: Client, db: None) -> None:
    CountingHasher.hashed.clear()

    answer = post(client, CONFIRM, token=token_for("grace@example.com"), password="p" * 1025)

    assert pointers(answer) == ["#/password"]
    assert CountingHasher.hashed == []


@pytest.mark.django_db(transaction=True)
def test_of_ten_who_open_one_address_at_once_one_does() -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory refuses a second writer instead of letting it wait.")

    ends = all_at_once(10, lambda n: open_account("Grace@example.com", f"{PASSWORD} {n}"))

    assert ends == {"done": 1, EmailTaken.__name__: 9}
    assert User.objects.count() == 1


def test_one_address_is_sent_three_mails_an_hour_and_every_request_is_answered_alike(client: Client, db: None) -> None:
    answers = [post(client, ASK, email=email) for email in ["eve@example.com"] * 4 + [" EVE@example.com "]]

    assert [answer.status_code for answer in answers] == [202] * 5
    assert len(mail.outbox) == 3
    post(client, ASK, email="other@example.com")
    assert len(mail.outbox) == 4


class Down(EmailBackend):
    tried = 0

    def send_messages(self, messages: Any) -> int:
        Down.tried += 1
        raise SMTPServerDisconnected("gone")


def test_a_mail_server_that_is_away_is_asked_again(settings: Any, db: None) -> None:
    settings.EMAIL_BACKEND = "tests.shop.test_registration.Down"
    current_app.conf.task_eager_propagates = False

    result = tasks.answer_registration.apply(["grace@example.com"], throw=False)

    assert Down.tried == 25
    assert result.state == "FAILURE"


def test_pauses_between_tries_stay_under_the_minute_after_which_redis_hands_out_again() -> None:
    tries = tasks.TRIES

    assert tries["retry_backoff_max"] < 60
    pauses_s = [min(tries["retry_backoff"] * 2**n, tries["retry_backoff_max"]) for n in range(tries["max_retries"])]
    assert 10 * 60 < sum(pauses_s) < 20 * 60


def test_without_a_broker_every_address_is_told_to_come_back(client: Client, ada: User) -> None:
    with without_workers("redis://127.0.0.1:1/0"):
        answers = [post(client, ASK, email=email) for email in ("ada@example.com", "nobody@example.com")]

    assert [(answer.status_code, answer["Retry-After"]) for answer in answers] == [(503, "30")] * 2
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["type"] == "urn:problem-type:shop:no-mail"


def test_the_mail_is_asked_for_at_the_broker_that_workers_listen_to(client: Client, db: None) -> None:
    current_app.conf.task_always_eager = False
    with current_app.connection_for_write() as broker, broker.SimpleQueue("celery") as queue:
        queue.clear()

        post(client, ASK, email="grace@example.com")

        message = queue.get(timeout=5)
        message.ack()
    assert message.headers["task"] == "shop.accounts.tasks.answer_registration"
    assert message.payload[0] == ["grace@example.com"]
    assert message.headers["task"] in current_app.tasks


def test_the_username_is_drawn(db: None) -> None:
    names = {open_account(f"{n}@example.com", PASSWORD).username for n in range(5)}

    assert len(names) == 5
    assert all(len(name) == 17 for name in names)
    assert registration.email_in(token_for("a@example.com")) == "a@example.com"
