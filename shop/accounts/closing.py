"""An account ends: its row goes, or where orders need one, everything in it that says who it was."""

from __future__ import annotations

import secrets

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from shop.accounts import sessions
from shop.accounts.models import User


class Kept(Exception):
    """Other records, such as orders, need the account."""


def delete(user: User) -> None:
    """Raises Kept where other records need the row. One that came in this very moment is seen at the commit."""
    try:
        with transaction.atomic():
            User.objects.get(pk=user.pk).delete()
    except IntegrityError as error:  # Django's ProtectedError is one too
        raise Kept from error


def close(user: User) -> None:
    """What its owner asks for. The address is free for a new account afterwards; orders stay, of nobody."""
    try:
        delete(user)
    except Kept:
        with transaction.atomic():
            sessions.end_all(user)
            User.objects.filter(pk=user.pk).update(
                is_active=False,
                username=f"closed-{secrets.token_hex(8)}",
                email=None,
                first_name="",
                last_name="",
                password=make_password(None),
            )
