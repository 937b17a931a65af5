"""How often the header that names the client said more than anybody vouched for: a sum for each hour."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Sum


class HeaderHourQuerySet(models.QuerySet["HeaderHour"]):
    def add(self, hour: datetime, *, requests: int, beyond: int) -> None:
        self.get_or_create(hour=hour, defaults={"requests": 0, "beyond": 0})
        self.filter(hour=hour).update(requests=F("requests") + requests, beyond=F("beyond") + beyond)

    def totals(self, since: datetime) -> tuple[int, int]:
        """Returns the requests from this hour on, and those of them with entries past the end of the walk."""
        found = self.filter(hour__gte=since).aggregate(requests=Sum("requests"), beyond=Sum("beyond"))
        return found["requests"] or 0, found["beyond"] or 0


class HeaderHour(models.Model):
    """One UTC hour of requests, health checks apart."""

    hour = models.DateTimeField(primary_key=True)
    requests = models.PositiveBigIntegerField()
    beyond = models.PositiveBigIntegerField(help_text="Requests whose header had entries left of where the walk ended.")

    objects = HeaderHourQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:%M}: {self.beyond} of {self.requests}"
