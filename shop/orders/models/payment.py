from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.utils import timezone

from shop.orders.models.order import Order


class PaymentQuerySet(models.QuerySet["Payment"]):
    def pending_since(self, moment: datetime) -> PaymentQuerySet:
        return self.filter(state=Payment.State.PENDING, created_at__lte=moment)

    def refunds_due(self) -> PaymentQuerySet:
        return self.filter(state=Payment.State.REFUND_DUE)

    # `object`: the values of columns that change with the state.
    def move(self, pk: int, states: list[str], to: str, **values: object) -> bool:
        """Of two who try at once, one is told no."""
        return bool(self.filter(pk=pk, state__in=states).update(state=to, **values))


class Payment(models.Model):
    """One attempt to pay one order, by one card. The money of an order is that of its approved payment."""

    class State(models.TextChoices):
        PENDING = "pending"  # asked for; the outcome is not known (yet)
        APPROVED = "approved"  # the money is ours
        DECLINED = "declined"
        VOID = "void"  # never made, and the provider will make it no more
        REFUND_DUE = "refund-due"  # was approved; the provider is still to give it back
        REFUNDED = "refunded"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="payments")
    # What the provider knows it by: it charges, and refunds, once for each.
    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    card_last_four = models.CharField(max_length=4)
    reference = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True, blank=True)
    refunded_at = models.DateTimeField(null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=models.Q(amount__gte=0), name="payment_amount_not_negative")]
        indexes = [models.Index(fields=["state", "created_at"], name="payment_by_state")]

    def __str__(self) -> str:
        return str(self.key)
