"""Cart, coupon, checkout, payment and orders by GraphQL, and what they share with REST."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders.models import Coupon, Order, Payment
from shop.orders.payment import APPROVED, DECLINED, IS_LOST
from tests.shop.buying import client_of, place, post, stock
from tests.shop.graphql.asking import ask, refused, send

CART = """
fragment Shown on Cart {
  token coupon couponHolds canBeBought
  lines { sku quantity problem stock unitPrice { amount currency } total { amount } }
  subtotal { amount currency } discount { amount } total { amount }
}
"""
ADD = (
    "mutation ($sku: String!, $quantity: Int!) { addToCart(sku: $sku, quantity: $quantity) "
    "{ __typename ...Shown ... on Refusal { type detail } ... on InvalidInput { errors { path } } } }" + CART
)
CHECKOUT = """
mutation ($card: String!, $key: String!, $items: [Item!], $coupon: String, $total: Decimal) {
  checkout(card: $card, idempotencyKey: $key, items: $items, coupon: $coupon, expectedTotal: $total) {
    __typename
    ... on Order { number state coupon total { amount currency } lines { sku quantity unitPrice { amount } }
                   payments { state amount { amount } cardLastFour } }
    ... on Refusal { type title detail }
    ... on InvalidInput { errors { path detail } }
    ... on OutOfStock { sku }
    ... on NotOnSale { skus }
    ... on PriceChanged { newTotal }
    ... on PaymentDeclined { order state }
    ... on PaymentUnknown { order }
    ... on TooManyUnpaidOrders { orders }
  }
}
"""
PAY = """
mutation ($number: UUID!, $card: String!, $key: String!) {
  payOrder(number: $number, card: $card, idempotencyKey: $key) {
    __typename ... on Order { number state } ... on WrongState { state } ... on PaymentDeclined { order }
  }
}
"""
CANCEL = """
mutation ($number: UUID!) {
  cancelOrder(number: $number) { __typename ... on Order { state } ... on WrongState { state } }
}
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lamp(add_product: Callable[..., Product]) -> Product:
    return add_product()


def add(client: Client | None = None, sku: str = "LAMP", quantity: int = 1, **headers: str) -> Any:
    return ask(ADD, client, headers, sku=sku, quantity=quantity)["addToCart"]


def buy(client: Client, card: str = APPROVED, key: str = "", **asked: Any) -> Any:
    return ask(CHECKOUT, client, card=card, key=key or str(uuid4()), **asked)["checkout"]


def one(sku: str = "LAMP", quantity: int = 1) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity}]


# The cart


def test_a_stranger_is_given_a_token_and_finds_the_cart_by_it(lamp: Product) -> None:
    made = add(quantity=2)

    again = ask("{ cart { ...Shown } }" + CART, headers={"X-Cart-Token": made["token"]})["cart"]

    assert made["__typename"] == "Cart"
    assert again["token"] is None
    assert (
        again["lines"]
        == made["lines"]
        == [
            {
                "sku": "LAMP",
                "quantity": 2,
                "problem": None,
                "stock": 10,
                "unitPrice": {"amount": "19.90", "currency": "EUR"},
                "total": {"amount": "39.80"},
            }
        ]
    )
    assert again["subtotal"] == {"amount": "39.80", "currency": "EUR"}
    assert again["discount"] == {"amount": "0.00"}


def test_the_cart_is_the_one_of_rest(lamp: Product, signed_in: Client) -> None:
    add(signed_in, quantity=3)

    rest = signed_in.get("/api/v1/cart/").json()

    assert [(line["sku"], line["quantity"]) for line in rest["lines"]] == [("LAMP", 3)]


def test_lines_are_changed_and_removed(lamp: Product, signed_in: Client) -> None:
    add(signed_in)
    change = 'mutation { changeQuantity(sku: "LAMP", quantity: 4) { ... on Cart { lines { quantity } } } }'
    remove = 'mutation { removeFromCart(sku: "LAMP") { __typename ... on Cart { lines { sku } } } }'

    assert ask(change, signed_in)["changeQuantity"]["lines"] == [{"quantity": 4}]
    assert ask(remove, signed_in)["removeFromCart"]["lines"] == []
    assert ask(remove, signed_in)["removeFromCart"] == {"__typename": "NotInCart"}


@pytest.mark.parametrize(
    ("sku", "quantity", "path"), [("NONE", 1, ["sku"]), ("LAMP", 0, ["quantity"]), ("LAMP", 101, ["quantity"])]
)
def test_what_cannot_be_put_into_it_names_the_argument(lamp: Product, sku: str, quantity: int, path: list[str]) -> None:
    found = add(sku=sku, quantity=quantity)

    assert found["__typename"] == "InvalidInput"
    assert found["errors"] == [{"path": path}]


def test_a_full_cart_says_so(lamp: Product, signed_in: Client) -> None:
    add(signed_in, quantity=99)

    found = add(signed_in, quantity=2)

    assert (found["__typename"], found["type"]) == ("CartFull", "urn:problem-type:shop:cart-full")


def test_a_coupon_counts_or_is_refused_without_a_reason(
    lamp: Product, signed_in: Client, add_coupon: Callable[..., Coupon]
) -> None:
    add_coupon()
    add(signed_in)
    apply = "mutation ($code: String!) { applyCoupon(code: $code) { __typename ... on Cart { total { amount } } } }"

    assert ask(apply, signed_in, code="welcome10")["applyCoupon"]["total"] == {"amount": "17.91"}
    assert ask(apply, signed_in, code="NONE")["applyCoupon"] == {"__typename": "CouponRefused"}
    assert ask("mutation { removeCoupon { coupon } }", signed_in)["removeCoupon"] == {"coupon": None}
    assert ask("mutation { emptyCart { lines { sku } } }", signed_in)["emptyCart"] == {"lines": []}


# Checkout


def test_the_cart_is_bought_with_its_coupon(
    lamp: Product, signed_in: Client, add_coupon: Callable[..., Coupon]
) -> None:
    add_coupon()
    add(signed_in, quantity=2)
    ask('mutation { applyCoupon(code: "WELCOME10") { __typename } }', signed_in)

    order = buy(signed_in, total="35.82")

    assert order["state"] == "PAID"
    assert order["total"] == {"amount": "35.82", "currency": "EUR"}
    assert order["lines"] == [{"sku": "LAMP", "quantity": 2, "unitPrice": {"amount": "19.90"}}]
    assert order["payments"] == [{"state": "APPROVED", "amount": {"amount": "35.82"}, "cardLastFour": "4242"}]
    assert stock() == 8


def test_the_same_key_buys_once_by_both_apis(lamp: Product, signed_in: Client) -> None:
    key = str(uuid4())

    first = buy(signed_in, key=key, items=one())
    again = buy(signed_in, key=key, items=one())
    by_rest = post(signed_in, "/api/v1/checkout/", {"items": one(), "card": APPROVED}, key)

    assert first == again
    assert by_rest.json()["number"] == first["number"]
    assert by_rest["Idempotent-Replayed"] == "true"
    assert Payment.objects.count() == 1


def test_a_key_of_something_else_and_one_that_is_none_are_refused(lamp: Product, signed_in: Client) -> None:
    key = str(uuid4())
    buy(signed_in, key=key, items=one())

    other, none = buy(signed_in, key=key, items=one(quantity=2)), buy(signed_in, key="short", items=one())

    assert other["__typename"] == none["__typename"] == "IdempotencyKeyRefused"
    assert other["type"] == "urn:problem-type:shop:idempotency-key-reused"


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({}, "EmptyCart", {}),
        ({"items": one(quantity=11)}, "OutOfStock", {"sku": "LAMP"}),
        ({"items": one(), "total": "1.00"}, "PriceChanged", {"newTotal": "19.90"}),
        ({"items": one(), "coupon": "NONE"}, "CouponRefused", {}),
        ({"items": one(), "card": DECLINED}, "PaymentDeclined", {"state": "PLACED"}),
        ({"items": one(), "card": IS_LOST}, "PaymentUnknown", {}),
        ({"items": one("NONE")}, "InvalidInput", {}),
        ({"items": one(), "card": "4242"}, "InvalidInput", {}),
        ({"items": [*one(), *one()]}, "InvalidInput", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_refusal_is_data_of_its_own_type(
    lamp: Product, signed_in: Client, asked: dict[str, Any], kind: str, said: dict[str, Any]
) -> None:
    found = buy(signed_in, **asked)

    assert found["__typename"] == kind
    assert found | said == found
    assert found["type"].startswith("urn:problem-type:shop:")


def test_a_refusal_is_repeated_as_it_was(lamp: Product, signed_in: Client) -> None:
    key = str(uuid4())
    first = buy(signed_in, key=key, items=one("NONE"))

    again = buy(signed_in, key=key, items=one("NONE"))

    assert first == again
    assert first["errors"] == [{"path": ["items", "0", "sku"], "detail": "No such product is on sale."}]


def test_what_left_the_shop_meanwhile_is_named(lamp: Product, signed_in: Client) -> None:
    add(signed_in)
    Product.objects.update(active=False)

    assert buy(signed_in)["skus"] == ["LAMP"]


def test_too_many_unpaid_orders_are_named(lamp: Product, signed_in: Client) -> None:
    for _ in range(5):
        buy(signed_in, card=DECLINED, items=one())

    assert len(buy(signed_in, items=one())["orders"]) == 5


def test_a_stranger_buys_nothing(lamp: Product) -> None:
    answer = send(CHECKOUT, card=APPROVED, key=str(uuid4()), items=one())

    assert refused(answer)["code"] == "UNAUTHENTICATED"
    assert stock() == 10


# Orders


def test_a_declined_order_is_paid_by_another_card_and_cancelled(lamp: Product, signed_in: Client) -> None:
    number = buy(signed_in, card=DECLINED, items=one())["order"]

    def pay(card: str) -> Any:
        return ask(PAY, signed_in, number=number, card=card, key=str(uuid4()))["payOrder"]

    assert pay(DECLINED)["__typename"] == "PaymentDeclined"
    assert pay(APPROVED) == {"__typename": "Order", "number": number, "state": "PAID"}
    assert pay(APPROVED) == {"__typename": "WrongState", "state": "PAID"}
    assert ask(CANCEL, signed_in, number=number)["cancelOrder"]["state"] == "CANCELLED"
    assert ask(CANCEL, signed_in, number=number)["cancelOrder"] == {"__typename": "WrongState", "state": "CANCELLED"}
    assert stock() == 10


def test_anothers_order_is_not_there(lamp: Product, ada: User, ben: User) -> None:
    number = str(place(ada).order.number)
    client = client_of(ben)

    assert ask("query ($n: UUID!) { order(number: $n) { number } }", client, n=number) == {"order": None}
    for document, asked in ((PAY, {"card": APPROVED, "key": str(uuid4())}), (CANCEL, {})):
        assert refused(send(document, client, number=number, **asked))["code"] == "NOT_FOUND"
    assert Order.objects.get().state == "paid"


def test_orders_come_newest_first_in_pieces(lamp: Product, ada: User, ben: User) -> None:
    numbers = [str(place(ada).order.number) for _ in range(5)]
    place(ben)
    document = """
    query ($after: String) { orders(first: 2, after: $after) { nodes { number } pageInfo { hasNextPage endCursor } } }
    """
    found, after = [], None
    for _ in range(3):
        piece = ask(document, client_of(ada), after=after)["orders"]
        found += [row["number"] for row in piece["nodes"]]
        after = piece["pageInfo"]["endCursor"]

    assert found == numbers[::-1]
    assert not piece["pageInfo"]["hasNextPage"]
    paid = ask("{ orders(state: CANCELLED) { nodes { number } } }", client_of(ada))["orders"]["nodes"]
    assert paid == []


def test_many_orders_take_as_many_queries_as_one(lamp: Product, ada: User, add_coupon: Callable[..., Coupon]) -> None:
    """The customer, the orders with coupon, their lines, their payments."""
    add_coupon()
    for _ in range(4):
        place(ada, coupon="WELCOME10")
    document = """
    query ($first: Int!) { orders(first: $first) { nodes {
      coupon subtotal { amount } lines { sku unitPrice { amount currency } } payments { state amount { amount } }
    } } }
    """

    def queries(first: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            found = ask(document, client_of(ada), first=first)["orders"]["nodes"]
        assert len(found) == first
        assert found[0]["lines"] == [{"sku": "LAMP", "unitPrice": {"amount": "19.90", "currency": "EUR"}}]
        return len(seen)

    assert queries(1) == queries(4) == 4


def test_many_lines_of_a_cart_take_as_many_queries_as_one(
    add_product: Callable[..., Product], signed_in: Client
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            ask("{ cart { ...Shown } }" + CART, signed_in)
        return len(seen)

    for number in range(5):
        add_product(f"LAMP-{number}", price=Decimal(number + 1))
    add(signed_in, "LAMP-0")
    few = queries()
    for number in range(1, 5):
        add(signed_in, f"LAMP-{number}")

    assert queries() == few
