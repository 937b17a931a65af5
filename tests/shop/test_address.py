"""Another e-mail address: only with the password, only to who reads its mail, and nobody learns whose it is."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from shop.accounts import address, passwords
from shop.accounts.models import User
from tests.shop.accounts import as_user, log_in, pointers, post, token_in_mail, without_workers
from tests.shop.conftest import PASSWORD

ASK, CONFIRM = "/me/email/", "/auth/email/confirm/"


@pytest.fixture(autouse=True)
def _nobody_was_sent_a_mail(workers: None) -> None:
    cache.clear()


def test_an_account_moves_and_its_old_address_is_told(ada: User, django_capture_on_commit_callbacks: Any) -> None:
    asked = post(as_user(ada), ASK, email="Ada@Example.org", current_password=PASSWORD)
    before = User.objects.get().email
    with django_capture_on_commit_callbacks(execute=True):
        moved = post(Client(), CONFIRM, token=token_in_mail())

    assert (asked.status_code, before, moved.status_code) == (202, "ada@example.com", 204)
    assert User.objects.get().email == "ada@example.org"
    assert [(sent.to, sent.subject) for sent in mail.outbox] == [
        (["ada@example.org"], "Your new address"),
        (["ada@example.com"], "Your address was changed"),
    ]
    assert log_in("ada@example.org", PASSWORD)


def test_free_and_taken_addresses_are_answered_alike(ada: User, django_assert_num_queries: Any) -> None:
    User.objects.create_user("ben", "ben@example.com", PASSWORD)
    answers = []
    for email in ("ben@example.com", "free@example.com"):
        with without_workers(), django_assert_num_queries(2):  # who asks, and their password
            answers.append(post(as_user(ada), ASK, email=email, current_password=PASSWORD))

    taken, free = [(answer.status_code, answer.content, dict(answer.headers)) for answer in answers]
    assert taken == free
    assert taken[0] == 202


def test_a_taken_address_is_told_that_it_is_and_gets_no_link(ada: User) -> None:
    User.objects.create_user("ben", "ben@example.com", PASSWORD)

    post(as_user(ada), ASK, email="ben@example.com", current_password=PASSWORD)

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["ben@example.com"], "You have an account")
    assert "token" not in sent.body


def test_without_the_password_nothing_is_sent(ada: User) -> None:
    answer = post(as_user(ada), ASK, email="eve@example.com", current_password="wrong")

    assert (answer.status_code, pointers(answer), mail.outbox) == (400, ["#/current_password"], [])


def test_a_link_holds_once_and_while_the_account_has_its_old_address(ada: User) -> None:
    first, second = address.token_for(ada, "a@example.org"), address.token_for(ada, "b@example.org")

    answers = [post(Client(), CONFIRM, token=token).status_code for token in (first, first, second)]

    assert answers == [204, 400, 400]
    assert User.objects.get().email == "a@example.org"


def test_an_address_that_somebody_was_faster_with_stays_theirs(ada: User) -> None:
    token = address.token_for(ada, "ben@example.com")
    User.objects.create_user("ben", "ben@example.com", PASSWORD)

    answer = post(Client(), CONFIRM, token=token)

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem-type:shop:account-exists")
    assert User.objects.get(username="ada").email == "ada@example.com"


def test_a_link_of_another_kind_or_an_inactive_account_moves_nothing(ada: User) -> None:
    token = address.token_for(ada, "a@example.org")
    of_password = passwords.link_token(ada)
    User.objects.update(is_active=False)

    answers = [post(Client(), CONFIRM, token=text).status_code for text in (token, of_password, "x", "x:y:z")]

    assert answers == [400] * 4


def test_an_account_without_an_address_gets_one(db: None) -> None:
    dan = User.objects.create_user("dan", None, PASSWORD)

    assert post(Client(), CONFIRM, token=address.token_for(dan, "dan@example.com")).status_code == 204
    assert User.objects.get().email == "dan@example.com"
