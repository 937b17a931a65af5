"""Staff that writes at the same moment: each is told what became of it, and nobody an error of ours."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from tests.shop.test_checkout_race import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def token(transactional_db: None) -> str:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory refuses a second writer instead of letting it wait.")
    return f"Bearer {AccessToken.for_user(User.objects.create_superuser('root', 'root@example.com', 'x'))}"


def send(token: str, method: str, path: str, body: object = None) -> int:
    client = Client(headers={"Authorization": token, "If-Match": "*"}, raise_request_exception=True)
    return int(getattr(client, method)(f"/api/v1/{path}", body, content_type="application/json").status_code)


def test_of_many_who_add_one_sku_one_does(token: str) -> None:
    Category.objects.create(name="Lamps", slug="lamps")
    statuses: list[int] = []
    body = {"name": "Lamp", "sku": "LAMP", "category": "lamps", "price": "1"}

    ends = all_at_once(8, lambda _: statuses.append(send(token, "post", "products/", body)))

    assert ends == {"done": 8}
    assert sorted(statuses)[0] == 201
    assert set(sorted(statuses)[1:]) <= {400, 409}
    assert Product.objects.count() == 1


def test_of_who_changes_one_thing_on_one_reading_one_does(token: str) -> None:
    lamps = Category.objects.create(name="Lamps", slug="lamps")
    Product.objects.create(name="Lamp", slug="lamp", sku="LAMP", category=lamps, price=1)
    read = Client(headers={"Authorization": token}).get("/api/v1/products/lamp/")["ETag"]
    statuses: list[int] = []

    def change(number: int) -> None:
        client = Client(headers={"Authorization": token, "If-Match": read})
        body = {"name": f"Name {number}"}
        statuses.append(client.patch("/api/v1/products/lamp/", body, content_type="application/json").status_code)

    ends = all_at_once(8, change)

    assert ends == {"done": 8}
    assert sorted(statuses) == [200] + [412] * 7


@pytest.mark.parametrize("attempt", range(3))
def test_a_category_is_not_deleted_below_a_product_that_comes_in(token: str, attempt: int) -> None:
    for number in range(4):
        Category.objects.create(name=str(number), slug=f"c{number}")
    statuses: list[tuple[str, int]] = []

    def delete_or_fill(index: int) -> None:
        slug = f"c{index % 4}"
        if index < 4:
            statuses.append(("delete", send(token, "delete", f"categories/{slug}/")))
        else:
            body = {"name": f"Lamp {index}", "sku": f"L{index}", "category": slug, "price": "1"}
            statuses.append(("post", send(token, "post", "products/", body)))

    ends = all_at_once(8, delete_or_fill)

    assert ends == {"done": 8}
    assert {status for what, status in statuses if what == "delete"} <= {204, 409}
    assert {status for what, status in statuses if what == "post"} <= {201, 400, 409}
    assert Product.objects.count() == 4 - sum(status == 204 for _, status in statuses)
