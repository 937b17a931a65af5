"""What may be asked of the product list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django_filters import rest_framework as filters
from rest_framework.exceptions import ValidationError

from shop.catalogue.models import Category, Product, ProductQuerySet

# What each order means. The key ends every one: without it, products of one price could change places between pages.
ORDERS = {
    "name": ("name", "pk"),
    "-name": ("-name", "-pk"),
    "price": ("price", "pk"),
    "-price": ("-price", "-pk"),
    "-created": ("-pk",),
}
YES_NO = (("true", "Yes"), ("false", "No"))
PRICE = {"min_value": 0, "max_digits": 10, "decimal_places": 2}


class SlugFilter(filters.CharFilter):  # type: ignore[misc] # the library has no annotations
    field_class = forms.SlugField


class ProductFilter(filters.FilterSet):  # type: ignore[misc]
    category = SlugFilter(method="within", max_length=100, help_text="A category's slug: it and all below it.")
    currency = filters.CharFilter(
        validators=[RegexValidator(r"^[A-Z]{3}\Z", "Three capital letters, as in EUR.")],
        help_text="Prices in this currency only, as in EUR.",
    )
    min_price = filters.NumberFilter("price", "gte", help_text="Says nothing of currencies: ask for one.", **PRICE)
    max_price = filters.NumberFilter("price", "lte", help_text="Says nothing of currencies: ask for one.", **PRICE)
    in_stock = filters.ChoiceFilter(choices=YES_NO, method="having", help_text="Or, by `false`, what is sold out.")
    active = filters.ChoiceFilter(choices=YES_NO, method="on_sale", help_text="For staff, who are shown all.")
    search = filters.CharFilter(
        method="saying",
        max_length=100,
        help_text='Words of the name or the description, all of them; knows `or`, `-without` and `"a phrase"`.',
    )
    ordering = filters.ChoiceFilter(
        choices=[(name, name) for name in ORDERS], method="later", help_text="`name` unless said otherwise."
    )

    class Meta:
        model = Product
        fields: tuple[str, ...] = ()

    def within(self, products: ProductQuerySet, name: str, slug: str) -> ProductQuerySet:
        branch = Category.objects.branch(slug)
        if not branch:
            raise ValidationError({name: [f"There is no category {slug!r}."]})
        return products.filter(category__in=branch)

    def having(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(stock__gt=0) if value == "true" else products.filter(stock=0)

    def on_sale(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        return products.filter(active=value == "true")

    def saying(self, products: ProductQuerySet, name: str, text: str) -> ProductQuerySet:
        return products.matching(text)

    def later(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        """The order is the pages' own: a cursor is a place in it."""
        return products


# `Any`: the values of the filters above, by their names.
def asked_of(params: Mapping[str, str]) -> dict[str, Any]:
    """Returns what is asked, without what is left empty. Raises ValidationError naming each bad parameter."""
    form = ProductFilter(params, Product.objects.none()).form
    if not form.is_valid():
        raise ValidationError({name: list(errors) for name, errors in form.errors.items()})
    return {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}


def find(products: ProductQuerySet, asked: Mapping[str, Any]) -> ProductQuerySet:
    """`asked`: as `asked_of` returns it."""
    found: ProductQuerySet = ProductFilter(asked, products).qs
    return found
