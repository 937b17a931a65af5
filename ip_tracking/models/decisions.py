"""Who may not pass, or always may. These rows are the truth; the store holds a copy for the gate."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_network

from django.db import models
from django.db.models import F, Q


class DecisionQuerySet(models.QuerySet["Decision"]):
    def standing(self, now: datetime) -> DecisionQuerySet:
        """Decisions in force: not ended by anybody, not expired."""
        return self.filter(Q(until=None) | Q(until__gt=now), ended_at=None)

    def covering(self, network: str) -> DecisionQuerySet:
        """Decisions on a network or a wider one, by every name that has, 33 or 65: the index answers."""
        parsed = ip_network(network)
        around = [str(parsed.supernet(new_prefix=length)) for length in range(parsed.prefixlen + 1)]
        return self.filter(network__in=[network, *around])

    def to_copy(self, now: datetime) -> DecisionQuerySet:
        """Decisions that changed since they were copied to the store. To run out is a change too."""
        return self.filter(Q(in_store=False) | Q(ended_at=None, until__lte=now))

    def served(self, network: str, since: datetime, now: datetime) -> DecisionQuerySet:
        """Blocks and throttles of this network that ran their whole term, and ended since then.

        What somebody ended before was a mistake, or made way for another one.
        """
        whole = Q(ended_at=None) | Q(ended_at__gte=F("until"))
        return self.filter(whole, network=network, kind__in=AGAINST, until__gt=since, until__lte=now)


class Decision(models.Model):
    """Block, throttle or allow one network, until when, why, and by whom."""

    class Kind(models.TextChoices):
        BLOCK = "block", "Block"
        THROTTLE = "throttle", "Throttle"
        ALLOW = "allow", "Allow"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    network = models.CharField(max_length=64, db_index=True)
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: until somebody ends it.")
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=150, help_text='A person\'s name, or "detector".')
    by_person = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    in_store = models.BooleanField(default=False, editable=False)  # copied since it last changed

    objects = DecisionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["until"], condition=Q(ended_at=None), name="decision_standing"),
            models.Index(fields=["id"], condition=Q(in_store=False), name="decision_to_copy"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.network}"

    def stands(self, now: datetime) -> bool:
        return self.ended_at is None and (self.until is None or self.until > now)

    def was_served(self, now: datetime) -> bool:
        """It ran its whole term; see `served` of many."""
        return self.until is not None and self.until <= now and (self.ended_at is None or self.ended_at >= self.until)


# The kinds that keep somebody out.
AGAINST = (Decision.Kind.BLOCK, Decision.Kind.THROTTLE)
