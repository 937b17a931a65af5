"""What may a cell hold? What the API's own field of that name takes: the serializer's rules, asked cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field
from rest_framework.validators import UniqueValidator

from shop.catalogue.serializers import StaffProductSerializer
from shop.imports.reading import KEY, Row, shown

CATEGORY = "category"
# An empty cell of these says nothing: what is there stays, and a new product gets what is usual.
MAY_BE_EMPTY = frozenset({"slug", "currency", "stock", "active"})

RIGHT = {
    "sku": "Write 1 to 40 letters.",
    "name": "Write 1 to 200 letters.",
    "category": "Write a category's slug, as in tables, or the slugs from the top to it, as in home/tables.",
    "price": "Write a number with a point and at most two places, as in 19.90.",
    "currency": "Write a currency's three letters, as in EUR.",
    "stock": "Write a whole number from 0, as in 12.",
    "active": "Write true or false.",
    "description": "Write at most 10,000 letters.",
    "slug": "Write small letters, digits and hyphens, as in oak-desk, or leave it empty.",
}
NO_UTF_8 = "This is not UTF-8. Save the file as UTF-8."


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was not taken. `value` and `message` can be shown as they are; no column: it is the whole row."""

    line: int
    column: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A row whose cells are each right. `values` by field of Product; `category` is what the cell says."""

    line: int
    sku: str
    # `Any`: the values of the fields.
    values: dict[str, Any]
    category: str | None


def check(row: Row) -> Checked | list[Fault]:
    if row.problem:
        return [Fault(row.line, "", "", row.problem)]
    values: dict[str, Any] = {}
    faults = []
    for column, cell in row.cells.items():
        if column in MAY_BE_EMPTY and not cell.strip():
            continue
        try:
            values[column] = _value(column, cell)
        except ValidationError as error:
            faults.append(fault(row.line, column, cell, _text_of(error)))
    if faults:
        return faults
    return Checked(row.line, values.pop(KEY), values, values.pop(CATEGORY, None))


def fault(line: int, column: str, cell: str, text: str) -> Fault:
    right = "" if text == NO_UTF_8 else RIGHT.get(column, "")
    return Fault(line, column, shown(cell), f"{text} {right}".strip())


# `Any`: whatever the field makes of a text.
def _value(column: str, cell: str) -> Any:
    if not cell.isascii() and any("\udc80" <= letter <= "\udcff" for letter in cell):
        raise ValidationError(NO_UTF_8)
    if column == CATEGORY:
        if not cell.strip():
            raise ValidationError("This field may not be blank.")
        return cell.strip()
    return _fields()[column].run_validation(cell)


@cache
def _fields() -> dict[str, Field[Any, Any, Any, Any]]:
    """The API's own, without the question whether another row has this: that is asked for many at once."""
    found = dict(StaffProductSerializer().fields)
    for each in found.values():
        each.validators = [rule for rule in each.validators if not isinstance(rule, UniqueValidator)]
    return found


def _text_of(error: ValidationError) -> str:
    detail = error.detail
    return str(detail[0] if isinstance(detail, list) else detail)
