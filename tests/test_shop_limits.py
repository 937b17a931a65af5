"""The shop's accounts behind the door: what is refused there, and that it does not tell who is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.http import HttpResponse
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from tests.shop.accounts import without_workers
from tests.shop.hashing import CountingHasher

API = "/api/v1"
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db

Ask = Callable[..., HttpResponse]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """From one address. Mails are asked for, and nobody sends them."""
    caches["default"].clear()

    def post(path: str, **body: Any) -> HttpResponse:
        return Client().post(f"{API}{path}", body, content_type="application/json", REMOTE_ADDR="198.51.100.7")

    with without_workers():
        yield post


@pytest.fixture
def dana(django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("dana", "dana@example.com", PASSWORD)


def test_the_sixth_reset_in_a_minute_is_the_gates_429_for_known_and_unknown_alike(ask: Ask, dana: Any) -> None:
    """Counted by django-ratelimit, as the view's own decorator says."""
    for _ in range(5):
        assert ask("/auth/password-reset/", email="dana@example.com").status_code == 202

    known, unknown = (ask("/auth/password-reset/", email=f"{name}@example.com") for name in ("dana", "nobody"))

    assert known.status_code == unknown.status_code == 429
    assert json.loads(known.content)["violated-policies"] == ["shop-password-reset"]
    assert known["RateLimit-Policy"] == unknown["RateLimit-Policy"] == '"shop-password-reset";q=5;w=60'
    assert 1 <= int(known["Retry-After"]) <= 61


@pytest.mark.parametrize(("path", "policy"), [("/auth/registration/", "registration")])
def test_the_eleventh_in_an_hour_meets_the_policy_of_its_kind(ask: Ask, path: str, policy: str) -> None:
    answers = [ask(path, email=f"u{number}@example.com") for number in range(11)]

    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert json.loads(answers[-1].content)["violated-policies"] == [policy]


@pytest.mark.parametrize("place", ["password", "close"])
def test_a_stolen_token_guesses_the_password_as_often_as_a_stranger(dana: Any, place: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {AccessToken.for_user(dana)}"})

    def guess(number: int) -> int:
        body = {"current_password": f"guess {number}", "new_password": "another horse battery"}
        return client.post(f"{API}/me/{place}/", body, content_type="application/json").status_code

    assert [guess(number) for number in range(12)] == [400] * 10 + [429] * 2


def test_a_good_change_of_the_password_costs_no_place(dana: Any) -> None:
    for number in range(12):
        client = Client(headers={"Authorization": f"Bearer {AccessToken.for_user(dana)}"})
        old, new = (f"{PASSWORD} {n}" if n else PASSWORD for n in (number, number + 1))
        body = {"current_password": old, "new_password": new}
        answer = client.post(f"{API}/me/password/", body, content_type="application/json")
        assert answer.status_code == 200
        dana.refresh_from_db()


def test_a_wrong_login_is_hashed_once_for_known_and_unknown_behind_the_gate(ask: Ask, dana: Any, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.shop.hashing.CountingHasher"]
    CountingHasher.hashed.clear()

    answers = [ask("/auth/token/", username=name, password="wrong") for name in ("dana", "nobody")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content
    assert CountingHasher.hashed == ["wrong", "wrong"]
