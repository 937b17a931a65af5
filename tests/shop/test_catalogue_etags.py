"""A reader asks whether it still stands; a writer says on what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from shop.accounts.models import User
from shop.catalogue.models import Category, Product

AddProduct = Callable[..., Product]
PRODUCTS, CATEGORIES = "/api/v1/products/", "/api/v1/categories/"
READS = [
    PRODUCTS,
    f"{PRODUCTS}?cursor=",
    f"{PRODUCTS}?search=lamp",
    f"{PRODUCTS}lamp/",
    CATEGORIES,
    f"{CATEGORIES}lamps/",
]
ONE_OF_EACH = [f"{PRODUCTS}lamp/", f"{CATEGORIES}lamps/"]


@pytest.fixture
def staff(db: None) -> Client:
    user = User.objects.create_superuser("sam", "sam@example.com", "x")
    return Client(headers={"Authorization": f"Bearer {AccessToken.for_user(user)}"})


@pytest.fixture(autouse=True)
def lamp(add_product: AddProduct) -> Product:
    return add_product("LAMP")


def patch(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.patch(path, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize("path", READS)
def test_who_holds_what_still_stands_is_sent_nothing(client: Client, path: str) -> None:
    first = client.get(path)

    for held in (first["ETag"], f'"other", W/{first["ETag"]}', "*"):
        again = client.get(path, headers={"If-None-Match": held})

        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        assert again["Cache-Control"] == first["Cache-Control"]
        assert "Authorization" in again["Vary"]
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.head(path)["ETag"] == first["ETag"]


@pytest.mark.parametrize("path", READS)
def test_the_tag_changes_with_what_is_shown(client: Client, path: str) -> None:
    held = client.get(path)["ETag"]
    Product.objects.update(stock=9)
    Category.objects.update(name="Lights")

    response = client.get(path, headers={"If-None-Match": held})

    assert response.status_code == 200
    assert response["ETag"] != held


@pytest.mark.parametrize("path", READS)
def test_everybody_may_keep_what_everybody_is_shown(client: Client, staff: Client, path: str) -> None:
    public, private = client.get(path), staff.get(path)

    assert public["Cache-Control"].startswith("public, max-age=")
    assert private["Cache-Control"] == "private, no-cache"
    assert all("Authorization" in response["Vary"] for response in (public, private))


def test_refusals_are_nobodys_to_keep(client: Client) -> None:
    for path in (f"{PRODUCTS}nothing/", f"{PRODUCTS}?page=9", f"{PRODUCTS}?page_size=0"):
        response = client.get(path)

        assert "Cache-Control" not in response
        assert "ETag" not in response


@pytest.mark.parametrize("path", ONE_OF_EACH)
def test_a_write_needs_the_tag_of_what_was_read(staff: Client, path: str) -> None:
    read = staff.get(path)["ETag"]

    first = patch(staff, path, {"name": "One"}, **{"If-Match": read})
    second = patch(staff, path, {"name": "Two"}, **{"If-Match": read})
    third = patch(staff, path, {"name": "Three"}, **{"If-Match": f'"x", {first["ETag"]}'})

    assert [answer.status_code for answer in (first, second, third)] == [200, 412, 200]
    assert second.json()["type"] == "urn:problem-type:shop:changed-meanwhile"
    assert staff.get(path)["ETag"] == third["ETag"]
    assert staff.get(path).json()["name"] == "Three"


@pytest.mark.parametrize("path", ONE_OF_EACH)
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_write_without_a_tag_or_with_a_weak_one_changes_nothing(staff: Client, path: str, method: str) -> None:
    weak = f"W/{staff.get(path)['ETag']}"

    without = getattr(staff, method)(path, {}, content_type="application/json")
    with_weak = getattr(staff, method)(path, {}, content_type="application/json", headers={"If-Match": weak})

    assert (without.status_code, with_weak.status_code) == (428, 412)
    assert without.json()["type"] == "urn:problem-type:shop:if-match-required"
    assert Product.objects.filter(category__slug="lamps").exists()


def test_what_was_sold_meanwhile_is_not_written_over(staff: Client, lamp: Product) -> None:
    read = staff.get(f"{PRODUCTS}lamp/")["ETag"]
    Product.objects.take(lamp.pk, 3)

    response = patch(staff, f"{PRODUCTS}lamp/", {"stock": 10}, **{"If-Match": read})

    assert response.status_code == 412
    assert Product.objects.get().stock == 7
