"""Logins pass the gate one by one: JWT, session, admin or any other caller of `authenticate()`.

First in AUTHENTICATION_BACKENDS. It never knows a user: it takes a place under the login policies, or refuses.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from ip_tracking.gate import limiter
from ip_tracking.gate.plan import login_plan
from ip_tracking.outcomes import account_key
from ip_tracking.refused import Refused
from ip_tracking.steps import drive
from ip_tracking.visit import Attempt, Visit, current


class GateBackend(BaseBackend):
    """Raises Refused for a login over a limit. Outside a request (a command, a test) it lets everybody pass."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        visit = current.get()
        if visit is None:
            return
        account = _name_account(visit, credentials)
        verdict = drive(limiter.admit(visit.client.network, None, login_plan(), account=account))
        if verdict.refused:
            raise Refused(verdict)
        visit.attempts.append(Attempt(verdict.quotas))


def _name_account(visit: Visit, credentials: dict[str, Any]) -> str:
    """Returns the hash of the account a login names, and notes it for the log."""
    name = credentials.get(get_user_model().USERNAME_FIELD) or credentials.get("username") or credentials.get("email")
    visit.account = account_key(name) if isinstance(name, str) and name else ""
    return visit.account
