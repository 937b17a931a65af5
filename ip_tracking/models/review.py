"""What people decided: append-only."""

from __future__ import annotations

from django.db import models

from ip_tracking.models.append_only import AppendOnly


class ReviewAction(AppendOnly):
    """Who did what to which case, when and why. Plain ids: deleting a user or a case leaves the record whole."""

    at = models.DateTimeField()
    action = models.CharField(max_length=16)
    case_id = models.BigIntegerField(db_index=True)
    network = models.CharField(max_length=64)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=150)
    reason = models.CharField(max_length=500)
    before = models.JSONField()
    after = models.JSONField()
    via = models.CharField(max_length=16)
    request_id = models.CharField(max_length=128, blank=True)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.action} {self.network} by {self.actor_name}"
