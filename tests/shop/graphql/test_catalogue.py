"""The catalogue by GraphQL is the one of REST: the same rows, pieces, mistakes and cache."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shop.catalogue.models import Category, Product
from tests.shop.graphql.asking import ask, refused, send

PAGE = """
query Page($first: Int!, $after: String) {
  products(first: $first, after: $after) {
    nodes { sku name price { amount currency } stock category { slug parent { slug } ancestors { slug } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

pytestmark = pytest.mark.django_db


@pytest.fixture
def lamps(add_product: Callable[..., Product]) -> list[Product]:
    caches["default"].clear()
    home = Category.objects.create(name="Home", slug="home")
    lighting = Category.objects.create(name="Lighting", slug="lighting", parent=home)
    made = [add_product(f"LAMP-{number}", "lamps", price=number + 1) for number in range(7)]
    Category.objects.filter(slug="lamps").update(parent=lighting)
    return made


def test_what_is_shown_is_what_rest_shows(lamps: list[Product]) -> None:
    rest = Client().get("/api/v1/products/lamp-3/").json()

    found = ask('{ product(slug: "lamp-3") { slug sku name description stock price { amount currency } } }')["product"]

    assert found["price"] == {"amount": rest["price"], "currency": rest["currency"]}
    assert {**found, "price": None} == {name: rest.get(name) for name in found} | {"price": None}


def test_a_category_tells_who_is_above_and_below_it(lamps: list[Product]) -> None:
    found = ask('{ category(slug: "lamps") { name parent { slug children { slug } } ancestors { slug } } }')["category"]

    assert found == {
        "name": "Lamps",
        "parent": {"slug": "lighting", "children": [{"slug": "lamps"}]},
        "ancestors": [{"slug": "lighting"}, {"slug": "home"}],
    }
    assert {row["slug"] for row in ask("{ categories { slug } }")["categories"]} == {"home", "lighting", "lamps"}


def test_pieces_follow_each_other_to_the_end(lamps: list[Product]) -> None:
    found, after = [], None
    for _ in range(3):
        piece = ask(PAGE, first=3, after=after)["products"]
        found += [row["sku"] for row in piece["nodes"]]
        after = piece["pageInfo"]["endCursor"]

    assert found == [f"LAMP-{number}" for number in range(7)]
    assert piece["pageInfo"] == {"hasNextPage": False, "endCursor": None}


@pytest.mark.parametrize(
    ("arguments", "skus"),
    [
        ('category: "home", order: PRICE_DESCENDING, first: 2', ["LAMP-6", "LAMP-5"]),
        ('minPrice: "2", maxPrice: "3.00", currency: "EUR"', ["LAMP-1", "LAMP-2"]),
        ("inStock: false", []),
        ('search: "LAMP-4"', ["LAMP-4"]),
    ],
)
def test_filters_are_rests(lamps: list[Product], arguments: str, skus: list[str]) -> None:
    found = ask(f"{{ products({arguments}) {{ nodes {{ sku }} }} }}")["products"]["nodes"]

    assert [row["sku"] for row in found] == skus


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ("first: 101", ["first"]),
        ("first: 0", ["first"]),
        ("first: -5", ["first"]),
        ('after: "nonsense"', ["after"]),
        ('category: "nowhere"', ["category"]),
        ('minPrice: "-1"', ["minPrice"]),
        ('maxPrice: "Infinity"', ["maxPrice"]),
        ('currency: "euro"', ["currency"]),
    ],
)
def test_a_mistake_names_its_argument_and_leaves_the_other_fields(
    lamps: list[Product], arguments: str, path: list[str]
) -> None:
    answer = send(f'{{ products({arguments}) {{ nodes {{ sku }} }} product(slug: "lamp-1") {{ sku }} }}')

    assert answer.json()["data"] == {"products": None, "product": {"sku": "LAMP-1"}}
    assert refused(answer)["code"] == "BAD_USER_INPUT"
    assert refused(answer)["type"] == "urn:problem-type:shop:invalid-request"
    assert [error["path"] for error in refused(answer)["errors"]] == [path]


def test_what_is_not_there_is_null() -> None:
    found = ask('{ product(slug: "none") { sku } category(slug: "none") { slug } }')

    assert found == {"product": None, "category": None}


def queries(first: int) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        ask(PAGE, first=first)
    return len(seen)


def test_many_products_with_their_categories_take_as_many_queries_as_one(lamps: list[Product]) -> None:
    """One for the products, one for the tree. (Inside the test's transaction the cache is not asked.)"""
    assert queries(first=1) == queries(first=7) == 2


@pytest.mark.django_db(transaction=True)
def test_a_second_reading_asks_no_database_and_a_write_is_seen_at_once(lamps: list[Product]) -> None:
    ask(PAGE, first=5)

    again = queries(first=5)
    Product.objects.filter(sku="LAMP-0").update(name="A lamp of today")

    assert again == 0
    assert ask(PAGE, first=1)["products"]["nodes"][0]["name"] == "A lamp of today"


def test_a_deprecated_field_still_works_and_says_what_to_read_instead(lamps: list[Product]) -> None:
    found = ask('{ product(slug: "lamp-1") { currency price { currency } } }')["product"]
    told = ask('{ __type(name: "Product") { fields(includeDeprecated: true) { name deprecationReason } } }')["__type"]

    assert found["currency"] == found["price"]["currency"] == "EUR"
    reasons = {field["name"]: field["deprecationReason"] for field in told["fields"] if field["deprecationReason"]}
    assert "price.currency" in reasons["currency"]
