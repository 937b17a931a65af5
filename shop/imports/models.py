from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class Import(models.Model):
    """A file of products on its way into the catalogue. Only `running` and `uploading` write it."""

    class State(models.TextChoices):
        RECEIVING = "receiving"  # its file is being sent: nobody is shown it
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    name = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)  # of the file, SHA-256
    # The delimiter itself; empty: the one that the first line is written with.
    delimiter = models.CharField(max_length=1, blank=True)
    dry_run = models.BooleanField(default=False)

    state = models.CharField(max_length=9, choices=State.choices, default=State.RECEIVING)
    # Why the whole of it ended early.
    failure = models.CharField(max_length=500, blank=True)
    cancel_asked = models.BooleanField(default=False)

    # What the last committed batch had come to: whoever goes on begins behind so many rows.
    rows_read = models.PositiveIntegerField(default=0)
    bytes_read = models.PositiveBigIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    # Who works on it, and until when nobody else may: a worker that was killed never says that it has ended.
    holder = models.CharField(max_length=32, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # since the last batch that was committed

    # A keyed hash of the Idempotency-Key.
    key_hash = models.CharField(max_length=64, null=True, blank=True)
    # Of file, options and person, while it waits or runs: the same request meanwhile is the same import.
    open_digest = models.CharField(max_length=64, null=True, blank=True, unique=True)

    class Meta:
        ordering = ["-created_at", "id"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["requested_by", "key_hash"], name="import_once_per_key")]
        indexes = [
            models.Index(fields=["state", "held_until"], name="import_by_holder"),
            models.Index(fields=["-created_at", "id"], name="import_newest"),
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"

    @property
    def progress(self) -> float:
        """From 0 to 1, by bytes: nobody knows how many rows are left."""
        if self.state == self.State.DONE:
            return 1.0
        return round(min(1.0, self.bytes_read / self.size), 3) if self.size else 0.0


class Piece(models.Model):
    """A piece of an import's file: the database is the one place that every web process and every worker shares."""

    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["of", "number"], name="import_piece_once")]

    def __str__(self) -> str:
        return f"piece {self.number} of {self.of_id}"


class RowError(models.Model):
    of = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="row_errors")
    line = models.PositiveIntegerField()
    column = models.CharField(max_length=20, blank=True)
    value = models.CharField(max_length=600, blank=True)
    message = models.CharField(max_length=500)

    class Meta:
        ordering = ["pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"
