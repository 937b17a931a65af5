"""Walks through the product list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from shop.catalogue import paging, reading
from shop.catalogue.filters import ORDERS
from shop.catalogue.models import Product

AddProduct = Callable[..., Product]
PRODUCTS = "/api/v1/products/"


def walk(client: Client, **query: Any) -> Iterator[dict[str, Any]]:
    response = client.get(PRODUCTS, {"cursor": "", **query})
    while True:
        assert response.status_code == 200, response.content
        yield response.json()
        if not response.json()["next"]:
            return
        response = client.get(response.json()["next"])


@pytest.fixture
def seven(add_product: AddProduct) -> None:
    """Of three prices and four names, so that places are shared."""
    for number in range(7):
        add_product(f"P{number}", name=f"Lamp {number % 4}", price=Decimal(number % 3))


@pytest.mark.parametrize("ordering", ORDERS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_a_walk_shows_every_product_once_in_the_order_of_the_pages(
    client: Client, seven: None, ordering: str, size: int
) -> None:
    whole = client.get(PRODUCTS, {"ordering": ordering}).json()["results"]

    pieces = list(walk(client, ordering=ordering, page_size=size))

    assert [row for piece in pieces for row in piece["results"]] == whole
    assert {(piece["count"], piece["previous"]) for piece in pieces} == {(None, None)}
    assert len(pieces) == -(-7 // size)


def test_what_comes_and_goes_meanwhile_shifts_nothing(client: Client, seven: None, add_product: AddProduct) -> None:
    walking = walk(client, ordering="price", page_size=3)
    seen = [row["sku"] for row in next(walking)["results"]]
    add_product("NEW", price=Decimal(0), name="A")
    Product.objects.filter(sku=seen[0]).delete()

    rest = [row["sku"] for piece in walking for row in piece["results"]]

    assert sorted(seen + rest) == sorted([*(f"P{number}" for number in range(7)), "NEW"])


def test_a_piece_costs_one_query(
    client: Client, seven: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        client.get(PRODUCTS, {"cursor": ""})


def test_a_cursor_of_another_order_is_refused(client: Client, seven: None) -> None:
    address = client.get(PRODUCTS, {"cursor": "", "page_size": 2, "ordering": "price"}).json()["next"]

    response = client.get(address.replace("ordering=price", "ordering=name"))

    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "cursor"


def test_a_filter_holds_along_the_walk(client: Client, seven: None, add_product: AddProduct) -> None:
    add_product("OTHER", category="others")

    pieces = list(walk(client, category="lamps", page_size=4))

    assert len([row for piece in pieces for row in piece["results"]]) == 7


def test_pages_so_deep_that_skipping_takes_long_lead_to_the_cursor(client: Client, seven: None) -> None:
    response = client.get(PRODUCTS, {"page": paging.MAX_SKIPPED // 20 + 2})

    assert response.status_code == 404
    assert "cursor" in response.json()["detail"]


def test_a_cursor_does_not_say_when_it_was_made(client: Client, seven: None) -> None:
    """Else the tag of a piece would change each second."""
    cut = reading.products({"ordering": "price"}, paging.Piece(3, cursor=""))

    assert cut.next is not None
    assert cut.next[1].count(":") == 1, "what it says, and the signature"
