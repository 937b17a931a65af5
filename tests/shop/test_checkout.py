from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import checkout
from shop.orders.checkout import Item, Purchase
from shop.orders.fake_provider import FakeProvider
from shop.orders.models import Order, OrderLine
from shop.orders.payment import APPROVED, DECLINED, TIMES_OUT, Card, Charge
from shop.orders.signals import payment_declined
from tests.shop.buying import buy, one, stock

AddProduct = Callable[..., Product]


@pytest.fixture
def refusals() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def listen(**said: Any) -> None:
        heard.append(said)

    payment_declined.connect(listen)
    yield heard
    payment_declined.disconnect(listen)


def in_json(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_a_paid_order_has_the_prices_of_the_database(signed_in: Client, ada: User, add_product: AddProduct) -> None:
    add_product("LAMP", name="Lamp", price=Decimal("19.90"), stock=5)
    add_product("RUG", name="Rug", price=Decimal("100.05"), stock=1)
    items = [{"sku": "LAMP", "quantity": 3, "price": "0.01", "unit_price": 0}, {"sku": "RUG", "quantity": 1}]

    response = buy(signed_in, items)

    order = Order.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "number": str(order.number),
        "customer": "ada",
        "state": "paid",
        "currency": "EUR",
        "subtotal": "159.75",
        "coupon": None,
        "discount": "0.00",
        "total": "159.75",
        "created_at": in_json(order.created_at),
        "expires_at": in_json(order.created_at + timedelta(minutes=15)),
        "lines": [
            {"sku": "LAMP", "name": "Lamp", "unit_price": "19.90", "quantity": 3},
            {"sku": "RUG", "name": "Rug", "unit_price": "100.05", "quantity": 1},
        ],
        "payments": [
            {
                "state": "approved",
                "amount": "159.75",
                "card_last_four": "4242",
                "created_at": in_json(order.created_at),
            }
        ],
    }
    payment = order.payments.get()
    assert (order.customer, payment.reference) == (ada, f"fake-{payment.key}")
    assert payment.settled_at is not None
    assert (stock("LAMP"), stock("RUG")) == (2, 0)


def test_an_order_keeps_its_prices_when_the_product_changes(signed_in: Client, add_product: AddProduct) -> None:
    add_product(price=Decimal(10))
    buy(signed_in, one())

    Product.objects.update(price=99, name="New")

    line = OrderLine.objects.get()
    assert (line.unit_price, line.name) == (Decimal(10), "Lamp LAMP")


def test_a_stranger_cannot_buy(client: Client, add_product: AddProduct) -> None:
    add_product(stock=1)

    response = buy(client, one())

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert stock() == 1


def test_a_declined_card_leaves_the_order_waiting_for_another_and_tells(
    signed_in: Client, add_product: AddProduct, refusals: list[dict[str, Any]]
) -> None:
    add_product("LAMP", stock=5)
    add_product("RUG", stock=5)

    response = buy(signed_in, [*one("LAMP", 2), *one("RUG", 5)], DECLINED)

    order = Order.objects.get()
    assert response.status_code == 402
    assert response.json() == {
        "type": "urn:problem-type:shop:payment-declined",
        "title": "Payment declined",
        "status": 402,
        "detail": "The card was declined and nothing was charged. The order can be paid by another card until it "
        "expires.",
        "order": str(order.number),
        "state": "placed",
    }
    assert order.state == "placed"
    assert (stock("LAMP"), stock("RUG")) == (3, 0)
    assert [said["order"] for said in refusals] == [order]
    assert isinstance(refusals[0]["request"], HttpRequest)


def test_a_paid_order_and_a_timeout_decline_nothing(
    signed_in: Client, add_product: AddProduct, refusals: list[dict[str, Any]]
) -> None:
    add_product()

    buy(signed_in, one())
    buy(signed_in, one(), TIMES_OUT)

    assert refusals == []


def test_a_listener_that_fails_leaves_the_answer_alone(signed_in: Client, add_product: AddProduct) -> None:
    add_product()

    def fail(**said: Any) -> None:
        raise RuntimeError("a listener's own trouble")

    payment_declined.connect(fail)

    response = buy(signed_in, one(), DECLINED)

    payment_declined.disconnect(fail)
    assert response.status_code == 402


def test_a_payment_without_an_answer_holds_the_stock(signed_in: Client, add_product: AddProduct) -> None:
    add_product(stock=5)

    response = buy(signed_in, one(quantity=2), TIMES_OUT)

    order = Order.objects.get()
    assert response.status_code == 504
    assert response.json()["type"] == "urn:problem-type:shop:payment-unknown"
    assert response.json()["order"] == str(order.number)
    assert order.state == "paying"
    assert stock() == 3


def test_what_is_not_in_stock_is_not_sold_and_nothing_of_the_basket_is_taken(
    signed_in: Client, add_product: AddProduct
) -> None:
    add_product("LAMP", stock=5)
    add_product("RUG", stock=1)

    response = buy(signed_in, [*one("LAMP", 5), *one("RUG", 2)])

    assert response.status_code == 409
    assert response.json()["type"] == "urn:problem-type:shop:out-of-stock"
    assert response.json()["sku"] == "RUG"
    assert (stock("LAMP"), stock("RUG")) == (5, 1)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("items", "pointer"),
    [
        ([], "#/items"),
        (None, "#/items"),
        ([{"sku": "LAMP", "quantity": 1}] * 21, "#/items"),
        ("LAMP", "#/items"),
        ({"sku": "LAMP", "quantity": 1}, "#/items"),
        (["LAMP"], "#/items/0"),
        ([{"sku": "LAMP"}], "#/items/0/quantity"),
        (one(quantity=0), "#/items/0/quantity"),
        (one(quantity=-1), "#/items/0/quantity"),
        (one(quantity=101), "#/items/0/quantity"),
        (one(quantity=1.5), "#/items/0/quantity"),
        (one(quantity=True), "#/items/0/quantity"),
        (one(quantity="many"), "#/items/0/quantity"),
        (one(quantity=10**30), "#/items/0/quantity"),
        ([*one("LAMP"), *one("NONE")], "#/items/1/sku"),
        (one("\x00"), "#/items/0/sku"),
        (one("\ud800"), "#/items/0/sku"),
        (one("OLD"), "#/items/0/sku"),
        ([*one("LAMP"), *one("LAMP")], "#/items"),
        ([*one("LAMP"), *one("DOLLARS")], "#/items"),
        ([{"sku": f"S{number}", "quantity": 1} for number in range(21)], "#/items"),
    ],
)
def test_a_bad_basket_is_refused_where_it_is_bad(
    signed_in: Client, add_product: AddProduct, items: Any, pointer: str
) -> None:
    add_product("LAMP", stock=5)
    add_product("OLD", active=False)
    add_product("DOLLARS", currency="USD")

    response = buy(signed_in, items)

    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert stock() == 5
    assert not Order.objects.exists()


@pytest.mark.parametrize("card", ["", None, "4242", "4242424242424241", "x" * 16, "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", [], "4" * 41])
def test_what_is_no_card_number_is_refused_and_not_repeated(
    signed_in: Client, add_product: AddProduct, card: Any
) -> None:
    add_product()

    response = buy(signed_in, one(), card)

    assert response.status_code == 400
    assert {error["pointer"] for error in response.json()["errors"]} == {"#/card"}
    assert not card or str(card) not in response.content.decode()


def test_a_card_number_may_be_written_in_groups(signed_in: Client, add_product: AddProduct) -> None:
    add_product()

    assert buy(signed_in, one(), "4242 4242 4242 4242").status_code == 201


def test_a_card_that_nobody_knows_is_declined(signed_in: Client, add_product: AddProduct) -> None:
    add_product()

    assert buy(signed_in, one(), "5555555555554444").status_code == 402


@pytest.mark.parametrize("card", [APPROVED, DECLINED, TIMES_OUT])
def test_the_card_number_is_kept_nowhere(
    signed_in: Client, add_product: AddProduct, caplog: pytest.LogCaptureFixture, card: str
) -> None:
    add_product()
    caplog.set_level(logging.DEBUG)

    response = buy(signed_in, one(), card)

    rows = [str(row) for model in apps.get_models() for row in model._base_manager.values_list()]
    assert rows
    assert not [row for row in rows if card in row or card[-5:] in row]
    assert card not in caplog.text
    assert card not in response.content.decode()
    assert Order.objects.get().payments.get().card_last_four == card[-4:]


def test_a_card_shows_itself_to_nobody() -> None:
    card = Card(APPROVED)

    assert repr(card) == str(card) == f"{card}" == "Card(**** 4242)"


class WatchingProvider(FakeProvider):
    """Sees whether a transaction, and with it a lock, is open while the money moves."""

    def __init__(self) -> None:
        self.saw_transaction: list[bool] = []

    def charge(self, key: str, amount: Decimal, currency: str, card: Card) -> Charge:
        self.saw_transaction.append(connection.in_atomic_block)
        return super().charge(key, amount, currency, card)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_provider_is_asked(ada: User, add_product: AddProduct) -> None:
    add_product()
    provider = WatchingProvider()

    checkout.place(ada, Purchase([Item("LAMP", 1)]), Card(APPROVED), provider, HttpRequest())

    assert provider.saw_transaction == [False]


def test_the_database_refuses_a_line_of_nothing(ada: User, add_product: AddProduct) -> None:
    now = timezone.now()
    order = Order.objects.create(customer=ada, total=0, currency="EUR", expires_at=now, changed_at=now)
    product = add_product()

    with pytest.raises(IntegrityError, match="order_line_quantity_positive"):
        OrderLine.objects.create(order=order, product=product, sku="LAMP", name="x", unit_price=1, quantity=0)


def test_staff_read_an_order_in_the_admin_and_cannot_change_it(
    admin_client: Client, signed_in: Client, add_product: AddProduct
) -> None:
    add_product()
    buy(signed_in, one())
    page = f"/admin/orders/order/{Order.objects.get().pk}/change/"

    assert admin_client.get("/admin/orders/order/").status_code == 200
    assert b"Lamp LAMP" in admin_client.get(page).content
    assert admin_client.post(page, {"state": "declined"}).status_code == 403
