"""The cases before and after one in an ordered queue, also where it is no longer in that queue itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Q, QuerySet, Subquery
from django.db.models.expressions import OrderBy

from ip_tracking.models import SuspiciousIP


@dataclass(frozen=True, slots=True)
class Beside:
    """Ids of cases; None: there is none."""

    previous: int | None = None
    following: int | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """One column that a queue is ordered by. One that may be empty says where the empty ones stand."""

    name: str
    descending: bool
    nulls_last: bool

    def turned(self) -> Key:
        return Key(self.name, not self.descending, not self.nulls_last)


def beside(queue: QuerySet[SuspiciousIP], case: SuspiciousIP) -> Beside:
    """One query, which an index on what the queue is ordered by answers. Of another order than by columns: nothing."""
    keys = _keys(queue)
    if keys is None:
        return Beside()
    behind = queue.filter(_behind(keys, case))
    before = queue.filter(_behind([key.turned() for key in keys], case)).reverse()
    found = SuspiciousIP.objects.filter(pk=case.pk).values_list(
        Subquery(before.values("pk")[:1]), Subquery(behind.values("pk")[:1])
    )
    return Beside(*found.get())


def _keys(queue: QuerySet[SuspiciousIP]) -> list[Key] | None:
    keys = [_key(part) for part in queue.query.order_by]
    return None if None in keys or not keys else keys  # type: ignore[return-value]  # mypy does not see it


def _key(part: Any) -> Key | None:
    """Reads one part of an ORDER BY; None for what is no column."""
    if isinstance(part, str):
        part = F(part[1:]).desc() if part.startswith("-") else F(part).asc()
    if not isinstance(part, OrderBy) or not isinstance(part.expression, F):
        return None
    name = part.expression.name  # type: ignore[attr-defined]  # the stubs forgot it
    try:
        column = "pk" if name == "pk" else SuspiciousIP._meta.get_field(name).attname  # type: ignore[union-attr]
    except (FieldDoesNotExist, AttributeError):
        return None
    return Key(column, part.descending, bool(part.nulls_last))


def _behind(keys: list[Key], case: SuspiciousIP) -> Q:
    """What comes after the case: later by the first key, or like it and later by the second, and so on."""
    behind, alike = Q(pk__in=[]), Q()
    for key in keys:
        value = getattr(case, key.name)
        behind |= alike & _later(key, value)
        alike &= Q(**{f"{key.name}__isnull": True}) if value is None else Q(**{key.name: value})
    return behind


def _later(key: Key, value: Any) -> Q:
    empty = Q(**{f"{key.name}__isnull": True})
    if value is None:
        return Q(pk__in=[]) if key.nulls_last else ~empty
    later = Q(**{f"{key.name}__{'lt' if key.descending else 'gt'}": value})
    return later | empty if key.nulls_last else later
