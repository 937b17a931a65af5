from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import carts, tasks
from shop.orders.cart_owner import MAX_LINES, MAX_QUANTITY, Shopper
from shop.orders.models import Cart, Coupon
from tests.shop.buying import stock

AddProduct = Callable[..., Product]
AddCoupon = Callable[..., Coupon]
CART = "/api/v1/cart/"


@pytest.fixture
def stranger(client: Client) -> Client:
    """A visitor who has begun a cart with two lamps."""
    client.defaults["HTTP_X_CART_TOKEN"] = put(client, "LAMP", 2)["token"]
    return client


def put(client: Client, sku: str, quantity: Any = 1) -> dict[str, Any]:
    response = client.post(f"{CART}items/", {"sku": sku, "quantity": quantity}, content_type="application/json")
    assert response.status_code == 201, response.content
    return dict(response.json())


def cart(client: Client) -> dict[str, Any]:
    return dict(client.get(CART).json())


def quantities(client: Client) -> dict[str, int]:
    return {line["sku"]: line["quantity"] for line in cart(client)["lines"]}


def test_a_stranger_is_given_a_token_once_and_finds_the_cart_by_it(client: Client, add_product: AddProduct) -> None:
    add_product("LAMP", price=Decimal("19.90"), stock=5)

    made = put(client, "LAMP", 2)

    client.defaults["HTTP_X_CART_TOKEN"] = made["token"]
    assert len(made["token"]) == 43
    assert cart(client) == {
        "token": "",
        "lines": [
            {
                "sku": "LAMP",
                "slug": "lamp",
                "name": "Lamp LAMP",
                "unit_price": "19.90",
                "currency": "EUR",
                "quantity": 2,
                "total": "39.80",
                "stock": 5,
                "problem": "",
            }
        ],
        "coupon": None,
        "coupon_holds": False,
        "currency": "EUR",
        "subtotal": "39.80",
        "discount": "0.00",
        "total": "39.80",
        "can_be_bought": True,
    }
    assert made["token"] not in str(Cart.objects.values_list().get())


def test_a_cart_holds_no_stock(client: Client, add_product: AddProduct) -> None:
    add_product(stock=5)

    put(client, "LAMP", 2)

    assert stock() == 5


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["", "x" * 43, "x" * 5000, "é", "1"])
def test_who_has_no_cart_or_a_made_up_token_is_shown_an_empty_one(client: Client, token: str) -> None:
    response = client.get(CART, headers={"X-Cart-Token": token.encode().decode("latin-1")})

    assert response.status_code == 200
    assert (response.json()["lines"], response.json()["can_be_bought"]) == ([], False)
    assert not Cart.objects.exists()


def test_strangers_carts_are_strangers(stranger: Client, add_product: AddProduct) -> None:
    assert cart(Client())["lines"] == []
    assert quantities(stranger) == {"LAMP": 2}


@pytest.fixture(autouse=True)
def lamp(request: pytest.FixtureRequest) -> None:
    """Before `stranger` fills a cart with it."""
    if "stranger" in request.fixturenames or "with_cart" in request.fixturenames:
        request.getfixturevalue("add_product")("LAMP", stock=10, price=Decimal("20.00"))


def test_what_is_added_again_adds_up(stranger: Client) -> None:
    put(stranger, "LAMP", 3)

    assert quantities(stranger) == {"LAMP": 5}


def test_a_quantity_is_set_and_a_line_taken_out(stranger: Client, add_product: AddProduct) -> None:
    add_product("A/B")
    put(stranger, "A/B")

    set_ = stranger.put(f"{CART}items/LAMP/", {"quantity": 7}, content_type="application/json")
    gone = stranger.delete(f"{CART}items/A/B/")

    assert (set_.status_code, gone.status_code) == (200, 200)
    assert quantities(stranger) == {"LAMP": 7}


def test_emptying_takes_lines_and_coupon_and_keeps_the_token(stranger: Client, add_coupon: AddCoupon) -> None:
    add_coupon()
    stranger.post(f"{CART}coupon/", {"code": "WELCOME10"}, content_type="application/json")

    stranger.delete(CART)

    assert (cart(stranger)["lines"], cart(stranger)["coupon"]) == ([], None)
    put(stranger, "LAMP")
    assert quantities(stranger) == {"LAMP": 1}


def test_todays_price_is_shown_and_what_cannot_be_bought_is_said(stranger: Client, add_product: AddProduct) -> None:
    for sku in ("GONE", "SHORT"):
        add_product(sku, price=Decimal("5.00"), stock=3)
        put(stranger, sku, 3)
    Product.objects.filter(sku="LAMP").update(price=Decimal("21.50"))
    Product.objects.filter(sku="GONE").update(active=False)
    Product.objects.filter(sku="SHORT").update(stock=1)

    shown = cart(stranger)

    told = {line["sku"]: (line["unit_price"], line["stock"], line["problem"]) for line in shown["lines"]}
    assert told == {
        "LAMP": ("21.50", 10, ""),
        "GONE": ("5.00", 0, "not-on-sale"),
        "SHORT": ("5.00", 1, "short-of-stock"),
    }
    assert (shown["subtotal"], shown["can_be_bought"]) == ("58.00", False)


def test_a_cart_of_two_currencies_has_no_total(stranger: Client, add_product: AddProduct) -> None:
    add_product("DOLLARS", currency="USD")

    shown = put(stranger, "DOLLARS")

    assert (shown["currency"], shown["subtotal"], shown["total"]) == (None, None, None)
    assert shown["can_be_bought"] is False


def test_a_cart_is_bounded(stranger: Client, add_product: AddProduct) -> None:
    for number in range(MAX_LINES - 1):
        add_product(f"P{number}")
        put(stranger, f"P{number}")
    add_product("ONE-MORE")

    answers = [
        stranger.post(f"{CART}items/", {"sku": sku, "quantity": quantity}, content_type="application/json")
        for sku, quantity in [("ONE-MORE", 1), ("LAMP", MAX_QUANTITY - 1)]
    ]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert {answer.json()["type"] for answer in answers} == {"urn:problem-type:shop:cart-full"}
    assert (len(quantities(stranger)), quantities(stranger)["LAMP"]) == (MAX_LINES, 2)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("post", "items/", {"sku": "NONE", "quantity": 1}, 400),
        ("post", "items/", {"sku": "OLD", "quantity": 1}, 400),
        ("post", "items/", {"sku": "LAMP", "quantity": 0}, 400),
        ("post", "items/", {"sku": "LAMP", "quantity": 101}, 400),
        ("post", "items/", {"sku": "\x00", "quantity": 1}, 400),
        ("post", "items/", [], 400),
        ("put", "items/LAMP/", {"quantity": -1}, 400),
        ("put", "items/LAMP/", {}, 400),
        ("put", "items/NONE/", {"quantity": 1}, 404),
        ("put", "items/%00/", {"quantity": 1}, 404),
        ("delete", "items/NONE/", {}, 404),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    stranger: Client, add_product: AddProduct, method: str, path: str, body: Any, status: int
) -> None:
    add_product("OLD", active=False)

    response = getattr(stranger, method)(f"{CART}{path}", body, content_type="application/json")

    assert response.status_code == status
    assert quantities(stranger) == {"LAMP": 2}


@pytest.mark.parametrize("path", ["cart/", "cart/items/NONE/", "orders/", "checkout/"])
def test_no_cache_keeps_what_is_somebodys_nor_its_refusal(signed_in: Client, path: str) -> None:
    for client in (signed_in, Client()):
        assert client.get(f"/api/v1/{path}")["Cache-Control"] == "private, no-store"


def with_token(client: Client, token: str) -> Client:
    client.defaults["HTTP_X_CART_TOKEN"] = token
    return client


def test_the_first_request_of_a_customer_with_the_token_moves_the_lines(
    stranger: Client, signed_in: Client, add_product: AddProduct, add_coupon: AddCoupon
) -> None:
    add_coupon()
    add_product("RUG")
    put(signed_in, "RUG")
    put(signed_in, "LAMP", 3)
    stranger.post(f"{CART}coupon/", {"code": "WELCOME10"}, content_type="application/json")

    with_token(signed_in, stranger.defaults["HTTP_X_CART_TOKEN"])

    assert quantities(signed_in) == {"RUG": 1, "LAMP": 5}
    assert cart(signed_in)["coupon"] == "WELCOME10"


def test_merging_again_adds_nothing(stranger: Client, signed_in: Client) -> None:
    with_token(signed_in, stranger.defaults["HTTP_X_CART_TOKEN"])

    assert [quantities(signed_in) for _ in range(3)] == [{"LAMP": 2}] * 3
    assert quantities(stranger) == {}
    assert Cart.objects.count() == 1


def test_what_finds_no_room_stays_under_the_token_until_there_is_some(
    stranger: Client, signed_in: Client, ada: User, add_product: AddProduct
) -> None:
    for number in range(MAX_LINES - 1):
        put(signed_in, add_product(f"P{number}").sku)
    put(signed_in, "LAMP", MAX_QUANTITY - 1)
    put(stranger, add_product("RUG").sku)

    with_token(signed_in, stranger.defaults["HTTP_X_CART_TOKEN"])

    assert quantities(signed_in)["LAMP"] == MAX_QUANTITY
    assert quantities(stranger) == {"LAMP": 1, "RUG": 1}
    signed_in.delete(f"{CART}items/P0/")
    assert quantities(signed_in)["RUG"] == 1
    signed_in.put(f"{CART}items/LAMP/", {"quantity": 1}, content_type="application/json")
    assert quantities(signed_in)["LAMP"] == 2
    assert quantities(stranger) == {}


def test_two_customers_do_not_share_a_merged_cart(stranger: Client, signed_in: Client, ben: User) -> None:
    token = stranger.defaults["HTTP_X_CART_TOKEN"]
    quantities(with_token(signed_in, token))

    contents = carts.contents(Shopper(ben, token), timezone.now())

    assert contents.lines == ()


def test_old_carts_go_a_customers_later(
    stranger: Client, signed_in: Client, ben: User, add_product: AddProduct
) -> None:
    now = timezone.now()
    put(signed_in, "LAMP")
    carts.add(Shopper(ben), "LAMP", 1, now)
    Cart.objects.exclude(customer=ben).update(changed_at=now - carts.KEPT)

    removed = tasks.remove_old()
    Cart.objects.exclude(customer=ben).update(changed_at=now - carts.KEPT_FOR_CUSTOMERS + timedelta(minutes=1))
    carts.remove_old(now)
    assert removed == "removed 1 carts, 0 keys"
    assert Cart.objects.count() == 2

    Cart.objects.exclude(customer=ben).update(changed_at=now - carts.KEPT_FOR_CUSTOMERS)
    carts.remove_old(now)
    assert Cart.objects.get().customer == ben


def test_the_database_refuses_a_cart_of_nobody_and_of_two(ada: User) -> None:
    with pytest.raises(IntegrityError, match="cart_of_a_customer_or_a_token"):
        Cart.objects.create(customer=ada, token_hash="x", changed_at=timezone.now())
