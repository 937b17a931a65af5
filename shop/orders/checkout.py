"""How does a basket become an order? Reserve, charge, settle: no lock is held while the provider is asked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders.models import Order, OrderLine
from shop.orders.payment import Card, Charge, PaymentProvider, PaymentTimeout
from shop.orders.signals import payment_declined

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Item:
    sku: str
    quantity: int


class UnknownProducts(Exception):
    """`skus` are not on sale."""

    def __init__(self, skus: list[str]) -> None:
        super().__init__(", ".join(skus))
        self.skus = skus


class MixedCurrencies(Exception):
    """One order is one payment, and a payment has one currency."""


class OutOfStock(Exception):
    """There is less of `sku` than was asked for."""

    def __init__(self, sku: str) -> None:
        super().__init__(sku)
        self.sku = sku


def place(customer: User, items: Sequence[Item], card: Card, provider: PaymentProvider, request: HttpRequest) -> Order:
    """Returns the order as it stands after the attempt to pay: paid, declined, or only placed if the provider timed
    out. Each sku may stand in `items` once.
    """
    order = reserve(customer, items, card.last_four)
    try:
        charge = provider.charge(str(order.number), order.total, order.currency, card)
    except PaymentTimeout:
        # The stock stays held, for the money may have moved; `settle_orders` asks again.
        logger.warning("The payment of order %s timed out.", order.number)
        return order
    settle(order, charge, timezone.now())
    if order.state == Order.State.DECLINED:
        payment_declined.send_robust(sender=Order, request=request, order=order)
    return order


# durable: inside somebody's transaction, neither would the locks end before the charge nor the order outlive an error.
@transaction.atomic(durable=True)
def reserve(customer: User, items: Sequence[Item], card_last_four: str) -> Order:
    """Takes the stock and records the order at today's prices, all or nothing."""
    quantities = {item.sku: item.quantity for item in items}
    keys = dict(Product.objects.on_sale().filter(sku__in=quantities).values_list("sku", "pk"))
    unknown = [sku for sku in quantities if sku not in keys]
    if unknown:
        raise UnknownProducts(unknown)
    # Always in the order of the keys, so that two baskets with the same products never wait for each other.
    for sku, pk in sorted(keys.items(), key=lambda pair: pair[1]):
        if not Product.objects.take(pk, quantities[sku]):
            raise OutOfStock(sku)
    # Read after the rows are ours: the price cannot change between here and the order.
    products = Product.objects.in_bulk(list(keys.values()))
    lines = [
        OrderLine(product=product, sku=product.sku, name=product.name, unit_price=product.price, quantity=quantity)
        for product, quantity in ((products[keys[sku]], quantity) for sku, quantity in quantities.items())
    ]
    currencies = {product.currency for product in products.values()}
    if len(currencies) > 1:
        raise MixedCurrencies
    order = Order.objects.create(
        customer=customer,
        total=sum((line.unit_price * line.quantity for line in lines), Decimal(0)),
        currency=currencies.pop(),
        card_last_four=card_last_four,
    )
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(lines)
    return order


def settle(order: Order, charge: Charge, at: datetime) -> None:
    """Records what became of the payment; a declined order gives its stock back. Settling twice changes nothing."""
    state = Order.State.PAID if charge.approved else Order.State.DECLINED
    with transaction.atomic(durable=True):
        moved = Order.objects.move(order.pk, state, charge.reference, at)
        if moved and state == Order.State.DECLINED:
            for line in order.lines.order_by("product_id"):
                Product.objects.give_back(line.product_id, line.quantity)
    order.refresh_from_db()
    if order.state != state:
        logger.error("Order %s is %s, but its payment ended as %s.", order.number, order.state, state)


def settle_unsettled(provider: PaymentProvider, placed_before: datetime, at: datetime) -> int:
    """Asks the provider about orders whose payment timed out, or whose process died; returns how many it settled.

    A charge unknown to the provider after that long was never made.
    """
    settled = 0
    for order in Order.objects.unsettled_since(placed_before).order_by("pk").iterator():
        try:
            charge = provider.find(str(order.number)) or Charge(approved=False)
        except PaymentTimeout:
            continue
        settle(order, charge, at)
        settled += 1
    return settled
