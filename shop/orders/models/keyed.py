from __future__ import annotations

from django.conf import settings
from django.db import models

from shop.orders.models.payment import Payment


class KeyedRequest(models.Model):
    """A request that a customer may repeat under one Idempotency-Key, and what it was answered."""

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Both keyed hashes: a client may put anything into its key, and the body holds a card's number.
    key_hash = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    # Somebody works on it until then; none: nobody does.
    locked_until = models.DateTimeField(null=True, blank=True)
    # What the first request began, for the one that goes on with it.
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "key_hash"], name="keyed_request_once")]
        indexes = [models.Index(fields=["created_at"], name="keyed_request_by_age")]

    def __str__(self) -> str:
        return f"request {self.pk}"
