"""How many queries an answer costs, and that each question the API asks of a large table has an index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import paying
from shop.orders.models import Cart, KeyedRequest, Order, OrderMail, Payment
from tests.shop.buying import ORDERS, buy, move, one, place

AddProduct = Callable[..., Product]
Queries = Callable[[int], Any]


def test_a_list_of_orders_costs_four_queries_however_long(
    signed_in: Client, ada: User, add_product: AddProduct, django_assert_num_queries: Queries
) -> None:
    """Who asks, the orders with coupon and customer, their lines, their payments."""
    add_product(stock=50)
    for _ in range(5):
        place(ada)

    with django_assert_num_queries(4):
        assert len(signed_in.get(ORDERS).json()["results"]) == 5


def test_a_cart_costs_three_queries_however_many_lines(
    signed_in: Client, add_product: AddProduct, django_assert_num_queries: Queries
) -> None:
    for number in range(5):
        sku = add_product(f"P{number}").sku
        signed_in.post("/api/v1/cart/items/", {"sku": sku, "quantity": 1}, content_type="application/json")

    with django_assert_num_queries(3):
        assert len(signed_in.get("/api/v1/cart/").json()["lines"]) == 5


@pytest.mark.parametrize(("lines", "queries"), [(1, CHECKOUT_OF_ONE := 35), (5, CHECKOUT_OF_ONE + 4)])
def test_a_checkout_costs_one_query_more_for_each_line(
    signed_in: Client, add_product: AddProduct, django_assert_num_queries: Queries, lines: int, queries: int
) -> None:
    skus = [add_product(f"P{number}").sku for number in range(lines)]

    with django_assert_num_queries(queries):
        assert buy(signed_in, [item for sku in skus for item in one(sku)]).status_code == 201


def test_a_cancellation_costs_so_many_queries(
    signed_in: Client, ada: User, add_product: AddProduct, django_assert_num_queries: Queries
) -> None:
    add_product()
    order = place(ada).order

    with django_assert_num_queries(19):
        assert move(signed_in, order, "cancel").status_code == 200


@pytest.fixture
def many(ada: User, ben: User) -> None:
    """Twenty thousand orders of years, of which few are anything but paid and long over."""
    now = timezone.now()
    orders = Order.objects.bulk_create(
        [
            Order(
                customer=ada if number % 100 == 0 else ben,
                state="placed" if number % 500 == 0 else "paid",
                total=number,
                currency="EUR",
                created_at=now - timedelta(hours=number),
                changed_at=now,
                expires_at=now - timedelta(hours=number) + paying.RESERVED,
            )
            for number in range(20_000)
        ]
    )
    payments = [
        Payment(order=order, amount=1, currency="EUR", state="pending" if order.state == "placed" else "approved")
        for order in orders
    ]
    Payment.objects.bulk_create(payments)
    OrderMail.objects.bulk_create(
        OrderMail(order=order, kind="confirmation", due_at=now, state="due" if order.state == "placed" else "sent")
        for order in orders
    )
    KeyedRequest.objects.bulk_create(
        KeyedRequest(
            customer=ben,
            key_hash=f"{number}",
            fingerprint="",
            created_at=now - timedelta(seconds=number * 5),
            status=201,
        )
        for number in range(20_000)
    )
    Cart.objects.bulk_create(
        Cart(token_hash=f"{number}", changed_at=now - timedelta(minutes=number * 2.2)) for number in range(20_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def questions(ada: User) -> dict[str, QuerySet[Any]]:
    now = timezone.now()
    every = Order.objects.all()
    return {
        "order_by_customer": every.filter(customer=ada).order_by("-created_at", "-id")[:20],
        "order_by_date": every.order_by("-created_at", "-id")[:20],
        "order_by_state_and_date": every.filter(state="placed").order_by("-created_at", "-id")[:20],
        "order_by_expiry": Order.objects.expired(now - timedelta(days=800)).order_by("expires_at", "pk")[:10],
        "payment_by_state": Payment.objects.pending_since(now),
        "order_mail_by_due": OrderMail.objects.filter(state="due", due_at__lte=now),
        "keyed_request_by_age": KeyedRequest.objects.filter(created_at__lte=now - timedelta(hours=24)),
        "cart_by_change": Cart.objects.filter(customer=None, changed_at__lte=now - timedelta(days=30)),
    }


@pytest.mark.skipif(connection.vendor != "postgresql", reason="its plans are PostgreSQL's")
def test_each_question_is_answered_by_its_index(ada: User, many: None) -> None:
    plans = {index: query.explain() for index, query in questions(ada).items()}

    assert {index: index in plan for index, plan in plans.items()} == dict.fromkeys(plans, True), plans
    assert not [plan for plan in plans.values() if "Seq Scan" in plan]
