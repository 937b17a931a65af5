"""The shop's own signals reach the shipped limits: the whole project, as it is wired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from shop.orders.models import Coupon, Order
from shop.orders.payment import APPROVED, DECLINED

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Client:
    home = Category.objects.create(name="Lamps", slug="lamps")
    Product.objects.create(sku="LAMP", name="Lamp", slug="lamp", category=home, price=Decimal(5), stock=50)
    Coupon.objects.create(code="TEN", percent=10, valid_from=datetime.now(UTC) - timedelta(days=1))
    return Client(headers={"Authorization": f"Bearer {AccessToken.for_user(User.objects.create_user('ada'))}"})


def post(client: Client, path: str, body: object) -> HttpResponse:
    headers = {"Idempotency-Key": str(uuid4())}
    return client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def test_a_guesser_of_coupons_meets_the_limit_and_a_good_code_costs_nothing(customer: Client) -> None:
    post(customer, "cart/items/", {"sku": "LAMP", "quantity": 1})

    good = [post(customer, "cart/coupon/", {"code": "TEN"}).status_code for _ in range(11)]
    bad = [post(customer, "cart/coupon/", {"code": f"GUESS-{number}"}).status_code for number in range(11)]

    assert good == [200] * 11
    assert bad == [422] * 10 + [429]


def test_codes_guessed_at_the_checkout_meet_the_limit_of_payments(customer: Client) -> None:
    items, card = [{"sku": "LAMP", "quantity": 1}], APPROVED

    statuses = [
        post(customer, "checkout/", {"items": items, "card": card, "coupon": f"GUESS-{number}"}).status_code
        for number in range(6)
    ]

    assert statuses == [422] * 5 + [429]


def test_cards_tried_on_one_order_meet_the_same_limit_as_those_at_the_checkout(customer: Client) -> None:
    post(customer, "checkout/", {"items": [{"sku": "LAMP", "quantity": 1}], "card": DECLINED})
    pay = f"orders/{Order.objects.get().number}/pay/"

    statuses = [post(customer, pay, {"card": DECLINED}).status_code for _ in range(3)]
    statuses += [
        post(customer, "checkout/", {"items": [{"sku": "LAMP", "quantity": 1}], "card": DECLINED}).status_code
        for _ in range(2)
    ]

    assert statuses == [402] * 4 + [429]
