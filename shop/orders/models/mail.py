from __future__ import annotations

from django.db import models

from shop.orders.models.order import Order


class OrderMail(models.Model):
    """A mail that an order owes its customer: written in the transaction that makes it due, sent by a task."""

    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation"
        CANCELLATION = "cancellation"

    class State(models.TextChoices):
        DUE = "due"
        SENDING = "sending"  # taken by a worker; one that died here leaves it so, for a second mail is worse than none
        SENT = "sent"
        FAILED = "failed"  # given up

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="mails")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=7, choices=State.choices, default=State.DUE)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["order", "kind"], name="order_mail_once_per_kind")]
        indexes = [models.Index(fields=["state", "due_at"], name="order_mail_by_due")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.order_id}"
