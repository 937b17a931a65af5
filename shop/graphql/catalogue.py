"""The catalogue, read as REST reads it: from the same cache, in the same pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum

import strawberry
from rest_framework.exceptions import NotFound

from shop.catalogue import reading
from shop.catalogue.filters import asked_of
from shop.catalogue.paging import CURSOR, USUAL_SIZE, piece_of
from shop.catalogue.reading import Shown
from shop.graphql.context import Info
from shop.graphql.money import Money, money
from shop.graphql.weight import Cost, ListSize
from shop.page_size import PAGE_SIZE

SLUG = re.compile(r"[-a-zA-Z0-9_]{1,200}")

# How deep trees of categories are, and how many stand below one: what a document is taken to ask for.
ANCESTORS, CHILDREN, CATEGORIES = 4, 10, 50


@strawberry.enum
class ProductOrder(Enum):
    NAME = "name"
    NAME_DESCENDING = "-name"
    PRICE = "price"
    PRICE_DESCENDING = "-price"
    NEWEST = "-created"


@strawberry.type(directives=[Cost(weight=0)])
class PageInfo:
    has_next_page: bool
    end_cursor: str | None = strawberry.field(description="Send it as `after` for the piece behind this one.")


def page_info(place: tuple[str, str] | None) -> PageInfo:
    return PageInfo(has_next_page=place is not None, end_cursor=place[1] if place else None)


@strawberry.type
class Category:
    slug: str
    name: str
    above: strawberry.Private[str | None]

    @strawberry.field
    def parent(self, info: Info) -> Category | None:
        return category_of(self.above, info)

    @strawberry.field(directives=[ListSize(assumed_size=ANCESTORS)], description="From the one right above to the top.")
    def ancestors(self, info: Info) -> list[Category]:
        return list(_line(self, info))

    @strawberry.field(directives=[ListSize(assumed_size=CHILDREN)])
    def children(self, info: Info) -> list[Category]:
        return [_category(row) for row in info.context.categories.values() if row["parent"] == self.slug]


def _line(category: Category, info: Info) -> Iterator[Category]:
    passed = {category.slug}
    above = category_of(category.above, info)
    while above is not None and above.slug not in passed:
        passed.add(above.slug)
        yield above
        above = category_of(above.above, info)


def _category(row: Shown) -> Category:
    return Category(slug=row["slug"], name=row["name"], above=row["parent"])


def category_of(slug: str | None, info: Info) -> Category | None:
    row = info.context.categories.get(slug or "")
    return _category(row) if row else None


@strawberry.type
class Product:
    slug: str
    sku: str
    name: str
    description: str
    price: Money
    stock: int
    within: strawberry.Private[str]

    @strawberry.field
    def category(self, info: Info) -> Category | None:
        return category_of(self.within, info)

    @strawberry.field(
        deprecation_reason="Since 2026-11-21: read price.currency, which says the same. It goes on 2027-12-01 or later."
    )
    def currency(self) -> str:
        return self.price.currency


def product_of(row: Shown) -> Product:
    return Product(
        slug=row["slug"],
        sku=row["sku"],
        name=row["name"],
        description=row["description"],
        price=money(row["price"], row["currency"]),
        stock=row["stock"],
        within=row["category"],
    )


@strawberry.type
class ProductConnection:
    nodes: list[Product]
    page_info: PageInfo


def pieces(first: int, after: str | None) -> dict[str, str]:
    return {PAGE_SIZE: str(first), CURSOR: after or ""}


@strawberry.type
class CatalogueQuery:
    @strawberry.field(
        directives=[ListSize(slicing_argument="first")],
        description='What is on sale, in pieces of up to 100. `search` knows `or`, `-without` and "a phrase".',
    )
    def products(  # noqa: PLR0913, PLR0917 - each is an argument of the API
        self,
        first: int = USUAL_SIZE,
        after: str | None = None,
        category: str | None = None,
        currency: str | None = None,
        min_price: Decimal | None = None,
        max_price: Decimal | None = None,
        in_stock: bool | None = None,
        search: str | None = None,
        order: ProductOrder = ProductOrder.NAME,
    ) -> ProductConnection | None:
        asked = {
            "category": category,
            "currency": currency,
            "min_price": min_price,
            "max_price": max_price,
            "in_stock": None if in_stock is None else str(in_stock).lower(),
            "search": search,
            "ordering": order.value,
        }
        said = {name: str(value) for name, value in asked.items() if value is not None}
        cut = reading.products(asked_of(said), piece_of(pieces(first, after)))
        return ProductConnection(nodes=[product_of(row) for row in cut.results], page_info=page_info(cut.next))

    @strawberry.field(description="Null where nothing of this slug is on sale.")
    def product(self, slug: str) -> Product | None:
        if not SLUG.fullmatch(slug):
            return None  # nor could a database look for it
        try:
            return product_of(reading.product(slug))
        except NotFound:
            return None

    @strawberry.field(directives=[ListSize(assumed_size=CATEGORIES)], description="The whole tree, flat.")
    def categories(self, info: Info) -> list[Category]:
        return [_category(row) for row in info.context.categories.values()]

    @strawberry.field
    def category(self, info: Info, slug: str) -> Category | None:
        return category_of(slug, info)
