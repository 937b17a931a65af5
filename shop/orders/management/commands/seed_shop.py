from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify

from shop.catalogue.assortment import MAX_ARTICLES, SHELVES, articles
from shop.catalogue.models import Category, Product
from shop.orders.models import Coupon
from shop.orders.promotions import coupons

CUSTOMERS = ("ada", "ben", "chloe")


class Command(BaseCommand):
    help = "Fills the shop with demo categories, products and coupons. What is already there stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--products", type=int, default=60, metavar="N", help="how many products (default: 60)")
        parser.add_argument(
            "--customer-password", metavar="PASSWORD", help=f"also make the customers {', '.join(CUSTOMERS)} with this"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 <= options["products"] <= MAX_ARTICLES:
            raise CommandError(f"--products must be from 0 to {MAX_ARTICLES}, not {options['products']}.")
        password = options["customer_password"]
        if password is not None and not password.strip():
            raise CommandError("--customer-password must not be empty.")
        products = add_products(options["products"], add_categories())
        added = add_coupons()
        customers = add_customers(password) if password is not None else 0
        self.stdout.write(f"Added {products} products, {added} coupons and {customers} customers.")


def add_categories() -> dict[str, Category]:
    """Returns the demo categories by name, making those that are missing."""
    found: dict[str, Category] = {}
    for shelf in SHELVES:
        for name, parent in ((shelf.parent, None), (shelf.name, shelf.parent)):
            found[name], _ = Category.objects.get_or_create(
                slug=slugify(name), defaults={"name": name, "parent": found[parent] if parent else None}
            )
    return found


def add_products(count: int, categories: dict[str, Category]) -> int:
    before = Product.objects.count()
    Product.objects.bulk_create(
        (
            Product(
                category=categories[article.shelf],
                name=article.name,
                slug=slugify(article.name),
                sku=article.sku,
                description=article.description,
                price=article.price,
                stock=article.stock,
            )
            for article in articles(count)
        ),
        batch_size=1000,
        # A product that was sold from, or edited, since the last run keeps its stock and its price.
        ignore_conflicts=True,
    )
    return Product.objects.count() - before


def add_coupons() -> int:
    before = Coupon.objects.count()
    Coupon.objects.bulk_create(coupons(), ignore_conflicts=True)  # one that was used, or edited, stays as it is
    return Coupon.objects.count() - before


def add_customers(password: str) -> int:
    added = 0
    for name in CUSTOMERS:
        email = f"{name}@example.com"
        if not get_user_model().objects.filter(Q(username=name) | Q(email=email)).exists():
            get_user_model().objects.create_user(name, email, password)
            added += 1
    return added
