"""Whose cart is it? A customer's, or that of whoever holds the token, of which only the hash is kept.

The first request of a customer that carries a token moves the lines into the customer's own cart, within one
transaction: what was moved is gone from there, so that doing it again adds nothing. What finds no room stays under the
token, and so is not lost.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from shop.accounts.models import User
from shop.orders.models import Cart, CartItem

MAX_LINES = 20
MAX_QUANTITY = 100


@dataclass(frozen=True)
class Shopper:
    """Who is asking: a customer, the holder of a token, both, or ("" and none) neither."""

    customer: User | None = None
    token: str = ""


def find(shopper: Shopper, now: datetime) -> Cart | None:
    """Returns the asker's cart; a customer's is merged with the token's first."""
    known = Cart.objects.select_related("coupon")
    token_hash = hashlib.sha256(shopper.token.encode("utf-8", "replace")).hexdigest()
    strangers = known.filter(token_hash=token_hash).first() if shopper.token else None
    if shopper.customer is None:
        return strangers
    if strangers is not None:
        _merge(strangers, shopper.customer, now)
    return known.filter(customer=shopper.customer).first()


def make(shopper: Shopper, now: datetime) -> tuple[Cart, str]:
    if shopper.customer is not None:
        return Cart.objects.get_or_create(customer=shopper.customer, defaults={"changed_at": now})[0], ""
    token = secrets.token_urlsafe(32)
    return Cart.objects.create(token_hash=hashlib.sha256(token.encode()).hexdigest(), changed_at=now), token


def touch(cart: Cart, now: datetime) -> bool:
    """Also the lock: whoever changes lines changes this row first, so that two at once go one after the other.

    Returns whether the cart is still there: another request may have merged it since it was found.
    """
    return bool(Cart.objects.filter(pk=cart.pk).update(changed_at=now))


@transaction.atomic
def _merge(strangers: Cart, customer: User, now: datetime) -> None:
    """Moves what finds room. Both rows are locked first, the customer's before the stranger's, and lines read after."""
    own, _ = make(Shopper(customer), now)
    touch(own, now)
    if not touch(strangers, now):
        return  # another request of theirs was faster
    have = {item.product_id: item for item in CartItem.objects.filter(cart=own)}
    for item in CartItem.objects.filter(cart=strangers):
        _move(item, own, have)
    if own.coupon_id is None and strangers.coupon_id is not None:
        Cart.objects.filter(pk=own.pk).update(coupon=strangers.coupon_id)
    if not CartItem.objects.filter(cart=strangers).exists():
        Cart.objects.filter(pk=strangers.pk).delete()


def _move(item: CartItem, to: Cart, have: dict[int, CartItem]) -> None:
    there = have.get(item.product_id)
    if there is None and len(have) < MAX_LINES:
        have[item.product_id] = item
        CartItem.objects.filter(pk=item.pk).update(cart=to)
        return
    moved = min(item.quantity, MAX_QUANTITY - there.quantity) if there else 0
    if not there or not moved:
        return
    CartItem.objects.filter(pk=there.pk).update(quantity=there.quantity + moved)
    if moved == item.quantity:
        CartItem.objects.filter(pk=item.pk).delete()
    else:
        CartItem.objects.filter(pk=item.pk).update(quantity=item.quantity - moved)
