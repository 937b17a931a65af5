"""The shop's GraphQL API behind the real door: each login, coupon, card and sign-up meets the policy of REST's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from ip_tracking.record import buffer
from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from shop.orders.models import Coupon
from shop.orders.payment import APPROVED, DECLINED
from tests.shop.accounts import without_workers

PATH = "/graphql/"
PASSWORD = "correct horse battery"

LOGIN = 'login(username: "ada", password: "{}") {{ __typename }}'
COUPON = 'applyCoupon(code: "{}") {{ __typename }}'
REGISTER = 'register(email: "u{}@example.com") {{ __typename }}'

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.com", PASSWORD)


@pytest.fixture
def customer(ada: User) -> Client:
    home = Category.objects.create(name="Lamps", slug="lamps")
    Product.objects.create(sku="LAMP", name="Lamp", slug="lamp", category=home, price=Decimal(5), stock=50)
    Coupon.objects.create(code="TEN", percent=10, valid_from=datetime.now(UTC) - timedelta(days=1))
    return Client(headers={"Authorization": f"Bearer {AccessToken.for_user(ada)}"})


@pytest.fixture
def idle() -> Iterator[None]:
    """Mails are asked for, and nobody sends them."""
    with without_workers():
        yield


@pytest.fixture
def several(settings: Any) -> None:
    """The rule of one to a document is off, and so are the bounds that would refuse a hundred of anything."""
    wide = dict.fromkeys(("MAX_COST", "MAX_ALIASES", "MAX_FIELDS", "MAX_TOKENS"), 100_000)
    settings.SHOP_GRAPHQL = {**settings.SHOP_GRAPHQL, "SEVERAL_GUARDED": True, **wide}


def send(document: str, client: Client | None = None) -> HttpResponse:
    return (client or Client()).post(PATH, {"query": document}, content_type="application/json")


def ends(document: str, client: Client | None = None) -> list[str]:
    """Returns how each field of a mutation ended: the name of its type, or its error's code."""
    answer = send(f"mutation {{ {document} }}", client).json()
    codes = {error["path"][0]: error["extensions"]["code"] for error in answer.get("errors", ())}
    return [value["__typename"] if value else codes[name] for name, value in answer["data"].items()]


def aliased(field: str, number: int) -> str:
    return " ".join(f"a{each}: {field.format(each)}" for each in range(number))


def buy(client: Client, card: str = APPROVED, code: str = "") -> str:
    coupon = f', coupon: "{code}"' if code else ""
    asked = f'card: "{card}", idempotencyKey: "{uuid4()}", items: [{{sku: "LAMP"}}]{coupon}'
    return ends(f"checkout({asked}) {{ __typename }}", client)[0]


def test_ten_wrong_passwords_a_minute_and_good_ones_cost_nothing(ada: User) -> None:
    good = [ends(LOGIN.format(PASSWORD))[0] for _ in range(11)]
    wrong = [ends(LOGIN.format("wrong"))[0] for _ in range(11)]

    assert good == ["Session"] * 11
    assert wrong == ["LoginRefused"] * 10 + ["RATE_LIMITED"]


def test_a_refused_login_tells_what_was_hit_and_when_to_come_back(ada: User) -> None:
    for _ in range(10):
        send(f"mutation {{ {LOGIN.format('wrong')} }}")

    answer = send(f"mutation {{ {LOGIN.format(PASSWORD)} }}")

    told = answer.json()["errors"][0]
    assert answer.status_code == 200
    assert told["path"] == ["login"]
    assert told["extensions"]["type"].endswith("#quota-exceeded")
    assert told["extensions"]["violated-policies"] == ["login"]
    assert 1 <= told["extensions"]["retry-after"] <= 60
    assert told["message"] == told["extensions"]["detail"]


def test_a_hundred_aliased_logins_are_one_refused_document(ada: User) -> None:
    answer = send(f"mutation {{ {aliased(LOGIN, 25)} }}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "ONE_AT_A_TIME"
    assert ends(LOGIN.format("wrong")) == ["LoginRefused"]


@pytest.mark.parametrize("field", [LOGIN, COUPON, REGISTER], ids=["login", "coupon", "registration"])
def test_without_the_rule_a_hundred_aliases_get_as_far_as_the_policy_has_places(
    field: str, several: None, ada: User, idle: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten, each of the three; and who was refused leaves no line of an error."""
    with caplog.at_level(logging.ERROR):
        found = ends(aliased(field, 100))

    assert found[10:] == ["RATE_LIMITED"] * 90
    assert set(found[:10]) & {"LoginRefused", "CouponRefused", "Accepted"} == set(found[:10])
    assert [record for record in caplog.records if record.name != "django.request"] == []


def test_without_the_rule_aliased_cards_get_as_far_as_the_policy_has_places(several: None, customer: Client) -> None:
    """Five declined ones, by the policy payment-declines."""
    asked = f'card: "{DECLINED}", items: [{{sku: "LAMP"}}]'
    found = ends(
        " ".join(f'a{n}: checkout({asked}, idempotencyKey: "{uuid4()}") {{ __typename }}' for n in range(30)), customer
    )

    assert found == ["PaymentDeclined"] * 5 + ["RATE_LIMITED"] * 25


def test_codes_are_guessed_ten_times_by_both_apis_together(customer: Client) -> None:
    send('mutation { addToCart(sku: "LAMP") { __typename } }', customer)
    good = [ends(COUPON.format("TEN"), customer)[0] for _ in range(11)]
    by_rest = [
        customer.post("/api/v1/cart/coupon/", {"code": f"GUESS-{n}"}, content_type="application/json").status_code
        for n in range(5)
    ]

    wrong = [ends(COUPON.format(f"GUESS-{n}"), customer)[0] for n in range(6)]

    assert good == ["Cart"] * 11
    assert by_rest == [422] * 5
    assert wrong == ["CouponRefused"] * 5 + ["RATE_LIMITED"]


def test_stolen_cards_and_guessed_codes_at_the_checkout_meet_one_limit(customer: Client) -> None:
    good = [buy(customer) for _ in range(6)]

    bad = [*(buy(customer, DECLINED) for _ in range(3)), *(buy(customer, code=f"GUESS-{n}") for n in range(3))]

    assert good == ["Order"] * 6
    assert bad == ["PaymentDeclined"] * 3 + ["CouponRefused"] * 2 + ["RATE_LIMITED"]


def test_ten_sign_ups_an_hour_from_one_network(idle: None) -> None:
    found = [ends(REGISTER.format(number))[0] for number in range(11)]

    assert found == ["Accepted"] * 10 + ["RATE_LIMITED"]
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("asked", "kind", "outcome"),
    [
        ("{ __typename }", "graphql", ""),
        ("mutation { " + REGISTER.format(1) + " }", "registration", ""),
        ('mutation { addToCart(sku: "LAMP") { __typename } }', "cart", ""),
        ("mutation { " + LOGIN.format("wrong") + " }", "graphql", "login_failed"),
        ("mutation { " + LOGIN.format(PASSWORD) + " }", "graphql", "login_ok"),
        ("mutation { " + COUPON.format("GUESS") + " }", "graphql", "coupon_refused"),
    ],
    ids=["query", "registration", "cart", "wrong login", "login", "coupon"],
)
def test_the_log_knows_what_a_document_did(asked: str, kind: str, outcome: str, customer: Client, idle: None) -> None:
    send(asked, customer)

    event = buffer._events[-1]
    assert (event.route, event.kind, event.outcome) == ("graphql", kind, outcome)


@pytest.mark.parametrize(("card", "outcome"), [(APPROVED, "payment_ok"), (DECLINED, "payment_declined")])
def test_the_log_knows_how_a_payment_ended(card: str, outcome: str, customer: Client) -> None:
    buy(customer, card)

    assert buffer._events[-1].outcome == outcome


def test_a_document_over_the_limit_of_everything_is_refused_in_graphqls_shape(tracking: Callable[..., Any]) -> None:
    tracking(POLICIES={"site": {"rates": ["1/m"], "why": "for a test"}})
    send("{ __typename }")

    answer = send("{ __typename }")

    assert answer.status_code == 429
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


def test_a_page_of_another_origin_may_ask(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example.com"]
    asked = {
        "Origin": "https://shop.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-cart-token",
    }

    preflight = Client().options(PATH, headers=asked)

    assert preflight["Access-Control-Allow-Origin"] == "https://shop.example.com"
    assert "x-cart-token" in preflight["Access-Control-Allow-Headers"]
