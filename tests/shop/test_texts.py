from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from shop.accounts.models import User
from tests.shop.accounts import as_user, patch, pointers, post


@pytest.fixture
def root(db: None) -> Client:
    return as_user(User.objects.create_superuser("root"))


@pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": "b"}])
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/auth/token/", "password"),
        ("/auth/registration/", "email"),
        ("/auth/registration/confirm/", "first_name"),
        ("/auth/registration/confirm/", "token"),
        ("/users/", "username"),
        ("/users/", "last_name"),
        ("/categories/", "name"),
        ("/categories/", "slug"),
        ("/products/", "sku"),
        ("/products/", "description"),
        ("/products/", "currency"),
        ("/cart/items/", "sku"),
        ("/cart/coupon/", "code"),
        ("/checkout/", "card"),
    ],
)
def test_what_is_no_text_is_not_taken_for_one(root: Client, path: str, field: str, value: Any) -> None:
    """The description says text; a number that became one would be another than was meant, as 1.50 is "1.5"."""
    answer = post(root, path, **{field: value})

    assert answer.status_code == 400
    assert f"#/{field}" in {pointer.removesuffix("/0") for pointer in pointers(answer)}


def test_nor_for_a_name_in_a_profile(root: Client) -> None:
    answer = patch(root, "/me/", last_name=0)

    assert (answer.status_code, pointers(answer)) == (400, ["#/last_name"])


def test_the_length_that_is_described_is_that_of_what_is_sent(root: Client) -> None:
    too_long, long = patch(root, "/me/", last_name=" " + "x" * 150), patch(root, "/me/", last_name=" " + "x" * 149)

    assert (too_long.status_code, pointers(too_long)) == (400, ["#/last_name"])
    assert "no more than 150 characters" in too_long.json()["errors"][0]["detail"]
    assert (long.status_code, long.json()["last_name"]) == (200, "x" * 149)
