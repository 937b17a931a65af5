from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shop.catalogue.models import Category, Product

MAX_PAGE_SIZE = 100


class CategorySerializer(serializers.ModelSerializer[Category]):
    # Takes the place of an attribute of REST framework's, as any field of that name does.
    parent = serializers.SlugRelatedField[Category](  # type: ignore[assignment]
        slug_field="slug", read_only=True, allow_null=True
    )

    class Meta:
        model = Category
        fields = ["slug", "name", "parent"]


class ProductSerializer(serializers.ModelSerializer[Product]):
    category = serializers.SlugRelatedField[Category](slug_field="slug", read_only=True)

    class Meta:
        model = Product
        fields = ["slug", "sku", "name", "description", "category", "price", "currency", "stock"]


class ProductQuerySerializer(serializers.Serializer[dict[str, Any]]):
    """What may be asked of the product list."""

    category = serializers.SlugField(required=False, max_length=100, help_text="A category's slug: it and all below.")
    search = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="Text in the name or the description."
    )
    ordering = serializers.ChoiceField(["name", "-name", "price", "-price"], required=False)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE_SIZE)
