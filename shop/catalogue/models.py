from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import connection, models, transaction

from shop.catalogue import changes, generations, search
from shop.catalogue.tree import Tree


class CategoryQuerySet(models.QuerySet["Category"]):
    def tree(self) -> Tree:
        return Tree(self.values_list("pk", "parent_id", "slug"))

    def branch(self, slug: str) -> list[int]:
        """Returns the ids of a category and all below it, and none where no category has this slug."""
        return self.tree().branch(slug)

    def hold_still(self) -> None:
        """Lets nobody else move a category until this transaction ends.

        Two moves that are each right can make a circle together, so whoever moves one holds all: tens of rows, always
        in the order of their keys. On SQLite a transaction that writes has the database to itself.
        """
        # Products may be put into them meanwhile, where the database can tell the one from the other.
        no_key = connection.features.has_select_for_no_key_update
        list(self.model._base_manager.select_for_update(no_key=no_key).order_by("pk").values_list("pk"))

    # `Any`: the values of any field.
    def update(self, **values: Any) -> int:
        with transaction.atomic():
            self.hold_still()
            changed = super().update(**values)
            self.model.refuse_circles()
            changes.tree_changed()
        return changed

    # `Any`: Django's own many arguments.
    def bulk_create(self, *args: Any, **options: Any) -> list[Category]:
        with transaction.atomic():
            made = super().bulk_create(*args, **options)
            self.model.refuse_circles()
            changes.tree_changed()
        return made


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

    # `Any`: Django's own many arguments.
    @transaction.atomic
    def save(self, *args: Any, **options: Any) -> None:
        """Raises ValidationError, and changes nothing, where the category would stand below itself."""
        Category.objects.hold_still()
        super().save(*args, **options)
        Category.refuse_circles()

    def clean(self) -> None:
        """The same rule as in `save`, told beside its field."""
        if connection.in_atomic_block:  # the admin's form: nobody comes between this and its save
            Category.objects.hold_still()
        if self.pk and self.parent_id and self.parent_id in Category.objects.tree().below(self.pk):
            raise ValidationError({"parent": "A category cannot stand below itself."})

    @classmethod
    def refuse_circles(cls) -> None:
        if cls.objects.tree().has_circle():
            raise ValidationError({"parent": "A category cannot stand below itself."})


class ProductQuerySet(models.QuerySet["Product"]):
    def on_sale(self) -> ProductQuerySet:
        return self.filter(active=True)

    def matching(self, text: str) -> ProductQuerySet:
        return self.filter(search.saying(text))

    def take(self, pk: int, quantity: int) -> bool:
        """Takes stock if there is enough. The condition and the change are one statement, so nobody comes between."""
        enough = self.filter(pk=pk, active=True, stock__gte=quantity)
        return bool(enough._move_stock(pk, -quantity))

    def give_back(self, pk: int, quantity: int) -> None:
        self.filter(pk=pk)._move_stock(pk, quantity)

    def _move_stock(self, pk: int, by: int) -> int:
        changed = super().update(stock=models.F("stock") + by)
        if changed:
            changes.stock_moved(pk, self.model.objects.stock_generations)
        return changed

    def stock_generations(self, keys: Iterable[int]) -> set[str]:
        """Returns what is shown with the stock of these products: everything, their categories' lists, themselves."""
        tree = Category.objects.tree()
        names = {generations.STOCK}
        for slug, category in self.filter(pk__in=keys).values_list("slug", "category_id"):
            names.add(generations.stock_of(slug))
            names.update(generations.stock_in(above) for above in tree.line(category))
        return names

    # `Any`, here and below: the values of any field, and Django's own many arguments.
    def update(self, **values: Any) -> int:
        changed = super().update(**values)
        changes.products_changed()
        return changed

    def bulk_create(self, *args: Any, **options: Any) -> list[Product]:
        made = super().bulk_create(*args, **options)
        changes.products_changed()
        return made


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
        # The orders of the public list, of everything and of one category; the newest go by the key. What else is asked
        # for (in stock, on sale) holds of nearly all rows. Text has an index on PostgreSQL only (migration 0002).
        indexes = [
            models.Index(fields=["name", "id"], name="product_by_name"),
            models.Index(fields=["price", "id"], name="product_by_price"),
            models.Index(fields=["category", "name", "id"], name="product_in_category_by_name"),
            models.Index(fields=["category", "price", "id"], name="product_in_category_by_price"),
        ]

    def __str__(self) -> str:
        return self.name
