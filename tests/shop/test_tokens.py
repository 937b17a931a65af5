from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from shop.accounts.models import User
from shop.accounts.tokens import caller_id

# No test here may touch a database: pytest-django refuses every query where none was asked for.
ADA = User(pk=42, username="ada")


def called_with(header: str) -> str | None:
    return caller_id(RequestFactory().get("/", HTTP_AUTHORIZATION=header))


def signed(claims: dict[str, Any], key: str = settings.SECRET_KEY, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm)


def unsigned(header: object, payload: object) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload)]
    return f"{parts[0]}.{parts[1]}."


def test_a_valid_access_token_names_its_caller_without_a_query() -> None:
    assert called_with(f"Bearer {AccessToken.for_user(ADA)}") == "42"


def test_spaces_that_the_api_overlooks_are_overlooked_here_too() -> None:
    """Else two spaces would make a known caller a stranger, whose limits are others."""
    assert called_with(f"Bearer   {AccessToken.for_user(ADA)} ") == "42"


def test_no_header_is_no_caller() -> None:
    assert caller_id(RequestFactory().get("/")) is None


def test_an_expired_token_is_no_caller() -> None:
    token = AccessToken.for_user(ADA)
    token.set_exp(lifetime=-timedelta(seconds=1))

    assert called_with(f"Bearer {token}") is None


def test_a_refresh_token_is_no_caller() -> None:
    token = RefreshToken()  # for_user would write it down
    token["user_id"] = "42"

    assert called_with(f"Bearer {token}") is None


def test_a_token_of_another_key_is_no_caller() -> None:
    claims = AccessToken.for_user(ADA).payload

    assert called_with(f"Bearer {signed(claims)}") == "42"
    assert called_with(f"Bearer {signed(claims, key='k' * 64)}") is None


def test_a_token_that_asks_not_to_be_checked_is_no_caller() -> None:
    claims = AccessToken.for_user(ADA).payload

    assert called_with(f"Bearer {unsigned({'alg': 'none', 'typ': 'JWT'}, claims)}") is None
    assert called_with(f"Bearer {signed(claims, algorithm='HS384')}") is None


def test_a_valid_token_in_an_endless_header_is_no_caller() -> None:
    assert called_with(f"Bearer {AccessToken.for_user(ADA)}" + " " * 100_000) is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "bearer x",
        "Basic YTpi",
        "Bearer x",
        "Bearer ..",
        "Bearer " + "." * 1000,
        "Bearer " + "A" * 100_000,
        "Bearer \xff\xfe",
        "Bearer \N{SNOWMAN}",
        "Bearer \ud800",
        "Bearer \x00",
        "Bearer " + base64.urlsafe_b64encode(b"[" * 2000).decode() + ".e30.e30",
        "Bearer " + base64.urlsafe_b64encode(b'{"alg":["HS256"],"crit":{}}').decode() + ".e30.e30",
        "Bearer " + base64.urlsafe_b64encode(b'{"alg":1,"kid":[]}').decode() + ".e30.e30",
    ],
)
def test_a_hostile_header_is_no_caller(header: str) -> None:
    assert called_with(header) is None


@pytest.mark.parametrize(
    "claim", [{"exp": "soon"}, {"exp": 1e300}, {"exp": None}, {"user_id": None}, {"token_type": []}]
)
def test_a_signed_token_with_odd_claims_is_no_caller(claim: dict[str, Any]) -> None:
    assert called_with(f"Bearer {signed(AccessToken.for_user(ADA).payload | claim)}") is None


@given(st.text(), st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.text())))
def test_no_header_raises(text: str, header: dict[str, Any]) -> None:
    assert called_with(text) is None
    assert called_with(f"Bearer {text}") is None
    assert called_with(f"Bearer {unsigned({'alg': 'HS256', **header}, {'user_id': '42'})}{text}") is None
