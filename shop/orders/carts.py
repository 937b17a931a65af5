"""What does somebody mean to buy, and what would it cost today? A cart holds no stock.

A stranger's cart is known by a token, of which only the hash is kept. The first request of a customer that carries one
moves the lines into the customer's own cart, within one transaction: what was moved is gone from there, so that doing
it again adds nothing. What finds no room stays under the token, and so is not lost.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.http import HttpRequest

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import coupons
from shop.orders.models import Cart, CartItem, Coupon

MAX_LINES = 20
MAX_QUANTITY = 100

# A stranger's cart for a month after its last change, a customer's for a year.
KEPT = timedelta(days=30)
KEPT_FOR_CUSTOMERS = timedelta(days=365)


class NotOnSale(Exception):
    """`skus` are not on sale."""

    def __init__(self, skus: list[str]) -> None:
        super().__init__(", ".join(skus))
        self.skus = skus


class NotInCart(Exception):
    """There is no such line."""


class TooMuch(Exception):
    """More lines, or more of one thing, than a cart holds."""


@dataclass(frozen=True)
class Shopper:
    """Who is asking: a customer, the holder of a token, both, or ("" and none) neither."""

    customer: User | None = None
    token: str = ""


@dataclass(frozen=True)
class Line:
    """`problem`: "" or "not-on-sale" or "short-of-stock", of which there is `stock`."""

    product: Product
    quantity: int

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity

    @property
    def stock(self) -> int:
        return self.product.stock if self.product.active else 0

    @property
    def problem(self) -> str:
        if not self.product.active:
            return "not-on-sale"
        return "short-of-stock" if self.product.stock < self.quantity else ""


@dataclass(frozen=True)
class Contents:
    """A cart at today's prices. Money is None where the lines have several currencies; what is not on sale costs none.

    `token` is said once: where the request made the cart.
    """

    lines: tuple[Line, ...] = ()
    coupon: Coupon | None = None
    coupon_holds: bool = False
    discount: Decimal = Decimal(0)
    token: str = ""

    @property
    def currencies(self) -> set[str]:
        return {line.product.currency for line in self.lines if line.product.active}

    @property
    def currency(self) -> str | None:
        return next(iter(self.currencies)) if len(self.currencies) == 1 else None

    @property
    def subtotal(self) -> Decimal | None:
        if len(self.currencies) > 1:
            return None
        return sum((line.total for line in self.lines if line.product.active), Decimal("0.00"))

    @property
    def total(self) -> Decimal | None:
        return None if self.subtotal is None else self.subtotal - self.discount

    @property
    def can_be_bought(self) -> bool:
        fine = not any(line.problem for line in self.lines) and (self.coupon is None or self.coupon_holds)
        return bool(self.lines) and self.currency is not None and fine


def contents(shopper: Shopper, now: datetime) -> Contents:
    return _contents(_find(shopper, now), shopper.customer, now)


@transaction.atomic
def add(shopper: Shopper, sku: str, quantity: int, now: datetime) -> Contents:
    """Adds to what is there of it; makes the cart where there is none. Raises NotOnSale and TooMuch."""
    product = Product.objects.on_sale().filter(sku=sku).first()
    if product is None:
        raise NotOnSale([sku])
    cart, token = _find(shopper, now), ""
    if cart is None:
        cart, token = _make(shopper, now)
    _touch(cart, now)
    have = CartItem.objects.filter(cart=cart, product=product).first()
    if have is None:
        if CartItem.objects.filter(cart=cart).count() >= MAX_LINES:
            raise TooMuch(f"A cart has up to {MAX_LINES} lines.")
        CartItem.objects.create(cart=cart, product=product, quantity=quantity)
    elif have.quantity + quantity > MAX_QUANTITY:
        raise TooMuch(f"There are {have.quantity} in the cart, which holds up to {MAX_QUANTITY} of one thing.")
    else:
        CartItem.objects.filter(pk=have.pk).update(quantity=have.quantity + quantity)
    return _contents(cart, shopper.customer, now, token)


@transaction.atomic
def change(shopper: Shopper, sku: str, quantity: int, now: datetime) -> Contents:
    """Sets the quantity of a line that is there; raises NotInCart."""
    cart = _with_line(shopper, sku, now)
    CartItem.objects.filter(cart=cart, product__sku=sku).update(quantity=quantity)
    return _contents(cart, shopper.customer, now)


@transaction.atomic
def remove(shopper: Shopper, sku: str, now: datetime) -> Contents:
    """Raises NotInCart."""
    cart = _with_line(shopper, sku, now)
    CartItem.objects.filter(cart=cart, product__sku=sku).delete()
    return _contents(cart, shopper.customer, now)


@transaction.atomic
def empty(shopper: Shopper, now: datetime) -> Contents:
    """Takes the coupon away too. The cart and its token stay."""
    cart = _find(shopper, now)
    if cart is not None:
        _touch(cart, now)
        _clear(cart)
    return Contents()


def apply_coupon(shopper: Shopper, code: str, request: HttpRequest | None, now: datetime) -> Contents:
    """Raises CouponRefused, and sends the signal: so too for an empty cart, after the same questions."""
    cart = _find(shopper, now)
    found = _contents(cart, shopper.customer, now)
    try:
        coupon = coupons.find(code, shopper.customer, found.currency or "", found.subtotal or Decimal(0), now)
    except coupons.CouponRefused as refused:
        coupons.tell(refused, request)
        raise
    # Only a cart with something in it has a currency, which a coupon asks for.
    Cart.objects.filter(pk=cart.pk if cart else 0).update(coupon=coupon, changed_at=now)
    return contents(shopper, now)


def remove_coupon(shopper: Shopper, now: datetime) -> Contents:
    cart = _find(shopper, now)
    if cart is not None:
        Cart.objects.filter(pk=cart.pk).update(coupon=None, changed_at=now)
    return contents(shopper, now)


def take_all(shopper: Shopper, now: datetime) -> tuple[dict[str, int], str]:
    """Empties the cart within a checkout's transaction; returns quantities by SKU, and the coupon's code or ""."""
    cart = _find(shopper, now)
    if cart is None:
        return {}, ""
    _touch(cart, now)
    items = CartItem.objects.filter(cart=cart).select_related("product")
    quantities = {item.product.sku: item.quantity for item in items}
    code = cart.coupon.code if cart.coupon else ""
    _clear(cart)
    return quantities, code


def remove_old(now: datetime) -> int:
    strangers = Cart.objects.filter(customer=None, changed_at__lte=now - KEPT)
    customers = Cart.objects.filter(customer__isnull=False, changed_at__lte=now - KEPT_FOR_CUSTOMERS)
    return sum(carts.delete()[1].get("orders.Cart", 0) for carts in (strangers, customers))


def _find(shopper: Shopper, now: datetime) -> Cart | None:
    """Returns the asker's cart; a customer's is merged with the token's first."""
    known = Cart.objects.select_related("coupon")
    token_hash = hashlib.sha256(shopper.token.encode("utf-8", "replace")).hexdigest()
    strangers = known.filter(token_hash=token_hash).first() if shopper.token else None
    if shopper.customer is None:
        return strangers
    if strangers is not None:
        _merge(strangers, shopper.customer, now)
    return known.filter(customer=shopper.customer).first()


def _make(shopper: Shopper, now: datetime) -> tuple[Cart, str]:
    if shopper.customer is not None:
        return Cart.objects.get_or_create(customer=shopper.customer, defaults={"changed_at": now})[0], ""
    token = secrets.token_urlsafe(32)
    return Cart.objects.create(token_hash=hashlib.sha256(token.encode()).hexdigest(), changed_at=now), token


def _touch(cart: Cart, now: datetime) -> None:
    """Also the lock: whoever changes lines changes this row first, so that two at once go one after the other."""
    Cart.objects.filter(pk=cart.pk).update(changed_at=now)


def _clear(cart: Cart) -> None:
    CartItem.objects.filter(cart=cart).delete()
    Cart.objects.filter(pk=cart.pk).update(coupon=None)


def _with_line(shopper: Shopper, sku: str, now: datetime) -> Cart:
    cart = _find(shopper, now)
    # PostgreSQL knows no NUL, and a path can hold one.
    if cart is None or "\x00" in sku or not CartItem.objects.filter(cart=cart, product__sku=sku).exists():
        raise NotInCart(sku)
    _touch(cart, now)
    return cart


@transaction.atomic
def _merge(strangers: Cart, customer: User, now: datetime) -> None:
    """Moves what finds room. Both rows are locked first, the customer's before the stranger's, and lines read after."""
    own, _ = _make(Shopper(customer), now)
    _touch(own, now)
    if not Cart.objects.filter(pk=strangers.pk).update(changed_at=now):
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


def _contents(cart: Cart | None, customer: User | None, now: datetime, token: str = "") -> Contents:
    if cart is None:
        return Contents()
    items = CartItem.objects.filter(cart=cart).select_related("product").order_by("pk")
    found = Contents(tuple(Line(item.product, item.quantity) for item in items), cart.coupon, token=token)
    if cart.coupon is None or found.currency is None or found.subtotal is None:
        return found
    try:
        coupon = coupons.find(cart.coupon.code, customer, found.currency, found.subtotal, now)
    except coupons.CouponRefused:
        return found
    return replace(found, coupon_holds=True, discount=coupons.discount(coupon, found.subtotal))
