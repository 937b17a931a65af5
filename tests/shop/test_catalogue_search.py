"""The search of its own, which waits without a thread, and its twin, the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from shop.catalogue.models import Product

AddProduct = Callable[..., Product]
SEARCH, PRODUCTS = "/api/v1/products/search/", "/api/v1/products/"


@pytest.fixture(autouse=True)
def lamps(add_product: AddProduct) -> None:
    for number in range(5):
        add_product(f"L{number}")
    add_product("RUG", name="Rug")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "search=lamp",
        "search=lamp&page_size=2&page=2",
        "search=lamp&cursor=&page_size=2&ordering=-price",
        "search=lamp&category=nowhere",
        "search=lamp&page=9",
        "search=a%00b",
        "search=lamp&format=xml",
        "search=nothing",
    ],
)
def test_it_answers_as_the_list_does(http: Any, query: str) -> None:
    """Under both handlers; but for its own address in `next` and `previous`."""
    found, twin = http.get(f"{SEARCH}?{query}"), Client().get(f"{PRODUCTS}?{query}")

    assert (found.status_code, found["Content-Type"]) == (twin.status_code, twin["Content-Type"])
    assert found.content.decode().replace(SEARCH, PRODUCTS) == twin.content.decode()
    assert found.get("Cache-Control") == twin.get("Cache-Control")
    assert ("ETag" in found) == (found.status_code == 200)


@pytest.mark.django_db
def test_who_holds_it_is_sent_nothing(http: Any) -> None:
    held = http.get(f"{SEARCH}?search=lamp")["ETag"]

    again = http.get(f"{SEARCH}?search=lamp", headers={"If-None-Match": held})

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
def test_a_search_for_nothing_and_other_methods_are_refused(http: Any) -> None:
    empty, write = http.get(f"{SEARCH}?search="), http.post(SEARCH, {})

    assert (empty.status_code, empty.json()["errors"][0]["parameter"]) == (400, "search")
    assert (write.status_code, write["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert write["Content-Type"] == "application/problem+json"
    assert http.send("OPTIONS", SEARCH).status_code == 200
    assert http.send("HEAD", f"{SEARCH}?search=lamp").content == b""
