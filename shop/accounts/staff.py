"""Staff work on accounts. Only superusers make or touch staff, and nobody locks themselves out.

Each change is made by somebody else who still is what it takes: both rows are locked first, so that of two superusers
who demote each other at once, the second is none any more.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from shop.accounts import closing, sessions
from shop.accounts.models import User

POWERS = ("is_staff", "is_superuser")
# What nobody changes of themselves.
LOCKS = (*POWERS, "is_active")


class NeedsSuperuser(Exception):
    """It is about staff, and who asks is no superuser."""


class OwnAccount(Exception):
    """It is their own account, and they could not undo it."""


class NameTaken(Exception):
    """Somebody was faster with this username or address."""


# Any: the values are as various as the fields.
def create(actor: User, values: dict[str, Any]) -> User:
    """Makes an account without a password; its owner chooses one by mail. Raises NeedsSuperuser, NameTaken."""
    if _gives_power(values) and not actor.is_superuser:
        raise NeedsSuperuser
    user = User(**values)
    user.set_unusable_password()
    _save(user)
    return user


@transaction.atomic
def update(actor: User, user: User, values: dict[str, Any]) -> User:
    """Raises NeedsSuperuser, OwnAccount, NameTaken; User.DoesNotExist where one of the two is gone."""
    actor, user = _locked(actor, user)
    changed = {name for name, value in values.items() if getattr(user, name) != value}
    if actor == user and changed & set(LOCKS):
        raise OwnAccount
    _refuse_power(actor, user, changed)
    for name in changed:
        setattr(user, name, values[name])
    if "is_active" in changed and not user.is_active:
        sessions.end_all(user)
    _save(user)
    return user


@transaction.atomic
def delete(actor: User, user: User) -> None:
    """Raises NeedsSuperuser, OwnAccount, closing.Kept; User.DoesNotExist where one of the two is gone."""
    actor, user = _locked(actor, user)
    if actor == user:
        raise OwnAccount
    _refuse_power(actor, user, set())
    closing.delete(user)


def _locked(actor: User, user: User) -> tuple[User, User]:
    # In the order of their keys, so that two who lock each other do not wait for ever.
    rows = User.objects.select_for_update().filter(pk__in={actor.pk, user.pk}).order_by("pk")
    found = {row.pk: row for row in rows}
    if actor.pk not in found or user.pk not in found:
        raise User.DoesNotExist
    if not (found[actor.pk].is_active and found[actor.pk].is_staff):
        raise NeedsSuperuser
    return found[actor.pk], found[user.pk]


def _refuse_power(actor: User, user: User, changed: set[str]) -> None:
    """Whoever could change a superuser's address could have its password sent to themselves."""
    touches = user.is_staff or user.is_superuser or changed & set(POWERS)
    if touches and actor != user and not actor.is_superuser:
        raise NeedsSuperuser


def _gives_power(values: dict[str, Any]) -> bool:
    return any(values.get(name) for name in POWERS)


def _save(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise NameTaken from error
