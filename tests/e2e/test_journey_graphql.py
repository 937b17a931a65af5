"""A front end's whole journey by GraphQL, through HTTP alone, on the processes of `make run`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.e2e.processes import wait_until
from tests.run.house import House

pytestmark = pytest.mark.slow

EMAIL, PASSWORD = "eve@example.com", "a journey in one document each"
APPROVED, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"


class FrontEnd:
    """What a page of a shop keeps: tokens, and the way to the one address."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/graphql/"
        self.headers = {"X-Forwarded-For": "198.51.100.40"}

    def send(self, document: str, **variables: Any) -> requests.Response:
        body = {"query": document, "variables": variables}
        return requests.post(self.url, json=body, headers=self.headers, timeout=30)

    def ask(self, document: str, **variables: Any) -> Any:
        """Returns the one field that was asked for."""
        answer = self.send(document, **variables)
        assert answer.status_code == 200, answer.text
        assert "errors" not in answer.json(), answer.text
        (found,) = answer.json()["data"].values()
        return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as running:
        yield running


def mailed_token(house: House) -> str | None:
    """What stands behind the # of the link, in what the worker wrote in place of sending it."""
    texts = [file.read_text("utf-8", "replace") for file in (house.var / "log").glob("*.log")]
    found = [token for text in texts for token in re.findall(r"/register/confirm#token=(\S+)", text)]
    return found[-1] if found else None


def test_from_an_address_to_a_cancelled_order(house: House) -> None:
    """Register, confirm, browse, fill a cart, sign in, use a coupon, meet a declined card, pay, look back, cancel."""
    page = FrontEnd(house.url)
    add = "mutation ($sku: String!) { addToCart(sku: $sku, quantity: 2) { ... on Cart { token lines { sku } } } }"

    # An account, proved by the mail.
    asked = page.ask("mutation ($email: String!) { register(email: $email) { __typename } }", email=EMAIL)
    token = wait_until(lambda: mailed_token(house), "the mail")
    opened = page.ask(
        "mutation ($token: String!, $password: String!) "
        "{ confirmRegistration(token: $token, password: $password) { __typename ... on Profile { email } } }",
        token=token,
        password=PASSWORD,
    )
    assert asked == {"__typename": "Accepted"}
    assert opened == {"__typename": "Profile", "email": EMAIL}

    # Looking around, as a stranger.
    shelves = page.ask("{ categories { slug parent { slug } } }")
    shelf = next(row["slug"] for row in shelves if row["parent"])
    products = page.ask(
        "query ($shelf: String!) { products(category: $shelf, inStock: true, order: PRICE, first: 5) "
        "{ nodes { sku stock price { amount currency } category { slug } } pageInfo { hasNextPage } } }",
        shelf=shelf,
    )["nodes"]
    assert {row["category"]["slug"] for row in products} == {shelf}
    prices = [float(row["price"]["amount"]) for row in products]
    assert prices == sorted(prices)
    chosen = next(row for row in products if row["stock"] >= 2)
    page.headers["X-Cart-Token"] = page.ask(add, sku=chosen["sku"])["token"]

    # Signing in; the stranger's cart comes along.
    login = (
        "mutation ($name: String!, $password: String!) { login(username: $name, password: $password) {"
        " __typename ... on Session { access refresh } ... on Refusal { detail } } }"
    )
    assert page.ask(login, name=EMAIL, password="a wrong one")["__typename"] == "LoginRefused"
    session = page.ask(login, name=EMAIL, password=PASSWORD)
    page.headers["Authorization"] = f"Bearer {session['access']}"
    assert [line["sku"] for line in page.ask("{ cart { lines { sku } } }")["lines"]] == [chosen["sku"]]

    # A code that does not hold, and one that does.
    coupon = (
        "mutation ($code: String!) { applyCoupon(code: $code) "
        "{ __typename ... on Cart { subtotal { amount } discount { amount } total { amount } } } }"
    )
    assert page.ask(coupon, code="GUESSED")["__typename"] == "CouponRefused"
    cart = page.ask(coupon, code="welcome10")
    assert float(cart["discount"]["amount"]) > 0

    # A card that is declined, then another one.
    checkout = (
        "mutation ($card: String!, $key: String!, $total: Decimal) "
        "{ checkout(card: $card, idempotencyKey: $key, expectedTotal: $total) "
        "{ __typename ... on PaymentDeclined { order state } ... on Order { number } ... on Refusal { detail } } }"
    )
    declined = page.ask(checkout, card=DECLINED, key=str(uuid4()), total=cart["total"]["amount"])
    assert (declined["__typename"], declined["state"]) == ("PaymentDeclined", "PLACED")
    pay = (
        "mutation ($number: UUID!, $card: String!, $key: String!) "
        "{ payOrder(number: $number, card: $card, idempotencyKey: $key) { __typename ... on Order { number state } } }"
    )
    key = str(uuid4())
    paid = page.ask(pay, number=declined["order"], card=APPROVED, key=key)
    assert paid == {"__typename": "Order", "number": declined["order"], "state": "PAID"}
    assert page.ask(pay, number=declined["order"], card=APPROVED, key=key) == paid

    # Looking back, and thinking better of it.
    orders = page.ask("{ orders { nodes { number state coupon total { amount } payments { state } lines { sku } } } }")
    assert orders["nodes"] == [
        {
            "number": paid["number"],
            "state": "PAID",
            "coupon": "WELCOME10",
            "total": cart["total"],
            "payments": [{"state": "DECLINED"}, {"state": "APPROVED"}],
            "lines": [{"sku": chosen["sku"]}],
        }
    ]
    cancel = (
        "mutation ($number: UUID!) { cancelOrder(number: $number) "
        "{ __typename ... on Order { state payments { state } } } }"
    )
    cancelled = page.ask(cancel, number=paid["number"])
    assert cancelled["state"] == "CANCELLED"
    assert [payment["state"] for payment in cancelled["payments"]] == ["DECLINED", "REFUNDED"]

    # The next quarter of an hour, and the end of the sign-in.
    renew = "mutation ($refresh: String!) { renew(refresh: $refresh) { __typename ... on Session { access refresh } } }"
    renewed = page.ask(renew, refresh=session["refresh"])
    page.headers["Authorization"] = f"Bearer {renewed['access']}"
    assert page.ask("{ me { email } }") == {"email": EMAIL}
    out = page.ask(
        "mutation ($refresh: String!) { logout(refresh: $refresh) { __typename } }", refresh=renewed["refresh"]
    )
    assert out == {"__typename": "SignedOut"}
    assert page.ask(renew, refresh=renewed["refresh"]) == {"__typename": "SessionOver"}
