"""How often each policy was asked, hour by hour: what tells a policy that guards nothing any more."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import models
from django.db.models import F, Max, Min, Sum


class PolicyHourQuerySet(models.QuerySet["PolicyHour"]):
    def add(self, asked: Counter[tuple[str, datetime]]) -> None:
        """Adds to the rows of (policy, hour), in one order, so that two writers never wait for each other's."""
        for (policy, hour), times in sorted(asked.items()):
            row = self.filter(policy=policy, hour=hour)
            if not row.update(evaluated=F("evaluated") + times):
                self.bulk_create([PolicyHour(policy=policy, hour=hour, evaluated=0)], ignore_conflicts=True)
                row.update(evaluated=F("evaluated") + times)

    def evaluated_since(self, since: datetime) -> dict[str, int]:
        rows = self.filter(hour__gte=since).values("policy").annotate(total=Sum("evaluated"))
        return {row["policy"]: row["total"] for row in rows}

    def last_evaluated(self) -> dict[str, datetime]:
        """The last hour in which each policy was asked."""
        rows = self.filter(evaluated__gt=0).values("policy").annotate(last=Max("hour"))
        return {row["policy"]: row["last"] for row in rows}

    def known_before(self, since: datetime) -> set[str]:
        """The policies that were in force before then: the sweep makes a row for each, asked or not."""
        rows = self.values("policy").annotate(first=Min("hour")).filter(first__lt=since)
        return set(rows.values_list("policy", flat=True))


class PolicyHour(models.Model):
    """How many requests met one policy in one UTC hour."""

    policy = models.CharField(max_length=40)
    hour = models.DateTimeField()
    evaluated = models.BigIntegerField()

    objects = PolicyHourQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["policy", "hour"], name="policy_once_an_hour")]
        indexes = [models.Index(fields=["hour"], name="policy_hour")]

    def __str__(self) -> str:
        return f"{self.policy} {self.hour:%Y-%m-%d %H} UTC: {self.evaluated}"
