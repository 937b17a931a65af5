from __future__ import annotations

from django.db import models


class FakeCharge(models.Model):
    """The fake provider's own book, as a bank keeps one: no row of ours is needed to read what was charged."""

    class State(models.TextChoices):
        CAPTURED = "captured"
        DECLINED = "declined"
        VOID = "void"
        REFUNDED = "refunded"

    key = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, choices=State.choices)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.key
