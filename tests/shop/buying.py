"""How the tests buy: through the API with a new key each time, or by the plain functions."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import checkout
from shop.orders.checkout import Item, Purchase
from shop.orders.fake_provider import FakeProvider
from shop.orders.models import KeyedRequest, Order, Payment
from shop.orders.payment import APPROVED, Card, PaymentProvider

CHECKOUT = "/api/v1/checkout/"
ORDERS = "/api/v1/orders/"


def post(client: Client, path: str, body: Any, key: str = "", **headers: str) -> HttpResponse:
    headers |= {"Idempotency-Key": key or str(uuid4())}
    return client.post(path, body, content_type="application/json", headers=headers)


def buy(client: Client, items: Any, card: Any = APPROVED, key: str = "", **body: Any) -> HttpResponse:
    return post(client, CHECKOUT, {"items": items, "card": card, **body}, key)


def pay(client: Client, order: Order, card: str = APPROVED, key: str = "") -> HttpResponse:
    return post(client, f"{ORDERS}{order.number}/pay/", {"card": card}, key)


def move(client: Client, order: Order, how: str) -> HttpResponse:
    return client.post(f"{ORDERS}{order.number}/{how}/")


def place(
    customer: User,
    card: str = APPROVED,
    sku: str = "LAMP",
    quantity: int = 1,
    provider: PaymentProvider | None = None,
    keyed: KeyedRequest | None = None,
    **purchase: Any,
) -> Payment:
    """Without HTTP, and at the fake provider unless another is given."""
    items = (Item(sku, quantity),)
    return checkout.place(
        customer, Purchase(items, **purchase), Card(card), provider or FakeProvider(), HttpRequest(), keyed
    )


def one(sku: str = "LAMP", quantity: Any = 1) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity}]


def stock(sku: str = "LAMP") -> int:
    return Product.objects.get(sku=sku).stock


def client_of(user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {AccessToken.for_user(user)}"})
