from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models


class CategoryQuerySet(models.QuerySet["Category"]):
    def branch(self, slug: str) -> list[int]:
        """Returns the ids of a category and all below it, and none where no category has this slug.

        A shop has tens of categories: reading them all is one small query on any database, where a recursive one
        differs by database and loops on a circle.
        """
        children: defaultdict[int | None, list[int]] = defaultdict(list)
        found: list[int] = []
        for pk, parent, own_slug in self.values_list("pk", "parent_id", "slug"):
            children[parent].append(pk)
            if own_slug == slug:
                found.append(pk)
        for pk in found:  # grows while it is read
            found.extend(child for child in children[pk] if child not in found)
        return found


class Category(models.Model):
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.pk and self.parent_id and self.parent_id in Category.objects.branch(self.slug):
            raise ValidationError({"parent": "A category cannot stand below itself."})


class ProductQuerySet(models.QuerySet["Product"]):
    def on_sale(self) -> ProductQuerySet:
        return self.filter(active=True)

    def matching(self, text: str) -> ProductQuerySet:
        return self.filter(models.Q(name__icontains=text) | models.Q(description__icontains=text))

    def take(self, pk: int, quantity: int) -> bool:
        """Takes stock if there is enough. The condition and the change are one statement, so nobody comes between."""
        return bool(self.filter(pk=pk, active=True, stock__gte=quantity).update(stock=models.F("stock") - quantity))

    def give_back(self, pk: int, quantity: int) -> None:
        self.filter(pk=pk).update(stock=models.F("stock") + quantity)


class Product(models.Model):
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    sku = models.CharField("SKU", max_length=40, unique=True)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal(0))])
    currency = models.CharField(
        max_length=3, default="EUR", validators=[RegexValidator(r"^[A-Z]{3}\Z", "Three capital letters, as in EUR.")]
    )
    stock = models.PositiveIntegerField(default=0)
    active = models.BooleanField(default=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.CheckConstraint(condition=models.Q(price__gte=0), name="product_price_not_negative")]
        # The two orders of the public list.
        indexes = [
            models.Index(fields=["name", "id"], name="product_by_name"),
            models.Index(fields=["price", "id"], name="product_by_price"),
        ]

    def __str__(self) -> str:
        return self.name
