"""Rows become products: many at once, known by their SKU, and only what differs is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.text import slugify

from shop.catalogue.models import Category, Product
from shop.catalogue.serializers import RESERVED, SLUG_TAKEN
from shop.imports.cells import CATEGORY, Checked, Fault, fault
from shop.imports.reading import shown

NEEDED = ("name", CATEGORY, "price")
# What the column holds, with some room as in `free_slug`.
SLUG_CHARS = 190
WRITTEN_MEANWHILE = "Another product has this SKU but for its capitals, or was given this slug meanwhile."


@dataclass
class Outcome:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.faults += other.faults


@dataclass
class _Change:
    """A product as it is to be. `names`: what differs from what is there; of a new one, everything."""

    row: Checked
    product: Product
    is_new: bool
    # `Any`: the values of the fields.
    values: dict[str, Any]

    @property
    def names(self) -> set[str]:
        return {name for name, value in self.values.items() if self.is_new or getattr(self.product, name) != value}


def write(rows: Sequence[Checked], *, dry_run: bool = False) -> Outcome:
    """Writes rows of different SKUs, all in one transaction; a dry run says what it would do. The same again changes
    nothing.
    """
    try:
        with transaction.atomic():
            return _write(rows, dry_run)
    except IntegrityError:
        # Somebody added or named a product meanwhile. Row by row, so that one that stands against another is found.
        return _one_by_one(rows)


def _one_by_one(rows: Iterable[Checked]) -> Outcome:
    outcome = Outcome()
    for row in rows:
        try:
            with transaction.atomic():
                outcome.add(_write([row], dry_run=False))
        except IntegrityError:
            outcome.faults.append(fault(row.line, "sku", row.sku, WRITTEN_MEANWHILE))
    return outcome


def _write(rows: Sequence[Checked], dry_run: bool) -> Outcome:
    outcome = Outcome()
    changes = _with_slugs(list(_changes(rows, outcome.faults, lock=not dry_run)), outcome.faults)
    new = [change.product for change in changes if change.is_new]
    differing = [change for change in changes if not change.is_new and change.names]
    outcome.created, outcome.updated = len(new), len(differing)
    outcome.unchanged = len(changes) - len(new) - len(differing)
    if not dry_run:
        names = sorted(set().union(*(change.names for change in differing)))
        for change in changes:
            for name, value in change.values.items():
                setattr(change.product, name, value)
        _insert(new)
        _update([change.product for change in differing], names)
    return outcome


def _insert(products: Sequence[Product]) -> None:
    """Raises IntegrityError where somebody else has added one of them meanwhile."""
    if products:
        Product.objects.bulk_create(products)


def _update(products: Sequence[Product], names: Sequence[str]) -> None:
    """One upsert: many times faster than `bulk_update`, whose statement has a case for each row and field.

    The rows are locked and carry their keys. So what is written over is each row itself, also on MariaDB, which asks no
    one column but every unique one: the key first.
    """
    if not products:
        return
    by = {"unique_fields": ["sku"]} if connection.features.supports_update_conflicts_with_target else {}
    Product.objects.bulk_create(products, update_conflicts=True, update_fields=names, **by)


def _changes(rows: Sequence[Checked], faults: list[Fault], *, lock: bool) -> Iterator[_Change]:
    categories = _Categories()
    found = {product.sku: product for product in _products([row.sku for row in rows], lock)}
    for row in rows:
        values = dict(row.values)
        if row.category is not None:
            values["category_id"] = categories.find(row.category)
            if values["category_id"] is None:
                faults.append(fault(row.line, CATEGORY, row.category, "There is no such category."))
                continue
        product = found.get(row.sku)
        missing = [] if product else _missing(row)
        if missing:
            text = f"There is no product of this SKU yet. A new one needs {', '.join(missing)} too."
            faults.append(Fault(row.line, "sku", shown(row.sku), text))
            continue
        yield _Change(row, product or Product(sku=row.sku), product is None, values)


def _missing(row: Checked) -> list[str]:
    given = {*row.values, *([] if row.category is None else [CATEGORY])}
    return [name for name in NEEDED if name not in given]


def _products(skus: Sequence[str], lock: bool) -> Iterable[Product]:
    rows = Product.objects.filter(sku__in=skus).order_by("pk")
    if lock:
        # In the order of their keys, so that two who write the same do not wait for each other. Nobody buys them
        # meanwhile; orders that name them may be written, where the database can tell the one from the other.
        rows = rows.select_for_update(no_key=connection.features.has_select_for_no_key_update)
    return rows


class _Categories:
    def __init__(self) -> None:
        self._tree = Category.objects.tree()

    def find(self, said: str) -> int | None:
        """Returns the key of a category by its slug, or by the slugs from the top down to it."""
        *above, slug = said.strip("/").split("/")
        key = next(iter(self._tree.branch(slug)), None)
        if key is None or (above and self._tree.line(key)[1:] != above[::-1]):
            return None
        return key


def _with_slugs(changes: Sequence[_Change], faults: list[Fault]) -> list[_Change]:
    """Returns those that have a slug, which is made for a new product that was given none.

    By its name; where that is taken, by its name and SKU: one question to the database for all of them.
    """
    asked = {change.row.sku: _slugs_for(change) for change in changes}
    names = {slug for slugs in asked.values() for slug in slugs}
    taken = RESERVED | set(Product.objects.filter(slug__in=names).values_list("slug", flat=True))
    kept = []
    for change in changes:
        slugs = asked[change.row.sku]
        free = next((slug for slug in slugs if slug not in taken), None)
        if free is None and (slugs or change.is_new):
            text = SLUG_TAKEN if slugs else "Neither name nor SKU has Latin letters to make one from."
            faults.append(fault(change.row.line, "slug", slugs[0] if slugs else "", text))
            continue
        if free is not None:
            taken.add(free)
            change.values["slug"] = free
        kept.append(change)
    return kept


def _slugs_for(change: _Change) -> list[str]:
    """Returns the slugs that would do, best first; none where it has one that stays."""
    given = change.values.get("slug")
    if given is not None:
        return [] if given == change.product.slug else [given]
    if not change.is_new:
        return []
    name, sku = change.values["name"], change.row.sku
    return [slug for text in (name, f"{name[:140]} {sku}") if (slug := slugify(text)[:SLUG_CHARS].strip("-_"))]
