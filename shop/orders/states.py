"""Which state may follow which? Every change of an order's state is one conditional UPDATE, here."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shop.catalogue.models import Product
from shop.orders import coupons
from shop.orders.models import Order

State = Order.State

MOVES: dict[str, frozenset[str]] = {
    State.PLACED: frozenset({State.PAYING, State.CANCELLED, State.EXPIRED}),
    State.PAYING: frozenset({State.PAID, State.PLACED, State.DECLINED}),
    State.PAID: frozenset({State.SHIPPED, State.CANCELLED}),
    State.SHIPPED: frozenset({State.REFUNDED}),
}

# Whoever comes here gives stock and coupon back. What was shipped and refunded does not: a person looks at it first.
GIVE_BACK = frozenset({State.DECLINED, State.CANCELLED, State.EXPIRED})


class NotAllowed(Exception):
    """The order is in a state that cannot be left that way."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"order {order.number} is {order.state}")
        self.order = order


# `object`: the values of columns.
def move(order: Order, from_: str, to: str, now: datetime, **only_if: object) -> bool:
    """Of two who move an order at once, one is told no: so what follows from a move happens once."""
    if to not in MOVES.get(from_, ()):
        raise ValueError(f"An order that is {from_} cannot become {to}.")
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An order moves in a transaction, with what follows from it.")
    if not Order.objects.filter(pk=order.pk, state=from_, **only_if).update(state=to, changed_at=now):
        return False
    order.state, order.changed_at = to, now
    if to in GIVE_BACK:
        _give_back(order)
    return True


def _give_back(order: Order) -> None:
    # Always in the order of the products' keys, then the coupon, as a checkout takes them: nobody waits in a circle.
    for line in sorted(order.lines.all(), key=lambda line: line.product_id):
        Product.objects.give_back(line.product_id, line.quantity)
    if order.coupon_id:
        coupons.give_back(order.coupon_id, order.customer_id)


def release_expired(now: datetime, at_most: int = 1_000) -> int:
    """Gives back what orders hold that nobody paid in time; returns how many. Each is a transaction of its own."""
    released = 0
    for order in Order.objects.expired(now).order_by("expires_at", "pk")[:at_most]:
        with transaction.atomic():
            released += move(order, State.PLACED, State.EXPIRED, now)
    return released
