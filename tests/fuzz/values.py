"""What the document cannot say: a token that came by mail, the number of an order that is there, a code that holds.

Calls that are meant to be good are given what stands here until one is, then every other; the rest go as they were
drawn. A new operation needs a line only if nothing that can be drawn would ever be good: the run names it then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from shop.accounts import address, passwords, registration, sessions
from shop.orders import payment
from shop.orders.models import Order
from tests.fuzz.world import COUPON, PASSWORD, World

NEW_PASSWORD = "staple of paper"


@dataclass(frozen=True)
class Given:
    """Put over what was drawn, name by name; a body's name with None is taken out. A query takes the place of all, and
    a text that of a body without names.
    """

    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    # `Any`: whatever JSON can say.
    body: dict[str, Any] = field(default_factory=dict)
    text: str = ""


Values = Callable[[World], Given]

AUTH, ME, CART, ORDER = "/api/v1/auth/", "/api/v1/me/", "/api/v1/cart/", "/api/v1/orders/{number}/"
CATEGORY, PRODUCT, USER = "/api/v1/categories/", "/api/v1/products/", "/api/v1/users/"
CASE, IMPORT = "/api/v1/security/cases/", "/api/v1/imports/{id}/"
SOLD = {"category": "things", "currency": "EUR"}
ANY_VERSION = {"If-Match": "*"}
MINE = {"current_password": PASSWORD}


def _new_address(world: World) -> str:
    return f"new-{world.number()}@example.com"


def _refresh(world: World) -> Given:
    return Given(body={"refresh": sessions.begin(world.visitor()).refresh})


def _registered(world: World) -> Given:
    return Given(body={"token": registration.token_for(_new_address(world)), "password": NEW_PASSWORD})


def _reset(world: World) -> Given:
    return Given(body={"token": passwords.link_token(world.account()), "password": NEW_PASSWORD})


def _moved(world: World) -> Given:
    return Given(body={"token": address.token_for(world.account(), _new_address(world))})


def _order(state: str, **body: Any) -> Values:
    def given(world: World) -> Given:
        return Given(
            path={"number": str(world.order(state).number)}, headers={"Idempotency-Key": str(uuid4())}, body=body
        )

    return given


def _cart(**body: Any) -> Values:
    return lambda world: Given(path={"sku": world.cart_line()}, headers=world.cart_token(), body=body)


def _put_into_cart(world: World) -> Given:
    world.empty_cart()
    return Given(headers=world.cart_token(), body={"sku": world.product().sku})


def _use_coupon(world: World) -> Given:
    world.cart_line()
    return Given(headers=world.cart_token(), body={"code": COUPON})


def _checkout(world: World) -> Given:
    world.order(Order.State.PLACED)  # and so no other that waits
    items = [{"sku": world.product().sku, "quantity": 1}]
    body = {"items": items, "card": payment.APPROVED, "coupon": None, "expected_total": None}
    return Given(headers={"Idempotency-Key": str(uuid4())}, body=body)


def _category(**body: Any) -> Values:
    return lambda world: Given(path={"slug": world.category().slug}, headers=ANY_VERSION, body=body)


def _product(**body: Any) -> Values:
    return lambda world: Given(path={"slug": world.product().slug}, headers=ANY_VERSION, body=body)


def _account(**body: Any) -> Values:
    return lambda world: Given(path={"id": world.account().pk}, body=body)


def _case(**body: Any) -> Values:
    return lambda world: Given(path={"id": world.case().pk}, headers=ANY_VERSION, body=body)


def _bulk(world: World) -> Given:
    chosen = [{"id": world.case().pk, "version": 1}]
    return Given(body={"action": "comment", "reason": "Seen by everybody.", "cases": chosen})


def _file(world: World) -> Given:
    text = world.table()
    return Given(query={"dry_run": "true"}, body={"file": text}, text=text)


def _import(world: World) -> Given:
    return Given(path={"id": str(world.import_().pk)})


VALUES: dict[str, Values] = {
    f"POST {AUTH}registration/confirm/": _registered,
    f"POST {AUTH}password-reset/confirm/": _reset,
    f"POST {AUTH}email/confirm/": _moved,
    f"POST {AUTH}token/": lambda world: Given(body={"username": world.visitor().username, "password": PASSWORD}),
    f"POST {AUTH}token/refresh/": _refresh,
    f"POST {AUTH}logout/": _refresh,
    f"POST {ME}close/": lambda world: Given(body=MINE),
    f"POST {ME}password/": lambda world: Given(body={**MINE, "new_password": NEW_PASSWORD}),
    f"POST {ME}email/": lambda world: Given(body=MINE),
    f"POST {CART}items/": _put_into_cart,
    f"PUT {CART}items/{{sku}}/": _cart(),
    f"DELETE {CART}items/{{sku}}/": _cart(),
    f"POST {CART}coupon/": _use_coupon,
    "POST /api/v1/checkout/": _checkout,
    f"GET {ORDER}": _order(Order.State.PAID),
    f"POST {ORDER}pay/": _order(Order.State.PLACED, card=payment.APPROVED),
    f"POST {ORDER}cancel/": _order(Order.State.PAID),
    f"POST {ORDER}ship/": _order(Order.State.PAID),
    f"POST {ORDER}refund/": _order(Order.State.SHIPPED),
    f"POST {CATEGORY}": lambda world: Given(body={"slug": f"new-{world.number()}", "parent": world.category().slug}),
    f"GET {CATEGORY}{{slug}}/": _category(),
    f"PUT {CATEGORY}{{slug}}/": _category(slug=None, parent=None),
    f"PATCH {CATEGORY}{{slug}}/": _category(slug=None, parent=None),
    f"DELETE {CATEGORY}{{slug}}/": _category(),
    f"POST {PRODUCT}": lambda world: Given(body={"slug": None, "sku": f"MADE-{world.number()}", **SOLD}),
    f"GET {PRODUCT}search/": lambda _: Given(query={"search": "desk"}),
    f"GET {PRODUCT}{{slug}}/": _product(),
    f"PUT {PRODUCT}{{slug}}/": lambda world: _product(slug=None, sku=f"PUT-{world.number()}", **SOLD)(world),
    f"PATCH {PRODUCT}{{slug}}/": _product(slug=None, sku=None, **SOLD),
    f"DELETE {PRODUCT}{{slug}}/": _product(),
    f"POST {USER}": lambda world: Given(body={"username": f"made-{world.number()}", "email": _new_address(world)}),
    f"GET {USER}{{id}}/": _account(),
    f"PATCH {USER}{{id}}/": _account(username=None, email=None),
    f"DELETE {USER}{{id}}/": _account(),
    "POST /api/v1/imports/": _file,
    f"GET {IMPORT}": _import,
    f"GET {IMPORT}errors/": _import,
    f"GET {IMPORT}errors.csv": _import,
    f"POST {IMPORT}cancel/": _import,
    f"GET {CASE}{{id}}/": _case(),
    f"GET {CASE}{{id}}/events/": _case(),
    f"GET {CASE}{{id}}/timeline/": _case(),
    f"GET {CASE}{{id}}/history/": _case(),
    f"POST {CASE}{{id}}/assign/": _case(assignee="me"),
    f"POST {CASE}{{id}}/comment/": _case(),
    f"POST {CASE}{{id}}/snooze/": _case(until=None, worse=True, reason="Until it gets worse."),
    f"POST {CASE}{{id}}/reopen/": _case(),
    f"POST {CASE}{{id}}/judge/": _case(),
    f"POST {CASE}{{id}}/block/": _case(),
    f"POST {CASE}{{id}}/unblock/": _case(),
    f"POST {CASE}{{id}}/allow/": _case(),
    f"POST {CASE}bulk/": _bulk,
    "POST /api/v1/security/batches/{batch}/undo/": lambda world: Given(path={"batch": world.batch()}),
}
