"""What the sweep asks of the request log: sums over everybody, an hour at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from django.db import models
from django.db.models import Avg, Count, F, FloatField, Max, Q, Sum, Window
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, RowNumber

if TYPE_CHECKING:
    from ip_tracking.models.log import RequestLog  # noqa: F401 - named by the base class below


class Errors(NamedTuple):
    """How many requests of a network, how many errors among them."""

    requests: int
    errors: int


class Usual(NamedTuple):
    """What the networks of an hour have on average."""

    mean: float
    networks: int


class PopulationQuerySet(models.QuerySet["RequestLog"]):
    def between(self, start: datetime, end: datetime) -> PopulationQuerySet:
        """Requests that a view answered: not what we refused ourselves, and no health checks."""
        return self.filter(at__gte=start, at__lt=end, refused="").exclude(kind="health")

    def networks_by(self, field: str, bad: Q, *, least: int) -> dict[str, int]:
        """Values of a field that at least so many networks share among what is bad, each with their number."""
        rows = self.filter(bad).values(field).annotate(networks=Count("network", distinct=True))
        return dict(rows.filter(networks__gte=least).values_list(field, "networks"))

    def count_by(self, field: str, which: Q) -> dict[str, int]:
        return dict(self.filter(which).values(field).annotate(times=Count("pk")).values_list(field, "times"))

    def paths_by(self, field: str, which: Q) -> dict[str, int]:
        rows = self.filter(which).values(field).annotate(paths=Count("path", distinct=True))
        return dict(rows.values_list(field, "paths"))

    def pairs(self, field: str) -> list[tuple[str, str]]:
        """Each network with each value of a field that it has."""
        return list(self.values_list("network", field).distinct())

    def erring(self, errors: Q, *, least: int, share: float) -> dict[str, Errors]:
        """Networks with so many errors, being such a share of all they sent."""
        rows = (
            self.values("network")
            .annotate(requests=Count("pk"), errors=Count("pk", filter=errors), share=_share(errors))
            .filter(errors__gte=least, share__gte=share)
        )
        return {network: Errors(*numbers) for network, *numbers in rows.values_list("network", "requests", "errors")}

    def usual_share(self, errors: Q) -> Usual:
        """The share of errors, each network counting once, so that one loud network changes little."""
        found = (
            self.values("network")
            .annotate(share=_share(errors))
            .aggregate(mean=Avg("share"), networks=Count("network"))
        )
        return Usual(found["mean"] or 0.0, found["networks"])

    def usual_requests(self, *, below: int) -> float:
        """How many requests a network sends, of those that send fewer than `below`."""
        rows = self.values("network").annotate(requests=Count("pk")).filter(requests__lt=below)
        return rows.aggregate(mean=Avg("requests"))["mean"] or 0.0

    def widest_readers(self, *, least: int) -> dict[str, int]:
        """Networks one of whose agents asked for so many different paths, with that number."""
        # Requests are counted first: to count paths of everybody, the whole hour would have to be sorted.
        many = self.values("network", "user_agent").annotate(requests=Count("pk")).filter(requests__gte=least)
        networks = {network for network, _ in many.values_list("network", "user_agent")}
        rows = (
            self.filter(network__in=networks)
            .values("network", "user_agent")
            .annotate(paths=Count("path", distinct=True))
            .filter(paths__gte=least)
            .order_by("paths")
        )
        return dict(rows.values_list("network", "paths"))

    def time_takers(self, *, least_us: int) -> dict[str, int]:
        """Networks whose views took so long together, with how long, in microseconds."""
        rows = self.values("network").annotate(time_us=Sum("duration_us")).filter(time_us__gte=least_us)
        return dict(rows.values_list("network", "time_us"))

    def time_of_all(self) -> tuple[int, int]:
        """How long all views took together, in microseconds, and how many networks there are."""
        found = self.aggregate(time_us=Sum("duration_us"), networks=Count("network", distinct=True))
        return found["time_us"] or 0, found["networks"]

    def without(self, field: str, pairs: Iterable[tuple[str, str]]) -> PopulationQuerySet:
        """Leaves out the rows of each network that have this value of the field."""
        unwanted = [Q(network=network, **{field: value}) for network, value in pairs]
        return self.exclude(reduce(or_, unwanted)) if unwanted else self.all()

    def first_of_each(self, most: int) -> PopulationQuerySet:
        """The first few rows of each network, in order."""
        place = Window(RowNumber(), partition_by=[F("network")], order_by=["at", "request_id"])
        return self.annotate(place=place).filter(place__lte=most).order_by("network", "at", "request_id")

    def last_of_each(self) -> dict[str, datetime]:
        return dict(self.values("network").annotate(last=Max("at")).values_list("network", "last"))

    def regulars(self, hour: datetime, *, least: int, most: int) -> list[str]:
        """Networks with so many rows, some of them within the last hour."""
        rows = self.values("network").annotate(times=Count("pk"), last=Max("at"))
        return list(rows.filter(times__gte=least, times__lte=most, last__gte=hour).values_list("network", flat=True))

    def times_of(self, network: str) -> list[datetime]:
        return list(self.filter(network=network).order_by("at").values_list("at", flat=True))


def _share(which: Q) -> Combinable:
    return Cast(Count("pk", filter=which), FloatField()) / Count("pk")
