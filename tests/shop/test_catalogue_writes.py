"""Staff adds, changes and deletes what the shop sells."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken

from shop.accounts.models import User
from shop.catalogue.models import Category, Product
from shop.orders.models import Order, OrderLine

AddProduct = Callable[..., Product]
PRODUCTS, CATEGORIES = "/api/v1/products/", "/api/v1/categories/"
LAMP = {"name": "Brass Lamp", "sku": "LAMP-1", "category": "lamps", "price": "39.90", "stock": 3}


def client_of(user: User) -> Client:
    return Client(
        headers={"Authorization": f"Bearer {AccessToken.for_user(user)}", "If-Match": "*"},
        content_type="application/json",
    )


@pytest.fixture
def staff(db: None) -> Client:
    """Writes over whatever stands there: If-Match has tests of its own."""
    user = User.objects.create_user("sam", "sam@example.com", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="catalogue"))
    return client_of(user)


@pytest.fixture
def lamps(db: None) -> Category:
    return Category.objects.create(name="Lamps", slug="lamps")


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(path, body, content_type="application/json")


def refused(response: Any) -> set[str]:
    """Returns the fields that a 400 points at."""
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    return {error["pointer"] for error in response.json()["errors"]}


def test_a_product_is_added_and_then_on_sale(staff: Client, client: Client, lamps: Category) -> None:
    response = send(staff, "post", PRODUCTS, LAMP)

    assert response.status_code == 201
    assert response["Location"] == "http://testserver/api/v1/products/brass-lamp/"
    shown = {"slug": "brass-lamp", "description": "", "currency": "EUR", **LAMP}
    assert response.json() == {**shown, "active": True}
    assert client.get(response["Location"]).json() == shown


def test_a_product_is_changed_in_part_and_as_a_whole(staff: Client, lamps: Category, add_product: AddProduct) -> None:
    add_product("LAMP-1", slug="old", description="Old.")

    part = send(staff, "patch", f"{PRODUCTS}old/", {"price": "12.50"})
    whole = send(staff, "put", f"{PRODUCTS}old/", {**LAMP, "currency": "USD", "active": False})

    assert (part.status_code, part.json()["price"], part.json()["description"]) == (200, "12.50", "Old.")
    assert (whole.status_code, whole.json()["name"], whole.json()["slug"]) == (200, "Brass Lamp", "old")
    product = Product.objects.get()
    assert (product.price, product.currency, product.active) == (Decimal("39.90"), "USD", False)


def test_staff_is_shown_what_is_not_on_sale(staff: Client, client: Client, add_product: AddProduct) -> None:
    add_product("OLD", active=False)
    add_product("NEW")

    assert [row["sku"] for row in staff.get(PRODUCTS).json()["results"]] == ["NEW", "OLD"]
    assert [row["sku"] for row in staff.get(PRODUCTS, {"active": "false"}).json()["results"]] == ["OLD"]
    assert staff.get(f"{PRODUCTS}old/").json()["active"] is False
    assert client.get(f"{PRODUCTS}old/").status_code == 404
    assert client.get(PRODUCTS, {"active": "false"}).json()["count"] == 0


def test_a_slug_is_made_once_from_the_name_and_is_nobody_elses(staff: Client, lamps: Category) -> None:
    slugs = [send(staff, "post", PRODUCTS, {**LAMP, "sku": f"L{n}"}).json()["slug"] for n in range(3)]
    send(staff, "patch", f"{PRODUCTS}brass-lamp/", {"name": "Iron Lamp"})

    assert slugs == ["brass-lamp", "brass-lamp-2", "brass-lamp-3"]
    assert Product.objects.get(sku="L0").slug == "brass-lamp"
    assert refused(send(staff, "patch", f"{PRODUCTS}brass-lamp/", {"slug": "brass-lamp-2"})) == {"#/slug"}
    assert refused(send(staff, "post", PRODUCTS, {**LAMP, "sku": "L4", "name": "灯"})) == {"#/slug"}


def test_the_search_keeps_its_address(staff: Client, lamps: Category) -> None:
    assert refused(send(staff, "post", PRODUCTS, {**LAMP, "slug": "search"})) == {"#/slug"}
    assert send(staff, "post", PRODUCTS, {**LAMP, "name": "Search"}).json()["slug"] == "search-2"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", "a\0b"),
        ("name", "a" * 201),
        ("slug", "a b"),
        ("slug", ""),
        ("sku", "TAKEN"),
        ("category", "nowhere"),
        ("category", "a\0b"),
        ("category", {}),
        ("category", None),
        ("price", "-0.01"),
        ("price", "NaN"),
        ("price", "1.234"),
        ("price", "123456789.00"),
        ("currency", "eur"),
        ("currency", "EU\n"),
        ("stock", -1),
        ("stock", 2**31),
        ("stock", 1.5),
        ("active", "perhaps"),
        ("description", "a" * 10_001),
    ],
)
def test_a_bad_field_is_refused_by_name(
    staff: Client, lamps: Category, add_product: AddProduct, field: str, value: object
) -> None:
    add_product("TAKEN", slug="taken")

    add_product("OTHER", slug="other")

    answers = [
        send(staff, "post", PRODUCTS, {**LAMP, field: value}),
        send(staff, "put", f"{PRODUCTS}other/", {**LAMP, field: value}),
        send(staff, "patch", f"{PRODUCTS}other/", {field: value}),
    ]

    assert [refused(answer) for answer in answers] == [{f"#/{field}"}] * 3


@pytest.mark.parametrize("body", [[], "text", 1, None, {"results": 1}])
def test_a_body_of_another_shape_is_refused(staff: Client, lamps: Category, body: object) -> None:
    assert send(staff, "post", PRODUCTS, body).status_code == 400
    assert send(staff, "post", CATEGORIES, body).status_code == 400


def test_a_category_is_added_moved_and_deleted(staff: Client, client: Client, lamps: Category) -> None:
    added = send(staff, "post", CATEGORIES, {"name": "Desk Lamps", "parent": "lamps"})
    moved = send(staff, "patch", f"{CATEGORIES}desk-lamps/", {"parent": None})

    assert (added.status_code, added.json()) == (
        201,
        {"slug": "desk-lamps", "name": "Desk Lamps", "parent": "lamps"},
    )
    assert added["Location"] == "http://testserver/api/v1/categories/desk-lamps/"
    assert moved.json()["parent"] is None
    assert client.get(f"{CATEGORIES}desk-lamps/").json() == moved.json()
    assert send(staff, "delete", f"{CATEGORIES}desk-lamps/").status_code == 204
    assert client.get(f"{CATEGORIES}desk-lamps/").status_code == 404


def test_a_category_cannot_be_put_below_itself(staff: Client, lamps: Category) -> None:
    Category.objects.create(name="Desk", slug="desk", parent=lamps)

    assert refused(send(staff, "patch", f"{CATEGORIES}lamps/", {"parent": "desk"})) == {"#/parent"}
    assert refused(send(staff, "patch", f"{CATEGORIES}lamps/", {"parent": "lamps"})) == {"#/parent"}
    assert Category.objects.get(slug="lamps").parent is None


def test_what_is_used_cannot_be_deleted(staff: Client, ada: User, lamps: Category, add_product: AddProduct) -> None:
    home = Category.objects.create(name="Home", slug="home")
    Category.objects.filter(slug="lamps").update(parent=home)
    product = add_product("LAMP")
    now = timezone.now()
    order = Order.objects.create(customer=ada, total=1, currency="EUR", changed_at=now, expires_at=now)
    OrderLine.objects.create(order=order, product=product, sku="LAMP", name="Lamp", unit_price=1, quantity=1)

    answers = [
        send(staff, "delete", path) for path in (f"{CATEGORIES}home/", f"{CATEGORIES}lamps/", f"{PRODUCTS}lamp/")
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert [answer.json()["used_by"] for answer in answers] == [["categories"], ["products"], ["order lines"]]
    assert answers[0].json()["type"] == "urn:problem-type:shop:in-use"
    assert (Category.objects.count(), Product.objects.count()) == (2, 1)


def test_a_product_that_was_never_sold_can_be_deleted(staff: Client, add_product: AddProduct) -> None:
    add_product("LAMP")

    assert send(staff, "delete", f"{PRODUCTS}lamp/").status_code == 204
    assert not Product.objects.exists()


WRITES = [
    ("post", PRODUCTS),
    ("put", f"{PRODUCTS}lamp/"),
    ("patch", f"{PRODUCTS}lamp/"),
    ("delete", f"{PRODUCTS}lamp/"),
    ("post", CATEGORIES),
    ("put", f"{CATEGORIES}lamps/"),
    ("patch", f"{CATEGORIES}lamps/"),
    ("delete", f"{CATEGORIES}lamps/"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_nobody_else_writes(client: Client, ada: User, add_product: AddProduct, method: str, path: str) -> None:
    """Nor staff of other rooms, whom nobody gave the permission."""
    add_product("LAMP")
    clerk = User.objects.create_user("clerk", "clerk@example.com", "x", is_staff=True)

    answers = [send(each, method, path, {}) for each in (client, client_of(ada), client_of(clerk))]

    assert [answer.status_code for answer in answers] == [401, 403, 403]
    assert answers[0]["WWW-Authenticate"] == 'Bearer realm="api"'
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}


@pytest.mark.parametrize(("method", "path"), [("put", PRODUCTS), ("delete", CATEGORIES), ("post", f"{PRODUCTS}lamp/")])
def test_a_method_that_is_not_there_is_told_so(staff: Client, add_product: AddProduct, method: str, path: str) -> None:
    add_product("LAMP")

    assert send(staff, method, path, {}).status_code == 405


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("path", [f"{PRODUCTS}nothing/", f"{CATEGORIES}nothing/"])
def test_what_is_not_there_cannot_be_written(staff: Client, method: str, path: str) -> None:
    assert send(staff, method, path, {}).status_code == 404
