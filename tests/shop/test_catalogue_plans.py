"""Each query of the API finds its rows by an index. On PostgreSQL, with enough rows that it pays to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.catalogue import reading
from shop.catalogue.filters import ORDERS, asked_of, find
from shop.catalogue.models import Category, Product
from shop.catalogue.paging import Piece
from shop.catalogue.serializers import free_slug
from shop.orders.models import Coupon

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="plans differ by database"),
]

ROWS = 10_000


@pytest.fixture(scope="module")
def full_shop(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Filled once, and seen by every test within its own transaction."""
    with django_db_blocker.unblock():
        call_command("seed_shop", "--products", str(ROWS), stdout=StringIO())
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE catalogue_product, catalogue_category")
        yield
        Coupon.objects.all()._raw_delete("default")
        Product.objects.all()._raw_delete("default")
        Category.objects.filter(parent__isnull=False)._raw_delete("default")
        Category.objects.all()._raw_delete("default")


def plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())


def plans_of(ask: Callable[[], object]) -> list[str]:
    """Returns the plan of each query on products but those that count them all."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    return [plan(query["sql"]) for query in asked.captured_queries if '"catalogue_product"."slug"' in query["sql"]]


def listed(cursor: str | None = None, page: int = 1, **params: str) -> list[str]:
    return plans_of(lambda: reading.products(asked_of(params), Piece(20, page, cursor)))


BY_NAME = {"name": "product_by_name", "-name": "product_by_name"}
BY_PRICE = {"price": "product_by_price", "-price": "product_by_price"}
INDEX_OF = {**BY_NAME, **BY_PRICE, "-created": "catalogue_product_pkey"}


@pytest.mark.parametrize("ordering", ORDERS)
def test_the_list_is_read_in_its_order_without_sorting(full_shop: None, ordering: str) -> None:
    [found] = listed(ordering=ordering)

    assert INDEX_OF[ordering] in found
    assert "Sort" not in found
    assert "Seq Scan on catalogue_product" not in found


@pytest.mark.parametrize("ordering", ORDERS)
def test_a_walk_begins_at_its_place_by_the_index(full_shop: None, ordering: str) -> None:
    middle = reading.products(asked_of({"ordering": ordering}), Piece(50, cursor="")).next
    assert middle is not None

    [found] = listed(cursor=middle[1], ordering=ordering)

    assert f"using {INDEX_OF[ordering]}" in found
    assert "Index Cond" in found
    assert "Seq Scan on catalogue_product" not in found


@pytest.mark.parametrize(
    ("ordering", "index"),
    [
        ("name", "product_in_category_by_name"),
        ("-name", "product_in_category_by_name"),
        ("price", "product_in_category_by_price"),
        ("-price", "product_in_category_by_price"),
    ],
)
def test_one_category_is_read_in_its_order_without_sorting(full_shop: None, ordering: str, index: str) -> None:
    [found] = listed(category="tables", ordering=ordering)

    assert f"using {index}" in found
    assert "Sort" not in found


@pytest.mark.parametrize("ordering", ORDERS)
def test_a_branch_is_found_by_an_index(full_shop: None, ordering: str) -> None:
    [found] = listed(category="home", ordering=ordering)

    assert "Seq Scan on catalogue_product" not in found


@pytest.mark.parametrize("ordering", ["price", "-price"])
def test_a_range_of_prices_is_read_in_its_order(full_shop: None, ordering: str) -> None:
    [found] = listed(min_price="100", max_price="120", ordering=ordering)

    assert "using product_by_price" in found
    assert "Index Cond" in found
    assert "Sort" not in found


@pytest.mark.parametrize("in_stock", ["true", "false"])
def test_what_is_in_stock_is_met_on_the_way(full_shop: None, in_stock: str) -> None:
    """One in sixteen is sold out: some three hundred rows make a page of twenty."""
    [found] = listed(in_stock=in_stock)

    assert "Index Scan using product_by_name" in found


def test_words_are_found_by_their_index(full_shop: None) -> None:
    for found in listed(search="waxed parka"):
        assert "Bitmap Index Scan on product_by_words" in found

    assert "product_by_words" in plan(_count(search="waxed parka"))


def _count(**params: str) -> str:
    with CaptureQueriesContext(connection) as asked:
        find(Product.objects.on_sale(), asked_of(params)).count()
    return str(asked.captured_queries[-1]["sql"])


@pytest.mark.parametrize("params", [{"category": "tables"}, {"min_price": "100", "max_price": "105"}])
def test_the_count_of_a_filtered_list_reads_that_part_only(full_shop: None, params: dict[str, str]) -> None:
    assert "Seq Scan" not in plan(_count(**params))


def test_one_product_is_found_by_its_slug(full_shop: None) -> None:
    slug = Product.objects.values_list("slug", flat=True)[0]

    [found] = plans_of(lambda: reading.product(slug))

    assert "catalogue_product_slug" in found


def test_a_free_slug_is_looked_for_by_an_index(full_shop: None) -> None:
    [found] = plans_of(lambda: free_slug(Product, "Nordic Oak Desk"))

    assert "catalogue_product_slug" in found


def test_what_a_checkout_asks_is_found_by_unique_keys(full_shop: None) -> None:
    by_sku = plan("SELECT id FROM catalogue_product WHERE sku IN ('TAB-00001', 'LIG-00002')")
    with CaptureQueriesContext(connection) as asked:
        Product.objects.take(Product.objects.values_list("pk", flat=True)[0], 1)

    assert "catalogue_product_sku" in by_sku
    assert "catalogue_product_pkey" in plan(asked.captured_queries[-1]["sql"])
