"""What the catalogue shows: to everybody from the cache, to staff as it is this moment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import NotFound

from shop.catalogue.cached import remembered
from shop.catalogue.filters import ORDERS, find
from shop.catalogue.generations import PRODUCTS, STOCK, TREE, stock_in, stock_of
from shop.catalogue.models import Category, Product, ProductQuerySet
from shop.catalogue.paging import Cut, Piece, cut
from shop.catalogue.serializers import CategorySerializer, ProductSerializer, StaffProductSerializer

# Each of these is in METRICS["CACHE_PREFIXES"], so that their hits are told apart.
LIST, DETAIL, CATEGORIES = "catalogue-list", "catalogue-detail", "catalogue-tree"

# `Any`, here and below: a thing as it is shown, and what `filters.asked_of` returns.
Shown = dict[str, Any]


def products(asked: Mapping[str, Any], piece: Piece) -> Cut:
    """Raises ValidationError where there is no such category or cursor, and NotFound where there is no such page."""

    def compute() -> Cut:
        return _cut(Product.objects.on_sale(), asked, piece, ProductSerializer)

    if "search" in asked:
        # Texts have no end: they would push out of the cache what many share. The index answers them.
        return compute()
    stock = stock_in(asked["category"]) if "category" in asked else STOCK
    return remembered(LIST, _name_of(asked, piece), (TREE, PRODUCTS, stock), compute)


def products_for_staff(asked: Mapping[str, Any], piece: Piece) -> Cut:
    return _cut(Product.objects.all(), asked, piece, StaffProductSerializer)


def product(slug: str) -> Shown:
    """Raises NotFound where nothing of this slug is on sale."""

    def compute() -> Shown:
        found = Product.objects.on_sale().select_related("category").filter(slug=slug).first()
        if found is None:
            raise NotFound("There is no such product.")
        return dict(ProductSerializer(found).data)

    return remembered(DETAIL, "", (TREE, PRODUCTS, stock_of(slug)), compute)


def categories() -> list[Shown]:
    """Returns the whole tree, flat: each with the slug of the one above it."""
    return remembered(CATEGORIES, "", (TREE,), categories_for_staff)


def categories_for_staff() -> list[Shown]:
    rows = Category.objects.select_related("parent")
    return [dict(row) for row in CategorySerializer(rows, many=True).data]


def category(slug: str) -> Shown:
    """Raises NotFound."""
    found = next((each for each in categories() if each["slug"] == slug), None)
    if found is None:
        raise NotFound("There is no such category.")
    return found


def _cut(rows: ProductQuerySet, asked: Mapping[str, Any], piece: Piece, serializer: type[ProductSerializer]) -> Cut:
    def show(found: list[Product]) -> list[Shown]:
        return [dict(row) for row in serializer(found, many=True).data]

    chosen = find(rows, asked).select_related("category")
    return cut(chosen, ORDERS[asked.get("ordering", "name")], piece, show)


def _name_of(asked: Mapping[str, Any], piece: Piece) -> str:
    """One name for what means the same, in whatever order and spelling it was asked."""
    meant = {"ordering": "name", **{name: _plain(value) for name, value in asked.items()}}
    text = json.dumps([meant, piece.size, piece.page, piece.cursor], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _plain(value: Any) -> str:
    """A price may be written 5, 5.0 or 5.00."""
    return f"{value:.2f}" if hasattr(value, "as_tuple") else str(value)
