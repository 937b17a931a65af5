"""Which accounts did this device sign in to before? A signed cookie, checked without I/O.

The idea is OWASP's device cookie: strangers who guess at an account exhaust the account's limit, but not its owner's
device, which is counted by itself. The cookie lifts that one limit and is worth nothing else.
"""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

from django.conf import settings as django_settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest

from ip_tracking import conf

MAX_AGE_S = 180 * 24 * 3_600

# A family shares a tablet; who signs in to many accounts is no household.
MOST_ACCOUNTS = 5

# Our own have some 300 characters; nothing longer is worth a signature check.
MOST_CHARS = 1_024


class Device(NamedTuple):
    """A device that proved good logins: its own id, and the accounts' hashes, the last one first."""

    id: str
    accounts: tuple[str, ...]


def proof(request: HttpRequest, account: str) -> str:
    """Returns the id of a device that signed in to this account before, "" where there is no such proof."""
    device = read(request)
    return device.id if device is not None and account and account in device.accounts else ""


def read(request: HttpRequest) -> Device | None:
    """Returns what the request's cookie says, None for none, a forged or an old one."""
    name = conf.get().device_cookie
    value = request.COOKIES.get(name, "") if name else ""
    if not value or len(value) > MOST_CHARS:
        return None
    try:
        device, *accounts = _signer().unsign(value, max_age=MAX_AGE_S).split(".")
    except BadSignature:
        return None
    return Device(device, tuple(accounts))


# Any: Django's response classes share no typed base with streaming ones.
def remember(request: HttpRequest, response: Any, account: str) -> None:
    """Gives the device its cookie: somebody just signed in to this account from it."""
    name = conf.get().device_cookie
    if not name:
        return
    before = read(request) or Device(secrets.token_hex(8), ())
    accounts = dict.fromkeys([account, *before.accounts])
    response.set_cookie(
        name,
        _signer().sign(".".join([before.id, *list(accounts)[:MOST_ACCOUNTS]])),
        max_age=MAX_AGE_S,
        httponly=True,
        secure=django_settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="ip_tracking.device")
