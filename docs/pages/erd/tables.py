"""What the picture shows of the models: plain values, read from Django's registry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.db.models import Field, Model

# Those of the project itself, from what is guarded to what guards; frameworks keep their own pictures.
FAMILIES = (("shop",), ("ip_tracking", "metrics", "sentinel"))

SHORT = {
    "BigAutoField": "id",
    "AutoField": "id",
    "BooleanField": "yes/no",
    "DateTimeField": "moment",
    "GenericIPAddressField": "address",
    "ManyToManyField": "many",
    "PositiveIntegerField": "int ≥ 0",
    "PositiveSmallIntegerField": "int ≥ 0",
    "PositiveBigIntegerField": "int ≥ 0",
    "BigIntegerField": "int",
    "IntegerField": "int",
    "SmallIntegerField": "int",
    "TextField": "text",
    "UUIDField": "uuid",
    "JSONField": "json",
}


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    mark: str = ""  # "key", "unique" or nothing
    optional: bool = False
    target: str = ""  # the key of the table it points to, where that is in the picture
    single: bool = False  # at most one row points to each row of the target


@dataclass(frozen=True, slots=True)
class Table:
    key: str  # "orders.Order"
    app: str
    name: str
    columns: tuple[Column, ...]


def families() -> list[dict[str, list[Table]]]:
    """Returns for each family its apps with their tables: those that others point to stand first."""
    models = [model for model in apps.get_models() if not model._meta.proxy]
    ours = {model._meta.label for model in models if _family(model) in sum(FAMILIES, ())}
    tables = [(_family(model), _table(model, ours)) for model in models if model._meta.label in ours]
    found = []
    for names in FAMILIES:
        members: dict[str, list[Table]] = {}
        for family, table in tables:
            if family in names:
                members.setdefault(table.app, []).append(table)
        found.append({app: by_need(members[app]) for app in members})
    return found


def by_need(tables: Iterable[Table]) -> list[Table]:
    """Returns the tables so that one stands below those it points to; where they point in a circle, by name."""
    left, order = sorted(tables, key=lambda table: table.name), []
    while left:
        names = {table.key for table in left}
        free = [t for t in left if not any(c.target in names and c.target != t.key for c in t.columns)]
        order += free or left[:1]
        left = [table for table in left if table not in order]
    return order


def _family(model: type[Model]) -> str:
    return model._meta.app_config.name.partition(".")[0]


def _table(model: type[Model], ours: set[str]) -> Table:
    meta = model._meta
    fields = [*meta.local_fields, *meta.local_many_to_many]
    return Table(meta.label, meta.app_label, meta.object_name or "", tuple(_column(field, ours) for field in fields))


def _column(field: Field, ours: set[str]) -> Column:  # type: ignore[type-arg]  # of whatever goes in and out
    other = field.related_model
    label = other._meta.label if isinstance(other, type) else ""
    mark = "key" if field.primary_key else "unique" if field.unique else ""
    kind = f"→ {label.rpartition('.')[2] if label in ours else label}" if label else _type(field)
    return Column(
        name=field.name + (" *" if field.many_to_many else ""),
        type=kind,
        mark=mark,
        optional=field.null,
        target=label if label in ours else "",
        single=field.unique,
    )


def _type(field: Field) -> str:  # type: ignore[type-arg]
    kind = type(field).__name__
    if kind == "DecimalField":
        return f"decimal {field.max_digits},{field.decimal_places}"  # type: ignore[attr-defined]
    words = SHORT.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.removesuffix("Field")).lower()
    return f"{words} {field.max_length}" if field.max_length and kind not in SHORT else words
