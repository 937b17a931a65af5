from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils import timezone

from shop.accounts.models import User
from shop.catalogue.models import Product
from shop.orders.models.coupon import Coupon


class OrderQuerySet(models.QuerySet["Order"]):
    def expired(self, now: datetime) -> OrderQuerySet:
        return self.filter(state=Order.State.PLACED, expires_at__lte=now)

    def unpaid_of(self, customer: User) -> OrderQuerySet:
        return self.filter(customer=customer, state__in=[Order.State.PLACED, Order.State.PAYING])

    def seen_by(self, user: User) -> OrderQuerySet:
        """Everybody sees their own; staff who may see orders see all."""
        return self if user.is_staff and user.has_perm("orders.view_order") else self.filter(customer=user)

    def told(self) -> OrderQuerySet:
        """With all that an answer says of an order, in three queries whatever their number."""
        return self.select_related("coupon", "customer").prefetch_related("lines", "payments")


class Order(models.Model):
    class State(models.TextChoices):
        """Which may follow which: `shop.orders.states.MOVES`."""

        PLACED = "placed"  # its stock is held until `expires_at`; it waits to be paid
        PAYING = "paying"  # a payment is at the provider; its stock is held until the outcome is known
        PAID = "paid"
        DECLINED = "declined"  # for good: too many cards were declined
        CANCELLED = "cancelled"
        EXPIRED = "expired"  # nobody paid in time
        SHIPPED = "shipped"
        REFUNDED = "refunded"  # after shipping

    # Shown outside; the key would tell how many orders there are.
    number = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLACED)
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, null=True, blank=True, related_name="orders")
    discount = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))
    total = models.DecimalField(max_digits=14, decimal_places=2, help_text="What is to pay, without the discount.")
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(help_text="Until then its stock is held while it is not paid.")
    changed_at = models.DateTimeField(help_text="When it came into its state.")

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(total__gte=0), name="order_total_not_negative"),
            models.CheckConstraint(condition=models.Q(discount__gte=0), name="order_discount_not_negative"),
        ]
        # The lists of a customer, of staff, of staff by state; and what is to be released.
        indexes = [
            models.Index(fields=["customer", "-created_at", "-id"], name="order_by_customer"),
            models.Index(fields=["-created_at", "-id"], name="order_by_date"),
            models.Index(fields=["state", "-created_at", "-id"], name="order_by_state_and_date"),
            models.Index(fields=["state", "expires_at"], name="order_by_expiry"),
        ]

    def __str__(self) -> str:
        return str(self.number)

    @property
    def subtotal(self) -> Decimal:
        return self.total + self.discount


class OrderLine(models.Model):
    """What was bought, at the name and price of that day."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    sku = models.CharField("SKU", max_length=40)
    name = models.CharField(max_length=200)
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="order_line_quantity_positive"),
            models.UniqueConstraint(fields=["order", "product"], name="order_line_once_per_product"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"
