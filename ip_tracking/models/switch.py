"""The turns of the gate's switch: append-only, each for some hours at most."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from ip_tracking.models.append_only import AppendOnly
from ip_tracking.visible import visible


class GateSwitchQuerySet(models.QuerySet["GateSwitch"]):
    def held(self, now: datetime) -> GateSwitch | None:
        """Returns the last turn while it holds over the setting. What it took the place of never comes back."""
        last = self.order_by("-id").first()
        return last if last is not None and last.holds(now) else None


class GateSwitch(AppendOnly):
    """Somebody switched the gate off or into shadow for a time, or on again: which mode that is, the setting says."""

    class Mode(models.TextChoices):
        OFF = "off", "Off"
        SHADOW = "shadow", "Shadow"
        ON = "on", "As the setting says"

    mode = models.CharField(max_length=8, choices=Mode.choices)
    until = models.DateTimeField(null=True, blank=True, help_text="Empty where the setting holds again.")
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=150)
    at = models.DateTimeField()

    objects = GateSwitchQuerySet.as_manager()

    class Meta:
        verbose_name = "gate switch"
        verbose_name_plural = "gate switches"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.mode} by {visible(self.actor)}"

    def holds(self, now: datetime) -> bool:
        return self.until is not None and self.until > now
