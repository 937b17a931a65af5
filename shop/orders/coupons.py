"""What is a code worth, and to whom? Why one is refused is said to nobody who could be guessing."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import F
from django.http import HttpRequest

from shop.accounts.models import User
from shop.orders.models import Coupon, CouponCustomer
from shop.orders.signals import coupon_refused

CENT = Decimal("0.01")
MAX_CODE = 40


class CouponRefused(Exception):
    """`reason` is for those who run the shop: "unknown", "not-now", "used-up", "wrong-cart" or "used-by-customer"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def tell(refused: CouponRefused, request: HttpRequest | None) -> None:
    """Sends the signal. Called by whoever has the request, once nothing can be rolled back any more."""
    coupon_refused.send_robust(sender=Coupon, request=request, reason=refused.reason)


def discount(coupon: Coupon, subtotal: Decimal) -> Decimal:
    """Never more than the subtotal; cents are rounded half up."""
    if coupon.percent is not None:
        return (subtotal * coupon.percent / 100).quantize(CENT, ROUND_HALF_UP)
    return min(coupon.amount or Decimal(0), subtotal)


def find(code: str, customer: User | None, currency: str, subtotal: Decimal, now: datetime) -> Coupon:
    """Returns the coupon if a cart of this subtotal could use it now; raises CouponRefused.

    A code that exists and one that does not take the same two queries, so that time tells nothing either.
    """
    coupon = Coupon.objects.filter(code=normal(code)).first()
    # 0 is nobody's key: the query is made all the same.
    whose = {"coupon": coupon.pk if coupon else 0, "customer": customer.pk if customer else 0}
    spent = CouponCustomer.objects.filter(**whose).first()
    reason = _refusal(coupon, spent, currency, subtotal, now)
    if coupon is None or reason:
        raise CouponRefused(reason)
    return coupon


def normal(code: str) -> str:
    return code.strip().upper()


def _refusal(
    coupon: Coupon | None, spent: CouponCustomer | None, currency: str, subtotal: Decimal, now: datetime
) -> str:
    if coupon is None or not coupon.active:
        return "unknown"
    if now < coupon.valid_from or (coupon.valid_until is not None and now >= coupon.valid_until):
        return "not-now"
    if coupon.max_uses is not None and coupon.uses >= coupon.max_uses:
        return "used-up"
    if coupon.currency != currency or subtotal < coupon.min_total:
        return "wrong-cart"
    limit = coupon.max_uses_per_customer
    return "used-by-customer" if limit is not None and (spent.uses if spent else 0) >= limit else ""


def take(code: str, customer: User, currency: str, subtotal: Decimal, now: datetime) -> Coupon:
    """Uses it once, within the caller's transaction; raises CouponRefused.

    Both counters are conditional UPDATEs on plain values: a row that another changed meanwhile is looked at again,
    where a subquery would still see it as it was.
    """
    coupon = find(code, customer, currency, subtotal, now)
    usable = Coupon.objects.usable(currency, subtotal, now).filter(pk=coupon.pk)
    if not usable.update(uses=F("uses") + 1):
        raise CouponRefused("used-up")
    CouponCustomer.objects.get_or_create(coupon=coupon, customer=customer)
    mine = CouponCustomer.objects.filter(coupon=coupon, customer=customer)
    if coupon.max_uses_per_customer is not None:
        mine = mine.filter(uses__lt=coupon.max_uses_per_customer)
    if not mine.update(uses=F("uses") + 1):
        raise CouponRefused("used-by-customer")
    return coupon


def give_back(coupon_id: int, customer_id: int) -> None:
    """Of an order that came to nothing. Called once for each, as its state moves once."""
    Coupon.objects.filter(pk=coupon_id, uses__gt=0).update(uses=F("uses") - 1)
    CouponCustomer.objects.filter(coupon=coupon_id, customer=customer_id, uses__gt=0).update(uses=F("uses") - 1)
