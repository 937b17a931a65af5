"""Each kind of the shop's routes meets the shipped limits, by status or by its own signals: the whole project, as it is
wired.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urljoin
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings
from rest_framework_simplejwt.tokens import AccessToken

from ip_tracking.gate.policies import EVERYTHING, HEALTH, table
from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from shop.orders.models import Coupon, Order
from shop.orders.payment import APPROVED, DECLINED
from tests.shop.accounts import without_workers

pytestmark = pytest.mark.django_db

# What somebody goes on asking until a policy of its kind says no; 0 is for a limit too large to walk up to in its time.
WALKS = {
    "login": ("login", 10, "auth/token/", {"username": "ada", "password": "a guess"}),
    "payment": ("payment-declines", 5, "checkout/", {"items": [{"sku": "LAMP", "quantity": 1}], "card": DECLINED}),
    "coupon": ("coupon", 10, "cart/coupon/", {"code": "GUESS"}),
    "registration": ("registration", 10, "auth/registration/", {"email": "ada"}),
    "password-reset": ("password-reset", 10, "auth/password-reset/", {"email": "ada"}),
    "confirmation": ("confirmation", 60, "auth/email/confirm/", {"token": "made up"}),
    "token": ("token", 0, "auth/token/refresh/", {"refresh": "made up"}),
    "cart": ("cart", 0, "cart/items/", {"sku": "GONE", "quantity": 1}),
    "catalogue": ("catalogue", 0, "products/gone/", None),
    "graphql": ("graphql", 0, "/graphql/", {"query": "{ __typename }"}),
}


@pytest.fixture
def customer() -> Client:
    home = Category.objects.create(name="Lamps", slug="lamps")
    Product.objects.create(sku="LAMP", name="Lamp", slug="lamp", category=home, price=Decimal(5), stock=50)
    Coupon.objects.create(code="TEN", percent=10, valid_from=datetime.now(UTC) - timedelta(days=1))
    return Client(headers={"Authorization": f"Bearer {AccessToken.for_user(User.objects.create_user('ada'))}"})


def post(client: Client, path: str, body: object) -> HttpResponse:
    headers = {"Idempotency-Key": str(uuid4())}
    return client.post(urljoin("/api/v1/", path), body, content_type="application/json", headers=headers)


def test_each_kind_has_a_policy_of_its_own_that_enforces_and_a_walk_up_to_it() -> None:
    kinds = {kind for kind in django_settings.IP_TRACKING["KINDS"].values() if kind != HEALTH}
    enforced = [policy for policy in table() if policy.mode == "enforce" and EVERYTHING not in policy.routes]

    assert kinds == set(WALKS)
    assert kinds - {kind for policy in enforced for kind in policy.kinds} == set()


@pytest.mark.parametrize("kind", WALKS)
def test_who_goes_on_asking_meets_the_limit_of_the_kind(
    kind: str, customer: Client, tracking: Callable[..., object], settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False  # a view's own, which lets fewer through in a minute
    policy, limit, path, body = WALKS[kind]
    if not limit:
        limit = 3
        tracking(POLICIES={policy: {"rates": [f"{limit}/h"]}})
    if kind == "coupon":
        post(customer, "cart/items/", {"sku": "LAMP", "quantity": 1})

    with without_workers():
        answers = [post(customer, path, body) if body else customer.get(f"/api/v1/{path}") for _ in range(limit + 1)]

    # GraphQL tells it within an error's extensions.
    refused = [f'"violated-policies": ["{policy}"]' in answer.content.decode() for answer in answers]
    assert refused == [False] * limit + [True]
    assert answers[-1].status_code == 429


def test_looking_at_a_cart_is_not_changing_it(customer: Client, tracking: Callable[..., object]) -> None:
    tracking(POLICIES={"cart": {"rates": ["1/m"]}})

    looks = [customer.get("/api/v1/cart/").status_code for _ in range(3)]
    changes = [post(customer, "cart/items/", {"sku": "LAMP", "quantity": 1}).status_code for _ in range(2)]

    assert looks == [200] * 3
    assert changes == [201, 429]


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
