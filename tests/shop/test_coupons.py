from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import coupons
from shop.orders.models import Coupon, CouponCustomer, Order
from shop.orders.payment import DECLINED, IS_LOST
from shop.orders.signals import coupon_refused
from tests.shop.buying import buy, client_of, move, one, pay, place, stock

AddProduct = Callable[..., Product]
AddCoupon = Callable[..., Coupon]
NOW = timezone.now()


@pytest.fixture
def refusals() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def listen(**said: Any) -> None:
        heard.append(said)

    coupon_refused.connect(listen)
    yield heard
    coupon_refused.disconnect(listen)


@pytest.fixture
def shopper(signed_in: Client, add_product: AddProduct) -> Client:
    """A customer with a cart of 39.80 EUR."""
    add_product("LAMP", price=Decimal("19.90"), stock=50)
    signed_in.post("/api/v1/cart/items/", {"sku": "LAMP", "quantity": 2}, content_type="application/json")
    return signed_in


def use(client: Client, code: Any) -> HttpResponse:
    return client.post("/api/v1/cart/coupon/", {"code": code}, content_type="application/json")


@pytest.mark.parametrize(
    ("values", "discount", "total"),
    [
        ({"percent": 10}, "3.98", "35.82"),
        ({"percent": 33}, "13.13", "26.67"),  # 13.134
        ({"percent": 100}, "39.80", "0.00"),
        ({"amount": Decimal("5.50")}, "5.50", "34.30"),
        ({"amount": Decimal(100)}, "39.80", "0.00"),
    ],
)
def test_a_coupon_takes_off_what_it_says(
    shopper: Client, add_coupon: AddCoupon, values: dict[str, Any], discount: str, total: str
) -> None:
    add_coupon(**values)

    shown = use(shopper, " welcome10 ").json()
    ordered = buy(shopper, one("LAMP", 2), coupon="welcome10").json()

    assert (shown["discount"], shown["total"], shown["coupon_holds"]) == (discount, total, True)
    assert (ordered["state"], ordered["coupon"]) == ("paid", "WELCOME10")
    assert (ordered["subtotal"], ordered["discount"], ordered["total"]) == ("39.80", discount, total)


REFUSED: list[tuple[str, dict[str, Any] | None]] = [
    ("unknown", None),
    ("unknown", {"active": False}),
    ("not-now", {"valid_from": NOW + timedelta(hours=1)}),
    ("not-now", {"valid_until": NOW - timedelta(seconds=1)}),
    ("used-up", {"max_uses": 3, "uses": 3}),
    ("wrong-cart", {"min_total": Decimal("39.81")}),
    ("wrong-cart", {"currency": "USD"}),
    ("used-by-customer", {"max_uses_per_customer": 0}),
]


@pytest.mark.parametrize(("reason", "values"), REFUSED)
def test_every_refusal_looks_the_same_from_outside_and_is_told_inside(
    shopper: Client,
    add_coupon: AddCoupon,
    refusals: list[dict[str, Any]],
    reason: str,
    values: dict[str, Any] | None,
) -> None:
    if values is not None:
        add_coupon(**values)

    answers = [use(shopper, "WELCOME10"), buy(shopper, one(), coupon="WELCOME10")]

    for answer in answers:
        assert answer.status_code == 422
        assert answer.json() == {
            "type": "urn:problem-type:shop:coupon-refused",
            "title": "Coupon refused",
            "status": 422,
            "detail": "This code does not hold for this cart.",
        }
    assert [said["reason"] for said in refusals] == [reason, reason]
    assert all(isinstance(said["request"], HttpRequest) for said in refusals)
    assert (stock(), Order.objects.count()) == (50, 0)


@pytest.mark.parametrize(("reason", "values"), REFUSED)
def test_every_refusal_asks_the_database_the_same(
    shopper: Client, add_coupon: AddCoupon, reason: str, values: dict[str, Any] | None
) -> None:
    """Else the time it takes would tell which codes exist."""
    with CaptureQueriesContext(connection) as of_a_guess:
        use(shopper, "NO-SUCH-CODE")
    if values is not None:
        add_coupon(**values)

    with CaptureQueriesContext(connection) as asked:
        use(shopper, "WELCOME10")

    assert len(asked) == len(of_a_guess)


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["", None, "x" * 41, "\x00", [], {"$ne": 1}])
def test_what_is_no_code_is_a_bad_request(client: Client, code: Any) -> None:
    assert use(client, code).status_code == 400


def test_an_empty_cart_is_refused_alike(client: Client, add_coupon: AddCoupon) -> None:
    add_coupon()

    answers = [use(client, code) for code in ("WELCOME10", "NO-SUCH-CODE")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].content == answers[1].content


def test_a_cart_says_that_its_coupon_holds_no_more_and_cannot_be_bought(shopper: Client, add_coupon: AddCoupon) -> None:
    add_coupon(min_total=Decimal(30))
    use(shopper, "WELCOME10")
    shopper.put("/api/v1/cart/items/LAMP/", {"quantity": 1}, content_type="application/json")

    shown = shopper.get("/api/v1/cart/").json()

    assert (shown["coupon"], shown["coupon_holds"], shown["discount"]) == ("WELCOME10", False, "0.00")
    assert shown["can_be_bought"] is False
    shopper.delete("/api/v1/cart/coupon/")
    assert shopper.get("/api/v1/cart/").json()["can_be_bought"] is True


def test_a_customer_uses_a_coupon_so_often_and_another_still_may(
    ada: User, ben: User, add_product: AddProduct, add_coupon: AddCoupon
) -> None:
    add_product(stock=50)
    add_coupon(max_uses_per_customer=2)
    for _ in range(2):
        place(ada, coupon="WELCOME10")

    with pytest.raises(coupons.CouponRefused, match="used-by-customer"):
        place(ada, coupon="WELCOME10")
    place(ben, coupon="WELCOME10")

    assert Coupon.objects.get().uses == 3


def uses() -> tuple[int, int]:
    return Coupon.objects.get().uses, CouponCustomer.objects.get().uses


def test_an_order_that_comes_to_nothing_gives_its_use_back_once(
    signed_in: Client, add_product: AddProduct, add_coupon: AddCoupon
) -> None:
    add_product(stock=50)
    add_coupon(max_uses=1)
    buy(signed_in, one(), coupon="WELCOME10")
    assert uses() == (1, 1)
    assert buy(signed_in, one(), coupon="WELCOME10").status_code == 422

    answers = [move(signed_in, Order.objects.get(), "cancel").status_code for _ in range(2)]

    assert answers == [200, 409]
    assert uses() == (0, 0)
    assert buy(signed_in, one(), coupon="WELCOME10").status_code == 201


def test_an_order_declined_for_good_gives_its_use_and_stock_back(
    ada: User, add_product: AddProduct, add_coupon: AddCoupon
) -> None:
    add_product(stock=50)
    add_coupon()
    order = place(ada, DECLINED, coupon="WELCOME10").order
    client = client_of(ada)

    states = [pay(client, order, DECLINED).json()["state"] for _ in range(4)]

    assert states == ["placed", "placed", "placed", "declined"]
    assert (uses(), stock()) == ((0, 0), 50)
    assert pay(client, order).status_code == 409


def test_a_refused_checkout_uses_nothing(ada: User, add_product: AddProduct, add_coupon: AddCoupon) -> None:
    add_product(stock=50)
    add_coupon()

    with pytest.raises(Exception, match="17"):
        place(ada, coupon="WELCOME10", expected_total=Decimal("19.90"))

    assert Coupon.objects.get().uses == 0


def test_what_costs_nothing_asks_no_provider(ada: User, add_product: AddProduct, add_coupon: AddCoupon) -> None:
    add_product(stock=50)
    add_coupon(percent=100)

    payment = place(ada, IS_LOST, coupon="WELCOME10")

    assert (payment.state, payment.order.state, payment.amount) == ("approved", "paid", 0)


@pytest.mark.parametrize("values", [{"percent": 10, "amount": 1}, {"percent": None}, {"percent": 0}, {"percent": 101}])
def test_the_database_refuses_a_coupon_that_means_nothing(db: None, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Coupon.objects.create(code="X", valid_from=NOW, **values)


def test_a_coupon_that_ends_before_it_begins_is_refused_to_staff() -> None:
    with pytest.raises(ValidationError, match="later than the beginning"):
        Coupon(code="X", percent=1, valid_from=NOW, valid_until=NOW).clean()


def test_staff_make_coupons_in_the_admin(admin_client: Client) -> None:
    form = {"code": "SPRING", "percent": "20", "currency": "EUR", "min_total": "0", "active": "on"}
    form |= {"valid_from_0": "2026-03-01", "valid_from_1": "00:00", "valid_until_0": "", "valid_until_1": ""}

    both = admin_client.post("/admin/orders/coupon/add/", form | {"amount": "5"})
    one = admin_client.post("/admin/orders/coupon/add/", form)

    assert b"Give either a percentage or an amount." in both.content
    assert (one.status_code, Coupon.objects.get().code) == (302, "SPRING")
