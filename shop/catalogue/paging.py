"""Pieces of a list. By number: `page=3`, with a count. By place: `cursor=` first and then what `next` says, which costs
the same however deep it is, and neither repeats nor skips when rows come and go. `page_size` is for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import NotFound, ValidationError

from shop.page_size import is_number, page_size_of

PAGE, CURSOR = "page", "cursor"
USUAL_SIZE, MAX_SIZE = 20, 100
# Beyond it the database would count rows for a second only to skip them: a cursor goes on from there.
MAX_SKIPPED = 100_000
SALT = "shop.catalogue.paging"

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Piece:
    """Which piece is asked for: a page where there is no cursor. An empty cursor is the first piece of a walk."""

    size: int
    page: int = 1
    cursor: str | None = None


@dataclass(frozen=True)
class Cut:
    """What is shown. `next` and `previous` are one parameter and its value; a walk has no count and goes forward."""

    results: list[Any]  # rows as they are shown
    next: tuple[str, str] | None
    previous: tuple[str, str] | None = None
    count: int | None = None


def piece_of(params: Mapping[str, str]) -> Piece:
    page, cursor = params.get(PAGE, ""), params.get(CURSOR)
    count = page_size_of(params, USUAL_SIZE, MAX_SIZE)
    if cursor is not None and page:
        raise ValidationError({CURSOR: ["Ask by `page` or by `cursor`, not by both."]})
    if cursor is not None:
        return Piece(count, cursor=cursor)
    if page and not is_number(page):
        raise NotFound("There is no such page: pages are numbered from 1.")
    return Piece(count, int(page or 1))


# `Any`: a row as it is shown.
def cut(rows: QuerySet[Row], order: Sequence[str], piece: Piece, show: Callable[[list[Row]], list[Any]]) -> Cut:
    """`order`: names of fields that are never null, "-" for descending, the last one unique."""
    rows = rows.order_by(*order)
    return _page(rows, piece, show) if piece.cursor is None else _walk(rows, order, piece.cursor, piece.size, show)


def _page(rows: QuerySet[Row], piece: Piece, show: Callable[[list[Row]], list[Any]]) -> Cut:
    skipped = (piece.page - 1) * piece.size
    if skipped > MAX_SKIPPED:
        raise NotFound(f"There is no such page: beyond {MAX_SKIPPED} rows, go on by `cursor`.")
    count = rows.count()
    if skipped and skipped >= count:
        raise NotFound("There is no such page: the list ends before it.")
    return Cut(
        show(list(rows[skipped : skipped + piece.size])),
        next=(PAGE, str(piece.page + 1)) if skipped + piece.size < count else None,
        previous=(PAGE, str(piece.page - 1)) if skipped else None,
        count=count,
    )


def _walk(
    rows: QuerySet[Row],
    order: Sequence[str],
    cursor: str,
    size: int,
    show: Callable[[list[Row]], list[Any]],
) -> Cut:
    if cursor:
        rows = rows.filter(_behind(_place(cursor, order), order))
    found = list(rows[: size + 1])
    more = len(found) > size
    return Cut(show(found[:size]), next=(CURSOR, _cursor(found[size - 1], order)) if more else None)


def _cursor(row: Model, order: Sequence[str]) -> str:
    """Signed, so that what comes back is what was given out. Without the time, which would change each answer's tag."""
    texts = [str(getattr(row, name.lstrip("-"))) for name in order]
    return signing.Signer(salt=SALT + ",".join(order)).sign_object(texts)


def _place(cursor: str, order: Sequence[str]) -> list[str]:
    try:
        return list(signing.Signer(salt=SALT + ",".join(order)).unsign_object(cursor))
    except signing.BadSignature:
        message = "Follow `next` of the piece before with the same ordering, or leave it empty to begin."
        raise ValidationError({CURSOR: [message]}) from None


def _behind(place: Sequence[str], order: Sequence[str]) -> Q:
    """Further in the first field, or equal in it and further in the second, and so on."""
    found = Q()
    for name, value in reversed(list(zip(order, place, strict=True))):
        field, than = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        found = Q(**{f"{field}__{than}": value}) | (Q(**{field: value}) & found if found else found)
    # Says nothing new, but is a range that an index can begin at.
    return Q(**{f"{order[0].lstrip('-')}__{'lte' if order[0].startswith('-') else 'gte'}": place[0]}) & found
