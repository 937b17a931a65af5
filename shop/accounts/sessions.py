"""Who is signed in: a pair of tokens for each sign-in, renewed by turns and ended by whoever holds it.

The refresh token changes with each renewal, and the one before is on simplejwt's blacklist. One that comes back a
second time was copied, by a thief or from one, and nobody can tell who is who: so that whole sign-in ends
(RFC 9700, 4.14.2). A changed password ends all of them: tokens carry a digest of the stored hash (CHECK_REVOKE_TOKEN).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.contrib.auth import authenticate, user_logged_in
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import BlacklistMixin, RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch, get_md5_hash_password

from shop.accounts.models import User

# The claim that renewals hand on: the id of a sign-in's first refresh token.
FAMILY = "family"

# Two tabs renew at once with the token they share: the second is refused, and is no thief. An honest answer that got
# lost is asked for again within seconds.
TWO_TABS = timedelta(seconds=10)


class NoAccount(Exception):
    """The account went, was deactivated or has another password since."""


@dataclass(frozen=True, slots=True)
class Tokens:
    access: str
    refresh: str


class Refresh(RefreshToken):
    """Simplejwt's, but its text stays with the client: the table holds the family in its place, so that nobody who
    reads the database, or the admin, can go on as somebody else.
    """

    no_copy_claims = (*RefreshToken.no_copy_claims, FAMILY)  # type: ignore[assignment]  # a longer tuple

    def check_blacklist(self) -> None:
        """Nothing: `renew` puts the token on the list, and is told whether it was there. That leaves no gap between."""

    @classmethod
    def of(cls, user: User, family: str = "") -> Refresh:
        """Returns a new token, which is on simplejwt's list of those in use."""
        # Past the mixin's own, which would store the token.
        token = super(BlacklistMixin, cls).for_user(user)
        jti = token.payload["jti"]
        token.payload[FAMILY] = family or jti
        OutstandingToken.objects.create(
            user=user,
            jti=jti,
            token=token.payload[FAMILY],
            created_at=token.current_time,
            expires_at=datetime_from_epoch(token.payload["exp"]),
        )
        return token

    @property
    def family(self) -> str:
        return str(self.payload.get(FAMILY) or self.payload["jti"])

    @property
    def user_id(self) -> str:
        return str(self.payload.get(api_settings.USER_ID_CLAIM, 0))  # 0 is nobody's

    def end(self) -> tuple[BlacklistedToken, bool]:
        """Returns its place on the blacklist, and whether it is new. Of two who ask at once, one is told yes."""
        # The annotation of simplejwt says otherwise than its code.
        return cast("tuple[BlacklistedToken, bool]", self.blacklist())


def sign_in(request: HttpRequest, login: str, password: str) -> Tokens | None:
    """Returns tokens for the account that `login` names, by username or e-mail; None where the two do not fit."""
    user = authenticate(request=request, username=User.objects.username_for(login), password=password)
    if user is None:
        return None
    user_logged_in.send(sender=User, request=request, user=user)
    return begin(user)


def begin(user: User) -> Tokens:
    return _pair(Refresh.of(user))


def renew(raw: str) -> Tokens:
    """Raises TokenError for a token that is not ours, over or used, and NoAccount."""
    old = Refresh(cast("Any", raw))
    user = _owner(old)
    with transaction.atomic():
        place, first = old.end()
        if first:
            return _pair(Refresh.of(user, old.family))
    if place.blacklisted_at < old.current_time - TWO_TABS:
        _end_family(old)
    raise TokenError("Token is blacklisted")


def end(raw: str) -> None:
    """Signs out: this sign-in ends, however often it was renewed. Signing out twice is signing out.

    Raises TokenError for what is no refresh token of ours. The access token holds until it expires by itself.
    """
    with suppress(ExpiredTokenError):
        token = Refresh(cast("Any", raw))
        token.end()
        _end_family(token)


def end_all(user: User) -> None:
    """Ends every sign-in of an account, so that none comes back to life with it."""
    _blacklist(OutstandingToken.objects.filter(user=user))


def _pair(token: Refresh) -> Tokens:
    return Tokens(access=str(token.access_token), refresh=str(token))


def _owner(token: Refresh) -> User:
    user = User.objects.filter(pk=token.user_id).first()
    if user is None or not user.is_active:
        raise NoAccount
    if token.payload.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
        raise NoAccount
    return user


def _end_family(token: Refresh) -> None:
    _blacklist(OutstandingToken.objects.filter(user_id=token.user_id, token=token.family))


def _blacklist(tokens: Any) -> None:  # Any: a query set of simplejwt's, which has no types of its own
    live = tokens.filter(blacklistedtoken=None, expires_at__gt=timezone.now())
    BlacklistedToken.objects.bulk_create([BlacklistedToken(token=token) for token in live], ignore_conflicts=True)
