"""WHAT CAME OF IT? Named Django signals first; the status by the route's kind where none came."""

from __future__ import annotations

import hashlib
import hmac
import logging
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import Signal
from django.utils.module_loading import import_string

from ip_tracking import conf
from ip_tracking.visit import Visit, current

logger = logging.getLogger(__name__)

LOGIN_OK = "login_ok"
LOGIN_FAILED = "login_failed"

# Where no signal came: which statuses mean that it failed.
FAILED_STATUSES = {
    "login": {401, 403},
    "payment": {402},
    "coupon": {400, 404, 410, 422},
}

# A name longer than this is nobody's; what is past it must not be kept in a memo.
ACCOUNT_CHARS = 256

# Receivers are kept here: Django holds them weakly.
_receivers: list[Callable[..., None]] = []


def listen() -> None:
    """Connects to Django's login signals and to those that settings name. Called once, at start.

    Wrong settings are left to the system checks: they could not speak if this raised. (A server, which runs no checks,
    meets a wrong key at its door.)
    """
    user_login_failed.connect(_login_failed, dispatch_uid="ip_tracking.login_failed")
    user_logged_in.connect(_logged_in, dispatch_uid="ip_tracking.logged_in")
    try:
        named = conf.get().outcomes
    except conf.BadSetting:
        return
    for path, outcome in named.items():
        try:
            signal = signal_at(path)
        except ImportError as error:
            logger.error("The outcome %r will never be seen: %s", outcome, error)
            continue
        receiver = _recorder(outcome)
        _receivers.append(receiver)
        signal.connect(receiver, dispatch_uid=f"ip_tracking.{path}")


def signal_at(path: str) -> Signal:
    """Raises ImportError where this dotted path is no signal's."""
    signal = import_string(path)
    if not isinstance(signal, Signal):
        raise ImportError(f"{path} is not a signal")
    return signal


def outcome_of(visit: Visit, method: str, status: int) -> str:
    """Returns the one outcome of a request: a failure outweighs a success, a signal outweighs the status."""
    failures = [outcome for outcome in visit.outcomes if is_failure(outcome)]
    if failures:
        return failures[-1]
    if visit.outcomes:
        return visit.outcomes[-1]
    kind = visit.kind
    if kind not in FAILED_STATUSES or status >= 500 or (kind == "login" and not is_login(visit, method)):
        return ""
    if status in FAILED_STATUSES[kind]:
        return f"{kind}_failed"
    return f"{kind}_ok" if status < 400 else ""


def is_login(visit: Visit, method: str) -> bool:
    """Looking at a login form is no login."""
    return visit.kind == "login" and method not in ("GET", "HEAD", "OPTIONS")


def sign_ins(visit: Visit, method: str, refused: bool) -> dict[str, int]:
    """Returns how many attempts to sign in this request was, by how they ended: success, failure, refused.

    By the signals, each of which is one; by the route and the status only where no login spoke for itself.
    """
    if not (visit.outcomes or visit.logins_refused or visit.kind == "login"):
        return {}
    found = {
        "success": visit.outcomes.count(LOGIN_OK),
        "failure": visit.outcomes.count(LOGIN_FAILED),
        "refused": visit.logins_refused or int(refused and is_login(visit, method)),
    }
    if not any(found.values()) and visit.outcome in (LOGIN_OK, LOGIN_FAILED):
        found["success" if visit.outcome == LOGIN_OK else "failure"] = len(visit.attempts) or 1
    return found


def is_failure(outcome: str) -> bool:
    return bool(outcome) and not outcome.endswith("_ok")


def account_key(name: str) -> str:
    """Returns the keyed hash that stands for an account: passwords typed as user names never reach a log or a key."""
    return keyed_hash(name)


def account_named(credentials: Mapping[str, Any]) -> str:
    """Returns the key of the account that a login names, "" where it names none."""
    name = credentials.get(get_user_model().USERNAME_FIELD) or credentials.get("username") or credentials.get("email")
    return account_key(name) if isinstance(name, str) and name else ""


def keyed_hash(text: str) -> str:
    """Returns what stands for a text where it must not be kept; spellings that look the same are one."""
    return _hash(text[:ACCOUNT_CHARS], django_settings.SECRET_KEY)


@lru_cache(maxsize=4_096)
def _hash(text: str, key: str) -> str:
    normal = unicodedata.normalize("NFKC", text).strip().casefold()
    return hmac.new(key.encode(), normal.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:24]


def _recorder(outcome: str) -> Callable[..., None]:
    def record(**_: object) -> None:
        visit = current.get()
        if visit is not None:
            visit.outcomes.append(outcome)

    return record


def _login_failed(credentials: Mapping[str, Any] | None = None, **_: object) -> None:
    visit = current.get()
    if visit is None:
        return
    visit.outcomes.append(LOGIN_FAILED)
    open_attempts = [attempt for attempt in visit.attempts if not attempt.failed]
    # By its account: of logins that run at once, another's must not be taken for it.
    mine = [attempt for attempt in open_attempts if attempt.account == account_named(credentials or {})]
    for attempt in (mine or open_attempts)[-1:]:
        attempt.failed = True


def _logged_in(user: Any = None, **_: object) -> None:
    visit = current.get()
    if visit is not None:
        visit.outcomes.append(LOGIN_OK)
        visit.signed_in = _proved(visit, user)


def _proved(visit: Visit, user: Any) -> str:
    """Returns the account that this user has just signed in to, as they typed it where that is known.

    An attempt alone proves nothing: one that broke off has failed without saying so.
    """
    if not hasattr(user, "get_username"):
        return ""
    name, email = account_key(user.get_username()), getattr(user, user.get_email_field_name(), None)
    own = {name, account_key(email) if email else name}
    typed = [attempt.account for attempt in visit.attempts if not attempt.failed and attempt.account in own]
    return typed[-1] if typed else name
