"""What does somebody mean to buy, and what would it cost today? A cart holds no stock."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.http import HttpRequest

from shop.catalogue.models import Product
from shop.orders import coupons
from shop.orders.cart_contents import Contents, contents_of
from shop.orders.cart_owner import MAX_LINES, MAX_QUANTITY, Shopper, find, make, touch
from shop.orders.models import Cart, CartItem

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


def contents(shopper: Shopper, now: datetime) -> Contents:
    return contents_of(find(shopper, now), shopper.customer, now)


@transaction.atomic
def add(shopper: Shopper, sku: str, quantity: int, now: datetime) -> Contents:
    """Adds to what is there of it; makes the cart where there is none. Raises NotOnSale and TooMuch."""
    product = Product.objects.on_sale().filter(sku=sku).first()
    if product is None:
        raise NotOnSale([sku])
    cart, token = find(shopper, now), ""
    if cart is None or not touch(cart, now):
        cart, token = make(shopper, now)
        touch(cart, now)
    have = CartItem.objects.filter(cart=cart, product=product).first()
    if have is None:
        if CartItem.objects.filter(cart=cart).count() >= MAX_LINES:
            raise TooMuch(f"A cart has up to {MAX_LINES} lines.")
        CartItem.objects.create(cart=cart, product=product, quantity=quantity)
    elif have.quantity + quantity > MAX_QUANTITY:
        raise TooMuch(f"There are {have.quantity} in the cart, which holds up to {MAX_QUANTITY} of one thing.")
    else:
        CartItem.objects.filter(pk=have.pk).update(quantity=have.quantity + quantity)
    return contents_of(cart, shopper.customer, now, token)


@transaction.atomic
def change(shopper: Shopper, sku: str, quantity: int, now: datetime) -> Contents:
    """Sets the quantity of a line that is there; raises NotInCart."""
    cart = _with_line(shopper, sku, now)
    CartItem.objects.filter(cart=cart, product__sku=sku).update(quantity=quantity)
    return contents_of(cart, shopper.customer, now)


@transaction.atomic
def remove(shopper: Shopper, sku: str, now: datetime) -> Contents:
    """Raises NotInCart."""
    cart = _with_line(shopper, sku, now)
    CartItem.objects.filter(cart=cart, product__sku=sku).delete()
    return contents_of(cart, shopper.customer, now)


@transaction.atomic
def empty(shopper: Shopper, now: datetime) -> Contents:
    """Takes the coupon away too. The cart and its token stay."""
    cart = find(shopper, now)
    if cart is not None:
        touch(cart, now)
        _clear(cart)
    return Contents()


def apply_coupon(shopper: Shopper, code: str, request: HttpRequest | None, now: datetime) -> Contents:
    """Raises CouponRefused, and sends the signal: so too for an empty cart, after the same questions."""
    cart = find(shopper, now)
    found = contents_of(cart, shopper.customer, now)
    try:
        coupon = coupons.find(code, shopper.customer, found.currency or "", found.subtotal or Decimal(0), now)
    except coupons.CouponRefused as refused:
        coupons.tell(refused, request)
        raise
    # Only a cart with something in it has a currency, which a coupon asks for.
    Cart.objects.filter(pk=cart.pk if cart else 0).update(coupon=coupon, changed_at=now)
    return contents(shopper, now)


def remove_coupon(shopper: Shopper, now: datetime) -> Contents:
    cart = find(shopper, now)
    if cart is not None:
        Cart.objects.filter(pk=cart.pk).update(coupon=None, changed_at=now)
    return contents(shopper, now)


def take_all(shopper: Shopper, now: datetime) -> tuple[dict[str, int], str]:
    """Empties the cart within a checkout's transaction; returns quantities by SKU, and the coupon's code or ""."""
    cart = find(shopper, now)
    if cart is None:
        return {}, ""
    touch(cart, now)
    items = CartItem.objects.filter(cart=cart).select_related("product")
    quantities = {item.product.sku: item.quantity for item in items}
    code = cart.coupon.code if cart.coupon else ""
    _clear(cart)
    return quantities, code


def remove_old(now: datetime) -> int:
    strangers = Cart.objects.filter(customer=None, changed_at__lte=now - KEPT)
    customers = Cart.objects.filter(customer__isnull=False, changed_at__lte=now - KEPT_FOR_CUSTOMERS)
    return sum(carts.delete()[1].get("orders.Cart", 0) for carts in (strangers, customers))


def _clear(cart: Cart) -> None:
    CartItem.objects.filter(cart=cart).delete()
    Cart.objects.filter(pk=cart.pk).update(coupon=None)


def _with_line(shopper: Shopper, sku: str, now: datetime) -> Cart:
    cart = find(shopper, now)
    # PostgreSQL knows no NUL, and a path can hold one.
    if cart is None or not touch(cart, now) or "\x00" in sku:
        raise NotInCart(sku)
    if not CartItem.objects.filter(cart=cart, product__sku=sku).exists():
        raise NotInCart(sku)
    return cart
