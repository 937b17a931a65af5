"""What is in a cart, at today's prices, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders import coupons
from shop.orders.models import Cart, CartItem, Coupon


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


def contents_of(cart: Cart | None, customer: User | None, now: datetime, token: str = "") -> Contents:
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
