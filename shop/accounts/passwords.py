"""A password is changed by who knows it, or set by who reads the account's mail."""

from __future__ import annotations

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import password_changed, validate_password
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest
from django.utils.http import base36_to_int, int_to_base36

from shop.accounts.models import User

# Base 36 of the largest key that a database can hold.
MOST_KEY_CHARS = 13


class BadLink(Exception):
    """The link is not ours, too old, used, or of an account that is gone. Which one, nobody is told."""


class Changed(Exception):
    """Somebody else changed the password in the same moment."""


def link_token(user: User) -> str:
    """Returns what lets its holder set the password, once: Django's token, which the new password makes void."""
    return f"{int_to_base36(user.pk)}.{default_token_generator.make_token(user)}"


def owner_of(token: str) -> User:
    """Returns the account that the token of a link is for; raises BadLink.

    One query and one HMAC, whatever is wrong: keys are easily guessed, and time must not tell which exist.
    """
    key, _, proof = token.partition(".")
    user = User.objects.filter(pk=_key(key)).first()
    proved = default_token_generator.check_token(user or User(), proof)
    if user is None or not user.is_active or not proved:
        raise BadLink
    return user


def _key(text: str) -> int:
    try:
        return base36_to_int(text) if len(text) <= MOST_KEY_CHARS else 0
    except ValueError:
        return 0


def known(request: HttpRequest, user: User, password: str) -> User | None:
    """Returns the account as it is stored now, if this is its password.

    Asked as a login is, so that guesses with a stolen token count as wrong logins of this account.
    """
    return authenticate(request=request, username=user.username, password=password)


def set_password(user: User, password: str) -> None:
    """Raises Django's ValidationError for a weak one, Changed where another was faster. Every sign-in ends by it."""
    validate_password(password, user)
    before, user.password = user.password, make_password(password)
    if not User.objects.filter(pk=user.pk, password=before).update(password=user.password):
        raise Changed
    password_changed(password, user)
