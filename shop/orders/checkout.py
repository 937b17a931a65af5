"""How does a basket become an order? Reserve, charge, settle: no lock is held while the provider is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import carts, coupons, paying, states
from shop.orders.cart_owner import Shopper
from shop.orders.carts import NotOnSale
from shop.orders.models import KeyedRequest, Order, OrderLine, Payment
from shop.orders.payment import Card, PaymentProvider

# A checkout tidies up a little before it takes stock; the task does the rest.
RELEASED_BY_CHECKOUT = 10


@dataclass(frozen=True)
class Item:
    sku: str
    quantity: int


@dataclass(frozen=True)
class Purchase:
    """What to buy: these items (each sku once) with this coupon, or with none of them the cart and its coupon.

    `expected_total`: what the customer was shown; None: whatever it costs now.
    """

    items: Sequence[Item] = ()
    coupon: str = ""
    cart_token: str = ""
    expected_total: Decimal | None = None


class EmptyCart(Exception):
    """There is nothing to buy."""


class MixedCurrencies(Exception):
    """One order is one payment, and a payment has one currency."""


class OutOfStock(Exception):
    """There is less of `sku` than was asked for."""

    def __init__(self, sku: str) -> None:
        super().__init__(sku)
        self.sku = sku


class PriceChanged(Exception):
    """The total is now `total`."""

    def __init__(self, total: Decimal) -> None:
        super().__init__(str(total))
        self.total = total


class TooManyUnpaid(Exception):
    """The customer's orders `numbers` wait to be paid already."""

    def __init__(self, numbers: list[str]) -> None:
        super().__init__(", ".join(numbers))
        self.numbers = numbers


def place(
    customer: User,
    purchase: Purchase,
    card: Card,
    provider: PaymentProvider,
    request: HttpRequest | None,
    keyed: KeyedRequest | None = None,
) -> Payment:
    """Returns the attempt to pay as it ended: approved, declined, or pending where the provider did not answer.

    Its `order` is paid, waits for another card until it expires (or was given up), or for the provider's answer.
    Raises what stands above, NotOnSale and coupons.CouponRefused; then nothing was ordered.
    """
    if keyed is not None and keyed.payment is not None:
        return paying.resume(keyed.payment, card, provider, request)
    now = timezone.now()
    states.release_expired(now, RELEASED_BY_CHECKOUT)
    try:
        payment = reserve(customer, purchase, card, now, keyed)
    except coupons.CouponRefused as refused:
        coupons.tell(refused, request)
        raise
    return paying.charge(payment, card, provider, request)


# durable: inside somebody's transaction, neither would the locks end before the charge nor the order outlive an error.
@transaction.atomic(durable=True)
def reserve(
    customer: User, purchase: Purchase, card: Card, now: datetime, keyed: KeyedRequest | None = None
) -> Payment:
    """Takes stock and coupon and records order and attempt at today's prices, all or nothing."""
    unpaid = Order.objects.unpaid_of(customer).order_by("pk").values_list("number", flat=True)[: paying.MOST_UNPAID]
    if len(unpaid) >= paying.MOST_UNPAID:
        raise TooManyUnpaid([str(number) for number in unpaid])
    quantities, code = {item.sku: item.quantity for item in purchase.items}, purchase.coupon
    if not quantities:
        quantities, code = carts.take_all(Shopper(customer, purchase.cart_token), now)
    if not quantities:
        raise EmptyCart
    lines = _take(quantities)
    order = _order_of(lines, code, customer, now)
    if purchase.expected_total is not None and purchase.expected_total != order.total:
        raise PriceChanged(order.total)
    order.save()
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(lines)
    return paying.record(order, card, now, keyed)


def _take(quantities: dict[str, int]) -> list[OrderLine]:
    keys = dict(Product.objects.on_sale().filter(sku__in=quantities).values_list("sku", "pk"))
    missing = [sku for sku in quantities if sku not in keys]
    if missing:
        raise NotOnSale(missing)
    # Always in the order of the keys, so that two baskets with the same products never wait for each other.
    for sku, pk in sorted(keys.items(), key=lambda pair: pair[1]):
        if not Product.objects.take(pk, quantities[sku]):
            raise OutOfStock(sku)
    # Read after the rows are ours: the price cannot change between here and the order.
    products = Product.objects.in_bulk(list(keys.values()))
    if len({product.currency for product in products.values()}) > 1:
        raise MixedCurrencies
    return [
        OrderLine(product=product, sku=product.sku, name=product.name, unit_price=product.price, quantity=quantity)
        for product, quantity in ((products[keys[sku]], quantity) for sku, quantity in quantities.items())
    ]


def _order_of(lines: list[OrderLine], code: str, customer: User, now: datetime) -> Order:
    currency = lines[0].product.currency
    subtotal = sum((line.unit_price * line.quantity for line in lines), Decimal(0))
    # After the stock: a coupon is one row that many want, and is locked for as short as can be.
    coupon = coupons.take(code, customer, currency, subtotal, now) if code else None
    discount = coupons.discount(coupon, subtotal) if coupon else Decimal(0)
    return Order(
        customer=customer,
        state=Order.State.PAYING,
        coupon=coupon,
        discount=discount,
        total=subtotal - discount,
        currency=currency,
        created_at=now,
        changed_at=now,
        expires_at=now + paying.RESERVED,
    )
