"""An account moves to another address, once who reads its mail says so. Whether it is taken, only that mail tells."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction

from shop.accounts.models import User
from shop.accounts.passwords import BadLink
from shop.accounts.registration import EmailTaken

SALT = "shop.accounts.address"


def token_for(user: User, email: str) -> str:
    """Returns what proves that its holder reads the mail of `email`. Good while the account has its old address."""
    return signing.dumps([user.pk, user.email, email], salt=SALT)


def move(token: str) -> tuple[int, str | None]:
    """Returns the account's key and the address it had. Raises BadLink, and EmailTaken where somebody was faster."""
    try:
        key, old, new = signing.loads(token, salt=SALT, max_age=settings.PASSWORD_RESET_TIMEOUT)
    except signing.BadSignature as error:
        raise BadLink from error
    try:
        with transaction.atomic():
            moved = User.objects.filter(pk=key, email=old, is_active=True).update(email=new)
    except IntegrityError as error:
        raise EmailTaken from error
    if not moved:
        raise BadLink
    return key, old
