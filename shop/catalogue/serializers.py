from __future__ import annotations

from typing import Any

from django.utils.text import slugify
from rest_framework import serializers

from shop.catalogue.models import Category, Product
from shop.texts import OF_MODELS, OnlySlug, OnlyText

RESERVED = {"search"}  # the address of something else
MAX_DESCRIPTION = 10_000
MAX_STOCK = 2**31 - 1  # what the column holds on every database but SQLite
SLUG_TAKEN = "Something else has this slug."
SLUG_HELP = "Its name in addresses. Made from the name where none is given."


def free_slug(model: type[Category] | type[Product], name: str) -> str:
    """Returns a slug for this name that nobody has: `oak-desk`, else `oak-desk-2` and so on.

    Raises ValidationError for a name without a single Latin letter or digit.
    """
    # Room for a number behind it.
    base = slugify(name)[: (model._meta.get_field("slug").max_length or 0) - 10].strip("-_")
    if not base:
        raise serializers.ValidationError({"slug": ["This name has no Latin letters to make one from: give one."]})
    taken = set(model._default_manager.filter(slug__startswith=base).values_list("slug", flat=True))
    taken |= RESERVED
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 2))
    return base if base not in taken else next(slug for slug in numbered if slug not in taken)


class CategorySerializer(serializers.ModelSerializer[Category]):
    serializer_field_mapping = OF_MODELS
    slug = OnlySlug(required=False, max_length=100, help_text=SLUG_HELP)
    # Takes the place of an attribute of REST framework's, as any field of that name does.
    parent = serializers.SlugRelatedField[Category](  # type: ignore[assignment]
        slug_field="slug",
        queryset=Category.objects.all(),
        allow_null=True,
        default=None,
        help_text="The slug of the category above it.",
    )

    class Meta:
        model = Category
        fields = ["slug", "name", "parent"]

    # `Any`, here and below: the values of the fields.
    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        return _with_slug(self, Category, values)


class ProductSerializer(serializers.ModelSerializer[Product]):
    """What everybody is shown."""

    serializer_field_mapping = OF_MODELS
    category = serializers.SlugRelatedField[Category](slug_field="slug", read_only=True)

    class Meta:
        model = Product
        fields = ["slug", "sku", "name", "description", "category", "price", "currency", "stock"]


class StaffProductSerializer(ProductSerializer):
    """What staff is shown, and writes."""

    slug = OnlySlug(required=False, max_length=200, help_text=SLUG_HELP)
    description = OnlyText(required=False, allow_blank=True, max_length=MAX_DESCRIPTION)
    category = serializers.SlugRelatedField[Category](slug_field="slug", queryset=Category.objects.all())
    stock = serializers.IntegerField(required=False, min_value=0, max_value=MAX_STOCK)

    class Meta(ProductSerializer.Meta):
        fields = [*ProductSerializer.Meta.fields, "active"]

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        return _with_slug(self, Product, values)


def _with_slug(
    serializer: serializers.ModelSerializer[Any], model: type[Category] | type[Product], values: dict[str, Any]
) -> dict[str, Any]:
    """A slug that another row has is refused by name; one that is missing is made, once: it is an address."""
    others = (
        model._default_manager.exclude(pk=serializer.instance.pk) if serializer.instance else model._default_manager
    )
    slug = values.get("slug")
    if slug in RESERVED or (slug and others.filter(slug=slug).exists()):
        raise serializers.ValidationError({"slug": [SLUG_TAKEN]})
    if "slug" not in values and serializer.instance is None:
        values["slug"] = free_slug(model, values["name"])
    return values


class CutSerializer(serializers.Serializer[dict[str, Any]]):
    """A piece of the product list. Only the OpenAPI description uses this class."""

    count = serializers.IntegerField(allow_null=True, help_text="Of the whole list; null in a walk by cursor.")
    next = serializers.URLField(allow_null=True, help_text="The piece behind, null behind the last one.")
    previous = serializers.URLField(allow_null=True, help_text="The page before; null in a walk, which goes forward.")
    results = ProductSerializer(many=True)
