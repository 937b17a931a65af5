from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models

from shop.catalogue.models import Product


class OrderQuerySet(models.QuerySet["Order"]):
    def unsettled_since(self, moment: datetime) -> OrderQuerySet:
        return self.filter(state=Order.State.PLACED, created_at__lte=moment)

    def move(self, pk: int, state: str, payment_reference: str, at: datetime) -> bool:
        """Settles an order that is still only placed. Of two who try at once, one is told no."""
        return bool(
            self.filter(pk=pk, state=Order.State.PLACED).update(
                state=state, payment_reference=payment_reference, settled_at=at
            )
        )


class Order(models.Model):
    class State(models.TextChoices):
        PLACED = "placed"  # stock is held, the payment's outcome not known (yet)
        PAID = "paid"
        DECLINED = "declined"  # stock was given back

    # Shown outside; the key would tell how many orders there are.
    number = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLACED)
    total = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    card_last_four = models.CharField(max_length=4)
    payment_reference = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [models.CheckConstraint(condition=models.Q(total__gte=0), name="order_total_not_negative")]
        indexes = [models.Index(fields=["state", "created_at"], name="order_by_state")]

    def __str__(self) -> str:
        return str(self.number)


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
