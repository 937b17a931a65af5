"""A new account, in two steps: an address is named, and whoever reads its mail chooses a password.

So nobody learns which addresses have an account: the first step answers all of them alike and asks the database
nothing. And nobody's address is taken by somebody who cannot read its mail, with a password only they know.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.db import IntegrityError, transaction

from shop.accounts.models import User

SALT = "shop.accounts.registration"


class EmailTaken(Exception):
    """Another account has the address by now."""


def token_for(email: str) -> str:
    """Returns what proves that its holder reads the mail of this address. Nothing is stored for it."""
    return signing.dumps(email, salt=SALT)


def email_in(token: str) -> str | None:
    """Returns the address that the token proves, None where it is not ours or too old."""
    try:
        email: str = signing.loads(token, salt=SALT, max_age=settings.PASSWORD_RESET_TIMEOUT)
    except signing.BadSignature:
        return None
    return email


def open_account(email: str, password: str, first_name: str = "", last_name: str = "") -> User:
    """Raises Django's ValidationError for a weak password, EmailTaken where somebody was faster: of two, one is.

    The username is drawn: were it chosen, "taken" would tell who is here. Customers sign in by e-mail.
    """
    user = User(username=f"u{secrets.token_hex(8)}", email=email, first_name=first_name, last_name=last_name)
    validate_password(password, user)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise EmailTaken from error
    return user
