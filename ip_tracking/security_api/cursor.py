"""Pages that begin behind the last row of the one before: what comes and goes meanwhile shifts nothing.

REST framework's CursorPagination knows a row by the first field of the order and counts among equals, up to a thousand.
Hundreds of cases share a severity, so here a place is the whole order, whose last field is unique.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

USUAL, MOST = 50, 200

CURSOR, LIMIT = "cursor", "limit"

# Signed, so that what comes back is what was given out.
SALT = "ip_tracking.security_api.cursor"

Row = TypeVar("Row", bound=Model)


class Page(NamedTuple):
    rows: list[Any]
    next: str | None  # the address of the page behind


def page_of(rows: QuerySet[Row], order: Sequence[str], request: Request) -> Page:
    """`order`: names of fields, "-" for descending, the last one unique; none of them ever null."""
    limit = _limit(request)
    cursor = request.query_params.get(CURSOR)
    if cursor is not None:
        rows = rows.filter(_behind(_place(cursor, order), order))
    found = list(rows.order_by(*order)[: limit + 1])
    if len(found) <= limit:
        return Page(found, None)
    last = _cursor(found[limit - 1], order)
    return Page(found[:limit], replace_query_param(request.build_absolute_uri(), CURSOR, last))


def _limit(request: Request) -> int:
    text = request.query_params.get(LIMIT, str(USUAL))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST):
        raise ValidationError({LIMIT: [f"Write a number from 1 to {MOST}."]})
    return int(text)


def _names(order: Sequence[str]) -> Iterator[str]:
    return (name.lstrip("-") for name in order)


def _cursor(row: Model, order: Sequence[str]) -> str:
    texts = [row._meta.get_field(name).value_to_string(row) for name in _names(order)]  # type: ignore[union-attr]
    return signing.dumps(texts, salt=SALT + ",".join(order))


def _place(cursor: str, order: Sequence[str]) -> list[str]:
    try:
        return list(signing.loads(cursor, salt=SALT + ",".join(order)))
    except signing.BadSignature:
        raise ValidationError({CURSOR: ["Follow `next` of the page before as it is, or leave it out."]}) from None


def _behind(place: Sequence[str], order: Sequence[str]) -> Q:
    """Less in the first field, or equal in it and less in the second, and so on."""
    found = Q()
    for name, value in reversed(list(zip(order, place, strict=True))):
        field, than = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        found = Q(**{f"{field}__{than}": value}) | (Q(**{field: value}) & found if found else found)
    # Says nothing new, but is a range that an index can begin at.
    first = order[0]
    return Q(**{f"{first.lstrip('-')}__{'lte' if first.startswith('-') else 'gte'}": place[0]}) & found
