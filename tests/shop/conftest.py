from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from celery import current_app
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework_simplejwt.tokens import AccessToken

from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from shop.orders.models import Coupon

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def bare_shop(settings: Settings) -> None:
    """The shop is an ordinary Django part: its tests run without whoever may stand around it."""
    settings.ROOT_URLCONF = "tests.shop.urls"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name.startswith("django.")]
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    settings.RATELIMIT_EXCEPTION_CLASS = "django_ratelimit.exceptions.Ratelimited"
    settings.PASSWORD_HASHERS = ["tests.shop.hashing.CountingHasher"]
    settings.SHOP_GRAPHQL = {}


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", "Ada@Example.com", PASSWORD)


@pytest.fixture
def ben(db: None) -> User:
    return User.objects.create_user("ben", "ben@example.com", PASSWORD)


@pytest.fixture
def signed_in(ada: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {AccessToken.for_user(ada)}"})


@pytest.fixture
def add_product(db: None) -> Callable[..., Product]:
    """Adds a product to the category `lamps` (or another), with only what the test cares about said."""

    def add(sku: str = "LAMP", category: str = "lamps", **values: Any) -> Product:
        home, _ = Category.objects.get_or_create(slug=category, defaults={"name": category.title()})
        defaults = {"name": f"Lamp {sku}", "slug": sku.lower(), "price": Decimal("19.90"), "stock": 10}
        return Product.objects.create(sku=sku, category=home, **(defaults | values))

    return add


@pytest.fixture
def add_coupon(db: None) -> Callable[..., Coupon]:
    """Adds a coupon that holds today, ten percent unless said otherwise."""

    def add(code: str = "WELCOME10", **values: Any) -> Coupon:
        kind = {} if "amount" in values else {"percent": 10}
        defaults = {"valid_from": timezone.now() - timedelta(days=1), **kind}
        return Coupon.objects.create(code=code, **(defaults | values))

    return add


@pytest.fixture
def workers() -> Iterator[None]:
    """Tasks are done at once, where they are asked for."""
    # Celery's configuration is no Django setting that a fixture would take back.
    conf = current_app.conf
    conf.task_always_eager = conf.task_eager_propagates = True
    yield
    conf.task_always_eager = conf.task_eager_propagates = False
