"""Staff writes: on the state that was read, and all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, TypeVar

from django.core.exceptions import ValidationError as ModelError
from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import BaseSerializer

from shop.errors import Problem

Row = TypeVar("Row", bound=Model)


@contextmanager
def one_write() -> Iterator[None]:
    """A transaction whose refusals are problems: 400 by the model's rules, 409 by what the database knows.

    Raises outside of it, so that nothing stays; some keys are compared only as it ends.
    """
    try:
        with transaction.atomic():
            yield
    except ModelError as exc:
        raise ValidationError(exc.message_dict) from exc
    except ProtectedError as exc:
        raise _in_use({row._meta.verbose_name_plural or "" for row in exc.protected_objects}) from exc
    except IntegrityError as exc:
        raise Problem(
            HTTPStatus.CONFLICT,
            "written-meanwhile",
            "Written meanwhile",
            "Somebody else wrote at the same moment what this stands against. Read again, and try again.",
        ) from exc


def _in_use(by: set[Any]) -> Problem:
    """Rows of categories, products or orders: their kinds are told, not which ones."""
    kinds = sorted(str(kind) for kind in by)
    return Problem(
        HTTPStatus.CONFLICT,
        "in-use",
        "In use",
        f"This is used by {', '.join(kinds)} and stays. Move those first; a product is taken off sale by `active`.",
        used_by=kinds,
    )


# `Any`: a serializer of any row.
def saved(serializer: BaseSerializer[Any]) -> dict[str, Any]:
    """Returns the row as it is shown from now on. Raises ValidationError naming each bad field."""
    serializer.is_valid(raise_exception=True)
    serializer.save()
    return dict(serializer.data)
