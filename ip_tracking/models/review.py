"""What people decided: append-only. What may have to be forgotten lies apart."""

from __future__ import annotations

from django.db import models

from ip_tracking.models.append_only import AppendOnly
from ip_tracking.visible import visible


class ReviewAction(AppendOnly):
    """Who did what to which case, and when. Plain ids: deleting a user or a case leaves the record whole.

    PostgreSQL itself refuses to change or delete a row (migration 0005).
    """

    at = models.DateTimeField()
    action = models.CharField(max_length=16)
    case_id = models.BigIntegerField(null=True, db_index=True)  # None where it was no one case, such as an export
    batch = models.UUIDField(db_index=True)  # what was done at once, and is undone at once
    undoes = models.UUIDField(null=True, db_index=True)  # the batch that this one took back
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=150)
    before = models.JSONField()  # the fields of the case's state, see ip_tracking.review.record
    after = models.JSONField()
    via = models.CharField(max_length=16)
    request_id = models.CharField(max_length=128, blank=True)

    text: ReviewText

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.action} by {visible(self.actor_name)}"


class ReviewText(models.Model):
    """What a record says of persons: the address, where the actor sat, what they wrote. Erasure may delete it."""

    action = models.OneToOneField(ReviewAction, models.CASCADE, primary_key=True, related_name="text")
    network = models.CharField(max_length=64, blank=True, db_index=True)
    reason = models.CharField(max_length=500, blank=True)
    actor_network = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return self.reason
