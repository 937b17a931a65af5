"""For GraphQL what `values.py` is for REST: documents with a token that came by mail, or the number of an order."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from shop.accounts import registration, sessions
from shop.orders import payment
from shop.orders.models import Order
from tests.fuzz.values import NEW_PASSWORD, Given, Values
from tests.fuzz.world import COUPON, PASSWORD, World


# `Any`: texts, numbers and lists, which GraphQL writes as JSON does.
def _document(operation: str, name: str, selection: str, arguments: dict[str, Any]) -> Given:
    written = ", ".join(f"{key}: {json.dumps(value)}" for key, value in arguments.items())
    return Given(text=f"{operation} {{ {name}({written}) {{ __typename {selection} }} }}")


def _query(name: str, selection: str, **arguments: Any) -> Given:
    return _document("query", name, selection, arguments)


def _mutation(name: str, **arguments: Any) -> Given:
    return _document("mutation", name, "", arguments)


def _register(world: World) -> Given:
    return _mutation("register", email=f"new-{world.number()}@example.com")


def _confirm(world: World) -> Given:
    token = registration.token_for(f"new-{world.number()}@example.com")
    return _mutation("confirmRegistration", token=token, password=NEW_PASSWORD)


def _login(world: World) -> Given:
    return _mutation("login", username=world.visitor().username, password=PASSWORD)


def _with_refresh(name: str) -> Values:
    return lambda world: _mutation(name, refresh=sessions.begin(world.visitor()).refresh)


def _add(world: World) -> Given:
    world.empty_cart()
    return _mutation("addToCart", sku=world.product().sku, quantity=2)


def _with_line(name: str, **arguments: Any) -> Values:
    return lambda world: _mutation(name, sku=world.cart_line(), **arguments)


def _use_coupon(world: World) -> Given:
    world.cart_line()
    return _mutation("applyCoupon", code=COUPON)


def _check_out(world: World) -> Given:
    world.order(Order.State.PLACED)  # and so no other that waits
    world.cart_line()
    return _mutation("checkout", card=payment.APPROVED, idempotencyKey=str(uuid4()))


def _pay(world: World) -> Given:
    number = str(world.order(Order.State.PLACED).number)
    return _mutation("payOrder", number=number, card=payment.APPROVED, idempotencyKey=str(uuid4()))


DOCUMENTS: dict[str, Values] = {
    "Query.products": lambda _: _query("products", "nodes { name }", first=3, inStock=True, search="desk"),
    "Query.orders": lambda _: _query("orders", "nodes { number }", first=3),
    "Query.product": lambda world: _query("product", "name category { name }", slug=world.product().slug),
    "Query.category": lambda world: _query("category", "name", slug=world.category().slug),
    "Query.order": lambda world: _query("order", "state", number=str(world.order(Order.State.PAID).number)),
    "Mutation.register": _register,
    "Mutation.confirmRegistration": _confirm,
    "Mutation.login": _login,
    "Mutation.renew": _with_refresh("renew"),
    "Mutation.logout": _with_refresh("logout"),
    "Mutation.addToCart": _add,
    "Mutation.changeQuantity": _with_line("changeQuantity", quantity=3),
    "Mutation.removeFromCart": _with_line("removeFromCart"),
    "Mutation.applyCoupon": _use_coupon,
    "Mutation.checkout": _check_out,
    "Mutation.payOrder": _pay,
    "Mutation.cancelOrder": lambda world: _mutation("cancelOrder", number=str(world.order(Order.State.PAID).number)),
}
