from __future__ import annotations

from django.conf import settings
from django.db import models


class FailedTask(models.Model):
    """A task that no try is left of. What was sent to it is shown without texts, unless the task says they are keys."""

    task_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    arguments = models.CharField(max_length=300, blank=True)
    # To run it again, as [args, kwargs]: of tasks that may be, and no others.
    call = models.JSONField(null=True, blank=True, editable=False)
    error = models.CharField(max_length=400)
    traceback = models.TextField(blank=True)
    retries = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField()
    run_again_at = models.DateTimeField(null=True, blank=True)
    run_again_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-failed_at", "-pk"]
        default_permissions = ("view",)
        permissions = [("run_failedtask", "Can run failed task again")]
        indexes = [models.Index(fields=["name", "failed_at"], name="failed_task_by_name")]

    def __str__(self) -> str:
        return f"{self.name} {self.task_id}"
