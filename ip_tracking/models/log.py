"""The request log: one row for each answered request, written in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from operator import itemgetter

from django.db import models
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, Subquery, Value, Window
from django.db.models.functions import Coalesce, RowNumber, TruncHour

from ip_tracking.models.population import PopulationQuerySet


class Batch(models.Model):
    """One message from a web process. Its id makes a redelivery harmless."""

    id = models.UUIDField(primary_key=True)
    stored_at = models.DateTimeField(db_index=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    rows = models.PositiveIntegerField()
    examined_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["stored_at"], condition=models.Q(examined_at=None), name="batch_unexamined"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class RequestLogQuerySet(models.QuerySet["RequestLog"]):
    def symptomatic(
        self,
        networks: Iterable[str],
        start: datetime,
        end: datetime,
        *,
        most_per_hour: int,
        counted_apart: str,
        without: Iterable[str],
    ) -> RequestLogQuerySet:
        """The first rows with symptoms of each network and hour; those with only `counted_apart` by themselves.

        Rows that show only one of `without` are left out before they are sorted.
        """
        apart = ExpressionWrapper(Q(symptoms=counted_apart), output_field=BooleanField())
        return (
            self.filter(network__in=networks, at__gte=start, at__lt=end)
            .exclude(symptoms__in=("", *without))
            .annotate(
                place=Window(
                    RowNumber(),
                    # UTC hours, as everywhere: a project in India has hours that begin at half past.
                    partition_by=[F("network"), TruncHour("at", tzinfo=UTC), apart],
                    order_by=["at", "request_id"],
                )
            )
            .filter(place__lte=most_per_hour)
        )

    def between(self, start: datetime, end: datetime) -> RequestLogQuerySet:
        return self.filter(at__gte=start, at__lt=end)

    def people(self, networks: Iterable[str]) -> dict[str, dict[str, int]]:
        """Returns how many requests, known users and good payments come from each of these networks."""
        rows = (
            self.filter(network__in=networks)
            .values("network")
            .annotate(
                requests=Count("pk"),
                users=Count("user", distinct=True, filter=~Q(user="")),
                good_payments=Count("pk", filter=Q(outcome="payment_ok")),
            )
        )
        return {
            network: {"requests": requests, "users": users, "good_payments": payments}
            for network, requests, users, payments in rows.values_list("network", "requests", "users", "good_payments")
        }

    def showing_only(self, symptoms: Iterable[str], network: str, start: datetime, end: datetime) -> RequestLogQuerySet:
        """Rows of one network in the order of its index, so that a slice reads no more than it is long."""
        return self.filter(network=network, at__gte=start, at__lt=end, symptoms__in=symptoms).order_by(
            "at", "request_id"
        )

    def viewed(
        self, network: str, start: datetime, end: datetime, *, methods: Iterable[str], but_status: int
    ) -> RequestLogQuerySet:
        """What was answered of these methods, in the order of the index, but for answers of this one status."""
        rows = self.filter(network=network, at__gte=start, at__lt=end, method__in=methods, refused="")
        return rows.exclude(status=but_status).order_by("at", "request_id")

    def busy(self, networks: Iterable[str], start: datetime, end: datetime, *, rows: int) -> list[str]:
        """Those of the networks with at least so many rows: asked of the index alone, so for seconds of time only."""
        counted = self.filter(network__in=networks, at__gte=start, at__lt=end).values("network")
        return list(counted.annotate(rows=Count("*")).filter(rows__gte=rows).values_list("network", flat=True))

    def requests_by_hour(
        self, networks: Iterable[str], start: datetime, end: datetime
    ) -> Counter[tuple[datetime, str]]:
        """How many requests each of these sent in each UTC hour."""
        rows = self.filter(network__in=networks, at__gte=start, at__lt=end).annotate(hour=TruncHour("at", tzinfo=UTC))
        counted = rows.values("hour", "network").annotate(times=Count("*")).values_list("hour", "network", "times")
        return Counter({(hour, network): times for hour, network, times in counted})

    def networks_showing(self, which: Q) -> list[str]:
        return sorted(self.filter(which).order_by().values_list("network", flat=True).distinct())

    def busiest(self, *, rows: int) -> list[str]:
        counted = self.values("network").annotate(rows=Count("pk"))
        return list(counted.filter(rows__gte=rows).values_list("network", flat=True))

    def refused_by(self, policy: str, since: datetime) -> dict[str, int]:
        """How many requests, networks and known users this policy refused."""
        return self.filter(at__gte=since, refused=policy)._how_many()

    def shadowed_by(self, policy: str, since: datetime) -> dict[str, int]:
        """How many this policy would have refused, had it not been in shadow."""
        return self.filter(at__gte=since, shadowed__regex=rf"(^| ){policy}( |$)")._how_many()

    def _how_many(self) -> dict[str, int]:
        return self.aggregate(
            requests=Count("pk"),
            networks=Count("network", distinct=True),
            users=Count("user", distinct=True, filter=~Q(user="")),
        )

    def busiest_address(self, since: datetime, *, most: int) -> tuple[str, int, int]:
        """Returns the address with most of the latest requests, how many, and of how many; health checks apart."""
        latest = self.filter(at__gte=since).exclude(kind="health").order_by("-at").values_list("address", flat=True)
        counted = Counter(latest[:most])
        return (*max(counted.items(), key=itemgetter(1), default=("", 0)), counted.total())

    def by_answer(self, network: str, since: datetime, *, most: int) -> list[tuple[datetime, int, str, int]]:
        """Counts the latest rows of one network by UTC hour, status, and who refused them."""
        rows = self.filter(network=network)
        earliest = rows.order_by("-at").values("at")[most - 1 : most]
        counted = (
            rows.filter(Q(at__gte=since), at__gte=Coalesce(Subquery(earliest), Value(since)))
            .annotate(hour=TruncHour("at", tzinfo=UTC))
            .values("hour", "status", "refused")
            .annotate(times=Count("*"))
            .order_by("hour", "status", "refused")
        )
        return list(counted.values_list("hour", "status", "refused", "times"))

    def latest_of(self, network: str, since: datetime, *, most: int) -> RequestLogQuerySet:
        return self.filter(network=network, at__gte=since).order_by("-at")[:most]

    def staff_seen(self, network: str, since: datetime) -> bool:
        return self.filter(network=network, staff=True, at__gte=since).exists()


class RequestLog(models.Model):
    """An Event at rest. On PostgreSQL the table is partitioned by day (see the first migration)."""

    at = models.DateTimeField()
    request_id = models.CharField(max_length=128)
    address = models.CharField(max_length=64)
    network = models.CharField(max_length=64)
    method = models.CharField(max_length=16)
    path = models.CharField(max_length=512)
    query = models.CharField(max_length=512)
    route = models.CharField(max_length=128)
    kind = models.CharField(max_length=32)
    status = models.PositiveSmallIntegerField()
    duration_us = models.BigIntegerField()
    user_agent = models.CharField(max_length=256)
    user = models.CharField(max_length=64)
    staff = models.BooleanField()
    outcome = models.CharField(max_length=64)
    account = models.CharField(max_length=64)
    refused = models.CharField(max_length=64)
    symptoms = models.CharField(max_length=512)
    shadowed = models.CharField(max_length=512, default="")

    objects = RequestLogQuerySet.as_manager()
    population = PopulationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["network", "at"], name="log_network_at"),
            models.Index(fields=["account", "at"], condition=~Q(account=""), name="log_account_at"),
            models.Index(fields=["at"], name="log_at"),
            models.Index(
                fields=["at"], condition=~models.Q(refused="") | ~models.Q(shadowed=""), name="log_refused_at"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class SweepMark(models.Model):
    """How far the hourly sweep has come: batches stored before this were taken into account."""

    name = models.CharField(max_length=32, primary_key=True)
    through = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} through {self.through:%Y-%m-%d %H:%M}"
